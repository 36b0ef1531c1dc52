"""Figure 4, Corollary 10's rates, and `python -m theory figure`."""

import json
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread

from reference.families import generic
from reference.iterate import run
from reference.problems import Bump, Gaussian, NoisyQuadratic
from reference.sources import MeanOfWorkers
from tests.theory.experiments.test_experiments import synthetic
from theory.__main__ import main
from theory.chen_2022.corollary_10 import corollary_10
from theory.constants import Constants
from theory.experiments import ERROR, EXPERIMENTS, figure_1, figure_4, load, rates, speedup
from theory.experiments.figure_4 import Norms, spread
from theory.experiments.rates import HORIZONS, POINTS, Curves
from theory.tools.montecarlo import Measured
from theory.tools.statistics import Interval, quotient

# ------------------------------------------------------------------------------------------------------- Figure 4


def by_hand(method, batch, rate, trials):
    """||grad f(x_201)||, the four methods written out: g = 2Ax - b + the mean of `batch` draws."""
    problem = NoisyQuadratic(local_batch=batch)
    source = MeanOfWorkers(problem, seed=0)
    x, m, v = np.ones((trials, 3)), 0.0, 1e-8
    for t in range(1, 201):
        g = source(x, t)
        m = 0.9 * m + 0.1 * g
        v = 0.99 * v + 0.01 * g**2
        direction = {"sgd": g, "sgd-momentum": m, "adam": m / np.sqrt(v), "rmsprop": g / np.sqrt(v)}[method]
        x = x - rate * direction
    A = np.array([[2, 0.5, 0], [0.5, 1, 0.25], [0, 0.25, 0.5]])
    return np.linalg.norm(2 * x @ A - np.array([1, -1, 0.5]), axis=-1)


@pytest.mark.parametrize("method", figure_4.METHODS)
def test_every_method_is_the_one_named(method):
    found = figure_4.last_norms(method, 5, (0.004, 0.03), trials=3)
    for values, rate in zip(found, (0.004, 0.03), strict=True):
        np.testing.assert_allclose(values, by_hand(method, 5, rate, 3), rtol=1e-9)


def norms_of(values, batches=(1, 320), rates=(0.01, 0.02, 0.03)):
    """Every method alike: values (batches, rates, trials)."""
    means = values.mean(axis=-1)
    best = np.take_along_axis(values, means.argmin(axis=-1)[:, None, None], axis=1)
    errors = (values - best).std(axis=-1, ddof=1) / values.shape[-1] ** 0.5
    every = [np.stack([array] * 4) for array in (means, errors)]
    return Norms(tuple(figure_4.METHODS), np.array(batches), np.array(rates), values.shape[-1], *every)


def test_what_is_measured_is_means_and_errors_by_trial():
    grid = {"batches": (1, 20), "rates": (0.005, 0.01, 0.04), "trials": 16}
    measured = figure_4.measure(**grid)
    values = np.stack([figure_4.last_norms("sgd", batch, grid["rates"], 16) for batch in grid["batches"]])
    expected = norms_of(values, grid["batches"], grid["rates"])
    np.testing.assert_array_equal(measured.means[0], expected.means[0])
    np.testing.assert_allclose(measured.errors[0], expected.errors[0], rtol=1e-12)
    assert not np.array_equal(measured.means[0], measured.means[2])
    assert (measured.errors.min(axis=-1) == 0).all()
    assert len(figure_4.PAPERS["batches"]) == 320
    assert figure_4.PAPERS["rates"][0] == 0.0005
    assert figure_4.PAPERS["rates"][-1] == 1.0


def test_a_rate_is_dropped_where_it_is_worse_and_only_there():
    rng = np.random.default_rng(0)
    common = rng.standard_normal(256)  # the trial's own part, which pairing removes
    values = 3 + common + 0.1 * rng.standard_normal((1, 3, 256)) + np.array([0.0, 0.01, 0.1])[:, None]
    (interval,) = norms_of(values, batches=(1,)).best("adam", 0.01)
    assert (interval.estimate, interval.low, interval.high) == (0.01, 0.01, 0.02)
    assert (interval.error, interval.sample_size) == (0.01, 256)


