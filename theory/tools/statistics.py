"""Intervals, slopes and verdicts: what a finite number of replicas allows one to say about a claim.

Every interval carries its error: the probability that it misses, nominal where its function says so. A suite of n
claims that is to raise a false alarm once in 10^4 runs or rarer gives each claim a share of that error (Bonferroni: no
independence is needed).

Three verdicts. A claim *holds* where the whole interval agrees with it, is *violated* where the whole interval
contradicts it, and otherwise one *cannot tell*. A finite run cannot refute an O(): a slope above its exponent may be a
transient, so a rate is violated only by a mean above an explicit bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Verdict = Literal["holds", "cannot tell", "violated"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)  # from good to bad
Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]

FALSE_ALARMS = 1e-4  # of a whole suite
RESAMPLES = 8000


def share(claims: int, total: float = FALSE_ALARMS) -> float:
    """The error each of so many claims may have, for `total` over all of them (Bonferroni).

    >>> share(20)
    5e-06
    """
    if claims < 1:
        raise ValueError(f"claims = {claims}; at least 1")
    return _checked_error(total) / claims


@dataclass(frozen=True)
class Interval:
    """[low, high] around an estimate; one side is infinite where the interval is one-sided.

    error : the probability that the truth lies outside. sample_size : replicas it rests on.
    """

    estimate: float
    low: float
    high: float
    error: float
    sample_size: int

    def __str__(self) -> str:
        return f"{self.estimate:.4g} in [{self.low:.4g}, {self.high:.4g}] (error {self.error:.2g})"


@dataclass(frozen=True)
class Finding:
    """A claim, its verdict, and the numbers behind it: the interval measured and the range [low, high] claimed.

    vacuous : the claim is true whatever is measured, such as a bound above what every algorithm meets.
    """

    claim: str
    verdict: Verdict
    measured: Interval
    expected: tuple[float, float]
    reason: str
    vacuous: bool = False

    def as_json(self) -> dict[str, Any]:
        """Strict JSON: an open side is null."""

        def closed(*values: float) -> list[float | None]:
            return [value if math.isfinite(value) else None for value in values]

        return {
            "statement": self.claim,
            "verdict": self.verdict,
            "vacuous": self.vacuous,
            "measured": closed(self.measured.estimate)[0],
            "interval": closed(self.measured.low, self.measured.high),
            "expected": closed(*self.expected),
            "error": self.measured.error,
            "replicas": self.measured.sample_size,
            "reason": self.reason,
        }

    def __str__(self) -> str:
        return f"{self.verdict:11}  {self.claim}: {self.reason}"


def mean_interval(values: ArrayLike, error: float, side: Literal["both", "lower", "upper"] = "both") -> Interval:
    """Student's interval for E from independent replicas, shape (R,): mean -+ t_{R-1} s/sqrt R.

    side : "lower" gives [low, inf), "upper" (-inf, high], each with the whole error on its side.

    Exact for normal replicas; 400,000 simulated intervals with error 1e-4 a side missed 1.0e-4 and 1.1e-4 of the time.
    Skewness s shifts errors from one side to the other as s/sqrt R grows: where s < 0 the lower limit, which alone can
    say that a mean exceeds a bound, lies above the truth more often than promised. For gamma replicas with s = -0.8 and
    errors 1e-3, 1e-4, 1e-5: 5, 8 and 13 times as often at R = 16, 3, 6 and 10 times at R = 64. Average gradient norms
    are about so skewed. So such an error is nominal, and a claim that nearly touches its bound deserves more replicas.

    >>> print(mean_interval([1.0, 2.0, 3.0], error=0.05))
    2 in [-0.4841, 4.484] (error 0.05)
    """
    values = _checked(values)
    if values.ndim != 1:
        raise ValueError(f"values must have shape (R,), one number a replica; got {values.shape}")
    spread = float(values.std(ddof=1)) / math.sqrt(len(values))
    return _student(float(values.mean()), spread, len(values), error, side)


def median_interval(values: ArrayLike, error: float) -> Interval:
    """The population's median from R independent replicas, two-sided, whatever their distribution.

    [k-th smallest, k-th largest], the largest k with 2 P(Binomial(R, 1/2) < k) <= error. ValueError where R is too
    small for any k.
    """
    ordered = np.sort(_checked(values))
    R = len(ordered)
    k = int(stats.binom.ppf(_checked_error(error) / 2, R, 0.5))
    while k > 0 and 2 * stats.binom.cdf(k - 1, R, 0.5) > error:
        k -= 1
    if k == 0:
        raise ValueError(f"{R} replicas are too few for a median's interval with error {error:g}")
    return Interval(float(np.median(ordered)), float(ordered[k - 1]), float(ordered[R - k]), error, R)


def share_interval(successes: int, trials: int, error: float) -> Interval:
    """A probability from independent trials, two-sided (Clopper and Pearson).

    >>> print(share_interval(8, 10, error=0.05))
    0.8 in [0.4439, 0.9748] (error 0.05)
    """
    exact = stats.binomtest(successes, trials).proportion_ci(1 - _checked_error(error), "exact")
    return Interval(successes / trials, float(exact.low), float(exact.high), error, trials)


def bootstrap(
    values: ArrayLike, statistic: Statistic, error: float, side: Literal["both", "lower", "upper"] = "both",
    *, resamples: int = RESAMPLES, seed: int = 0,
) -> Interval:  # fmt: skip
    """An interval for statistic(means), a function of the means of several configurations.

    values : (..., R), the replicas of every configuration; replica i of one is resampled together with replica i of
        the others, so shared draws are accounted for.
    statistic : maps means (..., n) to n numbers, one a resample.

    The interval is estimate -+ t_{R-1} sqrt(R/(R-1)) times the standard deviation of the statistic over the resamples
    (whose variance is short by (R-1)/R): quantiles of the resamples themselves would need 1/error of them and more.
    """
    values = _checked(values)
    R = values.shape[-1]
    counts = np.random.default_rng(seed).multinomial(R, np.full(R, 1 / R), size=resamples)
    spread = float(np.std(statistic(values @ (counts.T / R)), ddof=1)) * math.sqrt(R / (R - 1))
    estimate = float(statistic(values.mean(axis=-1, keepdims=True))[0])
    return _student(estimate, spread, R, error, side)


def slope(abscissae: ArrayLike, ordinates: ArrayLike) -> NDArray[np.float64]:
    """Least squares slope of ordinates (n, ...) against abscissae (n,), shape (...).

    >>> float(slope([0, 1, 2], [5.0, 4.0, 3.0]))
    -1.0
    """
    x, y = np.asarray(abscissae, np.float64), np.asarray(ordinates, np.float64)
    if x.ndim != 1 or x.shape != y.shape[:1] or len(np.unique(x)) < 2:
        raise ValueError(f"a slope needs two or more different abscissae, one ordinate each; got {x} and {y}")
    centred = x - x.mean()
    return np.asarray(centred @ y / (centred @ centred))


def log_slope(steps: ArrayLike, values: ArrayLike, error: float, side: Literal["both", "upper"] = "both") -> Interval:
    """The exponent p of E ~ T^p: the slope of ln(mean) against ln T, bootstrapped over replicas.

    steps : T, (n,). values : (n, R), with positive means. ValueError else.
    """
    steps, values = np.asarray(steps, np.float64), _checked(values)
    if not ((steps > 0).all() and (values.mean(axis=-1) > 0).all()):
        raise ValueError("a power of T needs T > 0 and positive means")
    x = np.log(steps)
    return bootstrap(values, lambda means: slope(x, np.log(means)), error, side)


def at_most(claim: str, values: ArrayLike, bound: float, error: float) -> Finding:
    """E <= bound, an explicit number: *violated* where the mean's lower limit exceeds it.

    Each limit carries half of the error.
    """
    return within(claim, mean_interval(values, error), -math.inf, bound)


def decays(claim: str, steps: ArrayLike, values: ArrayLike, exponent: float, error: float) -> Finding:
    """E = O(T^exponent): *holds* where the fitted slope's upper limit is at or below it, otherwise *cannot tell*."""
    interval = log_slope(steps, values, error, "upper")
    verdict: Verdict = "holds" if interval.high <= exponent else "cannot tell"
    sense = "at or below" if verdict == "holds" else "above"
    reason = (
        f"fitted slope {interval.estimate:.4f}, upper limit {interval.high:.4f} {sense} the exponent {exponent:.4f}"
        + ("" if verdict == "holds" else "; over finite T that can be a transient")
    )
    return Finding(claim, verdict, interval, (-math.inf, exponent), reason)


