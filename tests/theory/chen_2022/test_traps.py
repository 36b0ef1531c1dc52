"""Traps: a variant that is not read, a closed form against what is measured, digits lost near 0."""

import math

import numpy as np
import pytest
from mpmath import mp, mpf

from reference import families
from reference.families import Family
from reference.schedules import Constant
from tests.theory.chen_2022.by_name import (
    constant_theta_limit,
    fixed_theta_1,
    largest_linear_speedup,
    theorem_2,
    theorem_17,
)
from theory.chen_2022.restrictions import restrictions, smallest_C0
from theory.tools.sides import Sides

PROBLEM = {"L": 2.0, "G": 2.3, "d": 4, "gap": 1.0, "epsilon": 0.01}


def test_largest_linear_speedup_reads_its_variant():
    given = {"L": 2.0, "G": 4.5, "sigma2": 16.0, "d": 4, "gap": 3.2, "alpha": 1.0, "beta": 0.0, "theta": 1.0}
    T = 10**11
    for variant in ("corrected", "printed"):
        s = largest_linear_speedup(T, **given, variant=variant)
        for workers, leads in ((s, True), (s + 1, False)):
            terms = theorem_17(T, **given, epsilon=1 / (4 * workers), workers=workers, variant=variant).terms
            leading, *others = terms.values()
            assert (leading >= sum(others)) == leads
    for variant in ("sharp", "nonsense"):
        with pytest.raises(ValueError, match=f"must be corrected or printed, .*; got '{variant}'"):
            largest_linear_speedup(T, **given, variant=variant)


def test_R3_needs_r_at_most_2s_exactly():
    assert smallest_C0(families.generic(eta=0.1, s=0.5, a=0.5, r=1.0)) == 1
    assert smallest_C0(families.generic(eta=0.1, s=0.5, a=0.5, r=1.02)) == math.inf


def test_measured_C0_is_never_undercut():
    """A callable that hides its family has the same constants."""
    for family in (families.bias_corrected_adam(), families.generic(eta=0.1, s=0.25, a=0.5, r=0.9)):
        hidden = Family("hidden", lambda t, f=family: f.alpha(t) + 0.0, family.beta, family.theta)
        assert pytest.approx(restrictions(hidden, 500).C0, rel=1e-12) == restrictions(family, 500).C0


@pytest.mark.parametrize("theta", [1e-3, 1e-9, 1e-15, 1e-17])
def test_a_small_constant_theta_keeps_its_digits(theta):
    """beta = 0, constant steps: C1 = 1, gamma = 0, C0 = 1, all of Theorem 2 in a line of mpmath."""
    T, alpha = 50, 0.1
    with mp.workdps(50):
        L, G, d, gap, eps, th = (mpf(v) for v in (2.0, 2.3, 4, 1.0, 0.01, theta))
        chi = mpf(alpha) / mp.sqrt(1 - th)
        C3 = chi * L + 2 * G
        root = mp.sqrt(G**2 + eps * d)
        C = 2 * root * (gap + C3 * d * chi * mp.log(1 + G**2 / (eps * d)))
        sums = T * mpf(alpha) * mp.sqrt(1 - th)
        exact = mp.sqrt((C + 2 * C3 * d * root / th * sums) / (T * mpf(alpha)))
    assert theorem_2(families.constant(alpha, 0.0, theta), T, **PROBLEM).value == pytest.approx(float(exact), rel=1e-12)


def test_one_number_for_all_t_is_a_sequence():
    plain = Family("plain", lambda t: 0.1 / np.sqrt(t), lambda t: 0.5, lambda t: 0.99)
    named = Family("named", plain.alpha, Constant(0.5), Constant(0.99))
    assert theorem_2(plain, 100, **PROBLEM).value == pytest.approx(theorem_2(named, 100, **PROBLEM).value, rel=1e-12)
    with pytest.raises(TypeError, match=r"alpha must be a schedule or a function .*; got 0\.1"):
        Family("numbers", 0.1, 0.5, 0.99)


def test_an_infinite_left_side_does_not_hold():
    assert Sides("x", "corrected", np.array([np.inf]), np.array([1.0])).verdict == "violated"
    assert Sides("x", "corrected", np.array([1.0]), np.array([np.inf])).verdict == "holds"


def test_section_3_4_checks_its_step():
    with pytest.raises(ValueError, match="eta must"):
        constant_theta_limit(L=2, G=3, d=4, epsilon=0.01, eta=-1, beta=0.5)
    with pytest.raises(ValueError, match=r"s must .*; got 1\.5"):
        fixed_theta_1(0.99, 0.9, L=2, G=3, d=4, epsilon=0.01, eta=0.1, s=1.5, beta=0.5)
