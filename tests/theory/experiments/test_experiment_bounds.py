"""The experiment on the bounds: every problem it should hold, the bounds of those runs and no others, and its power."""

import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

import reference
from reference import MeanOfWorkers, problems
from reference.families import (
    ada_ema,
    adam_nc,
    bias_corrected_adam,
    constant,
    generic,
    path_to_adam,
    practical,
    rmsprop,
)
from reference.problems import BY_NAME, Bump, Counterexample, Digits, Gaussian, TaperedLinear, TwoPoint
from tests.theory.chen_2022 import by_name
from theory.constants import ConditionError, Constants
from theory.experiments import bounds
from theory.experiments.bounds import (
    EXPERIMENT,
    QUANTITIES,
    SETTINGS,
    SIZES,
    STATEMENTS,
    TIGHT,
    VARIANTS,
    Runs,
    claims,
)

NAMES = [statement.title for statement in STATEMENTS]
CHEN = [NAMES.index(name) for name in ("Theorem 2", "Corollary 13", "Theorem 17")]
assert CHEN == [0, 1, 2]
EVERY = [(i, j) for i in CHEN for j in range(2)]


def of_adam(runs):
    """The runs that one of the three is about."""
    kept = ~np.isnan(runs.bounds[:, CHEN]).all(axis=(1, 2))
    return Runs(**{name: array[kept] for name, array in vars(runs).items()})


def norms(runs):
    """Average gradient norms, (n, R)."""
    return runs.averages(0)


def theorem_2(family, T, L, G, d, gap, epsilon, variant):
    return by_name.theorem_2(family, T, L=L, G=G, d=d, gap=gap, epsilon=epsilon, variant=variant)


def corollary_13(T, L, G, d, gap, epsilon, alpha, beta, theta, variant):
    given = {"L": L, "G": G, "d": d, "gap": gap, "alpha": alpha, "beta": beta, "theta": theta}
    return by_name.corollary_13(T, **given, epsilon=epsilon, variant=variant)


def theorem_17(T, L, G, sigma2, d, gap, epsilon, alpha, beta, theta, workers, variant):
    given = {"L": L, "G": G, "sigma2": sigma2, "d": d, "gap": gap, "alpha": alpha, "beta": beta, "theta": theta}
    return by_name.theorem_17(T, **given, epsilon=epsilon, workers=workers, variant=variant)


@pytest.fixture(scope="module")
def quick():
    return {name: of_adam(bounds.measure(name, SIZES["quick"])) for name in (*SETTINGS, *TIGHT)}


def row(runs, *words):
    """The one run whose label has all these words."""
    [found] = [k for k, label in enumerate(runs.label) if all(word in f"{label}," for word in words)]
    return found


# ------------------------------------------------------------------------------------------------ what is compared


def covered(problem):
    """Known, finite constants, no assumption that fails, no projection."""
    values = [getattr(problem.constants, name).value for name in ("L", "G", "sigma2", "f_star")]
    return None not in values and np.isfinite(values).all() and not problem.violated and problem.interval is None


def test_every_problem_with_known_constants_and_no_violated_assumption_appears():
    classes = [
        each for each in vars(problems).values() if isinstance(each, type) and issubclass(each, problems.Problem)
    ]
    every = [each() for each in classes if each is not problems.Problem] + [make(1) for make in BY_NAME.values()]
    assert {type(each) for each in every} == {*classes} - {problems.Problem}
    wanted = {type(each) for each in every if covered(each)}
    shown = [setting.problem for setting in SETTINGS.values()]
    assert wanted == {type(each) for each in shown}
    assert all(covered(each) for each in shown)
    assert not covered(Counterexample()) and not covered(Counterexample(bound=1.0))
    for instance in (each for them in TIGHT.values() for each in them):
        assert covered(instance.objective)


def test_bump_and_tapered_appear_with_and_without_noise_of_both_kinds():
    kinds = {(type(each.problem), type(getattr(each.problem, "noise", None)).__name__) for each in SETTINGS.values()}
    assert {(Bump, "Gaussian"), (Bump, "TwoPoint"), (Bump, "NoNoise")} <= kinds
    assert {(TaperedLinear, "TwoPoint"), (TaperedLinear, "NoNoise")} <= kinds


