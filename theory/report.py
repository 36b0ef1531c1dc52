"""All experiments as one page a person can read, and as JSON: every claim with its verdict and the numbers behind it.

The page needs nothing but itself: no network, no script; pictures are inside it. It reads on a desktop and on a phone.
"""

from __future__ import annotations

import base64
import math
import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from theory.experiments.experiment import Experiment, Panel, Parts, Size, house_style, rendered
from theory.tools.statistics import FALSE_ALARMS, VERDICTS, Claim, Verdict


@dataclass(frozen=True)
class Section:
    """One experiment in the report. data : its file, beside the report. written : when. command : repeats it."""

    experiment: Experiment
    parts: Parts
    findings: list[Claim]
    data: str
    written: date
    command: str

    @property
    def claims(self) -> list[tuple[str, Claim]]:
        """Each with its id, "rates-3"."""
        return [(f"{self.experiment.id}-{i}", finding) for i, finding in enumerate(self.findings, 1)]


def counts(sections: Iterable[Section]) -> Counter[str]:
    return Counter(finding.verdict for section in sections for finding in section.findings)


def as_json(sections: list[Section], size: Size) -> dict[str, Any]:
    """claims : id, statement, verdict, measured, interval, expected (an open side is null), and what is behind them.
    violated : how many."""
    claims = [
        {"id": id} | finding.as_json() | {"data": section.data, "command": section.command}
        for section in sections
        for id, finding in section.claims
    ]
    return {"size": size, "false_alarms": FALSE_ALARMS, "claims": claims, "violated": counts(sections)["violated"]}


def as_text(sections: list[Section]) -> str:
    lines = [
        f"{finding.verdict:11}  {id:{_widest(sections)}}  {finding.statement}\n"
        for section in sections
        for id, finding in section.claims
    ]
    return "".join(lines) + "\n" + summary(sections) + "\n"


def _widest(sections: list[Section]) -> int:
    return max(len(id) for section in sections for id, _ in section.claims)


