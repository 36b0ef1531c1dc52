"""Lemma 34 (p. 32): the sum of omega_t."""

from __future__ import annotations

import numpy as np

from theory.chen_2022.trajectory import Trajectory
from theory.tools.positive import Number, log1p
from theory.tools.sides import ExpectedSides, Sides, check_variant


def logarithm(G: Number, d: int, epsilon: float) -> Number:
    """ln(1 + G^2/(epsilon d)) (Chen et al., Lemma 34, p. 32), of G's type."""
    return log1p(G**2 / epsilon / d)


def lemma_34(run: Trajectory, variant: str = "corrected") -> ExpectedSides:
    """E sum_{i<=t} omega_i <= d [ ln(1 + G^2/(epsilon d)) + sum_{i<=t} ln(1/theta_i) ],  t = 1..T.

    omega_t = sum_k (1-theta_t) g_{t,k}^2/v_{t,k}.
    **Assumptions** theta_t in (0, 1), and A4 as E||g_t||^2 <= G^2 (unconditional is enough; with A4's printed
    E||g_t||^2 <= G it fails). HOLDS; its proof's W_t runs to t, not T, and Eq. 57 means Lemma 24.
    sharp : one theta_t = theta; d [ t (1-theta) + theta ln(1 + (1-theta^t) (G^2/(epsilon d) - 1)) ].
    left, right : (T,).
    """
    check_variant("Lemma 34", variant, "sharp")
    if variant == "sharp":
        theta, t = run.constant_theta("sharp Lemma 34"), np.arange(1, run.T + 1)
        grown = (1 - theta**t) * (run.G**2 / (run.epsilon * run.d) - 1)
        right = run.d * (t * (1 - theta) + theta * np.log1p(grown))
    else:
        right = run.d * (run.logarithm - np.log(run.theta).cumsum())
    return run.in_expectation(
        "Lemma 34", variant, lambda omega: (omega, np.broadcast_to(right, omega.shape)), run.omega.cumsum(axis=0)
    )


def sharp_along_trajectory(run: Trajectory) -> Sides:
    """sum_{i<=t} omega_i <= d t (1-theta) + theta sum_k ln(v_{t,k}/epsilon), surely, for one theta_t = theta.

    Not in the paper: omega_{i,k} = 1-theta + theta (1 - v_{i-1,k}/v_{i,k}), and 1 - 1/z <= ln z. left, right : (T, R).
    """
    theta = run.constant_theta("the sharp Lemma 34")
    t = np.arange(1, run.T + 1)[:, None]
    right = run.d * t * (1 - theta) + theta * np.log(run.v / run.epsilon).sum(axis=-1)
    return Sides("Lemma 34", "sharp", run.omega.cumsum(axis=0), right)
