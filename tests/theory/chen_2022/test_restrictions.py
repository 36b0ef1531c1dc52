"""C0, theta', gamma and C1: printed numbers, closed forms against brute force, the minimiser against a grid."""

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from reference import families
from reference.families import Family
from reference.schedules import ApproachOne, BiasCorrected, Constant, Geometric, PowerDecay
from tests.theory.chen_2022 import exact
from tests.theory.chen_2022.by_name import theorem_2
from theory.chen_2022.lemmas.lemma_33 import C3 as lemma_33_C3
from theory.chen_2022.restrictions import Restrictions, log_C1, restrictions, smallest_C0
from theory.constants import ConditionError
from theory.tools.sequences import CHUNK, chunks, summarize


def brute_C0(family, T):
    t = np.arange(1, T + 1)
    alpha, _, theta = family.at(t)
    chi = alpha / np.sqrt(1 - theta)
    ratios = chi / np.minimum.accumulate(chi)
    return max(1.0, float(ratios.max()))


def arbitrary(alpha, theta, beta=0.5):
    """The family of given finite sequences (no closed form)."""
    alpha, theta = np.asarray(alpha, float), np.asarray(theta, float)
    return Family(
        "any",
        lambda t: alpha[np.asarray(t) - 1],
        lambda t: np.full(np.shape(t), beta),
        lambda t: theta[np.asarray(t) - 1],
    )


@pytest.mark.parametrize(
    ("beta", "theta", "printed"), [(0.9, 0.99, 2.131), (0.9, 0.999, 6.569), (0.0, 0.99, 10.0), (0.0, 0.999, 31.623)]
)
def test_C0_of_adam_as_printed(beta, theta, printed):
    family = families.bias_corrected_adam(1e-3, beta, theta)
    assert smallest_C0(family) == pytest.approx(printed, abs=6e-4)
    assert pytest.approx(printed, abs=6e-4) == restrictions(family, 10**5).C0


def test_default_adam_up_to_a_thousand_steps():
    r = restrictions(families.bias_corrected_adam(), 1000)
    assert r.C0 == pytest.approx(5.223128438774226, rel=1e-12) == brute_C0(families.bias_corrected_adam(), 1000)
    assert r.chi_1 == pytest.approx(1e-3 / (1 - 0.9), rel=1e-14)  # alpha/(1-beta), not alpha/sqrt(1-theta)


@pytest.mark.parametrize("theta", [0.9, 0.99, 0.999])
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.9487, 0.97])
@pytest.mark.parametrize("s", [0.0, 0.25, 0.5, 0.75])
def test_bias_correction_in_closed_form(beta, theta, s):
    """1 where s >= 1/2 or theta <= beta; for s = 0, 1/min h; for 0 < s < 1/2 no more than (1-theta)^-(1/2-s)."""
    family = families.bias_corrected_adam(0.01, beta, theta, s)
    found, brute = smallest_C0(family), brute_C0(family, 200_000)
    if s >= 0.5 or theta <= beta:
        assert found == 1 and brute < 1 + 1e-12
    elif s == 0:
        assert found == pytest.approx(brute, rel=1e-12)
    else:
        assert found is None and brute <= (1 - theta) ** (s - 0.5) * (1 + 1e-12)
    assert family.alpha.rise_bound() >= brute * (1 - 1e-12)


@pytest.mark.parametrize(("beta", "theta"), [(0.9, 0.9000001), (0.999, 0.99999999), (1e-12, 0.5), (0.5, 1 - 1e-13)])
def test_the_dip_at_extreme_parameters(beta, theta):
    with mp.workdps(60):
        rate = {c: -mp.log(mpf(c)) for c in (beta, theta)}
        h = lambda t: mp.sqrt(1 - mp.exp(-rate[theta] * t)) / (1 - mp.exp(-rate[beta] * t))
        lowest = min(h(t) for t in range(1, 20001))
    assert smallest_C0(families.bias_corrected_adam(1, beta, theta)) == pytest.approx(float(1 / lowest), rel=1e-12)


