"""The counterexamples of Reddi, Kale and Kumar, "On the Convergence of Adam and Beyond" (2018), on [-1, 1].

Both have d = 1 and their minimum at x = -1, where Adam with constant theta is driven to +1. They live on the
interval [-1, 1], so a run has to project (outside Algorithm 1); without it f is unbounded below and A1 fails.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.adam import Array
from reference.problems.noise import TwoPoint
from reference.problems.problem import AdditiveNoise, Known, KnownConstants, Problem
from reference.sampling import Sampler

_OUTSIDE = "on the whole line f is linear, unbounded below; here it lives on [-1, 1], with a projection"


class ReddiPeriodic(Problem):
    """f_t(x) = C x if t mod 3 = 1, else -x (their Theorem 1, C > 2); f = (C - 2)/3 x is the average over a period.

    The gradient at step t is a known number, not f': E_t g_t != grad f(x_t), so A3 fails.
    """

    name = "reddi-periodic"
    interval = (-1.0, 1.0)

    def __init__(self, C: float = 4.0, local_batch: int = 1) -> None:
        if not 2 < C < np.inf:
            raise ValueError(f"C must satisfy 2 < C < inf (Reddi et al. 2018, Theorem 1); got {C}")
        super().__init__(np.ones(1), local_batch)
        self.C, self.rise = C, (C - 2) / 3
        self.violated = {"A3": "g_t is C or -1 according to t mod 3: E_t g_t is not grad f(x_t)", "A1": _OUTSIDE}
        self.constants = KnownConstants(
            L=Known(0.0, "exact", "f is linear"),
            G=Known(float(C), "exact", "|g_t| <= C, attained every third step"),
            sigma2=Known((C - self.rise) ** 2, "exact", "max_t |g_t - f'|^2, at t mod 3 = 1"),
            f_star=Known(-self.rise, "exact", "f(-1), the minimum on [-1, 1]"),
            sup_norm=Known(float(C), "exact", "|g_t| <= C, attained every third step"),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """C and B."""
        return {"C": self.C, "local_batch": self.local_batch}

    def value(self, x: Array) -> Array:
        return self.rise * x[..., 0]

    def gradient(self, x: Array) -> Array:
        return np.full_like(x, self.rise)

    def samples(self, x: Array, t: int, sampler: Sampler, workers: range, gradient: Array | None = None) -> Array:
        return np.full((len(workers), *x.shape), self.C if t % 3 == 1 else -1.0, x.dtype)


class ReddiStochastic(AdditiveNoise):
    """g = C with probability p = (1 + delta)/(C + 1), else -1 (their Theorem 3); f(x) = delta x."""

    name = "reddi-stochastic"
    interval = (-1.0, 1.0)

    def __init__(self, C: float = 10.0, delta: float = 0.01, local_batch: int = 1) -> None:
        if not 0 < delta < C < np.inf:
            raise ValueError(f"C and delta must satisfy 0 < delta < C < inf; got C = {C} and delta = {delta}")
        self.C, self.delta, p = C, delta, (1 + delta) / (C + 1)
        super().__init__(np.ones(1), TwoPoint(high=C - delta, p=p), local_batch)
        power = self._noise_power()
        self.violated = {"A1": _OUTSIDE}
        self.constants = KnownConstants(
            L=Known(0.0, "exact", "f is linear"),
            G=Known(float(np.sqrt(delta**2 + power)), "exact", "E g^2 does not depend on x"),
            sigma2=self._sigma2(),
            f_star=Known(-delta, "exact", "f(-1), the minimum on [-1, 1]"),
            sup_norm=self._sup_norm(delta, delta),
            sigma_i=self._sigma_i(),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """C, delta and B; they make the noise."""
        return {"C": self.C, "delta": self.delta, "local_batch": self.local_batch}

    def value(self, x: Array) -> Array:
        return self.delta * x[..., 0]

    def gradient(self, x: Array) -> Array:
        return np.full_like(x, self.delta)
