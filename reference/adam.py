"""The update: lines 5-7 of Algorithm 1 (p. 4), written once as a pure function.

    v_t     = theta_t v_{t-1} + (1 - theta_t) g_t^2          v_0 = epsilon > 0, a vector
    m_t     = beta_t  m_{t-1} + (1 - beta_t)  g_t            m_0 = 0
    x_{t+1} = x_t - alpha_t m_t / sqrt(v_t)                  nothing is added in the denominator

All operations are coordinate-wise, in the dtype of x and in exactly this order:

    v = theta*v + (1-theta)*(g*g),    m = beta*m + (1-beta)*g,    x = x - alpha*(m/sqrt(v))

`reference.in_place` does the same with the same bits, for speed. What floating point adds to the paper, in both:

* a coordinate whose v is 0 does not move: the quotient m/sqrt(v) counts as 0. Algorithm 1 keeps v > 0
  (v_t >= theta_1...theta_t epsilon), so this needs a state that was not started by `initial_state`, or
  gradients whose square underflows together with theta <= 1/2;
* a gradient that is not finite, or whose square overflows, raises `NonFiniteError` before anything has changed;
* subnormal v is used as it is (gradual underflow, no flush to zero).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from reference import coefficients
from reference.checks import Array, NonFiniteError, check_state, checked_gradient, first_non_finite_square, real


class AdamState(NamedTuple):
    """What Algorithm 1 (p. 4) carries from one step to the next.

    Attributes
    ----------
    t : int
        Steps taken so far: x is x_{t+1}, m is m_t, v is v_t.
    x : array (..., d)
        float32 or float64; leading axes are replicas or configurations.
    m : array (..., d)
        Of x's shape and dtype.
    v : array (..., d)
        Of x's shape and dtype, >= 0.
    """

    t: int
    x: Array
    m: Array
    v: Array


def initial_state(x1: ArrayLike, epsilon: ArrayLike) -> AdamState:
    """Algorithm 1, line 1 (p. 4): the state before step 1, x_1, m_0 = 0, v_0 = epsilon.

    Parameters
    ----------
    x1 : array (..., d), d >= 1, finite
        float32 and float64 keep their dtype; integers become float64.
    epsilon : scalar, or an array that broadcasts to x1's shape
        Positive and finite in x1's dtype.

    Returns
    -------
    AdamState

    Raises
    ------
    TypeError
        For another dtype, and for masked arrays.
    ValueError
        For a value out of range.

    Examples
    --------
    >>> initial_state([1.0, -2.0], epsilon=1e-8)
    AdamState(t=0, x=array([ 1., -2.]), m=array([0., 0.]), v=array([1.e-08, 1.e-08]))
    """
    x = np.array(real("x1", x1), order="C")
    if x.dtype.kind in "iu":
        x = x.astype(np.float64)
    if x.dtype not in (np.float32, np.float64):
        raise TypeError(f"x1 must consist of float32, float64 or integers; got dtype {x.dtype}")
    if x.ndim == 0:
        raise ValueError("x1 must be an array (..., d), such as [0.5] for d = 1; got a scalar")
    if x.size == 0:
        raise ValueError(f"x1 must have at least one coordinate; got shape {x.shape}")
    if not np.isfinite(x).all():
        bad = np.unravel_index(np.argmin(np.isfinite(x)), x.shape)
        raise ValueError(f"x1 must be finite; got {x[bad]} at coordinate {tuple(map(int, bad))}")
    with np.errstate(over="ignore", under="ignore"):
        v = np.broadcast_to(real("epsilon", epsilon).astype(x.dtype), x.shape).copy()
    if not (np.isfinite(v) & (v > 0)).all():
        raise ValueError(
            f"epsilon must be positive and finite in {x.dtype}, since Algorithm 1 (p. 4) starts from "
            f"v_0 = epsilon > 0; got {epsilon!r}"
        )
    return AdamState(0, x, np.zeros_like(x), v)


def adam_step(state: AdamState, gradient: ArrayLike, alpha: ArrayLike, beta: ArrayLike, theta: ArrayLike) -> AdamState:
    """Algorithm 1, lines 5-7 (p. 4): one step, as a pure function.

    Parameters
    ----------
    state : AdamState
        Before the step; not touched.
    gradient : array of x's shape
        g_t, taken in x's dtype. Finite, with a finite square.
    alpha, beta, theta : scalars, or arrays that broadcast against x's leading axes
        alpha_t > 0, 0 <= beta_t < 1, 0 < theta_t < 1, of shape x.shape[:-1] or shorter: configurations side by side.
        Formed in float64, then cast to x's dtype.

    Returns
    -------
    AdamState
        A new one, with t + 1.

    Raises
    ------
    NonFiniteError
        For a gradient that is not finite, or whose square overflows.
    TypeError, ValueError
        For a coefficient out of its range, a state no run can reach (v < 0 or not finite), shapes that do not meet.

    Examples
    --------
    >>> adam_step(initial_state([1.0], 1.0), [2.0], alpha=0.1, beta=0.5, theta=0.75)
    AdamState(t=1, x=array([0.92440711]), m=array([1.]), v=array([1.75]))
    """
    check_state(state)
    g = checked_gradient(state, gradient)
    return adam_update(state, g, *coefficients.for_step(state.x, coefficients.NAMES, (alpha, beta, theta)))


def adam_update(
    state: AdamState, g: Array, alpha: Array, beta: Array, one_minus_beta: Array, theta: Array, one_minus_theta: Array
) -> AdamState:
    """Algorithm 1, lines 5-7 (p. 4), on what `adam_step` has checked and cast to x's dtype."""
    t, x, m, v = state
    v = theta * v + one_minus_theta * (g * g)
    m = beta * m + one_minus_beta * g
    return AdamState(t + 1, x - alpha * over_root(m, v), m, v)


def over_root(numerator: Array, v: Array) -> Array:
    """numerator/sqrt(v), and 0 where v = 0."""
    root = np.sqrt(v)
    return np.divide(numerator, root, out=np.zeros_like(root), where=root > 0)


__all__ = [
    "AdamState",
    "Array",
    "NonFiniteError",
    "adam_step",
    "adam_update",
    "first_non_finite_square",
    "initial_state",
    "over_root",
]
