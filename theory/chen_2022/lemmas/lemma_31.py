"""Lemma 31 (p. 26): one step of the proof of Theorem 2."""

from __future__ import annotations

import numpy as np

from theory.chen_2022.restrictions import Restrictions
from theory.chen_2022.trajectory import Trajectory
from theory.tools.positive import Number
from theory.tools.sides import Array, ExpectedSides, check_variant


def C2(r: Restrictions, C1: Number, sharp: bool = False) -> Number:
    """2 (beta/(1-beta) / sqrt(C1 (1-gamma) theta_1) + 1)^2 (Chen et al., Lemma 31, p. 26), of C1's type.

    sharp : one beta_t = beta for all t; 2 (1-beta) (beta/sqrt(C1 (1-gamma) theta_1) + 1)^2, since |m_t| carries a
    factor 1-beta that the proofs of Lemmas 29-32 drop (p. 26-29).
    """
    carried, front = (r.beta, 2 * (1 - r.beta)) if sharp else (r.beta / (1 - r.beta), 2.0)
    return front * (carried / (C1 * r.one_minus_gamma * r.theta_1) ** 0.5 + 1) ** 2


def C2_along(run: Trajectory, variant: str = "corrected") -> float:
    """C2 of a run's restrictions."""
    return C2(run.restrictions, run.restrictions.C1, run.is_sharp(variant, "sharp Lemma 31"))


def lemma_31(run: Trajectory, variant: str = "corrected") -> ExpectedSides:
    """M_t <= beta_t alpha_t/(sqrt(theta_t) alpha_{t-1}) M_{t-1} + N_t - (1-beta)/2 E||grad f(x_t)||^2_etahat

    N_t = L E||Delta_t||^2 + C2 G chi_t E omega_t,  M_t = E[<grad f(x_t), Delta_t> + L ||Delta_t||^2],  M_0 = 0.

    **Assumptions** A2, A3, R1-R3, and A4 as E_t||g_t||^2 <= G^2 almost surely: with E||g_t||^2 <= G^2 alone it fails
    (`counterexamples.unconditional_second_moment`).
    printed : Eq. 22, the case t = 1, without the last term, which Eqs. 50-52 need and Eq. 42 proves.
    sharp : C2's sharp form. left, right : (T,), t = 1..T.
    """
    check_variant("Lemma 31", variant, "printed", "sharp")
    step = np.zeros(run.T)
    step[1:] = run.beta[1:] * run.alpha[1:] / (np.sqrt(run.theta[1:]) * run.alpha[:-1])
    noise = C2_along(run, variant) * run.G * run.chi
    gain = np.full(run.T, (1 - run.restrictions.beta) / 2)
    if variant == "printed":
        gain[0] = 0

    def sides(M: Array, squared_step: Array, omega: Array, weighted: Array) -> tuple[Array, Array]:
        before = np.zeros_like(M)
        before[..., 1:] = M[..., :-1]
        return M, step * before + run.L * squared_step + noise * omega - gain * weighted

    return run.in_expectation(
        "Lemma 31", variant, sides, run.descent, run.squared_step, run.omega, run.weighted_gradient
    )