def test_every_statement_is_compared_with_the_runs_it_is_about(quick):
    """A problem and T: 5 practical families at s = 1, 4, 16, 64 and 12 others at s = 1."""
    for name in SETTINGS:
        runs = quick[name]
        horizons = (16,) if name.startswith("digits") else (16, 512)
        assert len(runs.T) == len(set(runs.label)) == 32 * len(horizons)
        for i, j in EVERY:
            assert len(runs.compared(i, j)) == (17, 5, 20)[i] * len(horizons)
            assert {*runs.T[runs.compared(i, j)]} == {*horizons}
        for s in (1, 4, 16, 64):
            assert np.count_nonzero(runs.workers[runs.compared(2, 0)] == s) == 5 * len(horizons)
        assert (runs.workers[runs.compared(0, 0)] == 1).all() and (runs.workers[runs.compared(1, 1)] == 1).all()
    assert [len(quick["tight, no noise"].compared(i, 0)) for i in range(3)] == [11, 7, 7]
    assert [len(quick["tight, two-point"].compared(i, 0)) for i in range(3)] == [4, 2, 3]


def test_larger_sizes_compare_more():
    for less, more in (("quick", "standard"), ("standard", "full")):
        less, more = SIZES[less], SIZES[more]
        assert less.horizons[-1] < more.horizons[-1] and less.replicas < more.replicas
        assert less.longest <= more.longest
    assert SIZES["standard"].longest >= max(each.steps for them in TIGHT.values() for each in them)


# ------------------------------------------------------------------------------------------------------- the bounds

G_BUMP = (27 / 64 + np.array([1, 4, 1, 0.2039 * 0.6369**2 / 0.7961])) ** 0.5  # of a coordinate, with its noise
HAND = {  # problem: L, G, sigma^2, d, f(x_1) - f*
    "bump, d = 2, no noise": (2, (2 * 27 / 64) ** 0.5, 0, 2, 1),
    "bump, d = 1, N(0, 0.01)": (2, (27 / 64 + 0.01) ** 0.5, 0.01, 1, 0.5),
    "bump, d = 10, N(0, 1)": (2, 10**0.5 * G_BUMP[0], 10, 10, 5),
    "bump, d = 4, N(0, 16), B = 4": (2, 2 * G_BUMP[1], 16, 4, 2),
    "bump, d = 3, two-point": (2, 3**0.5 * G_BUMP[2], 3, 3, 1.5),  # .1 * 9/.9 = 1
    "tapered, d = 1, no noise": (1, 1, 0, 1, 1.5),
    "tapered, d = 2, two-point": (2, (2 * (1 / 4 + 1 / 3)) ** 0.5, 2 / 3, 2, 2 * (1 + 1 / 16)),
}


