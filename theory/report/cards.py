"""A claim's card: its verdict, what it says, its axis, its numbers, and how it was decided, folded."""

from __future__ import annotations

from html import escape

from theory.report.axis import axis, between, number
from theory.report.sections import plural
from theory.tools.statistics import Claim, Verdict


def card(id: str, claim: Claim) -> str:
    """An article of HTML, to which a link can point by its id."""
    measured = claim.measured
    interval = between(measured.low, measured.high)
    estimate = number(measured.estimate)
    numbers = f"Measured {estimate}" + ("" if interval == estimate else f" (interval {interval})")
    return (
        f'<article id="{id}" class="{css_class(claim.verdict)}">\n'
        f'<p class="statement">{badges(claim)} {escape(claim.statement)} <a class="id" href="#{id}">{id}</a></p>\n'
        f"{axis(claim)}\n"
        f'<p class="numbers">{numbers}; claimed {between(*claim.expected)}.</p>\n'
        f"<details><summary>How it was decided</summary><p>{escape(sentence(claim.reason))} "
        f"{plural(measured.sample_size, 'run')}.</p></details>\n"
        "</article>\n"
    )


def badge(verdict: Verdict) -> str:
    """A verdict in its colour."""
    return f'<span class="badge {css_class(verdict)}">{verdict}</span>'


def badges(claim: Claim) -> str:
    """The claim's verdict, and its mark where nothing could violate it."""
    return badge(claim.verdict) + (f' <span class="badge mark">{claim.mark}</span>' if claim.mark else "")


def css_class(verdict: Verdict) -> str:
    """A verdict as a class of the style sheet."""
    return verdict.replace(" ", "-")


def sentence(words: str) -> str:
    """With a capital and a full stop."""
    return words[:1].upper() + words[1:].rstrip(".") + "."
