"""Zero-mean noise with a known variance, drawn per coordinate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference.sampling import Sampler


class Noise(ABC):
    """i.i.d. numbers with mean 0."""

    variance: float

    @abstractmethod
    def draw(self, sampler: Sampler, t: int, workers: range, replicas: int, shape: tuple[int, ...]) -> NDArray:
        """Array (len(workers), replicas, *shape)."""

    def mean_of(
        self, B: int, sampler: Sampler, t: int, workers: range, replicas: int, shape: tuple[int, ...]
    ) -> NDArray:
        """The mean of B draws each, array (len(workers), replicas, *shape)."""
        if B == 1:
            return self.draw(sampler, t, workers, replicas, shape)
        return self.draw(sampler, t, workers, replicas, (B, *shape)).mean(axis=2)


class NoNoise(Noise):
    """0"""

    variance = 0.0

    def draw(self, sampler, t, workers, replicas, shape):
        return np.zeros((len(workers), replicas, *shape))


@dataclass(frozen=True)
class Gaussian(Noise):
    """N(0, scale^2)"""

    scale: float

    @property
    def variance(self) -> float:  # type: ignore[override]
        return self.scale**2

    def draw(self, sampler, t, workers, replicas, shape):
        normals = sampler.normals(t, workers, replicas, shape)
        return np.multiply(normals, self.scale, out=normals)


@dataclass(frozen=True)
class TwoPoint(Noise):
    """high with probability p, low = -p high/(1-p) otherwise: mean 0, variance p high^2/(1-p).

    p = 1/2 is Rademacher noise times high; small p is skewed. Drawn exactly to within 2^-64 of p.

    >>> TwoPoint(high=3.0, p=0.25).low
    -1.0
    """

    high: float
    p: float = 0.5

    def __post_init__(self):
        if not 0 < self.p < 1:
            raise ValueError(f"p = {self.p}; a probability in (0, 1) is needed")

    @property
    def low(self) -> float:
        return -self.p * self.high / (1 - self.p)

    @property
    def variance(self) -> float:  # type: ignore[override]
        return self.p * self.high**2 / (1 - self.p)

    def draw(self, sampler, t, workers, replicas, shape):
        words = sampler.words(t, workers, replicas, shape)
        return np.where(words < np.uint64(int(self.p * 2**64)), self.high, self.low)
