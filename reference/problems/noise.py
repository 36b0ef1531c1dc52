"""Zero-mean noise with a known variance, drawn per coordinate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reference.sampling import Sampler

_LAST_WORD = 2**64 - 1


class NoiseOutcomes(NamedTuple):
    """What one draw can be, where that is finitely much.

    Attributes
    ----------
    values : tuple of float
        The values of a draw.
    probabilities : tuple of float
        Theirs.
    words : tuple of int
        For each value a 64-bit word of the sampler that gives it.
    """

    values: tuple[float, ...]
    probabilities: tuple[float, ...]
    words: tuple[int, ...]


class Noise(ABC):
    """i.i.d. numbers with mean 0.

    A subclass gives `variance` and `draw`, and keeps what tells it from others of its class in attributes that JSON
    can hold, so that `parameters` names it.
    """

    @property
    @abstractmethod
    def variance(self) -> float:
        """E noise^2"""

    @abstractmethod
    def draw(
        self, sampler: Sampler, t: int, workers: range, replicas: int, shape: tuple[int, ...]
    ) -> NDArray[np.float64]:
        """Array (len(workers), replicas, *shape)."""

    @property
    def outcomes(self) -> NoiseOutcomes | None:
        """The values of a draw with their probabilities; None where they are not finitely many."""
        return None

    @property
    def support(self) -> tuple[float, float]:
        """The least and the largest value of a draw, infinite where there is none."""
        outcomes = self.outcomes
        return (-np.inf, np.inf) if outcomes is None else (min(outcomes.values), max(outcomes.values))

    @property
    def parameters(self) -> dict[str, Any]:
        """What tells this noise from others, for JSON."""
        return {"name": type(self).__name__} | vars(self)

    def mean_of(
        self, B: int, sampler: Sampler, t: int, workers: range, replicas: int, shape: tuple[int, ...]
    ) -> NDArray[np.float64]:
        """The mean of B draws each, array (len(workers), replicas, *shape)."""
        if B == 1:
            return self.draw(sampler, t, workers, replicas, shape)
        mean: NDArray[np.float64] = self.draw(sampler, t, workers, replicas, (B, *shape)).mean(axis=2)
        return mean


@dataclass(frozen=True)
class NoNoise(Noise):
    """0"""

    @property
    def variance(self) -> float:
        """0"""
        return 0.0

    @property
    def outcomes(self) -> NoiseOutcomes:
        """0 for certain."""
        return NoiseOutcomes((0.0,), (1.0,), (0,))

    def draw(
        self, sampler: Sampler, t: int, workers: range, replicas: int, shape: tuple[int, ...]
    ) -> NDArray[np.float64]:
        """Zeros."""
        return np.zeros((len(workers), replicas, *shape))


@dataclass(frozen=True)
class Gaussian(Noise):
    """N(0, scale^2)

    Attributes
    ----------
    scale : float
        The standard deviation, finite and >= 0.
    """

    scale: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.scale) and self.scale >= 0):
            raise ValueError(f"the scale of Gaussian noise must satisfy 0 <= scale < inf; got {self.scale}")

    @property
    def variance(self) -> float:
        """scale^2"""
        return self.scale**2

    def draw(
        self, sampler: Sampler, t: int, workers: range, replicas: int, shape: tuple[int, ...]
    ) -> NDArray[np.float64]:
        """scale times the sampler's normals."""
        normals = sampler.normals(t, workers, replicas, shape)
        return np.multiply(normals, self.scale, out=normals)


@dataclass(frozen=True)
class TwoPoint(Noise):
    """high with probability p, low = -p high/(1-p) otherwise: mean 0, variance p high^2/(1-p).

    p = 1/2 is Rademacher noise times high; small p is skewed. Drawn exactly to within 2^-64 of p.

    Attributes
    ----------
    high : float
        Finite.
    p : float
        0 < p < 1.

    Examples
    --------
    >>> TwoPoint(high=3.0, p=0.25).low
    -1.0
    """

    high: float
    p: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.p < 1:
            raise ValueError(f"the probability p must satisfy 0 < p < 1; got {self.p}")
        if not np.isfinite(self.high):
            raise ValueError(f"high must be finite; got {self.high}")

    @property
    def low(self) -> float:
        """The other value, -p high/(1-p)."""
        return -self.p * self.high / (1 - self.p)

    @property
    def variance(self) -> float:
        """p high^2/(1-p)"""
        return self.p * self.high**2 / (1 - self.p)

    @property
    def outcomes(self) -> NoiseOutcomes:
        """high, from the lowest words, and low."""
        return NoiseOutcomes((self.high, self.low), (self.p, 1 - self.p), (0, _LAST_WORD))

    def draw(
        self, sampler: Sampler, t: int, workers: range, replicas: int, shape: tuple[int, ...]
    ) -> NDArray[np.float64]:
        """high where the sampler's word is below p 2^64, else low."""
        words = sampler.words(t, workers, replicas, shape)
        return np.where(words < np.uint64(int(self.p * 2**64)), self.high, self.low)


def checked_noise(noise: Noise) -> Noise:
    """The noise itself; TypeError for what is none."""
    if not isinstance(noise, Noise):
        raise TypeError(
            f"noise must be a Noise such as problems.Gaussian(0.5), of standard deviation 0.5; got {noise!r}"
        )
    return noise
