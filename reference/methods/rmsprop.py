"""RMSProp (Tieleman and Hinton 2012)."""

from __future__ import annotations

from reference.adam import AdamState, Array, initial_state, over_root
from reference.methods.method import Method


def rmsprop_update(state: AdamState, g: Array, alpha: Array, theta: Array, one_minus_theta: Array) -> AdamState:
    """Tieleman and Hinton (2012): v_t = theta_t v_{t-1} + (1-theta_t) g_t^2, x_{t+1} = x_t - alpha_t g_t/sqrt(v_t).

    v_0 = epsilon. Generic Adam with beta = 0 (Chen et al. 2022, Remark 11, p. 11): the same bits.
    """
    v = theta * state.v + one_minus_theta * (g * g)
    return state._replace(t=state.t + 1, x=state.x - alpha * over_root(g, v), v=v)


RMSPROP = Method("rmsprop", ("alpha", "theta"), initial_state, rmsprop_update)
