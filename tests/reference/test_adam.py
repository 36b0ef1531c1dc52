"""The update against rational arithmetic, against rounding one operation at a time, and its two forms against each
other."""

from __future__ import annotations

import math
import tracemalloc
from fractions import Fraction
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import adam, families, in_place
from reference.adam import AdamState, NonFiniteError, adam_step, initial_state
from reference.in_place import adam_step_in_place, scratch_for
from reference.iterate import iterate

FORMS = pytest.mark.parametrize("step", [adam_step, adam_step_in_place])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def copy_of(state: AdamState) -> AdamState:
    return AdamState(state.t, state.x.copy(), state.m.copy(), state.v.copy())


def bits(state: AdamState) -> tuple:
    return state.t, *((a.dtype, a.shape, a.tobytes()) for a in state[1:])


# --- the formula -----------------------------------------------------------------------------------------------------

# (g, alpha, beta, theta) chosen so that sqrt(v_t) = 1 -> 2 -> 8 -> 4 -> 16 and no operation rounds, even in float32.
EXACT_STEPS = [
    ("3", "1/2", "1/4", "5/8"),
    ("-14", "3/4", "1/2", "11/16"),
    ("0", "5/4", "3/4", "1/4"),
    ("-20", "1/8", "5/8", "3/8"),
]


@FORMS
@DTYPES
def test_algorithm_1_in_rational_arithmetic(step, dtype):
    """Lines 5-7 (p. 4) with fractions: equal, not close."""
    x, m, v = Fraction(3), Fraction(0), Fraction(1)
    state = initial_state(np.array([3, 3], dtype), 1.0)
    for given_numbers in EXACT_STEPS:
        g, alpha, beta, theta = (Fraction(number) for number in given_numbers)
        v = theta * v + (1 - theta) * g**2
        m = beta * m + (1 - beta) * g
        root = Fraction(math.isqrt(v.numerator), math.isqrt(v.denominator))
        assert root**2 == v
        x = x - alpha * m / root
        state = step(state, np.full(2, float(g), dtype), float(alpha), float(beta), float(theta))
        assert [Fraction(float(number)) for array in state[1:] for number in array] == [x, x, m, m, v, v]
    assert state.t == 4


def rounded_one_by_one(dtype, x, m, v, g, alpha, beta, theta):
    """The documented order of operations on Python floats, rounded to the dtype after each.

    For float32 the double rounding is harmless: 53 >= 2*24 + 2 bits, and every number here is normal.
    """
    r = float if dtype is np.float64 else lambda number: float(np.float32(number))
    one_minus_beta, one_minus_theta = r(1 - beta), r(1 - theta)
    alpha, beta, theta = r(alpha), r(beta), r(theta)
    v = r(r(theta * v) + r(one_minus_theta * r(g * g)))
    m = r(r(beta * m) + r(one_minus_beta * g))
    x = r(x - r(alpha * r(m / r(math.sqrt(v)))))
    return x, m, v


@FORMS
@DTYPES
@pytest.mark.parametrize("kind", [float, np.float64, np.array, lambda number: np.array([number])])
def test_the_order_and_the_dtype_of_every_operation(step, dtype, kind):
    """Also: 1 - beta and 1 - theta are formed in float64 whatever the scalars are given as."""
    rng = np.random.default_rng(1)
    state = initial_state(rng.standard_normal((1, 200)).astype(dtype), 1e-3)
    expected = [tuple(map(float, row)) for row in zip(*(array[0] for array in state[1:]), strict=True)]
    for t in range(1, 6):
        g = (rng.standard_normal((1, 200)) * 10.0 ** rng.uniform(-8, 4, (1, 200))).astype(dtype)
        alpha, beta, theta = rng.uniform(1e-3, 1), rng.uniform(0, 1), rng.uniform(0.9, 1)
        expected = [
            rounded_one_by_one(dtype, *xmv, float(g_k), alpha, beta, theta)
            for xmv, g_k in zip(expected, g[0], strict=True)
        ]
        state = step(state, g, kind(alpha), kind(beta), kind(theta))
        assert state.t == t
        for array, column in zip(state[1:], zip(*expected, strict=True), strict=True):
            assert array.dtype == dtype
            assert array[0].tolist() == list(column)


# --- two forms, the same bits ----------------------------------------------------------------------------------------


