"""Lemma 24 (p. 23): a sum of s_t/S_t is at most the logarithm's growth."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import Sides


def lemma_24(S0: ArrayLike, s: ArrayLike) -> Sides:
    """sum_{t<=T} s_t / S_t <= ln S_T - ln S_0,  S_t = S_0 + s_1 + ... + s_t.

    **Assumptions** S_0 > 0, shape (...); s_t >= 0, shape (T, ...). HOLDS as printed. left, right : (...).

    >>> sides = lemma_24(1.0, [1.0, 2.0])  # 1/2 + 2/4 <= ln 4
    >>> float(sides.left), round(float(sides.right), 4)
    (1.0, 1.3863)
    """
    S0, s = np.asarray(S0, np.float64), np.asarray(s, np.float64)
    if not ((S0 > 0).all() and (s >= 0).all()):
        raise ValueError(f"S_0 down to {S0.min()}, s_t down to {s.min()}; Lemma 24 (p. 23) needs S_0 > 0 and s_t >= 0")
    S = S0 + np.cumsum(s, axis=0)
    return Sides("Lemma 24", "corrected", (s / S).sum(axis=0), np.log1p(s.sum(axis=0) / S0))


def equation_57(run: Trajectory) -> Sides:
    """sum_i (1-theta_i) g_{i,k}^2/v_{i,k} <= ln(W_T v_{T,k}/epsilon),  W_T = 1/(theta_1 ... theta_T)  (p. 32).

    Lemma 24 (the page cites 27) with s_i = (1-theta_i) W_i g_{i,k}^2 and S_0 = epsilon, so that S_i = W_i v_{i,k};
    W_i cancels on the left, where it would overflow. left, right : (R, d), coordinate by coordinate.
    """
    left = ((1 - run.theta)[:, None, None] * run.g**2 / run.v).sum(axis=0)
    return Sides("Eq. 57", "corrected", left, np.log(run.v[-1] / run.epsilon) - np.log(run.theta).sum())
