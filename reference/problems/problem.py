"""What a problem is: an objective with its stochastic gradient, its constants, and how each constant is known."""

from __future__ import annotations

import copy
import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from reference.checks import Array, integer
from reference.problems.noise import Noise, NoiseOutcomes, NoNoise, checked_noise
from reference.sampling import Sampler

_ENTRIES_SPELT_OUT = 64  # of a parameter that is an array; the sha256 of a longer one stands for it


@dataclass(frozen=True)
class Known:
    """A constant and how it is known.

    Attributes
    ----------
    value : float or None
        None: unknown. inf: no finite constant exists.
    kind : str
        "exact" and "upper bound" ("lower bound" for f*) are proved for every x allowed; "given" is the caller's word;
        "unknown" is nobody's.
    why : str
        The proof in short, or why there is none.
    """

    value: float | None
    kind: Literal["exact", "upper bound", "lower bound", "given", "unknown"]
    why: str


_NOT_DERIVED = Known(None, "unknown", "not derived")


@dataclass(frozen=True)
class KnownConstants:
    """The constants of A1-A5 (Chen et al. 2022, p. 7 and 14), and two that other theorems take.

    All are of one worker's sample g_t, the mean of its local batch.

    Attributes
    ----------
    L : Known
        A2: ||grad f(x) - grad f(y)|| <= L ||x - y||.
    G : Known
        A4, read as E_t ||g_t||^2 <= G^2.
    sigma2 : Known
        A5: E_t ||g_t - grad f(x_t)||^2 <= sigma^2.
    f_star : Known
        A1: inf f.
    sup_norm : Known
        max_k |g_{t,k}| <= sup_norm, almost surely; inf for noise that is not bounded.
    sigma_i : Known
        E_t (g_{t,k} - (grad f(x_t))_k)^2 <= sigma_i^2, one number for every coordinate k.
    """

    L: Known
    G: Known
    sigma2: Known
    f_star: Known
    sup_norm: Known = _NOT_DERIVED
    sigma_i: Known = _NOT_DERIVED


class Problem(ABC):
    """An objective f on R^d (or on an interval per coordinate) and a stochastic gradient of it.

    Arrays are (..., d): the last leading axis is replicas, those before it are configurations, which share the
    replicas' draws. Everything is coordinate-wise or row by row, so a replica's bits do not depend on the others.

    Two problems are equal if and only if their names, parameters and starts are. A subclass that changes a formula
    therefore takes another name.

    Parameters
    ----------
    start : array_like (d,)
        x_1.
    local_batch : int
        B, 1 <= B < 2^31.

    Attributes
    ----------
    name : str
    start : float64 array (d,)
        x_1, read-only; `starting_at` gives a copy that starts elsewhere.
    constants : KnownConstants
    local_batch : int
        B; a worker's sample is the mean of B independent draws.
    interval : (float, float) or None
        (low, high) for every coordinate, or None for all of R^d. A run on an interval has to project onto it, which
        is outside Algorithm 1.
    violated : dict
        {"A3": why, ...}, the assumptions that fail.
    """

    name: str
    constants: KnownConstants
    interval: tuple[float, float] | None = None
    violated: dict[str, str]

    def __init__(self, start: ArrayLike, local_batch: int = 1) -> None:
        self.local_batch = integer("local_batch", local_batch, 1)
        if self.local_batch >= 2**31:
            raise ValueError(f"local_batch must be below 2^31; got {local_batch}")
        self._start = _checked_start(start)
        self.violated = {}

    @property
    def start(self) -> Array:
        """x_1, (d,), read-only."""
        return self._start

    @property
    def dimension(self) -> int:
        """d"""
        return self._start.size

    @property
    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """What tells this problem from others of its name, x_1 apart: names to numbers, strings, lists and dicts."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and self._identity == other._identity

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.parameters.items())})"

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def description(self) -> dict[str, Any]:
        """Name, parameters and start, as JSON gives them back: what a folder knows the problem by."""
        whole = {"name": self.name, "parameters": self.parameters, "start": declared(self._start)}
        description: dict[str, Any] = json.loads(json.dumps(whole, default=_plain))
        return description

    @property
    def _identity(self) -> str:
        return json.dumps(self.description, sort_keys=True)

    def starting_at(self, x1: ArrayLike) -> Self:
        """A copy that starts at x1, (d,). ValueError for another shape, and for a start outside the interval."""
        start = _checked_start(x1)
        if start.shape != self._start.shape:
            raise ValueError(f"{self.name}: x_1 must have shape {self._start.shape}; got {start.shape}")
        low, high = self.interval or (-np.inf, np.inf)
        if not ((low <= start) & (start <= high)).all():
            raise ValueError(f"{self.name}: x_1 must lie in [{low:g}, {high:g}]; got {start}")
        other = copy.copy(self)
        other._start = start
        return other

    def require_dimension(self, x: Array) -> None:
        """ValueError unless the last axis of x is d. For the doors: the formulas themselves do not look."""
        if np.shape(x)[-1:] != (self.dimension,):
            raise ValueError(f"{self.name} has d = {self.dimension}, the last axis of x; got x of shape {np.shape(x)}")

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
    def samples(self, x: Array, t: int, sampler: Sampler, workers: range, gradient: Array | None = None) -> Array:
        """g_t^(i) for every worker i of the range: a new array (len(workers), *x.shape) of x's dtype.

        gradient : grad f(x), where the caller has it; ignored by problems whose samples do not need it.
        """

    def gradient_for_samples(self, x: Array) -> Array | None:
        """grad f(x) where samples are made from it, so that many calls of `samples` share one; else None."""
        return None

    def variance(self, x: Array) -> Array:
        """Var_t(g_{t,k}) of one worker's sample at x, exact, shape of x. ValueError where it is not known."""
        raise ValueError(f"{self.name}: the conditional variance of a sample is not known exactly")

    def second_moment(self, x: Array, workers: int = 1) -> Array:
        """delta_t^2 = E_t g_t^2 per coordinate for the mean of s workers: (grad f)^2 + Var/s, exact, shape of x."""
        return self.gradient(x) ** 2 + self.variance(x) / workers

    @property
    def noise_outcomes(self) -> NoiseOutcomes | None:
        """A draw's noise in one coordinate, where samples are grad f + noise of finitely many values."""
        return None

    @property
    def unbiased(self) -> Known:
        """A3: E_t g_t - grad f(x_t) = 0, and how that is known."""
        return Known(0.0, "exact", "E_t g = grad f(x)")

    def largest_gradient_norm(self) -> float | None:
        """What sup ||grad f|| is at most: G, since ||E_t g|| <= sqrt(E_t ||g||^2) (A3, A4). None where G is unknown."""
        return self.constants.G.value

    def accuracy(self, x: Array) -> float | None:
        """Share of held-out examples classified rightly; None where there are none."""
        return None

    def project(self, x: Array) -> Array:
        """The nearest point of the interval, coordinate by coordinate; in place."""
        low, high = self.interval or (-np.inf, np.inf)
        return np.clip(x, low, high, out=x)


