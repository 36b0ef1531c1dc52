"""Lemma 38 (p. 38): the sum of omega_t under alpha_t = alpha/sqrt T, theta_t = 1 - theta/T, by X and not by G."""

from __future__ import annotations

import math

import numpy as np

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import ExpectedSides, check_variant


def lemma_38(run: Trajectory, variant: str = "corrected") -> ExpectedSides:
    """E sum_{t<=T} omega_t <= d theta + 2d (1 + 2 sigma^2/(d epsilon s))^{1/4}
                               + 2d sqrt( sqrt(2 theta/(d epsilon T)) X )

    X = E sqrt(sum_t ||grad f(x_t)||^2).
    **Assumptions** A3, A5, theta_t = 1 - theta/T =: th1.
    printed : the last term without 2d, lost in Eq. 82 (p. 39): false. (Eq. 82 also uses ln W_T <= theta; it is at most
        theta/th1. The sharp Lemma 34 saves the term d theta.)
    sharp : d theta + 2d th1 ln(a + b X), a = sqrt(1 + 2 sigma^2/(d epsilon s)), b = sqrt(2 theta/(d epsilon T)).
    left, right : () arrays.
    """
    check_variant("Lemma 38", variant, "printed", "sharp")
    d = run.d
    theta = run.practical()[1]
    a = math.sqrt(1 + 2 * run.sigma2 / (d * run.epsilon * run.workers))
    b = math.sqrt(2 * theta / (d * run.epsilon * run.T))

    def sides(omega, X):
        if variant == "sharp":
            return omega, d * theta + 2 * d * run.theta[0] * np.log(a + b * X)
        lost = 1 if variant == "printed" else 2 * d
        return omega, d * theta + 2 * d * math.sqrt(a) + lost * np.sqrt(b * X)

    return run.in_expectation("Lemma 38", variant, sides, run.omega.sum(axis=0), run.root_of_squared_gradients)
