"""A claim's axis: the range that it allows, the interval measured, and numbers to read both by."""

from __future__ import annotations

import math
from html import escape

from matplotlib.ticker import LogLocator, MaxNLocator

from theory.tools.statistics import Claim

WIDTH, EDGE = 360.0, 16.0
WIDE = 30.0  # above this factor between the ends the axis is logarithmic


class Scale:
    """From numbers to places on the axis, and the numbers written on it.

    Linear, from 0 where nothing is negative; logarithmic where everything is positive and spans a factor above `WIDE`.
    """

    def __init__(self, values: list[float]):
        low, high = min(values), max(values)
        self.logarithmic = low > 0 and high > WIDE * low
        if not self.logarithmic:
            low, high = min(low, 0.0), max(high, 0.0)
        first, last = self._on(low), self._on(high)
        margin = 0.08 * (last - first or 1.0)
        self._first, self._last = first - margin, last + margin

    def _on(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value

    def at(self, value: float) -> float:
        """The place of a number; an infinite one is at the edge."""
        if math.isinf(value):
            return EDGE if value < 0 else WIDTH - EDGE
        share = (self._on(value) - self._first) / (self._last - self._first)
        return round(EDGE + share * (WIDTH - 2 * EDGE), 1)

    @property
    def ticks(self) -> list[float]:
        """At most seven round numbers that lie on the axis."""
        if not self.logarithmic:
            found = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(self._first, self._last)
            return [float(tick) for tick in found if self._first <= tick <= self._last]
        powers = LogLocator(10, numticks=6).tick_values(10**self._first, 10**self._last)
        return [float(tick) for tick in powers if self._first <= math.log10(tick) <= self._last]


def axis(claim: Claim) -> str:
    """As SVG; nothing where there is only one number, as in a count of differences."""
    low, high = claim.expected
    measured = claim.measured
    ends = (low, high, measured.low, measured.high, measured.estimate)
    finite = [end for end in ends if math.isfinite(end)]
    if min(finite) == max(finite):
        return ""
    scale = Scale(finite)
    at = scale.at
    marks = "".join(
        f'<path class="tick" d="M{at(tick)} 36v5"/><text x="{at(tick)}" y="53">{number(tick)}</text>'
        for tick in scale.ticks
    )
    limits = "".join(f'<path class="limit" d="M{at(end)} 3v33"/>' for end in (low, high) if math.isfinite(end))
    a, b = at(measured.low), at(measured.high)
    caps = "".join(f"M{at(end)} 12v14" for end in (measured.low, measured.high) if math.isfinite(end))
    label = f"Axis: claimed {between(low, high)}, measured {between(measured.low, measured.high)}: {claim.verdict}"
    return (
        f'<svg class="axis" viewBox="0 0 {WIDTH:g} 58" role="img" aria-label="{escape(label)}">'
        f'<rect class="claimed" x="{at(low)}" y="6" width="{max(at(high) - at(low), 1.5):.1f}" height="27"/>{limits}'
        f'<path class="line" d="M{EDGE:g} 36H{WIDTH - EDGE:g}"/>{marks}'
        f'<path class="measured" d="M{a} 19H{b}{caps}"/>'
        f'<circle class="estimate" cx="{at(measured.estimate)}" cy="19" r="4.5"/></svg>'
    )


def number(value: float) -> str:
    """Four figures, powers of ten for the very large and the very small."""
    return (
        f"{value + 0.0:.4g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "\N{MINUS SIGN}")
    )


def between(low: float, high: float) -> str:
    """A range in words that an expert writes: "≤ 0.5", "0.25 … 0.75"."""
    if low == high:
        return number(low)
    if math.isinf(low):
        return f"≤ {number(high)}"
    if math.isinf(high):
        return f"≥ {number(low)}"
    return f"{number(low)} … {number(high)}"
