"""Lemma 33 (p. 30): the steps of Lemma 31 added up. With Lemma 35 it is Lemma 5 (p. 9)."""

from __future__ import annotations

from theory.chen_2022.lemmas.lemma_31 import C2
from theory.chen_2022.lemmas.lemma_32 import factor
from theory.chen_2022.restrictions import Restrictions
from theory.chen_2022.trajectory import Trajectory
from theory.tools.positive import Number
from theory.tools.sides import ExpectedSides, check_variant


def C3(r: Restrictions, L: float, G: float, C1: Number, sharp: bool = False) -> Number:
    """C0/(sqrt(C1) (1-sqrt gamma)) [ C0^2 chi_1 L/(C1 (1-sqrt gamma)^2) + C2 G ] (Chen et al., Lemma 33, p. 31).

    Of C1's type. sharp : C3', of the sharp parts of Lemmas 31 and 32, for one beta_t = beta.
    """
    return r.C0 / (C1**0.5 * r.one_minus_sqrt_gamma) * (factor(r, C1, sharp) * L + C2(r, C1, sharp) * G)


def C3_along(run: Trajectory, variant: str = "corrected") -> float:
    """C3 of a run's restrictions and constants."""
    r = run.restrictions
    return C3(r, run.L, run.G, r.C1, run.is_sharp(variant, "sharp Lemma 33"))


def lemma_33(run: Trajectory, variant: str = "corrected") -> ExpectedSides:
    """sum_{i<=t} M_i <= C3 E sum_{i<=t} chi_i omega_i - (1-beta)/2 E sum_{i<=t} ||grad f(x_i)||^2_etahat, t = 1..T.

    **Assumptions** A2, A3, R1-R3, and A4 as E_t||g_t||^2 <= G^2. HOLDS as printed (Eq. 52's last "=" is "<=").
    sharp : one beta_t = beta for all t, C3 of the sharp Lemmas 31 and 32. left, right : (T,).
    """
    check_variant("Lemma 33", variant, "sharp")
    constant, gain = C3_along(run, variant), (1 - run.restrictions.beta) / 2
    return run.in_expectation(
        "Lemma 33",
        variant,
        lambda M, omega, weighted: (M, constant * omega - gain * weighted),
        run.descent.cumsum(axis=0),
        (run.chi[:, None] * run.omega).cumsum(axis=0),
        run.weighted_gradient.cumsum(axis=0),
    )
