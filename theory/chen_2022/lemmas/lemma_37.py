"""Lemma 37 (p. 38): the mean of s samples has 1/s of the variance."""

from __future__ import annotations

import numpy as np

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import ExpectedSides


def lemma_37(run: Trajectory) -> ExpectedSides:
    """E||gbar_t - grad f(x_t)||^2 <= sigma^2/s,  t = 1..T.

    **Assumptions** A3 as E_t g_t = grad f(x_t), A5, and s samples that are independent given the past. HOLDS (its
    proof's first "<=" is "="). An equality where the noise has exactly sigma^2: there a sample of replicas cannot
    tell, an enumeration can. left, right : (T,).
    """
    error = ((run.g - run.gradient) ** 2).sum(axis=-1)
    right = run.sigma2 / run.workers
    return run.in_expectation("Lemma 37", "corrected", lambda left: (left, np.full_like(left, right)), error)
