"""Lemma 35 (p. 33): the sum of chi_t omega_t."""

from __future__ import annotations

import numpy as np

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import ExpectedSides, check_variant


def lemma_35(run: Trajectory, variant: str = "corrected") -> ExpectedSides:
    """E sum_{t<=T} chi_t omega_t <= C0 d [ chi_1 ln(1 + G^2/(epsilon d)) + (1/theta_1) sum_t alpha_t sqrt(1-theta_t) ].

    **Assumptions** R2, R3, and A4 as E||g_t||^2 <= G^2. Eq. 61 HOLDS.
    printed : Eq. 66 (p. 34), where the proof ends, with a minus before the sum: false.
    sharp : Eq. 64, C0 d [ a_1 ln(1 + G^2/(epsilon d)) + sum_t a_t ln(1/theta_t) ], a_t = min_{i<=t} chi_i.
    left, right : () arrays.
    """
    check_variant("Lemma 35", variant, "printed", "sharp")
    R = run.restrictions
    if variant == "sharp":
        bracket = run.a[0] * run.logarithm - run.a @ np.log(run.theta)
    else:
        tail = (run.alpha @ np.sqrt(1 - run.theta)) / R.theta_1
        bracket = R.chi_1 * run.logarithm + (-tail if variant == "printed" else tail)
    right = R.C0 * run.d * bracket
    return run.in_expectation("Lemma 35", variant, lambda left: (left, right + 0 * left), run.chi @ run.omega)