def within(claim: str, interval: Interval, low: float, high: float) -> Finding:
    """low <= truth <= high: *holds* where the interval lies inside, *violated* where it lies outside."""
    if not low <= high:
        raise ValueError(f"the range claimed must satisfy low <= high; got [{low}, {high}]")
    verdict: Verdict
    if low <= interval.low and interval.high <= high:
        verdict, relation = "holds", "inside"
    elif interval.low > high or interval.high < low:
        verdict, relation = "violated", "outside"
    else:
        verdict, relation = "cannot tell", "only partly inside"
    claimed = f"[{low:.4g}, {high:.4g}]".replace("[-inf, ", "(-inf, ").replace(", inf]", ", inf)")
    reason = f"measured {interval}, {relation} {claimed}"
    return Finding(claim, verdict, interval, (low, high), reason)


def _student(estimate: float, spread: float, R: int, error: float, side: str) -> Interval:
    if side not in ("both", "lower", "upper"):
        raise ValueError(f"side must be both, lower or upper; got {side!r}")
    reach = spread * float(stats.t.isf(_checked_error(error) / (2 if side == "both" else 1), R - 1))
    low = -math.inf if side == "upper" else estimate - reach
    high = math.inf if side == "lower" else estimate + reach
    return Interval(estimate, low, high, error, R)


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(values, np.float64)
    if values.ndim < 1 or values.shape[-1] < 2:
        raise ValueError(f"values must have shape (..., R), one number a replica, with R >= 2; got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(
            f"{np.count_nonzero(~np.isfinite(values))} values are not finite; an interval needs finite ones"
        )
    return values


def _checked_error(error: float) -> float:
    if not 0 < error < 0.5:
        raise ValueError(f"error = {error}; a probability in (0, 1/2) is needed")
    return error
