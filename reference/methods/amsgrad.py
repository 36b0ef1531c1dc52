"""AMSGrad (Reddi, Kale and Kumar 2018)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from reference.adam import Array, initial_state, over_root
from reference.methods.method import Method


class AMSGradState(NamedTuple):
    """AdamState and the running maximum of v.

    Attributes
    ----------
    t : int
        Steps taken so far.
    x : array (..., d)
    m : array (..., d)
    v : array (..., d)
    v_max : array (..., d)
        max(v_0, ..., v_t).
    """

    t: int
    x: Array
    m: Array
    v: Array
    v_max: Array


def amsgrad_initial_state(x1: ArrayLike, epsilon: ArrayLike) -> AMSGradState:
    """m_0 = 0, v_0 = v_max_0 = epsilon (Reddi et al. print 0; they divide by 0 on a zero first gradient)."""
    state = initial_state(x1, epsilon)
    return AMSGradState(*state, state.v.copy())


def amsgrad_update(
    state: AMSGradState,
    g: Array,
    alpha: Array,
    beta: Array,
    one_minus_beta: Array,
    theta: Array,
    one_minus_theta: Array,
) -> AMSGradState:
    """Reddi, Kale and Kumar (2018), Algorithm 2, as they print it: no bias correction, nothing in the denominator.

    m_t = beta_t m_{t-1} + (1-beta_t) g_t,  v_t = theta v_{t-1} + (1-theta) g_t^2,  v_max_t = max(v_max_{t-1}, v_t),
    x_{t+1} = x_t - alpha_t m_t/sqrt(v_max_t). (Their projection is the loop's.) Libraries differ: most divide by a
    bias-corrected v, before or after the maximum.
    """
    t, x, m, v, v_max = state
    m = beta * m + one_minus_beta * g
    v = theta * v + one_minus_theta * (g * g)
    v_max = np.maximum(v_max, v)
    return AMSGradState(t + 1, x - alpha * over_root(m, v_max), m, v, v_max)


AMSGRAD = Method("amsgrad", ("alpha", "beta", "theta"), amsgrad_initial_state, amsgrad_update)
