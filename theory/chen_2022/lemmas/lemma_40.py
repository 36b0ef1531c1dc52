"""Lemma 40 (p. 40), Lemma 20 of the main text (p. 16): X^2 by X and the weighted norm."""

from __future__ import annotations

import math

from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import ExpectedSides, check_variant


def C8(run: Trajectory, variant: str = "corrected") -> float:
    """sqrt T sqrt(2 sigma^2 theta + epsilon s d)/(sqrt s alpha) (Theorem 17); unconditional: 3 for the 2."""
    alpha, theta = run.practical()
    s, count = run.workers, 3 if variant == "unconditional" else 2
    return math.sqrt(run.T) * math.sqrt(count * run.sigma2 * theta + run.epsilon * s * run.d) / (math.sqrt(s) * alpha)


def C9(run: Trajectory) -> float:
    """sqrt(2 theta)/alpha (Theorem 17)."""
    alpha, theta = run.practical()
    return math.sqrt(2 * theta) / alpha


def lemma_40(run: Trajectory, variant: str = "corrected") -> ExpectedSides:
    """X^2 <= (C8 + C9 X) E sum_{t<=T} ||grad f(x_t)||^2_etahat,  X = E sqrt(sum_t ||grad f(x_t)||^2).

    **Assumptions** A3, theta_t = 1 - theta/T, alpha_t = alpha/sqrt T, and A5 as E_t||g_t - grad f(x_t)||^2 <= sigma^2.
    HOLDS as printed in the appendix. (Lemma 20 forgets the sum over t and cites it as Lemma 41.)
    unconditional : A5 as printed, E||g_t - grad f(x_t)||^2 <= sigma^2; 3 sigma^2 theta for 2 sigma^2 theta in C8.
    left, right : () arrays.
    """
    check_variant("Lemma 40", variant, "unconditional")
    constant, slope = C8(run, variant), C9(run)
    return run.in_expectation(
        "Lemma 40",
        variant,
        lambda X, weighted: (X**2, (constant + slope * X) * weighted),
        run.root_of_squared_gradients,
        run.weighted_gradient.sum(axis=0),
    )
