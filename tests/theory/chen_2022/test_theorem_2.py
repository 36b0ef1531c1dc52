"""Theorem 2: printed numbers, and its identities with Corollary 13 and Corollary 10."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from reference import families
from tests.theory.chen_2022.by_name import (
    constant_theta_limit,
    corollary_7,
    corollary_10,
    corollary_13,
    fixed_theta_1,
    nonvacuous_from,
    theorem_2,
)
from tests.theory.chen_2022.by_name import steps_of_corollary_13 as steps_needed
from theory.chen_2022.corollary_10 import rate
from theory.chen_2022.table_1 import table_1
from theory.constants import ConditionError
from theory.tools.positive import Positive

PROBLEM = {"L": 2.0, "G": 3.0, "d": 4, "epsilon": 0.01}
BUMP = {"L": 2.0, "G": 2.3, "d": 4, "gap": 3.2, "epsilon": 0.25}


@given(
    beta=st.sampled_from([0.0, 0.5, 0.9]), theta=st.floats(0.01, 30), T=st.integers(60, 3000), alpha=st.floats(0.01, 10)
)
def test_corollary_13_is_theorem_2_on_its_family(beta, theta, T, alpha):
    """Corollary 13 bounds 1/th1 by 4 in the sum and 1/sqrt(th1) by 2 in C6; its sharp form keeps th1, and ln(1/th1)."""
    th1 = 1 - theta / T
    if beta**2 >= th1:
        return
    family = families.practical(T, alpha, beta, theta)
    two = theorem_2(family, T, **BUMP, theta_prime=float(family.theta(1)))
    thirteen = corollary_13(T, **BUMP, alpha=alpha, beta=beta, theta=theta)
    assert two.constants["C0"] == 1 and two.constants["log_C1"] == pytest.approx(0, abs=1e-12)
    assert two.terms["gap"] == pytest.approx(thirteen.terms["gap"], rel=1e-12)
    assert two.value <= thirteen.value * (1 + 1e-12)
    if beta == 0:
        assert two.constants["C3"] == pytest.approx(thirteen.constants["C6"], rel=1e-12)
        assert two.terms["logarithm"] == pytest.approx(thirteen.terms["logarithm"], rel=1e-12)
        assert two.terms["sum"] * 4 * th1 == pytest.approx(thirteen.terms["horizon"], rel=1e-12)
    sharp_two = theorem_2(family, T, **BUMP, variant="sharp", theta_prime=float(family.theta(1)))
    sharp = corollary_13(T, **BUMP, alpha=alpha, beta=beta, theta=theta, variant="sharp")
    assert sharp_two.constants["C3'"] == pytest.approx(sharp.constants["C6'"], rel=1e-10)
    assert sharp_two.terms["logarithm"] == pytest.approx(sharp.terms["logarithm"], rel=1e-10)
    growth = -math.log1p(-theta / T) * T / theta
    assert sharp_two.terms["sum"] == pytest.approx(sharp.terms["horizon"] * growth, rel=1e-10)


@given(s=st.floats(0, 0.95), r=st.floats(0, 1.9), beta=st.sampled_from([0.0, 0.5, 0.9]), T=st.integers(2, 400))
def test_sharp_is_no_larger(s, r, beta, T):
    family = families.generic(0.1, s, 0.5, r, 2, beta)
    prime = max(0.97, float(family.theta(T)))
    corrected, printed, sharp = (
        theorem_2(family, T, **BUMP, theta_prime=prime, variant=v) for v in ("corrected", "printed", "sharp")
    )
    assert sharp.value <= corrected.value * (1 + 1e-12)
    assert (printed.value, printed.terms) == (corrected.value, corrected.terms)


def test_theorem_2_is_tight_within_two_on_a_tapered_line():
    """Sec. 2: |f'| = .01 on the visited segment, beta = 0, theta = .99, alpha = 1, v_0 = 1e-12, T = 2000: .0173."""
    T, slope, epsilon = 2000, 0.01, 1e-12
    family = families.constant(1.0, 0.0, 0.99)
    x, v, visited = 0.0, epsilon, 0.0
    for _ in range(T):
        v = 0.99 * v + 0.01 * slope**2
        x -= slope / math.sqrt(v)
        visited = -x
    taper = 50.0  # where the slope falls to 0: L = slope/taper, f* = 0 at its end
    gap = slope * (visited + taper / 2)
    for G, wanted in ((slope, 0.01732), (slope**2, 0.00149)):  # G read as printed, E g^2 <= G, is below the truth
        bound = theorem_2(family, T, L=slope / taper, G=G, d=1, gap=gap, epsilon=epsilon)
        assert bound.value == pytest.approx(wanted, abs=6e-6)
    assert theorem_2(family, T, L=slope / taper, G=slope, d=1, gap=gap, epsilon=epsilon, variant="sharp").value > slope