def test_the_best_rate_is_in_its_interval_as_often_as_promised():
    """Three rates, all equally good: the first is missed by at most 10 % of 1,000 intervals, and by not much less."""
    values = np.random.default_rng(1).standard_normal((1000, 1, 3, 64))
    found = [norms_of(each, batches=(1,)).best("sgd", 0.1)[0] for each in values]
    missed = np.mean([interval.low > 0.01 for interval in found])
    assert 0.03 < missed < 0.1 + 4 * (0.1 * 0.9 / 1000) ** 0.5
    shared = norms_of(values[:100, 0], batches=tuple(range(1, 101))).best("sgd", 0.1)  # the error of all 100
    assert all(interval.low <= one.low for interval, one in zip(shared, found[:100], strict=True))
    assert any(interval.low < one.low for interval, one in zip(shared, found[:100], strict=True))


def test_factors_miss_where_one_of_their_rates_does():
    first, last = Interval(2.0, 1.0, 4.0, 0.01, 9), Interval(6.0, 5.0, 8.0, 0.02, 9)
    assert quotient(last, first) == Interval(3.0, 1.25, 8.0, 0.03, 9)
    assert spread([last, first]) == Interval(3.0, 1.25, 8.0, 0.02, 9)
    assert spread([first, first]) == Interval(1.0, 1.0, 4.0, 0.01, 9)


def planted(sgd, adam, error):
    """Norms whose best rates are these at the smallest and the largest batch."""
    rates = np.array([0.005, 0.01, 0.018, 0.02, 0.04])
    best = np.array([sgd, sgd, adam, adam])
    means = 1 + np.abs(np.log(rates / best[..., None]))
    errors = np.where(means == 1, 0, error)
    return Norms(tuple(figure_4.METHODS), np.array([1, 320]), rates, 64, means, errors)


@pytest.mark.parametrize(
    ("sgd", "adam", "error", "verdicts"),
    [
        ((0.005, 0.04), (0.04, 0.02), 1e-3, ["holds", "holds", "holds"]),
        ((0.005, 0.04), (0.04, 0.018), 1e-3, ["holds", "cannot tell", "holds"]),
        ((0.01, 0.01), (0.02, 0.02), 1e-3, ["cannot tell", "holds", "cannot tell"]),
        ((0.02, 0.01), (0.02, 0.04), 1e-3, ["cannot tell", "holds", "cannot tell"]),
        ((0.005, 0.04), (0.04, 0.02), 1.0, ["cannot tell"] * 3),
    ],
)
def test_each_claim_of_figure_4_holds_or_cannot_tell(sgd, adam, error, verdicts):
    found = figure_4.claims(planted(sgd, adam, error))
    assert [finding.verdict for finding in found] == [verdict for verdict in verdicts for _ in range(2)]
    assert {finding.mark for finding in found} == {"cannot be violated"}  # norms have no bound: Student's alone
    assert {"outside" in finding.reason for finding in found[2:4]} == {adam == (0.04, 0.018)}
    assert sum(finding.measured.error for finding in found) <= 1e-4 * (1 + 1e-12)
    assert f"here {sgd[0]:g} to {sgd[1]:g}" in found[0].statement
    assert f"here {min(adam):g} to {max(adam):g}" in found[2].statement


def test_sgd_climbs_further_than_adam():
    """Batches 1 and 320, 64 trials: the best rate of SGD more than doubles, Adam's falls."""
    measured = figure_4.measure(batches=(1, 320), rates=figure_4.RATES[1:-4:2], trials=64)
    first, last = measured.best("sgd", 1e-4)
    assert last.low > first.high
    first, last = measured.best("adam", 1e-4)
    assert last.high < first.low
    assert {finding.verdict for finding in figure_4.claims(measured)} <= {"holds", "cannot tell"}
    assert [finding.verdict for finding in figure_4.claims(measured)[:2]] == ["holds"] * 2


# ---------------------------------------------------------------------------------------------------------- rates


