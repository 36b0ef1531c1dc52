"""f' = slope on the visited segment, then bent to zero: the instance on which Theorem 2's bound is nearly tight."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.adam import Array
from reference.problems.noise import Noise
from reference.problems.problem import AdditiveNoise, Known, KnownConstants, checked_dimension, checked_positive


def height(x: Array, slope: float | Array, taper: float | Array) -> Array:
    """h(u), the integral of h' from -infinity, coordinate-wise; slope and taper are numbers or arrays that meet x."""
    bent = np.clip(x, -taper, 0.0)
    return slope * ((bent + taper) ** 2 / (2 * taper) + np.maximum(x, 0.0))


def steepness(x: Array, slope: float | Array, taper: float | Array) -> Array:
    """h'(u) = slope * clip(1 + u/taper, 0, 1), coordinate-wise; slope and taper as in `height`."""
    return slope * np.clip(1 + x / taper, 0.0, 1.0)


class TaperedLinear(AdditiveNoise):
    """f = sum_k h(x_k) with h'(u) = slope * clip(1 + u/taper, 0, 1); deterministic unless noise is given.

    slope > 0 for u >= 0, falling linearly to 0 at u = -taper and 0 below; x_1 = reach in every coordinate, so an
    iterate moves through a length `reach` of constant slope first. f* = 0.
    """

    name = "tapered"

    def __init__(
        self,
        slope: float = 1.0,
        taper: float = 1.0,
        reach: float = 1.0,
        dimension: int = 1,
        noise: Noise | None = None,
        local_batch: int = 1,
    ) -> None:
        self.slope, self.taper = checked_positive("slope", slope), checked_positive("taper", taper)
        super().__init__(np.full(checked_dimension(dimension), float(reach)), noise, local_batch)
        power = self._noise_power()
        self.constants = KnownConstants(
            L=Known(slope / taper, "exact", "h'' is slope/taper on (-taper, 0) and 0 elsewhere"),
            G=Known(float(np.sqrt(dimension * slope**2 + power)), "exact", "every |h'| <= slope, attained for u >= 0"),
            sigma2=self._sigma2(),
            f_star=Known(0.0, "exact", "h = 0 for u <= -taper, and h' >= 0"),
            sup_norm=self._sup_norm(0.0, self.slope),
            sigma_i=self._sigma_i(),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """slope, taper, d, the noise and B; reach is x_1."""
        own = {"slope": self.slope, "taper": self.taper, "dimension": self.dimension}
        return own | super().parameters

    def value(self, x: Array) -> Array:
        """sum_k h(x_k)"""
        return height(x, self.slope, self.taper).sum(axis=-1)

    def gradient(self, x: Array) -> Array:
        """h'(x_k)"""
        return steepness(x, self.slope, self.taper)
