"""How numbers give a statement's sequences: Eq. 8's family, Corollary 13's (Chen et al. 2022), one step size."""

from __future__ import annotations

import math

from reference import families
from reference.families import Family, Practical
from reference.schedules import ApproachOne, Constant
from theory.statement import Option, Sequences


def _generic(T: int, eta: float, s: float, a: float, r: float, K: float, c: float, beta: float) -> Family:
    return families.generic(eta, s, a, r, K, beta, c)


def _practical(T: int, alpha: float, beta: float, theta: float) -> Family:
    if T <= 2**53:
        return families.practical(T, alpha, beta, theta)
    # no run counts so many steps, but a bound is evaluated for them all the same
    sequences = Constant(alpha / math.sqrt(T)), Constant(beta), ApproachOne(theta / T, 0)
    return Family("practical (Corollary 13)", *sequences, Practical(alpha, beta, theta))


def _step(T: int, eta: float) -> Family:
    return families.step_sizes(eta)


GENERIC = Sequences(
    "generic",
    {
        "eta": Option("eta of alpha_t = eta/(t + c)^s", 0.1),
        "s": Option("s of alpha_t = eta/(t + c)^s", 0.5),
        "a": Option("a of theta_t = 1 - a/max(t + c, K)^r", 1.0),
        "r": Option("r of theta_t = 1 - a/max(t + c, K)^r", 1.0),
        "K": Option("K of theta_t = 1 - a/max(t + c, K)^r, with a < max(1 + c, K)^r", 2.0),
        "c": Option("c, the shift of t in both", 0.0),
        "beta": Option("beta_t = beta", 0.9),
    },
    _generic,
)
PRACTICAL = Sequences(
    "practical",
    {
        "alpha": Option("alpha_t = alpha/sqrt(T)"),
        "beta": Option("beta_t = beta"),
        "theta": Option("theta_t = 1 - theta/T, theta <= 3T/4"),
    },
    _practical,
)
STEP = Sequences("step", {"eta": Option("the step size, alpha_t = eta")}, _step)