def scalar_shapes(shape):
    """Shapes that broadcast against the leading axes of x."""
    lead = shape[:-1]
    ends = [lead[i:] for i in range(len(lead) + 1)]
    return st.sampled_from(ends).flatmap(lambda end: st.tuples(*(st.sampled_from([1, n]) for n in end)))


@st.composite
def problems(draw):
    shape = (*draw(st.lists(st.integers(1, 7), max_size=2)), draw(st.integers(1, 40)))
    return (
        shape,
        [draw(scalar_shapes(shape)) for _ in range(3)],
        draw(st.sampled_from([np.float32, np.float64])),
        draw(st.sampled_from([8, 24, 64, 128, 1000, 2**18])),
        draw(st.integers(0, 2**32)),
    )


@settings(max_examples=300)
@given(problems())
def test_pure_and_in_place_give_the_same_bits(problem):
    """For any block size, cuts along any leading axis, scalars of any shape; gradients over twelve orders of
    magnitude that change sign and pause at zero."""
    shape, shapes, dtype, block_bytes, seed = problem
    rng = np.random.default_rng(seed)
    pure = initial_state(rng.standard_normal(shape).astype(dtype), 10.0 ** rng.uniform(-8, 0, shape[-1]))
    with patch.object(in_place, "BLOCK_BYTES", block_bytes):
        placed = copy_of(pure)
        arrays, scratch = placed[1:], scratch_for(placed.x)
        assert scratch.nbytes <= max(block_bytes, 8)
        for _ in range(4):
            g = rng.standard_normal(shape) * 10.0 ** rng.uniform(-8, 4, shape) * (rng.random(shape) > 0.2)
            alpha, beta, theta = (
                float(values) if values.ndim == 0 and rng.random() < 0.5 else values
                for values in (rng.uniform(0.001, 0.999, s) for s in shapes)
            )
            before = copy_of(pure)
            after = adam_step(pure, g, alpha, beta, theta)
            assert bits(before) == bits(pure)
            placed = adam_step_in_place(placed, g, alpha, beta, theta, scratch)
            assert bits(placed) == bits(after)
            assert all(a is b for a, b in zip(placed[1:], arrays, strict=True))
            pure = after


@DTYPES
@pytest.mark.parametrize("shape", [(40_000,), (3, 25_000), (2, 3, 11_000), (2, 70_000), (150, 3, 100)])
def test_blocks_of_the_real_size(dtype, shape):
    """Every row its own scalars, arrays larger than one block of BLOCK_BYTES."""
    rng = np.random.default_rng(2)
    state = initial_state(rng.standard_normal(shape).astype(dtype), 1e-8)
    other = copy_of(state)
    alpha, beta, theta = rng.uniform(0.01, 0.99, (3, *shape[:-1]))
    for g in rng.standard_normal((2, *shape)):
        state = adam_step(state, g, alpha, beta, theta)
        other = adam_step_in_place(other, g, alpha, beta, theta)
    assert bits(state) == bits(other)


@FORMS
def test_configurations_side_by_side_are_separate_runs(step):
    """alpha of shape (C, 1), beta of shape (R,), theta of shape (C, R) against x of shape (C, R, d)."""
    rng = np.random.default_rng(3)
    C, R, d = 2, 3, 5
    alpha, beta, theta = rng.uniform(0.1, 0.9, (C, 1)), rng.uniform(0.1, 0.9, R), rng.uniform(0.1, 0.9, (C, R))
    x, g = rng.standard_normal((2, C, R, d))
    together = step(initial_state(x, 0.5), g, alpha, beta, theta)
    for c in range(C):
        for r in range(R):
            alone = adam_step(initial_state(x[c, r], 0.5), g[c, r], alpha[c, 0], beta[r], theta[c, r])
            assert [a[c, r].tobytes() for a in together[1:]] == [a.tobytes() for a in alone[1:]]


def test_the_pure_step_writes_nowhere():
    state = adam_step(initial_state([1.0, -2.0], 1e-3), [0.5, 3.0], 0.1, 0.9, 0.99)
    gradient = np.array([0.5, -3.0])
    for array in (*state[1:], gradient):
        array.flags.writeable = False
    after = adam_step(state, gradient, 0.1, 0.9, 0.99)
    assert not any(np.shares_memory(a, b) for a in after[1:] for b in (*state[1:], gradient))


