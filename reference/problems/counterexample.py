"""The synthetic counterexample of sec. 5.1, Eq. 10 (p. 18): f(x) = E[xi x^2]."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.adam import Array
from reference.problems.noise import TwoPoint
from reference.problems.problem import Known, KnownConstants, Problem, checked_positive, for_state, replicas_of
from reference.sampling import Sampler

P = 1 / 11  # of xi = 5.5; xi = -0.5 otherwise
MEAN = 1 / 22  # E xi
XI = TwoPoint(high=5.5 - MEAN, p=P)  # xi - E xi


class Counterexample(Problem):
    """f(x) = E[xi x^2] = x^2/22 with P(xi = 5.5) = 1/11, P(xi = -0.5) = 10/11; g = 2 xi x; d = 1, x_1 = 1.

    On the line E g^2 = 4 E[xi^2] x^2 is unbounded: A4 fails, and no finite G or sigma exists. On the interval
    [-bound, bound] (with a projection, outside Algorithm 1) every assumption holds.
    """

    name = "counterexample"

    def __init__(self, bound: float | None = None, local_batch: int = 1) -> None:
        self.bound = None if bound is None else checked_positive("bound", bound)
        super().__init__(np.ones(1) if bound is None else np.full(1, min(1.0, bound)), local_batch)
        reach, where = np.inf, "on the line, where |x| is unbounded"
        if bound is None:
            self.violated = {
                "A4": "E g^2 = 4 E[xi^2] x^2 is unbounded on the line; Counterexample(bound=b) lives on [-b, b]"
            }
        else:
            self.interval = (-float(bound), float(bound))
            reach, where = float(bound), f"at |x| = {bound:g}"
        variance = XI.variance / self.local_batch
        self.constants = KnownConstants(
            L=Known(2 * MEAN, "exact", "f'' = 1/11"),
            G=Known(2 * reach * float(np.sqrt(MEAN**2 + variance)), "exact", f"E g^2 = 4 x^2 E[xi^2], {where}"),
            sigma2=Known(4 * reach**2 * variance, "exact", f"Var g = 4 x^2 Var(xi), {where}"),
            f_star=Known(0.0, "exact", "f = x^2/22 >= 0"),
            sup_norm=Known(2 * reach * (MEAN + XI.high), "exact", f"|g| <= 11 |x|, {where}"),
            sigma_i=Known(2 * reach * float(np.sqrt(variance)), "exact", f"Var g = 4 x^2 Var(xi), {where}"),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The bound and B."""
        return {"bound": self.bound, "local_batch": self.local_batch}

    def value(self, x: Array) -> Array:
        return MEAN * (x * x)[..., 0]

    def gradient(self, x: Array) -> Array:
        return 2 * MEAN * x

    def samples(self, x: Array, t: int, sampler: Sampler, workers: range, gradient: Array | None = None) -> Array:
        xi = MEAN + XI.mean_of(self.local_batch, sampler, t, workers, replicas_of(x), (1,))
        return np.multiply(2 * x, for_state(xi, x), dtype=x.dtype, casting="same_kind")

    def variance(self, x: Array) -> Array:
        return 4 * x * x * (XI.variance / self.local_batch)
