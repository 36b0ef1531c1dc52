"""The synthetic counterexample of sec. 5.1, Eq. 10 (p. 18): f(x) = E[xi x^2]."""

from __future__ import annotations

import numpy as np

from reference.problems.noise import TwoPoint
from reference.problems.problem import Constants, Known, Problem, for_state, replicas_of

P = 1 / 11  # of xi = 5.5; xi = -0.5 otherwise
MEAN = 1 / 22  # E xi
XI = TwoPoint(high=5.5 - MEAN, p=P)  # xi - E xi


class Counterexample(Problem):
    """f(x) = E[xi x^2] = x^2/22 with P(xi = 5.5) = 1/11, P(xi = -0.5) = 10/11; g = 2 xi x; d = 1, x_1 = 1.

    On the line E g^2 = 4 E[xi^2] x^2 is unbounded: A4 fails, and no finite G or sigma exists. On the interval
    [-bound, bound] (with a projection, outside Algorithm 1) every assumption holds.
    """

    name = "counterexample"

    def __init__(self, bound: float | None = None, local_batch: int = 1):
        super().__init__(np.ones(1) if bound is None else np.full(1, min(1.0, bound)), local_batch)
        reach, where = np.inf, "on the line, where |x| is unbounded"
        if bound is None:
            self.violated = {
                "A4": "E g^2 = 4 E[xi^2] x^2 is unbounded on the line; Counterexample(bound=b) lives on [-b, b]"
            }
        else:
            if not (np.isfinite(bound) and bound > 0):
                raise ValueError(f"bound = {bound}; a positive finite number is needed")
            self.interval = (-float(bound), float(bound))
            reach, where = float(bound), f"at |x| = {bound:g}"
        variance = XI.variance / self.local_batch
        self.constants = Constants(
            L=Known(2 * MEAN, "exact", "f'' = 1/11"),
            G=Known(2 * reach * float(np.sqrt(MEAN**2 + variance)), "exact", f"E g^2 = 4 x^2 E[xi^2], {where}"),
            sigma2=Known(4 * reach**2 * variance, "exact", f"Var g = 4 x^2 Var(xi), {where}"),
            f_star=Known(0.0, "exact", "f = x^2/22 >= 0"),
        )

    def value(self, x):
        return MEAN * (x * x)[..., 0]

    def gradient(self, x):
        return 2 * MEAN * x

    def samples(self, x, t, sampler, workers):
        xi = MEAN + XI.mean_of(self.local_batch, sampler, t, workers, replicas_of(x), (1,))
        return np.multiply(2 * x, for_state(xi, x), dtype=x.dtype, casting="same_kind")

    def variance(self, x):
        return 4 * x * x * (XI.variance / self.local_batch)