def test_numbers_of_section_8():
    bounds = [
        corollary_7(10**4, **PROBLEM, gap=3.2, eta=0.1, s=s, theta=0.99, beta=0.5) for s in (0.0, 0.25, 0.5, 0.75)
    ]
    assert [b.bound for b in bounds] == pytest.approx([372, 660, 2.6e3, 2.0e4], rel=0.02)
    for found in bounds:
        assert found.lower <= found.bound * (1 + 1e-13) and found.bound <= found.upper * (1 + 1e-13)
    assert bounds[0].lower == pytest.approx(bounds[0].upper, rel=1e-12)  # s = 0: sum t^0 = T exactly
    assert all(a.bound < b.bound for a, b in pairwise(bounds))  # increasing in s
    assert all(b.lower < b.bound < b.upper for b in bounds[1:])


def test_corollary_7_says_what_it_needs():
    for s in (1.0, -0.1):
        with pytest.raises(ConditionError, match="0 <= s < 1"):
            corollary_7(10, **PROBLEM, gap=1.0, eta=0.1, s=s, theta=0.99, beta=0.5)
    for change in ({"L": -1.0}, {"G": -1.0}, {"beta": 1.0}):
        with pytest.raises(ValueError, match=f"^{next(iter(change))} must "):
            constant_theta_limit(**PROBLEM | {"eta": 0.1, "beta": 0.5} | change)
    for theta in (0.8, 1.0):
        with pytest.raises(ConditionError, match=r"theta_1 <= theta < 1 \(R2"):
            fixed_theta_1(theta, 0.9, **PROBLEM, eta=0.1, s=0.0, beta=0.5)


@pytest.mark.parametrize("variant", ["corrected", "sharp"])
def test_corollary_10_is_theorem_2_on_its_family(variant):
    family = {"eta": 0.2, "s": 0.6, "a": 1.7, "r": 0.9, "K": 3, "beta": 0.4}
    found = corollary_10(300, **PROBLEM, gap=1.5, **family, variant=variant)
    general = theorem_2(families.generic(**family), 300, **PROBLEM, gap=1.5, variant=variant)
    assert (found.statement, general.statement) == ("Corollary 10", "Theorem 2")
    assert replace(found, statement="Theorem 2") == general


def test_section_3_4_item_3_is_false():
    found = [fixed_theta_1(theta, 0.9, **PROBLEM, eta=0.1, s=0.0, beta=0.5) for theta in (0.9, 0.99, 0.999, 0.9999)]
    assert [f.C0 for f in found] == pytest.approx([1, 10**0.5, 10, 1000**0.5], rel=1e-10)
    assert [f.principal for f in found] == pytest.approx([1.2e3, 2.1e4, 1.1e6, 1.0e8], rel=0.05)
    one, two = (fixed_theta_1(1 - gap, 0.9, **PROBLEM, eta=0.1, s=0.0, beta=0.5).principal for gap in (1e-9, 1e-10))
    assert two / one == pytest.approx(100, rel=1e-3)  # Theta((1-theta)^-2)
    slower = fixed_theta_1(0.99, 0.9, **PROBLEM, eta=0.1, s=0.3, beta=0.5)
    assert pytest.approx(2**-0.3 * 10**0.5, rel=1e-12) == slower.C0


