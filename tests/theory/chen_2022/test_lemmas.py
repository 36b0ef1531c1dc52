"""The lemmas along runs: they hold, nearly as equalities where they can be, and their printed errors show."""

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from reference import MeanOfWorkers, families, problems
from reference.iterate import Step
from tests.theory.chen_2022 import lemma_runs
from tests.theory.chen_2022.lemma_runs import by_hand, gaussian, line, practical_by_hand, two_point
from theory.chen_2022 import lemmas
from theory.chen_2022.lemmas import ExpectedSides, Sides, every_lemma, record
from theory.chen_2022.lemmas.lemma_33 import C3_along
from theory.chen_2022.lemmas.lemma_39 import C7_along
from theory.chen_2022.lemmas.lemma_41 import four_terms, largest_root
from theory.constants import ConditionError
from theory.tools.sides import in_expectation

VARIED = lemma_runs.varied()


@pytest.mark.parametrize("name", VARIED)
def test_every_lemma_holds(name):
    verdicts = {lemma: sides.verdict for lemma, sides in every_lemma(VARIED[name]).items()}
    exact = VARIED[name].probabilities is not None
    # the bump's noise has exactly sigma^2: an equality, on which a sample of replicas cannot decide
    expected = dict.fromkeys(verdicts, "holds") | {"Lemma 37": "holds" if exact else "cannot tell"}
    assert verdicts == expected


def test_every_lemma_leaves_out_only_what_does_not_apply():
    everything = set(every_lemma(VARIED["practical"]))
    assert len(everything) == len(lemmas.ALONG_RUNS) + len(lemmas.WITH_SHARP)
    missing = everything - set(every_lemma(VARIED["decaying"]))
    assert missing == {
        "Lemma 34 (sharp)", "Lemma 34, per trajectory", "Lemma 38", "Lemma 38 (sharp)", "Lemma 39", "Lemma 39 (sharp)",
        "Lemma 40",
    }  # fmt: skip
    only_without_one_beta = set(every_lemma(VARIED["decaying"])) - set(every_lemma(VARIED["AdamNC"]))
    assert only_without_one_beta == {f"Lemma {k} (sharp)" for k in (29, 31, 32, 33)}


def test_recorded_quantities_are_those_of_the_loop():
    run = gaussian(families.generic(0.3, 0.5, 0.8, 0.7, 1, 0.6), 5, replicas=3, workers=2)
    bump = problems.Bump(2, noise=problems.Gaussian(1.0))
    source = MeanOfWorkers(bump, seed=1, workers=2)
    state = reference.initial_state(np.tile(bump.start, (3, 1)), 0.1)
    for i in range(5):
        step = Step(source, state)
        after = reference.adam_step(state, source(state.x, i + 1), run.alpha[i], run.beta[i], run.theta[i])
        step.complete(source(state.x, i + 1), after, {"alpha": run.alpha, "theta": run.theta}, i)
        for name in ("g", "m", "v", "gradient", "second_moment", "vhat", "etahat"):
            np.testing.assert_array_equal(getattr(run, name)[i], getattr(step, name), err_msg=name)
        np.testing.assert_allclose(run.Delta[i], after.x - state.x, atol=1e-15)
        np.testing.assert_array_equal(run.f[i], bump.value(state.x))
        np.testing.assert_array_equal(run.v_before[i], state.v)
        np.testing.assert_array_equal(run.m_before[i], state.m)
        state = after
    np.testing.assert_array_equal(run.f[5], bump.value(state.x))
    assert (run.T, run.d, run.workers, run.probabilities) == (5, 2, 2, None)
    assert (run.L, run.G, run.sigma2) == (2.0, bump.constants.G.value, 2.0)


def test_a_run_without_noise_is_exact():
    run = line(families.constant(0.1, 0.5, 0.9), 3, dimension=2)
    np.testing.assert_array_equal(run.probabilities, [1.0])
    assert run.workers == 1


# Lemma 24 -------------------------------------------------------------------------------------------------------------


def test_lemma_24_is_nearly_tight_for_small_terms():
    sides = lemmas.lemma_24(1.0, np.full(10_000, 1e-4))
    assert sides.holds and 0.9999 < sides.left / sides.right < 1


