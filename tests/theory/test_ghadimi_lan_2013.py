"""Ghadimi and Lan's theorem: a second evaluation, its conditions, its tightness, every place that a statement has."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from mpmath import mp, mpf

import reference
from reference import MeanOfWorkers, families, problems
from reference.problems import Bump, Gaussian, NoisyQuadratic, TaperedLinear
from theory.__main__ import main
from theory.adversary import search
from theory.adversary.statements import TARGETS
from theory.constants import ConditionError, Constants
from theory.experiments import bounds
from theory.ghadimi_lan_2013 import STATEMENT, ghadimi_lan
from theory.statement import STATEMENTS, Setup

I = [each.name for each in bounds.STATEMENTS].index("ghadimi-lan")


def exactly(T, L, sigma2, gap, eta, s):
    """At 50 digits, as Theorem 2.1 is printed: with the sums over t of its weights."""
    with mp.workdps(50):
        L, sigma2, gap, eta = map(mpf, (L, sigma2, gap, eta))
        weights = T * (2 * eta - L * eta**2)
        return mp.sqrt((2 * gap + L * sigma2 / s * T * eta**2) / weights), 2 * gap / weights


def test_the_bound_at_50_digits():
    rng = np.random.default_rng(1)
    for _ in range(200):
        L, sigma2, gap = (float(10 ** rng.uniform(-3, 3)) for _ in range(3))
        T, s = int(10 ** rng.uniform(0, 12)), int(10 ** rng.uniform(0, 4))
        eta = float(rng.choice([1e-6, 0.3, 1.0, 1.999, 2 - 1e-9])) / L * 0.9999999999
        bound = ghadimi_lan(T, Constants(L=L, sigma2=sigma2, gap=gap), eta, s)
        value, first = exactly(T, L, sigma2, gap, eta, s)
        assert bound.value == pytest.approx(float(value), rel=1e-13)
        assert bound.terms["gap"] == pytest.approx(float(first), rel=1e-13)
        assert sum(bound.terms.values()) == pytest.approx(bound.value**2, rel=1e-13)
        assert 10**bound.log10_value == pytest.approx(bound.value, rel=1e-12)


def test_the_step_balances_corollary_2_2():
    """eta = min(1/L, sqrt(2 gap/(L sigma^2 T))): 2 L gap/T + 2 sigma sqrt(2 L gap/T), in place of 4 at most half."""
    L, sigma2, gap, T = 2.0, 9.0, 0.5, 10**6
    eta = math.sqrt(2 * gap / (L * sigma2 * T))
    square = ghadimi_lan(T, Constants(L=L, sigma2=sigma2, gap=gap), eta).value ** 2
    assert square == pytest.approx(math.sqrt(2 * L * gap * sigma2 / T), rel=1e-2)
    assert square <= 2 * L * gap / T + 2 * math.sqrt(2 * L * gap * sigma2 / T)


def test_conditions_and_what_it_needs():
    given = Constants(L=2.0, sigma2=1.0, gap=1.0)
    assert ghadimi_lan(10, given, math.nextafter(1.0, 0)).value > 1e6
    for eta in (1.0, 1.5):
        with pytest.raises(ConditionError, match=rf"below 2/L = 1; got {eta:g}"):
            ghadimi_lan(10, given, eta)
    assert ghadimi_lan(10, replace(given, L=0.0), 1e9).value > 0  # a linear f bounded below is constant
    with pytest.raises(ConditionError, match="sigma2 is not known"):
        ghadimi_lan(10, replace(given, sigma2=None), 0.1)
    for wrong, name in (({"T": 0}, "T"), ({"eta": 0.0}, "eta"), ({"workers": 0}, "workers")):
        with pytest.raises(ValueError, match=f"^{name} must"):
            ghadimi_lan(**{"T": 10, "constants": given, "eta": 0.1, "workers": 1} | wrong)
    with pytest.raises(ValueError, match="must be one of corrected; got 'sharp'"):
        ghadimi_lan(10, given, 0.1, variant="sharp")


def test_it_is_about_sgd_with_one_step_and_needs_no_bound_on_gradients():
    quadratic = NoisyQuadratic.scaled(3, Gaussian(1.0))
    setup = Setup(families.step_sizes(0.05), 50, Constants.of(quadratic), workers=2, method="sgd")
    assert math.inf == setup.constants.G and STATEMENT.applies(setup) is None
    bound = STATEMENT.bound(setup)
    assert bound == ghadimi_lan(50, setup.constants, 0.05, 2) and bound.vacuous is False
    assert "method of the run is adam" in STATEMENT.applies(replace(setup, method="adam"))
    assert "the same for every t" in STATEMENT.applies(replace(setup, family=families.step_sizes(0.05, 0.5)))
    hidden = families.Family("hidden", lambda t: 0.05 + 0.0 * np.asarray(t))
    assert "the same for every t" in STATEMENT.applies(replace(setup, family=hidden))
    for name in ("theorem-2", "corollary-13", "theorem-17"):
        assert "the method of the run is sgd" in STATEMENTS[name].applies(setup)


def test_equality_on_a_slope_without_noise():
    """On a line of slope a, L -> 0: f falls by eta a^2 a step, so the mean square a^2 is 2 gap/(2 eta T) exactly."""
    line, T, eta = TaperedLinear(slope=2.0, taper=1e-9, reach=100.0), 500, 0.1
    run = reference.run(
        MeanOfWorkers(line, 0), line.start, families.step_sizes(eta), T, epsilon=1.0,
        method=reference.METHODS["sgd"], average=["squared_gradient_norm"],
    )  # fmt: skip
    square = float(run.averages["squared_gradient_norm"])
    assert square == 4.0  # x never reaches the taper: 500 * .1 * 2 = 100
    gap = eta * 4.0 * T
    assert ghadimi_lan(T, Constants(L=0.0, sigma2=0.0, gap=gap), eta).value ** 2 == pytest.approx(square, rel=1e-12)


def test_noise_of_the_mean_of_s_samples_is_met():
    """On x^2/2 at stationarity E x^2 = eta sigma^2/(s (2 - eta)): the bound is met, and s counts."""
    quadratic, eta = NoisyQuadratic([0.5], [0.0], Gaussian(2.0)).starting_at([0.0]), 0.5
    for s in (1, 4):
        T = 2000
        run = reference.run(
            MeanOfWorkers(quadratic, 0, s), np.tile(quadratic.start, (64, 1)), families.step_sizes(eta), T, epsilon=1.0,
            method=reference.METHODS["sgd"], average=["squared_gradient_norm"],
        )  # fmt: skip
        square = float(run.averages["squared_gradient_norm"].mean())
        bound = ghadimi_lan(T, Constants.of(quadratic), eta, s).value ** 2
        assert bound == pytest.approx(eta * 4 / (s * (2 - eta)), rel=1e-9)
        assert 0.97 < square / bound < 1.03


def test_the_command(capsys):
    options = "bound ghadimi-lan --T 100 --L 2 --sigma2 4 --gap 0.5 --eta 0.1 --workers 4"
    assert main([*options.split(), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    wanted = ghadimi_lan(100, Constants(L=2.0, sigma2=4.0, gap=0.5), 0.1, 4)
    assert (answer["value"], answer["metric"], answer["trivial"]) == (wanted.value, "root mean square", None)
    assert answer["vacuous"] is None and answer["paper"].startswith("Ghadimi and Lan")
    assert main(options.split()) == 0
    text = capsys.readouterr().out
    assert "root mean square" in text and "no G given" in text and f"{wanted.value:.6g}" in text
    assert main([*options.split(), "--G", "0.1"]) == 0
    assert "vacuous: the root mean square is at most G = 0.1" in capsys.readouterr().out


def test_the_adversary_attacks_it_with_sgd():
    target = TARGETS["Ghadimi-Lan"]
    assert (target.method, target.sequences, target.variants) == ("sgd", "step", ("corrected",))
    found = search("Ghadimi-Lan", steps=100, generations=15)
    assert found.instance.method == "sgd" and found.verdict != "violated" and 0.5 < found.ratio < 1.001
    instance = found.instance
    run = reference.run(
        instance.source(1), np.tile(instance.start, (64, 1)), instance.family, 100, epsilon=1.0, method=instance.by,
        average=["squared_gradient_norm"],
    )  # fmt: skip
    assert found.measured == pytest.approx(float(run.averages["squared_gradient_norm"].mean()) ** 0.5, rel=1e-12)


@pytest.fixture(scope="module")
def runs():
    return bounds.measure("bump, d = 3, two-point", bounds.SIZES["quick"])


def test_the_experiment_measures_it_in_its_metric(runs):
    rows = runs.compared(I, 0)
    assert len(rows) == 4 * 4 * 2 and {*runs.workers[rows]} == {1, 4, 16, 64}  # steps, s and T
    assert np.isnan(runs.bounds[rows][:, [i for i in range(len(bounds.STATEMENTS)) if i != I]]).all()
    assert np.isnan(runs.bounds[:, I, 1]).all()  # it has no sharp form
    problem = Bump(3, problems.TwoPoint(3.0, 0.1))
    for label, eta, s in (("step 0.1/L = 0.05, T = 16, s = 4", 0.05, 4), ("step 1.5/L = 0.75, T = 16, s = 1", 0.75, 1)):
        [k] = [k for k in rows if f"{label}," in f"{runs.label[k]},"]
        assert runs.bounds[k, I, 0] == ghadimi_lan(16, Constants.of(problem), eta, s).value
        run = reference.run(
            MeanOfWorkers(problem, 0, s), np.tile(problem.start, (16, 1)), families.step_sizes(eta), 16, epsilon=1.0,
            method=reference.METHODS["sgd"], average=["squared_gradient_norm"],
        )  # fmt: skip
        np.testing.assert_allclose(runs.averages(I)[k], run.averages["squared_gradient_norm"], rtol=1e-13)
    assert runs.ceiling[rows, I] == pytest.approx(math.sqrt(3 * 27 / 64))


def test_the_experiment_judges_it(runs):
    def judged(factor):
        k = runs.compared(I, 0)[3]
        one = bounds.Runs(**{name: array[k : k + 1].copy() for name, array in vars(runs).items()})
        square = one.averages(I).mean()
        one.bounds[0, I, 0] = math.sqrt(square) * factor
        one.values[:] = square * (1 + 1e-4 * np.random.default_rng(0).standard_normal(16))
        found = bounds.claims({"bump": one})
        [one] = [each for each in found if each.statement.startswith("bump: Ghadimi-Lan, corrected (")]
        return one

    # sixteen runs, nearly equal: the square's lower limit lies between (error/2/21)^(1/16) and (error/2)^(1/16) of it
    assert (5e-5 / 21) ** (1 / 16) > 0.66**2 and (5e-5) ** (1 / 16) < 0.75**2
    assert judged(0.66).verdict == "violated" and judged(0.75).verdict == judged(0.99).verdict == "cannot tell"
    near = judged(0.99)
    assert near.measured.estimate == pytest.approx(near.expected[1] / 0.99, rel=1e-3)  # roots, not squares
    ceiling = runs.ceiling[runs.compared(I, 0)[3], I]
    assert judged(0.95 * ceiling / (near.expected[1] / 0.99)).verdict == "holds"
    assert "Ghadimi-Lan (Theorem 2.1) of Ghadimi and Lan" in bounds.EXPERIMENT.paper
    assert "Ghadimi-Lan" in bounds.EXPERIMENT.title
