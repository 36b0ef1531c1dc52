"""Lemma 39 (p. 39): Lemma 33 under alpha_t = alpha/sqrt T, theta_t = 1 - theta/T."""

from __future__ import annotations

from typing import NamedTuple

from theory.chen_2022.restrictions import one_minus_root
from theory.chen_2022.trajectory import Trajectory
from theory.tools.positive import Number
from theory.tools.sides import ExpectedSides, check_variant


class Momentum(NamedTuple):
    """beta_t = beta and theta_t = th1 for all t, with gamma = beta^2/th1 < 1 (p. 13)."""

    beta: float
    th1: float
    one_minus_gamma: float

    @property
    def one_minus_sqrt_gamma(self) -> float:
        return one_minus_root(self.one_minus_gamma)


def C6(chi: Number, L: float, G: float, momentum: Momentum, sharp: bool = False) -> Number:
    """1/(1-sqrt gamma) [ chi L/(1-sqrt gamma)^2 + 2 (2 beta/(1-beta)/sqrt(1-gamma) + 1)^2 G ], of chi's type.

    chi = alpha/sqrt(theta) (Chen et al., Corollary 13, p. 13, and Lemma 39, p. 39, whose C7 is chi C6).
    sharp : C6' = 1/(1-sqrt gamma) [ (1-beta)^2 chi L/(1-sqrt gamma)^2
                                     + 2 (1-beta) (beta/sqrt((1-gamma) th1) + 1)^2 G ].
    """
    beta, th1, one_minus_gamma = momentum
    root = momentum.one_minus_sqrt_gamma
    if sharp:
        smooth, noise = (1 - beta) ** 2, 2 * (1 - beta) * (beta / (one_minus_gamma * th1) ** 0.5 + 1) ** 2
    else:
        smooth, noise = 1.0, 2 * (2 * beta / (1 - beta) / one_minus_gamma**0.5 + 1) ** 2
    return (smooth * chi * L / root**2 + noise * G) / root


def C7_along(run: Trajectory, variant: str = "corrected") -> float:
    """chi C6 of a run's sequences and constants (p. 39)."""
    alpha, theta = run.practical()
    th1, beta, chi = float(run.theta[0]), float(run.beta[0]), alpha / theta**0.5
    return chi * C6(chi, run.L, run.G, Momentum(beta, th1, (th1 - beta**2) / th1), variant == "sharp")


def lemma_39(run: Trajectory, variant: str = "corrected") -> ExpectedSides:
    """sum_{t<=T} M_t <= C7 E sum_t omega_t - (1-beta)/2 E sum_t ||grad f(x_t)||^2_etahat.

    **Assumptions** A2, A3, A4 as E_t||g_t||^2 <= G^2, beta_t = beta, theta_t >= 1/4, gamma < 1. HOLDS as printed.
    (With Lemma 38 it is the main text's Lemma 19, p. 16, which cites it as Lemma 40 and writes eta_t for etahat_t.)
    left, right : () arrays.
    """
    check_variant("Lemma 39", variant, "sharp")
    constant, gain = C7_along(run, variant), (1 - run.beta[0]) / 2
    return run.in_expectation(
        "Lemma 39",
        variant,
        lambda M, omega, weighted: (M, constant * omega - gain * weighted),
        run.descent.sum(axis=0),
        run.omega.sum(axis=0),
        run.weighted_gradient.sum(axis=0),
    )
