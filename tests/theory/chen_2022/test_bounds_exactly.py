"""Every number of the three bounds, in every variant, against 50 digits over random admissible parameters."""

import math

import numpy as np
import pytest
from mpmath import mp, mpf

from reference import families
from tests.theory.chen_2022 import exact
from tests.theory.chen_2022.by_name import corollary_13, theorem_2, theorem_17
from theory.constants import ConditionError

VARIANTS = ("corrected", "printed", "sharp")
SETS = 80


def problem(rng):
    return {
        "L": float(10 ** rng.uniform(-2, 2)),
        "G": float(10 ** rng.uniform(-2, 2)),
        "d": int(10 ** rng.uniform(0, 4)),
        "gap": float(10 ** rng.uniform(-2, 2)),
        "epsilon": float(10 ** rng.uniform(-8, 1)),
    }


def agree(bound, value, terms, constants, tolerance):
    assert bound.terms.keys() == terms.keys()
    assert bound.constants.keys() == constants.keys()
    pairs = [("value", bound.value, value)]
    pairs += [(name, bound.terms[name], terms[name]) for name in terms]
    pairs += [(name, bound.constants[name], constants[name]) for name in constants]
    for name, found, wanted in pairs:
        if name == "log_C1":  # log_C1 near 0 is right as the exponent it is
            assert abs(found - wanted) <= tolerance * max(1, abs(wanted)), name
        else:
            assert abs(mpf(found) - wanted) <= tolerance * abs(wanted), (name, found, wanted)
    assert math.isclose(bound.log10_value, mp.log10(value), rel_tol=1e-12, abs_tol=1e-12)
    assert bound.kind == "upper bound"


def practical_parameters(rng, smallest, largest):
    """alpha, beta, theta, T with 1 - gamma between the two, gamma = beta^2/th1; as floats."""
    T = int(10 ** rng.uniform(1, 9))
    theta = float(T * rng.uniform(0.001, 0.75)) if rng.random() < 0.5 else float(min(10 ** rng.uniform(-2, 1), 0.7 * T))
    target = 10 ** rng.uniform(math.log10(smallest), math.log10(largest))
    beta = float(math.sqrt((1 - theta / T) * (1 - target))) if rng.random() < 0.85 else 0.0
    return {"T": T, "alpha": float(10 ** rng.uniform(-2, 2)), "beta": beta, "theta": theta}


