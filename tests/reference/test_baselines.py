"""The methods the paper compares with: hand-made numbers, closed forms, and identities with Adam."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from reference.adam import AdamState, NonFiniteError, adam_step, initial_state
from reference.baselines import (
    METHODS,
    AMSGradState,
    adagrad_step,
    amsgrad_initial_state,
    amsgrad_step,
    rmsprop_step,
    sgd_momentum_step,
    sgd_step,
)

EVERY_METHOD = pytest.mark.parametrize(("initial", "step"), METHODS.values(), ids=METHODS)


def gradients(steps, d, seed=0):
    """Many scales, both signs, zeros now and then."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((steps, d)) * 10.0 ** rng.uniform(-6, 3, (steps, d)) * (rng.random((steps, d)) > 0.2)


def test_sgd():
    """x_{T+1} = x_1 - sum alpha_t g_t; powers of two, so exact. m and v stay as they are."""
    state = initial_state([4.0, -1.0], 0.3)
    for alpha, g in ((0.5, [1, 2]), (0.25, [-8, 0]), (2, [0.5, -3])):
        state = sgd_step(state, np.array(g, float), alpha, 0.9, 0.99)
    assert state.x.tolist() == [4 - 0.5 + 2 - 1, -1 - 1 - 0 + 6]
    assert (state.t, state.m.tolist(), state.v.tolist()) == (3, [0, 0], [0.3, 0.3])


def test_sgd_momentum_by_hand():
    """m = 2, then 1/2*2 + 6 = 7, then 1/4*7 - 4 = -9/4: the new gradient enters whole."""
    state = initial_state([10.0], 0.3)
    for alpha, beta, g, m, x in ((1, 0.75, 2, 2, 8), (0.5, 0.5, 6, 7, 4.5), (4, 0.25, -4, -2.25, 13.5)):
        state = sgd_momentum_step(state, [g], alpha, beta, 0.99)
        assert (state.m.tolist(), state.x.tolist(), state.v.tolist()) == ([m], [x], [0.3])
    assert state.t == 3


def test_sgd_momentum_in_closed_form():
    """A constant gradient: x_{T+1} = x_1 - alpha g/(1-beta) (T - beta (1-beta^T)/(1-beta))."""
    alpha, beta, g, T = 0.01, 0.9, np.array([1.5, -2.0]), 200
    state = initial_state([1.0, 1.0], 1.0)
    for _ in range(T):
        state = sgd_momentum_step(state, g, alpha, beta)
    exact = 1 - alpha * g / (1 - beta) * (T - beta * (1 - beta**T) / (1 - beta))
    np.testing.assert_allclose(state.x, exact, rtol=1e-12)


def test_sgd_momentum_without_momentum_is_sgd():
    a, b = initial_state(np.ones(5), 1.0), initial_state(np.ones(5), 1.0)
    for g in gradients(20, 5):
        a, b = sgd_step(a, g, 0.1), sgd_momentum_step(b, g, 0.1, 0.0)
    assert a.x.tolist() == b.x.tolist()


def test_adagrad_on_pythagorean_triples():
    """9 + 4^2 = 5^2, + 12^2 = 13^2, + 84^2 = 85^2; the step divides by the root after the new square is in."""
    state, x = initial_state([2.0], 9.0), Fraction(2)
    for g, root, alpha in ((4, 5, 0.5), (-12, 13, 0.25), (84, 85, 2)):
        state = adagrad_step(state, [g], alpha, 0.9, 0.99)
        x -= Fraction(alpha) * g / root
        assert state.v.tolist() == [root**2]
        assert state.x[0] == pytest.approx(float(x), rel=4e-16)
    assert (state.t, state.m.tolist()) == (3, [0])


