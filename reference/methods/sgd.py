"""Stochastic gradient descent, with and without momentum."""

from __future__ import annotations

from reference.adam import AdamState, Array, initial_state
from reference.methods.method import Method


def sgd_update(state: AdamState, g: Array, alpha: Array) -> AdamState:
    """Robbins and Monro (1951): x_{t+1} = x_t - alpha_t g_t. m and v stay as they are."""
    return state._replace(t=state.t + 1, x=state.x - alpha * g)


def sgd_momentum_update(state: AdamState, g: Array, alpha: Array, beta: Array, one_minus_beta: Array) -> AdamState:
    """Polyak (1964), heavy ball: m_t = beta_t m_{t-1} + g_t, x_{t+1} = x_t - alpha_t m_t. No factor 1 - beta."""
    m = beta * state.m + g
    return state._replace(t=state.t + 1, x=state.x - alpha * m, m=m)


SGD = Method("sgd", ("alpha",), initial_state, sgd_update)
SGD_MOMENTUM = Method("sgd-momentum", ("alpha", "beta"), initial_state, sgd_momentum_update)