@given(
    s=st.floats(0, 1.2), r=st.floats(0, 1.9), K=st.floats(1, 40), a=st.floats(0.01, 0.99), scale=st.floats(0.01, 100)
)
def test_eq_8_in_closed_form(s, r, K, a, scale):
    family = families.generic(scale, s, a * K**r, r, K)
    T = 3000
    brute = brute_C0(family, T)
    if r <= 2 * s or math.isclose(r, 2 * s, rel_tol=1e-15):
        assert smallest_C0(family) == 1
        assert restrictions(family, T, theta_prime=0.999).C0 == 1 and brute < 1 + 1e-10
    else:
        assert smallest_C0(family) == math.inf
        chi = np.array([max(t, K) ** (r / 2) * t**-s for t in range(1, T + 1)])
        wanted = float((chi / np.minimum.accumulate(chi)).max())
        assert pytest.approx(max(1, wanted), rel=1e-9) == summarize(family, T).C0


def test_what_is_not_known_in_closed_form():
    assert smallest_C0(arbitrary([1, 1], [0.5, 0.5])) is None
    assert smallest_C0(Family("", Geometric(0.1, 0.9), Constant(0.9), ApproachOne(1, 1, 2))) is None
    two = families.generic([1.0, 2.0], 0.5, 1, 1, 2)
    with pytest.raises(ValueError, match="one configuration"):
        restrictions(two, 10)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0.001, 0.999)), min_size=1, max_size=40))
def test_C0_and_its_witness_on_any_sequence(steps):
    alpha = np.exp([x for x, _ in steps])
    theta = np.sort([y for _, y in steps])
    found = summarize(arbitrary(alpha, theta), len(steps), sharp=True)
    chi = alpha / np.sqrt(1 - theta)
    pairs = [(chi[t] / chi[i], i, t) for t in range(len(chi)) for i in range(t + 1)]
    assert pytest.approx(max(p[0] for p in pairs), rel=1e-12) == found.C0
    i, t = found.C0_at
    assert i <= t and chi[t - 1] / chi[i - 1] == pytest.approx(found.C0, rel=1e-12)
    assert found.chi_1 == pytest.approx(chi[0], rel=1e-12)
    assert (found.theta_1, found.theta_T, found.alpha_T) == pytest.approx((theta[0], theta[-1], alpha[-1]), rel=1e-12)
    assert found.sum_noise == pytest.approx((alpha * np.sqrt(1 - theta)).sum(), rel=1e-12)
    assert found.sum_inverse == pytest.approx((1 / alpha).sum(), rel=1e-12)
    assert found.sum_log == pytest.approx((-np.minimum.accumulate(chi) * np.log(theta)).sum(), rel=1e-9)


def test_chunks_meet_without_a_seam():
    """The extremes and the first violations may fall on either side of a chunk's end."""
    T = 2 * CHUNK + 7
    alpha, theta = np.full(T, 2.0), np.full(T, 0.75)
    for i, t in ((CHUNK - 1, CHUNK), (CHUNK, CHUNK + 1), (5, 2 * CHUNK + 3), (CHUNK + 4, CHUNK + 90)):
        one = alpha.copy()
        one[i - 1], one[t - 1] = 1.0, 5.0
        found = summarize(arbitrary(one, theta), T)
        assert (found.C0, found.C0_at) == (5.0, (i, t))
        assert found.sum_noise == pytest.approx(0.5 * (2 * T + 2), rel=1e-14)
    for t in (2, CHUNK, CHUNK + 1, T):
        falls = theta.copy()
        falls[t - 1 :] = 0.5
        violation = summarize(arbitrary(alpha, falls), T).violations["theta_t decreases"]
        assert (violation.t, violation.value) == (t, 0.5)


@pytest.mark.parametrize(
    ("alpha", "beta", "theta", "message"),
    [
        ([1, 1, 1], 0.5, [0.5, 0.4, 0.6], r"theta_t must satisfy .*non-decreasing \(R2.*; got 0.4 at t = 2"),
        ([1, 1, 1], 0.5, [0.5, 0.6, 1.0], r"theta_t must satisfy .*R2.*; got 1 at t = 3"),
        ([1, 1, 1], 0.5, [0.0, 0.6, 0.7], r"theta_t must satisfy .*R2.*; got 0 at t = 1"),
        ([1, 1, 1], 1.0, [0.5, 0.6, 0.7], r"beta_t must satisfy .*R1.*; got 1 at t = 1"),
        ([1, 0, 1], 0.5, [0.5, 0.6, 0.7], r"alpha_t must satisfy .*Algorithm 1.*; got 0 at t = 2"),
        ([1, 1, np.nan], 0.5, [0.5, 0.6, 0.7], r"alpha_t must satisfy .*; got nan at t = 3"),
    ],
)
def test_a_restriction_that_fails_is_named(alpha, beta, theta, message):
    with pytest.raises(ConditionError, match=message):
        restrictions(arbitrary(alpha, theta, beta), 3)


