"""Sequences in t = 1, 2, ...: alpha_t, beta_t or theta_t, evaluated on one t or on an array of t.

Parameters are numbers, or arrays for configurations side by side: at t of shape n, a schedule with parameters of
shape p has shape n + p. Any callable with the same signature does where a schedule is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

Sequence = Callable[[ArrayLike], NDArray[np.float64]]


class Schedule:
    """Base: takes care of shapes; a subclass gives `_at(t)` for a float64 array t with trailing axes for p."""

    def __call__(self, t: ArrayLike) -> NDArray[np.float64]:
        steps = np.asarray(t)
        if steps.dtype.kind not in "iu" or (steps.size and steps.min() < 1):
            raise ValueError(f"t = {t!r}; steps are integers counted from 1")
        shape = self.shape
        # never 0-d: NumPy's scalar and array power may round differently
        column = steps.astype(np.float64).reshape(*(steps.shape or (1,)), *(1,) * len(shape))
        values = np.broadcast_to(self._at(column), (*column.shape[: max(1, steps.ndim)], *shape))
        return values if steps.ndim else values[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the parameters: () for one configuration."""
        parameters = (getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]
        return np.broadcast_shapes(*(p.shape if isinstance(p, Schedule) else np.shape(p) for p in parameters))

    def _at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        raise TypeError(f"{type(self).__name__} has no formula")

    def complement(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """1 - value at a float64 array t, for theta_t; a schedule that knows better avoids the cancellation."""
        return 1 - self._at(t)


@dataclass(frozen=True)
class Constant(Schedule):
    """value"""

    value: ArrayLike

    def _at(self, t):
        return np.asarray(self.value, np.float64) + 0 * t


@dataclass(frozen=True)
class PowerDecay(Schedule):
    """scale / t^exponent (Eq. 8, p. 10: eta / t^s)."""

    scale: ArrayLike
    exponent: ArrayLike

    def __post_init__(self):
        exponent = np.asarray(self.exponent, np.float64)
        require(exponent, np.isfinite(exponent) & (exponent >= 0), "exponent", "s >= 0 (Eq. 8, p. 10)")

    def _at(self, t):
        return np.asarray(self.scale, np.float64) / _power(t, self.exponent)


@dataclass(frozen=True)
class ApproachOne(Schedule):
    """1 - a / max(t, K)^r (Eq. 8, p. 10), with 0 < a < K^r, so that every value lies in (0, 1).

    >>> ApproachOne(a=1, r=1, K=1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: theta_1 = 1 - a/K^r = 0 for a = 1, r = 1, K = 1; R2 (p. 7) needs ...
    >>> ApproachOne(a=1, r=1, K=2)([1, 2, 3])
    array([0.5       , 0.5       , 0.66666667])
    """

    a: ArrayLike
    r: ArrayLike
    K: ArrayLike = 1

    def __post_init__(self):
        a, r, K = np.broadcast_arrays(self.a, self.r, self.K)
        require(a, np.isfinite(a) & (a > 0), "a", "a > 0 (Eq. 8, p. 10)")
        require(r, np.isfinite(r) & (r >= 0), "r", "r >= 0 (Eq. 8, p. 10)")
        require(K, np.isfinite(K) & (K >= 1), "K", "K >= 1 (Eq. 8, p. 10)")
        first = 1 - a / _power(K, r)
        if not (first > 0).all():
            i = int(np.argmin(first.ravel()))
            advice = "with r = 0, take a < 1" if r.ravel()[i] == 0 else "take a < 1"
            if r.ravel()[i] > 0 and np.log(a.ravel()[i]) / r.ravel()[i] < np.log(2**53):
                enough = int(a.ravel()[i] ** (1 / r.ravel()[i])) + 1
                advice = f"take a larger K, as in theta_t = 1 - a/max(t, {enough})^r"
            raise ValueError(
                f"theta_1 = 1 - a/K^r = {first.ravel()[i]:.6g} for a = {a.ravel()[i]:g}, r = {r.ravel()[i]:g}, "
                f"K = {K.ravel()[i]:g}; R2 (p. 7) needs 0 < theta_t < 1: {advice}"
            )

    def _at(self, t):
        return 1 - self.complement(t)

    def complement(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """1 - theta_t, without cancellation."""
        return np.asarray(self.a, np.float64) / _power(np.maximum(t, self.K), self.r)


@dataclass(frozen=True)
class Geometric(Schedule):
    """first * ratio^t (AdamNC's beta_t = beta lambda^t, Table 1, p. 11)."""

    first: ArrayLike
    ratio: ArrayLike

    def __post_init__(self):
        ratio = np.asarray(self.ratio, np.float64)
        require(ratio, (ratio > 0) & (ratio <= 1), "ratio", "0 < ratio <= 1 (AdamNC's lambda, p. 11)")

    def _at(self, t):
        return np.asarray(self.first, np.float64) * _power(self.ratio, t)


@dataclass(frozen=True)
class BiasCorrected(Schedule):
    """step_t sqrt(1 - theta^t) / (1 - beta^t): Remark 1 (p. 4), Adam's bias correction as a step size."""

    step: Schedule
    beta: ArrayLike
    theta: ArrayLike

    def _at(self, t):
        return self.step._at(t) * np.sqrt(_one_minus_power(self.theta, t)) / _one_minus_power(self.beta, t)


def _power(base: ArrayLike, exponent: ArrayLike) -> NDArray[np.float64]:
    """base^exponent, with the same bits whatever the shapes.

    NumPy rounds differently where an operand is strided or repeated, and counts a single element as repeated: so both
    are laid out in full, with one element more.
    """
    operands = np.broadcast_arrays(np.asarray(base, np.float64), np.asarray(exponent, np.float64))
    return np.power(*(np.append(operand, 1.0) for operand in operands))[:-1].reshape(operands[0].shape)


def _one_minus_power(base, t):
    """1 - base^t without cancellation, 0 <= base < 1."""
    with np.errstate(divide="ignore"):
        return -np.expm1(t * np.log(np.asarray(base, np.float64)))


def require(values: NDArray, allowed: NDArray, name: str, limit: str) -> None:
    """ValueError naming the first value that is not allowed and where the limit comes from."""
    if not np.all(allowed):
        bad = np.asarray(values).ravel()[int(np.argmin(np.asarray(allowed).ravel()))]
        raise ValueError(f"{name} = {bad:g}; needed is {limit}")
