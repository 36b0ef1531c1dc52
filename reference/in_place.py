"""Lines 5-7 of Algorithm 1 (p. 4) in place: the bits of `reference.adam`, for speed alone.

Blocks that stay in cache, nothing allocated that grows with d. The loop's form, `adam_update_in_place`, checks its
state once and then takes what the loop has checked: the coefficients of a whole stretch of steps, already cast, and the
gradient. Below d = 10^4 the calls cost more than the arithmetic: 11 of NumPy's and few of Python's.

A coordinate with v = 0 must not move, and to look for one costs a pass. So a lower bound of v is carried along,
v_t >= theta_t v_{t-1} up to rounding, and v is looked at again only where the bound leaves the normal numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

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
    update = adam_update_in_place(state, scratch)
    g = checked_gradient(state, gradient)
    return update(state, g, *coefficients.for_step(state.x, coefficients.NAMES, (alpha, beta, theta)))


def adam_update_in_place(state: AdamState, scratch: Array | None = None) -> Callable[..., AdamState]:
    """`reference.adam.adam_update` as the loop calls it: for this state and those that it returns, writing into them.

    Raises
    ------
    TypeError, ValueError
        For a state that `adam_step` refuses, or one that is not C-contiguous.
    """
    check_state(state)
    if not all(array.flags.c_contiguous for array in state[1:]):
        raise ValueError("x, m and v must be C-contiguous to be updated in place, as initial_state makes them")
    return _InPlace(state, scratch_for(state.x) if scratch is None else scratch).update


class _InPlace:
    """The arrays' memory, the scratch block and the lower bound of v, from one step to the next."""

    def __init__(self, state: AdamState, scratch: Array):
        _, x, m, v = state
        self._owned = x.base is None and m.base is None and v.base is None
        self._scratch, self._whole = scratch, x.shape == scratch.shape
        self._lowest = float(v.min())  # of v, or less
        self._theta: Array | None = None
        self._falls = 0.0  # v_t/v_{t-1} is at least this
        numbers = np.finfo(x.dtype)
        self._rounding, self._smallest = 1 - float(numbers.eps), float(numbers.smallest_normal)

    def update(
        self,
        state: AdamState,
        g: Array,
        alpha: Array,
        beta: Array,
        one_minus_beta: Array,
        theta: Array,
        one_minus_theta: Array,
    ) -> AdamState:
        """What `adam_update` takes. A g that may share memory with the state is copied first."""
        t, x, m, v = state
        if g is x or g is m or g is v or ((g.base is not None or not self._owned) and self._shared(state, g)):
            g = g.copy()
        if theta is not self._theta:  # a theta that does not change is one array
            self._theta = theta
            self._falls = self._rounding * (float(theta) if theta.ndim == 0 else float(theta.min()))
        lowest, positive = self._lowest * self._falls, True
        if lowest < self._smallest:
            lowest = float(v.min()) * self._falls
            positive = lowest >= self._smallest
        self._lowest = lowest
        if self._whole:
            _update_block(positive, x, m, v, g, alpha, beta, one_minus_beta, theta, one_minus_theta, self._scratch)
        else:
            scalars = alpha, beta, one_minus_beta, theta, one_minus_theta
            for block in _blocks((x, m, v, g), scalars, self._scratch.reshape(-1)):
                _update_block(positive, *block)
        # AdamState(...) without the call of Python's that it makes: 2 % of a step at d = 100
        return tuple.__new__(AdamState, (t + 1, x, m, v))

    def _shared(self, state: AdamState, g: Array) -> bool:
        """Whether g, which is a view or none of the state's arrays, may share memory with them."""
        owner = g.base
        if self._owned and type(owner) is np.ndarray and owner.base is None:  # arrays that own their memory share none
            return owner is state.x or owner is state.m or owner is state.v
        return any(np.may_share_memory(g, array) for array in state[1:])


def _update_block(
    positive: bool,
    x: Array,
    m: Array,
    v: Array,
    g: Array,
    alpha: Array,
    beta: Array,
    one_minus_beta: Array,
    theta: Array,
    one_minus_theta: Array,
    scratch: Array,
) -> None:
    """positive : whether every v is known to stay so."""
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


def _blocks(arrays: Sequence[Array], scalars: Sequence[Array], scratch: Array) -> Iterator[tuple[Array, ...]]:
    """Arrays, scalars and scratch of each piece that fits the scratch block: cut flat where the scalars are single
    numbers, else along the first axis, the scalars that have that axis with it."""
    x = arrays[0]
    if x.size <= scratch.size:
        yield *arrays, *scalars, scratch[: x.size].reshape(x.shape)
    elif all(scalar.ndim == 0 for scalar in scalars):
        flat, n = [array.reshape(-1) for array in arrays], scratch.size
        for start in range(0, x.size, n):
            pieces = [array[start : start + n] for array in flat]
            yield *pieces, *scalars, scratch[: pieces[0].size]
    else:
        cuts: Sequence[int | slice] = range(len(x))
        alike: int | slice = 0  # what a cut leaves of a scalar that is the same along the axis
        if x[0].size <= scratch.size:
            rows = scratch.size // x[0].size
            cuts, alike = [slice(start, start + rows) for start in range(0, len(x), rows)], slice(None)
        for cut in cuts:
            own = [s if s.ndim == 0 else s[cut if len(s) > 1 else alike] for s in scalars]
            yield from _blocks([array[cut] for array in arrays], own, scratch)
