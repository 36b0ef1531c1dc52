"""Adam through scipy.optimize.minimize: what is counted, when it stops, what it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, minimize, rosen, rosen_der

from reference import adam_step, families, initial_state
from reference.minimize import adam


class Counted:
    """|x - (1, -2)|^2/2 scaled by (1, 3), counting its calls."""

    minimum = np.array([1.0, -2.0])
    scale = np.array([1.0, 3.0])

    def __init__(self):
        self.values, self.gradients, self.points = 0, 0, []

    def f(self, x, shift=0.0):
        self.values += 1
        self.points.append(x.copy())
        return float((self.scale * (x - self.minimum - shift) ** 2).sum() / 2)

    def gradient(self, x, shift=0.0):
        self.gradients += 1
        return self.scale * (x - self.minimum - shift)

    def both(self, x, shift=0.0):
        return self.f(x, shift), self.gradient(x, shift)


OPTIONS = {"alpha": 0.05, "gtol": 1e-6}


@pytest.mark.parametrize("together", [True, False])
def test_it_finds_the_minimum_and_counts_right(together):
    counted = Counted()
    fun, jac = (counted.both, True) if together else (counted.f, counted.gradient)
    result = minimize(fun, [4.0, 4.0], jac=jac, method=adam, options=OPTIONS)
    assert result.success and result.status == 0
    assert result.message == "every entry of the gradient is at most gtol in absolute value"
    np.testing.assert_allclose(result.x, counted.minimum, atol=1e-6)
    assert result.nfev == counted.values == result.nit + 1
    assert result.njev == counted.gradients == result.nit + 1
    assert result.fun == Counted().f(result.x)
    assert result.jac.tolist() == Counted().gradient(result.x).tolist()
    assert np.abs(result.jac).max() <= 1e-6
    assert len({tuple(point) for point in counted.points}) == len(counted.points)
    assert np.array_equal(counted.points[0], [4.0, 4.0]) and np.array_equal(counted.points[-1], result.x)
    before = Counted().gradient(counted.points[-2])
    assert np.abs(before).max() > 1e-6  # it stops at the first point that will do


def test_every_iterate_is_adam_s():
    """Remark 1's family from x_0 with v_0 = epsilon: to the bit."""
    counted = Counted()
    options = {"alpha": 0.3, "beta": 0.5, "theta": 0.8, "epsilon": 1e-3, "maxiter": 25, "gtol": 0}
    minimize(counted.both, [4.0, 4.0], jac=True, method=adam, options=options)
    state, family = initial_state([4.0, 4.0], 1e-3), families.bias_corrected_adam(0.3, 0.5, 0.8)
    for t, point in enumerate(counted.points, start=1):
        assert point.tolist() == state.x.tolist()
        state = adam_step(state, Counted().gradient(state.x), *family.at(t))
    assert t == 26


def test_the_defaults():
    """alpha = .01, beta = .9, theta = .999, v_0 = 1e-16, 10,000 steps, gtol = 1e-5."""
    written_out = {"alpha": 0.01, "beta": 0.9, "theta": 0.999, "epsilon": 1e-16, "maxiter": 10_000, "gtol": 1e-5}
    results = [minimize(Counted().both, [2.0, 1.0], jac=True, method=adam, options=o) for o in ({}, written_out)]
    assert results[0].x.tolist() == results[1].x.tolist()
    tiny = lambda x: (1e-8 * x[0], np.full(1, 1e-8))  # a gradient to which v_0 matters
    short = [{"maxiter": 3, "gtol": 0} | options for options in ({}, {"epsilon": 1e-16}, {"epsilon": 2e-16})]
    default, same, other = (minimize(tiny, [1.0], jac=True, method=adam, options=options).x[0] for options in short)
    assert default == same != other
    assert (results[0].nit, results[0].success) == (results[1].nit, True)
    flat = minimize(lambda x: (x[0], np.ones(1)), [0.0], jac=True, method=adam)
    assert (flat.nit, flat.status) == (10_000, 1)


def test_any_family():
    family = families.generic(0.5, 0.5, 0.5, 0.5, beta=0.3)
    counted = Counted()
    result = minimize(
        counted.both, [4.0, 4.0], jac=True, method=adam, options={"family": family, "maxiter": 3, "epsilon": 1.0}
    )
    state = initial_state([4.0, 4.0], 1.0)
    for t in (1, 2, 3):
        state = adam_step(state, Counted().gradient(state.x), *family.at(t))
    assert result.x.tolist() == state.x.tolist()