@DTYPES
@pytest.mark.parametrize("lead", [(), (2, 3)])
def test_in_place_allocates_nothing_that_grows_with_d(dtype, lead):
    d = 3_000_000 // max(1, math.prod(lead))
    state = initial_state(np.ones((*lead, d), dtype), 1.0)
    g, alpha, scratch = np.ones((*lead, d), dtype), np.full(lead, 0.1), scratch_for(state.x)
    adam_step_in_place(state, g, alpha, 0.9, 0.99, scratch)
    for given_scratch, allowed in ((scratch, 20_000), (None, in_place.BLOCK_BYTES + 20_000)):
        tracemalloc.start()
        adam_step_in_place(state, g, alpha, 0.9, 0.99, given_scratch)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < allowed


def test_a_block_of_scratch_is_at_most_block_bytes():
    for dtype in (np.float32, np.float64):
        assert scratch_for(np.ones(10**6, dtype)).nbytes == in_place.BLOCK_BYTES
        assert scratch_for(np.ones((2, 3), dtype)).nbytes == 6 * np.dtype(dtype).itemsize
        assert scratch_for(np.ones(10**6, dtype)).dtype == dtype


@pytest.mark.parametrize("shape", [(2, 3), (6,), (4,), (5, 2), (2, 2, 4), (3, 7)])
def test_one_scratch_serves_states_of_any_shape(shape):
    scratch, state = scratch_for(np.ones((2, 3))), initial_state(np.ones(shape), 1.0)
    expected = adam_step(state, np.full(shape, 2.0), 0.1, 0.9, 0.99)
    found = adam_step_in_place(state, np.full(shape, 2.0), 0.1, 0.9, 0.99, scratch)
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a, b)


@FORMS
@pytest.mark.parametrize(
    "gradient", [[2, -1], np.array([2, -1]), np.array([2.0, -1.0]), np.array([[2.0, -1.0]]).T[:, 0]]
)
def test_float32_stays_float32(step, gradient):
    start = initial_state(np.array([1, 2], np.float32), np.float64(0.1))
    for scalars in ((0.1, 0.5, 0.75), (np.float64(0.1), np.float64(0.5), np.array(0.75)), (1, 0, 0.75)):
        state = step(copy_of(start), gradient, *scalars)
        assert {array.dtype for array in state[1:]} == {np.dtype(np.float32)}
    assert state.m.tolist() == [2, -1]


@FORMS
def test_strided_gradients_and_states(step):
    rng = np.random.default_rng(4)
    x, g = rng.standard_normal((2, 6, 8))
    contiguous = adam_step(initial_state(x[:, ::2], 1.0), g[:, ::2].copy(), 0.1, 0.9, 0.99)
    assert bits(step(initial_state(x[:, ::2], 1.0), g[:, ::2], 0.1, 0.9, 0.99)) == bits(contiguous)
    with patch.object(in_place, "BLOCK_BYTES", 40):
        assert bits(step(initial_state(x[:, ::2], 1.0), g[:, ::2], 0.1, 0.9, 0.99)) == bits(contiguous)


def test_in_place_refuses_strided_states_and_pure_takes_them():
    strided = AdamState(0, np.arange(1.0, 9.0)[::2], np.zeros(8)[::2], np.ones(8)[::2])
    after = adam_step(strided, np.ones(4), 0.1, 0.9, 0.99)
    assert after.x.tolist() == adam_step(initial_state(strided.x, 1.0), np.ones(4), 0.1, 0.9, 0.99).x.tolist()
    for name in ("x", "m", "v"):
        state = initial_state(strided.x, 1.0)._replace(**{name: getattr(strided, name)})
        before = copy_of(state)
        with pytest.raises(ValueError, match="x, m and v must be C-contiguous to be updated in place"):
            adam_step_in_place(state, np.ones(4), 0.1, 0.9, 0.99)
        assert bits(before) == bits(state)


# --- what floating point adds ----------------------------------------------------------------------------------------


@FORMS
@DTYPES
@pytest.mark.parametrize("m", [0.0, 1.0, -1.0])
def test_a_coordinate_whose_v_is_zero_does_not_move(step, dtype, m):
    state = AdamState(3, *(np.array(a, dtype) for a in ([1.5, 1.5, -2.5], [m, 0.5, m], [0, 4, 0])))
    state = step(state, np.zeros(3), 0.5, 0.5, 0.25)
    assert state.x.tolist() == [1.5, 1.5 - 0.5 * 0.25 / 1, -2.5]
    assert state.v.tolist() == [0, 1, 0]
    assert state.m.tolist() == [m / 2, 0.25, m / 2]


