"""Slack profiles: factors of at least 1 that multiply to bound / measured, with the lemmas' sides on the way."""

import numpy as np
import pytest

from reference import MeanOfWorkers, families, problems
from tests.theory.chen_2022 import lemma_runs
from tests.theory.chen_2022.by_name import theorem_2, theorem_17
from tests.theory.chen_2022.lemma_runs import by_hand, gaussian, line, two_point
from theory.chen_2022 import lemmas
from theory.chen_2022.lemmas import record
from theory.chen_2022.lemmas.lemma_31 import C2_along
from theory.chen_2022.lemmas.lemma_33 import C3_along
from theory.chen_2022.lemmas.lemma_39 import C7_along
from theory.chen_2022.slack import Profile, _short, theorem_2_profile, theorem_17_profile
from theory.constants import ConditionError

GENERIC = families.generic(0.3, 0.5, 0.8, 0.7, 1, 0.6)
PRACTICAL = families.practical(8, 1.5, 0.3, 2)
EXACT = {
    "generic": two_point(GENERIC, 9),
    "C0 > 1": two_point(families.bias_corrected_adam(0.1, 0.5, 0.99), 8),
    "AdamNC": two_point(families.adam_nc(0.3, 0.5, 0.9), 8),
    "d = 2": two_point(GENERIC, 4, dimension=2),
    "practical, d = 2": two_point(families.practical(4, 1.5, 0.2, 2), 4, dimension=2),
    "practical": two_point(PRACTICAL, 8),
    "practical, workers": two_point(families.practical(6, 1.5, 0.0, 2), 6, workers=2),
    "line": line(families.practical(500, 1, 0, 1), 500),
}
FAMILIES = {
    "generic": GENERIC,
    "d = 2": GENERIC,
    "practical": PRACTICAL,
    "C0 > 1": families.bias_corrected_adam(0.1, 0.5, 0.99),
}


@pytest.mark.parametrize("name", EXACT)
def test_factors_are_at_least_one_and_multiply_to_the_whole(name):
    profiles = [theorem_2_profile(EXACT[name])]
    if "practical" in name or name == "line":
        profiles.append(theorem_17_profile(EXACT[name]))
    for profile in profiles:
        assert np.all(profile.factors > 1 - 1e-12), str(profile)
        assert profile.factors.prod() == pytest.approx(profile.bound / profile.measured, rel=1e-12)
        assert not profile.log_errors.any()


def known(run, problem_value):
    return {"L": run.L, "G": run.G, "d": run.d, "gap": problem_value - run.f_star, "epsilon": run.epsilon}


@pytest.mark.parametrize("name", FAMILIES)
def test_theorem_2s_profile_ends_at_theorem_2(name):
    run, family = EXACT[name], FAMILIES[name]
    bound = theorem_2(family, run.T, **known(run, run.f[0, 0]))
    assert theorem_2_profile(run).bound == pytest.approx(bound.value, rel=1e-10)


@pytest.mark.parametrize(
    ("name", "s", "beta"), [("practical", 1, 0.3), ("practical, workers", 2, 0.0), ("practical, d = 2", 1, 0.2)]
)
def test_theorem_17s_profile_ends_at_theorem_17(name, s, beta):
    run = EXACT[name]
    given = known(run, run.f[0, 0])
    bound = theorem_17(run.T, sigma2=run.sigma2, alpha=1.5, beta=beta, theta=2, workers=s, **given)
    assert theorem_17_profile(run).bound == pytest.approx(bound.value, rel=1e-9)


@pytest.mark.parametrize("name", ["generic", "d = 2"])
def test_numbers_on_the_way_are_the_lemmas_sides(name):
    run = EXACT[name]
    profile = dict(zip(("measured", *theorem_2_profile(run).steps), theorem_2_profile(run).values, strict=True))
    lemma_36, lemma_33, lemma_35 = lemmas.lemma_36(run), lemmas.lemma_33(run), lemmas.lemma_35(run)
    assert profile["measured"] == pytest.approx(lemma_36.left, rel=1e-12)
    assert profile["Jensen over t (74)"] == pytest.approx(lemma_36.right, rel=1e-12)
    S = run.weighted_gradient.sum(axis=0) @ run.probabilities
    front = lemma_36.right**2 / S
    # Lemma 33's slack, moved to the side of the weighted gradients
    by_33 = front * (S + lemma_33.slack[-1] * 2 / (1 - 0.6))
    assert profile["Lemma 32: step lengths (53)"] == pytest.approx(np.sqrt(by_33), rel=1e-12)
    by_4 = by_33 + front * lemmas.lemma_4(run).slack * 2 / (1 - 0.6)
    assert profile["Lemma 4: descent"] == pytest.approx(np.sqrt(by_4), rel=1e-12)
    by_35 = by_4 + front * C3_along(run) * lemma_35.slack * 2 / (1 - 0.6)
    assert profile["ln(1/theta) <= (1-theta)/theta_1 (66)"] == pytest.approx(np.sqrt(by_35), rel=1e-12)
    by_64 = by_4 + front * C3_along(run) * lemmas.lemma_35(run, "sharp").slack * 2 / (1 - 0.6)
    assert profile["Lemma 34: logarithm (64)"] == pytest.approx(np.sqrt(by_64), rel=1e-12)


