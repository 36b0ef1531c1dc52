"""Errata in the restrictions, in sec. 3.2-3.4, and in Corollaries 7, 10 and 13 (p. 7-13)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reference import MeanOfWorkers, families, problems, run
from reference.families import Practical
from theory.chen_2022.corollary_7 import constant_theta_limit, corollary_7, fixed_theta_1
from theory.chen_2022.corollary_10 import corollary_10, rate
from theory.chen_2022.corollary_13 import corollary_13
from theory.chen_2022.errata.erratum import Evidence, erratum
from theory.chen_2022.errata.trajectories import noisy_run
from theory.chen_2022.lemmas import lemma_29
from theory.chen_2022.restrictions import restrictions
from theory.chen_2022.theorem_2 import theorem_2
from theory.constants import ConditionError, Constants
from theory.statement import Variant

_GIVEN = Constants(L=2.0, G=3.0, d=4, gap=3.2)
_FORMS: tuple[Variant, Variant] = ("printed", "corrected")


@erratum(
    "E4",
    "R3, text (p. 8, twice)",
    printed="chi_t non-decreasing",
    corrected="non-increasing",
)
def direction_of_chi() -> Evidence:
    """The paper's own example (p. 8): alpha_t = eta/sqrt t, constant theta."""
    alpha, _, theta = families.generic(eta=0.1, s=0.5, a=0.01, r=0, beta=0.9).at(np.arange(1, 1001))
    chi = alpha / np.sqrt(1 - theta)
    return Evidence(
        bool(np.all(np.diff(chi) >= 0)),
        bool(np.all(np.diff(chi) <= 0)),
        f"theta_t = .99, alpha_t = .1/sqrt t: chi_t falls from {chi[0]:.4g} at t = 1 to {chi[-1]:.4g} at t = 1000",
    )


@erratum(
    "E6",
    "proof of Lemma 27 (p. 24)",
    printed="theta_j >= theta' for j >= N, < for j < N",
    corrected="for j > N, for j <= N",
)
def around_N() -> Evidence:
    """N is the last j with theta_j < theta', so theta_N is still below theta'."""
    prime = 0.95
    theta = families.generic(eta=0.1, s=0.5, a=1, r=1, K=2, beta=0.9).at(np.arange(1, 101))[2]
    N = int(np.flatnonzero(theta < prime)[-1]) + 1  # as t
    return Evidence(
        bool(theta[N - 1] >= prime),
        bool(np.all(theta[N:] >= prime) and np.all(theta[:N] < prime)),
        f"theta_t = 1 - 1/max(t, 2), theta' = {prime}: N = {N} and theta_N = {theta[N - 1]:.4f} < theta'",
    )


@erratum(
    "E11",
    "Corollary 7 (p. 9)",
    printed="Bound(T) in Theorem 2",
    corrected="the square of Theorem 2's bound",
)
def square_of_the_bound() -> Evidence:
    """Corollary 7's Bound(T) at a constant theta beside Theorem 2's bound and its square."""
    bound = theorem_2(families.constant(0.1, 0.5, 0.99), 10_000, _GIVEN, 0.01).value
    defined = corollary_7(10_000, _GIVEN, 0.01, eta=0.1, s=0.0, theta=0.99, beta=0.5).bound
    return Evidence(
        math.isclose(defined, bound, rel_tol=1e-9),
        math.isclose(defined, bound**2, rel_tol=1e-9),
        f"Bound(T) = {defined:.5g}; Theorem 2 bounds by {bound:.5g}, whose square is {bound**2:.5g}",
    )


@erratum(
    "E12",
    "sec. 3.4, item 2 (p. 12)",
    printed="the bound is decreasing in s",
    corrected="increasing in s",
)
def direction_in_s() -> Evidence:
    """Corollary 7's bound at four exponents s of the step size."""
    exponents = (0.0, 0.25, 0.5, 0.75)
    bounds = [corollary_7(10_000, _GIVEN, 0.01, eta=0.1, s=s, theta=0.99, beta=0.5).bound for s in exponents]
    return Evidence(
        bool(np.all(np.diff(bounds) <= 0)),
        bool(np.all(np.diff(bounds) >= 0)),
        "Bound(10^4) at s = 0, .25, .5, .75: " + ", ".join(f"{bound:.3g}" for bound in bounds),
    )


