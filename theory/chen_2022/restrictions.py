"""Restrictions R1-R3 (p. 7-8) over a horizon T: the constants beta, C0, theta', gamma and C1 that every bound uses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from reference.families import Family
from reference.schedules import PowerLaw, Sequence, as_schedule
from reference.search import golden
from theory.constants import ConditionError
from theory.tools.sequences import CHUNK, LEVEL, Summary, chunks, complement, summarize, theta_and_complement


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

    ConditionError naming t where R1 or R2 fails at some t <= T. O(T) time, no more memory than a chunk in all but
    contrived cases.

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
        raise ConditionError(f"theta' must satisfy beta^2 = {beta**2:.6g} < theta' < 1 (p. 8); got {theta_prime:.6g}")
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
    """The smallest C0 of R3 (p. 7) over every t >= 1 in closed form; inf where R3 fails, None where it is not known.

    Constant theta_t: chi_t is proportional to alpha_t, whose schedule knows its own rise.
    alpha_t = eta/(t + c)^s, 1 - theta_t = a/max(t + c', K)^r: chi_t = eta/sqrt(a) max(t + c', K)^(r/2)/(t + c)^s.
    While t + c' < K it falls. From there on d/dt ln chi_t = (r/2)/(t + c') - s/(t + c), whose sign is that of
    (r/2) c - s c' - (s - r/2) t: for r > 2s it rises without bound, and R3 fails; for r < 2s it rises up to
    t* = ((r/2) c - s c')/(s - r/2), if that comes at all, and falls for good; for r = 2s it rises to its limit
    eta/sqrt(a) where c > c', and falls where c <= c'. So for equal shifts, c = c' (Eq. 8, p. 10, has 0), chi_t is
    non-increasing and C0 = 1 iff r <= 2s, whatever K and c; in the other cases the rise is that between the
    integers next to K - c' and next to t*.
    r = 2s is meant up to the rounding of r and s.
    """
    alpha, theta = as_schedule(family.alpha), as_schedule(family.theta)
    if theta.constant() is not None:
        return alpha.rise()
    step, noise = alpha.power_law(), theta.complement_power_law()
    if step is None or noise is None or step.floor > 1 + step.shift:
        return None
    if not at_most(noise.exponent, 2 * step.exponent):
        return math.inf
    return _rise_of_chi(step, noise)


def exponents(family: Family) -> tuple[float, float] | None:
    """(s, r) where alpha_t is eta/(t + c)^s and 1 - theta_t is a/max(t + c', K)^r; constants count as exponent 0."""
    step, noise = as_schedule(family.alpha).power_law(), as_schedule(family.theta).complement_power_law()
    return (step.exponent, noise.exponent) if step and noise else None


def at_most(r: float, twice_s: float) -> bool:
    """r <= 2s, up to the rounding of both."""
    return r <= twice_s or math.isclose(r, twice_s, rel_tol=LEVEL)


def _rise_of_chi(step: PowerLaw, noise: PowerLaw) -> float:
    """max_{i<=t} chi_t/chi_i for r <= 2s; see `smallest_C0`."""
    if step.shift <= noise.shift:
        return 1.0
    half, s = noise.exponent / 2, step.exponent

    def log_chi(t: float) -> float:
        return half * math.log(max(t + noise.shift, noise.floor)) - s * math.log(t + step.shift)

    level = at_most(2 * s, noise.exponent)  # r = 2s
    valley = math.floor(noise.floor - noise.shift)
    turns = [valley, valley + 1]
    if not level:
        peak = (half * step.shift - s * noise.shift) / (s - half)
        turns += [math.floor(peak), math.ceil(peak)]
    heights = [log_chi(t) for t in sorted({max(1, turn) for turn in turns})]
    if level:
        heights.append(0.0)
    return math.exp(max(high - low for k, high in enumerate(heights) for low in heights[: k + 1]))


def best_theta_prime(family: Family, summary: Summary, C0: float, L: float | None, G: float | None) -> float:
    """The theta' of `restrictions`. ln C3 is convex in ln theta', with kinks at theta' = theta_j: golden section.

    With z = ln theta', ln C1 = sum_j min(0, ln theta_j - z), ln(1 - beta e^(-z/2)) and ln(1 - beta^2 e^-z) are concave,
    hence so are ln P = ln(sqrt(C1) (1 - sqrt gamma)) and ln Q = ln(C1 (1 - gamma)); ln C3 is the logarithm of a sum of
    exponentials of convex functions of z.

    With N(theta') = #{j: theta_j < theta'}, sqrt(C1)(1 - sqrt gamma) and C1 (1 - gamma) both fall, and C3 rises, where
    N (sqrt(theta') - beta) >= beta. So only the thetas up to the first that passes this test matter.
    """
    beta, theta_1 = summary.beta, summary.theta_1
    if beta == 0 or (beta**2 < theta_1 and (L is None or G is None)):
        return theta_1  # C1 = 1; with beta = 0 nothing else depends on theta'
    theta, counts, enough = _prefix(family.theta, summary.T, beta)
    known = [float(theta[-1]), np.nextafter(as_schedule(family.theta).limit() or 0.0, 0.0)]
    top = known[0] if enough else max(known)
    numbers = np.concatenate(([0], np.cumsum(counts)))
    sums = np.concatenate(([0.0], np.cumsum(counts * np.log(theta))))  # of ln theta_j, j <= N

    def objective(z: float) -> float:
        """ln C3 up to a constant, or -ln(sqrt(C1)(1 - sqrt gamma)); z = ln theta'"""
        below = int(np.searchsorted(theta, math.exp(z)))
        N = int(numbers[below])
        log_gamma = 2 * math.log(beta) - z
        if log_gamma >= 0:
            return math.inf
        log_C1 = float(sums[below]) - N * z
        log_P = log_C1 / 2 + math.log(-math.expm1(log_gamma / 2))
        if L is None or G is None:
            return -log_P
        log_Q = log_C1 + math.log(-math.expm1(log_gamma))
        log_b = math.log(beta / (1 - beta)) - (log_Q + math.log(theta_1)) / 2
        terms = [math.log(2 * G) - log_P + 2 * float(np.logaddexp(log_b, 0))]
        if L > 0:
            terms.append(math.log(C0**2 * summary.chi_1 * L) - 3 * log_P)
        return float(np.logaddexp.reduce(terms))

    lowest = max(2 * math.log(beta), math.log(theta_1))
    z = golden(objective, lowest, math.log(top)) if lowest < math.log(top) else math.log(top)
    if not enough:  # every theta' < 1 is allowed over t <= T: by convexity a minimum inside stays the minimum
        beyond = golden(objective, max(lowest, math.log(top)), 0.0)
        if objective(beyond) < objective(z) - 1e-13:
            z, top = beyond, np.nextafter(1.0, 0.0)
    N = int(np.searchsorted(theta, math.exp(z)))
    near = theta[max(0, N - 2) : N + 2]  # the kinks on either side
    as_good = [
        prime for prime in near.tolist() if prime > beta**2 and objective(math.log(prime)) <= objective(z) + 1e-13
    ]
    return min(as_good, key=lambda prime: objective(math.log(prime)), default=min(math.exp(z), float(top)))


def _prefix(theta: Sequence | None, T: int, beta: float) -> tuple[NDArray[np.float64], NDArray[np.int64], bool]:
    """theta_1..theta_j with j the first that satisfies j (sqrt(theta_j) - beta) >= beta; else all T, and False.

    A chunk of one value is kept as that value and its count; every other value counts once.
    """
    parts, counts = [], []
    for t in chunks(T):
        found, _ = theta_and_complement(theta, t)
        passes = t * (np.sqrt(found) - beta) >= beta
        enough = bool(passes.any())
        if enough:
            found = found[: int(np.argmax(passes)) + 1]
        whole = found.size == CHUNK and found[0] == found[-1]
        parts.append(found[:1].copy() if whole else found)
        counts.append(np.array([found.size]) if whole else np.ones(found.size, np.int64))
        if enough:
            break
    return np.concatenate(parts), np.concatenate(counts), enough
