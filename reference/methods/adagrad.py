"""AdaGrad, diagonal (Duchi, Hazan and Singer 2011)."""

from __future__ import annotations

from reference.adam import AdamState, Array, initial_state, over_root
from reference.methods.method import Method


def adagrad_update(state: AdamState, g: Array, alpha: Array) -> AdamState:
    """Duchi, Hazan and Singer (2011), diagonal: v_t = v_{t-1} + g_t^2, x_{t+1} = x_t - alpha_t g_t/sqrt(v_t).

    v_0 = epsilon; nothing else in the denominator.
    """
    v = state.v + g * g
    return state._replace(t=state.t + 1, x=state.x - alpha * over_root(g, v), v=v)


ADAGRAD = Method("adagrad", ("alpha",), initial_state, adagrad_update)