@FORMS
def test_v_underflows_to_zero_only_with_theta_at_most_one_half(step):
    tiny = math.ulp(0.0)
    for theta, v in ((0.5, 0.0), (0.51, tiny)):
        state = step(AdamState(0, np.ones(1), np.ones(1), np.full(1, tiny)), [1e-200], 1e-163, 0.5, theta)
        assert state.v.tolist() == [v]
        assert state.x.tolist() == [1 - 1e-163 * (0.5 / math.sqrt(tiny)) if v else 1]


@FORMS
@DTYPES
def test_subnormal_v_is_used_as_it_is(step, dtype):
    smallest = float(np.finfo(dtype).smallest_subnormal)
    state = AdamState(0, *(np.array([a], dtype) for a in (0, smallest, 12 * smallest)))
    state = step(state, [0.0], 2.0**-40, 0.5, 0.75)
    assert state.v.tolist() == [9 * smallest]
    m = float(dtype(0.5) * dtype(smallest))  # a tie, to even: 0
    assert state.m.tolist() == [m] == [0]
    state = step(state._replace(m=np.array([1], dtype)), [0.0], 2.0**-40, 0.5, 0.75)
    assert state.v.tolist() == [7 * smallest]  # 6.75
    root = float(dtype(math.sqrt(7 * smallest)))
    assert state.x.tolist() == [-(2.0**-40) * float(dtype(0.5 / root))]


@FORMS
@DTYPES
@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
@pytest.mark.parametrize("block_bytes", [16, 2**18])
def test_a_bad_gradient_is_refused_before_anything_changes(step, dtype, lead, block_bytes):
    too_large = 2e19 if dtype is np.float32 else 2e154
    for bad, why in (
        (np.nan, "not finite"),
        (np.inf, "not finite"),
        (-np.inf, "not finite"),
        (-too_large, "overflows"),
    ):
        state = AdamState(6, *np.ones((3, *lead, 7), dtype))
        before = copy_of(state)
        g = np.ones((*lead, 7), dtype)
        first = (*(n - 1 for n in lead), 3)
        g[first], g[(*first[:-1], 5)] = bad, np.nan
        with patch.object(in_place, "BLOCK_BYTES", block_bytes), pytest.raises(NonFiniteError, match=why) as caught:
            step(state, g, 0.1, 0.9, 0.99)
        assert bits(before) == bits(state)
        error = caught.value
        assert (error.step, error.worker, error.coordinate) == (7, None, first if lead else 3)
        np.testing.assert_equal(error.value, float(dtype(bad)))
        assert isinstance(error, FloatingPointError)
        assert str(error).startswith(f"step 7: the mean gradient has {error.value!r} at coordinate {error.coordinate}")


def test_the_message_names_the_worker():
    assert str(NonFiniteError(3, 5, math.inf, worker=2)) == (
        "step 3: the gradient of worker 2 has inf at coordinate 5, which is not finite"
    )
    assert str(NonFiniteError(3, (0, 5), 1e300)) == (
        "step 3: the mean gradient has 1e+300 at coordinate (0, 5), whose square overflows"
    )


@DTYPES
def test_an_overflowing_square_is_seen_at_every_place(dtype):
    """Wherever the vectorized dot product handles the entry: body, unrolled part, tail."""
    too_large = 2e19 if dtype is np.float32 else 2e154
    for size in (1, 2, 3, 7, 16, 33, 100, 257):
        state = initial_state(np.ones(size, dtype), 1.0)
        for k in range(size):
            with pytest.raises(NonFiniteError) as caught:
                adam_step(state, too_large * (np.arange(size) == k), 0.1, 0.9, 0.99)
            assert caught.value.coordinate == k


@FORMS
@DTYPES
def test_finite_squares_whose_sum_overflows_are_taken(step, dtype):
    g = 1.5e19 if dtype is np.float32 else 1e154
    state = step(initial_state(np.zeros(1000, dtype), 1.0), np.full(1000, g), 1.0, 0.5, 0.75)
    x, m, v = rounded_one_by_one(dtype, 0.0, 0.0, 1.0, float(dtype(g)), 1.0, 0.5, 0.75)
    assert [set(a.tolist()) for a in state[1:]] == [{x}, {m}, {v}]
    assert x == pytest.approx(-1, rel=1e-6)


