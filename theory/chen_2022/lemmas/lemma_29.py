"""Lemma 29 (p. 24): the first moment is bounded by the second."""

from __future__ import annotations

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import Sides, check_variant


def lemma_29(run: Trajectory, variant: str = "corrected") -> Sides:
    """m_t^2 <= v_t / (C1 (1-gamma) (1-theta_t)), surely and coordinate by coordinate.

    **Assumptions** R1, R2; gamma = beta^2/theta' < 1. HOLDS as printed.
    sharp : one beta_t = beta for all t; the right side times (1-beta)^2. left, right : (T, R, d).
    """
    check_variant("Lemma 29", variant, "sharp")
    R = run.restrictions
    right = run.v / (R.C1 * R.one_minus_gamma * (1 - run.theta)[:, None, None])
    if variant == "sharp":
        right = (1 - run.constant_beta("sharp Lemma 29")) ** 2 * right
    return Sides("Lemma 29", variant, run.m**2, right)
