"""Lemma 38 (p. 38): the sum of omega_t under alpha_t = alpha/sqrt T, theta_t = 1 - theta/T, by X and not by G."""

from __future__ import annotations

import numpy as np

from theory.chen_2022.trajectory import Trajectory
from theory.tools.positive import Number
from theory.tools.sides import Array, ExpectedSides, check_variant


def noise_and_slope(
    sigma2: Number, theta: float, d: int, epsilon: float, workers: int, T: float
) -> tuple[Number, Number]:
    """1 + 2 sigma^2/(d epsilon s) and 2 theta/(d epsilon T), of sigma2's type: a^2 and b^2.

    (Chen et al., proof of Lemma 38, p. 38-39: v_T is bounded by a + b X.)
    """
    one = 0 * sigma2 + 1
    return 1 + 2 * sigma2 / d / epsilon / workers, 2 * theta * one / d / epsilon / T


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
    d, theta = run.d, run.practical()[1]
    a2, b2 = noise_and_slope(run.sigma2, theta, d, run.epsilon, run.workers, run.T)
    a, b = a2**0.5, b2**0.5

    def sides(omega: Array, X: Array) -> tuple[Array, Array]:
        if variant == "sharp":
            return omega, d * theta + 2 * d * run.theta[0] * np.log(a + b * X)
        lost = 1 if variant == "printed" else 2 * d
        return omega, d * theta + 2 * d * a**0.5 + lost * np.sqrt(b * X)

    return run.in_expectation("Lemma 38", variant, sides, run.omega.sum(axis=0), run.root_of_squared_gradients)