def test_the_averages_are_those_of_runs_that_end_at_each_horizon():
    points, horizons = ((0.5, 0.75), (1.0, 0.5)), np.array([4, 8, 32])
    curves = rates.measure("bump", points, horizons, replicas=3)
    problem = Bump(10, Gaussian(1.0))
    for i, (r, s) in enumerate(points):
        for j, T in enumerate(horizons.tolist()):
            result = run(
                MeanOfWorkers(problem, 0), np.ones((3, 10)), generic(1.0, s, 0.5, r, 1, 0.5), T, epsilon=0.1,
                average=["gradient_norm"],
            )  # fmt: skip
            np.testing.assert_allclose(curves.values[j, i], result.averages["gradient_norm"], rtol=1e-12)


def test_the_points_lie_on_both_sides_of_the_corollarys_line():
    sums = [r / 2 + s for r, s in POINTS]
    assert min(sums) < 1 < max(sums) and 1 in sums
    assert all(r <= 2 * s < 2 for r, s in POINTS)


POWERS = ((0.8, 0.4), (1.0, 0.5), (1.2, 0.6))  # exponents -.2, -.25 with sqrt(ln T), -.2


def following(slopes, problem="quadratic", level=1.0, logarithm=(False, True, False)):
    """Averages that fall as T^slope (times sqrt(ln T)), 1 % noise."""
    T = HORIZONS.astype(float)[:, None]
    means = level * T ** np.array(slopes) * np.where(logarithm, np.sqrt(np.log(T)), 1)
    noise = 1 + 0.01 * np.random.default_rng(0).standard_normal((*means.shape, 64))
    return Curves(problem, np.array(POWERS), HORIZONS, means[..., None] * noise)


@pytest.mark.parametrize(
    ("off", "verdict"), [(-0.01, "holds"), (0.0, "cannot tell"), (0.01, "cannot tell"), (0.05, "cannot tell")]
)
def test_a_slope_holds_at_its_exponent_and_refutes_nothing_above_it(off, verdict):
    exponents = np.array([-0.2, -0.25, -0.2])
    curves = following(exponents + off)
    found = rates.claims(curves)
    assert [finding.verdict for finding in found] == [verdict] * 3
    assert [finding.expected[1] for finding in found] == pytest.approx(exponents)
    for i in range(3):
        interval = curves.slope(i, 1e-4)
        assert interval.low < exponents[i] + off < interval.high < interval.low + 0.01


def test_the_logarithm_is_divided_out_on_the_line_alone():
    """T^-.25 without its sqrt(ln T) is steeper than the rate; the sqrt(ln T) off the line is not divided out."""
    curves = following([-0.2, -0.25, -0.2], logarithm=(True, False, True))
    found = [curves.slope(i, 1e-4).estimate for i in range(3)]
    assert -0.33 < found[1] < -0.29
    assert -0.16 < found[0] < -0.12 and -0.16 < found[2] < -0.12


def test_theorem_2_is_evaluated_with_the_bumps_constants():
    """L = 2, G^2 = 10 (27/64 + 1), f(x_1) - f* = 5, v_0 = 1/10."""
    for r, s in POINTS:
        constants = Constants(L=2.0, G=(10 * (27 / 64 + 1)) ** 0.5, d=10, gap=5.0)
        expected = corollary_10(generic(1.0, s, 0.5, r, 1, 0.5), 1000, constants, 0.1)
        assert rates.bound(Bump(10, Gaussian(1.0)), 1000, r, s) == pytest.approx(expected.value, rel=1e-12)


def beside(monkeypatch, limits, values):
    """Claims on the bump where Theorem 2's bounds are these, (horizons, points), and the runs' averages those."""
    given = {(int(T), *POWERS[i]): limit for (j, i), limit in np.ndenumerate(limits) for T in [HORIZONS[j]]}
    monkeypatch.setattr(rates, "bound", lambda problem, T, r, s: given[T, r, s])
    found = rates.claims(Curves("bump", np.array(POWERS), HORIZONS, values), 1e-6)
    return found[1::2]


