"""Limits on a mean that are valid for every distribution, by betting.

For X >= 0 with mean m and a fixed stake lambda in [0, 1] the wealth prod_i (1 + lambda (X_i/m - 1)) of R independent
replicas is never negative and has expectation 1; so has its average W(m) over a fixed prior on lambda. By Markov's
inequality W(m) >= 1/error with probability `error` at most, whatever the distribution of X. Every factor falls as m
grows, so W does: the m that are rejected are those up to one number, and that is the lower limit. It asks for no upper
bound on X. Where X <= c is known, the lower limit of c - X gives the upper limit; where no c is known there is none:
no finite number of replicas excludes a rare value that is large enough to carry the mean.

No limit of this kind is narrower than about ln(1/error)/R of the mean, even where all replicas are equal: an atom at 0
of probability 1 - error^(1/R) stays unseen that often.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

STAKES = 2.0 ** (-np.arange(21) / 2)  # 1, .71, .5, ..., .001, equally likely before anything is seen
_STEPS, _PRECISION = 100, 1e-10  # of ln m
_AT_A_TIME = 2**16  # numbers, whose gains at every stake stay in cache


def log_wealth(values: ArrayLike, mean: ArrayLike) -> NDArray[np.float64]:
    """ln W(mean), shape (...), from replicas (..., R) >= 0 and means (...) > 0.

    >>> float(np.exp(log_wealth([2.0, 2.0, 2.0], 2.0)))
    1.0
    """
    with np.errstate(divide="ignore", over="ignore"):  # a whole stake is lost where X = 0
        gains = np.asarray(values, np.float64) / np.asarray(mean, np.float64)[..., None] - 1
        logs = np.log1p(np.multiply.outer(STAKES, gains)).sum(axis=-1)
    return np.asarray(logsumexp(logs, axis=0) - np.log(len(STAKES)))


def lower_limit(values: ArrayLike, error: float) -> NDArray[np.float64]:
    """What the mean of X >= 0 exceeds, but for a probability of `error` at most; values (..., R) give limits (...).

    Raises
    ------
    ValueError
        Where a value is negative, or the error no probability in (0, 1).
    """
    values = np.asarray(values, np.float64)
    if not 0 < error < 1:
        raise ValueError(f"the error must lie in (0, 1); got {error}")
    if not (values >= 0).all():
        raise ValueError(f"the values must be 0 or more; the smallest is {values.min()}")
    shape, R = values.shape[:-1], values.shape[-1]
    rows = np.sort(values).reshape(-1, R)  # so that the replicas' order changes no bit
    step = max(1, _AT_A_TIME // R)
    parts = [_lower_limits(rows[i : i + step], error) for i in range(0, len(rows), step)]
    return np.concatenate(parts).reshape(shape) if parts else np.zeros(shape)


def upper_limit(values: ArrayLike, largest: ArrayLike, error: float) -> NDArray[np.float64]:
    """What the mean of X <= largest stays below, but for a probability of `error` at most."""
    values, largest = np.asarray(values, np.float64), np.asarray(largest, np.float64)
    return np.asarray(largest - lower_limit(largest[..., None] - values, error))


def _lower_limits(rows: NDArray[np.float64], error: float) -> NDArray[np.float64]:
    """The root of ln W = ln(1/error) in ln m, from its rejected side.

    ln W falls from +inf to 0 or less as m grows from 0 to the replicas' mean. Secants, kept a hundredth of the bracket
    away from its ends, so that both close in, and every third time a bisection.
    """
    found = np.zeros(len(rows))
    positive = np.flatnonzero(rows.any(axis=-1))
    scale = rows[positive].max(axis=-1)
    rows = rows[positive] / scale[:, None]

    def above(log_mean: NDArray[np.float64]) -> NDArray[np.float64]:
        return log_wealth(rows, np.exp(log_mean)) + np.log(error)

    high = np.log(rows.mean(axis=-1))
    reach = np.full(len(rows), 0.125)
    at_low, at_high = above(high - reach), above(high)
    while (short := (reach < 500) & (at_low < 0)).any():
        high, at_high = np.where(short, high - reach, high), np.where(short, at_low, at_high)
        reach = np.where(short, 2 * reach, reach)
        at_low = above(high - reach)
    low = high - reach
    for count in range(_STEPS):
        width = high - low
        if not (width > _PRECISION).any():
            break
        secant = np.clip(at_low / (at_low - at_high), 0.01, 0.99) if count % 3 < 2 else 0.5
        middle = low + width * secant
        at = above(middle)
        rejected, kept = (width > _PRECISION) & (at >= 0), (width > _PRECISION) & (at < 0)
        low, at_low = np.where(rejected, middle, low), np.where(rejected, at, at_low)
        high, at_high = np.where(kept, middle, high), np.where(kept, at, at_high)
    found[positive] = np.exp(low) * scale
    return found
