"""Gamma_t of Eq. 5 (p. 5) along a run: what the proofs before this paper require to be positive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference import MeanOfWorkers, families, problems
from reference.adam import Array
from theory.chen_2022.trajectory import Trajectory, record


@dataclass(frozen=True)
class GammaMonitor:
    """Gamma_t = sqrt(v_t)/alpha_t - sqrt(v_{t-1})/alpha_{t-1}, t = 2..T (Eq. 5, p. 5): the change of 1/eta_t.

    Gamma_t is diagonal; it is positive semidefinite where every coordinate is >= 0. Adam's adaptive step sizes
    eta_t = alpha_t/sqrt(v_t) then do not grow.

    gamma : (T-1, R, d). smallest : (T-1, R), the smallest coordinate, Gamma_t's lowest eigenvalue.
    violated : (T-1, R), true where it is below 0. share : the share of (t, replica) where it is.
    """

    gamma: Array

    @property
    def smallest(self) -> Array:
        return self.gamma.min(axis=-1)

    @property
    def violated(self) -> NDArray[np.bool_]:
        return self.smallest < 0

    @property
    def share(self) -> float:
        return float(self.violated.mean())


def gamma_monitor(run: Trajectory) -> GammaMonitor:
    """The monitor of a recorded run of T >= 2 steps."""
    if run.T < 2:
        raise ValueError(f"T = {run.T}; Gamma_t (Eq. 5, p. 5) compares two steps, so T >= 2")
    inverse = np.sqrt(run.v) / run.alpha[:, None, None]
    return GammaMonitor(np.diff(inverse, axis=0))


def sufficient_but_not_positive(T: int = 1000) -> Trajectory:
    """A run that meets Corollary 9's sufficient condition (p. 11) while Gamma_t is not positive semidefinite.

    alpha_t = 0.1/sqrt t, theta_t = 1 - 0.9/sqrt t, beta = 0.9: Corollary 10 with s = r = 1/2, so E||grad f(x_tau)||
    falls as T^(-1/8) at least. Where g_t is small, v_t is about theta_t v_{t-1}, and Gamma_t < 0 whenever
    g_t^2 < v_{t-1} (1 - 1/((1-theta_t) t)): sqrt(theta_t t/(t-1)) < 1, unlike for theta_t = 1 - 1/t.
    """
    bump = problems.Bump(dimension=4, noise=problems.TwoPoint(high=1.0))
    family = families.generic(eta=0.1, s=0.5, a=0.9, r=0.5, beta=0.9)
    return record(MeanOfWorkers(bump, seed=0), bump.start, family, T, epsilon=0.01)
