"""Lemma 25 (p. 23): Abel's summation by parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import Sides


def lemma_25(u: ArrayLike, s: ArrayLike) -> Sides:
    """sum_{t<=T} u_t s_t = sum_{t<T} (u_t - u_{t+1}) S_t + u_T S_T,  S_t = s_1 + ... + s_t.

    **Assumptions** none: the printed u_t, s_t >= 0 are not needed. HOLDS as printed. u : (T,), s : (T, ...).
    left, right : (...); the scale is the sum of the right side's terms in absolute value.

    >>> sides = lemma_25([1.0, -2.0], [3.0, 5.0])
    >>> float(sides.left), float(sides.right)
    (-7.0, -7.0)
    """
    u, s = np.asarray(u, np.float64), np.asarray(s, np.float64)
    S = np.cumsum(s, axis=0)
    left = np.tensordot(u, s, axes=1)
    right = np.tensordot(u[:-1] - u[1:], S[:-1], axes=1) + u[-1] * S[-1]
    scale = np.tensordot(np.abs(u[:-1]) + np.abs(u[1:]), np.abs(S[:-1]), axes=1) + np.abs(u[-1] * S[-1])
    return Sides("Lemma 25", "corrected", left, right, "=", scale)


def equation_63(run: Trajectory) -> Sides:
    """As Eq. 63 (p. 33) uses it: u_t = a_t = min_{i<=t} chi_i, s_t = omega_t. left, right : (R,)."""
    return lemma_25(run.a, run.omega)