def test_a_mean_above_theorem_2s_bound_is_violated(monkeypatch):
    limits = np.full((len(HORIZONS), 3), 1.0)
    noise = 1 + 0.01 * np.random.default_rng(0).standard_normal((*limits.shape, 1024))
    factors = np.full_like(limits, 0.97)
    assert [claim.verdict for claim in beside(monkeypatch, limits, factors[..., None] * noise)] == ["holds"] * 3
    factors[3, 1] = 1.0  # one horizon of one point
    found = beside(monkeypatch, limits, factors[..., None] * noise)
    assert [claim.verdict for claim in found] == ["holds", "cannot tell", "holds"]
    assert "T = 4096" in found[1].statement
    factors[3, 1] = 1.03
    found = beside(monkeypatch, limits, factors[..., None] * noise)
    assert [claim.verdict for claim in found] == ["holds", "violated", "holds"]
    assert found[1].measured.error == 1e-6 and found[1].measured.basis == "every distribution"
    assert not any("Theorem 2" in claim.statement for claim in rates.claims(following([-0.3] * 3)))  # A4 fails there


def test_a_mean_that_only_touches_its_bound_is_shown_before_a_nearer_one(monkeypatch):
    """At T = 512 the mean is at .97 of the bound, exactly; at T = 4096 at .9, with an interval that reaches beyond. A
    vacuous bound, nearer than both, comes last."""
    limits = np.full((len(HORIZONS), 3), 1.0)
    values = np.full((*limits.shape, 1024), 0.1)
    values[0] = 0.97
    values[3] = np.where(np.arange(1024) % 2, 0.1, 1.7)
    limits[5], values[5] = 2.1, 2.05
    for claim in beside(monkeypatch, limits, values):
        assert claim.verdict == "cannot tell" and "T = 4096" in claim.statement and not claim.vacuous


def test_only_bounds_that_say_something_share_the_error(monkeypatch):
    limits = np.full((len(HORIZONS), 3), 3.0)
    limits[2:4, 1] = 1.0
    beside(monkeypatch, limits, np.full((*limits.shape, 4), 0.5))
    curves = Curves("bump", np.array(POWERS), HORIZONS, np.full((*limits.shape, 4), 0.5) + 0.01 * np.arange(4))
    assert rates.open_comparisons(curves) == 2
    found = load("rates").claims({"bump": curves, "quadratic": replace(curves, problem="quadratic")}, 1e-5)
    assert {claim.measured.error for claim in found} == {5e-6}


def test_a_bound_above_G_is_vacuous():
    """Theorem 2's on the bump are 68 and more, G is 3.8; |grad f| at most 2.1 there. A slope is never vacuous."""
    found = rates.claims(following([-0.3] * 3, "bump"))
    assert [finding.vacuous for finding in found] == [False, True] * 3


def test_the_rates_are_met_on_both_problems():
    for name in rates.PROBLEMS:
        curves = rates.measure(name, horizons=HORIZONS[:4], replicas=24)
        verdicts = {finding.statement.split(", as a slope")[0]: finding.verdict for finding in rates.claims(curves)}
        assert set(verdicts.values()) == {"holds", "cannot tell"}
        assert verdicts[f"{name}, r = 1, s = 0.75: E||grad f|| = O(T^-0.125)"] == "holds"
        assert verdicts[f"{name}, r = 1.2, s = 0.6: E||grad f|| = O(T^-0.2)"] == "holds"
    assert abs(curves.slope(POINTS.index((0.8, 0.4)), 0.01).estimate + 0.2) < 0.01  # close, on the quadratic


# ---------------------------------------------------------------------------------------------------- experiments


def test_all_findings_of_all_experiments_share_one_error_in_ten_thousand():
    assert ERROR * len(EXPERIMENTS) == pytest.approx(1e-4)
    assert [load(name).name for name in EXPERIMENTS] == list(EXPERIMENTS)


