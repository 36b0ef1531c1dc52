"""Verdicts and their witnesses: closed forms against what the sequences do, violations by the first t."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import families
from reference.families import Family
from reference.schedules import ApproachOne, Constant, Geometric, PowerDecay
from theory.chen_2022.sufficient_condition import sufficient_condition

IDS = ["R1", "R2", "R3", "SC1", "SC2", "SC3", "SC4"]


def verdicts(family, T=100):
    found = sufficient_condition(family, T)
    assert [condition.id for condition in found.conditions] == IDS
    json.dumps(found.as_json(), allow_nan=False)
    return {condition.id: condition.verdict for condition in found.conditions}


def unnamed(family):
    """The same sequences as plain functions."""
    return Family("any", lambda t: family.alpha(t), lambda t: family.beta(t), lambda t: family.theta(t))


def test_default_adam():
    found = sufficient_condition(families.bias_corrected_adam(), 1000)
    assert pytest.approx(6.568520252469244, rel=1e-12) == found.C0
    assert found.C0_up_to_T == pytest.approx(5.223128438774226, rel=1e-12)
    assert found.chi_1 == pytest.approx(0.01, rel=1e-14)
    assert found.restrictions.theta_prime == 0.999 and found.restrictions.log_C1 == 0
    assert verdicts(families.bias_corrected_adam()) == dict.fromkeys(IDS, "holds") | {"SC4": "fails"}
    assert "0.0316228" in found["SC4"].reason  # sqrt(1-theta)
    assert found["R3"].witness == {"i": 12, "t": 1000, "C0": found.C0_up_to_T}


@given(s=st.floats(0, 1.5), r=st.floats(0, 2), beta=st.floats(0, 0.99))
def test_eq_8_by_exponents(s, r, beta):
    found = verdicts(families.generic(0.1, s, 0.9, r, 1, beta))
    assert found["R1"] == found["SC1"] == found["SC2"] == "holds"
    assert found["R3"] == found["SC3"] == ("holds" if r <= 2 * s or math.isclose(r, 2 * s, rel_tol=1e-15) else "fails")
    assert found["SC4"] == ("holds" if r > 0 and s < 1 else "fails")
    limit = 1 if r > 0 else 1 - 0.9
    assert found["R2"] == ("holds" if limit > beta**2 else "fails")


@pytest.mark.parametrize(
    ("s", "r"), [(0.5, 1), (0.5, 0.5), (0.9, 1.5), (0.2, 0.4), (0.5, 0), (1.0, 1.0), (0, 0), (1.2, 0.5)]
)
def test_the_ratio_of_SC4_does_what_the_exponents_say(s, r):
    family = families.generic(0.1, s, 0.5, r, 1, 0.5)
    ratios = [sufficient_condition(family, T)["SC4"].witness["ratio"] for T in (10**3, 10**5, 3 * 10**6)]
    falls = ratios[0] > 1.3 * ratios[1] > 1.3**1.5 * ratios[2]
    assert (verdicts(family)["SC4"] == "holds") == falls
    if r == 0 and s < 1:
        assert f"{ratios[2]:.3g}" == f"{math.sqrt(0.5) / (1 - s):.3g}"
    t = np.arange(1, 1001)
    alpha, _, theta = family.at(t)
    assert ratios[0] == pytest.approx((alpha * np.sqrt(1 - theta)).sum() / (1000 * alpha[-1]), rel=1e-12)


def test_the_order_of_the_ratio():
    reason = lambda s, r: sufficient_condition(families.generic(0.1, s, 0.5, r, 1), 10)["SC4"].reason
    assert reason(0.5, 0.5).endswith("O(T^-0.25)")
    assert reason(0.5, 1).endswith("O(ln T/T^0.5)")
    assert reason(0.75, 1).endswith("O(T^-0.25)")
    assert f"= {math.sqrt(0.5) / (1 - 0.6):.6g}, not to 0" in reason(0.6, 0)


@pytest.mark.parametrize("row", [families.ada_ema(0.1), families.adam_nc(0.1), families.rmsprop(0.1, 1.5)])
def test_table_1_satisfies_everything(row):
    assert set(verdicts(row).values()) == {"holds"}
    assert sufficient_condition(row, 100).C0 == 1


def test_the_path_to_adam():
    for r in (0.25, 0.5, 1.0):
        assert set(verdicts(families.path_to_adam(r, K=2)).values()) == {"holds"}
    assert verdicts(families.path_to_adam(0.0))["SC4"] == "fails"


def test_the_practical_family_is_constant():
    found = verdicts(families.practical(1000, 1.0, 0.9, 1.0), 1000)
    assert found == dict.fromkeys(IDS, "holds") | {"SC4": "fails"}


def test_bias_correction_between():
    """0 < s < 1/2, theta > beta: no closed form of C0, but a proof that (1-theta)^-(1/2-s) is enough."""
    found = sufficient_condition(families.bias_corrected_adam(0.1, 0.9, 0.999, s=0.25), 5000)
    assert found["R3"].verdict == "holds" and "5.62341" in found["R3"].reason
    assert found.C0 == found.C0_up_to_T < 5.63
    assert verdicts(families.bias_corrected_adam(0.1, 0.9, 0.999, s=0.5)) == dict.fromkeys(IDS, "holds") | {
        "SC4": "fails"
    }


@pytest.mark.parametrize("family", [families.generic(0.1, 0.4, 1, 0.9, 2, 0.5), families.bias_corrected_adam()])
def test_plain_functions_tell_no_more_than_T_terms(family):
    named, plain = sufficient_condition(family, 700), sufficient_condition(unnamed(family), 700)
    assert {c.verdict for c in plain.conditions} == {"cannot tell"}
    assert plain.C0 == plain.C0_up_to_T == pytest.approx(named.C0_up_to_T, rel=1e-12)
    assert plain.chi_1 == pytest.approx(named.chi_1, rel=1e-12)
    assert plain["SC4"].witness["ratio"] == pytest.approx(named["SC4"].witness["ratio"], rel=1e-10)
    assert plain["R3"].witness["t"] == named["R3"].witness["t"]


def spoil(name, t0, value):
    good = families.generic(0.1, 0.5, 1, 1, 2, 0.5)
    changed = lambda t: np.where(np.asarray(t) == t0, value, getattr(good, name)(t))
    return replace(good, **{name: changed})


@pytest.mark.parametrize("t0", [1, 2, 7, 100])
@pytest.mark.parametrize(
    ("name", "value", "failing"),
    [
        ("beta", 1.0, {"R1", "SC1", "R2"}),
        ("beta", -0.1, {"R1", "SC1", "R2"}),
        ("theta", 1.0, {"R2", "SC2", "R3", "SC3", "SC4"}),
        ("theta", 0.0, {"R2", "SC2", "R3", "SC3", "SC4"}),
        ("alpha", 0.0, {"R3", "SC3", "SC4"}),
        ("alpha", math.nan, {"R3", "SC3", "SC4"}),
    ],
)
def test_the_first_violation_is_the_witness(t0, name, value, failing):
    found = sufficient_condition(spoil(name, t0, value), 100)
    json.dumps(found.as_json(), allow_nan=False)
    assert found.restrictions is None
    for condition in found.conditions:
        assert (condition.verdict == "fails") == (condition.id in failing), condition
        if condition.verdict == "fails" and not (condition.id == "R2" and name == "beta"):
            assert condition.witness["t"] == t0 and condition.reason.endswith(f"at t = {t0}")


def test_a_later_violation_is_seen_behind_an_earlier_one():
    both = replace(spoil("alpha", 3, 0.0), theta=spoil("theta", 60, 0.1).theta)
    found = sufficient_condition(both, 100)
    assert found["SC2"].witness["t"] == 60 and found["SC3"].witness["t"] == 3


def test_a_theta_that_falls():
    found = sufficient_condition(spoil("theta", 50, 0.9), 100)
    assert found["R2"].witness == {"t": 50, "theta_t": pytest.approx(0.9)}
    assert found["R2"].verdict == found["SC2"].verdict == "fails" and found["R3"].verdict == "cannot tell"


def test_theta_1_of_0_as_printed_in_table_1():
    printed = Family("1 - 1/t", families.ada_ema(0.1).alpha, Constant(0.9), lambda t: 1 - 1 / np.asarray(t, float))
    found = sufficient_condition(printed, 100)
    assert found["R2"].verdict == "fails" and found["R2"].witness["t"] == 1
    assert found.restrictions is None


def test_R2_needs_a_limit_above_beta_squared():
    assert verdicts(families.constant(0.1, 0.9, 0.8))["R2"] == "fails"
    assert verdicts(families.constant(0.1, 0.9, 0.82))["R2"] == "holds"
    assert verdicts(families.constant(0.1, 0.5, 0.25))["R2"] == "fails"
    assert 0.81 < sufficient_condition(families.constant(0.1, 0.9, 0.8), 10).restrictions.theta_prime < 1
    unknown = replace(families.constant(0.1, 0.9, 0.82), beta=lambda t: np.full(np.shape(t), 0.9))
    assert verdicts(unknown)["R2"] == verdicts(unknown)["R1"] == "cannot tell"


def test_R3_fails_only_where_it_is_proved():
    found = sufficient_condition(families.generic(0.1, 0.1, 0.5, 0.5, 1), 1000)
    assert found["R3"].verdict == "fails" and math.inf == found.C0 and found.as_json()["C0"] is None
    assert found.C0_up_to_T == pytest.approx(1000**0.15, rel=1e-12)
    assert "t^0.15" in found["R3"].reason


@pytest.mark.parametrize(("s", "r"), [(0.1 * 3, 0.6), (0.3, 0.1 * 6)])
def test_r_is_2s_up_to_rounding(s, r):
    found = sufficient_condition(families.generic(0.1, s, 0.5, r), 1000)
    assert (found["R3"].verdict, found["R3"].witness) == ("holds", {"i": 1, "t": 1, "C0": 1.0})
    assert "r = 0.6 = 2s = 0.6" in found["R3"].reason


@given(s=st.floats(0, 1.5), r=st.floats(0, 2), c=st.floats(0, 50), K=st.floats(1, 50))
def test_a_shift_changes_no_verdict(s, r, c, K):
    plain = verdicts(families.generic(0.1, s, 0.9, r, K, 0.3), 10)
    assert verdicts(families.generic(0.1, s, 0.9, r, K, 0.3, c), 10) == plain


def test_the_ratio_of_a_shifted_family_falls_as_said():
    """O(T^-r/2) at r = .5, s = .1, c = 10: ten times T is 10^-.25 times the ratio."""
    family = families.generic(0.1, 0.1, 0.5, 0.5, 1, 0.5, 10)
    ratios = [sufficient_condition(family, T)["SC4"].witness["ratio"] for T in (10**5, 10**6)]
    assert ratios[1] / ratios[0] == pytest.approx(10**-0.25, rel=5e-3)
    assert sufficient_condition(family)["SC4"].reason.endswith("O(T^-0.25)")


def test_what_the_first_terms_do_is_said():
    constant, root = families.constant(0.1, 0.9, 0.99), families.generic(0.1, 0.5, 0.5, 0.9)
    found = sufficient_condition(unnamed(constant), 50)
    assert "beta_t is constant, at most 0.9, for t <= 50; beyond that nothing is known" in found["R1"].reason
    assert "theta_t is constant" in found["SC2"].reason and "chi_t is constant, hence C0 = 1" in found["R3"].reason
    found = sufficient_condition(unnamed(root), 50)
    assert "theta_t is non-decreasing" in found["SC2"].reason
    assert "chi_t is non-increasing, hence C0 = 1, for t <= 50" in found["R3"].reason
    found = sufficient_condition(unnamed(families.generic(0.1, 0.2, 0.5, 1)), 50)
    assert found["R3"].reason.startswith("chi_t is non-decreasing: chi_t/chi_i <= 3.23")
    adam = sufficient_condition(unnamed(families.bias_corrected_adam()), 50)
    assert adam["R3"].reason.startswith("chi_t/chi_i <= ")


def test_schedules_of_every_kind_answer():
    """Each is decided by what its schedule knows, not by its class."""
    rising_beta = replace(families.constant(0.1, 0.9, 0.99), beta=ApproachOne(0.5, 1))
    assert verdicts(rising_beta)["R1"] == "fails" and verdicts(rising_beta)["R2"] == "fails"
    falling_beta = replace(families.constant(0.1, 0.9, 0.99), beta=PowerDecay(0.9, 1))
    assert verdicts(falling_beta)["R1"] == verdicts(falling_beta)["R2"] == "holds"
    falling_theta = replace(families.constant(0.1, 0.5, 0.99), theta=PowerDecay(0.9, 1))
    assert verdicts(falling_theta, 1)["SC2"] == "fails"
    geometric = replace(families.ada_ema(0.1), alpha=Geometric(0.1, 0.9))
    assert verdicts(geometric)["SC4"] == "fails" and verdicts(geometric)["R3"] == "cannot tell"
    fast = Family("", PowerDecay(0.1, 1.0), Constant(0.5), lambda t: 1 - 0.5 / np.sqrt(t))
    assert verdicts(fast)["SC4"] == "fails"  # T alpha_T is bounded, whatever theta_t


def test_the_answer_is_one_sentence():
    answer = lambda family: sufficient_condition(family, 50).answer
    begin = "The sufficient condition (Corollary 9, p. 10) "
    assert answer(families.ada_ema(0.1)).startswith(begin + "holds: ")
    assert answer(families.bias_corrected_adam()).startswith(begin + "fails: SC4, theta_t is constant")
    assert answer(unnamed(families.ada_ema(0.1))).startswith(begin + "cannot be told: SC1, beta_t is constant")
    assert answer(spoil("beta", 3, 1.5)).startswith(begin + "fails: SC1, beta_t must satisfy 0 <= beta_t")
