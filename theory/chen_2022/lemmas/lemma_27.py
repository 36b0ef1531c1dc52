"""Lemma 27 (p. 24): the products of theta_j decay no faster than theta'^(t-i)."""

from __future__ import annotations

import math

import numpy as np

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import Sides


def lemma_27(run: Trajectory) -> Sides:
    """Theta_(t,i) = theta_{i+1} ... theta_t >= C1 theta'^{t-i} for all 0 <= i <= t.

    **Assumptions** R2, beta^2 < theta' (< theta, unless theta_t is constant); C1 = prod_j min(1, theta_j/theta').
    HOLDS as printed; its proof means j > N and j <= N where it prints j >= N and j < N.

    In logarithms, with Q_t = sum_{j<=t} ln(theta_j/theta'): left = ln C1 <= Q_t - max_{i<=t} Q_i = right, t = 0..T,
    which is the i whose quotient Theta_(t,i)/theta'^{t-i} is smallest. left, right : (T+1,); scale : the terms of Q.
    """
    ratios = np.log(run.theta) - math.log(run.restrictions.theta_prime)
    Q = np.concatenate([[0.0], ratios.cumsum()])
    right = Q - np.maximum.accumulate(Q)
    scale = 1 + np.concatenate(
        [[0.0], (np.abs(np.log(run.theta)) + abs(math.log(run.restrictions.theta_prime))).cumsum()]
    )
    return Sides("Lemma 27", "corrected", np.full_like(right, run.restrictions.log_C1), right, scale=scale)