@pytest.mark.parametrize("name", HAND)
def test_bounds_are_those_of_the_problem_the_family_T_s_and_v_0(name, quick):
    L, G, sigma2, d, gap = HAND[name]
    runs = quick[name]
    np.testing.assert_allclose(
        runs.ceiling[:, CHEN], G if name.startswith("digits") else (G**2 - sigma2) ** 0.5, rtol=1e-14
    )
    balanced = math.sqrt(gap / (2 * L * d))
    expected = {}
    for T in (16, 512):
        others = {
            "RMSProp,": rmsprop(1, 0.9),
            "AdamNC": adam_nc(1),
            "AdaEMA": ada_ema(1),
            "r = 0.5, s = 0.25": generic(1, 0.25, 0.5, 0.5, 1, 0.5),
            "r = 0.5, s = 0.5": generic(1, 0.5, 0.5, 0.5, 1, 0),
            "r = 1, s = 0.5": generic(1, 0.5, 1, 1, 2, 0.5),
            "corrected, s = 0.5": bias_corrected_adam(1, 0.9, 0.999, 0.5),
            "corrected, T": bias_corrected_adam(0.01, 0.9, 0.999),
            "1.2": generic(1, 0.6, 0.5, 1.2, 1, 0.9),
            "2s": generic(1, 0.25, 0.5, 1, 1, 0.5),
            "constant": constant(0.01, 0.9, 0.999),
            "sec. 3.4": path_to_adam(0.5),
        }
        assert len(others) == len(bounds.FAMILIES)
        for word, family in others.items():
            k = row(runs, word, f"T = {T},")
            expected[k, 0] = [theorem_2(family, T, L, G, d, gap, 1 / d, v) for v in VARIANTS]
            assert np.isnan(runs.bounds[k, 1:]).all()
        for s in (1, 4, 16, 64):
            for alpha, beta, theta, v_0 in (
                (1, 0, 1, 1 / (s * d)), (1, 0.9, 1, 1 / (s * d)), (10, 0.5, 0.1, 1 / (s * d)),
                (0.1, 0.5, 10, 1 / (s * d)), (balanced, 0, 1, G**2 / d),
            ):  # fmt: skip
                words = f"alpha = {alpha:.3g}, beta = {beta:g}, theta = {theta:g}, v_0 = {v_0:.3g}, T = {T}, s = {s},"
                k, given = row(runs, words), (d, gap, v_0, alpha, beta, theta)
                expected[k, 2] = [theorem_17(T, L, G, sigma2, *given, s, v) for v in VARIANTS]
                if s == 1:
                    expected[k, 1] = [corollary_13(T, L, G, *given, v) for v in VARIANTS]
                    family = practical(T, alpha, beta, theta)
                    expected[k, 0] = [theorem_2(family, T, L, G, d, gap, v_0, v) for v in VARIANTS]
    for (k, i), each in expected.items():
        np.testing.assert_allclose(runs.bounds[k, i], [bound.value for bound in each], rtol=1e-10)
        assert [bound.statement for bound in each] == [NAMES[i]] * 2


def test_digits_has_its_own_constants(quick):
    runs, known = quick["digits, B = 8"], Digits(8).constants
    k = row(runs, "beta = 0.9", "s = 16,")
    given = (16, known.L.value, known.G.value, known.sigma2.value, 650, math.log(10), 1 / (16 * 650), 1, 0.9, 1, 16)
    np.testing.assert_allclose(runs.bounds[k, 2], [theorem_17(*given, v).value for v in VARIANTS], rtol=1e-12)
    assert 0.4 < known.L.value < 0.45 and 1.4 < known.G.value < 1.43 and known.sigma2.value == pytest.approx(0.25)


def test_the_gap_is_counted_from_the_minimum_and_nothing_is_made_up():
    """f = |x - 1|^2/2 - 1/2 in two dimensions, from x_1 = 1: the minimum is -1, attained there."""
    quadratic = problems.NoisyQuadratic([0.5, 0.5], [1.0, 1.0], Gaussian(2.0))
    found = Constants.of(quadratic)
    assert (found.sigma2, found.G, found.L, found.gap) == (8.0, np.inf, 1.0, pytest.approx(0, abs=1e-15))
    with pytest.raises(ConditionError, match="L is not known: "):
        bounds.adaptive(problems.Network(hidden=2), 10, 1)


def test_instances_start_where_they_were_found(quick):
    """The bump's x_1 is the instance's, not the problem's usual 1; the tapered function's gap is x_1 + taper/2."""
    runs = quick["tight, two-point"]
    gap = 0.4508**2 / (1 + 0.4508**2)
    k = row(runs, "bump")
    given = (1000, 2, G_BUMP[3], 1, gap, 0.6323, 0.02149, 0, 0.3901)
    assert runs.bounds[k, 1].tolist() == pytest.approx([corollary_13(*given, v).value for v in VARIANTS], rel=1e-10)
    run = reference.run(
        MeanOfWorkers(Bump(1, TwoPoint(0.6369, 0.2039)), 0), np.full((16, 1), 0.4508),
        practical(1000, 0.02149, 0, 0.3901), 1000, epsilon=0.6323, average=["gradient_norm"],
    )  # fmt: skip
    np.testing.assert_array_equal(norms(runs)[k], run.averages["gradient_norm"])
    k = row(runs, "s = 4")
    noise = 0.3787 * 1.008**2 / 0.6213
    given = (1000, 1 / 175.4, (1 + noise) ** 0.5, noise, 1, 175.4 / 2, 28.16, 31.62, 0, 0.04572, 4)
    assert runs.bounds[k, 2].tolist() == pytest.approx([theorem_17(*given, v).value for v in VARIANTS], rel=1e-10)
    assert np.isnan(runs.bounds[k, :2]).all()
    runs = quick["tight, no noise"]
    k = row(runs, "taper 46.08")
    given = (generic(1, 0, 0.01836, 0, 1, 0), 500, 1 / 46.08, 1, 1, 529.7 + 23.04, 0.07616)
    assert runs.bounds[k, 0].tolist() == pytest.approx([theorem_2(*given, v).value for v in VARIANTS], rel=1e-10)


