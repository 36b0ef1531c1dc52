"""The loop against plain Python; replicas, configurations and resumed runs against single ones, to the bit."""

from __future__ import annotations

import importlib
import itertools
import math
import subprocess
import sys

import numpy as np
import pytest

from reference import ExactGradient, MeanOfWorkers, Recorder, adam, families, initial_state, iterate, run
from reference.adam import AdamState, NonFiniteError
from reference.families import Family
from reference.iterate import QUANTITIES
from reference.methods import METHODS
from reference.problems import BY_NAME, Bump, Counterexample, Digits, Gaussian, ReddiPeriodic, TwoPoint

LOOP = importlib.import_module("reference.iterate")  # the package's attribute of that name is the function


def varying(t):
    """alpha_t, beta_t, theta_t that change with t in every way."""
    return 0.3 / t, 0.5 + 0.4 / (t + 1), 1 - 0.3 / (t + 1)


VARYING = Family("varying", *(lambda t, i=i: np.vectorize(varying)(t)[i] for i in range(3)))
EVERYTHING = list(QUANTITIES)


def test_every_recorded_quantity_against_plain_python():
    """f = sum u^2/(1+u^2), g = f' + Rademacher noise times 2, mean of 3 workers: E_t g^2 = f'^2 + 4/3."""
    problem, T, epsilon = Bump(3, TwoPoint(2.0)), 12, 0.25
    source = MeanOfWorkers(problem, seed=1, workers=3)
    result = run(source, problem.start, VARYING, T, epsilon=epsilon, record=EVERYTHING, average=EVERYTHING)
    history = result.history
    assert history["t"].tolist() == list(range(1, T + 1))
    assert set(history) == {"t", *EVERYTHING}

    x, m, v = [1.0] * 3, [0.0] * 3, [epsilon] * 3
    for t in range(1, T + 1):
        seen = {name: history[name][t - 1].tolist() for name in EVERYTHING}
        alpha, beta, theta = varying(t)
        assert seen["x"] == x
        assert seen["g"] == source(np.array(x), t).tolist()
        slope = [2 * u / (1 + u * u) ** 2 for u in x]
        assert seen["f"] == pytest.approx(math.fsum(u * u / (1 + u * u) for u in x), rel=1e-14)
        assert seen["gradient"] == pytest.approx(slope, rel=1e-14)
        assert seen["gradient_norm"] == pytest.approx(math.hypot(*slope), rel=1e-14)
        moment = [a * a + 4 / 3 for a in slope]
        vhat = [theta * b + (1 - theta) * delta for b, delta in zip(v, moment, strict=True)]
        assert seen["second_moment"] == pytest.approx(moment, rel=1e-14)
        assert seen["vhat"] == pytest.approx(vhat, rel=1e-14)
        assert seen["etahat"] == pytest.approx([alpha / math.sqrt(a) for a in vhat], rel=1e-14)
        v = [theta * b + (1 - theta) * (g * g) for b, g in zip(v, seen["g"], strict=True)]
        m = [beta * b + (1 - beta) * g for b, g in zip(m, seen["g"], strict=True)]
        new = [a - alpha * (b / math.sqrt(c)) for a, b, c in zip(x, m, v, strict=True)]
        assert (seen["m"], seen["v"]) == (m, v)
        assert seen["Delta"] == [b - a for a, b in zip(x, new, strict=True)]
        x = new
    assert (result.state.t, result.state.x.tolist()) == (T, x)
    for name in EVERYTHING:
        np.testing.assert_allclose(result.averages[name], history[name].mean(axis=0), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("names", [*([name] for name in EVERYTHING), ["gradient_norm", "etahat"]])
def test_what_else_is_recorded_makes_no_difference(names):
    """Alone or with everything, recorded or averaged: the same bits, and the same run."""
    problem = Digits(local_batch=2) if set(names) & {"f", "gradient", "gradient_norm"} else Bump(3, TwoPoint(2.0))
    source = MeanOfWorkers(problem, 1, 2)
    whole = run(source, problem.start, VARYING, 6, epsilon=0.1, record=EVERYTHING, average=EVERYTHING)
    alone = run(source, problem.start, VARYING, 6, epsilon=0.1, record=names)
    averaged = run(source, problem.start, VARYING, 6, epsilon=0.1, average=names)
    nothing = run(source, problem.start, VARYING, 6, epsilon=0.1)
    for name in names:
        assert alone.history[name].tobytes() == whole.history[name].tobytes()
        assert averaged.averages[name].tobytes() == whole.averages[name].tobytes()
    assert whole.state.x.tobytes() == alone.state.x.tobytes() == averaged.state.x.tobytes() == nothing.state.x.tobytes()
    assert (alone.averages, list(nothing.history)) == ({}, ["t"])


def test_vhat_uses_v_before_the_step():
    """Where g = 0 surely, v-hat_t = theta_t v_{t-1} = v_t."""
    source = MeanOfWorkers(Bump(1), 0)
    history = run(source, [0.0], families.constant(1, 0, 0.75), 3, epsilon=16.0, record=["vhat", "v"]).history
    assert history["vhat"].ravel().tolist() == history["v"].ravel().tolist() == [12, 9, 6.75]


def test_exact_gradients_have_no_noise_in_their_second_moment():
    """E_t g_t^2 of a source without noise is (grad f)^2, whatever noise the problem could add."""
    problem = Bump(2, Gaussian(4.0))
    result = run(ExactGradient(problem), problem.start, VARYING, 3, epsilon=1.0, record=["g", "second_moment", "vhat"])
    np.testing.assert_allclose(result.history["second_moment"], result.history["g"] ** 2, rtol=1e-15)


def test_reductions_every_and_averages():
    problem = Bump(3, Gaussian(1.0))
    source, x1 = MeanOfWorkers(problem, 2), np.ones((5, 3))
    whole = run(source, x1, VARYING, 10, epsilon=1.0, record=["x", "f"], average=["gradient_norm"])
    reductions = {"x": lambda x: x.mean(axis=0), "f": lambda f: np.quantile(f, [0.1, 0.9]), "v": None}
    result = run(source, x1, VARYING, 10, epsilon=1.0, record=reductions, every=3, average=["gradient_norm"])
    assert result.history["t"].tolist() == [1, 4, 7, 10]
    assert result.history["x"].tolist() == whole.history["x"][::3].mean(axis=1).tolist()
    assert result.history["f"].tolist() == np.quantile(whole.history["f"][::3], [0.1, 0.9], axis=1).T.tolist()
    assert result.history["v"].shape == (4, 5, 3)
    # the average is over every t, recorded or not
    assert result.averages["gradient_norm"].tobytes() == whole.averages["gradient_norm"].tobytes()
    assert result.averages["gradient_norm"].shape == (5,)


@pytest.mark.parametrize("every", [1, 2, 3, 7, 100])
def test_every_without_averages(every):
    source = MeanOfWorkers(Bump(3, Gaussian(1.0)), 2)
    whole = run(source, [1.0, 2.0, 3.0], VARYING, 10, epsilon=1.0, record=["x", "vhat"]).history
    thinned = run(source, [1.0, 2.0, 3.0], VARYING, 10, epsilon=1.0, record=["x", "vhat"], every=every).history
    assert thinned["t"].tolist() == [t for t in range(1, 11) if (t - 1) % every == 0]
    for name in ("x", "vhat"):
        assert thinned[name].tobytes() == whole[name][::every].tobytes()


def test_averages_of_float32_are_summed_in_float64():
    problem = Bump(2, Gaussian(1.0))
    x1 = np.ones(2, np.float32)
    result = run(MeanOfWorkers(problem, 2), x1, VARYING, 50, epsilon=1.0, record=["x"], average=["x"])
    assert result.history["x"].dtype == result.state.x.dtype == np.float32
    assert result.averages["x"].dtype == np.float64
    np.testing.assert_allclose(result.averages["x"], result.history["x"].mean(axis=0, dtype=np.float64), rtol=1e-15)


NAMES = pytest.mark.parametrize("name", BY_NAME)
RECORDED = ["x", "m", "v", "g", "f", "gradient", "gradient_norm", "Delta"]


def runs(problem, x1, family=VARYING, steps=4, workers=3, record=RECORDED):
    source = MeanOfWorkers(problem, 6, workers)
    return run(
        source, x1, family, steps, epsilon=0.01, record=record, projection=problem.project if problem.interval else None
    ).history


@NAMES
@pytest.mark.parametrize("B", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_replica_0_is_the_single_run(name, B, dtype):
    """And the first replicas of many are the few: for every problem and every quantity, to the bit."""
    problem = BY_NAME[name](B)
    start = problem.start.astype(dtype)
    single = runs(problem, start)
    few, more = (runs(problem, np.broadcast_to(start, (R, len(start)))) for R in (4, 7))
    for quantity in RECORDED:
        assert few[quantity][:, 0].tobytes() == single[quantity].tobytes(), quantity
        assert more[quantity][:, :4].tobytes() == few[quantity].tobytes(), quantity
    if name not in ("reddi-periodic", "tapered"):
        assert few["x"][-1, 0].tobytes() != few["x"][-1, 1].tobytes()


@pytest.mark.parametrize("name", ["bump", "quadratic", "counterexample", "reddi-stochastic"])
def test_replicas_beyond_one_block_of_256(name):
    problem = BY_NAME[name](20)
    single, few, many = (
        runs(problem, np.broadcast_to(problem.start, (*R, problem.dimension)), steps=2) for R in ((), (100,), (600,))
    )
    for quantity in RECORDED:
        assert many[quantity][:, 0].tobytes() == single[quantity].tobytes(), quantity
        assert many[quantity][:, :100].tobytes() == few[quantity].tobytes(), quantity
    assert len(np.unique(many["g"][0, :, 0])) > 10


@NAMES
def test_configurations_are_separate_runs(name):
    """alpha (C, 1), theta (C, 1), beta (R,) against x (C, R, d): the same draws for all, the bits of each alone."""
    problem = BY_NAME[name](2)
    alpha, theta = np.array([[0.01], [0.1], [0.3]]), np.array([[0.9], [0.99], [0.5]])
    x1 = np.broadcast_to(problem.start, (3, 2, problem.dimension))
    together = runs(problem, x1, families.bias_corrected_adam(alpha, np.array([0.9, 0.0]), theta))
    for c in range(3):
        family = families.bias_corrected_adam(alpha[c, 0], np.array([0.9, 0.0]), theta[c, 0])
        alone = runs(problem, x1[c], family)
        for quantity in RECORDED:
            assert together[quantity][:, c].tobytes() == alone[quantity].tobytes(), quantity
    single = runs(problem, problem.start, families.bias_corrected_adam(0.1, 0.9, 0.99))
    for quantity in RECORDED:
        assert together[quantity][:, 1, 0].tobytes() == single[quantity].tobytes(), quantity


def test_configurations_with_different_exponents_are_separate_runs():
    problem, s = Bump(2, Gaussian(1.0)), np.array([[0.5], [0.0], [0.25]])
    together = runs(problem, np.ones((3, 1, 2)), families.generic(0.1, s, 0.5, s), steps=60)
    for c in range(3):
        alone = runs(problem, np.ones((1, 2)), families.generic(0.1, s[c, 0], 0.5, s[c, 0]), steps=60)
        assert together["x"][:, c].tobytes() == alone["x"].tobytes()


@pytest.mark.parametrize("T", [1, 6, 7, 8, 14, 15])
@pytest.mark.parametrize("family", [families.bias_corrected_adam(0.1), families.generic(0.1, [[0.5], [0.3]], 0.5, 0.7)])
def test_how_many_steps_are_scheduled_together_makes_no_difference(monkeypatch, family, T):
    problem = Bump(2, Gaussian(1.0))
    whole = runs(problem, np.ones((2, 1, 2)), family, T)
    monkeypatch.setattr(LOOP, "_STEPS_AT_A_TIME", 7)
    assert runs(problem, np.ones((2, 1, 2)), family, T)["x"].tobytes() == whole["x"].tobytes()
    assert whole["t"].tolist() == list(range(1, T + 1))


def test_a_schedule_longer_than_one_chunk():
    """A sequence in which every step differs, past 4096: x_t = 1 - 2^-20 (1 + ... + (t-1))."""
    source = lambda x, t: np.full_like(x, 1.0)
    alpha = lambda t: np.asarray(t) * 2.0**-20
    half = lambda t: np.full(np.shape(t), 0.5)
    family = Family("growing", alpha, lambda t: 0 * half(t), half)
    result = run(source, [1.0], family, 9000, epsilon=1.0, record=["Delta"])
    assert result.history["Delta"].ravel().tolist() == pytest.approx([-t * 2.0**-20 for t in range(1, 9001)], rel=1e-6)
    assert result.state.t == 9000


@pytest.mark.parametrize("stop", [0, 1, 5])
def test_a_recorder_goes_through_a_checkpoint(stop):
    """`arrays` holds everything, `restore` takes it back: before the first step, and in the middle."""
    source, family = MeanOfWorkers(Bump(3, Gaussian(2.0)), 8), families.bias_corrected_adam(0.1)
    options = {"record": ["x", "f"], "every": 2, "average": ["gradient_norm", "f"]}
    whole, first, second = Recorder(**options), Recorder(**options), Recorder(**options)
    *_, last = iterate(source, initial_state(np.ones(3), 0.1), family, 8, recorder=whole)
    state = initial_state(np.ones(3), 0.1)
    states = iterate(source, state, family, 8, recorder=first)
    for _ in range(stop):
        state = next(states)
    kept = {name: array.copy() for name, array in first.arrays.items()}
    assert set(kept) == {"history.t", "history.x", "history.f", "summed"} | (
        {"sum.gradient_norm", "sum.f"} if stop else set()
    )
    second.restore(kept)
    *_, end = iterate(source, state, family, 8, recorder=second)
    assert end.x.tobytes() == last.x.tobytes()
    assert {k: v.tobytes() for k, v in second.arrays.items()} == {k: v.tobytes() for k, v in whole.arrays.items()}
    for name in options["average"]:
        assert second.averages[name].tobytes() == whole.averages[name].tobytes()


def test_every_step_is_recorded_unless_told():
    recorder = Recorder(["x"])
    assert len(list(iterate(lambda x, t: x, initial_state([1.0], 1.0), VARYING, 5, recorder=recorder))) == 5
    assert recorder.history["t"].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("stop", [1, 4, 9])
def test_a_resumed_run_is_the_unbroken_run(stop):
    problem, family = Bump(3, Gaussian(2.0)), families.bias_corrected_adam(0.1)
    source = MeanOfWorkers(problem, 8, workers=2)
    recorder = Recorder(["x", "f"], every=2, average=["gradient_norm"])
    *_, whole = iterate(source, initial_state(problem.start, 0.1), family, 10, recorder=recorder)

    first = Recorder(["x", "f"], every=2, average=["gradient_norm"])
    for state in iterate(source, initial_state(problem.start, 0.1), family, 10, recorder=first):
        if state.t == stop:
            break
    state = AdamState(state.t, *(array.copy() for array in state[1:]))
    again = Recorder(
        ["x", "f"], 2, ["gradient_norm"], steps=first.steps, entries=first.entries, sums=first.sums, summed=first.summed
    )
    *_, resumed = iterate(MeanOfWorkers(problem, 8, workers=2), state, family, 10, recorder=again)
    assert resumed.t == whole.t == 10
    assert [a.tobytes() for a in resumed[1:]] == [a.tobytes() for a in whole[1:]]
    assert {k: v.tobytes() for k, v in again.history.items()} == {k: v.tobytes() for k, v in recorder.history.items()}
    assert again.averages["gradient_norm"].tobytes() == recorder.averages["gradient_norm"].tobytes()


def test_nothing_is_left_to_do():
    state = initial_state([1.0], 1.0)._replace(t=5)
    assert list(iterate(lambda x, t: x, state, VARYING, 5)) == []
    result = run(lambda x, t: x, [1.0], VARYING, 0, epsilon=1.0, record=["x"], average=["x"])
    assert (result.state.t, result.history["t"].tolist(), result.averages) == (0, [], {})


def test_the_source_is_asked_at_x_t_with_t():
    asked = []

    def source(x, t):
        asked.append((t, x.tolist()))
        return x

    result = run(source, [1.0, 2.0], VARYING, 4, epsilon=1.0, record=["x"])
    assert asked == [(t, x.tolist()) for t, x in zip(range(1, 5), result.history["x"], strict=True)]


def test_projection():
    """x_{t+1} is projected, in place or into a new array, and Delta is what is left of the step."""
    problem = Counterexample(bound=1.0)
    back_and_forth = lambda x, t: np.array([1.0 if t // 20 % 2 else -1.0])
    family, record = families.constant(0.25, 0.5, 0.75), ["x", "Delta", "m", "v"]
    result = run(back_and_forth, [0.0], family, 80, epsilon=1.0, projection=problem.project, record=record)
    x, Delta, m, v = (result.history[name][:, 0] for name in record)
    assert (np.abs(x) <= 1).all() and {1.0, -1.0} <= set(x.tolist())
    assert Delta[:-1].tolist() == np.diff(x).tolist()
    assert x[1:].tolist() == np.clip(x - 0.25 * (m / np.sqrt(v)), -1, 1)[:-1].tolist()
    other = run(back_and_forth, [0.0], family, 80, epsilon=1.0, projection=lambda x: np.clip(x, -1, 1), record=record)
    assert other.history["x"].tobytes() == result.history["x"].tobytes()
    assert other.history["Delta"].tobytes() == result.history["Delta"].tobytes()
    assert run(back_and_forth, [0.0], family, 80, epsilon=1.0, record=record).history["x"].max() > 1


class Explodes(Bump):
    """Worker 2 sends an infinite number at step 4, coordinate 1."""

    def samples(self, x, t, sampler, workers, gradient=None):
        g = super().samples(x, t, sampler, workers, gradient)
        for row, i in enumerate(workers):
            if (t, i) == (4, 2):
                g[row, ..., 1] = np.inf
        return g


def test_a_gradient_that_is_not_finite_names_step_worker_and_coordinate():
    problem = Explodes(3, Gaussian(1.0))
    before = None
    states = iterate(MeanOfWorkers(problem, 0, workers=5), initial_state(problem.start, 1.0), VARYING, 10)
    with pytest.raises(NonFiniteError, match="step 4: the gradient of worker 2 has inf at coordinate 1") as caught:
        for state in states:
            before = state, [a.copy() for a in state[1:]]
    assert (caught.value.step, caught.value.worker, caught.value.coordinate) == (4, 2, 1)
    state, arrays = before
    assert state.t == 3
    assert [a.tobytes() for a in state[1:]] == [a.tobytes() for a in arrays]


def test_a_source_that_cannot_locate_names_the_mean():
    with pytest.raises(NonFiniteError, match=r"step 3: the mean gradient has nan at coordinate 1, which is not finite"):
        run(lambda x, t: np.array([1, np.nan if t == 3 else 1]), [0.0, 0.0], VARYING, 5, epsilon=1.0)


@pytest.mark.parametrize("method", METHODS)
def test_other_methods_go_through_the_same_loop(method):
    problem = Bump(3, Gaussian(0.1))
    method = METHODS[method]
    source = MeanOfWorkers(problem, 4, workers=2)
    family = families.constant(0.05, 0.5, 0.9)
    result = run(source, problem.start, family, 30, epsilon=0.1, method=method, record=["x", "m", "v"], average=["f"])
    state = method.initial_state(problem.start, 0.1)
    for t in range(1, 31):
        assert result.history["x"][t - 1].tolist() == state.x.tolist()
        state = method.step(state, source(state.x, t), *family.at(t, method.coefficients))
        assert result.history["m"][t - 1].tolist() == state.m.tolist()
        assert result.history["v"][t - 1].tolist() == state.v.tolist()
    assert result.state.x.tolist() == state.x.tolist()
    assert problem.value(state.x) < 0.8 * problem.value(problem.start)


def test_recorders_tell_what_they_cannot_do():
    with pytest.raises(
        ValueError,
        match=r"quantity must be one of x, m, v, g, f, .*squared_gradient_norm, De.*got 'y'",
    ):
        Recorder(["x", "y"])
    with pytest.raises(ValueError, match="got 'loss'"):
        Recorder(average=["loss"])
    for options in ({"record": "x"}, {"average": "x"}):
        with pytest.raises(TypeError, match="record and average must be lists of names"):
            Recorder(**options)
    for every in (0, -1):
        with pytest.raises(ValueError, match=f"every must be at least 1; got {every}"):
            Recorder(["x"], every=every)
    for every in (2.5, math.nan, True):
        with pytest.raises(TypeError, match=f"every must be an integer; got {every}"):
            Recorder(["x"], every=every)


@pytest.mark.parametrize("name", ["f", "gradient", "gradient_norm", "second_moment", "vhat", "etahat"])
def test_a_source_that_names_no_problem(name):
    for options in ({"record": [name]}, {"average": [name]}):
        with pytest.raises(ValueError, match=f"cannot record {name}: the source names no problem"):
            run(lambda x, t: x, [1.0], VARYING, 2, epsilon=1.0, **options)


def test_a_source_that_names_no_problem_can_still_be_recorded():
    names = ["x", "m", "v", "g", "Delta"]
    history = run(lambda x, t: x, [1.0], VARYING, 2, epsilon=1.0, record=names, average=names).history
    assert set(history) == {"t", *names}


def test_a_variance_that_is_not_known():
    with pytest.raises(ValueError, match="reddi-periodic: the conditional variance of a sample is not known exactly"):
        run(MeanOfWorkers(ReddiPeriodic(), 0), [1.0], VARYING, 2, epsilon=1.0, record=["second_moment"])


@pytest.mark.parametrize("steps", [10.0, "10", True, None])
def test_steps_are_counted_in_integers(steps):
    with pytest.raises(TypeError, match=r"steps must be an integer; got"):
        list(iterate(lambda x, t: x, initial_state([1.0], 1.0), VARYING, steps))


def test_steps_already_taken():
    with pytest.raises(ValueError, match="steps must be at least 4, which the state has already taken; got 3"):
        list(iterate(lambda x, t: x, initial_state([1.0], 1.0)._replace(t=4), VARYING, 3))


def test_a_schedule_out_of_range_names_t():
    bad = Family("", VARYING.alpha, VARYING.beta, lambda t: np.where(np.asarray(t) == 5, 1.0, 0.5))
    with pytest.raises(ValueError, match=r"theta_t must satisfy 0 < theta_t < 1 \(R2, p\. 7\); got 1 at t = 5"):
        run(lambda x, t: x, [1.0], bad, 8, epsilon=1.0)


def test_a_state_yielded_is_the_one_being_updated():
    """The arrays change with the next step, as documented: copy what is to be kept."""
    states = iterate(lambda x, t: x, initial_state([1.0], 1.0), VARYING, 3)
    first, second = itertools.islice(states, 2)
    assert (first.t, second.t) == (1, 2)
    assert first.x is second.x


COUNT_FAULTS = """
from resource import RUSAGE_SELF, getrusage
import numpy as np
from reference import MeanOfWorkers, families, initial_state, iterate, problems

bump = problems.Bump(1000, problems.Gaussian(1.0))
state = initial_state(np.tile(bump.start, (64, 1)), 1.0)
faults = [getrusage(RUSAGE_SELF).ru_minflt for _ in iterate(MeanOfWorkers(bump, 0), state, families.rmsprop(1.0), 60)]
print(faults[-1] - faults[19])
"""


def test_a_step_finds_the_memory_of_the_one_before():
    """Page faults in 40 steps, which make arrays of 125 pages: 218 a step where the system has been given them back."""
    counted = subprocess.run([sys.executable, "-c", COUNT_FAULTS], capture_output=True, text=True, check=True)
    assert int(counted.stdout) < 40


@pytest.mark.parametrize(("workers", "at_least"), [(1, 0.925), (4, 0.94)])
def test_the_main_job_learns_to_read(workers, at_least):
    """Corollary 13's family with T = 1000, alpha = 3, theta = 1, beta = .9 on the digits, B = 8, v_0 = 1/(s d)."""
    problem = Digits()
    family = families.practical(1000, alpha=3, beta=0.9, theta=1)
    source = MeanOfWorkers(problem, seed=0, workers=workers)
    state = run(source, problem.start, family, 1000, epsilon=1 / (650 * workers)).state
    assert problem.accuracy(state.x) >= at_least
    assert problem.value(state.x) < 0.5 < problem.value(problem.start)


# --- at the door -----------------------------------------------------------------------------------------------------

BUMP = Bump(3, Gaussian(1.0))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((VARYING, BUMP.start, MeanOfWorkers(BUMP, 0), 5), {}, TypeError, "source must be a Source, such as MeanOf"),
        ((BUMP, BUMP.start, VARYING, 5), {}, TypeError, "source must be a Source"),
        ((lambda x, t: x, BUMP.start, VARYING.alpha, 5), {}, TypeError, "family must be a Family, such as"),
        ((MeanOfWorkers(BUMP, 0), [1.0], VARYING, 5), {}, ValueError, r"dimension of the problem bump, d = 3; got"),
        ((MeanOfWorkers(BUMP, 0), np.ones((3, 2)), VARYING, 5), {}, ValueError, r"d = 3; got shape \(3, 2\)"),
        (
            (MeanOfWorkers(BUMP, 0), BUMP.start, families.practical(10, 1, 0.5, 1), 11), {},
            ValueError, "the family 'practical .*' was made for T = 10 steps; it must not be run for 11",
        ),
        (
            (MeanOfWorkers(BUMP, 0), BUMP.start, families.step_sizes(0.1), 5), {},
            ValueError, "the method adam reads beta_t; the family 'step sizes' has none",
        ),
        ((MeanOfWorkers(BUMP, 0), BUMP.start, VARYING, 5), {"method": "sgd"}, TypeError, "method must be a Method"),
        ((MeanOfWorkers(BUMP, 0), BUMP.start, VARYING, 5), {"every": 2.5}, TypeError, "every must be an integer"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_before_the_first_step(arguments, options, error, message):
    with pytest.raises(error, match=message):
        run(*arguments, epsilon=1.0, **options)


def test_the_loop_refuses_before_it_is_advanced():
    with pytest.raises(ValueError, match="the state has already taken"):
        iterate(lambda x, t: x, initial_state([1.0], 1.0)._replace(t=4), VARYING, 3)
    with pytest.raises(ValueError, match=r"v must be finite and >= 0 .*; got -1\.0 at coordinate 0"):
        iterate(lambda x, t: x, initial_state([1.0], 1.0)._replace(v=np.array([-1.0])), VARYING, 3)


def test_a_family_may_be_run_up_to_its_horizon():
    assert run(MeanOfWorkers(BUMP, 0), BUMP.start, families.practical(10, 1, 0.5, 1), 10, epsilon=1.0).state.t == 10


def test_the_squared_norm_is_that_of_the_gradient():
    kept = run(
        MeanOfWorkers(BUMP, 0), np.ones((4, 3)), VARYING, 9, epsilon=1.0,
        record=["gradient", "gradient_norm", "squared_gradient_norm"], average=["squared_gradient_norm"],
    )  # fmt: skip
    squares = kept.history["squared_gradient_norm"]
    np.testing.assert_allclose(squares, (kept.history["gradient"] ** 2).sum(-1), rtol=1e-15)
    np.testing.assert_array_equal(np.sqrt(squares), kept.history["gradient_norm"])
    np.testing.assert_allclose(kept.averages["squared_gradient_norm"], squares.mean(axis=0), rtol=1e-14)


def test_a_method_without_theta_has_no_vhat():
    for name, coefficient in (("vhat", "theta"), ("etahat", "theta")):
        with pytest.raises(ValueError, match=f"cannot record {name}: the method sgd reads no {coefficient}_t"):
            run(
                MeanOfWorkers(BUMP, 0), BUMP.start, families.step_sizes(0.1), 3, epsilon=1.0, method=METHODS["sgd"],
                record=[name],
            )  # fmt: skip


@pytest.mark.parametrize("name", ["x", "m", "v"])
def test_a_source_that_gives_the_state_itself(name):
    """g_t is what it was when it was given: for the step, and on record."""
    state = initial_state(np.array([1.0, 0.5, 2.0]), 1.0)
    arrays = {"x": state.x, "m": state.m, "v": state.v}
    recorder = Recorder(["g", name])
    pure = initial_state(state.x.copy(), 1.0)
    for t, after in enumerate(iterate(lambda x, t: arrays[name], state, VARYING, 6, recorder=recorder), 1):
        pure = adam.adam_step(pure, getattr(pure, name).copy(), *VARYING.at(t))
        assert [a.tobytes() for a in after[1:]] == [a.tobytes() for a in pure[1:]]
    if name == "x":
        assert recorder.history["g"].tolist() == recorder.history["x"].tolist()


def test_a_schedule_cannot_spoil_the_others():
    def spoils(t):
        t[...] = 7
        return 0.1 + 0 * t

    with pytest.raises(ValueError, match="read-only"):
        run(lambda x, t: x, [1.0], Family("", spoils, VARYING.beta, VARYING.theta), 3, epsilon=1.0)


# --- frames ----------------------------------------------------------------------------------------------------------


def test_one_run_as_a_frame():
    kept = run(
        MeanOfWorkers(BUMP, 0), BUMP.start, VARYING, 9, epsilon=1.0,
        record={"f": None, "x": None, "m": np.max}, every=4,
    )  # fmt: skip
    frame = kept.frame()
    assert (frame.index.name, frame.index.tolist()) == ("t", [1, 5, 9])
    assert frame.columns.tolist() == ["f", "x[0]", "x[1]", "x[2]", "m"]
    assert frame["f"].tolist() == kept.history["f"].tolist()
    assert frame["x[1]"].tolist() == kept.history["x"][:, 1].tolist()
    assert frame["m"].tolist() == kept.history["m"].tolist()


def test_replicas_as_a_frame():
    kept = run(
        MeanOfWorkers(BUMP, 0), np.ones((2, 4, 3)), VARYING, 3, epsilon=1.0,
        record={"f": None, "g": None, "v": np.mean},
    )  # fmt: skip
    frame = kept.frame()
    assert frame.index.names == ["t", "axis 0", "replica"]
    assert len(frame) == 3 * 2 * 4
    for t, c, r in ((1, 0, 0), (2, 1, 3), (3, 0, 2)):
        row = frame.loc[t, c, r]
        assert (row["f"], row["g[2]"]) == (kept.history["f"][t - 1, c, r], kept.history["g"][t - 1, c, r, 2])
        assert row["v"] == kept.history["v"][t - 1]


def test_what_has_no_place_in_a_frame():
    kept = run(
        MeanOfWorkers(BUMP, 0), np.ones((4, 3)), VARYING, 3, epsilon=1.0,
        record={"f": lambda f: np.quantile(f, [0.1, 0.5])},
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"f must have one number or one row a replica, .*4.*; got \(2,\)"):
        kept.frame()


def test_a_frame_without_pandas(monkeypatch):
    kept = run(MeanOfWorkers(BUMP, 0), BUMP.start, VARYING, 3, epsilon=1.0, record=["f"])
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"Run\.frame needs pandas, which is not installed here: pip install pandas"):
        kept.frame()


def test_pandas_is_imported_only_when_called():
    counted = subprocess.run(
        [sys.executable, "-c", "import sys, reference; print('pandas' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert counted.stdout.strip() == "False"