def made_up():
    """Parts of every experiment from synthetic numbers; the collapse, whose error is its own, is far from violated."""
    x = np.exp(-np.arange(5.0))[:, None, None] * np.ones((5, 64, 1))
    panels = {name: Measured({"steps": 1}, np.array([1]), {}, {}, x[:n]) for name, n in (("left", 5), ("middle", 2))}
    panels["right"] = Measured({"steps": 1}, np.array([1]), {}, {}, x[:3])
    return {
        "1": panels,
        "4": {"norms": planted((0.005, 0.04), (0.04, 0.02), 1e-3)},
        "rates": {name: following([-0.3, -0.3, -0.3], name) for name in ("bump", "quadratic")},
        "speedup": {name: replace(synthetic(), setting=name) for name in ("quadratic", "bump", "fixed-epsilon")},
    }


@pytest.mark.parametrize(("name", "shared"), [("1", 12), ("4", 0), ("rates", 0), ("speedup", 2)])
def test_an_experiments_claims_share_the_error_it_is_given(name, shared):
    """Those that chance could violate: medians and shares; no rate of Figure 4 and no slope; on the bump the collapse,
    whose intervals that could violate it are not those shown, and its end."""
    for error in (1e-4, 1e-6):
        found = load(name).claims(made_up()[name], error)
        open_ = [claim for claim in found if claim.mark == ""]
        assert len(open_) == shared
        if name == "1":
            assert sum(claim.measured.error for claim in open_) == pytest.approx(error)
        if name == "speedup":
            assert all("bump" in claim.statement and "collapse" in claim.statement for claim in open_)
            assert open_[1].measured.error == pytest.approx(error / 2)


# -------------------------------------------------------------------------------------------------------- command


def small(monkeypatch):
    """Every figure from few or synthetic runs, through its own measure where that is fast."""
    one, four, slopes = figure_1.measure, figure_4.measure, rates.measure
    monkeypatch.setattr(figure_1, "measure", lambda name, folder, *_: one(name, folder, replicas=32, steps=100))
    monkeypatch.setattr(figure_4, "measure", lambda **_: four((1, 8), (0.005, 0.01, 0.02, 0.04), 8))
    monkeypatch.setattr(rates, "measure", lambda name, **_: slopes(name, horizons=np.array([8, 16, 32]), replicas=8))
    grid = replace(synthetic(), values=synthetic().values[..., :48])
    monkeypatch.setattr(speedup, "measure", lambda name, folder, **_: replace(grid, setting=name))


def call(capsys, *arguments):
    assert main(["figure", *map(str, arguments)]) == 0
    return capsys.readouterr()


CLAIMS = {"1": 12, "4": 6, "rates": 21, "speedup": 9}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_figure_is_measured_drawn_and_judged(name, tmp_path, monkeypatch, capsys):
    small(monkeypatch)
    picture = tmp_path / "some name.png"
    answer = json.loads(call(capsys, name, "--out", picture, "--json").out)
    assert list(answer) == ["figure", "picture", "data", "paper", "claims"]
    assert (answer["figure"], answer["picture"]) == (name, str(picture))
    assert len(answer["claims"]) == CLAIMS[name]
    assert len({claim["statement"] for claim in answer["claims"]}) == CLAIMS[name]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some name.npz", "some name.png"]
    first = imread(picture)
    assert first.shape[1] > 1200
    assert first.std() > 0.05  # something is drawn

    monkeypatch.undo()  # nothing is measured again: that would take long and give other numbers
    found = call(capsys, name, "--out", picture)
    assert "drawn from" in found.err and "remove it" in found.err
    np.testing.assert_array_equal(imread(picture), first)
    assert answer["paper"] in found.out and str(picture.with_suffix(".npz")) in found.out
    for claim in answer["claims"]:
        assert f"{claim['verdict']:11}  {claim['statement']}\n" in found.out
        assert claim["reason"] in found.out