@pytest.mark.parametrize(("smallest", "largest", "tolerance"), [(1e-3, 0.999, 1e-12), (1e-6, 1e-3, 1e-9)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_corollary_13_and_theorem_17(variant, smallest, largest, tolerance):
    rng = np.random.default_rng(13)
    done = 0
    while done < SETS:
        given = problem(rng) | practical_parameters(rng, smallest, largest)
        th1 = 1 - given["theta"] / given["T"]
        if variant != "printed" or 1 - given["beta"] / th1 >= smallest:  # printed: gamma = beta/th1
            agree(
                corollary_13(**given, variant=variant),
                *exact.corollary_13(**exact.exactly(**given), variant=variant),
                tolerance,
            )
            done += 1
        workers, sigma2 = int(10 ** rng.uniform(0, 4)), float(10 ** rng.uniform(-3, 3))
        found = theorem_17(**given, sigma2=sigma2, workers=workers, variant=variant)
        wanted = exact.theorem_17(**exact.exactly(**given, sigma2=sigma2, s=workers), variant=variant)
        agree(found, *wanted, tolerance)


def sequences(rng, T):
    """A family, and the same sequences at 50 digits: Eq. 8, bias-corrected Adam, AdamNC, or none of these."""
    kind = rng.integers(4)
    beta = float(rng.choice([0.0, 0.3, 0.5, 0.9, 0.97]))
    t = range(1, T + 1)
    if kind == 0:
        s, r = float(rng.uniform(0, 0.99)), float(rng.uniform(0, 1.5))
        K = float(rng.uniform(1, 6))
        eta, a = float(10 ** rng.uniform(-2, 1)), float(rng.uniform(0.05, 0.95) * K**r)
        family = families.generic(eta, s, a, r, K, beta)
        alpha = [mpf(eta) / mpf(k) ** mpf(s) for k in t]
        theta = [1 - mpf(a) / max(mpf(k), mpf(K)) ** mpf(r) for k in t]
        return family, alpha, [mpf(beta)] * T, theta
    if kind == 1:
        eta, s, th = (
            float(10 ** rng.uniform(-3, 0)),
            float(rng.choice([0, 0.25, 0.5])),
            float(rng.choice([0.96, 0.99, 0.999])),
        )
        family = families.bias_corrected_adam(eta, beta, th, s)
        alpha = [mpf(eta) / mpf(k) ** mpf(s) * mp.sqrt(1 - mpf(th) ** k) / (1 - mpf(beta) ** k) for k in t]
        return family, alpha, [mpf(beta)] * T, [mpf(th)] * T
    if kind == 2:
        eta, decay, K = float(10 ** rng.uniform(-2, 0)), 0.95, 3.0
        family = families.adam_nc(eta, beta, decay, K)
        alpha = [mpf(eta) / mp.sqrt(k) for k in t]
        return family, alpha, [mpf(beta) * mpf(decay) ** k for k in t], [1 - 1 / max(mpf(k), mpf(K)) for k in t]
    steps = np.sort(rng.uniform(0.3, 0.999, T))
    sizes = 10 ** rng.uniform(-1, 1, T)
    family = families.Family(
        "any", lambda k: sizes[k - 1], lambda k: np.full(np.shape(k), beta), lambda k: steps[k - 1]
    )
    return family, [mpf(float(x)) for x in sizes], [mpf(beta)] * T, [mpf(float(x)) for x in steps]


def test_theorem_2():
    rng = np.random.default_rng(2)
    done = 0
    while done < SETS:
        T = int(10 ** rng.uniform(0, 2))
        family, alpha, beta, theta = sequences(rng, T)
        given = problem(rng)
        try:
            bound = theorem_2(family, T, **given)
        except ConditionError:  # theta_T <= beta^2
            continue
        prime = mpf(bound.constants["theta_prime"])
        if 1 - max(beta) ** 2 / prime < mpf("1e-3"):
            continue
        for variant in VARIANTS:
            bound = theorem_2(family, T, **given, variant=variant)
            assert bound.constants["theta_prime"] == prime
            agree(bound, *exact.theorem_2(alpha, beta, theta, prime, **exact.exactly(**given), variant=variant), 1e-12)
        done += 1


@pytest.mark.parametrize("power", range(-6, -2))
def test_theorem_2_with_gamma_near_1(power):
    rng = np.random.default_rng(power + 10)
    for _ in range(20):
        theta = float(rng.uniform(0.3, 0.999))
        beta = float(math.sqrt(theta * (1 - 10.0**power * rng.uniform(1, 3))))
        family, given, T = families.constant(0.1, beta, theta), problem(rng), 5
        for variant in VARIANTS:
            bound = theorem_2(family, T, **given, variant=variant, theta_prime=theta)
            wanted = exact.theorem_2(
                [mpf(0.1)] * T, [mpf(beta)] * T, [mpf(theta)] * T, mpf(theta), **exact.exactly(**given), variant=variant
            )
            agree(bound, *wanted, 1e-12 if power == -3 else 1e-9)


def test_beyond_the_largest_float():
    # theta_t = .01 for t < K, beta near 1: C1 = prod theta_t/theta' is about 10^-1000
    given = {"L": 2.0, "G": 2.3, "d": 4, "gap": 3.2, "epsilon": 0.01}
    eta, s, r, K, beta, T = 0.1, 0.5, 1.0, 500.0, 0.9, 600
    a = 0.99 * K
    family = families.generic(eta, s, a, r, K, beta)
    alpha = [mpf(eta) / mp.sqrt(k) for k in range(1, T + 1)]
    theta = [1 - mpf(a) / max(k, 500) for k in range(1, T + 1)]
    prime = 0.9
    for variant in VARIANTS:
        bound = theorem_2(family, T, **given, variant=variant, theta_prime=prime)
        value, terms, _ = exact.theorem_2(
            alpha, [mpf(beta)] * T, theta, mpf(prime), **exact.exactly(**given), variant=variant
        )
        assert bound.value == math.inf and bound.vacuous and mp.log10(value) > 310
        assert math.isclose(bound.log10_value, mp.log10(value), rel_tol=1e-12)
        assert bound.as_json()["value"] is None and bound.as_json()["terms"]["sum"] is None
        assert bound.terms["gap"] == pytest.approx(float(terms["gap"]), rel=1e-12)


def test_vacuous_means_above_G():
    given = {"T": 10**6, "L": 2.0, "d": 1, "gap": 1.0, "epsilon": 1.0, "alpha": 1.0, "beta": 0.0, "theta": 1.0}
    for bound in (lambda G: corollary_13(G=G, **given), lambda G: theorem_17(G=G, sigma2=1.0, workers=1, **given)):
        seen = {bound(G).vacuous for G in np.geomspace(1e-3, 1e3, 30)}
        assert seen == {True, False} or bound(1e3).vacuous == (bound(1e3).value > 1e3)
        for G in np.geomspace(1e-3, 1e3, 30):
            assert bound(G).vacuous == (bound(G).value > G)