def test_rosenbrock():
    result = minimize(
        rosen, [-1.0, 1.5], jac=rosen_der, method=adam, options={"alpha": 0.1, "maxiter": 20_000, "gtol": 1e-4}
    )
    assert result.success
    np.testing.assert_allclose(result.x, 1, atol=1e-3)


def test_args_reach_the_function():
    shifted = minimize(Counted().both, [4.0, 4.0], args=(0.5,), jac=True, method=adam, options=OPTIONS)
    np.testing.assert_allclose(shifted.x, Counted.minimum + 0.5, atol=1e-6)
    counted = Counted()
    apart = minimize(counted.f, [4.0, 4.0], args=(0.5,), jac=counted.gradient, method=adam, options=OPTIONS)
    assert apart.x.tolist() == shifted.x.tolist()


@pytest.mark.parametrize("maxiter", [0, 1, 7])
def test_maxiter(maxiter):
    counted = Counted()
    result = minimize(counted.both, [4.0, 4.0], jac=True, method=adam, options={"maxiter": maxiter})
    assert (result.nit, result.nfev, result.njev, counted.values) == (maxiter, maxiter + 1, maxiter + 1, maxiter + 1)
    assert not result.success
    assert (result.status, result.message) == (
        1,
        "maxiter steps were taken and some entry of the gradient exceeds gtol",
    )
    assert result.fun == Counted().f(result.x)
    if maxiter == 0:
        assert result.x.tolist() == [4, 4]


def test_the_last_step_allowed_may_converge():
    full = minimize(Counted().both, [4.0, 4.0], jac=True, method=adam, options=OPTIONS)
    enough = minimize(Counted().both, [4.0, 4.0], jac=True, method=adam, options=OPTIONS | {"maxiter": full.nit})
    short = minimize(Counted().both, [4.0, 4.0], jac=True, method=adam, options=OPTIONS | {"maxiter": full.nit - 1})
    assert (enough.status, enough.nit, short.status) == (0, full.nit, 1)


def test_a_start_that_will_do():
    result = minimize(Counted().both, Counted.minimum, jac=True, method=adam, options={"maxiter": 0})
    assert (result.status, result.nit, result.nfev, result.success) == (0, 0, 1, True)


@pytest.mark.parametrize("start", [[-4.0, -4.0], [-4.0, -2.0], [1.0, 4.0], [4.0, 4.0]])
def test_every_entry_counts_whatever_its_sign(start):
    """The gradient at the start is negative, has a zero, or is positive."""
    result = minimize(Counted().both, start, jac=True, method=adam, options=OPTIONS)
    np.testing.assert_allclose(result.x, Counted.minimum, atol=1e-6)


def test_tol_is_gtol_and_it_may_be_met_with_equality():
    linear = lambda x: (x[0] - x[1], np.array([1.0, -1.0]))
    at_once = minimize(linear, [0.0, 0.0], jac=True, method=adam, tol=1.0)
    assert (at_once.status, at_once.nit) == (0, 0)
    bent = lambda x: (x[0], np.full(2, 2.0 if x[0] >= 0 else 1.0))
    after_one = minimize(bent, [0.0, 0.0], jac=True, method=adam, tol=1.0)
    assert (after_one.status, after_one.nit) == (0, 1)
    assert minimize(linear, [0.0, 0.0], jac=True, method=adam, tol=0.999, options={"maxiter": 2}).status == 1
    assert minimize(linear, [0.0, 0.0], jac=True, method=adam, tol=1.0, options={"gtol": 1e-9}).status == 0


@pytest.mark.parametrize("bounds", [[(2.0, None), (None, 0.0)], Bounds([2.0, -np.inf], [np.inf, 0.0])])
def test_bounds(bounds):
    """Every point asked for is inside, the first one too; the minimum is at (2, -2)."""
    counted = Counted()
    result = minimize(
        counted.both, [0.0, 4.0], jac=True, method=adam, bounds=bounds, options={"alpha": 0.05, "maxiter": 1500}
    )
    points = np.array(counted.points)
    assert points[0].tolist() == [2, 0]
    assert (points[:, 0] >= 2).all() and (points[:, 1] <= 0).all()
    np.testing.assert_allclose(result.x, [2, -2], atol=1e-3)


def test_bounds_on_both_sides():
    result = minimize(
        Counted().both, [0.0, 0.0], jac=True, method=adam, bounds=[(-1, 0.5), (-1, 1)], options={"maxiter": 300}
    )
    assert result.x.tolist() == [0.5, -1]


def test_a_coordinate_that_is_fixed():
    result = minimize(
        Counted().both, [4.0, 4.0], jac=True, method=adam, bounds=[(3, 3), (None, None)], options={"maxiter": 20}
    )
    assert result.x[0] == 3 and result.x[1] < 4


