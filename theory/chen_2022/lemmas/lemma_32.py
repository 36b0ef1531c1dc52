"""Lemma 32 (p. 29): the steps' lengths."""

from __future__ import annotations

import numpy as np

from theory.chen_2022.restrictions import Restrictions
from theory.chen_2022.trajectory import Trajectory
from theory.tools.positive import Number
from theory.tools.sides import Sides, check_variant


def factor(r: Restrictions, C1: Number, sharp: bool = False) -> Number:
    """C0^2 chi_1 / (C1 (1-sqrt gamma)^2) (Chen et al., Lemma 32, p. 29), of C1's type.

    sharp : for one beta_t = beta, times (1-beta)^2.
    """
    front = (1 - r.beta) ** 2 if sharp else 1.0
    return front * r.C0**2 * r.chi_1 / (C1 * r.one_minus_sqrt_gamma**2)


def factor_along(run: Trajectory, variant: str = "corrected") -> float:
    """`factor` of a run's restrictions."""
    return factor(run.restrictions, run.restrictions.C1, run.is_sharp(variant, "sharp Lemma 32"))


def lemma_32(run: Trajectory, variant: str = "corrected") -> Sides:
    """sum_{i<=t} ||Delta_i||^2 <= C0^2 chi_1/(C1 (1-sqrt gamma)^2) sum_{i<=t} chi_i omega_i, surely, t = 1..T.

    **Assumptions** R1-R3. HOLDS as printed; equality where beta = 0 and chi_t is constant.
    sharp : one beta_t = beta for all t; the right side times (1-beta)^2. left, right : (T, R).
    """
    check_variant("Lemma 32", variant, "sharp")
    weighted = (run.chi[:, None] * run.omega).cumsum(axis=0)
    return Sides("Lemma 32", variant, np.cumsum(run.squared_step, axis=0), factor_along(run, variant) * weighted)
