import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from matplotlib.image import imread

from theory.experiments import figure_1, speedup
from theory.experiments.figure_1 import LOWEST, PANELS, ln_f
from theory.experiments.speedup import PRODUCT, Grid
from theory.tools.montecarlo import Measured, Sample
from theory.tools.statistics import bounded_mean_interval

# ------------------------------------------------------------------------------------------------------- Figure 1


@pytest.fixture(scope="module")
def left():
    begin = time.process_time()
    measured = figure_1.measure("left")
    return measured, time.process_time() - begin


def test_the_left_panel_of_figure_1(left):
    measured, seconds = left
    assert seconds < 15
    assert measured.x.shape == (5, 64, 1)
    assert measured.description["steps"] == 100_000
    r0, r25, r5, r75, r1 = np.median(ln_f(measured.x), axis=-1)
    assert r0 > r25 > r5 > max(r75, r1)
    assert r0 > -15
    assert r75 < -60
    assert r1 < -40
    for values in (measured.history["x"].values, ln_f(measured.x)):
        assert np.isfinite(values).all()
        assert values.min() >= LOWEST
    clipped = (ln_f(measured.x)[-1] <= LOWEST).mean()
    assert 0.1 < clipped < 0.6  # 32 % of 4,096 runs; 64 runs stay within 4 standard errors


def test_its_findings_hold_or_cannot_tell(left):
    found = figure_1.claims({"left": left[0]})
    assert len(found) == 9
    assert {finding.verdict for finding in found} == {"holds", "cannot tell"}
    coin = found[-1]
    assert "coin toss" in coin.statement
    assert coin.verdict == "cannot tell"


def test_curves_in_the_wrong_order_are_violated(left):
    measured = left[0]
    reversed_ = replace(measured, x=measured.x[::-1])
    found = {finding.statement: finding.verdict for finding in figure_1.claims({"left": reversed_})}
    assert found["left: median of ln f at r = 0 above -15"] != "holds"
    assert found["left: ln f at r = 0 above r = 0.25 (median over runs, same draws)"] != "holds"
    ordered = np.exp(-np.arange(5.0))[:, None, None] * np.ones((5, 64, 1))
    wrong = figure_1.claims({"left": replace(measured, x=ordered[::-1])})
    assert [finding.verdict for finding in wrong[:5]] == ["violated"] * 5
    assert [finding.verdict for finding in wrong[6:8]] == ["violated"] * 2


def test_every_panel_finds_its_own_claims():
    x = np.exp(-np.arange(5.0))[:, None, None] * np.ones((5, 64, 1))

    def measured(values):
        return Measured({"steps": 1}, np.array([1]), {}, {}, values)

    panels = {"left": measured(x), "middle": measured(x[:2]), "right": measured(x[:3])}
    verdicts = {finding.statement.split(" (")[0]: finding.verdict for finding in figure_1.claims(panels)}
    assert len(verdicts) == 12
    assert verdicts["middle: ln f at r = 0 above r = 0.25"] == "holds"
    assert verdicts["right: ln f at s = 0.8 above s = 0.6"] == "violated"
    assert verdicts["right: ln f at s = 0.6 above s = 0.4"] == "violated"


def test_a_win_is_an_end_below():
    """r = 1 ends below r = .75 in 48 of 64 runs, at the same height in 8."""
    x = np.ones((5, 64, 1))
    x[4, :48], x[4, 48:56] = 0.5, 2.0
    below = figure_1.wins(Measured({"steps": 1}, np.array([1]), {}, {}, x), error=0.01)
    assert (below.estimate, below.sample_size) == (0.75, 64)


def test_where_both_are_clipped_neither_is_above():
    """Five curves of 64 runs that all end at 0."""
    measured = Measured({"steps": 1}, np.array([1]), {}, {}, np.zeros((5, 64, 1)))
    found = figure_1.claims({"left": measured})
    assert [finding.verdict for finding in found[:5]] == ["violated"] * 5


def test_ln_f_neither_underflows_nor_leaves_the_line():
    tiny = np.finfo(np.float64).tiny
    x = np.array([1.0, -(22.0**0.5), 1e-200, tiny, tiny / 4, 5e-324, 0.0, -0.0])
    expected = [-np.log(22), 0.0, -400 * np.log(10) - np.log(22), *[LOWEST] * 5]
    np.testing.assert_allclose(ln_f(x[:, None]), expected, rtol=1e-15, atol=1e-15)
    assert abs(LOWEST + 1419.88) < 0.01


