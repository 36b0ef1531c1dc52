"""alpha_t, beta_t and theta_t on their way into a step: their ranges, and their form in x's dtype.

1 - beta and 1 - theta are formed in float64, then all is cast to x's dtype, before use: NumPy 2 would promote a
float32 array by a float64 scalar or array. Single numbers become arrays of no axes, by which NumPy multiplies faster
than by its scalars; arrays, which are configurations side by side, get a last axis of length 1 for the coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from reference.checks import Array, real

NAMES = ("alpha", "beta", "theta")
_RANGES = {  # low, high, whether low itself is allowed, the statement with {} for the symbol
    "alpha": (0.0, math.inf, False, "0 < {} < infinity (Algorithm 1, p. 4)"),
    "beta": (0.0, 1.0, True, "0 <= {} < 1 (R1, p. 7)"),
    "theta": (0.0, 1.0, False, "0 < {} < 1 (R2, p. 7)"),
}
_HAS_COMPLEMENT = ("beta", "theta")  # a step reads 1 - beta and 1 - theta too


def allowed(name: str, values: NDArray) -> NDArray[np.bool_]:
    """Which of the values satisfy the range of alpha, beta or theta."""
    low, high, closed, _ = _RANGES[name]
    return ((values >= low) if closed else (values > low)) & (values < high)


def limit(name: str, symbol: str | None = None) -> str:
    """The range of alpha, beta or theta in words.

    >>> limit("beta", "beta_t")
    'beta_t must satisfy 0 <= beta_t < 1 (R1, p. 7)'
    """
    symbol = symbol or name
    return f"{symbol} must satisfy {_RANGES[name][3].format(symbol)}"


def for_step(x: Array, names: tuple[str, ...], given: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
    """The coefficients of one step, checked, for the update: alpha, beta, 1 - beta, theta, 1 - theta of those named.

    Raises
    ------
    ValueError
        For one out of its range, or one that does not broadcast to x's leading axes.
    """
    found: list[Array] = []
    for name, value in zip(names, given, strict=True):
        values = real(name, value).astype(np.float64)
        inside = allowed(name, values)
        if not inside.all():
            raise ValueError(f"{limit(name)}; got {values[~inside][0]:g}")
        _require_leading(name, values.shape, x)
        forms = (values, 1 - values) if name in _HAS_COMPLEMENT else (values,)
        found += (_shaped(form, x, 0, x.dtype) for form in forms)
    return tuple(found)


def for_steps(x: Array, stretch: Mapping[str, NDArray]) -> Iterator[tuple[Array, ...]]:
    """The same for a stretch of n steps, cast at once: name -> values (n, ...) gives n tuples.

    The values are taken as they are: whoever evaluated them has checked their range.
    """
    found: list[Iterable[Array]] = []
    for name, values in stretch.items():
        _require_leading(name, values.shape[1:], x)
        forms = (values, 1 - values) if name in _HAS_COMPLEMENT else (values,)
        found += (_one_by_one(_shaped(form, x, 1, x.dtype)) for form in forms)
    return zip(*found, strict=True)


def _shaped(values: NDArray, x: Array, steps: int, dtype: DTypeLike) -> Array:
    """Cast, the axes after the first `steps` shaped to meet x; none where there are none."""
    with np.errstate(over="ignore", under="ignore"):
        cast: Array = np.asarray(values, dtype)
    own = values.shape[steps:]
    if not own:
        return cast
    return cast.reshape(*values.shape[:steps], *(1,) * (x.ndim - 1 - len(own)), *own, 1)


def _one_by_one(values: Array) -> Iterable[Array]:
    """Along the first axis; a value that does not change is one array, made once."""
    if len(values) and (values == values[0]).all():
        return repeat(values[0, ...], len(values))
    return (values[i, ...] for i in range(len(values)))


def _require_leading(name: str, shape: tuple[int, ...], x: Array) -> None:
    """It meets the leading axes from the right, each of its axes of their length or of length 1."""
    meets = zip(shape[::-1], x.shape[-2::-1], strict=False)
    if len(shape) >= x.ndim or any(n not in (1, m) for n, m in meets):
        raise ValueError(f"{name} must broadcast to x's leading axes {x.shape[:-1]}; got shape {shape}")
