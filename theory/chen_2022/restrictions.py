"""Restrictions R1-R3 (p. 7-8) over a horizon T: the constants beta, C0, theta', gamma and C1 that every bound uses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from reference.families import Family
from reference.schedules import ApproachOne, BiasCorrected, Constant, PowerDecay, Schedule
from theory.constants import ConditionError
from theory.tools.sequences import Summary, chunks, complement, limit, summarize, theta_and_complement


@dataclass(frozen=True)
class Restrictions:
    """The constants of R1-R3 and Eq. 6 (p. 7-8), over t = 1..T.

    R1: 0 <= beta_t <= beta < 1.  R2: 0 < theta_t < 1, non-decreasing.
    R3: a_t <= chi_t <= C0 a_t with chi_t = alpha_t/sqrt(1-theta_t), a_t non-increasing.
    Eq. 6: gamma = beta^2/theta' < 1, C1 = prod_j min(1, theta_j/theta') <= 1.
    """

    T: int
    beta: float  # max of beta_t
    theta_1: float
    C0: float  # the smallest there is, max_{i<=t} chi_t/chi_i; with a_t = min_{i<=t} chi_i
    chi_1: float
    theta_prime: float
    one_minus_gamma: float  # (theta' - beta^2)/theta', rounded once
    log_C1: float  # natural logarithm; C1 itself may underflow

    @property
    def gamma(self) -> float:
        return self.beta**2 / self.theta_prime

    @property
    def C1(self) -> float:
        return math.exp(self.log_C1)

    @property
    def one_minus_sqrt_gamma(self) -> float:
        return one_minus_root(self.one_minus_gamma)


def restrictions(
    family: Family, T: int, *, L: float | None = None, G: float | None = None, theta_prime: float | None = None
) -> Restrictions:
    """R1-R3 over t = 1..T, with the best constants there are.

    theta' is the one given (beta^2 < theta' < 1; over a finite horizon every such value is allowed, since Lemma 27
    then holds with C1 = prod_j min(1, theta_j/theta')). Otherwise: with L and G the minimiser of C3 (Theorem 2);
    without them theta_1 where beta^2 < theta_1, so that C1 = 1, and else the maximiser of sqrt(C1) (1 - sqrt gamma).

    ConditionError naming t where R1 or R2 fails at some t <= T, or where no theta' > beta^2 is allowed. O(T) time,
    no more memory than a chunk in all but contrived cases.

    >>> from reference.families import bias_corrected_adam
    >>> r = restrictions(bias_corrected_adam(), 1000)
    >>> round(r.C0, 2), round(r.gamma, 4), r.C1
    (5.22, 0.8108, 1.0)
    """
    return of_summary(family, summarize(family, T), L=L, G=G, theta_prime=theta_prime)


def of_summary(
    family: Family,
    summary: Summary,
    *,
    L: float | None = None,
    G: float | None = None,
    theta_prime: float | None = None,
) -> Restrictions:
    """`restrictions`, from a pass already made."""
    if summary.violations:
        raise ConditionError(str(min(summary.violations.values(), key=lambda violation: violation.t)))
    beta = summary.beta
    C0, closed = summary.C0, smallest_C0(family)
    if closed is not None and closed * (1 + 1e-9) >= C0:  # over t <= T it is no larger, and has no rounding in it
        C0 = min(C0, closed)
    if theta_prime is None:
        theta_prime = best_theta_prime(family, summary, C0, L, G)
    elif not beta**2 < theta_prime < 1:
        raise ConditionError(f"theta' = {theta_prime:.6g}; needed is beta^2 = {beta**2:.6g} < theta' < 1 (p. 8)")
    return Restrictions(
        summary.T, beta, summary.theta_1, C0, summary.chi_1, theta_prime,
        one_minus_ratio(Fraction(beta) ** 2, Fraction(float(theta_prime))), log_C1(family, summary.T, theta_prime),
    )  # fmt: skip


def one_minus_ratio(small: Fraction, large: Fraction) -> float:
    """1 - small/large, rounded once: 1 - gamma keeps its digits however close gamma is to 1."""
    return float((large - small) / large)


def one_minus_root(one_minus_gamma: float) -> float:
    """1 - sqrt(gamma) = (1 - gamma)/(1 + sqrt(gamma)), without cancellation."""
    return one_minus_gamma / (1 + math.sqrt(1 - one_minus_gamma))


def log_C1(family: Family, T: int, theta_prime: float) -> float:
    """ln C1 = sum_{t<=T} min(0, ln(theta_t/theta')) (Eq. 6, p. 8), theta_t non-decreasing."""
    parts = []
    for t in chunks(T):
        below = ((1 - theta_prime) - complement(family.theta, t)) / theta_prime  # theta_t/theta' - 1
        parts.append(float(np.log1p(np.minimum(below, 0)).sum()))
        if below[-1] >= 0:
            break
    return math.fsum(parts)


def smallest_C0(family: Family) -> float | None:
    """The smallest C0 of R3 over every t >= 1 in closed form; inf where R3 fails, None where it is not known.

    alpha_t = eta/t^s, theta_t = 1 - a/max(t, K)^r: chi_t is non-increasing iff r <= 2s (Eq. 8, p. 10), and unbounded
    otherwise.
    Bias-corrected Adam (Remark 1, p. 4), step eta/t^s: 1 where s >= 1/2 or theta <= beta; for s = 0 and theta > beta
    chi_t is proportional to h(t) = sqrt(1-theta^t)/(1-beta^t), which dips once and returns to 1: 1/min h.
    """
    powers = exponents(family)
    if powers is not None:
        s, r = powers
        return 1.0 if r <= 2 * s else math.inf
    corrected = bias_correction(family)
    if corrected is not None:
        s, beta, theta = corrected
        if s >= 0.5 or theta <= beta:
            return 1.0
        if s == 0:
            return 1 / _lowest(beta, theta)
    return None


def bias_correction(family: Family) -> tuple[float, float, float] | None:
    """(s, beta, theta) where alpha_t is eta/t^s sqrt(1-theta^t)/(1-beta^t) and theta_t = theta (Remark 1, p. 4)."""
    alpha = family.alpha
    if not (isinstance(alpha, BiasCorrected) and alpha.shape == () and isinstance(family.theta, Constant)):
        return None
    s, beta, theta = _power_of(alpha.step), float(np.asarray(alpha.beta)), float(np.asarray(alpha.theta))
    return (s, beta, theta) if s is not None and theta == float(np.asarray(family.theta.value)) else None


def exponents(family: Family) -> tuple[float, float] | None:
    """(s, r) where alpha_t is eta/t^s and 1 - theta_t is a/max(t, K)^r; constants count as exponent 0."""
    theta, s = family.theta, _power_of(family.alpha)
    if s is None or (isinstance(theta, Schedule) and theta.shape != ()):
        return None
    if isinstance(theta, Constant):
        return s, 0.0
    return (s, float(np.asarray(theta.r))) if isinstance(theta, ApproachOne) else None


def _power_of(alpha: object) -> float | None:
    if isinstance(alpha, Constant) and alpha.shape == ():
        return 0.0
    return float(np.asarray(alpha.exponent)) if isinstance(alpha, PowerDecay) and alpha.shape == () else None


def _lowest(beta: float, theta: float) -> float:
    """min_{t>=1} sqrt(1-theta^t)/(1-beta^t) for theta > beta.

    d/dt ln h = q_theta/2 - q_beta with q_c(t) = |ln c|/(c^{-t} - 1); q_theta/q_beta increases: one change of sign.
    """
    if beta == 0:
        return math.sqrt(1 - theta)
    rate = {c: -math.log(c) for c in (beta, theta)}

    def rises(t: float) -> bool:
        u, w = rate[theta] * t, rate[beta] * t
        return w > 700 or rate[theta] / math.expm1(u) / 2 > rate[beta] / math.expm1(w)

    low, high = 0, 1
    while not rises(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if rises(middle) else (middle, high)
    return min(math.sqrt(-math.expm1(-rate[theta] * t)) / -math.expm1(-rate[beta] * t) for t in {max(low, 1), high})


def best_theta_prime(family: Family, summary: Summary, C0: float, L: float | None, G: float | None) -> float:
    """The theta' of `restrictions`. ln C3 is convex in ln theta', with kinks at theta' = theta_j: golden section.

    With N(theta') = #{j: theta_j < theta'}, sqrt(C1)(1 - sqrt gamma) and C1 (1 - gamma) both fall, and C3 rises, where
    N (sqrt(theta') - beta) >= beta. So only the thetas up to the first that passes this test matter.
    """
    beta, theta_1 = summary.beta, summary.theta_1
    if beta == 0 or (beta**2 < theta_1 and (L is None or G is None)):
        return theta_1  # C1 = 1; with beta = 0 nothing else depends on theta'
    theta, enough = _prefix(family.theta, summary.T, beta)
    top = theta[-1] if enough else max(theta[-1], np.nextafter(limit(family.theta) or 0.0, 0.0))
    if not beta**2 < top:
        raise ConditionError(
            f"theta_t <= {top:.6g} <= beta^2 = {beta**2:.6g} for t <= {summary.T}: "
            f"no theta' with gamma = beta^2/theta' < 1 (R2, p. 7)"
        )
    sums = np.concatenate(([0.0], np.cumsum(np.log(theta))))  # of ln theta_j, j <= N

    def objective(z: float) -> float:
        """ln C3 up to a constant, or -ln(sqrt(C1)(1 - sqrt gamma)); z = ln theta'"""
        N = int(np.searchsorted(theta, math.exp(z)))
        log_gamma = 2 * math.log(beta) - z
        if log_gamma >= 0:
            return math.inf
        log_C1 = float(sums[N]) - N * z
        log_P = log_C1 / 2 + math.log(-math.expm1(log_gamma / 2))
        if L is None or G is None:
            return -log_P
        log_Q = log_C1 + math.log(-math.expm1(log_gamma))
        log_b = math.log(beta / (1 - beta)) - (log_Q + math.log(theta_1)) / 2
        terms = [math.log(2 * G) - log_P + 2 * float(np.logaddexp(log_b, 0))]
        if L > 0:
            terms.append(math.log(C0**2 * summary.chi_1 * L) - 3 * log_P)
        return float(np.logaddexp.reduce(terms))

    z = _golden(objective, max(2 * math.log(beta), math.log(theta_1)), math.log(top))
    N = int(np.searchsorted(theta, math.exp(z)))
    near = theta[max(0, N - 2) : N + 2]  # the kinks on either side
    as_good = [
        prime for prime in near.tolist() if prime > beta**2 and objective(math.log(prime)) <= objective(z) + 1e-13
    ]
    return min(as_good, key=lambda prime: objective(math.log(prime)), default=min(math.exp(z), float(top)))


def _prefix(theta, T: int, beta: float) -> tuple[NDArray[np.float64], bool]:
    """theta_1..theta_j with j the first that satisfies j (sqrt(theta_j) - beta) >= beta; else all T, and False."""
    parts = []
    for t in chunks(T):
        found, _ = theta_and_complement(theta, t)
        passes = t * (np.sqrt(found) - beta) >= beta
        if passes.any():
            parts.append(found[: int(np.argmax(passes)) + 1])
            return np.concatenate(parts), True
        parts.append(found)
    return np.concatenate(parts), False


def _golden(function, low: float, high: float) -> float:
    """Minimiser of a convex function on [low, high], to rounding."""
    ratio = (math.sqrt(5) - 1) / 2
    first, second = high - ratio * (high - low), low + ratio * (high - low)
    at_first, at_second = function(first), function(second)
    while high - low > 1e-15 * max(1.0, abs(low)) and low < first < second < high:
        if at_first <= at_second:
            high, second, at_second = second, first, at_first
            first = high - ratio * (high - low)
            at_first = function(first)
        else:
            low, first, at_first = first, second, at_second
            second = low + ratio * (high - low)
            at_second = function(second)
    return min((low, first, second, high), key=function)