def test_the_callback_sees_every_iterate_and_may_stop():
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)
        if len(seen) == 5:
            raise StopIteration

    counted = Counted()
    result = minimize(counted.both, [4.0, 4.0], jac=True, method=adam, callback=callback)
    assert (result.status, result.success, result.nit, result.nfev) == (2, False, 5, 6)
    assert result.message == "the callback raised StopIteration"
    assert [step.nit for step in seen] == [1, 2, 3, 4, 5]
    assert [step.x.tolist() for step in seen] == [point.tolist() for point in counted.points[1:]]
    for step in seen:
        assert step.fun == Counted().f(step.x)
        assert step.jac.tolist() == Counted().gradient(step.x).tolist()
    assert result.x.tolist() == seen[-1].x.tolist()


def test_stopping_by_callback_or_by_maxiter_is_the_same_run():
    def callback(x):
        callback.left -= 1
        if not callback.left:
            raise StopIteration

    callback.left = 9
    stopped = minimize(Counted().both, [4.0, 4.0], jac=True, method=adam, callback=callback)
    ended = minimize(Counted().both, [4.0, 4.0], jac=True, method=adam, options={"maxiter": 9})
    assert stopped.x.tolist() == ended.x.tolist()
    assert (stopped.nit, stopped.nfev) == (ended.nit, ended.nfev) == (9, 10)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("first", [0, 3])
def test_a_gradient_that_is_not_finite(bad, first):
    calls = 0

    def fun(x):
        nonlocal calls
        calls += 1
        return 1.0, np.array([1.0, bad if calls > first else 1.0])

    result = minimize(fun, [4.0, 4.0], jac=True, method=adam)
    assert (result.status, result.success, result.nit, result.nfev) == (3, False, first, first + 1)
    assert result.nfev == calls
    assert result.message == "the gradient is not finite"
    assert np.isfinite(result.x).all()


def test_the_function_may_keep_and_spoil_what_it_is_given():
    """SciPy's own methods hand out copies; a list of visited points must not be one array many times."""
    kept = []

    def fun(x):
        kept.append(x)
        return Counted().both(x)

    result = minimize(fun, [4.0, 4.0], jac=True, method=adam, options={"maxiter": 5})
    assert len({tuple(x) for x in kept}) == 6

    def spoils(x):
        values = Counted().both(x)
        x[:] = np.nan
        return values

    assert minimize(spoils, [4.0, 4.0], jac=True, method=adam, options={"maxiter": 5}).x.tolist() == result.x.tolist()

    def gradient_spoils(x):
        return spoils(x)[1]

    apart = minimize(Counted().f, [4.0, 4.0], jac=gradient_spoils, method=adam, options={"maxiter": 5})
    assert apart.x.tolist() == result.x.tolist()

    def callback_spoils(intermediate_result):
        intermediate_result.x[:] = intermediate_result.jac[:] = np.nan

    called = minimize(
        Counted().both, [4.0, 4.0], jac=True, method=adam, callback=callback_spoils, options={"maxiter": 5}
    )
    assert called.x.tolist() == result.x.tolist()


def test_a_gradient_that_is_one_array_written_again_and_again():
    buffer, counted = np.empty(2), Counted()

    def gradient(x):
        buffer[:] = counted.gradient(x)
        return buffer

    result = minimize(counted.f, [4.0, 4.0], jac=gradient, method=adam, options={"maxiter": 5})
    buffer[:] = 99
    assert result.jac.tolist() == Counted().gradient(result.x).tolist()


def test_the_start_is_not_touched():
    x0 = np.array([4.0, 4.0])
    minimize(Counted().both, x0, jac=True, method=adam, options={"maxiter": 5})
    minimize(Counted().both, x0, jac=True, method=adam, bounds=[(0, 1), (0, 1)], options={"maxiter": 5})
    assert x0.tolist() == [4, 4]
    assert minimize(Counted().both, [4, 4], jac=True, method=adam, options={"maxiter": 5}).x.dtype == np.float64


