"""Every named family against the formulas as the paper prints them, every range, and Remark 1 against Kingma and Ba."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from mpmath import mpf, sqrt

from reference import families
from reference.adam import AdamState, adam_step
from reference.families import Family

STEPS = np.array([1, 2, 3, 4, 5, 10, 99, 100, 1000])


# (family, alpha(t), beta(t), theta(t)) with mpmath's t; every parameter differs from its default in one row and is the
# default in another
TABLE = {
    "generic": (
        families.generic(eta=0.3, s=0.5, a=2.5, r=0.75, K=4, beta=0.6),
        lambda t: mpf(0.3) / t ** mpf(0.5),
        lambda t: mpf(0.6),
        lambda t: 1 - mpf(2.5) / max(t, 4) ** mpf(0.75),
    ),
    "generic, defaults": (
        families.generic(eta=2, s=0.25, a=0.5, r=1),
        lambda t: 2 / t ** mpf(0.25),
        lambda t: mpf(0.9),
        lambda t: 1 - mpf(0.5) / t,
    ),
    "generic, s = 0": (
        families.generic(eta=2, s=0, a=0.5, r=0),
        lambda t: mpf(2),
        lambda t: mpf(0.9),
        lambda t: mpf(0.5),
    ),
    "practical": (
        families.practical(T=100, alpha=3, beta=0.7, theta=2.5),
        lambda t: mpf(3) / 10,
        lambda t: mpf(0.7),
        lambda t: 1 - mpf(2.5) / 100,
    ),
    "constant": (
        families.constant(alpha=0.1, beta=0.2, theta=0.3),
        lambda t: mpf(0.1),
        lambda t: mpf(0.2),
        lambda t: mpf(0.3),
    ),
    "bias-corrected": (
        families.bias_corrected_adam(alpha=0.2, beta=0.8, theta=0.95, s=0.5),
        lambda t: mpf(0.2) / sqrt(t) * sqrt(1 - mpf(0.95) ** t) / (1 - mpf(0.8) ** t),
        lambda t: mpf(0.8),
        lambda t: mpf(0.95),
    ),
    "bias-corrected, defaults": (
        families.bias_corrected_adam(),
        lambda t: mpf(0.001) * sqrt(1 - mpf(0.999) ** t) / (1 - mpf(0.9) ** t),
        lambda t: mpf(0.9),
        lambda t: mpf(0.999),
    ),
    "rmsprop": (
        families.rmsprop(eta=0.5, a=2.5, K=4),
        lambda t: mpf(0.5) / sqrt(t),
        lambda t: mpf(0),
        lambda t: 1 - mpf(2.5) / max(t, 4),
    ),
    "rmsprop, defaults": (
        families.rmsprop(0.5),
        lambda t: mpf(0.5) / sqrt(t),
        lambda t: mpf(0),
        lambda t: 1 - 1 / max(t, mpf(2)),
    ),
    "ada_ema": (
        families.ada_ema(eta=0.5, beta=0.4, K=3),
        lambda t: mpf(0.5) / sqrt(t),
        lambda t: mpf(0.4),
        lambda t: 1 - 1 / max(t, mpf(3)),
    ),
    "ada_ema, defaults": (
        families.ada_ema(0.5),
        lambda t: mpf(0.5) / sqrt(t),
        lambda t: mpf(0.9),
        lambda t: 1 - 1 / max(t, mpf(2)),
    ),
    "adam_nc": (
        families.adam_nc(eta=0.5, beta=0.4, decay=0.8, K=3),
        lambda t: mpf(0.5) / sqrt(t),
        lambda t: mpf(0.4) * mpf(0.8) ** t,
        lambda t: 1 - 1 / max(t, mpf(3)),
    ),
    "adam_nc, defaults": (
        families.adam_nc(0.5),
        lambda t: mpf(0.5) / sqrt(t),
        lambda t: mpf(0.9) * mpf(0.999) ** t,
        lambda t: 1 - 1 / max(t, mpf(2)),
    ),
    "path": (
        families.path_to_adam(r=0.25, theta_bar=0.95, eta=5, beta=0.4, K=3),
        lambda t: 5 / sqrt(t),
        lambda t: mpf(0.4),
        lambda t: 1 - (mpf(0.25) * mpf(0.95) + 1 - mpf(0.95)) / max(t, 3) ** mpf(0.25),
    ),
    "path, defaults": (
        families.path_to_adam(0.5),
        lambda t: 1 / sqrt(t),
        lambda t: mpf(0.9),
        lambda t: 1 - (mpf(0.5) * mpf(0.999) + 1 - mpf(0.999)) / sqrt(t),
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_formulas(row):
    family, *exact = row
    given = family.at(STEPS)
    with mpmath.workdps(40):
        for sequence, formula in zip(given, exact, strict=True):
            for t, value in zip(STEPS.tolist(), sequence, strict=True):
                assert abs(mpf(float(value)) - formula(mpf(t))) <= 2.0**-50 * abs(formula(mpf(t)))
    for one, many in zip(family.at(5), given, strict=True):
        assert one.tobytes() == many[4].tobytes()


def test_step_sizes_have_no_theta_and_no_beta_but_one_that_is_given():
    family = families.step_sizes(eta=0.5, s=0.75, beta=0.4)
    alpha, beta = family.at(STEPS, ("alpha", "beta"))
    np.testing.assert_allclose(alpha, [0.5 / float(t) ** 0.75 for t in STEPS], rtol=2.0**-50)
    assert beta.tolist() == [0.4] * len(STEPS)
    with pytest.raises(ValueError, match=r"the method adam reads theta_t; the family 'step sizes' has none"):
        family.at(STEPS)
    (alpha,) = families.step_sizes(0.5).at(STEPS, ("alpha",))
    assert alpha.tolist() == [0.5] * len(STEPS)
    with pytest.raises(ValueError, match=r"the method heavy ball reads beta_t; the family 'step sizes' has none"):
        families.step_sizes(0.5).at(3, ("alpha", "beta"), "heavy ball")


def test_practical_knows_its_three_numbers_and_its_horizon():
    family = families.practical(50, 2.0, 0.5, 3.0)
    assert (family.practical, family.horizon) == (families.Practical(alpha=2.0, beta=0.5, theta=3.0), 50)
    assert (families.constant(0.1, 0.5, 0.9).practical, families.constant(0.1, 0.5, 0.9).horizon) == (None, None)


@pytest.mark.parametrize("given", [[0.1, 0.2], 0.9, (lambda t: t, 1)])
def test_what_is_no_sequence_is_refused_with_what_would_be(given):
    for name in ("alpha", "beta", "theta"):
        with pytest.raises(
            TypeError, match=rf"^{name} must be a schedule or a function .* schedules\.Constant\(0\.9\)"
        ):
            Family("", **({"alpha": good} | {name: given}))


def test_functions_of_one_number_are_told_to_take_arrays():
    family = Family("", math.sqrt, good, good)
    with pytest.raises(TypeError, match=r"alpha_t cannot be evaluated at an array of steps: .*np\.sqrt for math\.sqrt"):
        family.at(STEPS)
    for bad in (lambda t: np.full(np.shape(t), "1"), lambda t: 0.5j + 0 * np.asarray(t)):
        with pytest.raises(TypeError, match=r"beta_t must consist of real numbers"):
            Family("", good, bad, good).at(STEPS)


@pytest.mark.parametrize("values", [np.full(2, 0.5), np.full(10, 0.5), np.full((1, 9), 0.5)])
def test_a_sequence_of_the_wrong_length_is_named(values):
    with pytest.raises(ValueError, match=r"theta_t must have one value for each of the 9 steps; got shape \("):
        Family("", good, good, lambda t: values).at(STEPS)


def test_a_sequence_cannot_write_into_the_steps_of_the_others():
    def spoils(t):
        t *= 2
        return 0.5 / t

    steps = np.arange(1, 9)
    with pytest.raises(ValueError, match="read-only"):
        Family("", spoils, lambda t: 0.5 / t, good).at(steps)
    assert steps.tolist() == list(range(1, 9))
    assert steps.flags.writeable
    np.testing.assert_array_equal(Family("", good, lambda t: 0.5 / t, good).at(steps)[1], 0.5 / steps)


def test_the_end_points_of_the_path():
    """r = 0 is Adam with constant theta_bar, r = 1 AdaGrad with EMA momentum (sec. 3.4, p. 12)."""
    adam, ada_ema = families.path_to_adam(0, 0.99, K=2), families.path_to_adam(1, 0.99, K=2)
    np.testing.assert_allclose(adam.at(STEPS)[2], 0.99, rtol=1e-15)
    np.testing.assert_allclose(ada_ema.at(STEPS), families.ada_ema(1.0).at(STEPS), rtol=1e-15)


def test_names():
    assert {family.name for family, *_ in TABLE.values()} == {
        "generic (Eq. 8)",
        "practical (Corollary 13)",
        "constant",
        "bias-corrected Adam (Remark 1)",
        "RMSProp (Table 1)",
        "AdaGrad with EMA momentum (Table 1)",
        "AdamNC (Table 1)",
        "path from Adam to AdaEMA (sec. 3.4)",
    }


def test_arrays_of_parameters_are_configurations():
    eta, s, beta = np.array([[0.1], [0.2]]), np.array([0.5, 0.25, 0.75]), np.array([0.0, 0.5, 0.9])
    grid = families.generic(eta, s, 0.5, 0.5, beta=beta).at(STEPS)
    assert [values.shape for values in grid] == [(9, 2, 3), (9, 3), (9,)]
    for i in range(2):
        for j in range(3):
            alone = families.generic(eta[i, 0], s[j], 0.5, 0.5, beta=beta[j]).at(STEPS)
            assert grid[0][:, i, j].tobytes() == alone[0].tobytes()
            assert grid[1][:, j].tobytes() == alone[1].tobytes()


def test_s_zero_keeps_the_shape_of_both_parameters():
    assert families.generic(np.ones(3), np.zeros((2, 1)), 0.5, 0.5).at(4)[0].shape == (2, 3)
    assert families.generic(np.ones(3), np.array([[0.0], [1.0]]), 0.5, 0.5).at(4)[0].tolist() == [[1] * 3, [0.25] * 3]


nan, inf = math.nan, math.inf
REFUSED = [
    (lambda: families.generic(0, 0.5, 0.5, 0.5), "the step size must satisfy alpha_t > 0.*; got 0"),
    (lambda: families.generic(inf, 0.5, 0.5, 0.5), "the step size must satisfy .*; got inf"),
    (lambda: families.generic(nan, 0.5, 0.5, 0.5), "the step size must satisfy .*; got nan"),
    (lambda: families.generic([1, -1], 0.5, 0.5, 0.5), "the step size must satisfy .*; got -1"),
    (lambda: families.generic(1, -0.1, 0.5, 0.5), r"s must satisfy s >= 0 \(Eq\. 8, p\. 10\).*; got -0\.1"),
    (lambda: families.generic(1, nan, 0.5, 0.5), "s must satisfy .*; got nan"),
    (lambda: families.generic(1, inf, 0.5, 0.5), "s must satisfy .*; got inf"),
    (lambda: families.generic(1, 0.5, 0.5, 0.5, beta=1), r"beta must satisfy 0 <= beta < 1 \(R1, p\. 7\).*; got 1"),
    (lambda: families.generic(1, 0.5, 0.5, 0.5, beta=[0, -0.1]), r"beta must satisfy .*; got -0\.1"),
    (lambda: families.generic(1, 0.5, 0.5, 0.5, beta=nan), "beta must satisfy .*; got nan"),
    (lambda: families.generic(1, 0.5, 1, 1), r"theta_1 = .* = 0"),
    (lambda: families.practical(10, 0, 0.9, 1), "the step size must satisfy .*; got 0"),
    (lambda: families.practical(10, 1, 1, 1), "beta must satisfy .*; got 1"),
    (lambda: families.practical(10, 1, 0.9, 10), r"theta must satisfy 0 < theta < T = 10, .*Corollary 13.*; got 10"),
    (lambda: families.practical(10, 1, 0.9, 0), "theta must satisfy 0 < theta < T = 10.*; got 0"),
    (lambda: families.practical(10, 1, 0.9, nan), "theta must satisfy .*; got nan"),
    (lambda: families.practical(0, 1, 0.9, 1), "T must be at least 1; got 0"),
    (lambda: families.practical(2**53 + 1, 1, 0.9, 1), r"T must be at most 2\^53.*got 9007199254740993"),
    (lambda: families.constant(1, 0.9, 1), r"theta must satisfy 0 < theta < 1 \(R2, p\. 7\).*; got 1"),
    (lambda: families.constant(1, 0.9, 0), "theta must satisfy .*; got 0"),
    (lambda: families.constant(1, -0.1, 0.5), r"beta must satisfy .*; got -0\.1"),
    (lambda: families.constant(-1, 0, 0.5), "the step size must satisfy .*; got -1"),
    (lambda: families.bias_corrected_adam(0), "the step size must satisfy .*; got 0"),
    (lambda: families.bias_corrected_adam(beta=1), "beta must satisfy .*; got 1"),
    (lambda: families.bias_corrected_adam(theta=1), "theta must satisfy .*; got 1"),
    (lambda: families.bias_corrected_adam(theta=0), "theta must satisfy .*; got 0"),
    (lambda: families.bias_corrected_adam(s=-1), "s must satisfy .*; got -1"),
    (lambda: families.rmsprop(0), "the step size must satisfy .*; got 0"),
    (lambda: families.rmsprop(1, K=1), "theta_1 = "),
    (lambda: families.ada_ema(1, K=1), r"theta_1 = 1 - a/K\^r = 0 for a = 1, r = 1, K = 1; R2 \(p\. 7\)"),
    (lambda: families.ada_ema(1, beta=1), "beta must satisfy .*; got 1"),
    (lambda: families.adam_nc(1, K=1), "theta_1 = "),
    (lambda: families.adam_nc(1, beta=1), "beta must satisfy .*; got 1"),
    (lambda: families.adam_nc(1, decay=1), r"decay must satisfy 0 < decay < 1 \(AdamNC's lambda, p\. 11\).*; got 1"),
    (lambda: families.adam_nc(1, decay=0), "decay must satisfy .*; got 0"),
    (lambda: families.path_to_adam(1), "theta_1 = "),
    (lambda: families.path_to_adam(1.1, K=3), r"r must satisfy 0 <= r <= 1 \(sec\. 3\.4, p\. 12\).*; got 1\.1"),
    (lambda: families.path_to_adam(-0.1), r"r must satisfy .*; got -0\.1"),
    (lambda: families.path_to_adam(0.5, 1), r"theta_bar must satisfy 0 < theta_bar < 1 \(sec\. 3\.4, p\. 12\); got 1"),
    (lambda: families.path_to_adam(0.5, 0), "theta_bar must satisfy .*; got 0"),
    (lambda: families.path_to_adam(0.5, beta=1), "beta must satisfy .*; got 1"),
    (lambda: families.step_sizes(1, -1), "s must satisfy .*; got -1"),
    (lambda: families.step_sizes(1, beta=1), "beta must satisfy .*; got 1"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=range(len(REFUSED)))
def test_parameters_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("T", [10.0, "10", True, None])
def test_a_horizon_is_an_integer(T):
    with pytest.raises(TypeError, match=r"T must be an integer; got"):
        families.practical(T, 1, 0.9, 0.5)


def test_the_ends_of_the_ranges_are_taken():
    families.practical(1, 1, 0, 0.5).at(1)
    families.practical(np.int64(10), 1, 0, 9.99).at(1)
    families.practical(2**53, 1, 0, 9e15).at(1)
    families.path_to_adam(1, K=2).at(1)
    families.generic(1, 0, 0.5, 0).at(1)


good = lambda t: np.full(np.shape(t), 0.5)


def bad_from(first, value):
    return lambda t: np.where(np.asarray(t) >= first, value, 0.5)


@pytest.mark.parametrize(
    ("family", "message"),
    [
        (Family("", bad_from(4, 0.0), good, good), r"0 < alpha_t < infinity \(Algorithm 1, p\. 4\); got 0 at t = 4"),
        (Family("", bad_from(4, inf), good, good), "alpha_t must .*; got inf at t = 4"),
        (Family("", bad_from(4, nan), good, good), "alpha_t must .*; got nan at t = 4"),
        (Family("", good, bad_from(5, 1.0), good), r"0 <= beta_t < 1 \(R1, p\. 7\); got 1 at t = 5"),
        (Family("", good, bad_from(5, -0.1), good), r"beta_t must .*; got -0\.1 at t = 5"),
        (Family("", good, bad_from(5, nan), good), "beta_t must .*; got nan at t = 5"),
        (Family("", good, good, bad_from(3, 0.0)), r"0 < theta_t < 1 \(R2, p\. 7\); got 0 at t = 3"),
        (Family("", good, good, bad_from(3, 1.0)), "theta_t must .*; got 1 at t = 3"),
        (Family("", good, good, bad_from(3, nan)), "theta_t must .*; got nan at t = 3"),
    ],
)  # fmt: skip
def test_at_names_the_first_bad_step(family, message):
    with pytest.raises(ValueError, match=message):
        family.at(np.arange(1, 9))
    family.at([1, 2])
    with pytest.raises(ValueError, match=message.replace(" at t = ", " at t = 8|")):
        family.at(8)


def test_at_names_the_step_in_a_grid_of_configurations():
    theta = lambda t: np.where(np.asarray(t)[..., None] * [1, 2, 3] > 9, 1.0, 0.5)
    with pytest.raises(ValueError, match=r"theta_t must .*; got 1 at t = 4"):
        Family("", good, good, theta).at(np.arange(1, 9))
    with pytest.raises(ValueError, match=r"theta_t must .*; got 1 at t = 4"):
        Family("", good, good, theta).at(np.arange(1, 9).reshape(2, 4))


def test_a_sequence_may_be_one_number_for_all_t():
    family = Family("", lambda t: 0.1, lambda t: 0.2, lambda t: np.float64(0.3))
    assert [np.shape(values) for values in family.at(3)] == [()] * 3
    assert [values.tolist() for values in family.at([1, 2])] == [[0.1] * 2, [0.2] * 2, [0.3] * 2]
    with pytest.raises(ValueError, match=r"beta_t must .*; got 1 at t = 5"):
        Family("", lambda t: 0.1, lambda t: 1.0, lambda t: 0.3).at([5, 6])


def test_at_takes_beta_zero():
    assert Family("", good, lambda t: 0.0 * np.asarray(t), good).at(3)[1] == 0


def test_theta_that_rounds_to_one_is_refused_where_it_does():
    with pytest.raises(ValueError, match="got 1 at t = 100000000"):
        families.generic(1, 0.5, 0.5, 2).at(10 ** np.arange(9))


@pytest.mark.parametrize(("beta", "theta"), [(0.9, 0.999), (0.0, 0.9), (0.5, 0.99)])
def test_remark_1(beta, theta):
    """With v_0 = 1e-300 the increments are Kingma and Ba's (epsilon = 0): within 8 ulps, increment by increment."""
    alpha, rng = 1e-3, np.random.default_rng(5)
    family = families.bias_corrected_adam(alpha, beta, theta)
    state = AdamState(0, np.zeros(6), np.zeros(6), np.full(6, 1e-300))
    m, v = np.zeros(6), np.zeros(6)
    for t in range(1, 400):
        g = rng.standard_normal(6) * 10.0 ** rng.uniform(-4, 2, 6)
        state = adam_step(state._replace(x=np.zeros(6)), g, *family.at(t))
        m = beta * m + (1 - beta) * g
        v = theta * v + (1 - theta) * g**2
        with mpmath.workdps(40):
            m_hat = [mpf(float(a)) / (1 - mpf(beta) ** t) for a in m]
            v_hat = [mpf(float(a)) / (1 - mpf(theta) ** t) for a in v]
            for x, mk, vk in zip(state.x.tolist(), m_hat, v_hat, strict=True):
                kingma_ba = -alpha * mk / sqrt(vk)
                assert abs(x - kingma_ba) <= 8 * 2.0**-53 * abs(kingma_ba)
