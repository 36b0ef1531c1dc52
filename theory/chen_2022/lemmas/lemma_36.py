"""Lemma 36 (p. 34), Lemma 6 of the main text (p. 9): from the weighted norm to E||grad f(x_tau)||."""

from __future__ import annotations

import math

import numpy as np

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import ExpectedSides, check_variant


def lemma_36(run: Trajectory, variant: str = "corrected") -> ExpectedSides:
    """E||grad f(x_tau)|| <= sqrt( C0 sqrt(G^2 + epsilon d)/(T alpha_T) E sum_{t<=T} ||grad f(x_t)||^2_etahat )

    with tau uniform on 1..T.
    **Assumptions** R2, R3, and A4 as E||g_t||^2 <= G^2. HOLDS as printed, with that G.
    sharp : sqrt(max(G^2, epsilon d)) for sqrt(G^2 + epsilon d), and (1/T^2) sum_t 1/alpha_t for C0/(T alpha_T).
    left, right : () arrays.
    """
    check_variant("Lemma 36", variant, "sharp")
    G2, floor = run.G**2, run.epsilon * run.d
    if variant == "sharp":
        factor = math.sqrt(max(G2, floor)) * (1 / run.alpha).sum() / run.T**2
    else:
        factor = run.restrictions.C0 * math.sqrt(G2 + floor) / (run.T * run.alpha[-1])
    return run.in_expectation(
        "Lemma 36",
        variant,
        lambda norm, weighted: (norm, np.sqrt(factor * weighted)),
        np.sqrt(run.squared_gradient).mean(axis=0),
        run.weighted_gradient.sum(axis=0),
    )