@pytest.mark.parametrize("name", ["practical", "practical, d = 2"])
def test_theorem_17s_numbers_on_the_way(name):
    run = EXACT[name]
    profile = theorem_17_profile(run)
    values = dict(zip(("measured", *profile.steps), profile.values, strict=True))
    lemma_40, lemma_38 = lemmas.lemma_40(run), lemmas.lemma_38(run)
    assert values["Cauchy-Schwarz over t"] == pytest.approx(np.sqrt(lemma_40.left / run.T), rel=1e-12)
    assert values["Lemma 40: E max sqrt|vhat| (83)"] == pytest.approx(np.sqrt(lemma_40.right / run.T), rel=1e-12)
    S = run.weighted_gradient.sum(axis=0) @ run.probabilities
    front = lemma_40.right / S / run.T
    gain = 2 / (1 - run.beta[0])
    by_33 = front * (S + gain * lemmas.lemma_33(run).slack[-1])
    assert values["Lemma 33: noise"] == pytest.approx(np.sqrt(by_33), rel=1e-12)
    by_39 = front * (S + gain * lemmas.lemma_39(run).slack)
    assert values["Lemma 39: C7, theta >= 1/4"] == pytest.approx(np.sqrt(by_39), rel=1e-12)
    by_4 = by_39 + front * gain * lemmas.lemma_4(run).slack
    assert values["Lemma 4: descent"] == pytest.approx(np.sqrt(by_4), rel=1e-12)
    sharp = by_4 + front * gain * C7_along(run) * lemmas.lemma_38(run, "sharp").slack
    assert values["Lemma 38: logarithm (80-81)"] == pytest.approx(np.sqrt(sharp), rel=1e-12)
    by_38 = by_4 + front * gain * C7_along(run) * lemma_38.slack
    assert values["Lemma 38: ln z <= sqrt z"] == pytest.approx(np.sqrt(by_38), rel=1e-12)


def test_numbers_inside_lemma_36_and_40():
    """Eqs. 69-73 step by step and Eq. 84, every expectation a loop over the paths."""
    run = EXACT["practical, d = 2"]
    E = lambda values: sum(p * value for p, value in zip(run.probabilities, values, strict=True))
    root = np.sqrt(run.vhat[..., 0] + run.vhat[..., 1])
    squared = run.gradient[..., 0] ** 2 + run.gradient[..., 1] ** 2
    alpha, T, size = 1.5, run.T, np.sqrt(run.G**2 + 0.1 * 2)
    weighted = [E(run.weighted_gradient[t]) for t in range(T)]
    by_69 = [np.sqrt(E(squared[t] / root[t]) * E(root[t])) for t in range(T)]
    by_70 = [np.sqrt(weighted[t] / (alpha / np.sqrt(T)) * E(root[t])) for t in range(T)]
    by_71 = [np.sqrt(weighted[t] / (alpha / np.sqrt(T)) * size) for t in range(T)]
    np.testing.assert_allclose(theorem_2_profile(run).values[1:4], np.mean([by_69, by_70, by_71], axis=1), rtol=1e-12)
    largest = root.max(axis=0)
    first = np.sqrt(E(largest) * E(squared.sum(axis=0) / largest) / T)
    second = np.sqrt(E(largest) * np.sqrt(T) / alpha * sum(weighted) / T)
    np.testing.assert_allclose(theorem_17_profile(run).values[2:4], [first, second], rtol=1e-12)


def test_decaying_steps_count_at_their_own_size():
    run = EXACT["generic"]
    values = theorem_2_profile(run).values
    weighted, size = run.weighted_gradient @ run.probabilities, np.sqrt(run.G**2 + 0.1)
    assert values[3] == pytest.approx(np.sqrt(size * weighted * np.sqrt(np.arange(1, 10)) / 0.3).mean(), rel=1e-12)
    assert values[4] == pytest.approx(np.sqrt(size * weighted * 3 / 0.3).mean(), rel=1e-12)