def hessian(x):
    return np.eye(2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jac": None}, "needs the gradient: give jac=True"),
        ({"constraints": LinearConstraint(np.eye(2), 0, 1)}, "takes bounds, by projection, but no constraints"),
        ({"constraints": {"type": "eq", "fun": lambda x: x[0]}}, "no constraints"),
        ({"hess": hessian}, "does not use a Hessian"),
        ({"hessp": lambda x, p: p}, "does not use a Hessian"),
        ({"bounds": [(1, 0), (0, 1)]}, "a lower bound exceeds its upper bound|upper bound is less than"),
    ],
)
def test_refusals(options, message):
    given = {"jac": Counted().gradient} | options
    with pytest.raises(ValueError, match=message):
        minimize(Counted().f, [4.0, 4.0], method=adam, **given)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"maxiter": 2.5}, TypeError, r"must be an integer; got 2\.5"),
        ({"maxiter": -1}, ValueError, "-1"),
        ({"alpha": 0}, ValueError, "the step size must satisfy alpha_t > 0 and be finite"),
        ({"beta": 1}, ValueError, "beta must satisfy 0 <= beta"),
        ({"theta": 1}, ValueError, "theta must satisfy 0 < theta"),
        ({"epsilon": 0}, ValueError, "epsilon must be positive"),
        ({"learning_rate": 1}, TypeError, "learning_rate"),
    ],
)
def test_options_out_of_range(options, error, message):
    with pytest.raises(error, match=message):
        minimize(Counted().both, [4.0, 4.0], jac=True, method=adam, options=options)


# --- by SciPy's conventions ------------------------------------------------------------------------------------------


def bowl(x):
    """Minimum at (3, -1)."""
    return float((x[0] - 3) ** 2 + 2 * (x[1] + 1) ** 2), np.array([2 * (x[0] - 3), 4 * (x[1] + 1)])


@pytest.mark.parametrize("bounds", [[(0, 2)], Bounds(0, 2), Bounds([0], [2]), [(0, 2), (0, 2)], Bounds([0, 0], [2, 2])])
def test_one_pair_of_bounds_holds_for_every_coordinate_and_an_active_bound_converges(bounds):
    """Both coordinates end at a bound, their gradients pushing outward; as L-BFGS-B takes the same bounds."""
    result = minimize(bowl, [1.0, 1.0], jac=True, method=adam, bounds=bounds, options={"alpha": 0.1})
    theirs = minimize(bowl, [1.0, 1.0], jac=True, method="L-BFGS-B", bounds=bounds)
    assert (result.success, result.status, result.x.tolist()) == (True, 0, [2.0, 0.0])
    assert result.x.tolist() == theirs.x.tolist()
    assert result.jac.tolist() == [-2.0, 4.0]
    assert result.nit < 100


def test_a_gradient_that_points_inward_at_a_bound_still_counts():
    result = minimize(bowl, [0.0, 0.0], jac=True, method=adam, bounds=[(0, 5), (0, 5)], options={"maxiter": 3})
    assert (result.success, result.nit) == (False, 3)  # x_1 starts at its bound and has to leave it
    outside = minimize(bowl, [4.0, 4.0], jac=True, method=adam, bounds=[(4, 5), (4, 5)])
    assert (outside.success, outside.nit) == (True, 0)


@pytest.mark.parametrize("bounds", [[(0, 2)] * 3, Bounds([0, 0, 0], [2, 2, 2]), []])
def test_bounds_of_another_length(bounds):
    with pytest.raises(
        ValueError, match=r"bounds must be one pair, or one for each of the 2 coordinates of x0; got [03]$"
    ):
        minimize(bowl, [1.0, 1.0], jac=True, method=adam, bounds=bounds)


def test_callbacks_by_scipy_s_convention():
    """As BFGS calls the same two: with x_k, or with an OptimizeResult under the name intermediate_result."""
    seen, results = [], []

    def plain(xk):
        seen.append(xk)

    def named(*, intermediate_result):
        results.append(intermediate_result)

    for method in (adam, "BFGS"):
        seen.clear(), results.clear()
        options = {"maxiter": 3}
        found = minimize(bowl, [1.0, 1.0], jac=True, method=method, callback=plain, options=options)
        minimize(bowl, [1.0, 1.0], jac=True, method=method, callback=named, options=options)
        assert all(type(xk) is np.ndarray for xk in seen)
        assert len(seen) == len(results) == found.nit
        assert seen[-1].tolist() == found.x.tolist() == results[-1].x.tolist()
        assert results[-1].fun == found.fun
    assert len({xk.tobytes() for xk in seen}) == len(seen)


def test_unknown_options_are_named_with_those_there_are():
    with pytest.raises(
        TypeError,
        match=r"options of method adam are gtol, maxiter, alpha, beta, theta, epsilon, family, tol; got 'lr', 'maxfev'",
    ):
        minimize(bowl, [1.0, 1.0], jac=True, method=adam, options={"lr": 1, "alpha": 0.1, "maxfev": 3})
    with pytest.raises(ValueError, match=r"gtol must be at least 0; got -1"):
        minimize(bowl, [1.0, 1.0], jac=True, method=adam, options={"gtol": -1})
