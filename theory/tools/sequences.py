"""alpha_t, beta_t and theta_t of a family over t = 1..T: one pass, with the sums and extremes of the proofs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference.families import Family
from reference.schedules import ApproachOne, Constant, Schedule, Sequence

CHUNK = 1 << 16  # steps evaluated together: they stay in the cache
ROUNDING = 2**-50  # theta_t that falls by less, relative to 1 - theta_t, counts as level


@dataclass(frozen=True)
class Violation:
    """The first t at which a sequence leaves what R1, R2 or Algorithm 1 allow."""

    t: int
    name: str  # alpha_t, beta_t or theta_t
    value: float
    limit: str

    def __str__(self) -> str:
        return f"{self.name} = {self.value:.6g} at t = {self.t}; needed is {self.limit}"


@dataclass(frozen=True)
class Summary:
    """What one pass over t = 1..T finds; chi_1, C0 and sums over the terms before an alpha_t or theta_t out of range.

    chi_t = alpha_t/sqrt(1-theta_t) and a_t = min_{i<=t} chi_i (R3, p. 7).
    """

    T: int
    violations: dict[str, Violation]  # by "alpha_t", "beta_t", "theta_t", "theta_t decreases"
    beta: float  # max beta_t
    constant_beta: bool
    theta_1: float
    theta_T: float
    alpha_T: float
    chi_1: float
    C0: float  # max_{i<=t} chi_t/chi_i
    C0_at: tuple[int, int]  # the pair (i, t) that attains it
    sum_noise: float  # sum alpha_t sqrt(1-theta_t)
    sum_inverse: float | None  # sum 1/alpha_t
    sum_log: float | None  # sum a_t ln(1/theta_t)


def chunks(T: int) -> Iterator[NDArray[np.int64]]:
    """1..T in pieces."""
    for first in range(1, T + 1, CHUNK):
        yield np.arange(first, min(first + CHUNK, T + 1))


def values(sequence: Sequence, t: NDArray[np.int64]) -> NDArray[np.float64]:
    """The sequence at an array of t, one configuration."""
    if not callable(sequence):
        raise TypeError(
            f"{sequence!r} is no sequence; allowed is a function of t, such as schedules.Constant({sequence!r})"
        )
    found = np.asarray(sequence(t), np.float64)
    if found.shape not in ((), t.shape):
        raise ValueError(
            f"a sequence gave shape {found.shape} for {t.size} steps at once; allowed is one number, or one a step "
            "(one configuration)"
        )
    return np.broadcast_to(found, t.shape)


def complement(theta: Sequence, t: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 - theta_t, without cancellation where the schedule knows how."""
    if isinstance(theta, Schedule) and theta.shape == ():
        return np.broadcast_to(theta.complement(t.astype(np.float64)), t.shape)
    return 1 - values(theta, t)


def theta_and_complement(theta: Sequence, t: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(theta_t, 1 - theta_t), neither formed from the other where that would cost digits."""
    co = complement(theta, t)
    near_0 = co > 0.5
    return (np.where(near_0, values(theta, t), 1 - co) if near_0.any() else 1 - co), co


def limit(theta: Sequence) -> float | None:
    """lim theta_t where it is known in closed form."""
    if isinstance(theta, ApproachOne):
        return 1.0 if np.all(np.asarray(theta.r) > 0) else float(1 - np.asarray(theta.a))
    return float(np.asarray(theta.value)) if isinstance(theta, Constant) else None


def summarize(family: Family, T: int, *, sharp: bool = False) -> Summary:
    """One pass over t = 1..T; O(T) time, O(1) memory. sharp: with the two sums only the sharp variant needs.

    Sums are pairwise within a chunk and exact (fsum) across chunks.
    """
    if isinstance(T, bool) or not isinstance(T, int | np.integer):
        raise TypeError(f"T = {T!r}; allowed is an integer")
    if T < 1:
        raise ValueError(f"T = {T}; allowed is an integer T >= 1, the number of steps")
    violations: dict[str, Violation] = {}
    noise, inverse, logarithm = [], [], []
    beta_1 = theta_1 = theta_T = chi_1 = alpha_T = math.nan
    beta_max, constant = 0.0, True
    last = 1.0  # 1 - theta_t at the end of the chunk before
    lowest, lowest_at = math.inf, 0  # a_t and where it was reached
    C0, C0_at = 1.0, (1, 1)

    def report(t, name, bad, found, allowed):
        if bad.any() and name not in violations:
            k = int(np.argmax(bad))
            violations[name] = Violation(int(t[k]), name.split()[0], float(found[k]), allowed)

    for t in chunks(T):
        alpha, beta = values(family.alpha, t), values(family.beta, t)
        theta, co = theta_and_complement(family.theta, t)
        report(t, "alpha_t", ~((alpha > 0) & (alpha < np.inf)), alpha, "a finite alpha_t > 0 (Algorithm 1, p. 4)")
        report(t, "beta_t", ~((beta >= 0) & (beta < 1)), beta, "0 <= beta_t <= beta < 1 (R1, p. 7)")
        report(t, "theta_t", ~((co > 0) & (theta > 0)), theta, "0 < theta_t < 1 (R2, p. 7)")
        falls = co > np.concatenate(([last], co[:-1])) * (1 + ROUNDING)
        report(t, "theta_t decreases", falls, theta, "theta_t non-decreasing (R2, p. 7)")
        if t[0] == 1:
            beta_1, theta_1 = float(beta[0]), float(theta[0])
        beta_max = max(beta_max, float(beta.max()))
        constant = constant and bool((beta == beta_1).all())
        last, theta_T, alpha_T = float(co[-1]), float(theta[-1]), float(alpha[-1])
        undefined = [violations[name].t for name in ("alpha_t", "theta_t") if name in violations]
        if undefined:  # chi_t is not defined there
            defined = t < min(undefined)
            if not defined.any():
                continue
            t, alpha, theta, co = t[defined], alpha[defined], theta[defined], co[defined]
        root = np.sqrt(co)
        chi = alpha / root
        if t[0] == 1:
            chi_1 = float(chi[0])
        a = np.minimum(np.minimum.accumulate(chi), lowest)
        ratio = chi / a
        k = int(np.argmax(ratio))
        if ratio[k] > C0:
            at = lowest_at if a[k] == lowest else int(t[np.argmax(chi == a[k])])
            C0, C0_at = float(ratio[k]), (at, int(t[k]))
        if a[-1] < lowest:
            lowest, lowest_at = float(a[-1]), int(t[np.argmax(chi == a[-1])])
        noise.append(float((alpha * root).sum()))
        if sharp:
            inverse.append(float((1 / alpha).sum()))
            logarithm.append(float(-(a * np.where(co > 0.5, np.log(theta), np.log1p(-co))).sum()))
    return Summary(
        int(T), violations, beta_max, constant, theta_1, theta_T, alpha_T, chi_1, C0, C0_at,
        math.fsum(noise), math.fsum(inverse) if sharp else None, math.fsum(logarithm) if sharp else None,
    )  # fmt: skip
