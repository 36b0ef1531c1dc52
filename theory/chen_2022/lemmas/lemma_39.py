"""Lemma 39 (p. 39): Lemma 33 under alpha_t = alpha/sqrt T, theta_t = 1 - theta/T."""

from __future__ import annotations

import math

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import ExpectedSides, check_variant


def C7(run: Trajectory, variant: str = "corrected") -> float:
    """1/(1-sqrt gamma) [ alpha^2 L/(theta (1-sqrt gamma)^2)
                          + 2 (2 beta/(1-beta)/sqrt(1-gamma) + 1)^2 G alpha/sqrt theta ].

    gamma = beta^2/(1 - theta/T) (p. 39). sharp : 1/(1-sqrt gamma) [ (1-beta)^2 alpha^2 L/(theta (1-sqrt gamma)^2)
    + 2 (1-beta) (beta/sqrt((1-gamma) th1) + 1)^2 G alpha/sqrt theta ], th1 = 1 - theta/T.
    """
    alpha, theta = run.practical()
    th1, beta = float(run.theta[0]), float(run.beta[0])
    one_minus_gamma = (th1 - beta**2) / th1
    one_minus_root = one_minus_gamma / (1 + beta / math.sqrt(th1))
    if variant == "sharp":
        smooth, noise = (1 - beta) ** 2, 2 * (1 - beta) * (beta / math.sqrt(one_minus_gamma * th1) + 1) ** 2
    else:
        smooth, noise = 1, 2 * (2 * beta / (1 - beta) / math.sqrt(one_minus_gamma) + 1) ** 2
    return (smooth * alpha**2 * run.L / (theta * one_minus_root**2) + noise * run.G * alpha / math.sqrt(theta)) / (
        one_minus_root
    )


def lemma_39(run: Trajectory, variant: str = "corrected") -> ExpectedSides:
    """sum_{t<=T} M_t <= C7 E sum_t omega_t - (1-beta)/2 E sum_t ||grad f(x_t)||^2_etahat.

    **Assumptions** A2, A3, A4 as E_t||g_t||^2 <= G^2, beta_t = beta, theta_t >= 1/4, gamma < 1. HOLDS as printed.
    (With Lemma 38 it is the main text's Lemma 19, p. 16, which cites it as Lemma 40 and writes eta_t for etahat_t.)
    left, right : () arrays.
    """
    check_variant("Lemma 39", variant, "sharp")
    constant, gain = C7(run, variant), (1 - run.beta[0]) / 2
    return run.in_expectation(
        "Lemma 39",
        variant,
        lambda M, omega, weighted: (M, constant * omega - gain * weighted),
        run.descent.sum(axis=0),
        run.omega.sum(axis=0),
        run.weighted_gradient.sum(axis=0),
    )
