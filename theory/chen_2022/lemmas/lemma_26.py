"""Lemma 26 (p. 24): chi_t and alpha_t are almost non-increasing."""

from __future__ import annotations

import numpy as np

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import Sides


def lemma_26(run: Trajectory) -> Sides:
    """chi_t <= C0 chi_i and alpha_t <= C0 alpha_i for all i <= t,  chi_t = alpha_t/sqrt(1 - theta_t).

    **Assumptions** R2 (theta_t non-decreasing), R3. HOLDS as printed (the text around R3 on p. 8 says non-decreasing
    where it means non-increasing). left, right : (2, T), chi then alpha; the i whose right side is smallest.
    """
    sequences = np.stack([run.chi, run.alpha])
    smallest = np.minimum.accumulate(sequences, axis=1)
    return Sides("Lemma 26", "corrected", sequences, run.restrictions.C0 * smallest)
