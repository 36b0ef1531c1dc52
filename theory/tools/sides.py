"""A lemma as its two sides: sure ones to rounding, those in expectation with an interval over replicas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]

# What float64 sums of some thousand terms may lose, relative to the terms: nearer than this, two sides count as equal.
ROUNDING = 1e-12
CONFIDENCE = 0.9999  # of an interval, for all the entries of a lemma together

Verdict = Literal["holds", "violated", "cannot tell"]


def check_variant(lemma: str, variant: str, *others: str) -> None:
    """ValueError for a variant that the lemma has not: "corrected" and `others`."""
    if variant != "corrected" and variant not in others:
        raise ValueError(f"variant = {variant!r}; {lemma} has {', '.join(('corrected', *others))}")


@dataclass(frozen=True)
class Sides:
    """A statement that holds surely: left <= right, or left = right, entry by entry.

    left, right : float64 arrays of one shape. scale : size of the terms that the sides are sums of, |left| + |right|
    where it is not given. slack = right - left; residual = |slack| / scale.
    """

    lemma: str
    variant: str
    left: Array
    right: Array
    kind: Literal["<=", "="] = "<="
    scale: ArrayLike | None = None

    @property
    def slack(self) -> Array:
        return self.right - self.left

    @property
    def _scale(self) -> Array:
        given = np.abs(self.left) + np.abs(self.right) if self.scale is None else np.asarray(self.scale)
        return np.broadcast_to(given, np.shape(self.slack))

    @property
    def residual(self) -> Array:
        size = np.abs(self.slack)
        with np.errstate(divide="ignore"):
            return np.divide(size, self._scale, out=np.zeros_like(size), where=size > 0)

    @property
    def holds(self) -> bool:
        """To ROUNDING times scale, in every entry. False where a side is not a number, or the left one is infinite."""
        shortfall = np.abs(self.slack) if self.kind == "=" else -self.slack
        return bool(np.all(np.isfinite(self.left) & (shortfall <= ROUNDING * self._scale)))

    @property
    def verdict(self) -> Verdict:
        return "holds" if self.holds else "violated"


@dataclass(frozen=True)
class ExpectedSides:
    """A statement in expectation: left <= right, each a function of means over replicas.

    left, right : (...), the sides at the sample means, or exact. standard_error : (...), of slack = right - left,
    by the jackknife, so that both sides' common noise cancels; 0 where exact. replicas : R; None where every outcome
    was enumerated.
    """

    lemma: str
    variant: str
    left: Array
    right: Array
    standard_error: Array
    replicas: int | None
    confidence: float = CONFIDENCE

    @property
    def slack(self) -> Array:
        return self.right - self.left

    @property
    def interval(self) -> tuple[Array, Array]:
        """(low, high) of slack: Student's t with R - 1 degrees of freedom, all entries together (Bonferroni)."""
        if self.replicas is None:
            return self.slack, self.slack
        if self.replicas == 1:
            return np.full_like(self.slack, -np.inf), np.full_like(self.slack, np.inf)
        from scipy import stats  # here, so that a bound is evaluated without it

        tail = (1 - self.confidence) / (2 * np.size(self.slack))
        half = stats.t.isf(tail, self.replicas - 1) * self.standard_error
        return self.slack - half, self.slack + half

    @property
    def verdicts(self) -> NDArray[np.str_]:
        """One verdict an entry: violated where the whole interval is below 0 (to rounding), holds where none of it."""
        low, high = self.interval
        zero = -ROUNDING * (np.abs(self.left) + np.abs(self.right))
        return np.where(high < zero, "violated", np.where(low >= zero, "holds", "cannot tell"))

    @property
    def verdict(self) -> Verdict:
        """violated where one entry is, holds where all do."""
        verdicts = self.verdicts
        if np.any(verdicts == "violated"):
            return "violated"
        return "holds" if np.all(verdicts == "holds") else "cannot tell"


def in_expectation(
    lemma: str,
    variant: str,
    probabilities: Array | None,
    sides: Callable[..., tuple[ArrayLike, ArrayLike]],
    *statistics: Array,
) -> ExpectedSides:
    """sides(*means) of the statistics' means over replicas, with the standard error of right - left.

    statistics : arrays (..., R), one number a replica in the last axis. sides : has to work on means with one more
    leading axis. probabilities : (R,) of the replicas where they are all the outcomes there are; None for a sample.
    """
    if probabilities is not None:
        left, right = _finite(lemma, sides(*(statistic @ probabilities for statistic in statistics)))
        return ExpectedSides(lemma, variant, left, right, np.zeros_like(left), None)
    left, right = _finite(lemma, sides(*(statistic.mean(axis=-1) for statistic in statistics)))
    R = statistics[0].shape[-1]
    return ExpectedSides(lemma, variant, left, right, jackknife(lambda *means: _slack(sides(*means)), *statistics), R)


def jackknife(function: Callable[..., Array], *statistics: Array) -> Array:
    """Standard error of function(*means): sqrt((R-1)/R sum_r (function without replica r - their mean)^2)."""
    R = statistics[0].shape[-1]
    if R == 1:
        return np.full(np.shape(function(*(statistic[..., 0] for statistic in statistics))), np.inf)
    without = (np.moveaxis((R * s.mean(axis=-1, keepdims=True) - s) / (R - 1), -1, 0) for s in statistics)
    values = function(*without)
    return np.sqrt((R - 1) * np.var(values, axis=0))


def _slack(sides: tuple[ArrayLike, ArrayLike]) -> Array:
    return np.subtract(sides[1], sides[0])


def _finite(lemma: str, sides: tuple[ArrayLike, ArrayLike]) -> tuple[Array, Array]:
    left, right = np.broadcast_arrays(*(np.asarray(side, np.float64) for side in sides))
    for name, side in (("left", left), ("right", right)):
        if not np.isfinite(side).all():
            raise ValueError(
                f"{lemma}: the {name} side is {side[~np.isfinite(side)][0]}; it needs finite L, G, "
                "sigma^2 and f* (A1-A5, pp. 7 and 14)"
            )
    return left, right
