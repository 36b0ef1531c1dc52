"""The methods the paper compares with: hand-made numbers, closed forms, and identities with Adam."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from reference.adam import AdamState, NonFiniteError, adam_step, initial_state
from reference.methods import ADAGRAD, AMSGRAD, METHODS, RMSPROP, SGD, SGD_MOMENTUM, AMSGradState, Method
from reference.methods.amsgrad import amsgrad_initial_state

EVERY_METHOD = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def read_by(method, alpha=0.1, beta=0.5, theta=0.75):
    given = {"alpha": alpha, "beta": beta, "theta": theta}
    return [given[name] for name in method.coefficients]


def gradients(steps, d, seed=0):
    """Many scales, both signs, zeros now and then."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((steps, d)) * 10.0 ** rng.uniform(-6, 3, (steps, d)) * (rng.random((steps, d)) > 0.2)


def test_sgd():
    """x_{T+1} = x_1 - sum alpha_t g_t; powers of two, so exact. m and v stay as they are."""
    state = initial_state([4.0, -1.0], 0.3)
    for alpha, g in ((0.5, [1, 2]), (0.25, [-8, 0]), (2, [0.5, -3])):
        state = SGD.step(state, np.array(g, float), alpha)
    assert state.x.tolist() == [4 - 0.5 + 2 - 1, -1 - 1 - 0 + 6]
    assert (state.t, state.m.tolist(), state.v.tolist()) == (3, [0, 0], [0.3, 0.3])


def test_sgd_momentum_by_hand():
    """m = 2, then 1/2*2 + 6 = 7, then 1/4*7 - 4 = -9/4: the new gradient enters whole."""
    state = initial_state([10.0], 0.3)
    for alpha, beta, g, m, x in ((1, 0.75, 2, 2, 8), (0.5, 0.5, 6, 7, 4.5), (4, 0.25, -4, -2.25, 13.5)):
        state = SGD_MOMENTUM.step(state, [g], alpha, beta)
        assert (state.m.tolist(), state.x.tolist(), state.v.tolist()) == ([m], [x], [0.3])
    assert state.t == 3


def test_sgd_momentum_in_closed_form():
    """A constant gradient: x_{T+1} = x_1 - alpha g/(1-beta) (T - beta (1-beta^T)/(1-beta))."""
    alpha, beta, g, T = 0.01, 0.9, np.array([1.5, -2.0]), 200
    state = initial_state([1.0, 1.0], 1.0)
    for _ in range(T):
        state = SGD_MOMENTUM.step(state, g, alpha, beta)
    exact = 1 - alpha * g / (1 - beta) * (T - beta * (1 - beta**T) / (1 - beta))
    np.testing.assert_allclose(state.x, exact, rtol=1e-12)


def test_sgd_momentum_without_momentum_is_sgd():
    a, b = initial_state(np.ones(5), 1.0), initial_state(np.ones(5), 1.0)
    for g in gradients(20, 5):
        a, b = SGD.step(a, g, 0.1), SGD_MOMENTUM.step(b, g, 0.1, 0.0)
    assert a.x.tolist() == b.x.tolist()


def test_adagrad_on_pythagorean_triples():
    """9 + 4^2 = 5^2, + 12^2 = 13^2, + 84^2 = 85^2; the step divides by the root after the new square is in."""
    state, x = initial_state([2.0], 9.0), Fraction(2)
    for g, root, alpha in ((4, 5, 0.5), (-12, 13, 0.25), (84, 85, 2)):
        state = ADAGRAD.step(state, [g], alpha)
        x -= Fraction(alpha) * g / root
        assert state.v.tolist() == [root**2]
        assert state.x[0] == pytest.approx(float(x), rel=4e-16)
    assert (state.t, state.m.tolist()) == (3, [0])


