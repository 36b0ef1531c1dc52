"""Corollary 7 (p. 9-10) and sec. 3.4 (p. 12): what Theorem 2's bound becomes where theta_t stays below 1.

Bound(T) is the square of Theorem 2's bound, (C + C' sum alpha_t sqrt(1-theta_t))/(T alpha_T). All of this bounds an
upper bound from below: it does not show that Adam with constant theta diverges.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reference import families
from reference.families import Family
from reference.schedules import Constant
from theory.chen_2022.theorem_2 import theorem_2
from theory.constants import ConditionError, Constants, check


class Sandwich(NamedTuple):
    """lower <= Bound(T) <= upper."""

    lower: float
    bound: float
    upper: float


def corollary_7(
    T: int, constants: Constants, epsilon: float, eta: float, s: float, theta: float, beta: float
) -> Sandwich:
    """Corollary 7 (Chen et al. 2022, p. 9): alpha_t = eta/t^s and constant theta_t = theta > beta^2, 0 <= s < 1:

        C/(eta T^{1-s}) + C' sqrt(1-theta) <= Bound(T) <= C/(eta T^{1-s}) + C' sqrt(1-theta)/(1-s).

    Sec. 3.4, item 2 calls Bound(T) decreasing in s; it increases:

    >>> constants, given = Constants(L=2, G=3, d=4, gap=3.2), dict(eta=0.1, theta=0.99, beta=0.5)
    >>> [f"{corollary_7(10**4, constants, 0.01, s=s, **given).bound:.3g}" for s in (0, 0.25, 0.5, 0.75)]
    ['372', '660', '2.6e+03', '2.03e+04']
    """
    if not 0 <= s < 1:
        raise ConditionError(f"s must satisfy 0 <= s < 1 (Corollary 7, Chen et al., p. 10); got {s:g}")
    family = families.generic(eta, s, 1 - theta, 0, 1, beta)
    found = theorem_2(family, T, constants, epsilon).constants
    first = found["C"] / (eta * T ** (1 - s))
    level = found["C'"] * math.sqrt(1 - theta)
    bound = (found["C"] + found["C'"] * found["sum alpha_t sqrt(1-theta_t)"]) / (T * found["alpha_T"])
    return Sandwich(first + level, bound, first + level / (1 - s))


class FixedTheta1(NamedTuple):
    """Sec. 3.4, item 3: C0 and the principal term C' sqrt(1-theta) of Bound(T)."""

    C0: float
    principal: float


def fixed_theta_1(
    theta: float, theta_1: float, constants: Constants, epsilon: float, eta: float, s: float, beta: float
) -> FixedTheta1:
    """Sec. 3.4, item 3 (Chen et al. 2022, p. 12): theta_1 fixed, theta -> 1.

    theta_t = theta >= theta_1 for t >= 2; alpha_t = eta/t^s, 0 <= s < 1, beta^2 < theta_1.

    The paper takes C and C' to be free of theta, so that C' sqrt(1-theta) -> 0 as theta -> 1. But R3
    forces C0 >= chi_2/chi_1 = 2^{-s} sqrt((1-theta_1)/(1-theta)) and C' contains C0^5, so that
    C' sqrt(1-theta) = Theta((1-theta)^{-2}) -> infinity:

    >>> for theta in (0.9, 0.99, 0.999, 0.9999):
    ...     given = dict(constants=Constants(L=2, G=3, d=4), epsilon=0.01, eta=0.1, s=0, beta=0.5)
    ...     C0, principal = fixed_theta_1(theta, 0.9, **given)
    ...     print(f"{C0:.3g} {principal:.2g}")
    1 1.2e+03
    3.16 2.1e+04
    10 1.1e+06
    31.6 1e+08
    """
    if not 0 <= s < 1:
        raise ConditionError(f"s must satisfy 0 <= s < 1 (sec. 3.4, Chen et al., p. 12); got {s:g}")
    if not theta_1 <= theta < 1:
        raise ConditionError(
            f"theta must satisfy theta_1 <= theta < 1 (R2, Chen et al., p. 7); got {theta:g}, theta_1 = {theta_1:g}"
        )

    def second_moment(t: ArrayLike) -> NDArray[np.float64]:
        return np.where(np.asarray(t) == 1, theta_1, theta)

    step = families.generic(eta, s, 1 - theta, 0, 1, beta).alpha
    family = Family("fixed theta_1 (sec. 3.4)", step, Constant(beta), second_moment)
    free_of_gap = replace(constants, gap=0.0)  # C' is
    found = theorem_2(family, 2, free_of_gap, epsilon, theta_prime=theta_1).constants  # chi_t falls after t = 2
    return FixedTheta1(found["C0"], found["C'"] * math.sqrt(1 - theta))


def constant_theta_limit(constants: Constants, epsilon: float, eta: float, beta: float) -> float:
    """lim_{theta -> 1} C' sqrt(1-theta) = 2 d sqrt(G^2 + epsilon d) eta L/(1-beta)^4, for theta_t = theta: not 0.

    Constant step eta. The other part, C/(eta T^{1-s}), grows as 1/(1-theta) meanwhile.

    >>> round(constant_theta_limit(Constants(L=2, G=3, d=4), epsilon=0.01, eta=0.1, beta=0.5))
    77
    """
    check(epsilon=epsilon, beta=beta, eta=eta)
    L, G, d = constants.need("L", "G", "d")
    return 2 * d * math.sqrt(G**2 + epsilon * d) * eta * L / (1 - beta) ** 4
