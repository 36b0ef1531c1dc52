"""The update: lines 5-7 of Algorithm 1 (p. 4), written once as a pure function and once in place.

    v_t     = theta_t v_{t-1} + (1 - theta_t) g_t^2          v_0 = epsilon > 0, a vector
    m_t     = beta_t  m_{t-1} + (1 - beta_t)  g_t            m_0 = 0
    x_{t+1} = x_t - alpha_t m_t / sqrt(v_t)                  nothing is added in the denominator

All operations are coordinate-wise. Both forms evaluate

    v = theta*v + (1-theta)*(g*g),    m = beta*m + (1-beta)*g,    x = x - alpha*(m/sqrt(v))

in exactly this order and in the dtype of x, so they give the same bits.

What floating point adds to the paper, once for both forms:

* a coordinate whose v is 0 does not move: the quotient m/sqrt(v) counts as 0. Algorithm 1 keeps v > 0
  (v_t >= theta_1...theta_t epsilon), so this needs a state that was not started by `initial_state`, or
  gradients whose square underflows together with theta <= 1/2;
* a gradient that is not finite, or whose square overflows, raises `NonFiniteError` before anything has changed;
* subnormal v is used as it is (gradual underflow, no flush to zero).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]

# Bytes of each of the five arrays that the in-place step works on at a time: together they stay in a core's L2
# cache (2 MB on the machine measured). Half of it costs about 5 %.
BLOCK_BYTES = 2**18


class NonFiniteError(FloatingPointError):
    """A gradient that is not finite, or whose square overflows.

    Attributes: step (t, from 1), worker (the i whose sample was bad; None where only the mean is known),
    coordinate (index of the first bad entry, a tuple where there are replicas), value (that entry).
    """

    def __init__(self, step: int, coordinate: int | tuple[int, ...], value: float, worker: int | None = None):
        self.step, self.coordinate, self.value, self.worker = step, coordinate, value, worker
        source = "the mean gradient" if worker is None else f"the gradient of worker {worker}"
        what = "whose square overflows" if np.isfinite(value) else "which is not finite"
        super().__init__(f"step {step}: {source} has {value!r} at coordinate {coordinate}, {what}")


class AdamState(NamedTuple):
    """What Algorithm 1 carries from one step to the next."""

    t: int  # steps taken so far: x is x_{t+1}, m is m_t, v is v_t
    x: Array  # (..., d), float32 or float64; leading axes are replicas or configurations
    m: Array  # same shape and dtype
    v: Array  # same shape and dtype, >= 0


def initial_state(x1: ArrayLike, epsilon: ArrayLike) -> AdamState:
    """The state before step 1: x_1, m_0 = 0, v_0 = epsilon (Algorithm 1, line 1, p. 4).

    Parameters
    ----------
    x1 : array (..., d), finite. float32 and float64 keep their dtype; integers become float64.
    epsilon : scalar, or an array that broadcasts to x1's shape. Positive and finite in x1's dtype.

    Raises TypeError for another dtype, ValueError for a value out of range.

    >>> initial_state([1.0, -2.0], epsilon=1e-8)
    AdamState(t=0, x=array([ 1., -2.]), m=array([0., 0.]), v=array([1.e-08, 1.e-08]))
    """
    x = np.array(x1, order="C")
    if x.dtype.kind in "iu":
        x = x.astype(np.float64)
    if x.dtype not in (np.float32, np.float64):
        raise TypeError(f"x1 has dtype {x.dtype}; allowed are float32, float64 and integers")
    if x.ndim == 0:
        raise ValueError("x1 is a scalar; it must be an array (..., d), such as [0.5] for d = 1")
    if not np.isfinite(x).all():
        bad = np.unravel_index(np.argmin(np.isfinite(x)), x.shape)
        raise ValueError(f"x1 has {x[bad]} at coordinate {tuple(map(int, bad))}; every coordinate must be finite")
    with np.errstate(over="ignore", under="ignore"):
        v = np.broadcast_to(np.asarray(epsilon).astype(x.dtype), x.shape).copy()
    if not (np.isfinite(v) & (v > 0)).all():
        raise ValueError(
            f"epsilon = {epsilon!r} is not positive and finite in {x.dtype}; "
            "Algorithm 1 (p. 4) starts from v_0 = epsilon > 0"
        )
    return AdamState(0, x, np.zeros_like(x), v)


def adam_step(state: AdamState, gradient: ArrayLike, alpha: ArrayLike, beta: ArrayLike, theta: ArrayLike) -> AdamState:
    """One step of Algorithm 1 (lines 5-7, p. 4), as a pure function.

    Parameters
    ----------
    state : AdamState before the step.
    gradient : g_t, array of x's shape; taken in x's dtype. Finite, with a finite square.
    alpha, beta, theta : alpha_t, beta_t, theta_t, scalars or arrays that broadcast against x's leading axes
        (shape x.shape[:-1] or shorter): configurations side by side. Formed in float64, then cast to x's dtype.

    Returns a new AdamState with t + 1; the old one is not touched. Raises NonFiniteError, ValueError.

    >>> adam_step(initial_state([1.0], 1.0), [2.0], alpha=0.1, beta=0.5, theta=0.75)
    AdamState(t=1, x=array([0.92440711]), m=array([1.]), v=array([1.75]))
    """
    t, x, m, v = state
    g = _checked_gradient(state, gradient)
    alpha_t, beta_t, one_minus_beta, theta_t, one_minus_theta = _in_dtype_of(x, alpha, beta, theta)
    v = theta_t * v + one_minus_theta * (g * g)
    m = beta_t * m + one_minus_beta * g
    root = np.sqrt(v)
    quotient = np.divide(m, root, out=np.zeros_like(x), where=root > 0)
    return AdamState(t + 1, x - alpha_t * quotient, m, v)


def scratch_for(x: Array) -> Array:
    """Working memory for `adam_step_in_place`: one block, at most BLOCK_BYTES, in x's shape where all of x fits."""
    return np.empty(x.shape if x.nbytes <= BLOCK_BYTES else BLOCK_BYTES // x.itemsize, x.dtype)


def adam_step_in_place(
    state: AdamState,
    gradient: ArrayLike,
    alpha: ArrayLike,
    beta: ArrayLike,
    theta: ArrayLike,
    scratch: Array | None = None,
) -> AdamState:
    """The same step with the same bits, writing into state.x, state.m and state.v (C-contiguous arrays).

    Works through the arrays in blocks that stay in cache and allocates nothing that grows with d; a loop that
    hands in `scratch_for(x)` saves the allocation of one block a step. Takes, returns and raises what `adam_step`
    does; the state it is given is spent.
    """
    t, x, m, v = state
    g = _checked_gradient(state, gradient)
    scalars = _in_dtype_of(x, alpha, beta, theta)
    scratch = scratch_for(x) if scratch is None else scratch
    if not (x.flags.c_contiguous and m.flags.c_contiguous and v.flags.c_contiguous):
        raise ValueError("x, m and v must be C-contiguous to be updated in place, as initial_state makes them")
    _update((x, m, v, g), scalars, scratch)
    return AdamState(t + 1, x, m, v)


def _update(arrays, scalars, scratch):
    """Cuts until a piece fits the scratch block: flat where the scalars are single numbers, else along the first axis,
    the scalars that have that axis with it."""
    x = arrays[0]
    if x.shape == scratch.shape:
        return _update_block(*arrays, *scalars, scratch)
    scratch = scratch.reshape(-1)
    if x.size <= scratch.size:
        return _update_block(*arrays, *scalars, scratch[: x.size].reshape(x.shape))
    if all(scalar.ndim == 0 for scalar in scalars):
        flat, n = [array.reshape(-1) for array in arrays], scratch.size
        for start in range(0, x.size, n):
            pieces = [array[start : start + n] for array in flat]
            _update_block(*pieces, *scalars, scratch[: pieces[0].size])
        return None
    if x[0].size > scratch.size:
        cuts = range(len(x))
    else:
        rows = scratch.size // x[0].size
        cuts = [slice(start, start + rows) for start in range(0, len(x), rows)]
    for cut in cuts:
        alike = slice(None) if isinstance(cut, slice) else 0  # for a scalar that is the same along the axis
        pieces = [s if s.ndim == 0 else s[cut if len(s) > 1 else alike] for s in scalars]
        _update([array[cut] for array in arrays], pieces, scratch)


@np.errstate(divide="raise", invalid="raise")
def _update_block(x, m, v, g, alpha, beta, one_minus_beta, theta, one_minus_theta, scratch):
    np.square(g, out=scratch)
    scratch *= one_minus_theta
    v *= theta
    v += scratch
    np.multiply(g, one_minus_beta, out=scratch)
    m *= beta
    m += scratch
    np.sqrt(v, out=scratch)
    try:
        np.divide(m, scratch, out=scratch)
    except FloatingPointError:  # some v is 0
        np.sqrt(v, out=scratch)
        np.divide(m, scratch, out=scratch, where=scratch > 0)
    scratch *= alpha
    x -= scratch


def _in_dtype_of(x: Array, alpha: ArrayLike, beta: ArrayLike, theta: ArrayLike) -> tuple[Array, ...]:
    """alpha, beta, 1-beta, theta, 1-theta: differences in float64, then x's dtype.

    Cast before use, since NumPy 2 would promote a float32 array by a float64 scalar or array. Arrays get a last
    axis of length 1, for the coordinates.
    """
    if isinstance(alpha, float) and isinstance(beta, float) and isinstance(theta, float):
        # arrays of no axes, by which NumPy multiplies faster than by its scalars
        cast, to = np.asarray, x.dtype
        return cast(alpha, to), cast(beta, to), cast(1 - beta, to), cast(theta, to), cast(1 - theta, to)
    alpha, beta, theta = (np.asarray(scalar, np.float64) for scalar in (alpha, beta, theta))
    for name, scalar in (("alpha", alpha), ("beta", beta), ("theta", theta)):
        # meets the leading axes from the right, each of its axes of their length or of length 1
        meets = zip(scalar.shape[::-1], x.shape[-2::-1], strict=False)
        if scalar.ndim >= x.ndim or any(n not in (1, m) for n, m in meets):
            raise ValueError(f"{name} has shape {scalar.shape}; it must broadcast to x's leading axes {x.shape[:-1]}")
    scalars = [np.asarray(s).astype(x.dtype)[..., None] for s in (alpha, beta, 1 - beta, theta, 1 - theta)]
    return tuple(
        scalar[0] if scalar.ndim == 1 else scalar.reshape((1,) * (x.ndim - scalar.ndim) + scalar.shape)
        for scalar in scalars
    )


def _checked_gradient(state: AdamState, gradient: ArrayLike) -> Array:
    """The gradient in x's dtype, or an error. One dot product decides: it is finite only if every square is."""
    x = state.x
    g = np.asarray(gradient)
    if g.dtype != x.dtype:
        with np.errstate(over="ignore"):
            g = g.astype(x.dtype)
    if g.shape != x.shape:
        raise ValueError(f"the gradient has shape {g.shape}; x has {x.shape}")
    if not math.isfinite(np.vdot(g, g)):
        coordinate = first_non_finite_square(g)
        if coordinate is not None:
            raise NonFiniteError(state.t + 1, coordinate if g.ndim > 1 else coordinate[0], float(g[coordinate]))
    return g


def first_non_finite_square(g: Array) -> tuple[int, ...] | None:
    """Index of the first entry of g whose square is not finite; None where all are."""
    with np.errstate(over="ignore"):
        finite = np.isfinite(g * g)
    if finite.all():
        return None
    return tuple(int(i) for i in np.unravel_index(np.argmin(finite), g.shape))