def test_adagrad_is_rmsprop_with_averages():
    """theta_t = 1 - 1/(t+1), alpha_t = eta/sqrt(t+1) (Remark 11, p. 11): v_t is then (v_0 + sum g^2)/(t+1)."""
    a, b = initial_state(np.ones(5), 0.5), initial_state(np.ones(5), 0.5)
    for t, g in enumerate(gradients(50, 5), start=1):
        a, b = ADAGRAD.step(a, g, 0.1), RMSPROP.step(b, g, 0.1 / math.sqrt(t + 1), 1 - 1 / (t + 1))
        np.testing.assert_allclose(a.x, b.x, rtol=1e-12)
        np.testing.assert_allclose(a.v, b.v * (t + 1), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rmsprop_is_generic_adam_with_beta_0(dtype):
    """Remark 11 (p. 11), to the bit."""
    a, b = (initial_state(np.ones(8, dtype), 1e-3) for _ in range(2))
    for t, g in enumerate(gradients(60, 8), start=1):
        a = RMSPROP.step(a, g, 0.3 / t, 1 - 0.4 / t)
        b = adam_step(b, g, 0.3 / t, 0.0, 1 - 0.4 / t)
        assert (a.x.tobytes(), a.v.tobytes()) == (b.x.tobytes(), b.v.tobytes())
    assert a.m.tolist() == [0] * 8


def test_amsgrad_by_hand():
    """v rises to 4, falls to 1 (the maximum stays 4), rises to 16: m/sqrt(max) at every step. theta = 1/4."""
    state = amsgrad_initial_state([1.0], 1.0)
    assert state.v_max.tolist() == state.v.tolist() == [1]
    g = math.sqrt(5)  # 1/4 + 3/4 5 = 4
    for g, beta, m, v, v_max, x in (
        (math.sqrt(5), 0.5, math.sqrt(5) / 2, 4, 4, 1 - 0.5 * math.sqrt(5) / 4),
        (0.0, 0.25, math.sqrt(5) / 8, 1, 4, 1 - 0.5 * math.sqrt(5) * (1 / 4 + 1 / 16)),
        (math.sqrt(21), 0.0, math.sqrt(21), 16, 16, 1 - 0.5 * (math.sqrt(5) * 5 / 16 + math.sqrt(21) / 4)),
    ):
        state = AMSGRAD.step(state, [g], 0.5, beta, 0.25)
        for value, expected in ((state.m, m), (state.v, v), (state.v_max, v_max), (state.x, x)):
            assert value[0] == pytest.approx(expected, rel=1e-15)
    assert state.t == 3
    assert isinstance(state, AMSGradState)


def test_amsgrad_is_adam_while_v_grows():
    """To the bit: |g| grows, so v_t = max v."""
    a, b = amsgrad_initial_state(np.ones(4), 1e-4), initial_state(np.ones(4), 1e-4)
    for t in range(1, 40):
        g = np.array([1, -1, 0.5, 3]) * 1.5**t * (-1) ** t
        a, b = AMSGRAD.step(a, g, 0.1, 0.9, 0.8), adam_step(b, g, 0.1, 0.9, 0.8)
        assert [x.tobytes() for x in a[1:4]] == [x.tobytes() for x in b[1:]]
        assert a.v_max.tobytes() == a.v.tobytes()


def test_amsgrad_v_is_adam_s_and_its_maximum_is_kept():
    a, b = amsgrad_initial_state(np.ones(6), 1e-2), initial_state(np.ones(6), 1e-2)
    seen = [a.v]
    for g in gradients(60, 6):
        x = a.x
        a, b = AMSGRAD.step(a, g, 0.1, 0.9, 0.8), adam_step(b, g, 0.1, 0.9, 0.8)
        seen.append(a.v)
        assert (a.m.tobytes(), a.v.tobytes()) == (b.m.tobytes(), b.v.tobytes())
        assert a.v_max.tolist() == np.max(seen, axis=0).tolist()
        np.testing.assert_allclose(a.x, x - 0.1 * a.m / np.sqrt(np.max(seen, axis=0)), rtol=1e-15)


def test_the_maximum_belongs_to_one_state():
    state = amsgrad_initial_state([1.0], 1.0)
    assert not np.shares_memory(state.v, state.v_max)


@EVERY_METHOD
def test_steps_are_pure_and_count(method):
    state = method.initial_state([1.0, -2.0, 3.0], 0.5)
    for array in state[1:]:
        array.flags.writeable = False
    g = np.array([1.0, 0.0, -2.0])
    g.flags.writeable = False
    after = method.step(state, g, *read_by(method))
    assert type(after) is type(state)
    assert (state.t, after.t) == (0, 1)
    assert after.x[1] == -2


@EVERY_METHOD
@pytest.mark.parametrize("scalars", [(0.1, 0.5, 0.75), (np.full(2, 0.1), np.full((2, 1), 0.5), np.float64(0.75))])
def test_dtype_and_shape_are_kept(method, scalars):
    for dtype in (np.float32, np.float64):
        state = method.initial_state(np.ones((2, 2, 3), dtype), 0.5)
        after = method.step(state, np.ones((2, 2, 3)), *read_by(method, *scalars))
        assert {(a.dtype, a.shape) for a in after[1:]} == {(np.dtype(dtype), (2, 2, 3))}
        assert [a.tobytes() for a in after[1:]] == [
            a.tobytes() for a in method.step(state, np.ones((2, 2, 3), dtype), *read_by(method))[1:]
        ]


@EVERY_METHOD
def test_configurations_side_by_side(method):
    alpha, beta, theta = np.array([[0.1], [0.2]]), np.array([0.0, 0.5, 0.9]), np.array([[0.5], [0.9]])
    x, g = np.random.default_rng(3).standard_normal((2, 2, 3, 4))
    together = method.step(method.initial_state(x, 0.5), g, *read_by(method, alpha, beta, theta))
    for c in range(2):
        for r in range(3):
            alone = method.step(
                method.initial_state(x[c, r], 0.5), g[c, r], *read_by(method, alpha[c, 0], beta[r], theta[c, 0])
            )
            assert [a[c, r].tobytes() for a in together[1:]] == [a.tobytes() for a in alone[1:]]


@EVERY_METHOD
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_bad_gradients_are_refused_as_adam_does(method, bad):
    with pytest.raises(NonFiniteError) as caught:
        method.step(method.initial_state(np.ones(3), 1.0)._replace(t=4), [1.0, bad, 1.0], *read_by(method))
    assert (caught.value.step, caught.value.coordinate) == (5, 1)
    with pytest.raises(ValueError, match="the gradient must have x's shape"):
        method.step(method.initial_state(np.ones(3), 1.0), [1.0], *read_by(method))


@pytest.mark.parametrize("method", [ADAGRAD, RMSPROP])
def test_a_coordinate_whose_v_is_zero_does_not_move(method):
    state = method.step(AdamState(0, np.ones(2), np.zeros(2), np.array([0.0, 4.0])), [0.0, 0.0], *read_by(method))
    assert state.x.tolist() == [1, 1]


def test_amsgrad_does_not_move_where_the_maximum_is_zero():
    state = AMSGradState(0, np.ones(2), np.ones(2), np.zeros(2), np.array([0.0, 4.0]))
    assert AMSGRAD.step(state, [0.0, 0.0], 0.5, 0.5, 0.75).x.tolist() == [1, 1 - 0.5 * 0.5 / 2]


@EVERY_METHOD
def test_initial_states_are_adam_s(method):
    with pytest.raises(ValueError, match=r"epsilon must be positive .*v_0 = epsilon > 0; got 0"):
        method.initial_state([1.0], 0)
    state = method.initial_state([1, 2], [0.5, 0.25])
    assert (state.t, state.x.tolist(), state.m.tolist(), state.v.tolist()) == (0, [1, 2], [0, 0], [0.5, 0.25])


def test_the_methods_by_name_and_what_each_reads():
    assert {name: method.coefficients for name, method in METHODS.items()} == {
        "adam": ("alpha", "beta", "theta"),
        "sgd": ("alpha",),
        "sgd-momentum": ("alpha", "beta"),
        "adagrad": ("alpha",),
        "rmsprop": ("alpha", "theta"),
        "amsgrad": ("alpha", "beta", "theta"),
    }
    assert all(method.name == name for name, method in METHODS.items())


@EVERY_METHOD
def test_coefficients_out_of_range_and_of_the_wrong_number(method):
    state = method.initial_state([1.0], 1.0)
    for name, bad in (("alpha", -1.0), ("alpha", math.nan), ("beta", 1.0), ("beta", -0.1), ("theta", 1.5)):
        if name in method.coefficients:
            with pytest.raises(ValueError, match=f"{name} must satisfy .*p\\. .*; got {bad:g}"):
                method.step(state, [1.0], *read_by(method, **{name: bad}))
    with pytest.raises(TypeError, match=f"a step of {method.name} must be given alpha"):
        method.step(state, [1.0], *read_by(method), 0.5)


@EVERY_METHOD
def test_states_that_no_run_reaches_are_refused(method):
    state = method.initial_state([1.0, 2.0], 1.0)
    for name in state._fields[2:]:
        for bad in (math.nan, math.inf, *([] if name == "m" else [-1.0])):
            spoilt = state._replace(**{name: np.array([1.0, bad])})
            with pytest.raises(ValueError, match=f"^{name} must be finite.*got {bad!r} at coordinate 1$"):
                method.step(spoilt, [1.0, 1.0], *read_by(method))


def test_a_method_names_its_coefficients_in_order():
    with pytest.raises(ValueError, match=r"must be some of alpha, beta, theta, in this order; got \('beta', 'alpha'\)"):
        Method("mine", ("beta", "alpha"), initial_state, lambda state, g: state)