# ------------------------------------------------------------------------------------------------ what is measured

RUNS = [  # problem, words of the label, the problem, family, T, s and v_0 again
    ("bump, d = 10, N(0, 1)", ("beta = 0.9", "T = 16", "s = 4,"),
     Bump(10, Gaussian(1.0)), practical(16, 1, 0.9, 1), 16, 4, 1 / 40),
    ("bump, d = 4, N(0, 16), B = 4", ("RMSProp", "T = 512"),
     Bump(4, Gaussian(4.0), 4), rmsprop(1, 0.9), 512, 1, 1 / 4),
    ("bump, d = 3, two-point", ("AdamNC", "T = 16"),
     Bump(3, TwoPoint(3.0, 0.1)), adam_nc(1), 16, 1, 1 / 3),
    ("tapered, d = 2, two-point", ("theta = 10", "T = 512", "s = 64,"),
     TaperedLinear(0.5, 0.25, 2.0, 2, TwoPoint(1.0, 0.25)), practical(512, 0.1, 0.5, 10), 512, 64, 1 / 128),
    ("tapered, d = 1, no noise", ("sec. 3.4", "T = 512"),
     TaperedLinear(), path_to_adam(0.5), 512, 1, 1.0),
    ("bump, d = 2, no noise", ("v_0 = 0.422", "T = 16", "s = 16,"),
     Bump(2), practical(16, (1 / 8) ** 0.5, 0, 1), 16, 16, 27 / 64),
    ("digits, B = 8", ("theta = 0.1", "s = 4,"),
     Digits(8), practical(16, 10, 0.5, 0.1), 16, 4, 1 / 2600),
]  # fmt: skip


@pytest.mark.parametrize(("name", "words", "problem", "family", "T", "s", "v_0"), RUNS, ids=[each[0] for each in RUNS])
def test_values_are_those_of_runs_by_themselves(name, words, problem, family, T, s, v_0, quick):
    runs = quick[name]
    values = norms(runs)[row(runs, *words)]
    run = reference.run(
        MeanOfWorkers(problem, 0, s), np.tile(problem.start, (len(values), 1)), family, T, epsilon=v_0,
        average=["gradient_norm"],
    )  # fmt: skip
    np.testing.assert_allclose(values, run.averages["gradient_norm"], rtol=1e-13)
    alone = reference.run(
        MeanOfWorkers(problem, 0, s), problem.start, family, T, epsilon=v_0, average=["gradient_norm"]
    )
    assert values[0] == pytest.approx(float(alone.averages["gradient_norm"]), rel=1e-13)


def test_without_noise_the_interval_is_a_point(quick):
    for name, runs in quick.items():
        equal = (norms(runs) == norms(runs)[:, :1]).all(axis=1)
        assert equal.all() == ("no noise" in name)
        assert runs.values.shape[-1] == (2 if "no noise" in name else 8 if "digits" in name else 16)
    found = [each for each in claims(quick) if "no noise" in each.statement and "tight, two" not in each.statement]
    assert found and all(each.measured.low == each.measured.high == each.measured.estimate for each in found)


# ----------------------------------------------------------------------------------------------------- the verdicts


def test_nothing_is_violated(quick):
    found = claims(quick)
    assert {each.verdict for each in found} == {"holds"}
    assert len({each.statement for each in found}) == len(found) == 6 * len(quick)


def test_bounds_that_are_not_vacuous_are_compared_and_nearly_met(quick):
    """What gives the experiment power: no formula in them could be smaller by a factor 2.2."""
    runs = quick["tight, no noise"]
    for i, j in EVERY:
        if (i, j) != (2, 0):
            ratio = norms(runs).mean(axis=1) / runs.bounds[:, i, j]
            assert 0.46 < ratio[runs.bounds[:, i, j] <= runs.ceiling[:, i]].max() < 1
    ratios = norms(runs).mean(axis=1) / runs.bounds[:, CHEN].T
    largest = np.nanmax(ratios, axis=-1).T  # (statements, variants)
    np.testing.assert_allclose(largest, [[0.581, 0.660], [0.518, 0.660], [0.0741, 0.574]], rtol=2e-3)


