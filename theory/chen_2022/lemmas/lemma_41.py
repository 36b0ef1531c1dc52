"""Lemma 41 (p. 41), Lemma 21 of the main text (p. 16): an inequality in X solved."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.tools.positive import Number, exp, largest_log, shape_of
from theory.tools.sides import Sides, check_variant


def four_terms(A: Number, B: Number, C: Number, D: Number) -> tuple[Number, Number, Number, Number]:
    """(4BD)^2, 4BC, (4AD)^{2/3}, sqrt(4AC) (Chen et al., Lemma 41, p. 41)."""
    return (4 * B * D) ** 2, 4 * B * C, (4 * A * D) ** (2 / 3), (4 * A * C) ** 0.5


def largest_root(A: Number, B: Number, C: Number, D: Number) -> Number:
    """The largest x >= 0 with x^2 <= (A + B x)(C + D sqrt x), of the type of A, B, C and D.

    (A/x + B)(C/x + D/sqrt x) falls through 1 at x: bisection in ln x, to the last bit.

    >>> round(float(largest_root(2.0, 0.0, 8.0, 0.0)), 12)
    4.0
    """
    like = A * B * C * D
    high = np.full(shape_of(like), largest_log(like))
    low = -high
    while ((low < (middle := (low + high) / 2)) & (middle < high)).any():
        x = exp(middle, like)
        with np.errstate(over="ignore"):
            inside = (A / x + B) * (C / x + D / x**0.5) >= 1
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return exp(np.where(low > -largest_log(like), low, -np.inf), like)


def lemma_41(A: ArrayLike, B: ArrayLike, C: ArrayLike, D: ArrayLike, variant: str = "corrected") -> Sides:
    """x^2 <= (A + B x)(C + D sqrt x)  =>  x <= (4BD)^2 + 4BC + (4AD)^{2/3} + sqrt(4AC).

    **Assumptions** x, A, B, C, D >= 0 (printed: x in R). HOLDS.
    sharp : the largest of the four terms in place of their sum, by the same proof.
    left = the largest x allowed, right = the bound; both of A..D's common shape.

    >>> sides = lemma_41(1, 0, 1, 0)  # x^2 <= 1  =>  x <= 2
    >>> round(float(sides.left), 12), float(sides.right)
    (1.0, 2.0)
    """
    check_variant("Lemma 41", variant, "sharp")
    A, B, C, D = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in (A, B, C, D)))
    if min(value.min() for value in (A, B, C, D)) < 0:
        raise ValueError("A, B, C and D must be at least 0 (Lemma 41, Chen et al., p. 41)")
    terms = np.stack(four_terms(A, B, C, D))
    right = terms.max(axis=0) if variant == "sharp" else terms.sum(axis=0)
    return Sides("Lemma 41", variant, largest_root(A, B, C, D), right)