def test_adagrad_is_rmsprop_with_averages():
    """theta_t = 1 - 1/(t+1), alpha_t = eta/sqrt(t+1) (Remark 11, p. 11): v_t is then (v_0 + sum g^2)/(t+1)."""
    a, b = initial_state(np.ones(5), 0.5), initial_state(np.ones(5), 0.5)
    for t, g in enumerate(gradients(50, 5), start=1):
        a, b = adagrad_step(a, g, 0.1), rmsprop_step(b, g, 0.1 / math.sqrt(t + 1), 0.0, 1 - 1 / (t + 1))
        np.testing.assert_allclose(a.x, b.x, rtol=1e-12)
        np.testing.assert_allclose(a.v, b.v * (t + 1), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rmsprop_is_generic_adam_with_beta_0(dtype):
    """Remark 11 (p. 11), to the bit; whatever beta it is given, it reads none."""
    a, b = (initial_state(np.ones(8, dtype), 1e-3) for _ in range(2))
    for t, g in enumerate(gradients(60, 8), start=1):
        a = rmsprop_step(a, g, 0.3 / t, 0.9, 1 - 0.4 / t)
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
        state = amsgrad_step(state, [g], 0.5, beta, 0.25)
        for value, expected in ((state.m, m), (state.v, v), (state.v_max, v_max), (state.x, x)):
            assert value[0] == pytest.approx(expected, rel=1e-15)
    assert state.t == 3
    assert isinstance(state, AMSGradState)


def test_amsgrad_is_adam_while_v_grows():
    """To the bit: |g| grows, so v_t = max v."""
    a, b = amsgrad_initial_state(np.ones(4), 1e-4), initial_state(np.ones(4), 1e-4)
    for t in range(1, 40):
        g = np.array([1, -1, 0.5, 3]) * 1.5**t * (-1) ** t
        a, b = amsgrad_step(a, g, 0.1, 0.9, 0.8), adam_step(b, g, 0.1, 0.9, 0.8)
        assert [x.tobytes() for x in a[1:4]] == [x.tobytes() for x in b[1:]]
        assert a.v_max.tobytes() == a.v.tobytes()


def test_amsgrad_v_is_adam_s_and_its_maximum_is_kept():
    a, b = amsgrad_initial_state(np.ones(6), 1e-2), initial_state(np.ones(6), 1e-2)
    seen = [a.v]
    for g in gradients(60, 6):
        x = a.x
        a, b = amsgrad_step(a, g, 0.1, 0.9, 0.8), adam_step(b, g, 0.1, 0.9, 0.8)
        seen.append(a.v)
        assert (a.m.tobytes(), a.v.tobytes()) == (b.m.tobytes(), b.v.tobytes())
        assert a.v_max.tolist() == np.max(seen, axis=0).tolist()
        np.testing.assert_allclose(a.x, x - 0.1 * a.m / np.sqrt(np.max(seen, axis=0)), rtol=1e-15)


def test_the_maximum_belongs_to_one_state():
    state = amsgrad_initial_state([1.0], 1.0)
    assert not np.shares_memory(state.v, state.v_max)


@EVERY_METHOD
def test_steps_are_pure_and_count(initial, step):
    state = initial([1.0, -2.0, 3.0], 0.5)
    for array in state[1:]:
        array.flags.writeable = False
    g = np.array([1.0, 0.0, -2.0])
    g.flags.writeable = False
    after = step(state, g, 0.1, 0.5, 0.75)
    assert type(after) is type(state)
    assert (state.t, after.t) == (0, 1)
    assert after.x[1] == -2


@EVERY_METHOD
@pytest.mark.parametrize("scalars", [(0.1, 0.5, 0.75), (np.full(2, 0.1), np.full((2, 1), 0.5), np.float64(0.75))])
def test_dtype_and_shape_are_kept(initial, step, scalars):
    for dtype in (np.float32, np.float64):
        state = initial(np.ones((2, 2, 3), dtype), 0.5)
        after = step(state, np.ones((2, 2, 3)), *scalars)
        assert {(a.dtype, a.shape) for a in after[1:]} == {(np.dtype(dtype), (2, 2, 3))}
        assert [a.tobytes() for a in after[1:]] == [
            a.tobytes() for a in step(state, np.ones((2, 2, 3), dtype), 0.1, 0.5, 0.75)[1:]
        ]


@EVERY_METHOD
def test_configurations_side_by_side(initial, step):
    alpha, beta, theta = np.array([[0.1], [0.2]]), np.array([0.0, 0.5, 0.9]), np.array([[0.5], [0.9]])
    x, g = np.random.default_rng(3).standard_normal((2, 2, 3, 4))
    together = step(initial(x, 0.5), g, alpha, beta, theta)
    for c in range(2):
        for r in range(3):
            alone = step(initial(x[c, r], 0.5), g[c, r], alpha[c, 0], beta[r], theta[c, 0])
            assert [a[c, r].tobytes() for a in together[1:]] == [a.tobytes() for a in alone[1:]]


@EVERY_METHOD
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
def test_bad_gradients_are_refused_as_adam_does(initial, step, bad):
    with pytest.raises(NonFiniteError) as caught:
        step(initial(np.ones(3), 1.0)._replace(t=4), [1.0, bad, 1.0], 0.1, 0.5, 0.75)
    assert (caught.value.step, caught.value.coordinate) == (5, 1)
    with pytest.raises(ValueError, match="the gradient has shape"):
        step(initial(np.ones(3), 1.0), [1.0], 0.1, 0.5, 0.75)


@pytest.mark.parametrize("step", [adagrad_step, rmsprop_step])
def test_a_coordinate_whose_v_is_zero_does_not_move(step):
    state = step(AdamState(0, np.ones(2), np.zeros(2), np.array([0.0, 4.0])), [0.0, 0.0], 0.1, 0.5, 0.75)
    assert state.x.tolist() == [1, 1]


def test_amsgrad_does_not_move_where_the_maximum_is_zero():
    state = AMSGradState(0, np.ones(2), np.ones(2), np.zeros(2), np.array([0.0, 4.0]))
    assert amsgrad_step(state, [0.0, 0.0], 0.5, 0.5, 0.75).x.tolist() == [1, 1 - 0.5 * 0.5 / 2]


def test_initial_states_are_adam_s():
    for initial, _ in METHODS.values():
        with pytest.raises(ValueError, match=r"epsilon = 0 is not positive .*v_0 = epsilon > 0"):
            initial([1.0], 0)
        state = initial([1, 2], [0.5, 0.25])
        assert (state.t, state.x.tolist(), state.m.tolist(), state.v.tolist()) == (0, [1, 2], [0, 0], [0.5, 0.25])


def test_the_methods_by_name():
    assert list(METHODS) == ["sgd", "sgd-momentum", "adagrad", "rmsprop", "amsgrad"]
    assert [step for _, step in METHODS.values()] == [
        sgd_step,
        sgd_momentum_step,
        adagrad_step,
        rmsprop_step,
        amsgrad_step,
    ]