def test_theorem_17_corrected_is_not_vacuous_at_the_longest_instance():
    [longest] = [each for them in TIGHT.values() for each in them if each.steps == 100_000]
    problem = longest.objective
    found = bounds.bounds(problem, longest.steps, 1, bounds.case_of(longest))
    assert found[2].max() < problem.constants.G.value == 1
    assert found[2, 0] == pytest.approx(0.99977, rel=1e-4)


def precise(runs):
    """The same means, 2,048 replicas spread by a thousandth: limits by betting are within 1.5 % then."""
    noise = 1 + 1e-3 * np.random.default_rng(0).standard_normal((len(runs.T), 2048))
    values = runs.values.mean(axis=-1, keepdims=True) * noise[:, None]
    return replace(runs, values=values, ceiling=1.01 * runs.ceiling, random=np.full(len(runs.T), True))


@pytest.mark.parametrize(("i", "j"), EVERY)
def test_a_bound_a_little_below_the_measured_mean_is_violated(i, j, quick):
    some = ("bump, d = 10, N(0, 1)", "digits, B = 8", "tight, no noise", "tight, two-point")
    parts = {name: precise(quick[name]) for name in some}
    clean = claims(parts)
    for name, runs in parts.items():
        k = int(runs.compared(i, j)[-2])
        mean, ceiling = norms(runs)[k].mean(), runs.ceiling[k, i]
        for bound, verdict in ((mean / 1.03, "violated"), (mean + 0.03 * (ceiling - mean), "holds")):
            planted = runs.bounds.copy()
            planted[k, i, j] = bound
            found = claims(parts | {name: replace(runs, bounds=planted)})
            [at] = [
                n for n, each in enumerate(found) if each.statement.startswith(f"{name}: {NAMES[i]}, {VARIANTS[j]} (")
            ]
            assert found[at].verdict == verdict
            assert found[at].reason.startswith(f"at {runs.label[k]}: ")
            assert f"measured/bound = {mean / bound:.3g};" in found[at].reason
            assert found[at].expected == (-np.inf, planted[k, i, j])
            others = found[:at] + found[at + 1 :]
            assert [each.statement for each in others] == [each.statement for each in clean[:at] + clean[at + 1 :]]
            assert all(each.verdict == "holds" for each in others)


def three(values, limits, ceiling=1.0, random=(False, False, False)):
    """Runs a, b and c, Theorem 17 in its sharp form alone."""
    found = np.full((3, len(STATEMENTS), 2), np.nan)
    found[:, 2, 1] = limits
    each = np.array([1, 1, 1])
    measured = np.repeat(np.array(values)[:, None], len(QUANTITIES), axis=1)
    ceilings = np.full((3, len(STATEMENTS)), ceiling)
    return {"problem": Runs(np.array(list("abc")), each, each, ceilings, measured, found, np.array(random))}


def test_the_worst_verdict_comes_first_and_then_the_closest():
    exact, wide = [[1.0, 1.0, 1.0]] * 3, [0.1, 1.0, 1.9]
    [found] = claims(three(exact, [4.0, 1.25, 2.0], ceiling=3.0))
    assert found.statement == "problem: Theorem 17, sharp (2 of 3 bounds not vacuous; closest shown)"
    assert found.reason.startswith("at b: ") and not found.vacuous
    assert found.reason.endswith("measured/bound = 0.8; every algorithm's is at most 3")
    [found] = claims(three(exact, [4.0, 1.25, 2.0], ceiling=1.2))
    assert found.statement == "problem: Theorem 17, sharp (all 3 bounds vacuous; closest shown)"
    assert found.reason.startswith("at b: ") and found.vacuous
    [found] = claims(three([exact[0], [4.0] * 3, exact[0]], [4.0, 8.0, 2.0], ceiling=3.0))
    assert found.reason.startswith("at c: ") and not found.vacuous  # b is as close, and vacuous
    chance = (False, False, True)
    [found] = claims(three([exact[0], exact[0], wide], [4.0, 1.25, 2.0], 3.0, chance))
    assert found.verdict == "cannot tell" and found.reason.startswith("at c: ") and "worst shown" in found.statement
    [found] = claims(three([exact[0], exact[0], wide], [4.0, 0.99, 0.5], 3.0, chance))
    assert found.verdict == "violated" and found.reason.startswith("at b: ")
    [found] = claims(three(exact, [1.5, np.nan, 2.0]))
    assert found.reason.startswith("at a: ") and "all 2 bounds" in found.statement


