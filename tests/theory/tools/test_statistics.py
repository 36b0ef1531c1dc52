import json
import math

import numpy as np
import pytest
from scipy import stats

from reference import families, problems
from reference.families import Practical
from theory.chen_2022.corollary_13 import corollary_13
from theory.constants import Constants
from theory.tools.montecarlo import simulate
from theory.tools.statistics import (
    FALSE_ALARMS,
    Interval,
    at_most,
    bootstrap,
    decays,
    log_slope,
    mean_interval,
    median_interval,
    share,
    share_interval,
    slope,
    within,
)

TRIALS = 20_000
Z = stats.norm.isf(0.5e-6)  # a test below fails by chance once in a million


def close_to(count, trials, p):
    """Within chance of p."""
    return abs(count - trials * p) <= Z * math.sqrt(trials * p * (1 - p)) + 1


def power_law(slope, steps, replicas, seed, noise=0.05):
    generator = np.random.default_rng(seed)
    mean = 3.0 * np.asarray(steps, float) ** slope
    return mean[:, None] * (1 + noise * generator.standard_normal((len(steps), replicas)))


STEPS = 2 ** np.arange(8, 16)


def test_students_interval():
    values = np.array([3.0, 5.0, 4.0, 8.0, 1.0, 2.0, 6.0, 7.0, 9.0, 5.0])  # mean 5, sum of squares about it 60
    reach = 2.262157163 * math.sqrt(60 / 9 / 10)  # t_9 at 97.5 %, from a table
    both = mean_interval(values, 0.05)
    assert (both.low, both.high) == (pytest.approx(5 - reach), pytest.approx(5 + reach))
    upper = mean_interval(values, 0.025, "upper")
    assert (upper.low, upper.high) == (-math.inf, pytest.approx(5 + reach))
    lower = mean_interval(values, 0.025, "lower")
    assert (lower.low, lower.high) == (pytest.approx(5 - reach), math.inf)
    assert (both.estimate, both.error, both.sample_size) == (5.0, 0.05, 10)


@pytest.mark.parametrize("error", [0.05, 0.01, 0.001])
def test_the_mean_is_missed_as_often_as_stated(error):
    draws = np.random.default_rng(1).standard_normal((TRIALS, 32))
    centre, spread = draws.mean(axis=1), draws.std(axis=1, ddof=1) / math.sqrt(32)
    one = mean_interval(draws[0], error, "lower")
    reach = (one.estimate - one.low) / spread[0]  # the same multiple of the standard error for all
    assert close_to((centre - reach * spread > 0).sum(), TRIALS, error)
    both = mean_interval(draws[0], error)
    reach = (both.high - both.estimate) / spread[0]
    assert close_to((abs(centre) > reach * spread).sum(), TRIALS, error)


def test_skewed_replicas_make_violations_rarer_not_more_frequent():
    draws = np.random.default_rng(2).exponential(size=(TRIALS, 256)) - 1
    centre, spread = draws.mean(axis=1), draws.std(axis=1, ddof=1) / 16
    reach = stats.t.isf(0.01, 255)
    above = (centre - reach * spread > 0).mean()  # the lower limit exceeds the truth: a false "violated"
    below = (centre + reach * spread < 0).mean()  # the upper limit falls short: a false "holds"
    assert above < 0.01 < below < 0.02
    one = mean_interval(draws[0], 0.01, "lower")
    assert one.low == pytest.approx(centre[0] - reach * spread[0], rel=1e-12)


def test_a_medians_interval():
    # R = 10: P(Binomial(10, 1/2) < 2) = 11/1024, so [2nd smallest, 2nd largest] misses with probability 22/1024
    values = np.random.default_rng(0).permutation(np.arange(1.0, 11.0))
    assert (lambda i: (i.low, i.high, i.estimate))(median_interval(values, 22 / 1024 + 1e-12)) == (2.0, 9.0, 5.5)
    assert median_interval(values, 22 / 1024 - 1e-12).low == 1.0
    with pytest.raises(ValueError, match="10 replicas are too few"):
        median_interval(values, 1e-3)
    draws = np.random.default_rng(3).standard_cauchy((4000, 25))
    intervals = [median_interval(row, 0.05) for row in draws]
    missed = sum(not i.low <= 0 <= i.high for i in intervals)
    k = max(k for k in range(1, 13) if 2 * stats.binom.cdf(k - 1, 25, 0.5) <= 0.05)
    assert close_to(missed, 4000, 2 * stats.binom.cdf(k - 1, 25, 0.5))


