"""Corollary 10 (p. 10): rates of E||grad f(x_tau)|| for alpha_t = eta/t^s, theta_t = 1 - a/max(t, K)^r."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from reference import families
from theory.bound import Bound, ConditionError, Variant
from theory.chen_2022.theorem_2 import theorem_2


class Rate(NamedTuple):
    """E||grad f(x_tau)|| = O(T^-exponent), times sqrt(ln T) where `logarithm`."""

    exponent: float
    logarithm: bool

    def __str__(self) -> str:
        if self.logarithm:
            return f"O(sqrt(ln T) T^-{self.exponent:g})"
        return f"O(T^-{self.exponent:g})"


def rate(r: float, s: float) -> Rate:
    """O(T^{-r/4}) if r/2 + s < 1, O(sqrt(ln T/T^{1-s})) if r/2 + s = 1, O(T^{-(1-s)/2}) if r/2 + s > 1.

    For 0 < r <= 2s < 2; ConditionError outside. App. C prints the same rates for ||grad f(x_tau)||^2 without the
    expectation: they are E||grad f(x_tau)||'s.

    >>> str(rate(r=1, s=0.5)), str(rate(r=0.5, s=0.5)), str(rate(r=1, s=0.75))
    ('O(sqrt(ln T) T^-0.25)', 'O(T^-0.125)', 'O(T^-0.125)')
    """
    if not 0 < r <= 2 * s < 2:
        raise ConditionError(f"r = {r:g}, s = {s:g}; Corollary 10 needs 0 < r <= 2s < 2 (p. 10)")
    if math.isclose(r / 2 + s, 1, rel_tol=1e-12):
        return Rate((1 - s) / 2, True)
    return Rate(min(r / 4, (1 - s) / 2), False)


def corollary_10(
    T: int, L: float, G: float, d: int, gap: float, epsilon: float, eta: float, s: float, a: float, r: float,
    K: float, beta: float, variant: Variant = "corrected",
) -> Bound:  # fmt: skip
    """The bound behind the rate, non-asymptotic: Theorem 2 with its sum exact, the part t < K included,

        sum_{t<=T} alpha_t sqrt(1-theta_t) = eta sqrt(a) [ K^{-r/2} sum_{t<K} t^{-s} + sum_{K<=t<=T} t^{-(r/2+s)} ].

    0 < r <= 2s < 2, 0 < a < K^r (ConditionError, ValueError); the rest as for `theorem_2`.
    """
    rate(r, s)
    bound = theorem_2(families.generic(eta, s, a, r, K, beta), T, L, G, d, gap, epsilon, variant)
    return replace(bound, statement="Corollary 10")