@pytest.mark.parametrize("T", [0, -1])
def test_T_is_a_positive_integer(T):
    with pytest.raises(ValueError, match="T >= 1"):
        restrictions(families.bias_corrected_adam(), T)
    with pytest.raises(TypeError, match="integer"):
        restrictions(families.bias_corrected_adam(), 1.5)


def test_theta_prime_given():
    family = families.generic(0.1, 0.5, 1, 1, 2, 0.5)
    r = restrictions(family, 50, theta_prime=0.8)
    product = math.prod(min(1, (1 - 1 / max(t, 2)) / 0.8) for t in range(1, 51))
    assert pytest.approx(product, rel=1e-13) == r.C1 and r.log_C1 == pytest.approx(math.log(product), rel=1e-13)
    assert (r.gamma, r.one_minus_gamma) == pytest.approx((0.3125, 0.6875), rel=1e-15)
    assert r.one_minus_sqrt_gamma == pytest.approx(1 - math.sqrt(0.3125), rel=1e-14)
    for wrong in (0.25, 0.2, 1.0):
        with pytest.raises(ConditionError, match=r"theta' must satisfy beta\^2 = 0.25 < theta' < 1"):
            restrictions(family, 50, theta_prime=wrong)


def test_one_minus_gamma_keeps_its_digits():
    theta = 0.7
    for gap in (1e-3, 1e-9, 1e-14):
        beta = math.sqrt(theta * (1 - gap))
        r = restrictions(families.constant(0.1, beta, theta), 5, theta_prime=theta)
        with mp.workdps(50):
            gamma = mpf(beta) ** 2 / mpf(theta)
            assert abs(mpf(r.one_minus_gamma) / (1 - gamma) - 1) < 1e-15
            assert abs(mpf(r.one_minus_sqrt_gamma) / (1 - mp.sqrt(gamma)) - 1) < 1e-15


PRINTED = {"L": 2.0, "G": 2.3}


@pytest.mark.parametrize(
    ("r", "a", "K", "beta", "theta_prime", "prime", "C3"),
    [
        (1, 1, 2, 0.9, None, 0.9105, 2.69e6),
        (1, 1, 2, 0.9, (0.81 + 1) / 2, 0.905, 2.72e6),
        (1, 1, 2, 0.9, 0.99, 0.99, 2.7e7),
        (0.5, 0.5, 1, 0.5, None, 0.6464, 136.7),
        (0.5, 0.5, 1, 0.5, 0.5, 0.5, 152.6),
        (0.5, 0.5, 1, 0.5, 0.99, 0.99, 6.8534e14),
    ],
)
def test_numbers_of_section_3(r, a, K, beta, theta_prime, prime, C3):
    found = restrictions(families.generic(0.1, 0.5, a, r, K, beta), 800, **PRINTED, theta_prime=theta_prime)
    assert found.theta_prime == pytest.approx(prime, abs=6e-5)
    assert lemma_33_C3(found, C1=found.C1, **PRINTED) == pytest.approx(C3, rel=0.02 if C3 == 2.7e7 else 2e-3)


@pytest.mark.parametrize("seed", range(25))
def test_the_best_theta_prime_is_the_best(seed):
    """C3 at 50 digits on a fine grid of theta', kinks included, is nowhere smaller."""
    rng = np.random.default_rng(seed)
    T = int(rng.integers(1, 60))
    beta = float(rng.choice([0.2, 0.5, 0.9, 0.97]))
    theta = np.sort(rng.uniform(0.05, 0.999, T))
    theta[-1] = max(theta[-1], beta**2 + 0.02)
    family = arbitrary(10 ** rng.uniform(-1, 1, T), theta, beta)
    L, G = float(10 ** rng.uniform(-3, 3)), float(10 ** rng.uniform(-3, 3))
    best = restrictions(family, T, L=L, G=G)
    alpha, _, thetas = family.at(np.arange(1, T + 1))
    alpha, thetas = [mpf(float(x)) for x in alpha], [mpf(float(x)) for x in thetas]

    def C3(prime):
        return exact.C3_of(exact.restrictions(alpha, [mpf(beta)], thetas, mpf(float(prime))), L, G, thetas[0])

    grid = [*np.linspace(beta**2, 1, 120)[1:-1], *theta[theta > beta**2]]
    assert min(C3(prime) for prime in grid) >= C3(best.theta_prime) * (1 - mpf(10) ** -13)
    assert beta**2 < best.theta_prime < 1


