"""Searches on a line: the first integer at which something holds, the minimiser of a convex function."""

from __future__ import annotations

import math
from collections.abc import Callable


def first(holds: Callable[[int], bool], low: int = 1) -> int:
    """The smallest n >= low with holds(n), for a predicate that, once true, stays true: doubling, then bisection.

    >>> first(lambda n: n * n >= 50)
    8
    """
    if holds(low):
        return low
    high = 2 * low
    while not holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def golden(function: Callable[[float], float], low: float, high: float) -> float:
    """The minimiser of a convex function on [low, high], to rounding: golden section.

    >>> round(golden(lambda z: (z - 2) ** 2, 0.0, 5.0), 6)
    2.0
    """
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > 1e-15 * max(1.0, abs(low)) and low < left < right < high:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return min((low, left, right, high), key=function)
