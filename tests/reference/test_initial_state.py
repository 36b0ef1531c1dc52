"""The state before step 1: what is kept, what is copied, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reference.adam import initial_state

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@DTYPES
def test_initial_state(dtype):
    x1 = np.array([[1, 2, 3], [4, 5, 6]], dtype)
    state = initial_state(x1, [0.5, 1, 2])
    assert (state.t, state.x.tolist(), state.m.tolist()) == (0, x1.tolist(), [[0, 0, 0]] * 2)
    assert state.v.tolist() == [[0.5, 1, 2]] * 2
    for array in state[1:]:
        assert array.dtype == dtype
        assert array.flags.c_contiguous and array.flags.writeable and array.flags.owndata
    assert not np.shares_memory(state.x, x1)
    assert initial_state(x1.T, 1.0).x.flags.c_contiguous


def test_integers_become_float64():
    for x1 in ([1, 2], np.array([1, 2], np.int8), np.array([1, 2], np.uint64)):
        assert initial_state(x1, 1).x.dtype == np.float64


@pytest.mark.parametrize(
    ("x1", "epsilon", "error", "message"),
    [
        ([1.0, np.nan], 1.0, ValueError, r"x1 has nan at coordinate \(1,\); every coordinate must be finite"),
        ([[1.0], [-np.inf]], 1.0, ValueError, r"x1 has -inf at coordinate \(1, 0\)"),
        (0.5, 1.0, ValueError, r"x1 is a scalar; it must be an array \(\.\.\., d\)"),
        (np.ones(2, np.float16), 1.0, TypeError, "x1 has dtype float16; allowed are float32, float64 and integers"),
        (np.ones(2, complex), 1.0, TypeError, "x1 has dtype complex128"),
        (np.array([1.0, None]), 1.0, TypeError, "x1 has dtype object"),
        ([True, False], 1.0, TypeError, "x1 has dtype bool"),
        (["a"], 1.0, TypeError, "x1 has dtype <U1"),
        ([1.0], 0.0, ValueError, r"epsilon = 0\.0 is not positive and finite in float64; Algorithm 1 \(p\. 4\)"),
        ([1.0], -1e-8, ValueError, "epsilon = -1e-08 is not positive"),
        ([1.0], np.nan, ValueError, "epsilon = nan is not positive and finite"),
        ([1.0], np.inf, ValueError, "epsilon = inf is not positive and finite"),
        ([1.0, 1.0], [1.0, 0.0], ValueError, "is not positive and finite"),
        (np.ones(2, np.float32), 1e-50, ValueError, "epsilon = 1e-50 is not positive and finite in float32"),
        (np.ones(2, np.float32), 1e39, ValueError, r"epsilon = 1e\+39 is not positive and finite in float32"),
        ([1.0, 2.0], [1.0, 1.0, 1.0], ValueError, "epsilon|broadcast"),
    ],
)
def test_what_initial_state_refuses(x1, epsilon, error, message):
    with pytest.raises(error, match=message):
        initial_state(x1, epsilon)


def test_the_smallest_epsilon_is_taken():
    assert initial_state([1.0], math.ulp(0.0)).v.tolist() == [math.ulp(0.0)]
    assert initial_state(np.ones(1, np.float32), 1e-45).v.tolist() == [float(np.float32(1e-45))]