@pytest.mark.parametrize("error", [1e-4, 1e-6])
def test_the_comparisons_that_chance_could_violate_share_the_error(error, quick):
    """Not those without noise, and not those with a vacuous bound."""
    every = sum(int(np.count_nonzero(~np.isnan(runs.bounds))) for runs in quick.values())
    by_chance = sum(
        int(np.count_nonzero(runs.bounds[:, i] <= runs.ceiling[:, i, None]))
        for name, runs in quick.items()
        for i in range(len(STATEMENTS))
        if "no noise" not in name
    )
    assert 0 < by_chance < every / 4
    for each in EXPERIMENT.claims(quick, error):
        without = "no noise" in each.statement
        assert each.measured.error == pytest.approx(0 if without else error / by_chance, rel=1e-12)
        assert each.measured.basis == ("exact" if without else "every distribution")
        assert each.refutable


# ----------------------------------------------------------------------------------------------- data and pictures


def test_findings_and_pictures_come_from_saved_data(quick, tmp_path, monkeypatch):
    EXPERIMENT.save(quick, "quick", tmp_path / "data.npz")
    monkeypatch.setattr(bounds, "simulate", None)
    monkeypatch.setattr(bounds, "bounds", None)
    loaded = EXPERIMENT.load("quick", tmp_path / "data.npz")
    assert list(loaded) == list(quick)
    for name, runs in quick.items():
        for key, array in vars(runs).items():
            np.testing.assert_array_equal(getattr(loaded[name], key), array)
    assert EXPERIMENT.claims(loaded, 1e-5) == EXPERIMENT.claims(quick, 1e-5)
    assert EXPERIMENT.setting(loaded) == EXPERIMENT.setting(quick)
    EXPERIMENT.plot(loaded, tmp_path / "picture.png")


def test_the_setting_counts_comparisons(quick):
    telling = sum(int(runs.bounds[k, i, j] <= runs.ceiling[k, i]) for runs in quick.values()
                  for k in range(len(runs.T)) for i, j in EVERY)  # fmt: skip
    text = EXPERIMENT.setting(quick)
    assert f"1328 comparisons, {telling} of them" in text and "T = 16, 512;" in text and "16 runs" in text
    assert telling >= 20


def test_every_comparison_is_drawn_hollow_where_it_is_vacuous(quick):
    [panels] = EXPERIMENT.panels(quick)
    sides = np.array([
        (norms(runs)[k].mean(), runs.bounds[k, i, j], runs.ceiling[k, i])
        for runs in quick.values() for i, j in EVERY for k in runs.compared(i, j)
    ])  # fmt: skip
    mean, bound, ceiling = sides.T
    expected = [np.minimum(bound / ceiling, 1e5), np.maximum(mean / bound, 1e-5)]
    for panel, x in zip(panels, expected, strict=True):
        ax = Figure().add_subplot()
        panel.draw(ax)
        drawn = [each for each in ax.collections if len(getattr(each, "get_sizes", list)())]
        hollow = [each for each in drawn if not len(each.get_facecolors())]
        filled = [each for each in drawn if len(each.get_facecolors())]
        for kind, which in ((hollow, bound > ceiling), (filled, bound <= ceiling)):
            points = np.concatenate([each.get_offsets() for each in kind])
            np.testing.assert_allclose(np.sort(points[:, 0]), np.sort(x[which]), rtol=1e-9)
            (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
            assert ((left < points[:, 0]) & (points[:, 0] < right)).all()
            assert ((low < points[:, 1]) & (points[:, 1] < high)).all()
        assert panel.caption and ax.get_xlabel() and ax.get_legend_handles_labels()[1]