@given(st.floats(1e-3, 1e3), st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
@settings(deadline=None, derandomize=True)
def test_lemma_24_holds(S0, s):
    assert lemmas.lemma_24(S0, s).holds


def test_lemma_24_names_its_limits():
    with pytest.raises(ValueError, match=r"S_0 down to 0\.0, s_t down to 1\.0; .* needs S_0 > 0 and s_t >= 0"):
        lemmas.lemma_24([0.0, 2.0], [[1.0, 1.0], [3.0, 4.0]])
    with pytest.raises(ValueError, match=r"S_0 down to 2\.0, s_t down to -0\.5; "):
        lemmas.lemma_24(2.0, [1.0, -0.5])


def test_equation_57_is_lemma_24_and_outlives_the_weights():
    run = VARIED["decaying"]
    W = (1 / run.theta).cumprod()[:, None, None]
    s = (1 - run.theta)[:, None, None] * W * run.g**2
    sides, plain = lemmas.equation_57(run), lemmas.lemma_24(np.full_like(run.g[0], run.epsilon), s)
    np.testing.assert_allclose(sides.left, plain.left, rtol=1e-12)
    np.testing.assert_allclose(sides.right, plain.right, rtol=1e-12)
    assert lemmas.equation_57(line(families.constant(0.1, 0.0, 0.5), 2000)).holds  # W_T = 2^2000


# identities -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=30))
@settings(deadline=None, derandomize=True)
def test_lemma_25_is_an_identity_whatever_the_signs(pairs):
    u, s = zip(*pairs, strict=True)
    assert np.all(lemmas.lemma_25(u, s).residual < 1e-14)


@pytest.mark.parametrize("name", VARIED)
def test_lemma_30_is_an_identity(name):
    sides = lemmas.lemma_30(VARIED[name])
    assert sides.kind == "=" and sides.residual.max() < 1e-13


def test_lemma_30_at_the_first_step_has_no_step_before():
    run = gaussian(families.practical(1, 1, 0.5, 0.5), 1, replicas=5)
    assert lemmas.lemma_30(run).residual.max() < 1e-14


def test_lemma_30_with_the_signs_of_equation_26_is_none():
    sides = lemmas.lemma_30(VARIED["decaying"], "printed")
    assert not sides.holds and sides.residual.max() > 0.1
    run = VARIED["decaying"]
    free_of_noise = -(1 - run.beta)[:, None, None] * run.etahat * run.g  # the remainders change sign, this does not
    np.testing.assert_allclose(sides.right + lemmas.lemma_30(run).right, 2 * free_of_noise, rtol=1e-9, atol=1e-14)


# equality and near-tight cases ----------------------------------------------------------------------------------------


def test_lemma_26_is_attained_by_the_smallest_C0():
    run = VARIED["bias-corrected"]
    sides = lemmas.lemma_26(run)
    assert run.restrictions.C0 > 1.5
    assert sides.holds and (sides.left[0] / sides.right[0]).max() == pytest.approx(1, rel=1e-12)


def test_lemma_27_is_all_pairs_and_C1_is_attained():
    """theta_t passes theta' early, so that late pairs begin where Theta_(t,0)/theta'^t is largest, not at 0."""
    family = families.generic(0.3, 0.5, 0.9, 0.5, 1, 0.9)
    run = lemma_runs.given(np.ones((160, 1)), family, theta_prime=0.82)
    prime, T = run.restrictions.theta_prime, run.T
    assert run.restrictions.C1 < 0.01
    sides = lemmas.lemma_27(run)
    quotient = lambda t, i: np.prod(run.theta[i:t]) / prime ** (t - i)
    for t in range(T + 1):
        smallest = min(quotient(t, i) for i in range(t + 1))
        assert math.exp(sides.right[t]) == pytest.approx(smallest, rel=1e-12)
        assert math.exp(sides.left[t]) == pytest.approx(run.restrictions.C1, rel=1e-12)
    assert sides.holds and sides.slack.min() == pytest.approx(0, abs=1e-12)
    assert run.theta.prod() > prime**T


def extremal(beta, theta, T=400):
    """g_i proportional to (beta/theta)^{T-i}: equality in the Cauchy-Schwarz step of Lemma 29."""
    return lemma_runs.given(
        (beta / theta) ** np.arange(T - 1, -1, -1.0)[:, None], families.constant(0.1, beta, theta), epsilon=1e-300
    )


@pytest.mark.parametrize(("beta", "theta"), [(0.5, 0.8), (0.9, 0.95), (0.0, 0.3)])
def test_lemma_29_is_attained(beta, theta):
    run = extremal(beta, theta)
    corrected, sharp = lemmas.lemma_29(run), lemmas.lemma_29(run, "sharp")
    assert corrected.holds and sharp.holds
    assert sharp.left[-1] / sharp.right[-1] == pytest.approx(1, rel=1e-9)
    assert corrected.left[-1] / corrected.right[-1] == pytest.approx((1 - beta) ** 2, rel=1e-9)


@pytest.mark.parametrize("dimension", [1, 2])
def test_lemma_32_is_an_equality_without_momentum(dimension):
    """chi_t constant; also with decaying alpha_t and theta_t -> 1 at one rate."""
    for family in (families.constant(0.1, 0.0, 0.9), families.rmsprop(0.3, 1.0, 2)):
        run = line(family, 60, dimension=dimension) if dimension == 1 else gaussian(families.constant(0.1, 0, 0.9), 60)
        if run.chi.min() == pytest.approx(run.chi.max()):
            sides = lemmas.lemma_32(run)
            assert np.abs(sides.left / sides.right - 1).max() < 1e-12


def test_lemma_32_sharp_is_nearly_attained_with_momentum():
    """One large gradient after which v decays: |m_t|/sqrt v_t = (1-beta) sqrt(gamma)^(t-i), summed geometrically."""
    beta, theta = 0.5, 0.8
    g = np.zeros((200, 1))
    g[0] = 1.0
    run = lemma_runs.given(g, families.constant(0.1, beta, theta), epsilon=1e-12)
    sides = lemmas.lemma_32(run, "sharp")
    gamma = beta**2 / theta
    # sum_t gamma^{t-i} = 1/(1-gamma) where the lemma has 1/(1-sqrt gamma)^2
    attained = (1 - math.sqrt(gamma)) ** 2 / (1 - gamma)
    assert sides.holds and sides.left[-1, 0] / sides.right[-1, 0] == pytest.approx(attained, rel=1e-9)


def test_lemma_34_is_nearly_tight_for_a_long_memory():
    """G^2 = epsilon d, constant theta near 1: both sides are about d T (1-theta)."""
    run = line(families.constant(1e-3, 0.0, 0.99), 4000, dimension=3, epsilon=1.0)
    sides, sharp = lemmas.lemma_34(run), lemmas.lemma_34(run, "sharp")
    assert sides.verdict == sharp.verdict == "holds"
    assert sides.left[-1] / sides.right[-1] > 0.97
    assert np.all(np.abs(sharp.left / sharp.right - 1) < 1e-12)
    along = lemmas.sharp_along_trajectory(run)
    assert np.abs(along.left / along.right - 1).max() < 1e-9


def test_lemma_36_is_nearly_tight_for_one_step():
    run = line(families.constant(0.3, 0.0, 1e-6), 1, slope=0.1, epsilon=1e-9)
    sides, sharp = lemmas.lemma_36(run), lemmas.lemma_36(run, "sharp")
    assert sides.verdict == "holds" and sides.left / sides.right > 1 - 1e-6
    assert sharp.verdict == "holds" and sharp.left / sharp.right > 1 - 1e-6


@pytest.mark.parametrize("workers", [1, 2])
def test_lemma_37_is_an_equality_when_enumerated(workers):
    run = two_point(families.practical(3, 1, 0.5, 1), 3, dimension=2, workers=workers)
    sides = lemmas.lemma_37(run)
    np.testing.assert_allclose(sides.left, sides.right, rtol=1e-13)
    assert sides.right[0] == 2 * 3.0 / workers  # d p high^2/(1-p) / s


def test_lemma_37_tells_more_noise_than_it_allows():
    run = gaussian(families.practical(10, 1, 0.5, 1), 10, replicas=2000)
    assert lemmas.lemma_37(run).verdict == "cannot tell"
    assert lemmas.lemma_37(replace(run, sigma2=1.5)).verdict == "violated"
    assert lemmas.lemma_37(replace(run, sigma2=2.6)).verdict == "holds"


def test_sharp_forms_are_between_the_two_sides():
    for name in ("practical", "enumerated, d = 2", "line"):
        found = every_lemma(VARIED[name])
        for lemma in lemmas.WITH_SHARP:
            plain, sharp = found[lemma], found[f"{lemma} (sharp)"]
            np.testing.assert_array_equal(plain.left, sharp.left)
            assert np.all(sharp.right <= plain.right * (1 + 1e-12) + 1e-12), (name, lemma)


def test_lemma_39_follows_from_lemma_33():
    """C3 chi <= C7: what Lemma 39 adds is theta_1 >= 1/4 and C1 = 1 alone; equal at theta_1 = 1/4."""
    for theta, equal in ((9.0, True), (2.0, False)):
        run = line(families.practical(12, 3.0, 0.3, theta), 12)
        ratio = C3_along(run) * run.chi[0] / C7_along(run)
        assert ratio == pytest.approx(1, rel=1e-12) if equal else ratio < 0.99
        assert C3_along(run, "sharp") * run.chi[0] == pytest.approx(C7_along(run, "sharp"), rel=1e-12)


# Lemma 41 -------------------------------------------------------------------------------------------------------------

NUMBERS = st.tuples(*[st.one_of(st.just(0.0), st.floats(1e-6, 1e6))] * 4)


@given(NUMBERS)
@settings(deadline=None, derandomize=True)
def test_lemma_41_holds_and_its_root_is_the_root(numbers):
    A, B, C, D = numbers
    root = float(largest_root(*numbers))
    assert lemmas.lemma_41(*numbers).holds and lemmas.lemma_41(*numbers, "sharp").holds
    if root:
        excess = lambda x: x**2 - (A + B * x) * (C + D * mpmath.sqrt(x))
        assert excess(mpmath.mpf(root) * (1 - 1e-11)) <= 0 <= excess(mpmath.mpf(root) * (1 + 1e-11))
    else:
        assert A * C == 0 and (B * C == 0 and A * D == 0 and B * D == 0)


def test_lemma_41_by_hand_and_nearly_tight():
    np.testing.assert_allclose(four_terms(2, 3, 5, 7), [84.0**2, 60, 56 ** (2 / 3), math.sqrt(40)], rtol=1e-15)
    sides = lemmas.lemma_41(2, 3, 5, 7)
    assert sides.right == pytest.approx(84**2 + 60 + 56 ** (2 / 3) + math.sqrt(40), rel=1e-15)
    assert lemmas.lemma_41(2, 3, 5, 7, "sharp").right == 84**2
    # all four cases of the proof meet at x = A/B = (C/D)^2: there x^2 = 4 A C exactly
    sides = lemmas.lemma_41([2.0] * 2, [1.0] * 2, [0.5] * 2, [0.5 / math.sqrt(2)] * 2, "sharp")
    assert np.all(sides.left / sides.right == pytest.approx(1, rel=1e-12))
    with pytest.raises(ValueError, match="A, B, C and D must be at least 0"):
        lemmas.lemma_41(1, -1, 1, 1)


# verdicts -------------------------------------------------------------------------------------------------------------


def test_sure_sides_judge_to_rounding():
    one = np.ones(1)
    assert Sides("", "", one, one * (1 - 1e-13)).holds and not Sides("", "", one, one * (1 - 1e-11)).holds
    assert Sides("", "", one, one + 1).verdict == "holds" and Sides("", "", one, one + 1, "=").verdict == "violated"
    assert not Sides("", "", one, one * np.nan).holds
    assert Sides("", "", one, one + 1e-9, "=", 1e4).holds and not Sides("", "", one, one + 1e-9, "=").holds
    assert Sides("", "", one, one + 1).residual == 1 / 3
    assert Sides("", "", 0 * one, 0 * one).residual == 0
    assert Sides("", "", 0 * one, one, scale=0).residual == math.inf


def test_expected_sides_judge_by_the_interval():
    def sides(slack, error, replicas=101):
        return ExpectedSides("", "", np.zeros_like(slack), slack, error, replicas)

    # Student's t, 100 degrees of freedom, two-sided 1e-4: 4.0533 (tabulated); 1e-4/2 each: 4.2259
    one = np.ones(1)
    low, high = sides(one, one).interval
    np.testing.assert_allclose([low[0], high[0]], [1 - 4.0533, 1 + 4.0533], rtol=1e-4)
    assert [sides(one * x, one).verdict for x in (4.1, 4.0, -4.0, -4.1)] == [
        "holds", "cannot tell", "cannot tell", "violated",
    ]  # fmt: skip
    assert sides(np.array([4.1, 9.0]), np.ones(2)).verdicts.tolist() == ["cannot tell", "holds"]
    assert sides(np.array([9.0, -9.0]), np.ones(2)).verdict == "violated"
    assert sides(one * 9, one, replicas=1).verdict == "cannot tell"
    assert sides(one * -1e-13, 0 * one, replicas=None).verdict == "violated"
    assert ExpectedSides("", "", one, one * (1 - 1e-13), 0 * one, None).verdict == "holds"
    assert ExpectedSides("", "", one, one * (1 - 1e-11), 0 * one, None).verdict == "violated"


def test_standard_error_is_that_of_the_mean_and_of_smooth_functions():
    draws = np.random.default_rng(0).gamma(2.0, size=(3, 400))
    linear = in_expectation("", "", None, lambda mean: (2 * mean, 5 + 0 * mean), draws)
    expected = 2 * draws.std(axis=1, ddof=1) / 20
    np.testing.assert_allclose(linear.standard_error, expected, rtol=1e-10)
    np.testing.assert_allclose(linear.left, 2 * draws.mean(axis=1))
    assert linear.replicas == 400
    root = in_expectation("", "", None, lambda mean: (mean, np.sqrt(mean)), draws)
    slope = np.abs(0.5 / np.sqrt(draws.mean(axis=1)) - 1)
    np.testing.assert_allclose(root.standard_error, slope * expected / 2, rtol=0.02)
    two = in_expectation("", "", None, lambda mean: (mean, 0 * mean), np.array([[1.0, 3.0]]))
    np.testing.assert_allclose(two.standard_error, 1.0)  # half the distance
    assert in_expectation("", "", None, lambda mean: (mean, 0 * mean), np.ones((1, 1))).verdict == "cannot tell"
    weights = np.linspace(0, 1, 400) / 200
    exact = in_expectation("", "", weights, lambda mean: (mean, mean + 1), draws)
    np.testing.assert_allclose(exact.left, draws @ weights)
    assert exact.replicas is None and not exact.standard_error.any()


def test_a_lemma_without_its_constants_says_so():
    network_like = by_hand(G=math.inf)
    with pytest.raises(ValueError, match=r"Lemma 34: the right side is inf; it needs finite L, G"):
        lemmas.lemma_34(network_like)


@pytest.mark.parametrize("number", [29, 30, 31, 32, 33, 34, 35, 36, 38, 39, 40, 41])
def test_a_variant_that_a_lemma_has_not_is_refused(number):
    given = (1, 1, 1, 1) if number == 41 else (practical_by_hand(),)
    with pytest.raises(ValueError, match=rf"variant = 'sharpest'; Lemma {number} has corrected, "):
        getattr(lemmas, f"lemma_{number}")(*given, variant="sharpest")
    for known in ("sharp",) if number not in (30, 40) else ({30: "printed", 40: "unconditional"}[number],):
        assert getattr(lemmas, f"lemma_{number}")(*given, variant=known).variant == known


def test_conditions_are_named():
    varying = by_hand()
    for lemma, message in (
        (lemmas.lemma_29, r"beta_t runs from 0\.2 to 0\.4; sharp Lemma 29 needs one beta"),
        (lemmas.lemma_31, r"sharp Lemma 31 needs one beta"),
        (lemmas.lemma_32, r"sharp Lemma 32 needs one beta"),
        (lemmas.lemma_34, r"theta_t runs from 0\.28 to 0\.48; sharp Lemma 34 needs one theta"),
    ):
        with pytest.raises(ConditionError, match=message):
            lemma(varying, "sharp")
    with pytest.raises(ConditionError, match="needs one theta"):
        lemmas.lemma_38(varying)
    with pytest.raises(ConditionError, match=r"theta_t = 0\.2 < 1/4"):
        practical_by_hand(theta=np.full(2, 0.2)).practical()
    with pytest.raises(ConditionError, match="alpha_t varies"):
        practical_by_hand(alpha=np.array([2.0, 1.0])).practical()
    with pytest.raises(ConditionError, match="needs one beta"):
        practical_by_hand(beta=np.array([0.1, 0.2])).practical()
    assert practical_by_hand(theta=np.full(2, 0.25)).practical() == (pytest.approx(4), 1.5)


def test_problems_without_constants_still_give_the_sure_lemmas():
    quadratic = problems.NoisyQuadratic()
    run = record(MeanOfWorkers(quadratic, 0), quadratic.start, families.constant(0.1, 0.5, 0.9), 20, epsilon=1.0,
                 replicas=3)  # fmt: skip
    assert not math.isfinite(run.G)
    for lemma in (lemmas.lemma_26, lemmas.lemma_27, lemmas.lemma_29, lemmas.lemma_30, lemmas.lemma_32):
        assert lemma(run).holds


def test_a_run_that_leaves_the_constants_interval_is_refused():
    bounded = problems.Counterexample(bound=1.0)
    inside = record(MeanOfWorkers(bounded, 0), [0.5], families.constant(0.01, 0.0, 0.9), 5, epsilon=1.0)
    assert np.isfinite(inside.G)
    with pytest.raises(ConditionError, match=r"^x_1 = 1\.5: the constants of counterexample hold on \[-1, 1\] alone"):
        record(MeanOfWorkers(bounded, 0), [1.5], families.constant(0.01, 0.0, 0.9), 5, epsilon=1.0)
    source = lemma_runs.Given([[0.0], [4.0], [0.0]])
    source.problem = bounded
    with pytest.raises(ConditionError, match=r"^x_3 = -1\.5: "):  # 0.5 - 2 * 4/sqrt 16, at step 2
        record(source, [0.5], families.constant(2.0, 0.0, 1 - 1e-9), 3, epsilon=16.0)