def test_theta_prime_without_L_and_G():
    """theta_1 where beta^2 < theta_1; else the largest sqrt(C1)(1 - sqrt gamma)."""
    assert restrictions(families.generic(0.1, 0.5, 1, 1, 2, 0.5), 99).theta_prime == 0.5
    family = families.generic(0.1, 0.5, 1, 1, 2, 0.9)
    found = restrictions(family, 800)

    def P(prime):
        return math.exp(log_C1(family, 800, prime) / 2) * (1 - 0.9 / math.sqrt(prime))

    assert P(found.theta_prime) >= max(P(prime) for prime in np.linspace(0.811, 0.9985, 2000))
    assert restrictions(families.generic(0.1, 0.5, 1, 1, 2, 0.0), 99, L=1.0, G=1.0).theta_prime == 0.5


def test_L_without_G_is_no_problem_to_minimise_for():
    family = families.generic(0.1, 0.5, 1, 1, 2, 0.6)
    for one in ({"L": 2.0}, {"G": 2.0}):
        assert restrictions(family, 50, **one).theta_prime == restrictions(family, 50).theta_prime == 0.5
    between = families.generic(0.1, 0.5, 0.5, 1, 2, 0.9)  # beta^2 = .81 > theta_1 = .75 > beta^3
    assert restrictions(between, 50).theta_prime > 0.81


@given(theta=st.floats(0.3, 0.9999), share=st.floats(0.1, 0.95))
def test_constant_theta_is_its_own_theta_prime(theta, share):
    family = families.constant(0.1, share * math.sqrt(theta), theta)
    r = restrictions(family, 100, **PRINTED)
    assert (r.theta_prime, r.log_C1) == (r.theta_1, 0.0) and r.theta_1 == pytest.approx(theta, rel=1e-15)


@pytest.mark.parametrize("seed", range(20))
def test_a_minimum_on_a_kink_is_the_kink(seed):
    """beta = .5 and 3 or more thetas below .9: C3 falls up to theta' = .9 and rises beyond, where N jumps."""
    rng = np.random.default_rng(seed)
    kink = rng.uniform(0.6, 0.9)
    theta = np.concatenate((np.full(5, kink), np.linspace(0.95, 0.99, 30)))
    r = restrictions(arbitrary(np.ones(35), theta, 0.5), 35, **PRINTED)
    assert r.theta_prime == r.theta_1 == pytest.approx(kink, rel=1e-15)


def test_1_minus_theta_t_is_not_a_difference():
    family = families.practical(10**6, 1.0, 0.0, 1e-7)  # 1 - theta_t = 1e-13
    found = summarize(family, 10)
    assert found.sum_noise == pytest.approx(10 * 1e-3 * 1e-13**0.5, rel=1e-14)
    assert found.chi_1 == pytest.approx(1e-3 / 1e-13**0.5, rel=1e-14)


def test_log_C1_over_several_chunks():
    family = families.constant(0.1, 0.5, 0.7)
    T = 2 * CHUNK + 10
    assert log_C1(family, T, 0.8) == pytest.approx(T * math.log(0.7 / 0.8), rel=1e-13)


def test_a_short_horizon_may_need_theta_prime_above_every_theta_t():
    """beta^2 = .98 > theta_T = .8, but theta_t -> 1: R2 holds, and so does the bound."""
    found = restrictions(families.generic(0.1, 0.5, 1, 1, 2, 0.99), 5, **PRINTED)
    assert 0.9801 < found.theta_prime < 1
    assert math.isfinite(
        theorem_2(families.generic(0.1, 0.5, 1, 1, 2, 0.99), 5, L=2, G=2.3, d=4, gap=1, epsilon=0.1).log10_value
    )


