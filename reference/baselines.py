"""The methods the paper compares with, in the same two verbs: initial_state and a step with Adam's signature.

Each step is pure and takes (state, gradient, alpha, beta, theta), so the loop of `reference.iterate` runs them all; a
method reads what it needs of the three. `METHODS` holds them by name.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference.adam import AdamState, Array, _checked_gradient, _in_dtype_of, initial_state


class AMSGradState(NamedTuple):
    """AdamState and the running maximum of v."""

    t: int
    x: Array
    m: Array
    v: Array
    v_max: Array


def sgd_step(state: AdamState, gradient, alpha, beta=0.0, theta=0.5) -> AdamState:
    """x_{t+1} = x_t - alpha_t g_t. Reads alpha alone; m and v stay as they are."""
    g = _checked_gradient(state, gradient)
    alpha, *_ = _in_dtype_of(state.x, alpha, beta, theta)
    return state._replace(t=state.t + 1, x=state.x - alpha * g)


def sgd_momentum_step(state: AdamState, gradient, alpha, beta, theta=0.5) -> AdamState:
    """Heavy ball (Polyak 1964): m_t = beta_t m_{t-1} + g_t, x_{t+1} = x_t - alpha_t m_t. No factor 1 - beta."""
    g = _checked_gradient(state, gradient)
    alpha, beta, *_ = _in_dtype_of(state.x, alpha, beta, theta)
    m = beta * state.m + g
    return state._replace(t=state.t + 1, x=state.x - alpha * m, m=m)


def adagrad_step(state: AdamState, gradient, alpha, beta=0.0, theta=0.5) -> AdamState:
    """Duchi, Hazan and Singer (2011), diagonal: v_t = v_{t-1} + g_t^2, x_{t+1} = x_t - alpha_t g_t/sqrt(v_t).

    v_0 = epsilon; nothing else in the denominator.
    """
    g = _checked_gradient(state, gradient)
    alpha, *_ = _in_dtype_of(state.x, alpha, beta, theta)
    v = state.v + g * g
    return state._replace(t=state.t + 1, x=state.x - alpha * _over_root(g, v), v=v)


def rmsprop_step(state: AdamState, gradient, alpha, beta, theta) -> AdamState:
    """Tieleman and Hinton (2012): v_t = theta_t v_{t-1} + (1-theta_t) g_t^2, x_{t+1} = x_t - alpha_t g_t/sqrt(v_t).

    v_0 = epsilon. Generic Adam with beta = 0 (Remark 11, p. 11): the same bits.
    """
    g = _checked_gradient(state, gradient)
    alpha, _, _, theta, one_minus_theta = _in_dtype_of(state.x, alpha, beta, theta)
    v = theta * state.v + one_minus_theta * (g * g)
    return state._replace(t=state.t + 1, x=state.x - alpha * _over_root(g, v), v=v)


def amsgrad_initial_state(x1, epsilon) -> AMSGradState:
    """m_0 = 0, v_0 = v_max_0 = epsilon (Reddi et al. print 0; they divide by 0 on a zero first gradient)."""
    state = initial_state(x1, epsilon)
    return AMSGradState(*state, state.v.copy())


def amsgrad_step(state: AMSGradState, gradient, alpha, beta, theta) -> AMSGradState:
    """Reddi, Kale and Kumar (2018), Algorithm 2, as they print it: no bias correction, nothing in the denominator.

    m_t = beta_t m_{t-1} + (1-beta_t) g_t,  v_t = theta v_{t-1} + (1-theta) g_t^2,  v_max_t = max(v_max_{t-1}, v_t),
    x_{t+1} = x_t - alpha_t m_t/sqrt(v_max_t). (Their projection is the loop's.) Libraries differ: most divide by a
    bias-corrected v, before or after the maximum.
    """
    t, x, m, v, v_max = state
    g = _checked_gradient(AdamState(t, x, m, v), gradient)
    alpha, beta, one_minus_beta, theta, one_minus_theta = _in_dtype_of(x, alpha, beta, theta)
    m = beta * m + one_minus_beta * g
    v = theta * v + one_minus_theta * (g * g)
    v_max = np.maximum(v_max, v)
    return AMSGradState(t + 1, x - alpha * _over_root(m, v_max), m, v, v_max)


def _over_root(numerator: Array, v: Array) -> Array:
    """numerator/sqrt(v), and 0 where v = 0, as in `reference.adam`."""
    root = np.sqrt(v)
    return np.divide(numerator, root, out=np.zeros_like(root), where=root > 0)


METHODS = {
    "sgd": (initial_state, sgd_step),
    "sgd-momentum": (initial_state, sgd_momentum_step),
    "adagrad": (initial_state, adagrad_step),
    "rmsprop": (initial_state, rmsprop_step),
    "amsgrad": (amsgrad_initial_state, amsgrad_step),
}
