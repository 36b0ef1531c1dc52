"""alpha_t, beta_t and theta_t of a family over t = 1..T: one pass, with the sums and extremes of the proofs."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reference.families import Family
from reference.schedules import Sequence, as_schedule

CHUNK = 1 << 16  # steps evaluated together: they stay in the cache
ROUNDING = 2**-50  # theta_t that falls by less, relative to 1 - theta_t, counts as level
LEVEL = 2**-48  # chi_t that rises by less, relative to itself, counts as level
LONGEST = 600.0  # seconds; a pass that would take longer is refused
_TRIED, _WORTH_A_WORD, _PAUSE = 1.0, 5.0, 10.0  # seconds before a pass is judged, told of, and told of again


@dataclass(frozen=True)
class Violation:
    """The first t at which a sequence leaves what R1, R2 or Algorithm 1 allow."""

    t: int
    name: str  # alpha_t, beta_t or theta_t
    value: float
    limit: str

    def __str__(self) -> str:
        return f"{self.name} must satisfy {self.limit}; got {self.value:.6g} at t = {self.t}"


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


def chunks(T: int, clock: Callable[[], float] = time.monotonic) -> Iterator[NDArray[np.int64]]:
    """1..T in pieces. What takes more than a few seconds says on standard error when it will end.

    Raises
    ------
    ValueError
        After a second, where the pass would take more than `LONGEST` seconds.
    """
    begin, told, judged = clock(), -math.inf, False
    for first in range(1, T + 1, CHUNK):
        done = min(first + CHUNK, T + 1) - 1
        yield np.arange(first, done + 1)
        spent = clock() - begin
        if spent < _TRIED or done == T:
            continue
        whole = spent * T / done
        if not judged and whole > LONGEST:
            raise ValueError(
                f"T must be small enough for a pass over t = 1..T of at most {LONGEST / 60:g} minutes, about "
                f"{LONGEST / whole * T:.1g} steps here; got T = {T:.6g}, which would take {_duration(whole)}"
            )
        judged = True
        if whole > _WORTH_A_WORD and spent - told >= _PAUSE and sys.stderr is not None:
            told = spent
            share = f"{100 * done / T:.0f} % of the {T:.3g} steps summed"
            print(f"{share}, about {_duration(whole - spent)} left", file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(1, round(seconds))} s"


def values(sequence: Sequence | None, t: NDArray[np.int64], name: str) -> NDArray[np.float64]:
    """The sequence at an array of t, one configuration; TypeError or ValueError with its name where it has none."""
    return _one_configuration(as_schedule(sequence, name)(t), t, name)


def _one_configuration(found: NDArray[np.float64], t: NDArray[np.int64], name: str) -> NDArray[np.float64]:
    if found.shape not in ((), t.shape):
        raise ValueError(
            f"{name} must have one number for each step, hence one configuration; got shape {found.shape} for "
            f"{t.size} steps"
        )
    return np.broadcast_to(found, t.shape)


def complement(theta: Sequence | None, t: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 - theta_t, without cancellation where the schedule knows how."""
    schedule = as_schedule(theta, "theta_t")
    found = 1 - schedule(t) if schedule.shape else schedule.complement(t.astype(np.float64))
    return _one_configuration(found, t, "theta_t")


