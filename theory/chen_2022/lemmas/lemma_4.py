"""Lemma 4 (p. 9) and Eq. 76 (p. 36): the descent lemma along a run."""

from __future__ import annotations

import numpy as np

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import ExpectedSides, Sides


def lemma_4(run: Trajectory) -> ExpectedSides:
    """f* <= f(x_1) + sum_{t<=T} M_t,  M_t = E[<grad f(x_t), Delta_t> + L ||Delta_t||^2].

    **Assumptions** A1, A2. HOLDS as printed. left, right : () arrays.
    """
    return run.in_expectation(
        "Lemma 4",
        "corrected",
        lambda f1, decrease: (run.f_star + 0 * f1, f1 + decrease),
        run.f[0],
        run.descent.sum(axis=0),
    )


def equation_76(run: Trajectory) -> Sides:
    """f(x_{t+1}) <= f(x_t) + <grad f(x_t), Delta_t> + (L/2) ||Delta_t||^2, surely: the step that Lemma 4 sums.

    **Assumption** A2. HOLDS as printed (p. 36); Lemma 4 gives half of its last term away. left, right : (T, R);
    scale : the replica's largest |f|, since f is small where it is evaluated as a difference.
    """
    f = run.f
    right = f[:-1] + run.descent - run.L / 2 * run.squared_step
    return Sides("Eq. 76", "corrected", f[1:], right, scale=np.abs(f).max(axis=0))
