import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from reference import families, problems
from reference.families import Practical
from theory.chen_2022.corollary_13 import corollary_13
from theory.constants import Constants
from theory.tools.betting import lower_limit
from theory.tools.montecarlo import simulate
from theory.tools.statistics import (
    FALSE_ALARMS,
    Interval,
    at_most,
    bootstrap,
    bounded_mean_interval,
    decays,
    error_per_claim,
    exact,
    log_slope,
    mean_interval,
    median_interval,
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
            p: decays("E||grad f|| = O(T^p)", STEPS, values, p, error_per_claim(20))
            for p in (-0.30, -0.26, -0.235, -0.20)
        }
        assert [claimed[p].verdict for p in (-0.30, -0.20)] == ["cannot tell", "holds"]
        assert claimed[-0.26].verdict == "cannot tell"
        assert claimed[-0.235].verdict == "holds"
        assert "transient" in claimed[-0.30].reason
        assert claimed[-0.30].expected == (-math.inf, -0.30)


def test_the_error_of_a_rate_is_all_on_the_upper_side():
    """Two horizons: the slope is ln(mean_2/mean_1)/ln 4, its spread that of the means, paired, by the delta method."""
    values = np.array([[2.0], [1.0]]) * (1 + 0.01 * np.random.default_rng(0).standard_normal((2, 64)))
    claim = decays("E = O(T^-.4)", [1, 4], values, -0.4, 0.05)
    means = values.mean(axis=1)
    spread = np.subtract(*(values / means[:, None])).std(ddof=1) / 8 / math.log(4)
    high = math.log(means[1] / means[0]) / math.log(4) + stats.t.isf(0.05, 63) * spread  # 1.67, and 2.00 two-sided
    assert claim.measured.low == -math.inf
    slope = claim.measured.estimate
    assert claim.measured.high - slope == pytest.approx(high - slope, rel=0.05)
    halfway = slope + 1.83 * spread
    assert decays("E = O(T^p)", [1, 4], values, halfway, 0.05).verdict == "holds"
    assert decays("E = O(T^p)", [1, 4], values, halfway, 0.025).verdict == "cannot tell"
    assert not claim.refutable and claim.mark == "cannot be violated"


def test_a_nominal_interval_violates_nothing():
    interval = log_slope(STEPS, power_law(-0.25, STEPS, 64, 0), error_per_claim(20))
    outside = within("slope is -.30 within .02", interval, -0.32, -0.28)
    assert (outside.verdict, outside.refutable, outside.mark) == ("cannot tell", False, "cannot be violated")
    assert "outside [-0.32, -0.28]" in outside.reason
    assert within("slope is -.25 within .02", interval, -0.27, -0.23).verdict == "holds"
    assert within("slope is -.25 within 1e-4", interval, -0.2501, -0.2499).verdict == "cannot tell"


def test_a_certain_interval_beside_a_nominal_one_violates():
    nominal = Interval(1.0, 0.9, 1.1, 0.1, 9)
    for low, high, verdict in ((1.2, 1.3, "violated"), (0.8, 1.25, "holds"), (1.15, 1.25, "cannot tell")):
        certain = Interval(1.0, 0.5, 1.2 - 1e-9, 0.1, 9, "every distribution")
        claim = within("claim", nominal, low, high, certain)
        assert (claim.verdict, claim.refutable, claim.measured) == (verdict, True, nominal)
        assert "valid for every distribution: [0.5, 1.2]" in claim.reason
    below = Interval(1.0, 0.5, math.inf, 0.1, 9, "every distribution")  # a lower limit alone
    assert within("above 2", nominal, 2.0, math.inf, below).mark == "cannot be violated"
    assert within("below .4", nominal, -math.inf, 0.4, below).verdict == "violated"
    with pytest.raises(ValueError, match="got a nominal one"):
        within("claim", nominal, 0.0, 1.0, nominal)


@pytest.mark.parametrize("R", [16, 256])
def test_a_bounded_mean(R):
    values = np.random.default_rng(R).random(R)
    both = bounded_mean_interval(values - 3, 0.02, -3.0, 2.0)
    assert both.low == pytest.approx(float(lower_limit(values, 0.01)) - 3)
    assert both.high == pytest.approx(2 - float(lower_limit(5 - values, 0.01)))
    one = bounded_mean_interval(values, 0.02)
    assert (one.low, one.high) == (pytest.approx(float(lower_limit(values, 0.02))), math.inf)
    assert (one.estimate, one.error, one.sample_size, one.basis) == (values.mean(), 0.02, R, "every distribution")
    for low, high in ((0.5, 1.0), (0.0, 0.5)):
        with pytest.raises(ValueError, match="must lie in"):
            bounded_mean_interval(values, 0.1, low, high)
    rounded = bounded_mean_interval(np.full(R, 1 + 1e-15), 0.1, 0.0, 1.0)  # beyond 1 by rounding
    assert rounded.low < 1 == rounded.high


def test_equal_values_have_a_width_and_exact_ones_none():
    equal = bounded_mean_interval(np.full(16, 0.5), 1e-4, 0.0, 1.0)
    assert equal.low < 0.25 < 0.75 < equal.high
    assert exact(0.5) == Interval(0.5, 0.5, 0.5, 0.0, 1, "exact")
    assert within("at most .5", exact(0.5), -math.inf, 0.5).verdict == "holds"
    assert within("at most .4", exact(0.5), -math.inf, 0.4).verdict == "violated"