def test_section_3_4_with_theta_1_equal_to_theta():
    given = {"eta": 0.1, "beta": 0.5}
    wanted = constant_theta_limit(**PROBLEM, **given)
    assert wanted == pytest.approx(77, abs=0.5)
    family = families.constant(0.1, 0.5, 1 - 1e-12)
    found = theorem_2(family, 10, **PROBLEM, gap=0.0)
    assert found.constants["C'"] * 1e-6 == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(
    ("s", "r", "K", "a"), [(0.5, 1, 2, 1.0), (0.3, 0.5, 5, 2.0), (0.75, 1.5, 1, 0.3), (0.6, 0.8, 2.5, 1.1)]
)
def test_corollary_10_sums_exactly(s, r, K, a):
    """sum = eta sqrt(a) [ K^{-r/2} sum_{t<K} t^-s + zeta tails ]."""
    T, eta = 10**5, 0.1
    bound = corollary_10(T, **PROBLEM, gap=1.0, eta=eta, s=s, a=a, r=r, K=K, beta=0.5)
    first = math.ceil(K)
    with mp.workdps(30):
        power = mpf(r) / 2 + mpf(s)
        tail = mp.harmonic(T) - mp.harmonic(first - 1) if power == 1 else zeta_tail(power, first, T)
        head = sum((mpf(t) ** -s for t in range(1, first)), mpf(0)) * mpf(K) ** (-mpf(r) / 2)
        wanted = eta * mp.sqrt(mpf(a)) * (head + tail)
    assert bound.constants["sum alpha_t sqrt(1-theta_t)"] == pytest.approx(float(wanted), rel=1e-13)


@pytest.mark.parametrize(("s", "r"), [(0.5, 0.5), (0.5, 1.0), (0.25, 0.5), (0.75, 1.0), (0.75, 0.2), (0.9, 1.7)])
def test_corollary_10_rates_show_in_the_bound(s, r):
    """bound/rate at 10^5 and 10^7: nearer to each other than rates 0.05 apart in the exponent would put them."""
    found = rate(r, s)
    low, high = 10**5, 3 * 10**6
    values = [corollary_10(T, **PROBLEM, gap=0.0, eta=0.1, s=s, a=0.5, r=r, K=1, beta=0.0).value for T in (low, high)]
    scale = [T**-found.exponent * (math.sqrt(math.log(T)) if found.logarithm else 1) for T in (low, high)]
    slope = math.log((values[1] / scale[1]) / (values[0] / scale[0])) / math.log(high / low)
    assert abs(slope) < 0.05


def test_rates_as_printed():
    assert rate(0.5, 0.5) == (0.125, False) and rate(1, 0.5) == (0.25, True) and rate(1, 0.75) == (0.125, False)
    for r, s in ((0, 0.5), (1.1, 0.5), (1, 1.0), (-1, 0.5)):
        with pytest.raises(ConditionError, match=r"0 < r <= 2s < 2 \(Corollary 10, Chen et al., p. 10\)"):
            rate(r, s)
    with pytest.raises(ConditionError):
        corollary_10(10, **PROBLEM, gap=1, eta=1, s=0.1, a=0.5, r=1, K=1, beta=0)


def test_table_1():
    for row in table_1(eta=0.1, beta=0.9, a=1.5, K=3):
        assert str(row.rate) == "O(sqrt(ln T) T^-0.25)"
        alpha, beta, theta = row.family.at(np.arange(1, 2000))
        assert (theta > 0).all() and (np.diff(theta) >= 0).all()
        np.testing.assert_allclose(alpha, 0.1 / np.sqrt(np.arange(1, 2000)), rtol=1e-15)
        assert theorem_2(row.family, 2000, **PROBLEM, gap=1.0).constants["C0"] == 1
        assert (beta[1] < beta[0]) == (row.algorithm == "AdamNC") and (beta[0] == 0) == (row.algorithm == "RMSProp")


def zeta_tail(power, low, high):
    """sum_{low<=t<=high} t^-power"""
    return mp.zeta(power, low) - mp.zeta(power, high + 1)


