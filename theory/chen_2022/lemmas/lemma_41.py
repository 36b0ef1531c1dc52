"""Lemma 41 (p. 41), Lemma 21 of the main text (p. 16): an inequality in X solved."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.tools.sides import Array, Sides, check_variant


def four_terms(A: ArrayLike, B: ArrayLike, C: ArrayLike, D: ArrayLike) -> Array:
    """(4BD)^2, 4BC, (4AD)^{2/3}, sqrt(4AC), along a new first axis."""
    A, B, C, D = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in (A, B, C, D)))
    if min(value.min() for value in (A, B, C, D)) < 0:
        raise ValueError("Lemma 41 (p. 41) needs A, B, C, D >= 0")
    return np.stack([(4 * B * D) ** 2, 4 * B * C, np.cbrt(4 * A * D) ** 2, np.sqrt(4 * A * C)])


def largest_root(A: ArrayLike, B: ArrayLike, C: ArrayLike, D: ArrayLike) -> Array:
    """The largest x >= 0 with x^2 <= (A + B x)(C + D sqrt x): x -> (A/x + B)(C/x + D/sqrt x) decreases through 1."""
    A, B, C, D = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in (A, B, C, D)))
    low, high = np.full(A.shape, -300.0), np.full(A.shape, 300.0)  # log10 x
    for _ in range(64):  # halvings of a width of 600: to the last bit
        middle = (low + high) / 2
        x = 10.0**middle
        with np.errstate(over="ignore"):
            inside = (A / x + B) * (C / x + D / np.sqrt(x)) >= 1
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.where(low > -300, 10.0**low, 0.0)


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
    terms = four_terms(A, B, C, D)
    right = terms.max(axis=0) if variant == "sharp" else terms.sum(axis=0)
    return Sides("Lemma 41", variant, largest_root(A, B, C, D), right)
