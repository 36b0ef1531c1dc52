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
        ([1.0, np.nan], 1.0, ValueError, r"x1 must be finite; got nan at coordinate \(1,\)"),
        ([[1.0], [-np.inf]], 1.0, ValueError, r"x1 must be finite; got -inf at coordinate \(1, 0\)"),
        (0.5, 1.0, ValueError, r"x1 must be an array \(\.\.\., d\), .*; got a scalar"),
        (np.ones(2, np.float16), 1.0, TypeError, "x1 must consist of float32, float64 or integers; got dtype float16"),
        (np.ones(2, complex), 1.0, TypeError, "x1 must consist of real numbers; got dtype complex128"),
        (np.array([1.0, None]), 1.0, TypeError, "x1 must consist of real numbers; got dtype object"),
        ([True, False], 1.0, TypeError, "got dtype bool"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), 1.0, TypeError, "x1 must not be a masked array"),
        ([1.0], np.ma.array([1.0]), TypeError, "epsilon must not be a masked array"),
        ([1.0], "1", TypeError, "epsilon must consist of real numbers; got dtype <U1"),
        ([1.0], 1j, TypeError, "epsilon must consist of real numbers; got dtype complex128"),
        (np.empty((3, 0)), 1.0, ValueError, r"x1 must have at least one coordinate; got shape \(3, 0\)"),
        (["a"], 1.0, TypeError, "got dtype <U1"),
        (
            [1.0],
            0.0,
            ValueError,
            r"epsilon must be positive and finite in float64, .*1 \(p\. 4\) .*; got 0\.0",
        ),
        ([1.0], -1e-8, ValueError, "epsilon must be positive .*got -1e-08"),
        ([1.0], np.nan, ValueError, "epsilon must be positive .*got nan"),
        ([1.0], np.inf, ValueError, "epsilon must be positive .*got inf"),
        ([1.0, 1.0], [1.0, 0.0], ValueError, "must be positive and finite"),
        (np.ones(2, np.float32), 1e-50, ValueError, "epsilon must be positive and finite in float32.*got 1e-50"),
        (np.ones(2, np.float32), 1e39, ValueError, r"epsilon must be positive and finite in float32.*got 1e\+39"),
        ([1.0, 2.0], [1.0, 1.0, 1.0], ValueError, "epsilon|broadcast"),
    ],
)
def test_what_initial_state_refuses(x1, epsilon, error, message):
    with pytest.raises(error, match=message):
        initial_state(x1, epsilon)


def test_the_smallest_epsilon_is_taken():
    assert initial_state([1.0], math.ulp(0.0)).v.tolist() == [math.ulp(0.0)]
    assert initial_state(np.ones(1, np.float32), 1e-45).v.tolist() == [float(np.float32(1e-45))]