# Corollary 13


def test_the_counterexample_of_section_10():
    """theta = .75 T, d = 1, beta = 0, alpha = sqrt T, L = .01, Df = 12.5, G^2 = 5.5 = eps; the truth is .5."""
    given = {"L": 0.01, "G": math.sqrt(5.5), "d": 1, "gap": 12.5, "epsilon": 5.5, "beta": 0.0}
    for T, printed in ((10**4, 0.159), (3000, 0.290)):
        family = {"alpha": math.sqrt(T), "theta": 0.75 * T}
        assert corollary_13(T, **given, **family, variant="printed").value == pytest.approx(printed, abs=6e-4)
        for variant in ("corrected", "sharp"):
            assert corollary_13(T, **given, **family, variant=variant).value > 0.5
    assert corollary_13(10**4, **given, alpha=100.0, theta=7500.0).value == pytest.approx(10.4, abs=0.05)


def test_printed_gamma_costs():
    """Sec. 10: C6 with gamma = beta/th1 is 2.6, 3.8, 4.4 times larger at beta = .5, .9, .99."""
    for beta, times in ((0.5, 2.6), (0.9, 3.8), (0.99, 4.4)):
        given = BUMP | {"T": 10**12, "alpha": 1.0, "beta": beta, "theta": 1.0}
        ratio = corollary_13(**given, variant="printed").constants["C6"] / corollary_13(**given).constants["C6"]
        assert ratio == pytest.approx(times, rel=0.12)


@pytest.mark.parametrize("variant", ["corrected", "printed", "sharp"])
@pytest.mark.parametrize("accuracy", [0.3, 3.0, 300.0])
def test_steps_needed_is_the_first(variant, accuracy):
    given = BUMP | {"alpha": 1.0, "beta": 0.3, "theta": 2.0}
    T = steps_needed(accuracy, **given, variant=variant)
    assert corollary_13(T, **given, variant=variant).value <= accuracy
    if T < 2**50:
        try:
            before = corollary_13(T - 1, **given, variant=variant).value
        except (ConditionError, ValueError):
            before = math.inf
        assert before > accuracy or math.isclose(before, accuracy, rel_tol=1e-14)
        wanted = corollary_13(T, **given, variant=variant).constants
        C5 = wanted["C5"]
        assert C5**2 * accuracy**-4 * (1 - 1e-12) <= T
    assert nonvacuous_from(**given, variant=variant) == steps_needed(given["G"], **given, variant=variant)


def test_a_horizon_beyond_every_float():
    T = steps_needed(1e-90, **BUMP, alpha=1.0, beta=0.9, theta=1.0)
    assert T > 10**350
    assert nonvacuous_from(**BUMP | {"G": 1e-60, "gap": 1e200}, alpha=1.0, beta=0.9, theta=1.0) is None
    C5 = corollary_13(10**300, **BUMP, alpha=1.0, beta=0.9, theta=1.0).constants["C5"]
    assert math.log10(T) == pytest.approx(2 * math.log10(C5) + 360, rel=1e-13)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"theta": 76.0}, ConditionError, r"Corollary 13 needs .* 1 - theta/T >= 1/4 \(.*p. 13\); got theta/T = 0.76"),
        ({"beta": 0.9999}, ConditionError, r"got beta\^2 = 0.9998 >= 1 - theta/T = 0.99"),
        ({"beta": 0.995, "variant": "printed"}, ConditionError, r"got beta = 0.995 >= 1 - theta/T = 0.99"),
        ({"variant": "exact"}, ValueError, "must be one of corrected, printed, sharp; got 'exact'"),
        ({"beta": 1.0}, ValueError, r"beta must satisfy 0 <= beta < 1 \(R1, .*p. 7\), and be finite; got 1.0"),
        ({"L": -1.0}, ValueError, r"L must satisfy L >= 0, .*\(A2\), and be finite; got -1.0"),
        ({"G": 0.0}, ValueError, r"G must satisfy G > 0, .*\(A4\).*; got 0.0"),
        ({"gap": math.nan}, ValueError, r"gap must satisfy f\(x_1\) - f\* >= 0 \(A1\).*; got nan"),
        ({"epsilon": 0.0}, ValueError, r"epsilon must .*Algorithm 1, .*p. 4.*; got 0.0"),
        ({"alpha": 0.0}, ValueError, r"alpha must satisfy alpha > 0.*; got 0.0"),
        ({"alpha": math.inf}, ValueError, r"alpha must .* be finite; got inf"),
        ({"d": 0}, ValueError, "d must be an integer d >= 1.*; got 0"),
        ({"d": 1.5}, ValueError, "d must be an integer.*; got 1.5"),
        ({"T": 0}, ValueError, "T must be an integer T >= 1.*; got 0"),
        ({"T": True}, TypeError, "T must .*; got True"),
        ({"L": "2"}, TypeError, "L must .*; got '2'"),
        ({"G": None}, ConditionError, "G is not known: not given"),
        ({"L": math.inf}, ConditionError, "L is infinite"),
    ],
)  # fmt: skip
def test_bad_parameters_are_named(change, error, message):
    given = BUMP | {"T": 100, "alpha": 1.0, "beta": 0.5, "theta": 1.0} | change
    with pytest.raises(error, match=message):
        corollary_13(**given)