def test_a_bound_is_judged_by_betting_and_shown_with_what_is_known():
    values = np.random.default_rng(0).exponential(size=400)
    plain = at_most("E <= b", values, 1.5, 1e-3)
    assert plain.measured == mean_interval(values, 1e-3) and plain.verdict == "holds"
    low = float(lower_limit(values, 1e-3))
    assert low < plain.measured.low
    assert at_most("E <= b", values, low * (1 - 1e-9), 1e-3).verdict == "violated"
    assert at_most("E <= b", values, low * (1 + 1e-9), 1e-3).verdict == "cannot tell"  # whatever Student says
    known = at_most("E <= b", values, 1.5, 1e-3, largest=20.0)
    assert known.measured == bounded_mean_interval(values, 1e-3, 0.0, 20.0)
    wrong = at_most("E <= b", values, 0.5, 1e-3, largest=0.9)  # which some values exceed
    assert (wrong.verdict, wrong.measured) == ("violated", plain.measured)


def test_a_bound_divided_by_its_looseness_is_violated():
    problem, T, d = problems.Bump(4, problems.Gaussian(1.0)), 200, 4
    measured = simulate(problem, families.practical(T, 1.0, 0.5, 1.0), T, 1024, epsilon=1 / d)
    norms = measured.averages["gradient_norm"]
    bound = corollary_13(T, Constants.of(problem), 1 / d, Practical(1.0, 0.5, 1.0)).value
    looseness = bound / norms.mean
    error = error_per_claim(20)
    assert at_most("Corollary 13", norms.values, bound, error).verdict == "holds"
    assert at_most("too small by 5 %", norms.values, bound / looseness / 1.05, error).verdict == "violated"
    assert at_most("tight to 5 %", norms.values, bound / looseness * 1.05, error).verdict == "holds"
    finding = at_most("as measured", norms.values, bound / looseness, error)
    assert finding.verdict == "cannot tell"
    assert finding.measured.low < norms.mean < finding.measured.high


def test_a_suite_of_true_claims_raises_a_false_alarm_no_more_often_than_stated():
    """20 bounds that hold with equality, on replicas skewed to the left, the hardest case: by Student's lower limit
    more suites than promised would raise one."""
    total, claims, suites = 0.1, 20, 40
    draws = (np.random.default_rng(6).random((suites, claims, 16)) > 0.3) / 0.7
    each = error_per_claim(claims, total)
    by_betting = [any(at_most("E <= 1", row, 1.0, each).verdict == "violated" for row in suite) for suite in draws]
    by_student = [any(mean_interval(row, each, "lower").low > 1.0 for row in suite if row.std()) for suite in draws]
    assert sum(by_betting) <= stats.binom.isf(1e-6, suites, total)
    assert sum(by_betting) <= suites * total < sum(by_student) + sum((draws.std(axis=-1) == 0).any(axis=-1))
    assert error_per_claim(10) * 10 == pytest.approx(FALSE_ALARMS) == pytest.approx(1e-4)


def test_three_verdicts_and_their_edges():
    interval = replace(mean_interval([0.0, 2.0], 0.3), basis="every distribution")  # 1 -+ something
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
        assert (encoded["basis"], encoded["can_be_violated"]) == ("every distribution", True)
        assert encoded["expected"] == [v if math.isfinite(v) else None for v in (claimed_low, claimed_high)]


def test_refusals():
    for error in (0.0, 0.5, -1.0, math.nan):
        with pytest.raises(ValueError, match="error must be a probability"):
            mean_interval([1.0, 2.0], error)
    for values in ([1.0], [[1.0, 2.0]]):
        with pytest.raises(ValueError, match="one number a replica"):
            mean_interval(values, 0.1)
    with pytest.raises(ValueError, match="values must be finite"):
        mean_interval([1.0, math.inf], 0.1)
    with pytest.raises(ValueError, match="side must be one of"):
        mean_interval([1.0, 2.0], 0.1, "left")
    with pytest.raises(ValueError, match="two or more different abscissae"):
        slope([2.0, 2.0], [1.0, 3.0])
    with pytest.raises(ValueError, match="claims must be 1 or more; got 0"):
        error_per_claim(0)
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


@pytest.mark.parametrize("largest", [math.inf, 10.0])
def test_a_root_mean_square_above_its_bound_is_violated(largest):
    """X^2 = 9: at root 3, violated at 2 and not at 3, by the same limits as the mean of squares at 4 and 9."""
    values = np.full(64, 9.0)
    far, near = (at_most("", values, bound, 1e-3, largest, power=2) for bound in (2.0, 3.0))
    assert (far.verdict, near.verdict) == ("violated", "cannot tell" if math.isfinite(largest) else "holds")
    assert far.expected == (-math.inf, 2.0)
    assert far.measured.estimate == pytest.approx(3.0, rel=1e-15)
    squares = at_most("", values, 4.0, 1e-3, largest**2)
    assert far.measured.low == pytest.approx(math.sqrt(squares.measured.low), rel=1e-15)
    assert far.measured.high == pytest.approx(math.sqrt(squares.measured.high), rel=1e-15)
    assert far.refutable
