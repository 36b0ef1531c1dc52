"""Every objective and its gradient against sums, quadrature and differences; the data; what the doors refuse."""

from __future__ import annotations

import dataclasses
import math
from importlib.resources import files

import numpy as np
import pytest
from scipy import integrate, special

from reference import Run, sampling
from reference.datasets import digits
from reference.problems import (
    BY_NAME,
    Bump,
    Counterexample,
    Digits,
    Gaussian,
    Network,
    NoisyQuadratic,
    ReddiPeriodic,
    ReddiStochastic,
    TaperedLinear,
    TwoPoint,
)
from reference.sampling import START, Sampler
from reference.schedules import ApproachOne, BiasCorrected, Constant, Geometric, PowerDecay
from tests.reference.problems_under_test import EVERY, PROBLEMS, points, raw_digits

# --- f and its gradient ----------------------------------------------------------------------------------------------


def f_quadratic(A, b, x):
    d = len(b)
    return sum(A[i][j] * x[i] * x[j] for i in range(d) for j in range(d)) - sum(b[i] * x[i] for i in range(d))


def f_tapered(u, slope, taper):
    """The integral of h' from -infinity, where h' = 0 below -taper."""
    bend = integrate.quad(lambda w: slope * (1 + w / taper), -taper, min(max(u, -taper), 0))[0]
    return bend + slope * max(u, 0)


@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("bump", lambda x: sum(u**2 / (1 + u**2) for u in x)),
        ("quadratic", lambda x: f_quadratic([[2, 0.5, 0], [0.5, 1, 0.25], [0, 0.25, 0.5]], [1, -1, 0.5], x)),
        ("quadratic given", lambda x: f_quadratic([[3, 1], [1, 2]], [1, -2], x)),
        ("quadratic diagonal", lambda x: 3 * x[0] ** 2 + 0.5 * x[1] ** 2 - x[0] + 2 * x[1]),
        ("quadratic half shifted", lambda x: 3 * x[0] ** 2 + 3 * x[1] ** 2 + 2 * x[1]),
        ("quadratic scaled", lambda x: sum(u**2 for u in x) / 2),
        ("counterexample", lambda x: (5.5 * x[0] ** 2 + 10 * -0.5 * x[0] ** 2) / 11),
        ("counterexample interval", lambda x: x[0] ** 2 / 22),
        ("reddi-periodic", lambda x: (5 * x[0] - x[0] - x[0]) / 3),
        ("reddi-stochastic", lambda x: 0.2 * x[0]),
        ("tapered", lambda x: sum(f_tapered(u, 0.5, 0.25) for u in x)),
    ],
)
def test_f_term_by_term(name, f):
    problem = PROBLEMS[name]
    x = np.concatenate([points(problem, 20), points(problem, 20, 0.2), problem.start[None]])
    values = problem.value(x)
    assert values.shape == (41,)
    for row, value in zip(x, values, strict=True):
        assert value == pytest.approx(f(row.tolist()), rel=1e-12, abs=1e-14)
        assert problem.value(row) == value


def test_f_of_the_digits():
    """Mean over the training rows of logsumexp(a'W) - (a'W)[label], plus 1e-4 sum w^2/(1+w^2); W is x row by row."""
    rows, labels = raw_digits()
    train = np.arange(1797) % 5 != 4
    digits = PROBLEMS["digits"]
    for x in (*points(digits, 3, 2.0), *points(digits, 2, 1e4)):  # the last with logits of 1e4: no overflow
        logits = rows[train] @ x.reshape(65, 10)
        loss = (special.logsumexp(logits, axis=1) - logits[range(train.sum()), labels[train]]).mean()
        penalty = sum(w * w / (1 + w * w) for w in x.tolist())
        assert digits.value(x) == pytest.approx(loss + 1e-4 * penalty, rel=1e-13)
        assert Digits(regularisation=0.5).value(x) == pytest.approx(loss + 0.5 * penalty, rel=1e-13)
    assert digits.value(digits.start) == pytest.approx(math.log(10), rel=1e-15)


def test_f_of_the_network():
    rows, labels = raw_digits()
    train = np.arange(1797) % 5 != 4
    network = PROBLEMS["network"]
    for x in points(network, 3):
        hidden = np.tanh(rows[train] @ x[: 65 * 5].reshape(65, 5))
        logits = np.column_stack([hidden, np.ones(len(hidden))]) @ x[65 * 5 :].reshape(6, 10)
        loss = (special.logsumexp(logits, axis=1) - logits[range(len(logits)), labels[train]]).mean()
        assert network.value(x) == pytest.approx(loss, rel=1e-13)


@EVERY
def test_the_gradient_by_central_differences(problem):
    """Richardson's extrapolation of two steps, along the axes or, where there are many, along random directions."""
    d = problem.dimension
    directions = np.eye(d) if d < 20 else np.random.default_rng(1).standard_normal((30, d)) / d**0.5
    for x in (*points(problem, 4), *points(problem, 3, 0.3, seed=2), problem.start):
        slope = lambda h, x=x: (problem.value(x + h * directions) - problem.value(x - h * directions)) / (2 * h)
        estimate = (4 * slope(1e-3) - slope(2e-3)) / 3
        np.testing.assert_allclose(directions @ problem.gradient(x), estimate, rtol=1e-7, atol=1e-9)