def theta_and_complement(
    theta: Sequence | None, t: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(theta_t, 1 - theta_t), neither formed from the other where that would cost digits."""
    co = complement(theta, t)
    near_0 = co > 0.5
    return (np.where(near_0, values(theta, t, "theta_t"), 1 - co) if near_0.any() else 1 - co), co


def chi(family: Family, t: NDArray[np.int64]) -> NDArray[np.float64]:
    """chi_t = alpha_t/sqrt(1-theta_t) (R3, p. 7)."""
    return values(family.alpha, t, "alpha_t") / np.sqrt(complement(family.theta, t))


def trend(sequence: Callable[[NDArray[np.int64]], NDArray[np.float64]], T: int) -> str | None:
    """What the first T values do, up to rounding: constant, non-increasing, non-decreasing, or None of these."""
    falls = rises = False
    last: float | None = None
    for t in chunks(T):
        found = sequence(t)
        before = np.concatenate((found[:1] if last is None else [last], found[:-1]))
        margin = LEVEL * np.abs(before)
        falls = falls or bool((found < before - margin).any())
        rises = rises or bool((found > before + margin).any())
        last = float(found[-1])
        if falls and rises:
            return None
    return "non-increasing" if falls else "non-decreasing" if rises else "constant"


def summarize(family: Family, T: int, *, sharp: bool = False) -> Summary:
    """One pass over t = 1..T; O(T) time, O(1) memory. sharp: with the two sums only the sharp variant needs.

    Sums are pairwise within a chunk and exact (fsum) across chunks.
    """
    if isinstance(T, bool) or not isinstance(T, int | np.integer):
        raise TypeError(f"T must be an integer, the number of steps; got {T!r}")
    if T < 1:
        raise ValueError(f"T must satisfy T >= 1, the number of steps; got {T}")
    family.require(("alpha", "beta", "theta"), "adam")
    violations: dict[str, Violation] = {}
    noise, inverse, logarithm = [], [], []
    beta_1 = theta_1 = theta_T = chi_1 = alpha_T = math.nan
    beta_max, constant = 0.0, True
    last = 1.0  # 1 - theta_t at the end of the chunk before
    lowest, lowest_at = math.inf, 0  # a_t and where it was reached
    C0, C0_at = 1.0, (1, 1)

    def report(
        t: NDArray[np.int64], name: str, bad: NDArray[np.bool_], found: NDArray[np.float64], allowed: str
    ) -> None:
        if bad.any() and name not in violations:
            k = int(np.argmax(bad))
            violations[name] = Violation(int(t[k]), name.split()[0], float(found[k]), allowed)

    for t in chunks(T):
        alpha, beta = values(family.alpha, t, "alpha_t"), values(family.beta, t, "beta_t")
        theta, co = theta_and_complement(family.theta, t)
        report(t, "alpha_t", ~((alpha > 0) & (alpha < np.inf)), alpha, "alpha_t > 0 and be finite (Algorithm 1, p. 4)")
        report(t, "beta_t", ~((beta >= 0) & (beta < 1)), beta, "0 <= beta_t <= beta < 1 (R1, p. 7)")
        report(t, "theta_t", ~((co > 0) & (theta > 0)), theta, "0 < theta_t < 1 (R2, p. 7)")
        falls = co > np.concatenate(([last], co[:-1])) * (1 + ROUNDING)
        report(t, "theta_t decreases", falls, theta, "theta_t >= theta_(t-1), non-decreasing (R2, p. 7)")
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
        ratios = alpha / root
        if t[0] == 1:
            chi_1 = float(ratios[0])
        a = np.minimum(np.minimum.accumulate(ratios), lowest)
        rise = ratios / a
        highest = float(rise.max())
        if highest > C0 * (1 + LEVEL):  # a pair that attains it, no artefact of rounding: the first within LEVEL
            k = int(np.argmax(rise >= highest * (1 - LEVEL)))
            at = lowest_at if a[k] == lowest else int(t[np.argmax(ratios == a[k])])
            C0, C0_at = highest, (at, int(t[k]))
        elif C0 > 1:
            C0 = max(C0, highest)
        if a[-1] < lowest:
            lowest, lowest_at = float(a[-1]), int(t[np.argmax(ratios == a[-1])])
        noise.append(float((alpha * root).sum()))
        if sharp:
            inverse.append(float((1 / alpha).sum()))
            logarithm.append(float(-(a * np.where(co > 0.5, np.log(theta), np.log1p(-co))).sum()))
    return Summary(
        int(T), violations, beta_max, constant, theta_1, theta_T, alpha_T, chi_1, C0, C0_at,
        math.fsum(noise), math.fsum(inverse) if sharp else None, math.fsum(logarithm) if sharp else None,
    )  # fmt: skip
