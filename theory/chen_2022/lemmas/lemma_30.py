"""Lemma 30 (p. 25): the step split into a part free of g_t's noise in its step size, and two remainders."""

from __future__ import annotations

import numpy as np

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import Sides, check_variant


def lemma_30(run: Trajectory, variant: str = "corrected") -> Sides:
    """Delta_t - beta_t alpha_t/(sqrt(theta_t) alpha_{t-1}) Delta_{t-1}
        = -(1-beta_t) etahat g + etahat g (1-theta_t) g/sqrt(v_t) A_t + etahat delta (1-theta_t) g/sqrt(v_t) B_t

    A_t = beta_t m_{t-1}/(sqrt v_t + sqrt(theta_t v_{t-1})) + (1-beta_t) g/(sqrt v_t + sqrt vhat_t)
    B_t = beta_t m_{t-1}/sqrt(theta_t v_{t-1}) * sqrt(1-theta_t) g/(sqrt v_t + sqrt(theta_t v_{t-1}))
          * sqrt(1-theta_t) delta/(sqrt vhat_t + sqrt(theta_t v_{t-1})) - (1-beta_t) delta/(sqrt v_t + sqrt vhat_t)

    an identity, coordinate by coordinate, for every trajectory (no projection); t = 1 with Delta_0 = 0.
    **Assumptions** none. HOLDS as printed (Eq. 17). delta_t^2 = E_t g_t^2; any positive delta_t would do.
    printed : with a minus before both remainders, as Eq. 26 (p. 27) uses it; not an identity.
    left, right : (T, R, d); scale : |Delta_t| + |coefficient Delta_{t-1}|.
    """
    check_variant("Lemma 30", variant, "printed")
    alpha, beta, theta = (sequence[:, None, None] for sequence in (run.alpha, run.beta, run.theta))
    g, etahat, delta, m = run.g, run.etahat, np.sqrt(run.second_moment), run.m_before
    v, vhat, decayed = np.sqrt(run.v), np.sqrt(run.vhat), np.sqrt(theta * run.v_before)

    previous = np.zeros_like(run.Delta)
    previous[1:] = (beta[1:] * alpha[1:] / (np.sqrt(theta[1:]) * alpha[:-1])) * run.Delta[:-1]
    A = beta * m / (v + decayed) + (1 - beta) * g / (v + vhat)
    first = (
        beta * m / decayed * (np.sqrt(1 - theta) * g / (v + decayed)) * (np.sqrt(1 - theta) * delta / (vhat + decayed))
    )
    B = first - (1 - beta) * delta / (v + vhat)
    remainders = etahat * g * (1 - theta) * g / v * A + etahat * delta * (1 - theta) * g / v * B
    sign = -1 if variant == "printed" else 1
    right = -(1 - beta) * etahat * g + sign * remainders
    return Sides("Lemma 30", variant, run.Delta - previous, right, "=", np.abs(run.Delta) + np.abs(previous))
