"""Lines 5-7 of Algorithm 1 (p. 4) in place: the bits of `reference.adam`, for speed alone.

Blocks that stay in cache, nothing allocated that grows with d. The loop's form, `InPlace`, checks its state once and
then takes what the loop has checked: the coefficients of a whole stretch of steps, already cast, and the gradient.

A coordinate with v = 0 must not move, and to look for one costs a pass. So a lower bound of v is carried along,
v_t >= theta_t v_{t-1} up to rounding, and v is looked at again only where the bound leaves the normal numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import add, divide, multiply, sqrt, square, subtract
from numpy.typing import ArrayLike

from reference import coefficients
from reference.adam import AdamState
from reference.checks import Array, check_state, checked_gradient

# Bytes of each of the five arrays that the in-place step works on at a time: together they stay in a core's L2
# cache (2 MB on the machine measured). Half of it costs about 5 %.
BLOCK_BYTES = 2**18


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
    """Algorithm 1, lines 5-7 (p. 4), with the bits of `adam_step`, writing into state.x, state.m and state.v.

    Parameters
    ----------
    state : AdamState
        C-contiguous arrays, as `initial_state` makes them; spent by the step.
    gradient, alpha, beta, theta
        As `adam_step` takes them. A gradient that shares memory with the state is copied first.
    scratch : array, optional
        `scratch_for(x)`, which saves the allocation of one block a step.

    Returns
    -------
    AdamState
        With t + 1 and the same arrays.

    Raises
    ------
    NonFiniteError, TypeError, ValueError
        As `adam_step` does, and before anything has changed.
    """
    step = InPlace(state, scratch)
    g = step.apart(checked_gradient(state, gradient))
    return step(state, g, *coefficients.for_step(state.x, coefficients.NAMES, (alpha, beta, theta)))


class InPlace:
    """The step as the loop calls it, for the one state that it is made for and those that it returns.

    Raises
    ------
    TypeError, ValueError
        For a state that `adam_step` refuses, or one that is not C-contiguous.
    """

    def __init__(self, state: AdamState, scratch: Array | None = None):
        check_state(state)
        _, x, m, v = state
        if not (x.flags.c_contiguous and m.flags.c_contiguous and v.flags.c_contiguous):
            raise ValueError("x, m and v must be C-contiguous to be updated in place, as initial_state makes them")
        self._arrays = x, m, v
        self._owned = all(array.base is None for array in self._arrays)
        self._scratch = scratch_for(x) if scratch is None else scratch
        self._whole = x.shape == self._scratch.shape
        self._lowest = float(v.min())  # of v, or less
        self._theta: Array | None = None
        self._falls = 0.0  # v_t/v_{t-1} is at least this
        numbers = np.finfo(x.dtype)
        self._rounding, self._smallest = 1 - float(numbers.eps), float(numbers.smallest_normal)

    def apart(self, g: Array) -> Array:
        """The gradient, or a copy of it where it may share memory with the state."""
        owner = g if g.base is None else g.base
        if self._owned and type(owner) is np.ndarray and owner.base is None:
            x, m, v = self._arrays  # arrays that own their memory share none
            shared = owner is x or owner is m or owner is v
        else:
            shared = any(np.may_share_memory(g, array) for array in self._arrays)
        return g.copy() if shared else g

    def __call__(self, state: AdamState, g: Array, *scalars: Array) -> AdamState:
        """alpha, beta, 1 - beta, theta and 1 - theta as `reference.coefficients` gives them; g checked and `apart`."""
        t, x, m, v = state
        theta = scalars[3]
        if theta is not self._theta:  # a theta that does not change is one array
            self._theta = theta
            self._falls = self._rounding * (float(theta) if theta.ndim == 0 else float(theta.min()))
        lowest = self._lowest * self._falls
        if lowest < self._smallest:
            lowest = float(v.min()) * self._falls
        self._lowest = lowest
        positive = lowest >= self._smallest
        if self._whole:
            _update_block((x, m, v, g), scalars, self._scratch, positive)
        else:
            _update((x, m, v, g), scalars, self._scratch, positive)
        return AdamState(t + 1, x, m, v)


def _update(arrays: Sequence[Array], scalars: Sequence[Array], scratch: Array, positive: bool) -> None:
    """Cuts until a piece fits the scratch block: flat where the scalars are single numbers, else along the first axis,
    the scalars that have that axis with it."""
    x = arrays[0]
    scratch = scratch.reshape(-1)
    if x.size <= scratch.size:
        return _update_block(arrays, scalars, scratch[: x.size].reshape(x.shape), positive)
    if all(scalar.ndim == 0 for scalar in scalars):
        flat, n = [array.reshape(-1) for array in arrays], scratch.size
        for start in range(0, x.size, n):
            pieces = [array[start : start + n] for array in flat]
            _update_block(pieces, scalars, scratch[: pieces[0].size], positive)
        return None
    cuts: Sequence[int | slice]
    if x[0].size > scratch.size:
        cuts = range(len(x))
    else:
        rows = scratch.size // x[0].size
        cuts = [slice(start, start + rows) for start in range(0, len(x), rows)]
    for cut in cuts:
        alike: int | slice = (
            slice(None) if isinstance(cut, slice) else 0
        )  # for a scalar that is the same along the axis
        own = [s if s.ndim == 0 else s[cut if len(s) > 1 else alike] for s in scalars]
        _update([array[cut] for array in arrays], own, scratch, positive)
    return None


def _update_block(arrays: Sequence[Array], scalars: Sequence[Array], scratch: Array, positive: bool) -> None:
    """positive : whether every v is known to stay so."""
    x, m, v, g = arrays
    alpha, beta, one_minus_beta, theta, one_minus_theta = scalars
    square(g, scratch)
    multiply(scratch, one_minus_theta, scratch)
    multiply(v, theta, v)
    add(v, scratch, v)
    multiply(g, one_minus_beta, scratch)
    multiply(m, beta, m)
    add(m, scratch, m)
    sqrt(v, scratch)
    if positive:
        divide(m, scratch, scratch)
    else:  # a root that is 0 stays, as the quotient
        divide(m, scratch, out=scratch, where=scratch > 0)
    multiply(scratch, alpha, scratch)
    subtract(x, scratch, x)