@erratum(
    "E13",
    "sec. 3.4, item 3 (p. 12)",
    printed="C, C' do not depend on theta, so Bound -> 0 as theta -> 1",
    corrected="C0 >= 2^-s sqrt((1-theta_1)/(1-theta)) and C' ~ C0^5: it grows",
)
def constants_free_of_theta() -> Evidence:
    """Corollary 7's leading constant as theta -> 1: with theta_1 held fixed, and with theta_1 = theta."""
    found = [fixed_theta_1(theta, 0.9, _GIVEN, 0.01, eta=0.1, s=0.0, beta=0.5) for theta in (0.9, 0.99, 0.999, 0.9999)]
    principal = [one.principal for one in found]
    limit = constant_theta_limit(_GIVEN, 0.01, eta=0.1, beta=0.5)
    family = families.constant(0.1, 0.5, 1 - 1e-8)
    near = theorem_2(family, 10, _GIVEN, 0.01).constants["C'"] * math.sqrt(1e-8)
    return Evidence(
        principal[-1] < principal[0],
        bool(np.all(np.diff(principal) > 0)) and math.isclose(near, limit, rel_tol=1e-2),
        "C' sqrt(1-theta) with theta_1 = .9 and theta = .9, .99, .999, .9999: "
        + ", ".join(f"{one:.2g}" for one in principal)
        + f" (C0 = {', '.join(f'{one.C0:.3g}' for one in found)}); with theta_1 = theta it tends to {limit:.3g}, not 0",
    )


@erratum(
    "E14",
    "Table 1, Remark 11 (p. 10-11), sec. 3.4, 5.1",
    printed="theta_t = 1 - 1/t",
    corrected="theta_t = 1 - 1/max(t, 2)",
)
def theta_1_is_zero() -> Evidence:
    """AdaEMA's theta as printed and as mended: which of them Theorem 2 accepts."""

    def printed_theta(t: ArrayLike) -> NDArray[np.float64]:
        return 1 - 1 / np.asarray(t, np.float64)

    mended_family = families.ada_ema(0.1)
    printed_family, theta_1 = replace(mended_family, theta=printed_theta), float(printed_theta(1))
    try:
        theorem_2(printed_family, 1000, _GIVEN, 0.01)
        accepted = True
    except ConditionError:
        accepted = False
    mended = theorem_2(mended_family, 1000, _GIVEN, 0.01)
    printed_v1 = theta_1 * 0.01 + (1 - theta_1) * 0.0**2  # theta_1 v_0 + (1 - theta_1) g_1^2 at g_1 = 0
    return Evidence(
        accepted and printed_v1 > 0,
        math.isfinite(mended.log10_value),
        f"theta_1 = 1 - 1/t = {theta_1:g} at t = 1; C' has 1/theta_1, and v_1 = g_1^2 is {printed_v1:g} where g_1 = 0; "
        f"with max(t, 2) the bound at T = 1000 is {mended.value:.3g}",
    )


@erratum(
    "E15",
    "App. C (p. 37)",
    printed="||grad f(x_tau)||^2 <= the rates",
    corrected="E||grad f(x_tau)|| <= the rates",
)
def norm_and_not_its_square() -> Evidence:
    """The power of T that Theorem 2's bound falls with, far out, and that of its square."""
    r, s, low, high = 0.5, 0.5, 10**5, 10**6
    family = families.generic(0.1, s, 0.5, r, beta=0.0)
    bounds = [corollary_10(family, T, replace(_GIVEN, gap=0.0), 0.01).value for T in (low, high)]
    power = math.log(bounds[1] / bounds[0]) / math.log(high / low)
    claimed = -rate(r, s).exponent
    return Evidence(
        2 * power <= claimed,
        abs(power - claimed) < 0.01,
        f"r = s = .5: the bound on E||grad f(x_tau)|| falls as T^{power:.4f}, so what the proof has of the square "
        f"falls as T^{2 * power:.4f}; printed for the square is T^{claimed:g}, which is the norm's",
        "printed looser",
    )


