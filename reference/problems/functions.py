"""Your own problem from a few functions: f, its gradient, and noise that is added or a sampler of your own."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reference.adam import Array
from reference.problems.noise import Noise
from reference.problems.problem import AdditiveNoise, Known, KnownConstants, Problem, replicas_of
from reference.sampling import NOISE, Sampler

_CONSTANTS = tuple(field.name for field in fields(KnownConstants))
_PROBES = (2, 3)  # points at which the functions are looked at: two problems differ where their functions do


class Draws:
    """The random numbers of one step, for one draw of every worker, replica and place in the local batch at once.

    Every method gives an array that meets x: the last axis is `count` numbers, those before it are x's. A second
    call in the same step, of any method, draws independent numbers: the k-th call reads a stream of its own.
    """

    def __init__(self, sampler: Sampler, t: int, workers: range, x: Array, local_batch: int) -> None:
        self._sampler, self._t, self._workers, self._replicas = sampler, t, workers, replicas_of(x)
        self._local_batch, self._lead, self._dtype, self._calls = local_batch, x.shape[:-1], x.dtype, 0

    def normals(self, count: int) -> Array:
        """Independent N(0, 1)."""
        return self._shaped(self._stream().normals(*self._asked(count))).astype(self._dtype, copy=False)

    def uniforms(self, count: int) -> Array:
        """Independent and uniform on [0, 1)."""
        words = self._stream().words(*self._asked(count))
        return self._shaped((words >> np.uint64(11)) * 2.0**-53).astype(self._dtype, copy=False)

    def indices(self, n: int, count: int) -> NDArray[np.int64]:
        """Independent and uniform on 0..n-1: examples drawn with replacement."""
        indices: NDArray[np.int64] = self._shaped(self._stream().indices(*self._asked(count), n))
        return indices

    def _stream(self) -> Sampler:
        self._calls += 1
        # the first call reads the stream that every problem reads, the k-th the (k + 1)-st, past START
        return self._sampler.stream(NOISE if self._calls == 1 else self._calls)

    def _asked(self, count: int) -> tuple[int, range, int, tuple[int, ...]]:
        return self._t, self._workers, self._replicas, (self._local_batch, count)

    def _shaped(self, drawn: NDArray[Any]) -> NDArray[Any]:
        """(workers, R, B, count) to (workers, *x's leading axes, B, count): configurations share the draws."""
        configurations, replicas, last = self._lead[:-1], self._lead[-1:], drawn.shape[2:]
        shared = drawn.reshape(len(drawn), *(1 for _ in configurations), *replicas, *last)
        return np.broadcast_to(shared, (len(drawn), *configurations, *replicas, *last))


def from_functions(
    f: Callable[[Array], ArrayLike],
    gradient: Callable[[Array], ArrayLike],
    start: ArrayLike,
    *,
    noise: Noise | None = None,
    sample: Callable[[Array, Draws], ArrayLike] | None = None,
    name: str = "your own",
    local_batch: int = 1,
    **constants: float,
) -> Problem:
    """A problem of your own; `theory.chen_2022.assumptions.audit` searches for points against what you say of it.

    Parameters
    ----------
    f : callable
        f(x): x (..., d) to (...), row by row.
    gradient : callable
        grad f(x): x (..., d) to (..., d), row by row.
    start : array_like (d,)
        x_1.
    noise : Noise, optional
        Added to the gradient: g = grad f(x) + noise, the mean of `local_batch` draws. None at all where neither noise
        nor sample is given.
    sample : callable, optional
        In place of noise: sample(x, draws), a stochastic gradient at every row of x, with random numbers from `draws`
        (`Draws`): draws.normals(k), draws.uniforms(k) and draws.indices(n, k) give k numbers for every row. Calls in
        one step are independent of each other. x has the workers and the local batch among its leading axes.
    name : str
    local_batch : int
        B.
    **constants : float
        Those that you know, of one worker's sample: L, G, sigma2, f_star, sup_norm, sigma_i. They are "given by the
        caller", never called proved. sigma2 and sigma_i follow from additive noise.

    Returns
    -------
    Problem
        Two are equal where f, the gradient and the samples agree at a few points.

    Raises
    ------
    TypeError, ValueError
        For functions that are not row by row, and for constants that cannot be.

    Examples
    --------
    A double well with Gaussian noise, and a sampler that draws one of three examples:

    >>> from reference import MeanOfWorkers, families, run
    >>> from reference.problems import Gaussian
    >>> well = from_functions(lambda x: ((x**2 - 1)**2).sum(axis=-1), lambda x: 4 * x * (x**2 - 1), [0.1, 2.0],
    ...                       noise=Gaussian(0.5), f_star=0.0)
    >>> result = run(MeanOfWorkers(well, seed=0, workers=4), well.start, families.practical(500, 1, 0.9, 1), 500,
    ...              epsilon=0.1)
    >>> bool(well.value(result.state.x) < 0.1)
    True
    >>> well.constants.L.why
    'not given; from_functions(..., L=...) takes it'

    >>> a = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    >>> def one_example(x, draws):
    ...     chosen = a[draws.indices(3, 1)[..., 0]]
    ...     return chosen * (chosen * x).sum(axis=-1, keepdims=True)
    >>> squares = from_functions(lambda x: ((x @ a.T)**2).mean(axis=-1) / 2, lambda x: x @ (a.T @ a) / 3, [1.0, 1.0],
    ...                          sample=one_example, L=2.0)
    >>> MeanOfWorkers(squares, seed=0, workers=1000)(squares.start, t=1).round(1), squares.gradient(squares.start)
    (array([1., 2.]), array([1., 2.]))
    """
    unknown = [each for each in constants if each not in _CONSTANTS]
    if unknown:
        raise TypeError(f"the constants of a problem are {', '.join(_CONSTANTS)}; got {', '.join(unknown)}")
    if noise is not None and sample is not None:
        raise TypeError("give either noise, which is added to the gradient, or sample; got both")
    given = {each: _given(each, value) for each, value in constants.items()}
    if sample is None:
        return _WithNoise(name, (f, gradient), start, noise, local_batch, given)
    return _WithSampler(name, (f, gradient), start, sample, local_batch, given)


class _Functions(Problem):
    """f and its gradient by the caller's functions."""

    _f: Callable[[Array], ArrayLike]
    _gradient: Callable[[Array], ArrayLike]
    _fingerprint: str

    def _take(self, name: str, functions: tuple[Callable[[Array], ArrayLike], Callable[[Array], ArrayLike]]) -> None:
        """Keeps the functions, once they have been seen to go row by row."""
        self.name, (self._f, self._gradient) = name, functions
        x = self._probes()
        for what, function in (("f", self.value), ("gradient", self.gradient)):
            stacked, one_by_one = function(x), np.array([[function(row) for row in rows] for rows in x])
            if not np.allclose(stacked, one_by_one, rtol=1e-9, atol=1e-12, equal_nan=True):
                raise ValueError(f"{what} must work on each row of x by itself; a row in a stack gives another value")

    def _probes(self) -> Array:
        """x_1 and points about it, (2, 3, d)."""
        moves = np.linspace(0, 1, math.prod(_PROBES)).reshape(*_PROBES, 1)
        return self.start + moves * np.cos(np.arange(self.dimension))

    @property
    def parameters(self) -> dict[str, Any]:
        """B, the constants given, and the sha256 of f, its gradient and a sample at some points."""
        known = {name: getattr(self.constants, name) for name in _CONSTANTS}
        given = {name: each.value for name, each in known.items() if each.kind == "given"}
        return {"functions": self._fingerprint, "constants": given, "local_batch": self.local_batch}

    def _fingerprinted(self) -> str:
        x = self._probes()
        seen = [self.value(x), self.gradient(x), self.samples(x, 1, Sampler(0), range(1))]
        return hashlib.sha256(np.concatenate([np.ravel(each) for each in seen]).tobytes()).hexdigest()

    @property
    def unbiased(self) -> Known:
        """On the caller's word."""
        return Known(0.0, "given", "the gradient and the samples are the caller's")

    def value(self, x: Array) -> Array:
        """f(x), the caller's."""
        return _of_shape("f", self._f(x), x.dtype, x.shape[:-1])

    def gradient(self, x: Array) -> Array:
        """grad f(x), the caller's."""
        return np.array(_of_shape("gradient", self._gradient(x), x.dtype, x.shape))


class _WithNoise(_Functions, AdditiveNoise):
    """Its samples are the gradient with noise added."""

    def __init__(
        self,
        name: str,
        functions: tuple[Callable[[Array], ArrayLike], Callable[[Array], ArrayLike]],
        start: ArrayLike,
        noise: Noise | None,
        local_batch: int,
        given: dict[str, Known],
    ) -> None:
        AdditiveNoise.__init__(self, start, noise, local_batch)
        self._take(name, functions)
        self._fingerprint = self._fingerprinted()
        self.constants = replace(_none_given(), **{"sigma2": self._sigma2(), "sigma_i": self._sigma_i()} | given)
        G, power = self.constants.G.value, self._noise_power()
        if G is not None and power > G**2:
            raise ValueError(f"G^2 must be at least E||noise||^2 = {power:g}, a part of E||g||^2; got G = {G}")


class _WithSampler(_Functions):
    """Its samples are the caller's as well; nothing is known of their variance."""

    def __init__(
        self,
        name: str,
        functions: tuple[Callable[[Array], ArrayLike], Callable[[Array], ArrayLike]],
        start: ArrayLike,
        sample: Callable[[Array, Draws], ArrayLike],
        local_batch: int,
        given: dict[str, Known],
    ) -> None:
        super().__init__(start, local_batch)
        self._sample = sample
        self._take(name, functions)
        self._fingerprint = self._fingerprinted()
        self.constants = replace(_none_given(), **given)

    def samples(self, x: Array, t: int, sampler: Sampler, workers: range, gradient: Array | None = None) -> Array:
        """The mean of B draws of the caller's function."""
        every = np.broadcast_to(
            x[..., None, :], (len(workers), *x.shape[:-1], self.local_batch, x.shape[-1])
        )  # (workers, ..., B, d)
        draws = Draws(sampler, t, workers, x, self.local_batch)
        drawn = _of_shape("sample", self._sample(every, draws), x.dtype, every.shape)
        mean: Array = drawn.mean(axis=-2)
        return mean

    def variance(self, x: Array) -> Array:
        """ValueError: nobody gave it."""
        raise ValueError(
            f"{self.name}: E_t g^2 needs the variance of a sample, which is known for additive noise; give noise=... "
            "in place of sample=..."
        )


def _none_given() -> KnownConstants:
    return KnownConstants(
        **{name: Known(None, "unknown", f"not given; from_functions(..., {name}=...) takes it") for name in _CONSTANTS}
    )


def _given(name: str, value: float) -> Known:
    if math.isnan(value) or (name != "f_star" and value < 0):
        raise ValueError(f"{name} must be {'a number' if name == 'f_star' else 'at least 0'}; got {value}")
    return Known(float(value), "given", "given by the caller")


def _of_shape(what: str, found: ArrayLike, dtype: Any, shape: tuple[int, ...]) -> Array:
    array = np.asarray(found, dtype)
    if array.shape != shape:
        raise ValueError(f"{what} must give shape {shape} for such an x, as it works row by row; got {array.shape}")
    return array