@EVERY
def test_value_and_gradient_are_value_and_gradient(problem):
    """Also to the bit, also for stacks of any shape; new arrays every time."""
    for x in (problem.start, points(problem, 6), points(problem, 6).reshape(2, 3, -1)):
        value, gradient = problem.value_and_gradient(x)
        assert np.shape(value) == x.shape[:-1] and gradient.shape == x.shape
        assert np.asarray(value).tobytes() == np.asarray(problem.value(x)).tobytes()
        assert gradient.tobytes() == problem.gradient(x).tobytes()
        assert not np.shares_memory(gradient, problem.gradient(x))
        assert not np.shares_memory(gradient, x)
        for place in np.ndindex(x.shape[:-1]):
            assert gradient[place].tobytes() == problem.gradient(x[place]).tobytes()
            assert np.asarray(value)[place].tobytes() == np.asarray(problem.value(x[place])).tobytes()


@EVERY
def test_float32(problem):
    """Stays float32, and is close to float64."""
    x = points(problem, 6).reshape(2, 3, -1).astype(np.float32)
    for y in (x, x[0], x[0, 0]):
        g, sample = problem.gradient(y), problem.samples(y, 3, Sampler(0), range(4))
        assert g.dtype == sample.dtype == problem.value(y).dtype == np.float32
        assert sample.shape == (4, *y.shape)
        wide = y.astype(np.float64)
        np.testing.assert_allclose(g, problem.gradient(wide), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(problem.value(y), problem.value(wide), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(sample, problem.samples(wide, 3, Sampler(0), range(4)), rtol=1e-4, atol=1e-5)


# --- the data, the starting points, the doors ------------------------------------------------------------------------


def test_the_digits_as_they_are():
    """1,797 images; every fifth is held out; rows of norm 1; ten labels; d = 650."""
    train, train_labels, held_out, held_out_labels = digits()
    rows, labels = raw_digits()
    assert (len(rows), train.shape, held_out.shape) == (1797, (1438, 65), (359, 65))
    assert set(train_labels.tolist()) == set(held_out_labels.tolist()) == set(range(10))
    where = np.arange(1797) % 5 == 4
    np.testing.assert_allclose(train, rows[~where], rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(held_out, rows[where], rtol=1e-14, atol=1e-16)
    assert (train_labels.tolist(), held_out_labels.tolist()) == (labels[~where].tolist(), labels[where].tolist())
    assert labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    for part in (train, held_out):
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), 1, rtol=1e-14)
        np.testing.assert_allclose(part[:, 64], math.sqrt(0.5), rtol=1e-15)
    assert Digits().dimension == 650
    assert not Digits().start.any()
    assert (Digits().local_batch, Digits().regularisation) == (8, 1e-4)


def test_the_licence_is_beside_the_data():
    licence = (files("reference.datasets") / "DIGITS-LICENSE.txt").read_text()
    assert "CC BY 4.0" in licence or "Creative Commons Attribution 4.0" in licence


@pytest.mark.parametrize("problem", [Digits(), Network(hidden=5)], ids=["digits", "network"])
def test_accuracy_on_the_held_out_images(problem):
    rows, labels = raw_digits()
    held_out = np.arange(1797) % 5 == 4
    for x in points(problem, 3, 3.0):
        if isinstance(problem, Digits):
            logits = rows @ x.reshape(65, 10)
        else:
            logits = np.tanh(rows @ x[:325].reshape(65, 5)) @ x[325:375].reshape(5, 10) + x[375:]
        right = sum(int(np.argmax(z) == k) for z, k in zip(logits[held_out], labels[held_out], strict=True))
        assert problem.accuracy(x) == right / 359
    assert Bump().accuracy(Bump().start) is None


def test_the_start_of_the_network():
    """Independent N(0, 1/fan-in), the same in every run: layer by layer, z-tests at 1e-6."""
    for hidden in (4, 16):
        network = Network(hidden=hidden)
        assert network.dimension == 65 * hidden + 10 * (hidden + 1)
        assert network.start.tobytes() == Network(hidden=hidden, local_batch=3).start.tobytes()
        normals = Sampler(0, START).normals(0, range(1), 1, (network.dimension,))[0, 0]
        cut = 65 * hidden
        np.testing.assert_allclose(network.start[:cut] * math.sqrt(65), normals[:cut], rtol=1e-14)
        np.testing.assert_allclose(network.start[cut:] * math.sqrt(hidden + 1), normals[cut:], rtol=1e-14)
    assert Network().dimension == 65 * 16 + 170
    assert Network(hidden=1).dimension == 65 + 20
    with pytest.raises(ValueError, match="hidden must be at least 1; got 0"):
        Network(hidden=0)


def test_starts():
    assert Bump().start.tolist() == [1] * 10
    assert NoisyQuadratic().start.tolist() == [1] * 3
    assert Counterexample().start.tolist() == ReddiPeriodic().start.tolist() == ReddiStochastic().start.tolist() == [1]
    assert TaperedLinear(reach=2.5, dimension=2).start.tolist() == [2.5, 2.5]
    assert TaperedLinear().start.tolist() == [1]
    assert (TaperedLinear().slope, TaperedLinear().taper) == (1, 1)
    for problem in PROBLEMS.values():
        assert problem.start.dtype == np.float64
        assert problem.start.shape == (problem.dimension,)


def test_projection():
    problem = Counterexample(bound=0.75)
    x = np.array([[-2.0], [0.5], [0.9]])
    assert problem.project(x) is x
    assert x.tolist() == [[-0.75], [0.5], [0.75]]
    assert ReddiPeriodic().project(np.array([7.0])).tolist() == [1]
    free = np.array([1e9, -1e9])
    assert Bump(2).project(free).tolist() == [1e9, -1e9]


def test_the_quadratic_s_matrix_is_checked():
    for A, b, message in (
        ([[1.0, 2.0], [0.0, 1.0]], [1.0, 1.0], "A must be symmetric positive definite"),
        ([[1.0, 0.0], [0.0, -1.0]], [1.0, 1.0], "A must be symmetric positive definite"),
        ([[1.0, 0.0], [0.0, 0.0]], [1.0, 1.0], "A must be symmetric positive definite"),
        ([0.0, 1.0], [1.0, 1.0], "A must be symmetric positive definite"),
        (np.eye(3), [1.0, 1.0], r"A must have shape \(d, d\) or \(d,\) and b \(d,\); got \(3, 3\) and \(2,\)"),
        ([1.0, 2.0, 3.0], [1.0, 1.0], r"got \(3,\) and \(2,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            NoisyQuadratic(A, b)


def test_the_quadratic_s_noise_is_the_paper_s():
    """xi ~ N(0, 100 I) (sec. 5.3.1, p. 20)."""
    assert NoisyQuadratic().variance(np.ones(3)).tolist() == [100] * 3
    assert NoisyQuadratic.scaled(2).variance(np.ones(2)).tolist() == [100] * 2


@pytest.mark.parametrize("option", ["slope", "taper"])
@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf])
def test_what_the_tapered_function_refuses(option, value):
    with pytest.raises(ValueError, match=rf"{option} must be positive and finite; got "):
        TaperedLinear(**{option: value})


@pytest.mark.parametrize("name", BY_NAME)
def test_problems_by_name(name):
    """What --problem NAME builds; the local batch is checked at the door."""
    problem = BY_NAME[name](3)
    assert (problem.name, problem.local_batch) == (name, 3)
    for B, error in ((0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError), ("1", TypeError)):
        with pytest.raises(error, match=r"local_batch must .*; got "):
            BY_NAME[name](B)
    assert type(BY_NAME[name](np.int64(2)).local_batch) is int


def test_a_local_batch_that_int32_holds():
    assert Bump(local_batch=2**31 - 1).local_batch == 2**31 - 1
    with pytest.raises(ValueError, match="local_batch must be below 2\\^31; got 2147483648"):
        Bump(local_batch=2**31)


def test_a_sample_is_one_draw_unless_told():
    """Except on the digits, where it is the mean over 8 images."""
    for kind in (Bump, NoisyQuadratic, Counterexample, ReddiPeriodic, ReddiStochastic, TaperedLinear):
        assert kind().local_batch == 1
    assert NoisyQuadratic.scaled(3).local_batch == 1
    assert Digits().local_batch == Network().local_batch == 8
    assert Bump().dimension == 10


@pytest.mark.parametrize(
    "thing",
    [
        Bump().constants,
        Bump().constants.L,
        Gaussian(1.0),
        TwoPoint(1.0),
        Constant(1.0),
        PowerDecay(1.0, 0.5),
        ApproachOne(0.5, 1),
        Geometric(0.9, 0.5),
        BiasCorrected(Constant(1.0), 0.9, 0.99),
        Run(None, {}, {}),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_is_stated_stays_as_it_is(thing):
    name = dataclasses.fields(thing)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(thing, name, None)


def test_what_the_names_stand_for():
    assert BY_NAME["bump"](1).variance(np.ones(10)).tolist() == [16] * 10
    assert BY_NAME["counterexample"](1).interval == (-1, 1)
    assert BY_NAME["network"](1).dimension == 65 * 16 + 17 * 10
    assert set(BY_NAME) == {
        "digits", "network", "bump", "quadratic", "counterexample", "reddi-periodic", "reddi-stochastic", "tapered",
    }  # fmt: skip


def test_streams_do_not_meet():
    """A problem's start and its samples come from different streams."""
    assert sampling.NOISE != sampling.START
    a, b = (Sampler(0, stream).words(0, range(1), 1, (8,)) for stream in (sampling.NOISE, sampling.START))
    assert not set(a.ravel().tolist()) & set(b.ravel().tolist())