def test_log_C1_far_below_the_smallest_float():
    family = families.generic(0.1, 0.5, 0.9 * 10**5, 1, 10**5, 0.9)  # theta_t = .1 for 10^5 steps
    T, prime = 1000, 0.95
    assert log_C1(family, T, prime) == pytest.approx(T * math.log(0.1 / 0.95), rel=1e-13)
    assert restrictions(family, T, theta_prime=prime).C1 == 0


def test_no_memory_grows_with_T():
    family = families.generic(0.1, 0.37, 0.7, 0.61, 3, 0.9)
    tracemalloc.start()
    summarize(family, 30 * CHUNK, sharp=True)
    restrictions(family, 30 * CHUNK, **PRINTED)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16e6


def test_properties_of_the_record():
    r = Restrictions(10, 0.5, 0.9, 1.0, 0.1, 0.8, 0.6875, -2.0)
    assert (r.gamma, r.C1) == (0.3125, math.exp(-2))


@given(
    s=st.floats(0.05, 1.5),
    share=st.one_of(st.just(1.0), st.floats(0.1, 1)),
    c=st.floats(0, 60),
    other=st.floats(0, 60),
    K=st.floats(1, 40),
)
def test_C0_of_different_shifts(s, share, c, other, K):
    """alpha_t shifted by c, theta_t by another: falls, rises and falls again at most; r <= 2s."""
    r = 2 * s * share
    family = Family("", PowerDecay(1.0, s, c), Constant(0.0), ApproachOne(0.5, r, K, other))
    T = 6000
    t = np.arange(1, T + 1)
    log_chi = r / 2 * np.log(np.maximum(t + other, K)) - s * np.log(t + c)
    brute = float(np.exp((log_chi - np.minimum.accumulate(log_chi)).max()))
    found = smallest_C0(family)
    assert found >= brute * (1 - 1e-12)
    peak = (r / 2 * c - s * other) / (s - r / 2) if share < 0.999 else math.inf
    if peak < T - 1 or found == 1:
        assert found == pytest.approx(brute, rel=1e-9)
    if share == 1.0:  # r = 2s: the supremum is approached, as (1 + c/t)^s
        assert found <= brute * (1 + max(c - other, 0) / T) ** (2 * s) * (1 + 1e-9)


def test_C0_of_the_same_shift_is_1_whatever_K_and_c():
    for c, K in ((3, 1), (0.5, 10), (100, 2)):
        assert smallest_C0(families.generic(1, 0.5, 0.5, 1, K, 0.5, c)) == 1
        assert smallest_C0(families.generic(1, 0.5, 0.5, 1.01, K, 0.5, c)) == math.inf


@pytest.mark.parametrize(("s", "r"), [(0.1 * 3, 0.6), (0.3, 0.1 * 6), (0.1 * 7, 1.4), (0.7, 0.2 * 7)])
def test_r_is_2s_up_to_rounding(s, r):
    assert smallest_C0(families.generic(0.1, s, 0.5, r)) == 1
    assert smallest_C0(families.generic(0.1, s, 0.5, r * (1 + 1e-12))) == math.inf


def test_a_bias_correction_with_another_theta_knows_its_rise_too():
    family = Family("", BiasCorrected(Constant(0.1), 0.9, 0.99), Constant(0.9), Constant(0.999))
    assert smallest_C0(family) == pytest.approx(brute_C0(family, 10**4), rel=1e-12)


@given(st.integers(1, 3000), st.floats(0.05, 1.2), st.floats(0.1, 10))
def test_a_level_chi_has_no_pair_that_rises(T, s, eta):
    """chi_t = eta sqrt(2) at every t: what rounding makes of it is no witness."""
    found = summarize(families.generic(eta, s, 0.5, 2 * s), T)
    assert (found.C0, found.C0_at) == (1.0, (1, 1))


def C3_of(family, T, prime):
    r = restrictions(family, T, theta_prime=float(prime))
    return math.log10(lemma_33_C3(r, C1=r.C1, **PRINTED))


