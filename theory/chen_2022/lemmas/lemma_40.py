"""Lemma 40 (p. 40), Lemma 20 of the main text (p. 16): X^2 by X and the weighted norm."""

from __future__ import annotations

from theory.chen_2022.trajectory import Trajectory
from theory.tools.positive import Number
from theory.tools.sides import ExpectedSides, check_variant


def C8(sigma2: Number, T: float, theta: float, floor: float, workers: int, alpha: float) -> Number:
    """sqrt(T) sqrt(2 sigma^2 theta + s epsilon d)/(sqrt(s) alpha) (Chen et al., Theorem 17, p. 14), of sigma2's type.

    floor = epsilon d, alpha_t = alpha/sqrt(T), s workers.
    """
    return (2 * sigma2 * theta + workers * floor) ** 0.5 * (T * (0 * sigma2 + 1) / workers) ** 0.5 / alpha


def C9(theta: Number, alpha: float) -> Number:
    """sqrt(2 theta)/alpha (Chen et al., Theorem 17, p. 14), of theta's type."""
    return (2 * theta) ** 0.5 / alpha


def C8_along(run: Trajectory, variant: str = "corrected") -> float:
    """C8 of a run. unconditional : with A5 as printed, 3 sigma^2 theta for 2 sigma^2 theta."""
    alpha, theta = run.practical()
    sigma2 = 1.5 * run.sigma2 if variant == "unconditional" else run.sigma2
    return C8(sigma2, run.T, theta, run.epsilon * run.d, run.workers, alpha)


def C9_along(run: Trajectory) -> float:
    """C9 of a run."""
    alpha, theta = run.practical()
    return C9(theta, alpha)


def lemma_40(run: Trajectory, variant: str = "corrected") -> ExpectedSides:
    """X^2 <= (C8 + C9 X) E sum_{t<=T} ||grad f(x_t)||^2_etahat,  X = E sqrt(sum_t ||grad f(x_t)||^2).

    **Assumptions** A3, theta_t = 1 - theta/T, alpha_t = alpha/sqrt T, and A5 as E_t||g_t - grad f(x_t)||^2 <= sigma^2.
    HOLDS as printed in the appendix. (Lemma 20 forgets the sum over t and cites it as Lemma 41.)
    unconditional : A5 as printed, E||g_t - grad f(x_t)||^2 <= sigma^2; 3 sigma^2 theta for 2 sigma^2 theta in C8.
    left, right : () arrays.
    """
    check_variant("Lemma 40", variant, "unconditional")
    constant, slope = C8_along(run, variant), C9_along(run)
    return run.in_expectation(
        "Lemma 40",
        variant,
        lambda X, weighted: (X**2, (constant + slope * X) * weighted),
        run.root_of_squared_gradients,
        run.weighted_gradient.sum(axis=0),
    )
