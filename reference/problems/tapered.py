"""f' = slope on the visited segment, then bent to zero: the instance on which Theorem 2's bound is nearly tight."""

from __future__ import annotations

import numpy as np

from reference.problems.noise import Noise
from reference.problems.problem import AdditiveNoise, Constants, Known


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
    ):
        for name, given in (("slope", slope), ("taper", taper)):
            if not (np.isfinite(given) and given > 0):
                raise ValueError(f"{name} = {given}; a positive finite number is needed")
        super().__init__(np.full(dimension, float(reach)), noise, local_batch)
        self.slope, self.taper = slope, taper
        power = self._noise_power()
        self.constants = Constants(
            L=Known(slope / taper, "exact", "h'' is slope/taper on (-taper, 0) and 0 elsewhere"),
            G=Known(float(np.sqrt(dimension * slope**2 + power)), "exact", "every |h'| <= slope, attained for u >= 0"),
            sigma2=Known(power, "exact", "the noise does not depend on x"),
            f_star=Known(0.0, "exact", "h = 0 for u <= -taper, and h' >= 0"),
        )

    def value(self, x):
        bent = np.clip(x, -self.taper, 0.0)
        return (self.slope * ((bent + self.taper) ** 2 / (2 * self.taper) + np.maximum(x, 0.0))).sum(axis=-1)

    def gradient(self, x):
        return self.slope * np.clip(1 + x / self.taper, 0.0, 1.0)
