"""The page: what was learnt on its first screen, then a section an experiment, with one picture and one sentence first.

It needs nothing but itself: no network, no script; pictures and style are inside it. It reads on a desktop and on a
phone, light and dark, and printed.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import date
from html import escape
from importlib.resources import files

import numpy as np

from theory.experiments.experiment import Size
from theory.report.cards import badge, card, css_class
from theory.report.pictures import lead, others
from theory.report.sections import Section, counts, every, plural, summary
from theory.report.words import WORDS
from theory.tools.statistics import PROMISE, Claim, Verdict

TITLE = "Towards Practical Adam: what holds, what does not, what cannot be told"


def as_html(sections: list[Section], size: Size) -> str:
    """The whole page."""
    words = "".join(f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>\n" for word, meaning in WORDS.items())
    style = files("theory.report").joinpath("style.css").read_text(encoding="utf-8")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{TITLE}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
<header id="top">
<h1>{TITLE}</h1>
<p class="summary">{_in_short(sections)}</p>
<div class="learnt">
{_column("holds", "What holds", sections)}
{_column("violated", "What does not hold", sections)}
{_column("cannot tell", "What cannot be told", sections)}
</div>
<nav aria-label="Sections">{_contents(sections)}</nav>
</header>
<main>
{"".join(_section(section) for section in sections)}
{_reading(sections, size)}
<section id="words">
<h2>Words</h2>
<dl>{words}</dl>
</section>
</main>
<a class="back" href="#top">Back to the top</a>
</body>
</html>
"""


def _in_short(sections: list[Section]) -> str:
    """The counts as a sentence."""
    claims = every(sections)
    telling = counts(claim for claim in claims if not claim.vacuous)
    vacuous = sum(claim.vacuous for claim in claims)
    violated = counts(claims)["violated"]
    words = [
        f"{plural(len(claims), 'claim')} about Adam {'was' if len(claims) == 1 else 'were'} measured",
        f"{telling['holds']} of them hold where a measurement could have said otherwise",
        *([f"{vacuous} hold whatever is measured (vacuous)"] if vacuous else []),
        f"{telling['cannot tell']} cannot be told",
    ]
    return f"{words[0]}: {', '.join(words[1:])}, and {violated or 'none'} {'is' if violated < 2 else 'are'} violated."


def _column(verdict: Verdict, title: str, sections: list[Section]) -> str:
    """The topics with this verdict, as plain sentences, each with the section that it is from."""
    items = _items(sections, verdict)
    nothing = {
        "holds": "Nothing for sure: no topic holds in all of its claims.",
        "violated": "Nothing was found: no interval lies outside the range that its claim allows.",
        "cannot tell": "Nothing is left open.",
    }
    said = {
        "holds": "",
        "violated": "<p>Contradicted by at least one measurement:</p>",
        "cannot tell": "<p>Confirmed in part at most, and contradicted by nothing:</p>",
    }
    body = f"{said[verdict]}<ul>{items}</ul>" if items else f"<p>{nothing[verdict]}</p>"
    if verdict == "violated":
        body += "<p>What is wrong in print is another matter: <code>python -m theory errata</code> lists it.</p>"
    body += _vacuous(sections) if verdict == "cannot tell" else ""
    return f'<div class="{css_class(verdict)}"><h2>{title}</h2>{body}</div>'


def _items(sections: list[Section], verdict: Verdict | None) -> str:
    return "".join(
        f'<li>{escape(topic.words)} <a href="#{section.experiment.id}">({escape(topic.tally)})</a>.</li>\n'
        for section in sections
        for topic in section.topics
        if topic.verdict == verdict
    )


def _vacuous(sections: list[Section]) -> str:
    """The topics about which the page says nothing, all of their claims being vacuous."""
    items = _items(sections, None)
    return f"<p>True, and no test of anything:</p><ul>{items}</ul>" if items else ""