def summary(sections: list[Section]) -> str:
    """ "9 claims: 6 hold (2 vacuous), 3 cannot tell, 0 violated"."""
    found = counts(sections)
    held, open_, violated = (found[verdict] for verdict in VERDICTS)
    vacuous = sum(finding.vacuous for section in sections for finding in section.findings)
    hold = f"{held} hold ({vacuous} vacuous)" if vacuous else f"{held} hold"
    return f"{_plural(found.total(), 'claim')}: {hold}, {open_} cannot tell, {violated} violated"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def as_html(sections: list[Section], size: Size) -> str:
    """The page: the verdict table first, then each experiment with its pictures and claims."""
    about = (
        "Generic, mini-batch and distributed Adam as in Chen, Shen, Zou and Liu, “Towards Practical Adam”, "
        f"JMLR 23(229), 2022, whose pages are cited. {size.capitalize()} size, seed 0; written {date.today()} with "
        f"NumPy {np.__version__}, Python {platform.python_version()}, {platform.machine()}."
    )
    contents = "".join(
        f'<li><a href="#{section.experiment.id}">{escape(section.experiment.title)}</a>: {summary([section])}</li>\n'
        for section in sections
    )
    words = "".join(f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>\n" for word, meaning in WORDS.items())
    rows = "".join(_rows(section) for section in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Towards Practical Adam: which claims hold</title>
<link rel="icon" href="data:,">
<style>{_CSS}</style>
</head>
<body>
<header>
<h1>Towards Practical Adam: which claims hold</h1>
<p class="summary">{escape(summary(sections))}.</p>
<p>{escape(about)}</p>
<ul>{contents}</ul>
</header>
<main>
<section>
<h2>How to read a verdict</h2>
<p>Symbols and other words are explained <a href="#words">at the end</a>.</p>
<dl>
<dt>{_badge("holds")}</dt><dd>the whole interval measured lies inside the range claimed. For an O() that says that these
runs agree with it, no more. It is vacuous where nothing else could have been measured.</dd>
<dt>{_badge("violated")}</dt><dd>the whole interval lies outside it.</dd>
<dt>{_badge("cannot tell")}</dt><dd>neither: more runs would narrow the interval, or no finite run decides. An O() is
never violated by a slope, which may be a transient; only a mean above an explicit bound violates it.</dd>
</dl>
<p>Every interval carries its share of an error of {FALSE_ALARMS:g} over the whole page; it stands behind it as “error”.
That error is nominal: intervals of means are Student's and those of slopes are bootstrapped, so they miss as rarely as
they say where runs are normal, and more often where runs are skewed. A claim that is violated by little should be
measured again with more runs before it is believed. (Two claims, the collapses, carry an error of 1 % each.)
Where the paper claims a number, the range is the paper's; where it claims in words, such as “slower”, the range is
this page's reading of them.</p>
</section>
<section>
<h2>Verdicts</h2>
<table class="verdicts">
<thead><tr><th class="id"></th><th>claim</th><th>verdict</th>
<th>measured</th><th>interval</th><th>claimed</th></tr></thead>
<tbody>{rows}</tbody>
</table>
</section>
{"".join(_section(section) for section in sections)}
<section id="words">
<h2>Words</h2>
<dl>{words}</dl>
</section>
</main>
</body>
</html>
"""


def _rows(section: Section) -> str:
    experiment = section.experiment
    title = f'<a href="#{experiment.id}">{escape(experiment.title)}</a>'
    head = f'<tr class="head"><th colspan="6">{title} <span>{summary([section])}</span></th></tr>\n'
    return head + "".join(_row(id, finding) for id, finding in section.claims)


def _row(id: str, finding: Claim) -> str:
    measured = finding.measured
    cells = [_number(measured.estimate), _range(measured.low, measured.high), _range(*finding.expected)]
    numbers = "".join(f'<td class="number">{cell}</td>' for cell in cells)
    return (
        f'<tr><td class="id">{id}</td><td><a href="#{id}">{escape(finding.statement)}</a></td>'
        f"<td>{_badges(finding)}</td>{numbers}</tr>\n"
    )


def _section(section: Section) -> str:
    experiment = section.experiment
    pictures = "".join(_picture(panel) for row in experiment.panels(section.parts) for panel in row)
    claims = "".join(_claim(id, finding) for id, finding in section.claims)
    return f"""<section id="{experiment.id}">
<h2>{escape(experiment.title)}</h2>
<p><strong>The paper.</strong> {escape(experiment.paper)}.</p>
<p><strong>Measured.</strong> {escape(experiment.setting(section.parts))}</p>
<div class="pictures">{pictures}</div>
<p>{summary([section])}. Data: <a href="{escape(section.data)}">{escape(section.data)}</a>, {section.written}.
To measure again, in another folder:</p>
<pre>{escape(section.command)}</pre>
<div class="claims">{claims}</div>
</section>
"""


def _claim(id: str, finding: Claim) -> str:
    measured = finding.measured
    return f"""<article id="{id}" class="{_class(finding.verdict)}">
<p class="statement">{_badges(finding)} <span class="id">{id}</span> {escape(finding.statement)}</p>
{_strip(finding)}
<p>{escape(_sentence(finding.reason))} {_plural(measured.sample_size, "run")}.</p>
</article>
"""


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:].rstrip(".") + "."


def _picture(panel: Panel) -> str:
    with house_style():
        drawn = Figure(figsize=(5.4, 4.7), layout="constrained")
        ax = drawn.subplots()
        ax.grid(alpha=0.3)
        panel.draw(ax)
        source = base64.b64encode(rendered(drawn, "svg")).decode()
    caption = escape(panel.caption)
    return (
        f'<figure><img src="data:image/svg+xml;base64,{source}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure>\n"
    )


WORDS = {
    "E||grad f||, E‖∇f‖": "the gradient's norm in expectation, averaged over the steps 1..T of a run",
    "T, t": "number of steps; one of them",
    "αₜ, βₜ, θₜ, v₀": "step size and averaging parameters of Algorithm 1 (p. 4); where its v begins, epsilon",
    "r, s, in O(T^...)": "θₜ = 1 - a/tʳ, αₜ = η/tˢ (Eq. 8, p. 10)",
    "s workers, B": "a step's gradient is the mean of s workers' samples, a sample the mean of B draws",
    "G, σ², L": "E||g||² <= G², a sample's variance <= σ², the gradient's Lipschitz constant (A2, A4, A5)",
    "SC1-SC4": "the four parts of the sufficient condition (Corollary 9, p. 10)",
    "printed, corrected, sharp": "a bound as the paper prints it; with its errors in print mended; with the same "
    "assumptions and less waste",
    "vacuous": "said of a bound above what every algorithm meets",
    "bump, tapered, quadratic": "problems: Σ x²/(1+x²); slope 1, bent to 0 on the left; |x|²/2",
    "practical, generic": "families: αₜ = alpha/√T, θₜ = 1 - theta/T (Corollary 13, p. 13); Eq. 8 (p. 10)",
    "two-point, N(0, q)": "noise added to each coordinate of the gradient: two values; normal, of variance q",
    "collapse": "runs with different s and the same s·T have the same E||grad f||",
}
_WIDTH, _EDGE = 600.0, 12.0


def _strip(finding: Claim) -> str:
    """The range claimed (green) and the interval measured (black) on one line, from 0 where nothing is negative; what
    is open runs to the edge. Nothing where there is only one number."""
    low, high = finding.expected
    ends = [low, high, finding.measured.low, finding.measured.high, finding.measured.estimate]
    finite = [end for end in ends if math.isfinite(end)]
    if not finite or min(finite) == max(finite):
        return ""
    finite.append(min(0.0, *finite))
    span = max(finite) - min(finite)
    left, right = min(finite) - 0.08 * span, max(finite) + 0.08 * span

    def at(value: float) -> float:
        inside = min(max((value - left) / (right - left), 0.0), 1.0)
        return round(_EDGE + inside * (_WIDTH - 2 * _EDGE), 1)

    a, b, x = at(finding.measured.low), at(finding.measured.high), at(finding.measured.estimate)
    measured = (finding.measured.low, finding.measured.high)
    caps = "".join(f"M{at(end)} 13V27" for end in measured if math.isfinite(end))
    ticks = "".join(f'<path d="M{at(end)} 4V36" stroke="#3a7d44"/>' for end in (low, high) if math.isfinite(end))
    claimed = f'<rect x="{at(low)}" y="8" width="{max(at(high) - at(low), 1.5):.1f}" height="24" fill="#cfe8d2"/>'
    label = f"claimed {_range(low, high)}, measured {_range(*measured)}"
    return (
        f'<svg class="strip" viewBox="0 0 {_WIDTH:g} 40" role="img" aria-label="{escape(label)}">{claimed}{ticks}'
        f'<path d="M{a} 20H{b}{caps}" stroke="black" stroke-width="2.5" fill="none"/>'
        f'<circle cx="{x}" cy="20" r="5"/></svg>'
    )


def _badge(verdict: Verdict) -> str:
    return f'<span class="badge {_class(verdict)}">{verdict}</span>'


def _badges(finding: Claim) -> str:
    return _badge(finding.verdict) + (' <span class="badge vacuous">vacuous</span>' if finding.vacuous else "")


def _class(verdict: Verdict) -> str:
    return verdict.replace(" ", "-")


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def _range(low: float, high: float) -> str:
    if low == high:
        return _number(low)
    if math.isinf(low):
        return f"≤ {_number(high)}"
    if math.isinf(high):
        return f"≥ {_number(low)}"
    return f"{_number(low)} … {_number(high)}"


_CSS = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 1240px; padding: 0 16px 48px; color: #1c1c1c; background: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1.2rem 0 .4rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .4rem; border-top: 1px solid #ccc; padding-top: 1rem; }
p { margin: .5rem 0; max-width: 80ch; }
.summary { font-size: 1.2rem; font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem .8rem; margin: .5rem 0; max-width: 80ch; }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #e4e4e4; }
.head th { padding-top: 1rem; }
.head span { font-weight: 400; color: #555; margin-left: .5rem; }
.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
.id { white-space: nowrap; color: #555; }
td a, th a, li a { color: #1a4b8c; text-decoration: none; }
a:hover { text-decoration: underline; }
ul { padding-left: 1.2rem; }
.badge { border-radius: 4px; padding: .1rem .45rem; font-size: .85rem; font-weight: 600; white-space: nowrap; }
.badge.holds { background: #d6efd9; color: #14532d; }
.badge.violated { background: #b3261e; color: #fff; }
.badge.vacuous { background: none; border: 1px solid #bbb; color: #666; font-weight: 400; }
.badge.cannot-tell { background: #ececec; color: #444; }
.pictures, .claims { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 470px), 1fr)); gap: 16px; }
figure { margin: .5rem 0; max-width: 620px; }
img { width: 100%; height: auto; }
figcaption { font-size: .85rem; color: #555; }
pre { background: #f4f4f4; padding: .5rem .7rem; margin: .3rem 0; overflow-x: auto; font-size: .85rem; }
article { padding: .2rem 0 .2rem .8rem; border-left: 4px solid #bbb; }
article.holds { border-color: #3a7d44; }
article.violated { border-color: #b3261e; }
article .statement { font-weight: 600; }
article p { margin: .2rem 0; }
article p:last-child { font-size: .9rem; color: #444; }
.strip { width: 100%; max-width: 600px; height: auto; display: block; }
@media (max-width: 700px) {
  .verdicts .number, .verdicts thead th:nth-child(n+4), .verdicts .id { display: none; }
  h1 { font-size: 1.4rem; }
}
"""