def test_a_shares_interval_puts_half_of_the_error_on_each_side():
    interval = share_interval(7, 40, 0.02)
    assert stats.binom.sf(6, 40, interval.low) == pytest.approx(0.01, rel=1e-6)
    assert stats.binom.cdf(7, 40, interval.high) == pytest.approx(0.01, rel=1e-6)


def test_the_bootstrap_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(4).standard_normal(200)
    interval = bootstrap(values, lambda mean: mean, 0.05, resamples=20_000)
    spread = (interval.high - interval.low) / 2 / stats.t.isf(0.025, 199)
    # over all resamples the standard deviation is std(ddof=0)/sqrt R; its own error here is 1/sqrt(2*20000)
    assert spread == pytest.approx(values.std() / math.sqrt(200), rel=Z / math.sqrt(40_000))
    assert interval.estimate == values.mean()


def test_the_bootstrap_keeps_replicas_together():
    shared = np.random.default_rng(5).standard_normal(100)
    paired = bootstrap(np.stack([shared, shared + 1]), lambda means: means[1] - means[0], 0.01)
    assert paired.high - paired.low < 1e-12
    apart = bootstrap(np.stack([shared, shared[::-1] + 1]), lambda means: means[1] - means[0], 0.01)
    assert apart.high - apart.low > 0.3


@pytest.mark.parametrize("side", ["both", "upper"])
def test_a_slope_is_missed_as_often_as_stated(side):
    error, trials, missed = 0.05, 800, 0
    for seed in range(trials):
        interval = log_slope(STEPS[::3], power_law(-0.25, STEPS[::3], 40, seed), error, side)
        missed += not interval.low <= -0.25 <= interval.high
    assert missed <= trials * error * 1.25 + Z * math.sqrt(trials * error)  # 2,000 resamples and R = 40: near nominal
    assert missed >= trials * error / 3


def test_a_rate_that_is_a_little_too_fast_does_not_hold():
    for seed in range(50):
        values = power_law(-0.25, STEPS, 64, seed)
        claimed = {
            p: decays("E||grad f|| = O(T^p)", STEPS, values, p, share(20)) for p in (-0.30, -0.26, -0.235, -0.20)
        }
        assert [claimed[p].verdict for p in (-0.30, -0.20)] == ["cannot tell", "holds"]
        assert claimed[-0.26].verdict == "cannot tell"
        assert claimed[-0.235].verdict == "holds"
        assert "transient" in claimed[-0.30].reason
        assert claimed[-0.30].expected == (-math.inf, -0.30)


def test_a_law_that_is_a_little_wrong_is_violated():
    interval = log_slope(STEPS, power_law(-0.25, STEPS, 64, 0), share(20))
    assert within("slope is -.30 within .02", interval, -0.32, -0.28).verdict == "violated"
    assert within("slope is -.25 within .02", interval, -0.27, -0.23).verdict == "holds"
    assert within("slope is -.25 within 1e-4", interval, -0.2501, -0.2499).verdict == "cannot tell"


def test_a_bound_divided_by_its_looseness_is_violated():
    problem, T, d = problems.Bump(4, problems.Gaussian(1.0)), 200, 4
    measured = simulate(problem, families.practical(T, 1.0, 0.5, 1.0), T, 256, epsilon=1 / d)
    norms = measured.averages["gradient_norm"]
    bound = corollary_13(T, Constants.of(problem), 1 / d, Practical(1.0, 0.5, 1.0)).value
    looseness = bound / norms.mean
    error = share(20)
    assert at_most("Corollary 13", norms.values, bound, error).verdict == "holds"
    assert at_most("too small by 5 %", norms.values, bound / looseness / 1.05, error).verdict == "violated"
    assert at_most("tight to 5 %", norms.values, bound / looseness * 1.05, error).verdict == "holds"
    finding = at_most("as measured", norms.values, bound / looseness, error)
    assert finding.verdict == "cannot tell"
    assert finding.measured.low < norms.mean < finding.measured.high


