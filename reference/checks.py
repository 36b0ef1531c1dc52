"""What is allowed, said once: counts, real arrays, and what enters a step (a state and its gradient)."""

from __future__ import annotations

import inspect
import math
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]
_dot = inspect.unwrap(np.vdot)  # without NumPy's search for other kinds of arrays, 40 % of its time at d = 100


class State(Protocol):
    """What a method carries from one step to the next: a named tuple whose first four entries are these.

    Attributes
    ----------
    t : int
        Steps taken so far.
    x : array (..., d)
        x_{t+1}, float32 or float64; leading axes are replicas or configurations.
    m : array (..., d)
        m_t, of x's shape and dtype, finite.
    v : array (..., d)
        v_t, of x's shape and dtype, finite and >= 0; so is every further entry.
    """

    @property
    def _fields(self) -> tuple[str, ...]: ...

    @property
    def t(self) -> int: ...

    @property
    def x(self) -> Array: ...

    @property
    def m(self) -> Array: ...

    @property
    def v(self) -> Array: ...


class NonFiniteError(FloatingPointError):
    """A gradient that is not finite, or whose square overflows.

    Attributes
    ----------
    step : int
        t, from 1.
    coordinate : int or tuple of int
        Index of the first bad entry, a tuple where there are replicas.
    value : float
        That entry.
    worker : int or None
        The i whose sample was bad; None where only the mean is known.
    """

    def __init__(self, step: int, coordinate: int | tuple[int, ...], value: float, worker: int | None = None):
        self.step, self.worker, self.coordinate, self.value = step, worker, coordinate, value
        source = "the mean gradient" if worker is None else f"the gradient of worker {worker}"
        what = "whose square overflows" if np.isfinite(value) else "which is not finite"
        super().__init__(f"step {step}: {source} has {value!r} at coordinate {coordinate}, {what}")


def integer(name: str, given: object, least: int, why: str = "") -> int:
    """The count as Python's int.

    Parameters
    ----------
    name : str
        What is counted, for the message.
    given : object
        What the caller gave.
    least : int
        The smallest value that is allowed.
    why : str
        The reason for the limit, or its source, added to the message.

    Raises
    ------
    TypeError
        If it is no integer (True and 2.0 are none).
    ValueError
        If it is below `least`.

    Examples
    --------
    >>> integer("steps", np.int64(3), 1)
    3
    """
    if isinstance(given, bool) or not isinstance(given, int | np.integer):
        raise TypeError(f"{name} must be an integer; got {given!r}")
    if given < least:
        raise ValueError(f"{name} must be at least {least}{why and f' ({why})'}; got {given}")
    return int(given)


def real(name: str, given: ArrayLike) -> NDArray:
    """The numbers as an array, whatever their real dtype.

    Raises
    ------
    TypeError
        For masked, complex and string arrays and for anything else that is not real numbers.
    """
    if isinstance(given, np.ma.MaskedArray):
        raise TypeError(f"{name} must not be a masked array: the update has no use for a mask; got {given!r}")
    array = np.asarray(given)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must consist of real numbers; got dtype {array.dtype}")
    return array


def place(index: tuple[int, ...]) -> int | tuple[int, ...]:
    """An index as messages print it: a number where there is one axis."""
    return index[0] if len(index) == 1 else index


def first_non_finite_square(g: Array) -> tuple[int, ...] | None:
    """Index of the first entry of g whose square is not finite; None where all are."""
    with np.errstate(over="ignore"):
        finite = np.isfinite(g * g)
    return None if finite.all() else _first(finite)


def checked_gradient(state: State, gradient: ArrayLike) -> Array:
    """The gradient in x's dtype.

    Raises
    ------
    NonFiniteError
        Where an entry or its square is not finite. One dot product decides: it is finite only if every square is.
    TypeError, ValueError
        For what is not an array of real numbers, or of another shape than x.
    """
    x = state.x
    g = gradient
    if type(g) is not np.ndarray or g.dtype is not x.dtype:
        with np.errstate(over="ignore"):
            g = real("the gradient", g).astype(x.dtype)
    if g.shape != x.shape:
        raise ValueError(f"the gradient must have x's shape {x.shape}; got {g.shape}")
    if not math.isfinite(_dot(g, g)):  # ndarray.dot is faster and warns
        index = first_non_finite_square(g)
        if index is not None:
            raise NonFiniteError(state.t + 1, place(index), float(g[index]))
    return g


def check_state(state: State) -> None:
    """What a state must satisfy before a step: the one check, where it enters a public step or the loop.

    Raises
    ------
    TypeError
        If x is no float32 or float64 array, or another entry is no array of its dtype.
    ValueError
        If a shape differs from x's, or an entry of m or v is not finite, or one of v is negative: the first is named.
    """
    x = state.x
    if type(x) is not np.ndarray or x.dtype not in (np.float32, np.float64):
        raise TypeError(f"x must be a float32 or float64 array, as initial_state makes it; got {x!r}")
    if x.ndim == 0 or x.size == 0:
        raise ValueError(f"x must have shape (..., d) with d >= 1; got {x.shape}")
    for name in state._fields[2:]:
        array = getattr(state, name)
        if type(array) is not np.ndarray or array.dtype != x.dtype:
            raise TypeError(f"{name} must be a {x.dtype} array, as x is; got {array!r}")
        if array.shape != x.shape:
            raise ValueError(f"{name} must have x's shape {x.shape}; got {array.shape}")
        low, high = float(array.min()), float(array.max())  # NaN where one is: no array of d flags is made
        if not (-math.inf < low <= high < math.inf and (name == "m" or low >= 0)):
            index = _first(np.isfinite(array) & ((array >= 0) | (name == "m")))
            limit = "be finite" if name == "m" else "be finite and >= 0 (v_0 = epsilon > 0, Algorithm 1, p. 4)"
            raise ValueError(f"{name} must {limit}; got {float(array[index])!r} at coordinate {place(index)}")


def _first(allowed: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(np.argmin(allowed), allowed.shape))
