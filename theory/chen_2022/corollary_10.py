"""Corollary 10 (p. 10): rates of E||grad f(x_tau)|| for alpha_t = eta/t^s, theta_t = 1 - a/max(t, K)^r."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from reference.families import Family
from theory.chen_2022.restrictions import at_most, exponents
from theory.chen_2022.theorem_2 import theorem_2
from theory.constants import ConditionError, Constants
from theory.statement import Bound, Variant


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
    if not (r > 0 and at_most(r, 2 * s) and s < 1):
        raise ConditionError(
            f"r and s must satisfy 0 < r <= 2s < 2 (Corollary 10, Chen et al., p. 10); got {r:g}, {s:g}"
        )
    if math.isclose(r / 2 + s, 1, rel_tol=1e-12):
        return Rate((1 - s) / 2, True)
    return Rate(min(r / 4, (1 - s) / 2), False)


def corollary_10(family: Family, T: int, constants: Constants, epsilon: float, variant: Variant = "corrected") -> Bound:
    """The bound behind the rate (Corollary 10, Chen et al. 2022, p. 10), non-asymptotic: Theorem 2 with its sum exact,

        sum_{t<=T} alpha_t sqrt(1-theta_t) = eta sqrt(a) [ K^{-r/2} sum_{t<K} t^{-s} + sum_{K<=t<=T} t^{-(r/2+s)} ],

    the part t < K included. family : Eq. 8's, `reference.families.generic`, with 0 < r <= 2s < 2 (ConditionError); the
    rest as for `theorem_2`.
    """
    powers = exponents(family)
    if powers is None:
        raise ConditionError(
            f"the family must be alpha_t = eta/t^s, theta_t = 1 - a/max(t, K)^r (Eq. 8, Chen et al., p. 10); "
            f"got {family.name}"
        )
    s, r = powers
    rate(r, s)
    return replace(theorem_2(family, T, constants, epsilon, variant), statement="Corollary 10")
