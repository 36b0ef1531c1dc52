"""Limits by betting: kept for every distribution, monotone, and as narrow as such limits can be."""

import math

import numpy as np
import pytest
from scipy import stats

from theory.tools.betting import STAKES, log_wealth, lower_limit, upper_limit

FALSE_ALARM = 1e-6  # of a test below, were the error kept with equality


def two_point(rare, large):
    """Mean 1: `large` with probability `rare`, else what is left."""
    small = (1 - rare * large) / (1 - rare)
    return lambda rng, shape: np.where(rng.random(shape) < rare, large, small)


POPULATIONS = {  # all of mean 1, X >= 0
    "skewed to the right": lambda rng, shape: rng.exponential(size=shape) ** 2 / 2,
    "skewed to the left": lambda rng, shape: (1 - rng.beta(0.5, 2.0, shape)) / 0.8,
    "nearly normal": lambda rng, shape: np.abs(1 + 0.05 * rng.standard_normal(shape)),
    "two-point": two_point(0.1, 5.0),
    "often 0": two_point(0.5, 2.0),
    "a rare 0": lambda rng, shape: (rng.random(shape) > 0.35) / 0.65,
    "a rare event": two_point(1e-3, 900.0),
}


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize(("error", "trials", "R"), [(1e-2, 40_000, 16), (1e-3, 100_000, 16), (1e-4, 200_000, 12)])
def test_the_mean_is_missed_no_more_often_than_stated(population, error, trials, R):
    """By the wealth at the true mean: the limit lies above it exactly where that reaches 1/error."""
    values = POPULATIONS[population](np.random.default_rng(7), (trials, R))
    missed = sum(int((log_wealth(part, 1.0) >= -math.log(error)).sum()) for part in np.split(values, 100))
    assert missed <= stats.binom.isf(FALSE_ALARM, trials, error)


def test_the_limit_lies_above_the_mean_where_the_wealth_there_is_large():
    values = POPULATIONS["a rare 0"](np.random.default_rng(3), (3000, 8))
    missed = lower_limit(values, 0.3) > 1.0
    np.testing.assert_array_equal(missed, log_wealth(values, 1.0) > -math.log(0.3))
    assert 0.01 < missed.mean() < 0.3  # and it does happen: the test above could fail


def test_student_would_be_refused():
    """The same count for Student's lower limit on a population skewed to the left: far too many."""
    trials, R, error = 100_000, 16, 1e-3
    values = POPULATIONS["a rare 0"](np.random.default_rng(7), (trials, R))
    spread = values.std(axis=1, ddof=1) / math.sqrt(R)
    missed = int((values.mean(axis=1) - stats.t.isf(error, R - 1) * spread > 1.0).sum())
    assert missed > stats.binom.isf(FALSE_ALARM, trials, error)


@pytest.mark.parametrize("error", [1e-2, 1e-4, 1e-7])
@pytest.mark.parametrize("R", [2, 16, 256])
def test_equal_values_leave_a_width_that_no_valid_limit_could_do_without(R, error):
    """W(m) by hand; and an atom at 0 of probability 1 - error^(1/R) stays unseen with probability error."""
    low = float(lower_limit(np.full(R, 3.0), error))
    wealth = sum((1 + stake * (3.0 / low - 1)) ** R for stake in STAKES) / len(STAKES)
    assert wealth == pytest.approx(1 / error, rel=1e-6)
    assert low < 3.0 * error ** (1 / R)
    assert low > 3.0 * (error / len(STAKES)) ** (1 / R)  # the whole stake alone would reject this


def test_the_wealth_has_expectation_one():
    """Exactly, over all outcomes of three replicas, for every mean of a two-point distribution."""
    p, values = 0.3, (0.5, 4.0)
    outcomes = np.array(np.meshgrid(*[values] * 3)).reshape(3, -1).T
    weights = np.where(outcomes == 4.0, p, 1 - p).prod(axis=1)
    mean = p * 4.0 + (1 - p) * 0.5
    assert weights @ np.exp(log_wealth(outcomes, mean)) == pytest.approx(1, rel=1e-12)
    assert weights @ np.exp(log_wealth(outcomes, mean * 0.9)) > 1.01


@pytest.mark.parametrize("population", POPULATIONS)
def test_the_wealth_falls_as_the_mean_grows(population):
    values = POPULATIONS[population](np.random.default_rng(0), 20)
    wealth = log_wealth(np.tile(values, (200, 1)), np.geomspace(1e-3, 1e3, 200))
    assert (np.diff(wealth) <= 0).all()


def test_scale_order_and_rows_do_not_matter():
    rng = np.random.default_rng(1)
    values = rng.exponential(size=(3, 5, 40))
    found = lower_limit(values, 1e-3)
    assert found.shape == (3, 5)
    assert found[2, 1] == lower_limit(values[2, 1], 1e-3)
    np.testing.assert_array_equal(found, lower_limit(rng.permuted(values, axis=-1), 1e-3))
    np.testing.assert_allclose(1e200 * found, lower_limit(1e200 * values, 1e-3), rtol=1e-12)
    np.testing.assert_allclose(1e-200 * found, lower_limit(1e-200 * values, 1e-3), rtol=1e-12)


def test_the_upper_limit_is_the_lower_ones_mirror():
    values = np.random.default_rng(2).random((4, 30))
    largest = np.array([1.0, 1.5, 2.0, 4.0])
    found = upper_limit(values, largest, 1e-3)
    for row, c, limit in zip(values, largest, found, strict=True):
        assert c - limit == pytest.approx(float(lower_limit(c - row, 1e-3)), rel=1e-12)
        assert row.mean() < limit < c


def test_corners():
    assert lower_limit(np.zeros(9), 0.01) == 0
    assert 0 < lower_limit([0.0] * 15 + [1.0], 1e-9) < 1e-9
    assert lower_limit(np.ones((0, 4)), 0.1).shape == (0,)
    for error in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match=r"must lie in \(0, 1\)"):
            lower_limit([1.0, 2.0], error)
    for value in (-1e-300, math.nan):
        with pytest.raises(ValueError, match="0 or more"):
            lower_limit([1.0, value], 0.1)