@FORMS
def test_a_gradient_that_overflows_in_x_s_dtype(step):
    with pytest.raises(
        NonFiniteError, match=r"step 1: the mean gradient has -inf at coordinate 1, which is not finite"
    ):
        step(initial_state(np.zeros(2, np.float32), 1.0), np.array([0, -1e39]), 0.1, 0.9, 0.99)


@FORMS
@pytest.mark.parametrize("shape", [(2,), (1, 3), (3, 1), ()])
def test_a_gradient_of_another_shape(step, shape):
    with pytest.raises(ValueError, match=r"the gradient must have x's shape \(3,\); got"):
        step(initial_state(np.zeros(3), 1.0), np.ones(shape), 0.1, 0.9, 0.99)


@FORMS
@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize(
    ("shape", "x_shape"), [((3,), (2,)), ((1,), (2,)), ((2,), (3, 2)), ((4, 3), (3, 2)), ((2, 3), (4, 3, 2))]
)
def test_scalars_that_do_not_meet_the_leading_axes(step, which, shape, x_shape):
    """Nothing may change, neither the shapes of the state nor a number in it."""
    scalars = [0.1, 0.9, 0.99]
    scalars[which] = np.full(shape, scalars[which])
    state = initial_state(np.ones(x_shape), 1.0)
    before = copy_of(state)
    with pytest.raises(ValueError, match="shape"):
        step(state, np.ones(x_shape), *scalars)
    assert bits(before) == bits(state)


def test_first_non_finite_square():
    g = np.ones((2, 3))
    assert adam.first_non_finite_square(g) is None
    g[1, 2], g[1, 0] = np.nan, 1e200
    assert adam.first_non_finite_square(g) == (1, 0)


# --- at the door -----------------------------------------------------------------------------------------------------


@FORMS
@pytest.mark.parametrize(
    ("name", "bad", "limit"),
    [
        ("alpha", math.nan, r"0 < alpha < infinity \(Algorithm 1, p\. 4\); got nan"),
        ("alpha", -0.1, r"0 < alpha < infinity .*; got -0\.1"),
        ("alpha", 0.0, r"0 < alpha < infinity .*; got 0"),
        ("alpha", math.inf, r"0 < alpha < infinity .*; got inf"),
        ("beta", 1.5, r"0 <= beta < 1 \(R1, p\. 7\); got 1\.5"),
        ("beta", 1.0, r"0 <= beta < 1 .*; got 1"),
        ("beta", -0.1, r"0 <= beta < 1 .*; got -0\.1"),
        ("beta", math.nan, r"0 <= beta < 1 .*; got nan"),
        ("theta", 1.5, r"0 < theta < 1 \(R2, p\. 7\); got 1\.5"),
        ("theta", 1.0, r"0 < theta < 1 .*; got 1"),
        ("theta", 0.0, r"0 < theta < 1 .*; got 0"),
        ("theta", np.array([0.5, 1.25]), r"0 < theta < 1 .*; got 1\.25"),
    ],
)
def test_coefficients_out_of_range(step, name, bad, limit):
    state = initial_state(np.ones((2, 3)), 1.0)
    before = copy_of(state)
    with pytest.raises(ValueError, match=f"^{name} must satisfy {limit}$"):
        step(state, np.ones((2, 3)), **({"alpha": 0.1, "beta": 0.5, "theta": 0.75} | {name: bad}))
    assert bits(before) == bits(state)


@FORMS
@DTYPES
def test_hand_made_states_that_no_run_reaches(step, dtype):
    for name, bad, limit in (
        ("m", np.nan, "be finite; got nan"),
        ("m", -np.inf, "be finite; got -inf"),
        ("v", np.nan, r"be finite and >= 0 \(v_0 = epsilon > 0, Algorithm 1, p\. 4\); got nan"),
        ("v", np.inf, "be finite and >= 0 .*; got inf"),
        ("v", -1.0, "be finite and >= 0 .*; got -1.0"),
    ):
        state = initial_state(np.ones((2, 3), dtype), 1.0)
        getattr(state, name)[1, 2] = bad
        before = copy_of(state)
        with pytest.raises(ValueError, match=rf"^{name} must {limit} at coordinate \(1, 2\)$"):
            step(state, np.ones((2, 3)), 0.1, 0.5, 0.75)
        assert bits(before) == bits(state)


