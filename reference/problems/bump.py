"""f(x) = sum_k x_k^2 / (1 + x_k^2): bounded, smooth, non-convex; every assumption of the paper holds."""

from __future__ import annotations

import numpy as np

from reference.problems.noise import Noise
from reference.problems.problem import AdditiveNoise, Constants, Known

# max |h'| of h(u) = u^2/(1+u^2), at u = 1/sqrt(3)
STEEPEST = 9 / (8 * np.sqrt(3))


def slope(x):
    """h'(u) = 2u/(1+u^2)^2, coordinate-wise."""
    denominator = 1 + x * x
    return 2 * x / (denominator * denominator)


class Bump(AdditiveNoise):
    """The bump with additive noise; x_1 = 1 in every coordinate.

    |f'| <= 9/(8 sqrt 3) per coordinate, -1/2 <= f'' <= 2, f* = 0 at x = 0.
    """

    name = "bump"

    def __init__(self, dimension: int = 10, noise: Noise | None = None, local_batch: int = 1):
        super().__init__(np.ones(dimension), noise, local_batch)
        power = self._noise_power()
        self.constants = Constants(
            L=Known(2.0, "exact", "f'' = 2(1-3u^2)/(1+u^2)^3 lies in [-1/2, 2] and is 2 at u = 0"),
            G=Known(
                float(np.sqrt(dimension * STEEPEST**2 + power)),
                "exact",
                "E||g||^2 = ||grad f||^2 + noise, largest where every u = 1/sqrt(3)",
            ),
            sigma2=Known(power, "exact", "the noise does not depend on x"),
            f_star=Known(0.0, "exact", "f >= 0 = f(0)"),
        )

    def value(self, x):
        square = x * x
        return (square / (1 + square)).sum(axis=-1)

    def gradient(self, x):
        return slope(x)