def test_lemma_31_unrolled_is_the_sum_over_pairs():
    """sum_t sum_{i<=t} alpha_t B_(t,i)/(alpha_i sqrt Theta_(t,i)) N_i of Eq. 50, pair by pair."""
    run = EXACT["AdamNC"]
    N = (run.L * run.squared_step + C2_along(run) * run.G * run.chi[:, None] * run.omega) @ run.probabilities
    total = sum(
        run.alpha[t] * run.beta[i + 1 : t + 1].prod() / (run.alpha[i] * np.sqrt(run.theta[i + 1 : t + 1].prod())) * N[i]
        for t in range(run.T)
        for i in range(t + 1)
    )
    sum_M = run.descent.sum(axis=0) @ run.probabilities
    lemma_36 = lemmas.lemma_36(run)
    front = lemma_36.right**2 / (run.weighted_gradient.sum(axis=0) @ run.probabilities)
    profile = theorem_2_profile(run)
    value = profile.values[1 + profile.steps.index("Lemma 31, unrolled (50)")]
    assert value == pytest.approx(np.sqrt(front * 2 / (1 - run.restrictions.beta) * (total - sum_M)), rel=1e-12)


def test_sampled_factors_agree_with_exact_ones_to_their_errors():
    bump = problems.Bump(1, noise=problems.TwoPoint(3.0, 0.25))
    for family, T, profile in ((GENERIC, 9, theorem_2_profile), (PRACTICAL, 8, theorem_17_profile)):
        sample = profile(record(MeanOfWorkers(bump, 5), bump.start, family, T, epsilon=0.1, replicas=5000))
        exact = profile(two_point(family, T))
        error = np.abs(np.log(sample.factors / exact.factors))
        # a normal beyond 4.9 has probability 1e-6; 24 comparisons
        assert np.all(error < 4.9 * sample.log_errors + 1e-12)
        assert (sample.log_errors > 0).sum() >= 7 and sample.log_errors.max() < 0.1


def test_theorem_17s_profile_names_its_conditions():
    with pytest.raises(ConditionError, match="needs one theta"):
        theorem_17_profile(by_hand())


def test_the_table_reads():
    profile = Profile("Theorem 0", ("first", "second step"), np.array([0.5, 1.0, 1000.0]), np.zeros(2))
    assert str(profile).splitlines() == [
        "Theorem 0",
        "measured         factor           0.5",
        "first                 2             1",
        "second step        1000          1000",
        "bound / measured        2000",
    ]
    assert [_short(x) for x in (1.0, 15.84, 1234.6, 78_000.0, 0.0123, 0.0012)] == [
        "1", "15.8", "1235", "7.8e4", "0.0123", "1.2e-3",
    ]  # fmt: skip


@pytest.mark.parametrize("span", ["narrow", "wide"])
def test_the_figure_is_legible(span):
    run = gaussian(families.practical(50, 1, 0.5, 2), 50, replicas=20)
    profile = theorem_2_profile(run) if span == "narrow" else theorem_17_profile(run)
    figure = profile.figure()
    figure.canvas.draw()
    (axes,) = figure.axes
    assert axes.get_xscale() == "log" and "gradient norm" in axes.get_xlabel() and profile.statement in axes.get_title()
    assert len(axes.patches) == len(profile.steps)
    for bar, low, high in zip(axes.patches, profile.values[:-1], profile.values[1:], strict=True):
        np.testing.assert_allclose([bar.get_x(), bar.get_x() + bar.get_width()], [low, high], rtol=1e-12)
    renderer = figure.canvas.get_renderer()
    texts = [text for text in [*axes.texts, *axes.get_yticklabels()] if text.get_text()]
    assert len(texts) == 2 * len(profile.steps) + 4
    boxes = [text.get_window_extent(renderer) for text in texts]
    for i, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1, texts[i].get_text()
        assert not any(box.overlaps(other) for other in boxes[i + 1 :]), texts[i].get_text()
    bars = [bar.get_window_extent(renderer) for bar in axes.patches]
    assert not any(box.overlaps(bar) for box in boxes for bar in bars)
    labels = [text.get_text() for text in axes.get_xticklabels() if text.get_text()]
    assert len(labels) >= 2


def test_lines_profile_tells_the_known_story():
    """Without noise or momentum Hoelder, Lemma 32 and C0, C1, gamma lose nothing."""
    profile = theorem_2_profile(lemma_runs.line(families.constant(1.0, 0.0, 0.99), 500, slope=0.01, epsilon=1e-12))
    factors = dict(zip(profile.steps, profile.factors, strict=True))
    for step in (
        "Hoelder's inequality (69)",
        "coordinates' step sizes (70)",
        "1/alpha_t <= C0/alpha_T (73)",
        "its sums by C0, C1, gamma (51-52)",
        "Lemma 32: step lengths (53)",
        "chi_t <= C0 a_t (62)",
    ):
        assert factors[step] == pytest.approx(1, abs=1e-12)
