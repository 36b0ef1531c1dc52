"""f(x) = sum_k x_k^2 / (1 + x_k^2): bounded, smooth, non-convex; every assumption of the paper holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.adam import Array
from reference.problems.noise import Noise
from reference.problems.problem import AdditiveNoise, Known, KnownConstants, checked_dimension

# max |h'| of h(u) = u^2/(1+u^2), at u = 1/sqrt(3)
STEEPEST = 9 / (8 * np.sqrt(3))


def height(x: Array) -> Array:
    """h(u) = u^2/(1+u^2), coordinate-wise."""
    square = x * x
    return square / (1 + square)


def slope(x: Array) -> Array:
    """h'(u) = 2u/(1+u^2)^2, coordinate-wise."""
    denominator = 1 + x * x
    return 2 * x / (denominator * denominator)


class Bump(AdditiveNoise):
    """The bump with additive noise; x_1 = 1 in every coordinate.

    |f'| <= 9/(8 sqrt 3) per coordinate, -1/2 <= f'' <= 2, f* = 0 at x = 0.
    """

    name = "bump"

    def __init__(self, dimension: int = 10, noise: Noise | None = None, local_batch: int = 1) -> None:
        super().__init__(np.ones(checked_dimension(dimension)), noise, local_batch)
        power = self._noise_power()
        self.constants = KnownConstants(
            L=Known(2.0, "exact", "f'' = 2(1-3u^2)/(1+u^2)^3 lies in [-1/2, 2] and is 2 at u = 0"),
            G=Known(
                float(np.sqrt(dimension * STEEPEST**2 + power)),
                "exact",
                "E||g||^2 = ||grad f||^2 + noise, largest where every u = 1/sqrt(3)",
            ),
            sigma2=self._sigma2(),
            f_star=Known(0.0, "exact", "f >= 0 = f(0)"),
            sup_norm=self._sup_norm(-STEEPEST, STEEPEST),
            sigma_i=self._sigma_i(),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """d, the noise and B."""
        return {"dimension": self.dimension} | super().parameters

    def value(self, x: Array) -> Array:
        return height(x).sum(axis=-1)

    def gradient(self, x: Array) -> Array:
        return slope(x)