def _checked_start(x1: ArrayLike) -> Array:
    """A read-only float64 copy of x_1."""
    start = np.array(x1, np.float64)
    if start.ndim != 1 or start.size == 0:
        raise ValueError(f"x_1 must have shape (d,) with d >= 1; got {start.shape}")
    if not np.isfinite(start).all():
        raise ValueError("x_1 must be finite")
    start.setflags(write=False)
    return start


def checked_dimension(d: int) -> int:
    """d >= 1, an integer."""
    return integer("dimension", d, 1)


def checked_positive(name: str, value: float) -> float:
    """A finite number > 0."""
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be positive and finite; got {value}")
    return float(value)


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as JSON's."""
    return declared(np.asarray(value))


def declared(array: Array) -> list[Any] | dict[str, Any]:
    """An array as a parameter: its entries where they are few, else its shape and the sha256 of its bytes."""
    if array.size <= _ENTRIES_SPELT_OUT:
        entries: list[Any] = array.tolist()
        return entries
    return {"shape": list(array.shape), "sha256": hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()}


def replicas_of(x: Array) -> int:
    """R, the size of the last leading axis."""
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

    Attributes
    ----------
    noise : Noise
    """

    def __init__(self, start: ArrayLike, noise: Noise | None = None, local_batch: int = 1) -> None:
        super().__init__(start, local_batch)
        self.noise = NoNoise() if noise is None else checked_noise(noise)

    @property
    def parameters(self) -> dict[str, Any]:
        """The noise and B; subclasses add their own."""
        return {"noise": self.noise.parameters, "local_batch": self.local_batch}

    def samples(self, x: Array, t: int, sampler: Sampler, workers: range, gradient: Array | None = None) -> Array:
        """grad f(x) + the mean of B draws of the noise."""
        gradient = self.gradient(x) if gradient is None else gradient
        noise = self.noise.mean_of(self.local_batch, sampler, t, workers, replicas_of(x), x.shape[-1:])
        noise = for_state(noise, x).astype(x.dtype, copy=False)
        return np.add(gradient, noise, out=noise if noise.shape[1:] == x.shape else None)

    def gradient_for_samples(self, x: Array) -> Array:
        """grad f(x)"""
        return self.gradient(x)

    def variance(self, x: Array) -> Array:
        """noise.variance / B in every coordinate."""
        return np.full_like(x, self.noise.variance / self.local_batch)

    @property
    def noise_outcomes(self) -> NoiseOutcomes | None:
        """Of one draw's noise in one coordinate; None where they are not finitely many."""
        return self.noise.outcomes

    def largest_gradient_norm(self) -> float | None:
        """sqrt(G^2 - sigma^2): E_t ||g||^2 = ||grad f||^2 + sigma^2 at every x."""
        G, sigma2 = self.constants.G.value, self.constants.sigma2.value
        return None if G is None or sigma2 is None else float(np.sqrt(G**2 - sigma2))

    def _noise_power(self) -> float:
        """E ||noise||^2 of one worker's sample."""
        return self.dimension * self.noise.variance / self.local_batch

    def _sigma2(self) -> Known:
        return Known(self._noise_power(), "exact", "the noise does not depend on x")

    def _sigma_i(self) -> Known:
        per_coordinate = float(np.sqrt(self.noise.variance / self.local_batch))
        return Known(per_coordinate, "exact", "the noise is alike in every coordinate")

    def _sup_norm(self, lowest: float, highest: float) -> Known:
        """From the range of the partial derivatives, both ends attained or approached; the noise has its own."""
        low, high = self.noise.support
        largest = max(abs(lowest + low), abs(highest + high))
        return Known(largest, "exact", "the largest |partial derivative + noise|, the noise at its most in all B draws")
