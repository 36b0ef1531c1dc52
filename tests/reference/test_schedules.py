"""The sequences against 50-digit arithmetic, one t against many, and every refusal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from reference.schedules import (
    ApproachOne,
    BiasCorrected,
    Constant,
    Geometric,
    PowerDecay,
    PowerLaw,
    Schedule,
    as_schedule,
)
from reference.search import first, golden

STEPS = np.unique(np.concatenate([np.arange(1, 40), np.geomspace(40, 10**7, 60).astype(int)]))
ULP = 2.0**-52


def assert_within_ulps(values, exact, ulps):
    """exact(t), in 50 digits, at every t of STEPS; relative error in units of 2^-52."""
    with mpmath.workdps(50):
        errors = [abs(mpf(float(value)) / exact(mpf(int(t))) - 1) for t, value in zip(STEPS, values, strict=True)]
    assert max(errors) <= ulps * ULP


def test_constant():
    assert Constant(0.3)([1, 5, 10**9]).tolist() == [0.3, 0.3, 0.3]


def test_power_decay_by_hand():
    assert PowerDecay(3, 0.5)([1, 4, 9, 16]).tolist() == [3, 1.5, 1, 0.75]
    assert PowerDecay(6, 1)([1, 2, 3, 4]).tolist() == [6, 3, 2, 1.5]
    assert PowerDecay(0.7, 0)([1, 2, 3]).tolist() == [0.7, 0.7, 0.7]


@pytest.mark.parametrize(("scale", "exponent"), [(1.0, 0.5), (0.001, 0.25), (5.0, 0.8), (0.1, 1.0), (2.0, 0.1)])
def test_power_decay(scale, exponent):
    assert_within_ulps(PowerDecay(scale, exponent)(STEPS), lambda t: mpf(scale) / t ** mpf(exponent), 2)


@pytest.mark.parametrize(("a", "r", "K"), [(1, 1, 2), (0.5, 1, 1), (3, 1, 4), (5, 2, 3), (0.25, 0, 1), (0.01, 1, 7)])
def test_approach_one_in_fractions(a, r, K):
    """1 - a/max(t, K)^r (Eq. 8, p. 10), integer r: within one rounding of the quotient and one of the difference."""
    for t, value in zip(STEPS.tolist(), ApproachOne(a, r, K)(STEPS), strict=True):
        exact = 1 - Fraction(a) / Fraction(max(t, K)) ** r
        assert abs(Fraction(float(value)) - exact) <= Fraction(ULP)


@pytest.mark.parametrize(("a", "r", "K"), [(1, 0.5, 2), (0.01, 0.25, 1), (2, 0.75, 3), (0.999, 1, 1), (1.5, 1.5, 2.5)])
def test_approach_one(a, r, K):
    complement = lambda t: mpf(a) / max(t, mpf(K)) ** mpf(r)
    theta = ApproachOne(a, r, K)
    assert_within_ulps(
        theta(STEPS), lambda t: 1 - complement(t), 2 * max(1, max(complement(1) / (1 - complement(1)), 0))
    )
    assert_within_ulps(theta.complement(STEPS.astype(float)), complement, 2)


@pytest.mark.parametrize(("first", "ratio"), [(0.9, 0.999), (0.5, 0.5), (0.25, 1 - 1e-9)])
def test_geometric(first, ratio):
    steps = STEPS[STEPS * -math.log(ratio) < 700]
    assert Geometric(first, ratio)(3) == pytest.approx(first * ratio * ratio * ratio, rel=4 * ULP)
    with mpmath.workdps(50):
        for t, value in zip(steps, Geometric(first, ratio)(steps), strict=True):
            assert abs(mpf(float(value)) / (mpf(first) * mpf(ratio) ** int(t)) - 1) <= 2 * ULP


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999999])
@pytest.mark.parametrize("theta", [0.5, 0.99, 0.999, 1 - 1e-9])
@pytest.mark.parametrize(("alpha", "s"), [(0.001, 0), (2.0, 0.5)])
def test_bias_corrected(beta, theta, alpha, s):
    """Remark 1 (p. 4), without the cancellation in 1 - theta^t."""
    exact = lambda t: mpf(alpha) / t**s * mpmath.sqrt(1 - mpf(theta) ** t) / (1 - mpf(beta) ** t)
    assert_within_ulps(BiasCorrected(PowerDecay(alpha, s), beta, theta)(STEPS), exact, 8)


EVERY = {
    "Constant": lambda p: Constant(p),
    "PowerDecay scale": lambda p: PowerDecay(p, 0.7),
    "PowerDecay exponent": lambda p: PowerDecay(2.0, p),
    "ApproachOne a": lambda p: ApproachOne(p, 0.6, 2),
    "ApproachOne r": lambda p: ApproachOne(0.3, p, 2),
    "ApproachOne K": lambda p: ApproachOne(0.1, 0.6, 1 + 50 * np.asarray(p)),
    "Geometric first": lambda p: Geometric(p, 0.99),
    "Geometric ratio": lambda p: Geometric(0.9, p),
    "BiasCorrected step": lambda p: BiasCorrected(PowerDecay(p, 0.5), 0.9, 0.999),
    "BiasCorrected exponent": lambda p: BiasCorrected(PowerDecay(0.1, p), 0.9, 0.999),
    "BiasCorrected beta": lambda p: BiasCorrected(Constant(0.1), p, 0.999),
    "BiasCorrected theta": lambda p: BiasCorrected(Constant(0.1), 0.9, p),
}
PARAMETERS = np.array([[0.5, 0.25, 0.75], [0.1, 0.9, 0.999]])


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_one_t_many_t_and_chunks_of_t_are_the_same_bits(make):
    t = np.arange(1, 700)
    for parameter in (0.5, 0.3, PARAMETERS):
        schedule = make(parameter)
        whole = schedule(t)
        assert whole.tobytes() == np.array([schedule(int(one)) for one in t]).tobytes()
        assert whole.tobytes() == np.concatenate([schedule(t[:5]), schedule(t[5:600]), schedule(t[600:])]).tobytes()
        assert whole.tobytes() == schedule(t.reshape(-1, 3)).tobytes()


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_an_array_of_parameters_is_separate_schedules_to_the_bit(make):
    """A configuration in a grid is the configuration alone."""
    t = np.arange(1, 3000)
    together = make(PARAMETERS)(t)
    for place in np.ndindex(PARAMETERS.shape):
        assert together[:, *place].tobytes() == make(float(PARAMETERS[place]))(t).tobytes()


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_shapes(make):
    """t of shape n and parameters of shape p: shape n + p."""
    for p in ((), (4,), (2, 3), (3, 1)):
        schedule = make(np.full(p, 0.5))
        assert schedule.shape == p
        for n in ((), (1,), (5,), (2, 5), (0,)):
            values = schedule(np.ones(n, int))
            assert np.shape(values) == n + p
            assert values.dtype == np.float64


def test_parameters_broadcast_against_each_other():
    schedule = BiasCorrected(PowerDecay(np.ones((2, 1)), 0.5), np.full(3, 0.9), 0.999)
    assert schedule.shape == (2, 3)
    assert schedule([1, 2]).shape == (2, 2, 3)


def test_integers_and_lists_are_parameters_too():
    assert PowerDecay(3, [1, 2])([2]).tolist() == [[1.5, 0.75]]
    assert ApproachOne([1, 2], 1, [2, 4])([1, 8]).tolist() == [[0.5, 0.5], [0.875, 0.75]]
    assert Geometric(16, [0.5, 1])([3]).tolist() == [[2, 16]]


@pytest.mark.parametrize("ratio", [0.0, -0.5, 1.0001, np.nan, np.inf])
def test_geometric_refuses_a_ratio_outside_0_to_1(ratio):
    with pytest.raises(ValueError, match=r"ratio must satisfy 0 < ratio <= 1.*; got .*"):
        Geometric(0.9, ratio)


@pytest.mark.parametrize("exponent", [-0.1, np.nan, np.inf])
def test_power_decay_refuses_to_grow(exponent):
    with pytest.raises(ValueError, match=r"exponent must satisfy s >= 0.*; got .*"):
        PowerDecay(0.1, exponent)


@pytest.mark.parametrize("t", [0, -1, [1, 0], 1.0, [1.5], True, "1", None])
def test_steps_are_integers_from_1(t):
    with pytest.raises(ValueError, match="t must be an integer counted from 1"):
        Constant(1.0)(t)


def test_a_schedule_says_what_it_knows():
    @dataclass(frozen=True)
    class Forgotten(Schedule):
        value: float

    with pytest.raises(TypeError, match=r"Forgotten.*_at.*limit.*supremum"):
        Forgotten(1.0)


@pytest.mark.parametrize(
    ("a", "r", "K", "message"),
    [
        (0, 1, 2, r"a must satisfy a > 0 \(Eq\. 8, p\. 10\).*; got 0"),
        ([0.5, -1], 1, 2, "a must satisfy a > 0.*; got -1"),
        (math.nan, 1, 2, "a must satisfy .*; got nan"),
        (math.inf, 1, 2, "a must satisfy .*; got inf"),
        (0.5, -0.1, 2, r"r must satisfy r >= 0.*; got -0\.1"),
        (0.5, math.nan, 2, "r must satisfy .*; got nan"),
        (0.5, math.inf, 2, "r must satisfy .*; got inf"),
        (0.5, 1, 0.5, r"K must satisfy K >= 1.*; got 0\.5"),
        (0.5, 1, math.nan, "K must satisfy .*; got nan"),
        (0.5, 1, math.inf, "K must satisfy .*; got inf"),
        (
            1,
            1,
            1,
            r"theta_1 = 1 - a/K\^r = 0 for a = 1, r = 1, K = 1; R2 \(p\. 7\) needs 0 < theta_t < 1: .*max\(t, 2\)",
        ),
        (2, 1, 2, r"theta_1 = .* = 0 for a = 2, r = 1, K = 2; .*max\(t, 3\)"),
        (10, 2, 3, r"theta_1 = .* = -0\.111111 for .*max\(t, 4\)"),
        ([0.5, 3], 0.5, [1, 2], r"theta_1 = .* for a = 3, r = 0\.5, K = 2; .*max\(t, 10\)"),
        (1, 0, 5, r"theta_1 = .* = 0 for a = 1, r = 0, K = 5; .*: with r = 0, take a < 1"),
        (10, 0.001, 1, r"theta_1 = .* = -9 for a = 10, r = 0\.001, K = 1; R2"),
    ],
)
def test_what_approach_one_refuses(a, r, K, message):
    with pytest.raises(ValueError, match=message):
        ApproachOne(a, r, K)


def test_where_no_K_will_do_the_advice_is_another():
    with pytest.raises(ValueError, match=r"needs 0 < theta_t < 1: take a < 1$"):
        ApproachOne(10, 0.001, 1)
    with pytest.raises(ValueError, match=r"needs 0 < theta_t < 1: with r = 0, take a < 1$"):
        ApproachOne([0.5, 10], 0, 1)
    with pytest.raises(ValueError, match=r"max\(t, 1000001\)\^r$"):
        ApproachOne(1000, 0.5, 1)


def test_K_is_1_unless_told():
    assert ApproachOne(0.5, 1)([1, 2, 4]).tolist() == [0.5, 0.75, 0.875]


def test_the_advice_is_the_smallest_integer_that_will_do():
    for a, r in ((1, 1), (3.5, 1), (2, 0.5), (1, 0.5), (5, 2), (4, 2)):
        with pytest.raises(ValueError) as caught:
            ApproachOne(a, r, 1)
        enough = int(str(caught.value).split("max(t, ")[1].split(")")[0])
        assert 0 < ApproachOne(a, r, enough)(1) < 1
        with pytest.raises(ValueError, match="theta_1"):
            ApproachOne(a, r, enough - 1)


def test_complements():
    """1 - theta_t of any schedule; that of ApproachOne loses no digits where theta_t is next to 1."""
    t = np.array([1.0, 2.0, 1e6])
    assert Constant(0.75).complement(t).tolist() == [0.25] * 3
    assert Geometric(0.5, 0.5).complement(t[:2]).tolist() == [0.75, 0.875]
    assert ApproachOne(0.5, 3, 1).complement(t).tolist() == [0.5, 0.0625, 5e-19]


def test_a_shift_is_a_later_clock():
    """(t + c) for t: the shifted schedule at t is the unshifted one at t + c, to the bit."""
    t = np.arange(1, 500)
    for c in (1, 7, 100):
        assert PowerDecay(0.3, 0.7, c)(t).tobytes() == PowerDecay(0.3, 0.7)(t + c).tobytes()
        assert ApproachOne(0.5, 0.7, 20, c)(t).tobytes() == ApproachOne(0.5, 0.7, 20)(t + c).tobytes()
    assert_within_ulps(PowerDecay(0.3, 0.7, 2.5)(STEPS), lambda t: mpf(0.3) / (t + mpf(2.5)) ** mpf(0.7), 3)


@pytest.mark.parametrize("shift", [-0.5, math.nan, math.inf, [0, -1]])
def test_a_shift_is_not_negative(shift):
    for make in (lambda: PowerDecay(1, 0.5, shift), lambda: ApproachOne(0.5, 1, 1, shift)):
        with pytest.raises(ValueError, match=r"c must satisfy c >= 0, where t \+ c stands for t; got"):
            make()


def test_a_shift_makes_room_for_a():
    """R2 at t = 1: a < max(1 + c, K)^r."""
    assert ApproachOne(1, 1, 1, 1)(1) == 0.5 and ApproachOne(3.9, 2, 1, 1)(1) == pytest.approx(1 - 3.9 / 4)
    with pytest.raises(ValueError, match=r"theta_1 = 1 - a/max\(1 \+ c, K\)\^r = 0 for a = 4, r = 2, K = 1, c = 1; R2"):
        ApproachOne(4, 2, 1, 1)


EACH = [
    Constant(0.3),
    PowerDecay(0.7, 0.5),
    PowerDecay(0.7, 0),
    PowerDecay(0.7, 1.5, 3),
    PowerDecay(-0.7, 0.5),
    ApproachOne(0.9, 0.7),
    ApproachOne(0.9, 0),
    ApproachOne(20, 1, 30, 5),
    ApproachOne(4, 1, 1, 5),
    Geometric(0.9, 0.99),
    Geometric(0.9, 1),
    Geometric(-0.9, 0.5),
    Geometric(0, 0.5),
    BiasCorrected(Constant(0.1), 0.9, 0.99),
    BiasCorrected(Constant(0.1), 0.99, 0.9),
    BiasCorrected(Constant(0.1), 0.0, 0.9),
    BiasCorrected(PowerDecay(0.1, 0.5), 0.9, 0.99),
    BiasCorrected(PowerDecay(0.1, 0.25), 0.9, 0.99),
    BiasCorrected(PowerDecay(0.1, 0.5, 50), 0.9, 0.99),
    BiasCorrected(ApproachOne(0.9, 1), 0.0, 0.9),
]


def law_at(law, t):
    return law.scale / np.maximum(t + law.shift, law.floor) ** law.exponent


@pytest.mark.parametrize("schedule", EACH, ids=map(repr, EACH))
def test_what_a_schedule_says_is_what_its_values_do(schedule):
    """Each answer against 20,000 values, and the limit against one far out."""
    t = np.arange(1, 20_001)
    values = schedule(t)
    steps = np.diff(values)
    level = 1e-14 * np.abs(values).max()
    if schedule.constant() is not None:
        np.testing.assert_allclose(values, schedule.constant(), rtol=1e-15)
    else:
        assert np.ptp(values) > level
    assert float(schedule(10**15)) == pytest.approx(schedule.limit(), abs=2e-4)
    top = schedule.supremum()
    if top is not None:
        assert values.max() <= top + level and top <= max(values.max(), schedule.limit()) + level
    for answer, holds in (
        (schedule.non_decreasing(), (steps >= -level).all()),
        (schedule.non_increasing(), (steps <= level).all()),
    ):
        assert answer is None or bool(answer) == bool(holds)
    if law := schedule.power_law():
        np.testing.assert_allclose(values, law_at(law, t), rtol=1e-14)
    if law := schedule.complement_power_law():
        np.testing.assert_allclose(schedule.complement(t.astype(float)), law_at(law, t), rtol=1e-14)
    if (law := schedule.asymptote()) and law.exponent < math.inf:
        assert float(schedule(10**12)) == pytest.approx(law_at(law, 1e12), rel=1e-6)
    if values.min() > 0:
        brute = float((values / np.minimum.accumulate(values)).max())
        if (rise := schedule.rise()) is not None:
            assert rise == pytest.approx(max(brute, schedule.limit() / values.min()), rel=1e-9)
        if (bound := schedule.rise_bound()) is not None:
            assert brute <= bound * (1 + 1e-12)


def test_which_answers_are_there():
    """None is said where it is meant: these are the ones that the conditions of Corollary 9 rest on."""
    assert all(schedule.limit() is not None for schedule in EACH)
    assert PowerDecay(0.7, 0.5).power_law() == PowerLaw(0.7, 0.5, 0.0, 1.0)
    assert ApproachOne(20, 1, 30, 5).complement_power_law() == PowerLaw(20.0, 1.0, 5.0, 30.0)
    assert BiasCorrected(PowerDecay(0.1, 0.25), 0.9, 0.99).rise() is None
    assert BiasCorrected(PowerDecay(0.1, 0.25), 0.9, 0.99).rise_bound() == pytest.approx(0.01**-0.25)
    assert BiasCorrected(PowerDecay(0.1, 0.5, 50), 0.9, 0.99).rise_bound() == pytest.approx(10)
    assert BiasCorrected(PowerDecay(0.1, 0.5), 0.9, 0.99).rise() == 1
    assert Geometric(0.9, 0.99).asymptote() == PowerLaw(0.9, math.inf)


QUESTIONS = ("constant", "limit", "supremum", "power_law", "complement_power_law", "asymptote")


@pytest.mark.parametrize(
    "many",
    [
        Constant([1.0, 2.0]),
        PowerDecay(1, [0.5, 1]),
        Geometric(1, [0.5, 1]),
        BiasCorrected(Constant([0.1, 0.2]), 0.9, 0.99),
        BiasCorrected(Constant(0.1), [0.9, 0.8], 0.99),
        as_schedule(lambda t: 1 / t),
    ],
)
def test_of_several_configurations_or_a_function_nothing_is_said(many):
    assert [getattr(many, question)() for question in QUESTIONS] == [None] * 6


def test_a_schedule_is_its_own():
    schedule = Constant(1.0)
    assert as_schedule(schedule) is schedule


def test_first_and_golden():
    for low, wanted in ((1, 1), (1, 2), (1, 1000), (7, 7), (3, 4095), (1, 4096)):
        asked = []
        assert first(lambda n, wanted=wanted, asked=asked: asked.append(n) or n >= wanted, low) == wanted
        assert min(asked) == low and len(asked) < 30
    for at in (-2.0, 0.25, 3.0):
        assert golden(lambda z, at=at: abs(z - at), -2.0, 3.0) == pytest.approx(at, abs=1e-13)