WIDE = {
    "constant, T short": (families.constant(0.1, 0.9, 0.81001), 100),
    "constant, T = 1": (families.constant(0.1, 0.9, 0.82), 1),
    "constant below beta^2": (families.constant(0.1, 0.9, 0.8), 60),
    "constant, T long": (families.constant(0.1, 0.9, 0.85), 400),
    "power": (families.generic(0.1, 0.5, 1, 1, 2, 0.9), 15),
    "power, short": (families.generic(0.1, 0.5, 1, 1, 2, 0.99), 5),
    "level until K": (families.generic(0.1, 0.5, 20, 1, 40, 0.8), 100),
    "shifted": (families.generic(0.1, 0.5, 1, 1, 1, 0.9, 3), 50),
    "bias-corrected": (families.bias_corrected_adam(0.1, 0.99, 0.985), 30),
}


@pytest.mark.parametrize(("family", "T"), WIDE.values(), ids=WIDE)
@pytest.mark.parametrize("plain", [False, True])
def test_no_theta_prime_below_1_is_better(family, T, plain):
    """Over all of (beta^2, 1), for schedules and for the same values as a plain function."""
    if plain:
        family = arbitrary(family.alpha(np.arange(1, T + 1)), family.theta(np.arange(1, T + 1)), family.beta(1))
    best = restrictions(family, T, **PRINTED)
    grid = np.linspace(best.beta**2, 1, 400)[1:-1]
    assert min(C3_of(family, T, prime) for prime in grid) >= C3_of(family, T, best.theta_prime) - 1e-12


def test_the_minimum_above_every_theta_t():
    for theta in (Constant(0.81001), lambda t: 0.81001):
        family = replace(families.constant(0.1, 0.9, 0.81001), theta=theta)
        bound = theorem_2(family, 100, L=2, G=2.3, d=4, gap=1, epsilon=0.01)
        assert bound.constants["theta_prime"] == pytest.approx(0.821983, abs=1e-5) and bound.value < 7.8e4


def test_memory_of_a_constant_below_beta_squared():
    tracemalloc.start()
    restrictions(families.constant(0.1, 0.9, 0.8), 40 * CHUNK, **PRINTED)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16e6


class Clock:
    """Seconds that pass with every look at it."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


def test_a_long_pass_says_when_it_ends(capsys):
    T = 40 * CHUNK
    assert sum(t.size for t in chunks(T, Clock(0.1))) == T  # 4 seconds: not a word
    assert capsys.readouterr() == ("", "")
    assert sum(t.size for t in chunks(T, Clock(1.0))) == T
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "2 % of the 2.62e+06 steps summed, about 39 s left" and len(lines) == 4
    assert lines[1] == "28 % of the 2.62e+06 steps summed, about 29 s left"


def test_a_pass_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match=r"at most 10 minutes, about 4e\+07 steps here; got T = 1e\+12, .* 177 days"):
        list(chunks(10**12, Clock(1.0)))
    slow = chunks(500 * CHUNK, Clock(1.1))  # 550 seconds
    assert sum(t.size for t in slow) == 500 * CHUNK


@pytest.mark.parametrize(
    ("sequence", "error", "message"),
    [
        ([0.1, 0.2], TypeError, r"alpha must be a schedule or a function .*; got \[0.1, 0.2\]"),
        (lambda t: 1 / math.sqrt(t), TypeError, r"alpha_t cannot be evaluated at an array .*np.sqrt for math.sqrt"),
        (lambda t: np.ones(7), ValueError, r"alpha_t must have one value for each of the 5 steps; got shape \(7,\)"),
        (lambda t: "x", TypeError, "alpha_t must consist of real numbers"),
        (lambda t: 1j * t, TypeError, "alpha_t must consist of real numbers; got dtype complex128"),
        (lambda t: np.ones((5, 2)), ValueError, r"alpha_t must have one number.*got shape \(5, 2\)"),
    ],
)  # fmt: skip
def test_what_is_no_sequence_is_named(sequence, error, message):
    with pytest.raises(error, match=message):
        summarize(replace(families.constant(0.1, 0.9, 0.99), alpha=sequence), 5)


def test_a_function_cannot_write_into_its_steps():
    def greedy(t):
        t += 1
        return 0.1 * t

    with pytest.raises(ValueError, match="read-only"):
        summarize(replace(families.constant(0.1, 0.9, 0.99), alpha=greedy), 5)