@erratum(
    "E16",
    "sec. 5.1 (p. 19)",
    printed="s fixed, smaller r is faster",
    corrected="r fixed, smaller s is faster",
)
def faster_with_smaller() -> Evidence:
    """Exponents of Corollary 10: a larger one is faster."""
    in_r = [rate(r, 0.5).exponent for r in (0.25, 0.5, 0.75)]
    in_s = [rate(0.8, s).exponent for s in (0.4, 0.6, 0.8)]
    return Evidence(
        bool(np.all(np.diff(in_r) <= 0)),
        bool(np.all(np.diff(in_s) <= 0) and in_s[-1] < in_s[0]),
        f"exponents at s = .5, r = .25, .5, .75: {in_r}: larger r is faster; at r = .8, s = .4, .6, .8: "
        f"{[round(exponent, 3) for exponent in in_s]}: smaller s is not slower",
    )


@erratum(
    "E17",
    "Corollary 13 (p. 13), App. D, App. F",
    printed="gamma = beta/(1-theta/T)",
    corrected="gamma = beta^2/(1-theta/T)",
)
def gamma_without_square() -> Evidence:
    """C6 with either gamma; Lemma 29, where gamma comes from, on a run with beta^2."""
    moments = lemma_29(noisy_run())  # m_t^2 <= v_t/(C1 (1-gamma) (1-theta_t)), where gamma comes from
    ratios = []
    for beta in (0.5, 0.9, 0.99):
        printed, corrected = (corollary_13(10_000, _GIVEN, 0.01, Practical(1.0, beta, 1.0), v) for v in _FORMS)
        ratios.append(printed.constants["C6"] / corrected.constants["C6"])
    return Evidence(
        min(ratios) >= 1,
        moments.holds,
        "Lemma 29 holds on a run with gamma = beta^2/theta'; C6 printed/corrected at beta = .5, .9, .99 and theta = 1: "
        + ", ".join(f"{ratio:.3g}" for ratio in ratios),
        "printed looser",
    )


@erratum(
    "E18",
    "Corollary 13, C5 (p. 13)",
    printed="4 C6 d alpha/sqrt(theta)",
    corrected="4 C6 d alpha sqrt(theta)",
)
def last_term_of_C5() -> Evidence:
    """theta = 3T/4 is allowed; f' = 1/2 up to a far end, skewed noise whose large values shrink their own steps."""
    T, replicas = 10_000, 300
    problem = problems.TaperedLinear(slope=0.5, taper=50.0, reach=0.0, noise=problems.TwoPoint(high=3.5, p=0.3))
    alpha, theta = math.sqrt(T), 0.75 * T
    given, practical = Constants.of(problem), Practical(alpha, 0.0, theta)
    printed, corrected = (corollary_13(T, given, 5.5, practical, variant).value for variant in _FORMS)
    made = run(
        MeanOfWorkers(problem, seed=0),
        np.tile(problem.start, (replicas, 1)),
        families.practical(T, alpha, 0, theta),
        T,
        epsilon=5.5,
        average=["gradient_norm"],
    ).averages["gradient_norm"]
    mean, error = float(made.mean()), float(made.std(ddof=1) / math.sqrt(replicas))
    return Evidence(
        mean - 5 * error <= printed,
        mean + 5 * error <= corrected,
        f"theta = 3T/4, T = {T}, {replicas} replicas: measured {mean:.4f} (standard error {error:.0e}); bound printed "
        f"{printed:.3f}, corrected {corrected:.3g}",
    )


@erratum(
    "E30",
    "R3, Remark 1 (p. 4, 8)",
    printed="(no C0 given; 1 is read)",
    corrected="C0 = 1 if s >= 1/2 or theta <= beta, else up to (1-theta)^(s-1/2)",
)
def C0_of_bias_correction() -> Evidence:
    """C0 of default Adam, for which the paper gives none and 1 is read, and of Adam with steps eta/sqrt t."""
    adam = restrictions(families.bias_corrected_adam(), 100_000)
    rising = restrictions(families.bias_corrected_adam(s=0.5), 100_000)
    return Evidence(
        adam.C0 <= 1,
        math.isclose(adam.C0, 6.569, rel_tol=1e-3) and rising.C0 == 1,
        f"default Adam (.9, .999): chi_t dips and returns, so C0 = {adam.C0:.4g}; "
        f"with steps eta/sqrt t C0 = {rising.C0:g}",
        if_not="printed not derivable",
    )