def test_a_suite_of_true_claims_raises_a_false_alarm_no_more_often_than_stated():
    """20 bounds that hold with equality, the hardest case: P(some `violated`) <= total, half of which is above."""
    total, claims, suites = 0.1, 20, 600
    draws = np.random.default_rng(6).standard_normal((suites, claims, 16)) + 1
    alarms = sum(
        any(at_most("E <= 1", values, 1.0, share(claims, total)).verdict == "violated" for values in suite)
        for suite in draws
    )
    assert close_to(alarms, suites, 1 - (1 - total / claims / 2) ** claims)
    assert alarms < suites * total
    assert share(10) * 10 == pytest.approx(FALSE_ALARMS) == pytest.approx(1e-4)


def test_three_verdicts_and_their_edges():
    interval = mean_interval([0.0, 2.0], 0.3)  # 1 -+ something
    low, high = interval.low, interval.high
    cases = [
        ((low, high), "holds"), ((-math.inf, high), "holds"), ((low, math.inf), "holds"),
        ((low, 1.0), "cannot tell"), ((1.0, 1.0), "cannot tell"), ((high, 9.0), "cannot tell"),
        ((-9.0, low), "cannot tell"), ((-9.0, np.nextafter(low, -9)), "violated"),
        ((np.nextafter(high, 9), 9.0), "violated"),
    ]  # fmt: skip
    for (claimed_low, claimed_high), verdict in cases:
        finding = within("claim", interval, claimed_low, claimed_high)
        assert finding.verdict == verdict, (claimed_low, claimed_high)
        encoded = json.loads(json.dumps(finding.as_json(), allow_nan=False))
        assert encoded["verdict"] == verdict
        assert encoded["interval"] == [low, high]
        assert encoded["expected"] == [v if math.isfinite(v) else None for v in (claimed_low, claimed_high)]


def test_refusals():
    for error in (0.0, 0.5, -1.0, math.nan):
        with pytest.raises(ValueError, match="error = "):
            mean_interval([1.0, 2.0], error)
    for values in ([1.0], [[1.0, 2.0]]):
        with pytest.raises(ValueError, match="one number a replica"):
            mean_interval(values, 0.1)
    with pytest.raises(ValueError, match="finite"):
        mean_interval([1.0, math.inf], 0.1)
    with pytest.raises(ValueError, match="side must be both, lower or upper; got 'left'"):
        mean_interval([1.0, 2.0], 0.1, "left")
    with pytest.raises(ValueError, match="two or more different abscissae"):
        slope([2.0, 2.0], [1.0, 3.0])
    with pytest.raises(ValueError, match="claims = 0"):
        share(0)
    with pytest.raises(ValueError, match="low <= high"):
        within("claim", mean_interval([1.0, 2.0], 0.1), 2.0, 1.0)


@pytest.mark.parametrize("R", [4, 16, 64])
def test_the_bootstrap_of_a_mean_is_students_interval(R):
    """The resamples' variance is short by (R-1)/R, which is made up for: within the 1 % that 8,000 resamples leave."""
    values = np.random.default_rng(R).standard_normal(R)
    student = mean_interval(values, 1e-3)
    found = bootstrap(values, lambda means: means, 1e-3)
    assert found.estimate == pytest.approx(student.estimate, abs=1e-12)
    assert found.high - found.low == pytest.approx(student.high - student.low, rel=0.03)


def test_a_power_of_T_needs_positive_numbers():
    for steps, values in (([0, 2], np.ones((2, 3))), ([1, 2], -np.ones((2, 3)))):
        with pytest.raises(ValueError, match="a power of T needs T > 0 and positive means"):
            log_slope(steps, values, 0.1)


def test_an_estimate_that_is_not_finite_is_null_in_json():
    infinite = Interval(np.inf, -np.inf, np.inf, 0.1, 9)
    assert within("claim", infinite, 0, 1).as_json()["measured"] is None