def _contents(sections: list[Section]) -> str:
    links = "".join(
        f'<li><a href="#{section.experiment.id}">{escape(section.experiment.title)}</a></li>\n' for section in sections
    )
    return f'<ul>{links}<li><a href="#reading">How to read this page</a></li><li><a href="#words">Words</a></li></ul>'


def _section(section: Section) -> str:
    experiment = section.experiment
    learnt = " ".join(str(topic) for topic in section.topics)
    return f"""<section id="{experiment.id}">
<h2>{escape(experiment.title)}</h2>
<div class="opening">
<div>
<p class="lesson">{escape(learnt)}</p>
<p><strong>The paper.</strong> {escape(experiment.paper)}.</p>
<p><strong>Measured.</strong> {escape(experiment.setting(section.parts))}</p>
<p class="again">{summary([section])}. Data: <a href="{escape(section.data)}">{escape(section.data)}</a>,
{section.written}. To measure again, in another folder: <code>{escape(section.command)}</code></p>
</div>
{lead(section)}
</div>
{_more_pictures(others(section))}
{_claims(section)}
</section>
"""


def _more_pictures(pictures: Sequence[str]) -> str:
    if not pictures:
        return ""
    title = plural(len(pictures), "more picture")
    return f'<details class="more"><summary>{title}</summary><div class="pictures">{"".join(pictures)}</div></details>'


def _claims(section: Section) -> str:
    """Those that do not hold first; the vacuous ones folded."""

    def cards(chosen: Sequence[tuple[str, Claim]]) -> str:
        return f'<div class="claims">{"".join(card(*each) for each in chosen)}</div>'

    telling = [each for each in section.named if not each[1].vacuous]
    shown = ""
    titles: dict[Verdict, str] = {"violated": "does not hold", "cannot tell": "cannot be told", "holds": "holds"}
    for verdict, title in titles.items():
        chosen = [each for each in telling if each[1].verdict == verdict]
        if chosen:
            shown += f"<h3>What {title}: {plural(len(chosen), 'claim')}</h3>\n{cards(chosen)}"
    vacuous = [each for each in section.named if each[1].vacuous]
    if vacuous:
        title = f"{plural(len(vacuous), 'vacuous claim')}, true whatever is measured"
        shown += f'<details class="more"><summary>{title}</summary>{cards(vacuous)}</details>\n'
    return shown


def _reading(sections: list[Section], size: Size) -> str:
    return f"""<section id="reading">
<h2>How to read this page</h2>
<p>Generic, mini-batch and distributed Adam as in Chen, Shen, Zou and Liu, “Towards Practical Adam”, JMLR 23(229), 2022,
whose pages are cited. {size.capitalize()} size, seed 0; written {date.today()} with NumPy {np.__version__},
Python {platform.python_version()}, {platform.machine()}. {escape(summary(sections))}.</p>
<p>A card's axis shows the range that the claim allows (green), and the interval measured (a bar, open where it has
no end) around the estimate (a dot). A long axis on which everything is positive is logarithmic.</p>
<dl>
<dt>{badge("holds")}</dt><dd>The whole interval measured lies inside the range claimed. For an O() that says that these
runs agree with it, no more. A claim is vacuous where nothing else could have been measured.</dd>
<dt>{badge("violated")}</dt><dd>The whole interval lies outside it.</dd>
<dt>{badge("cannot tell")}</dt><dd>Neither: more runs would narrow the interval, or no finite run decides. An O() is
never violated by a slope, which may be a transient; only a mean above an explicit bound violates it.</dd>
<dt><span class="badge mark">cannot be violated</span></dt><dd>The verdict can be “holds” or “cannot tell” and nothing
else: no interval that is valid for every distribution could contradict the claim. So it is with
{plural(sum(claim.mark == "cannot be violated" for claim in every(sections)), "claim")} here.</dd>
</dl>
<p>{escape(PROMISE)}</p>
<p>Where the paper claims a number, the range is the paper's; where it claims in words, such as “slower”, the range is
this page's reading of them.</p>
</section>
"""
