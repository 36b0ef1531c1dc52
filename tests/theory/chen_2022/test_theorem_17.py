"""Theorem 17: orders, the share of the leading term, Lemma 41's root, and what can be asked of it backwards."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from tests.theory.chen_2022 import exact
from tests.theory.chen_2022.by_name import (
    corollary_13,
    largest_linear_speedup,
    theorem_17,
    workers_needed,
)
from tests.theory.chen_2022.by_name import (
    steps_of_theorem_17 as steps_needed,
)
from theory.chen_2022.lemmas.lemma_41 import largest_root
from theory.chen_2022.theorem_17 import orders
from theory.constants import ConditionError
from theory.tools.positive import Positive

BUMP = {"L": 2.0, "G": 4.5, "sigma2": 16.0, "d": 4, "gap": 3.2, "alpha": 1.0, "theta": 1.0}


def at(T, s, d, **given):
    return theorem_17(T, **BUMP | {"beta": 0.0, "epsilon": 1 / (s * d), "workers": s, "d": d} | given)


def test_orders_of_section_11():
    """At v_0 = 1/(s d), beta = 0 and gap proportional to d, each term is a constant times its power of T, s and d."""
    rng = np.random.default_rng(11)
    prefactors = []
    for _ in range(200):
        T, s, d = int(10 ** rng.uniform(1, 12)), int(10 ** rng.uniform(0, 5)), int(10 ** rng.uniform(0, 5))
        terms, powers = at(T, s, d, gap=0.1 * d).terms, orders(T, s, d)
        assert terms.keys() == powers.keys()
        prefactors.append([terms[name] / powers[name] for name in terms])
        rho = s * d**2 / T
        wanted = [rho**p / math.sqrt(s) for p in (1 / 4, 1 / 3, 1 / 2, 1)]
        np.testing.assert_allclose(list(powers.values()), wanted, rtol=1e-12)
    np.testing.assert_allclose(prefactors, np.broadcast_to(prefactors[0], (200, 4)), rtol=1e-12)


def test_printed_orders_of_the_second_and_fourth_term_are_those_of_the_printed_constants():
    """With C11 as printed they go as T^-1/3 s^-1/6 and T^-1 s^1/2, without powers of d but C8's and C11's."""
    one, more = (at(10**6, s, 7, variant="printed").terms for s in (1, 64))
    assert more["(4 C8 C11)^(2/3)"] / one["(4 C8 C11)^(2/3)"] == pytest.approx(64 ** (-1 / 6), rel=1e-12)
    assert more["(4 C9 C11)^2"] / one["(4 C9 C11)^2"] == pytest.approx(8, rel=1e-12)
    wide = at(10**6, 1, 112, variant="printed").terms
    assert wide["(4 C9 C11)^2"] == pytest.approx(at(10**6, 1, 7, variant="printed").terms["(4 C9 C11)^2"], rel=1e-12)


def test_corrected_over_printed_C11():
    """2 d C7/(f(x_1) - f*) (sec. 11)."""
    corrected, printed = at(10**6, 3, 4), at(10**6, 3, 4, variant="printed")
    ratio = corrected.constants["C11"] / printed.constants["C11"]
    assert ratio == pytest.approx(2 * 4 * corrected.constants["C7"] / BUMP["gap"], rel=1e-12)


def test_C7_is_alpha_over_root_theta_C6():
    changed = {"alpha": 0.7, "theta": 3.0, "beta": 0.6}
    found = at(10**5, 2, 4, **changed).constants
    thirteen = corollary_13(10**5, L=2.0, G=4.5, d=4, gap=3.2, epsilon=0.125, alpha=0.7, beta=0.6, theta=3.0).constants
    assert found["C6"] == pytest.approx(thirteen["C6"], rel=1e-13)
    assert found["C7"] == pytest.approx(0.7 / math.sqrt(3) * thirteen["C6"], rel=1e-13)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_the_root_and_lemma_34_are_below_F_T(beta):
    for T in (10**3, 10**6, 10**9, 10**14):
        for s in (1, 64):
            found = at(T, s, 4, beta=beta)
            assert found.constants["exact root"] < found.value / 2 * (1 + 1e-9)  # Lemma 41: root <= max <= sum; .4997
            assert found.constants["by Lemma 34"] < found.value
            sharp = at(T, s, 4, beta=beta, variant="sharp").value
            assert sharp <= found.constants["by Lemma 34"] * (1 + 1e-12)
            assert (sharp == pytest.approx(found.constants["by Lemma 34"], rel=1e-12)) == (beta == 0)


nonnegative = st.one_of(st.just(0.0), st.floats(1e-8, 1e8))


@given(A=st.floats(1e-8, 1e8), B=nonnegative, C=st.floats(1e-8, 1e8), D=nonnegative)
def test_lemma_41_root_solves_its_equation(A, B, C, D):
    x = mpf(float(largest_root(*map(Positive, (A, B, C, D)))))
    A, B, C, D = map(mpf, (A, B, C, D))
    for y, below in ((x * (1 - mpf("1e-12")), True), (x * (1 + mpf("1e-12")), False)):
        assert (y**2 < (A + B * y) * (C + D * mp.sqrt(y))) == below
    assert x <= max((4 * B * D) ** 2, 4 * B * C, mp.cbrt(4 * A * D) ** 2, mp.sqrt(4 * A * C)) * (1 + mpf("1e-12"))
    assert abs(x / exact.largest_root(A, B, C, D) - 1) < 1e-11


def test_the_leading_term_is_half_from_10_to_the_18_on():
    """beta = .9, s = 1, d = 4 on Bump: from about 10^17.75 (sec. 11)."""
    for beta, power in ((0.0, 7.5), (0.5, 10.5), (0.9, 17.75)):

        def share(exponent, beta=beta):
            bump = {"L": 2.0, "G": math.sqrt(4 * 0.6495**2 + 4), "sigma2": 4.0, "gap": 2.0}
            found = at(int(10**exponent), 1, 4, beta=beta, **bump)
            return found.terms["(4 C8 C10)^(1/2)"] / found.value

        assert share(power - 1) < 0.5 < share(power + 1)


@pytest.mark.parametrize("variant", ["corrected", "printed", "sharp"])
@pytest.mark.parametrize("workers", [1, 16])
def test_steps_needed_is_the_first(variant, workers):
    given = BUMP | {"beta": 0.2, "workers": workers}
    for accuracy in (0.5, 5.0):
        T = steps_needed(accuracy, **given, variant=variant)
        bound = lambda steps: theorem_17(steps, **given, epsilon=1 / (workers * 4), variant=variant).value
        assert bound(T) <= accuracy
        assert bound(T - 1) > accuracy or math.isclose(bound(T - 1), accuracy, rel_tol=1e-13)
        assert bound(T - max(1, T // 10**9)) > accuracy


def test_linear_speedup_while_s_is_small():
    """T(varepsilon, s) ~ 1/s while s is small against varepsilon^-2, and no better than s^{1/2} beyond."""
    given = BUMP | {"beta": 0.0}
    fine = [steps_needed(1e-7, **given, workers=s) for s in (1, 2, 4)]
    assert [fine[0] / T for T in fine] == pytest.approx([1, 2, 4], rel=0.02)
    coarse = [steps_needed(10.0, **given, workers=s) for s in (10**4, 4 * 10**4)]
    assert coarse[1] > coarse[0]


@pytest.mark.parametrize("T", [10**8, 10**10])
def test_largest_linear_speedup_is_the_largest(T):
    given = BUMP | {"beta": 0.0}
    s = largest_linear_speedup(T, **given)

    def share(s):
        found = theorem_17(T, **given, epsilon=1 / (s * 4), workers=s)
        return found.terms["(4 C8 C10)^(1/2)"] / found.value

    assert s >= 1 and share(s) >= 0.5 > share(s + 1)
    assert largest_linear_speedup(10**4, **given) == 0
    assert largest_linear_speedup(100 * T, **given) == pytest.approx(100 * s, rel=0.6)  # s = O(T/d^2)


def test_workers_needed_is_the_first():
    given = BUMP | {"beta": 0.0}
    T = 10**10

    def bound(s):
        return theorem_17(T, **given, epsilon=1 / (s * 4), workers=s).value

    values = [bound(s) for s in range(1, 400)]
    for accuracy in (values[0] * 1.1, values[0] * 0.999, values[100], values[300] * 1.0001):
        wanted = next(s for s, value in enumerate(values, 1) if value <= accuracy * (1 + 1e-13))
        assert workers_needed(accuracy, T, **given) in (wanted, wanted + 1)
        s = workers_needed(accuracy, T, **given)
        assert bound(s) <= accuracy * (1 + 1e-13) and (s == 1 or bound(s - 1) > accuracy * (1 - 1e-13))
    lowest = min(bound(int(s)) for s in np.geomspace(1, 1e9, 1000))
    assert workers_needed(lowest * 1.0001, T, **given) is not None
    assert workers_needed(lowest * 0.999, T, **given) is None


@pytest.mark.parametrize(("beta", "gap", "T"), [(0.0, 3.2, 10**10), (0.5, 0.01, 10**11), (0.3, 0.0, 10**9)])
def test_the_smallest_value_of_all_is_reached(beta, gap, T):
    """F falls up to one s and rises after it: asked for its smallest value, that s is the answer, and no other is."""
    given = BUMP | {"beta": beta, "gap": gap}

    def bound(s):
        return theorem_17(T, **given, epsilon=1 / (s * 4), workers=s).value

    low, high = 1, 2**40  # where F(s + 1) - F(s) changes its sign
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if bound(middle + max(1, middle // 10**5)) < bound(middle) else (low, middle)
    lowest = min(bound(s) for s in range(max(1, low - 200), low + 200))
    found = workers_needed(lowest * (1 + 1e-9), T, **given)
    assert found is not None and bound(found) <= lowest * (1 + 2e-9)
    assert workers_needed(lowest * (1 - 1e-6), T, **given) is None


def test_bad_parameters_are_named():
    for change, message in (
        ({"T": 0}, "T must be an integer T >= 1.*; got 0"),
        ({"G": 0.0}, r"^G must satisfy G > 0, .*\(A4\).*; got 0.0"),
        ({"workers": 0}, r"workers must be an integer s >= 1.*; got 0"),
        ({"sigma2": -1.0}, r"sigma2 must satisfy sigma\^2 >= 0, .*\(A5\).*; got -1.0"),
        ({"theta": 9e5}, r"Theorem 17 needs .*; got theta/T = 0.9"),
        ({"beta": 0.9999999}, r"Theorem 17 needs gamma < 1 .*; got beta\^2 = 1 >= 1 - theta/T = 0.999999"),
    ):
        with pytest.raises(ValueError, match=message):
            theorem_17(**BUMP | {"T": 10**6, "beta": 0.5, "epsilon": 0.25, "workers": 1} | change)
    assert issubclass(ConditionError, ValueError)
    exact_gradients = theorem_17(**BUMP | {"T": 10**6, "beta": 0.5, "epsilon": 0.25, "workers": 1, "sigma2": 0.0})
    assert exact_gradients.constants["C8"] == pytest.approx(1e3)  # sqrt(T) sqrt(epsilon s d)/(sqrt(s) alpha)
    for wrong in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="accuracy"):
            steps_needed(wrong, **BUMP, beta=0.0, workers=1)
        with pytest.raises(ValueError, match="accuracy"):
            workers_needed(wrong, 100, **BUMP, beta=0.0)
    with pytest.raises(ValueError, match="T must"):
        orders(0, 1, 1)
    with pytest.raises(ValueError, match="d must"):
        largest_linear_speedup(100, **BUMP | {"d": 0, "beta": 0.0})
