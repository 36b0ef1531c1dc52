"""Intervals, slopes and verdicts: what a finite number of replicas allows one to say about a claim.

Every interval carries its error, the probability that it misses, at most, and its basis: what that error rests on.
A claim *holds* where the whole interval measured agrees with it. It is *violated* only where an interval that is exact,
or valid for every distribution, contradicts it as a whole. Otherwise one *cannot tell*. Student's intervals and the
bootstrap's are nominal: where replicas are skewed they miss more often than they say, so they violate nothing.

A suite of n claims that is to raise a false alarm once in 10^4 runs or rarer gives each an n-th of that error
(Bonferroni: no independence is needed). Counted are the claims that chance could violate: not those without chance, not
those that are true whatever is measured, not those that no finite number of runs can violate. Such are an O(), since a
slope above its exponent may be a transient, and the upper limit of a mean whose summands have no known upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from theory.tools import betting

Verdict = Literal["holds", "cannot tell", "violated"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)  # from good to bad
Basis = Literal["exact", "every distribution", "nominal"]
Side = Literal["both", "lower", "upper"]
Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]

FALSE_ALARMS = 1e-4  # of a whole suite
RESAMPLES = 8000
ROUNDING = 1e-9  # relative, by which a value may lie beyond a bound that every value keeps

# for a page that shows verdicts
PROMISE = (
    f"The chance that anything true on this page is called violated is at most {FALSE_ALARMS:g}, over all of it, "
    "whatever the distribution of the runs: a claim is violated only by an interval that is exact or valid for every "
    "distribution (means: by betting; medians and shares: by counting). A claim may hold by a nominal interval, "
    "Student's or the bootstrap's, which says so beside its error: it can miss more often than that where runs are "
    "skewed. Claims that nothing measured could violate take no share of the error; they are marked."
)


def error_per_claim(claims: int, total: float = FALSE_ALARMS) -> float:
    """The error each of so many claims may have, for `total` over all of them (Bonferroni).

    >>> error_per_claim(20)
    5e-06
    """
    if claims < 1:
        raise ValueError(f"claims must be 1 or more; got {claims}")
    return _checked_error(total) / claims


@dataclass(frozen=True)
class Interval:
    """[low, high] around an estimate; one side is infinite where the interval is one-sided.

    Attributes
    ----------
    estimate, low, high : float
    error : float
        The probability that the truth lies outside, at most.
    sample_size : int
        The replicas it rests on.
    basis : str
        "exact": there is no chance in it. "every distribution": the error is kept whatever the replicas' distribution.
        "nominal": it is kept for normal replicas, or for many.
    """

    estimate: float
    low: float
    high: float
    error: float
    sample_size: int
    basis: Basis = "nominal"

    def __str__(self) -> str:
        if self.basis == "exact":
            return f"{self.estimate:.4g} exactly"
        words = ", nominal" if self.basis == "nominal" else ""
        return f"{self.estimate:.4g} in [{self.low:.4g}, {self.high:.4g}] (error {self.error:.2g}{words})"


@dataclass(frozen=True)
class Claim:
    """A statement, its verdict, and the numbers behind it.

    Attributes
    ----------
    statement : str
    verdict : str
        One of VERDICTS.
    measured : Interval
        What is shown, and what "holds" rests on.
    expected : tuple[float, float]
        The range claimed.
    reason : str
    vacuous : bool
        The statement is true whatever is measured, such as a bound above what every algorithm meets.
    refutable : bool
        Whether anything that runs could show would violate it.
    topic : str
        What the claim is a case of, as a plain sentence that says no verdict. Claims of one topic are told together.
    """

    statement: str
    verdict: Verdict
    measured: Interval
    expected: tuple[float, float]
    reason: str
    vacuous: bool = False
    refutable: bool = True
    topic: str = ""

    @property
    def mark(self) -> str:
        """What stands beside the verdict of a claim that nothing could violate; empty for the others."""
        return "vacuous" if self.vacuous else "" if self.refutable else "cannot be violated"

    def as_json(self) -> dict[str, Any]:
        """Strict JSON: an open side is null."""

        def closed(*values: float) -> list[float | None]:
            return [value if math.isfinite(value) else None for value in values]

        return {
            "statement": self.statement,
            "topic": self.topic,
            "verdict": self.verdict,
            "vacuous": self.vacuous,
            "can_be_violated": self.refutable and not self.vacuous,
            "measured": closed(self.measured.estimate)[0],
            "interval": closed(self.measured.low, self.measured.high),
            "expected": closed(*self.expected),
            "error": self.measured.error,
            "basis": self.measured.basis,
            "replicas": self.measured.sample_size,
            "reason": self.reason,
        }

    def __str__(self) -> str:
        return f"{self.verdict:11}  {self.statement}: {self.reason}"


def exact(value: float) -> Interval:
    """A number without chance in it, as of a run without noise; that there is none is for the caller to know.

    >>> print(exact(0.5))
    0.5 exactly
    """
    return Interval(value, value, value, 0.0, 1, "exact")


def bounded_mean_interval(values: ArrayLike, error: float, low: float = 0.0, high: float = math.inf) -> Interval:
    """E from independent replicas, shape (R,), that all lie in [low, high], whatever their distribution (by betting).

    Two-sided, half of the error on each side, where `high` is finite; else the lower limit alone, with all of it: no
    number of replicas bounds a mean from above if any value, however large, may be rare. ValueError where a value lies
    outside [low, high] by more than rounding.

    >>> print(bounded_mean_interval([0.5] * 256, error=1e-4, high=1.0))
    0.5 in [0.4754, 0.5246] (error 0.0001)
    """
    values, R = _one_number_a_replica(values)
    error = _checked_error(error)
    slack = ROUNDING * (max(abs(low), abs(high)) if math.isfinite(high) else abs(low))
    if values.min() < low - slack or values.max() > high + slack:
        raise ValueError(
            f"the values must lie in [{low:.6g}, {high:.6g}]; they reach from {values.min():.6g} to {values.max():.6g}"
        )
    each = error / 2 if math.isfinite(high) else error
    least = low + float(betting.lower_limit(np.maximum(values - low, 0.0), each))
    most = high - float(betting.lower_limit(np.maximum(high - values, 0.0), each)) if math.isfinite(high) else math.inf
    return Interval(float(values.mean()), least, most, error, R, "every distribution")


def mean_interval(values: ArrayLike, error: float, side: Side = "both") -> Interval:
    """Student's interval for E from independent replicas, shape (R,): mean -+ t_{R-1} s/sqrt R.

    side : "lower" gives [low, inf), "upper" (-inf, high], each with the whole error on its side.

    Exact for normal replicas and nominal for others: skewness shifts errors from one side to the other, and the lower
    limits of average gradient norms (bump, d = 10) missed 24 to 75 times too often at errors 1e-4 and 1e-5. It narrows
    what is drawn and what *holds*; nothing is violated by it (`bounded_mean_interval`).

    >>> print(mean_interval([1.0, 2.0, 3.0], error=0.05))
    2 in [-0.4841, 4.484] (error 0.05, nominal)
    """
    values, R = _one_number_a_replica(values)
    spread = float(values.std(ddof=1)) / math.sqrt(R)
    return _student(float(values.mean()), spread, R, error, side)


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
    return Interval(
        float(np.median(ordered)), float(ordered[k - 1]), float(ordered[R - k]), error, R, "every distribution"
    )


def share_interval(successes: int, trials: int, error: float) -> Interval:
    """A probability from independent trials, two-sided (Clopper and Pearson).

    >>> print(share_interval(8, 10, error=0.05))
    0.8 in [0.4439, 0.9748] (error 0.05)
    """
    counted = stats.binomtest(successes, trials).proportion_ci(1 - _checked_error(error), "exact")
    return Interval(successes / trials, float(counted.low), float(counted.high), error, trials, "every distribution")


def bootstrap(
    values: ArrayLike,
    statistic: Statistic,
    error: float,
    side: Side = "both",
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
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


def quotient(over: Interval, under: Interval) -> Interval:
    """over/under of two positive numbers; it misses where one of them does.

    >>> print(quotient(Interval(6.0, 5.0, 8.0, 0.02, 9), Interval(2.0, 1.0, 4.0, 0.01, 9)))
    3 in [1.25, 8] (error 0.03, nominal)
    """
    basis: Basis = "nominal" if "nominal" in (over.basis, under.basis) else "every distribution"
    ends = (over.estimate / under.estimate, over.low / under.high, over.high / under.low if under.low else math.inf)
    return Interval(*ends, over.error + under.error, over.sample_size, basis)


def root(interval: Interval, power: int) -> Interval:
    """The interval of the power-th root of what cannot be negative; it misses exactly where the given one does.

    >>> print(root(Interval(4.0, 1.0, 9.0, 0.01, 9), 2))
    2 in [1, 3] (error 0.01, nominal)
    """
    if power == 1:
        return interval
    estimate, low, high = (max(0.0, x) ** (1 / power) for x in (interval.estimate, interval.low, interval.high))
    return replace(interval, estimate=estimate, low=low, high=high)


def at_most(
    statement: str, values: ArrayLike, bound: float, error: float, largest: float = math.inf, power: int = 1
) -> Claim:
    """(E X)^(1/power) <= bound for X >= 0: *violated* where the lower limit by betting exceeds the bound.

    Parameters
    ----------
    values : array_like (R,)
        Independent replicas of X: of squares, say, where power is 2 and the claim is about a root mean square.
    largest : float
        What X^(1/power) never exceeds, if known: then the upper limit, by which the claim holds, is valid for every
        distribution too, and each limit carries half of the error. Else Student's interval is shown, and the claim may
        hold by it. Values that exceed it all the same show that it is not known.
    """
    largest = largest**power
    if np.max(values) > largest * (1 + ROUNDING):
        largest = math.inf
    certain = bounded_mean_interval(values, error, 0.0, largest)
    if math.isfinite(largest):
        return within(statement, root(certain, power), -math.inf, bound)
    return within(statement, root(mean_interval(values, error), power), -math.inf, bound, root(certain, power))


def decays(statement: str, steps: ArrayLike, values: ArrayLike, exponent: float, error: float) -> Claim:
    """E = O(T^exponent): *holds* where the fitted slope's upper limit is at or below it, otherwise *cannot tell*.

    The error, nominal, is all on the upper side.
    """
    interval = log_slope(steps, values, error, "upper")
    verdict: Verdict = "holds" if interval.high <= exponent else "cannot tell"
    sense = "at or below" if verdict == "holds" else "above"
    reason = (
        f"fitted slope {interval.estimate:.4f}, upper limit {interval.high:.4f} (error {error:.2g}, nominal) {sense} "
        f"the exponent {exponent:.4f}" + ("" if verdict == "holds" else "; over finite T that can be a transient")
    )
    return Claim(statement, verdict, interval, (-math.inf, exponent), reason, refutable=False)


def within(statement: str, interval: Interval, low: float, high: float, certain: Interval | None = None) -> Claim:
    """low <= truth <= high: *holds* where the interval lies inside, *violated* where a certain one lies outside.

    Parameters
    ----------
    certain : Interval, optional
        An interval for the same number that is exact or valid for every distribution. The interval itself is one unless
        it is nominal; where there is none the claim cannot be violated.
    """
    if not low <= high:
        raise ValueError(f"the range claimed must satisfy low <= high; got [{low}, {high}]")
    if certain is None and interval.basis != "nominal":
        certain = interval
    if certain is not None and certain.basis == "nominal":
        raise ValueError("a certain interval must be exact or valid for every distribution; got a nominal one")
    # an open side contradicts nothing
    refutable = certain is not None and (
        (math.isfinite(high) and certain.low > -math.inf) or (math.isfinite(low) and certain.high < math.inf)
    )
    inside = low <= interval.low and interval.high <= high
    verdict: Verdict
    if certain is not None and (certain.low > high or certain.high < low):
        verdict, relation = "violated", "outside"
    elif inside:
        verdict, relation = "holds", "inside"
    else:
        outside = interval.low > high or interval.high < low
        verdict, relation = "cannot tell", "outside" if outside else "only partly inside"
    claimed = f"[{low:.4g}, {high:.4g}]".replace("[-inf, ", "(-inf, ").replace(", inf]", ", inf)")
    reason = f"measured {interval}, {relation} {claimed}"
    if certain is not None and certain is not interval and refutable:
        reason += f"; valid for every distribution: [{certain.low:.4g}, {certain.high:.4g}]"
    if not refutable:
        reason += "; no interval valid for every distribution could contradict it"
    return Claim(statement, verdict, interval, (low, high), reason, refutable=refutable)


def _student(estimate: float, spread: float, R: int, error: float, side: str) -> Interval:
    if side not in get_args(Side):
        raise ValueError(f"side must be one of both, lower, upper; got {side!r}")
    reach = spread * float(stats.t.isf(_checked_error(error) / (2 if side == "both" else 1), R - 1))
    low = -math.inf if side == "upper" else estimate - reach
    high = math.inf if side == "lower" else estimate + reach
    return Interval(estimate, low, high, error, R)


def _one_number_a_replica(values: ArrayLike) -> tuple[NDArray[np.float64], int]:
    values = _checked(values)
    if values.ndim != 1:
        raise ValueError(f"values must have shape (R,), one number a replica; got {values.shape}")
    return values, len(values)


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(values, np.float64)
    if values.ndim < 1 or values.shape[-1] < 2:
        raise ValueError(f"values must have shape (..., R), one number a replica, R >= 2; got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"values must be finite for an interval; {np.count_nonzero(~np.isfinite(values))} are not")
    return values


def _checked_error(error: float) -> float:
    if not 0 < error < 0.5:
        raise ValueError(f"error must be a probability in (0, 1/2); got {error}")
    return error