def test_the_schedules_are_the_papers():
    for t in (1, 2, 3, 1000, 65_536):
        alpha, beta, theta = PANELS["left"].family().at(t)
        np.testing.assert_allclose(alpha, 5 / t**0.5, rtol=1e-14)
        assert (beta == 0.9).all()
        for i, r in enumerate((0, Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), 1)):
            numerator = Fraction(1, 100) + Fraction(99, 100) * r * r
            power = max(t, 2) if r == 1 else t ** float(r)
            assert theta[i, 0] == pytest.approx(1 - float(numerator) / power, rel=1e-13)
        middle = PANELS["middle"].family().at(t)[2]
        np.testing.assert_allclose(middle[:, 0], [0.99, 1 - 0.01 / t**0.25], rtol=1e-14)
        alpha, _, theta = PANELS["right"].family().at(t)
        np.testing.assert_allclose(alpha[:, 0], [5 / t**0.4, 5 / t**0.6, 5 / t**0.8], rtol=1e-13)
        np.testing.assert_allclose(theta, 1 - 0.6436 / t**0.8, rtol=1e-13)
    assert [panel.steps for panel in PANELS.values()] == [100_000, 500_000, 100_000]


def test_figure_1_is_redrawn_from_saved_data(tmp_path):
    panels = {name: figure_1.measure(name, tmp_path, replicas=16, steps=300) for name in PANELS}
    figure_1.EXPERIMENT.plot(panels, tmp_path / "first.png")
    figure_1.EXPERIMENT.plot({name: Measured.load(tmp_path / name) for name in PANELS}, tmp_path / "second.png")
    first, second = imread(tmp_path / "first.png"), imread(tmp_path / "second.png")
    np.testing.assert_array_equal(first, second)
    assert first.shape[1] > 1500
    assert first.std() > 0.05  # something is drawn


# ------------------------------------------------------------------------------------------------- linear speedup


def synthetic(
    exponent=1.0, off=0.0, noise=0.02, workers=(1, 4, 16, 64, 128, 256), excess=(0, 0, 0, 0, 0, 0), reach=2**0.5
):
    """E||grad f|| = .65 (s^exponent T / PRODUCT)^(-1/4); `off` raises s = 64, `excess` each s, relatively."""
    products = np.array([PRODUCT / reach, PRODUCT, PRODUCT * reach])
    s = np.array(workers)
    steps = np.round(products / s[:, None]).astype(int)
    means = 0.65 * (s[:, None] ** exponent * steps / PRODUCT) ** -0.25
    means = means * (1 + np.where(s == 64, off, 0) + np.array(excess))[:, None]
    replicas = 1 + noise * np.random.default_rng(0).standard_normal((*means.shape, 256))
    return Grid("quadratic", s, products, steps, means[..., None] * replicas)


def test_the_quadratic_collapses_and_speeds_up_linearly():
    """|x|^2/2, noise 8, d = 10, R = 256 at s*T = 2^15, and one more product, for the steps to eps = .65."""
    grid = speedup.measure("quadratic", workers=speedup.COLLAPSED, products=(PRODUCT / 2**0.5, PRODUCT))
    assert grid.steps.tolist() == [[23170, 32768], [5793, 8192], [1448, 2048], [362, 512]]
    found = speedup.collapse(grid, 1e-5)
    assert found.verdict == "holds"
    assert found.expected == pytest.approx((-np.log(1.02), np.log(1.02)))
    interval = speedup.speedup_slope(grid, error=1e-5)
    assert -1.05 < interval.low < -1 < interval.high < -0.95


def on_the_bump(grid, copies=1):
    """The same numbers where the gradient has a bound, each replica so many times."""
    return replace(grid, setting="bump", values=np.tile(grid.values, copies))


def test_a_collapse_that_is_off_by_little_does_not_hold():
    assert speedup.collapse(synthetic(), 1e-6).verdict == "holds"
    assert speedup.collapse(synthetic(off=0.01), 1e-6).verdict == "holds"
    assert speedup.collapse(synthetic(off=0.02), 1e-6).verdict == "cannot tell"
    wrong = speedup.collapse(synthetic(off=0.03), 1e-6)
    assert (wrong.verdict, wrong.mark) == ("cannot tell", "cannot be violated")  # no gradient is bounded there
    assert "64" in wrong.statement and "outside" in wrong.reason
    assert wrong.measured.error == pytest.approx(0.01 / 6)


def test_a_collapse_that_is_off_is_violated_where_the_gradient_is_bounded():
    """By betting the means of 256 replicas are known to 1/15 of themselves and of what is left to the bound."""
    for off, copies, verdict in ((0.15, 1, "cannot tell"), (0.4, 1, "violated"), (0.15, 4, "violated")):
        found = speedup.collapse(on_the_bump(synthetic(off=off), copies), 1e-6)
        assert (found.verdict, found.mark) == (verdict, ""), off
        assert "64" in found.statement
    holds = speedup.collapse(on_the_bump(synthetic()), 1e-6)
    assert holds.verdict == "holds" and "valid for every distribution" in holds.reason


def test_the_certain_ratio_misses_where_one_of_its_means_does():
    grid = on_the_bump(synthetic(off=0.1))
    nominal, certain = speedup.ratio(grid, 4, 64, 1e-3), speedup.certain_ratio(grid, 4, 64, 1e-3)
    largest = 10**0.5 * max(2 * x / (1 + x * x) ** 2 for x in np.linspace(0, 1, 10_001))
    over, under = (bounded_mean_interval(grid.at(s), 5e-4, 0, largest) for s in (64, 4))
    ends = np.log([over.low / under.high, over.high / under.low])
    assert (certain.low, certain.high) == pytest.approx(tuple(ends), rel=1e-6)
    assert certain.estimate == pytest.approx(nominal.estimate)
    assert certain.low < nominal.low < nominal.high < certain.high
    assert certain.error == nominal.error == 1e-3 and certain.basis == "every distribution"