@FORMS
def test_states_whose_arrays_do_not_fit(step):
    good = initial_state(np.ones(3), 1.0)
    for state, error, message in (
        (good._replace(m=np.zeros(3, np.float32)), TypeError, "m must be a float64 array, as x is"),
        (good._replace(v=[1.0, 1.0, 1.0]), TypeError, "v must be a float64 array, as x is"),
        (good._replace(v=np.ones(2)), ValueError, r"v must have x's shape \(3,\); got \(2,\)"),
        (good._replace(x=[1.0, 1.0, 1.0]), TypeError, "x must be a float32 or float64 array"),
        (good._replace(x=np.ones(3, int)), TypeError, "x must be a float32 or float64 array"),
        (AdamState(0, *np.ones((3, 0))), ValueError, r"x must have shape \(\.\.\., d\) with d >= 1; got \(0,\)"),
    ):
        with pytest.raises(error, match=message):
            step(state, np.ones(3), 0.1, 0.5, 0.75)


@FORMS
def test_what_is_not_real_numbers_is_a_type_error(step):
    state = initial_state(np.ones(2), 1.0)
    for gradient in (np.ones(2, complex), ["1", "2"], [1.0, None], np.ma.array([1.0, 2.0], mask=[0, 1])):
        with pytest.raises(TypeError, match=r"^the gradient must "):
            step(state, gradient, 0.1, 0.5, 0.75)
    for name in ("alpha", "beta", "theta"):
        for bad in (0.5 + 0j, "0.5", None, np.ma.array(0.5)):
            with pytest.raises(TypeError, match=f"^{name} must "):
                step(state, np.ones(2), **({"alpha": 0.1, "beta": 0.5, "theta": 0.75} | {name: bad}))


def overlapping(memory, d):
    """x, m, v as rows of one array, and gradients that share memory with them."""
    state = AdamState(0, *memory[:3])
    yield state, memory[0]
    yield state, memory[1]
    yield state, memory[2]
    yield state, memory[0][::-1]
    yield state, memory.reshape(-1)[d // 2 : d // 2 + d]
    yield state, memory.reshape(-1)[d + 1 : 2 * d + 1]
    own = AdamState(0, *(row.copy() for row in memory[:3]))
    yield own, own.v
    yield own, own.x[::-1]
    yield own, own.m[:]


@DTYPES
def test_gradients_that_share_memory_with_the_state(dtype):
    """The bits of the pure step, for blocks smaller than d."""
    d = 1000
    start = np.random.default_rng(5).uniform(0.5, 2.0, (4, d)).astype(dtype)
    for number in range(9):
        with patch.object(in_place, "BLOCK_BYTES", 800):
            state, g = list(overlapping(start.copy(), d))[number]
            after = adam_step(copy_of(state), g.copy(), 0.1, 0.9, 0.75)
            assert bits(adam_step_in_place(state, g, 0.1, 0.9, 0.75)) == bits(after)


@DTYPES
@pytest.mark.parametrize("theta", [0.3, 0.9, 0.999])
def test_the_loop_s_step_while_v_falls_to_zero_and_rises_again(dtype, theta):
    """Against the pure step, through subnormal numbers and 0; configurations with another theta fall beside it."""
    thetas = np.array([[theta], [0.25]])
    family = families.constant(0.1, 0.5, thetas)
    T = int(1.5 * math.log(float(np.finfo(dtype).smallest_subnormal)) / math.log(theta)) if theta < 0.95 else 1500
    steps = 1e-20 if dtype is np.float32 else 1e-160  # a square below the smallest normal number

    def source(x, t):
        return (np.array([0.0, 1.0, -steps]) * (t % 400 == 0) + np.array([0.0, 0.0, steps])) * np.ones_like(x)

    pure = initial_state(np.ones((2, 1, 3), dtype), 1e-8)
    reached = False
    for state in iterate(source, copy_of(pure), family, T):
        pure = adam_step(pure, source(pure.x, state.t), 0.1, 0.5, thetas)
        assert bits(state) == bits(pure)
        reached |= not pure.v.all()
    assert reached