def damaged(path, change):
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez(path, **change(arrays))


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: {key: array for key, array in arrays.items() if not key.startswith("bump/")},
        lambda arrays: arrays | {"bump/values": np.where(arrays["bump/values"] > 0.2, np.nan, arrays["bump/values"])},
        lambda arrays: arrays | {"bump/values": arrays["bump/values"][:, :, ::-1].copy()},
        lambda arrays: arrays | {"bump/more": np.ones(3)},
        lambda arrays: {key: array for key, array in arrays.items() if key != "sha256"},
    ],
    ids=["a problem is missing", "not finite", "another order", "more", "no sha256"],
)
def test_data_that_were_changed_are_refused(change, tmp_path, monkeypatch, capsys):
    load("rates").save(made_up()["rates"], "standard", tmp_path / "rates.npz")
    damaged(tmp_path / "rates.npz", change)
    with pytest.raises(SystemExit) as stopped:
        main(["figure", "rates", "--out", str(tmp_path / "rates.png")])
    err = capsys.readouterr().err
    assert stopped.value.code == 2 and err.count("\n") == 1
    assert "rates.npz does not hold the data of figure rates, standard size" in err
    assert not (tmp_path / "rates.png").exists()


def test_nobodys_matplotlibrc_changes_a_picture(tmp_path):
    parts = made_up()["4"]
    load("4").plot(parts, tmp_path / "first.png")
    with matplotlib.rc_context({"savefig.dpi": 3, "font.size": 40, "axes.facecolor": "red"}):
        load("4").plot(parts, tmp_path / "second.png")
        assert matplotlib.rcParams["font.size"] == 40
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


def test_the_default_picture_is_in_the_current_folder(tmp_path, monkeypatch, capsys):
    small(monkeypatch)
    monkeypatch.chdir(tmp_path)
    call(capsys, "4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure-4.npz", "figure-4.png"]


def resumed(measure, name, folder):
    assert (folder / name / "results.npz").exists() == (name != "right")
    return measure(name, folder)


def test_an_interrupted_measurement_goes_on(tmp_path, monkeypatch, capsys):
    small(monkeypatch)
    measure = figure_1.measure

    def interrupted(name, folder, *_):
        if name == "right":
            raise KeyboardInterrupt
        return measure(name, folder)

    monkeypatch.setattr(figure_1, "measure", interrupted)
    picture = tmp_path / "left off.png"
    with pytest.raises(SystemExit) as stopped:
        main(["figure", "1", "--out", str(picture)])
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "python -m theory figure: interrupted; the same command goes on\n"
    kept = picture.with_suffix(".unfinished")
    assert (kept / "left" / "results.npz").exists() and not picture.exists()
    monkeypatch.setattr(figure_1, "measure", lambda name, folder, *_: resumed(measure, name, folder))
    call(capsys, "1", "--out", picture)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["left off.npz", "left off.png"]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["2"], ["'2'", "speedup"]),
        ([], ["FIGURE"]),
        (["rates", "--out", "picture.txt"], ["picture.txt", ".png, .svg, .pdf"]),
        (["rates", "--out", "nowhere/picture.png"], ["nowhere/picture.png", "folder that exists"]),
        (["rates", "--out", "folder.png"], ["folder.png", "must be a file"]),
        (["4", "--out", "rates.png"], ["rates.npz", "figure 4", "those of rates, quick size", "remove it"]),
        (["rates", "--out", "rates.png"], ["rates.npz", "figure rates, standard size", "those of rates, quick size"]),
        (["4", "--out", "garbage.png"], ["garbage.npz", "figure 4"]),
        (["4", "--out", "empty.png"], ["empty.npz", "figure 4"]),
        (["4", "--out", "array.png"], ["array.npz", "figure 4"]),
        (["4", "--out", "garbage.npz/picture.png"], ["garbage.npz/picture.png", "folder that exists"]),
        (["4", "--out", f"{'long' * 80}.png"], ["long.png", "too long"]),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(arguments, parts, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "garbage.npz").write_bytes(b"PK garbage")
    (tmp_path / "empty.npz").touch()
    np.save(tmp_path / "array.npy", np.ones(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    np.savez(tmp_path / "rates.npz", allow_pickle=False, experiment=np.array("rates"), size=np.array("quick"))
    (tmp_path / "rates.png").touch()
    with pytest.raises(SystemExit) as stopped:
        main(["figure", *arguments])
    out, err = capsys.readouterr()
    assert stopped.value.code == 2 and out == ""
    assert err.count("\n") == 1
    assert all(part in err for part in parts), err
    assert (tmp_path / "rates.png").read_bytes() == b""