def test_a_violated_pair_is_shown_before_a_wider_one():
    grid = on_the_bump(synthetic(), 4)
    values = grid.values.copy()
    j = list(grid.products).index(PRODUCT)
    noise = np.random.default_rng(1).standard_normal(values.shape[-1])
    values[0, j], values[1, j], values[2, j] = 1 + 1e-4 * noise, 1.2 + 1e-4 * noise, 1 + 1e-4 * noise[::-1]
    values[3, j] = 1.02 + 0.2 * noise[::-1]
    for error in (0.01, 1e-5):
        found = speedup.collapse(replace(grid, values=values), error)
        assert found.verdict == "violated"
        assert "s = 4" in found.statement


@pytest.mark.parametrize(
    ("exponent", "verdict"),
    [(1.0, "holds"), (0.97, "holds"), (0.95, "cannot tell"), (0.93, "cannot tell"), (1.07, "cannot tell")],
)
def test_a_speedup_that_is_a_little_off_does_not_hold(exponent, verdict):
    grid = synthetic(exponent, reach=4)
    interval = speedup.speedup_slope(grid, 1e-3)
    assert interval.low < -exponent < interval.high
    found = speedup.claims(grid, 1e-3)[2]
    assert (found.verdict, found.mark) == (verdict, "cannot be violated")  # a bootstrapped slope is nominal
    assert ("outside" in found.reason) == (exponent in (0.93, 1.07))


@pytest.mark.parametrize(("last", "verdict"), [(0.06, "holds"), (0.025, "cannot tell"), (0.0, "cannot tell")])
def test_the_collapse_ends_beyond_it(last, verdict):
    grid = synthetic(excess=(0, 0, 0, last, 0, last))
    found = speedup.claims(grid, 1e-5)[1]
    assert (found.verdict, found.mark) == (verdict, "cannot be violated")
    assert "s = 256" in found.statement
    (floor,) = speedup.claims(replace(grid, setting="fixed-epsilon"), 1e-5)
    assert floor.verdict == verdict
    assert "s = 64" in floor.statement
    assert floor.measured.low < np.log1p(last) < floor.measured.high


def test_an_end_that_does_not_come_is_violated_where_the_gradient_is_bounded():
    grid = on_the_bump(synthetic(excess=(0, 0, 0, 0, 0, -0.15)), 4)
    assert speedup.ended(grid, 256, 1e-5).verdict == "violated"
    assert speedup.ended(grid, 64, 1e-5).verdict == "cannot tell"  # equal within 1 %, and .02 is within reach


def test_an_accuracy_that_was_not_reached_is_refused():
    with pytest.raises(ValueError, match=r"eps = 0.65 is not between"):
        speedup.speedup_slope(synthetic(0.5), 1e-3)


def test_the_knee_is_where_two_percent_are_passed():
    excess = (0.0, 0.0, 0.0, 0.0, 0.01, 0.03)
    assert speedup.knee(synthetic(noise=1e-6, excess=excess)) == pytest.approx(128 * 2**0.5, rel=0.02)
    assert speedup.knee(synthetic(noise=1e-6)) == np.inf


def test_the_speedup_is_redrawn_from_saved_data(tmp_path):
    wide = synthetic(excess=(0, 0, 0, 0, 0.02, 0.06))
    measured = {"quadratic": wide, "fixed-epsilon": replace(synthetic(), setting="fixed-epsilon")}
    speedup.EXPERIMENT.save(measured, "full", tmp_path / "speedup.npz")
    grids = speedup.EXPERIMENT.load("full", tmp_path / "speedup.npz")
    for name, grid in measured.items():
        assert grids[name].setting == name
        for key in ("workers", "products", "steps", "values"):
            np.testing.assert_array_equal(getattr(grids[name], key), getattr(grid, key))
    speedup.EXPERIMENT.plot(grids, tmp_path / "speedup.png")
    image = imread(tmp_path / "speedup.png")
    assert image.shape[1] > 1500
    assert image.std() > 0.05


def test_a_grid_is_measured_on_the_settings_it_names(tmp_path):
    grid = speedup.measure("fixed-epsilon", tmp_path, workers=(1, 2), products=(64,), replicas=4)
    assert grid.steps.tolist() == [[64], [32]]
    first = Measured.load(tmp_path / "fixed-epsilon-s2-T32")
    np.testing.assert_array_equal(grid.values[1, 0], first.averages["gradient_norm"].values)
    assert isinstance(first.averages["gradient_norm"], Sample)
    assert [speedup.SETTINGS[name].epsilon(4) for name in ("quadratic", "bump", "fixed-epsilon")] == [0.025, 0.025, 64]