def test_bad_parameters_of_theorem_2_are_named():
    family = families.generic(0.1, 0.5, 1, 1, 2, 0.5)
    for change, name in (
        ({"G": 0.0}, "G"),
        ({"L": -1.0}, "L"),
        ({"d": 0}, "d"),
        ({"gap": -1.0}, "gap"),
        ({"T": 0}, "T"),
    ):
        with pytest.raises(ValueError, match=f"^{name} must "):
            theorem_2(family, **BUMP | {"T": 10} | change)
    with pytest.raises(ValueError, match="epsilon must"):
        theorem_2(family, **BUMP | {"T": 10, "epsilon": 0.0})
    assert theorem_2(family, **BUMP | {"T": 10, "L": 0.0, "gap": 0.0}).terms["gap"] == 0


def test_the_boundary_of_corollary_13():
    given = BUMP | {"T": 4, "alpha": 1.0, "beta": 0.0, "theta": 3.0}
    assert corollary_13(**given).constants["th1"] == 0.25
    with pytest.raises(ConditionError):
        corollary_13(**given | {"beta": 0.5})  # gamma = 1


# numbers kept as logarithms


@given(st.floats(1e-100, 1e100), st.floats(1e-100, 1e100), st.floats(-3, 3))
def test_positive_numbers_calculate(x, y, p):
    a, b = Positive(x), Positive(y)
    for found, wanted in (
        (a + b, x + y), (a * b, x * y), (a / b, x / y), (a**p, x**p), (a.sqrt(), math.sqrt(x)),
        (a.log1p(), math.log1p(x)), (2 + a, 2 + x), (2 * a, 2 * x), (2 / a, 2 / x), (a + 0, x), (a * 0, 0.0),
    ):  # fmt: skip
        assert float(found) == pytest.approx(wanted, rel=1e-12)
    assert (a < b, a > b, a <= b, a >= b) == (x < y, x > y, x <= y, x >= y) or math.isclose(x, y, rel_tol=1e-15)
    assert max(a, b).log == max(a.log, b.log)
    assert (a < a, a > a, a <= a, a >= a) == (False, False, True, True)


def test_positive_numbers_at_the_ends():
    zero, huge = Positive(0), Positive.exp(5000)
    assert float(zero) == float(zero + zero) == float(zero * huge) == float(zero.sqrt()) == float(zero.log1p()) == 0
    assert (huge + zero).log == 5000 and float(huge) == math.inf and float(1 / huge) == 0
    assert float(huge.log1p()) == pytest.approx(5000) and huge.log10 == pytest.approx(5000 / math.log(10))
    assert "10^2171.47" in repr(huge)
    with pytest.raises(ZeroDivisionError):
        1 / zero
    for wrong in (-1.0, math.nan):
        with pytest.raises(ValueError, match="not a number >= 0"):
            Positive(wrong)
