"""What a problem is: an objective with its stochastic gradient, its constants, and how each constant is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from reference.adam import Array
from reference.problems.noise import Noise, NoNoise
from reference.sampling import Sampler


@dataclass(frozen=True)
class Known:
    """A constant and how it is known. "exact" and "upper bound" ("lower bound" for f*) hold for every x allowed."""

    value: float | None  # None: unknown; inf: no finite constant exists
    kind: Literal["exact", "upper bound", "lower bound", "unknown"]
    why: str


@dataclass(frozen=True)
class Constants:
    """The constants of A1-A5 (p. 7 and 14), A4 read as E_t ||g_t||^2 <= G^2."""

    L: Known  # A2: ||grad f(x) - grad f(y)|| <= L ||x - y||
    G: Known  # A4: E_t ||g_t||^2 <= G^2, one sample
    sigma2: Known  # A5: E_t ||g_t - grad f(x_t)||^2 <= sigma^2, one sample
    f_star: Known  # A1: inf f


class Problem(ABC):
    """An objective f on R^d (or on an interval per coordinate) and a stochastic gradient of it.

    Arrays are (..., d): the last leading axis is replicas, those before it are configurations, which share the
    replicas' draws. Everything is coordinate-wise or row by row, so a replica's bits do not depend on the others.

    Attributes
    ----------
    start : x_1, float64 array (d,).
    constants : Constants.
    local_batch : B; a worker's sample is the mean of B independent draws.
    interval : (low, high) for every coordinate, or None for all of R^d. A run on an interval has to project onto
        it, which is outside Algorithm 1.
    violated : {"A3": why, ...}, the assumptions that fail.
    """

    name: ClassVar[str]
    start: Array
    constants: Constants
    interval: tuple[float, float] | None = None
    violated: dict[str, str]

    def __init__(self, start: Array, local_batch: int = 1):
        if isinstance(local_batch, bool) or not isinstance(local_batch, int | np.integer):
            raise TypeError(f"local_batch = {local_batch!r}; allowed is an integer")
        if not 1 <= local_batch < 2**31:
            raise ValueError(f"local_batch = {local_batch}; a worker's sample is a mean of 1 to 2^31 - 1 draws")
        self.start = np.asarray(start, np.float64)
        self.local_batch = int(local_batch)
        self.violated = {}

    @property
    def dimension(self) -> int:
        """d"""
        return self.start.size

    @abstractmethod
    def value(self, x: Array) -> Array:
        """f(x), shape x.shape[:-1]."""

    @abstractmethod
    def gradient(self, x: Array) -> Array:
        """grad f(x), shape of x. A new array."""

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Both, for problems on which they share work. The same bits as one by one."""
        return self.value(x), self.gradient(x)

    @abstractmethod
    def samples(self, x: Array, t: int, sampler: Sampler, workers: range) -> Array:
        """g_t^(i) for every worker i of the range: a new array (len(workers), *x.shape) of x's dtype."""

    def variance(self, x: Array) -> Array:
        """Var_t(g_{t,k}) of one worker's sample at x, exact, shape of x. ValueError where it is not known."""
        raise ValueError(f"{self.name}: the conditional variance of a sample is not known exactly")

    def second_moment(self, x: Array, workers: int = 1) -> Array:
        """delta_t^2 = E_t g_t^2 per coordinate for the mean of s workers: (grad f)^2 + Var/s, exact, shape of x."""
        return self.gradient(x) ** 2 + self.variance(x) / workers

    def accuracy(self, x: Array) -> float | None:
        """Share of held-out examples classified rightly; None where there are none."""
        return None

    def project(self, x: Array) -> Array:
        """The nearest point of the interval, coordinate by coordinate; in place."""
        low, high = self.interval or (-np.inf, np.inf)
        return np.clip(x, low, high, out=x)


def replicas_of(x: Array) -> int:
    return 1 if x.ndim == 1 else x.shape[-2]


def for_state(draws: Array, x: Array) -> Array:
    """Draws (workers, replicas, k) shaped to meet x: (workers, k), (workers, R, k) or (workers, 1.., R, k)."""
    if x.ndim == 1:
        return draws[:, 0]
    if x.ndim == 2:
        return draws
    return draws.reshape(len(draws), *(1,) * (x.ndim - 2), *draws.shape[1:])


class AdditiveNoise(Problem):
    """g = grad f(x) + noise, the noise i.i.d. over coordinates, draws, workers, replicas and steps.

    Subclasses give f and grad f; A3 holds by construction and Var_t(g_k) = noise.variance / B.
    """

    def __init__(self, start: Array, noise: Noise | None = None, local_batch: int = 1):
        super().__init__(start, local_batch)
        self.noise = noise or NoNoise()

    def samples(self, x: Array, t: int, sampler: Sampler, workers: range, gradient: Array | None = None) -> Array:
        """gradient : grad f(x), where the caller has it."""
        gradient = self.gradient(x) if gradient is None else gradient
        noise = self.noise.mean_of(self.local_batch, sampler, t, workers, replicas_of(x), x.shape[-1:])
        noise = for_state(noise, x).astype(x.dtype, copy=False)
        return np.add(gradient, noise, out=noise if noise.shape[1:] == x.shape else None)

    def variance(self, x: Array) -> Array:
        return np.full_like(x, self.noise.variance / self.local_batch)

    def _noise_power(self) -> float:
        """E ||noise||^2 of one worker's sample."""
        return self.dimension * self.noise.variance / self.local_batch
