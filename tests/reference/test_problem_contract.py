"""What every problem promises: equality by declared parameters, a start that cannot be written, honest constants."""

from __future__ import annotations

import json

import numpy as np
import pytest

from reference import problems
from reference.problems import (
    Bump,
    Counterexample,
    Digits,
    Gaussian,
    Network,
    Noise,
    NoisyQuadratic,
    NoNoise,
    ReddiPeriodic,
    ReddiStochastic,
    TaperedLinear,
    TwoPoint,
)
from reference.problems.problem import declared
from reference.sampling import Sampler
from tests.reference.problems_under_test import EVERY, PROBLEMS, points

LARGE = np.full(100, 0.5)

# every parameter of every problem, changed: no two of these are the same problem
DIFFERENT = [
    Bump(),
    Bump(11),
    Bump(noise=Gaussian(1.0)),
    Bump(noise=Gaussian(2.0)),
    Bump(noise=TwoPoint(1.0)),
    Bump(noise=TwoPoint(1.0, 0.25)),
    Bump(noise=TwoPoint(2.0)),
    Bump(local_batch=2),
    Bump().starting_at(np.zeros(10)),
    NoisyQuadratic(),
    NoisyQuadratic([[3.0, 1.0], [1.0, 2.0]], [1.0, -2.0]),
    NoisyQuadratic([3.0, 2.0], [1.0, -2.0]),
    NoisyQuadratic([3.0, 2.0], [1.0, 2.0]),
    NoisyQuadratic([3.0, 2.0], [1.0, 2.0], local_batch=3),
    NoisyQuadratic(LARGE, np.zeros(100)),
    NoisyQuadratic(LARGE + np.eye(100)[7], np.zeros(100)),
    NoisyQuadratic(LARGE, np.eye(100)[7]),
    NoisyQuadratic([3.0, 2.0], [1.0, 2.0], Gaussian(1.0)),
    Counterexample(),
    Counterexample(1.0),
    Counterexample(0.5),
    Counterexample(local_batch=2),
    ReddiPeriodic(),
    ReddiPeriodic(5.0),
    ReddiPeriodic(local_batch=2),
    ReddiStochastic(),
    ReddiStochastic(11.0),
    ReddiStochastic(delta=0.02),
    ReddiStochastic(local_batch=2),
    TaperedLinear(),
    TaperedLinear(2.0),
    TaperedLinear(taper=2.0),
    TaperedLinear(reach=2.0),
    TaperedLinear(dimension=2),
    TaperedLinear(noise=Gaussian(1.0)),
    TaperedLinear(local_batch=2),
    Digits(),
    Digits(4),
    Digits(regularisation=1e-3),
    Network(),
    Network(8),
    Network(local_batch=4),
]


def test_two_problems_are_equal_if_and_only_if_name_parameters_and_start_are():
    for i, one in enumerate(DIFFERENT):
        assert [one == other for other in DIFFERENT] == [i == j for j in range(len(DIFFERENT))]
    assert len({hash(one) for one in DIFFERENT}) == len(set(DIFFERENT)) == len(DIFFERENT)
    assert Bump(3, Gaussian(2.0), 2) == Bump(np.int64(3), Gaussian(np.float64(2.0)), np.int32(2))
    assert Bump(3, Gaussian(2)) == Bump(3, Gaussian(np.int64(2)))
    assert hash(Bump(3)) == hash(Bump(3))
    assert TaperedLinear(reach=2.0) == TaperedLinear().starting_at([2.0])
    assert Bump() != "bump"


@EVERY
def test_a_description_survives_json(problem):
    assert json.loads(json.dumps(problem.description)) == problem.description
    assert problem.description["name"] == problem.name
    assert problem.description["start"] == declared(problem.start)


def test_long_arrays_are_declared_by_their_hash():
    assert declared(np.arange(64.0)) == list(range(64))
    long = np.arange(65.0)
    assert declared(long)["shape"] == [65]
    assert declared(long) == declared(long.copy()) != declared(long + np.eye(65)[64])
    assert declared(np.arange(66.0).reshape(6, 11)) != declared(np.arange(66.0).reshape(11, 6))


@EVERY
def test_starting_at_is_a_copy(problem):
    before = problem.start.copy()
    x1 = problem.project(problem.start + 0.125)
    other = problem.starting_at(x1)
    assert type(other) is type(problem) and other.start.tolist() == x1.tolist()
    assert problem.start.tolist() == before.tolist() and other.parameters == problem.parameters
    assert (other == problem) == (x1.tolist() == before.tolist())
    x = points(problem, 3)
    assert other.value(x).tobytes() == problem.value(x).tobytes()
    assert other.samples(x, 1, Sampler(0), range(2)).tobytes() == problem.samples(x, 1, Sampler(0), range(2)).tobytes()
    x1[0] = -0.5
    assert other.start[0] != -0.5 or before[0] == -0.625  # a copy of what was given
    with pytest.raises(ValueError, match="read-only"):
        problem.start[0] = 1.0
    with pytest.raises(AttributeError):
        problem.start = x1


def test_what_a_start_must_be():
    for x1, message in (
        (np.ones(4), r"bump: x_1 must have shape \(3,\); got \(4,\)"),
        (1.0, r"x_1 must have shape \(d,\) with d >= 1; got \(\)"),
        (np.ones((1, 3)), r"x_1 must have shape \(d,\)"),
        ([1.0, np.nan, 1.0], "x_1 must be finite"),
    ):
        with pytest.raises(ValueError, match=message):
            Bump(3).starting_at(x1)
    for outside in (1.5, -1.5):
        with pytest.raises(ValueError, match=r"reddi-periodic: x_1 must lie in \[-1, 1\]; got"):
            ReddiPeriodic().starting_at([outside])
    assert ReddiPeriodic().starting_at([-1.0]).start == [-1.0]


def test_a_point_of_another_dimension_is_refused_at_the_door():
    Bump(3).require_dimension(np.ones((2, 3)))
    for x in (np.ones(4), np.ones((3, 2)), np.float64(1.0)):
        with pytest.raises(ValueError, match="bump has d = 3, the last axis of x; got x of shape"):
            Bump(3).require_dimension(x)


@pytest.mark.parametrize("make", [Bump, lambda d: TaperedLinear(dimension=d), NoisyQuadratic.scaled])
def test_a_dimension_is_a_positive_integer(make):
    for d in (0, -2):
        with pytest.raises(ValueError, match=f"dimension must be at least 1; got {d}"):
            make(d)
    for wrong in (2.5, True, "3", Gaussian(1.0)):
        with pytest.raises(TypeError, match="dimension must be an integer; got"):
            make(wrong)
    assert make(1).dimension == 1


def test_noise_is_a_noise_with_a_sensible_scale():
    for wrong in (0.5, 0, "gaussian", Gaussian):
        with pytest.raises(TypeError, match=r"noise must be a Noise such as problems.Gaussian\(0.5\)"):
            Bump(3, wrong)
    for scale in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="the scale of Gaussian noise must satisfy 0 <= scale < inf; got"):
            Gaussian(scale)
    for high in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match="high must be finite; got"):
            TwoPoint(high)
    assert Gaussian(0.0).variance == 0 and TwoPoint(-3.0, 0.25).low == 1.0
    with pytest.raises(ValueError, match="regularisation must satisfy 0 <= regularisation < inf; got -1"):
        Digits(regularisation=-1)


class Words(Sampler):
    """Replica k draws the word that a noise names for its k-th value."""

    def __init__(self, noise):
        super().__init__(0)
        self.named = np.array(noise.outcomes.words, np.uint64)

    def words(self, t, workers, replicas, shape):
        return self.named.reshape(1, replicas, 1)


def test_what_noise_says_of_itself():
    assert NoNoise().outcomes[:2] == ((0.0,), (1.0,)) and NoNoise().support == (0, 0)
    assert TwoPoint(3.0, 0.25).outcomes[:2] == ((3.0, -1.0), (0.25, 0.75))
    assert TwoPoint(3.0, 0.25).support == (-1.0, 3.0) and TwoPoint(-3.0, 0.25).support == (-3.0, 1.0)
    assert Gaussian(1.0).outcomes is None and Gaussian(1.0).support == (-np.inf, np.inf)
    for noise in (NoNoise(), TwoPoint(3.0, 1e-9), TwoPoint(3.0, 1 - 2**-53)):  # each word gives its value
        assert noise.draw(Words(noise), 1, range(1), 2, (1,)).ravel()[: len(noise.outcomes.words)].tolist() == list(
            noise.outcomes.values
        )


def test_a_noise_of_your_own():
    class Uniform(Noise):
        """Uniform on [-half, half]."""

        def __init__(self, half):
            self.half = half

        @property
        def variance(self):
            return self.half**2 / 3

        def draw(self, sampler, t, workers, replicas, shape):
            return self.half * (2 * (sampler.words(t, workers, replicas, shape) >> np.uint64(11)) * 2.0**-53 - 1)

    bump = Bump(2, Uniform(3.0), local_batch=2)
    assert bump.parameters["noise"] == {"name": "Uniform", "half": 3.0}
    assert bump != Bump(2, Uniform(4.0), local_batch=2) and bump == Bump(2, Uniform(3.0), local_batch=2)
    assert bump.constants.sigma2.value == 3.0 and bump.constants.sup_norm.value == np.inf
    g = bump.samples(np.tile(bump.start, (20_000, 1)), 1, Sampler(0), range(1))[0]
    np.testing.assert_allclose(g.var(axis=0), bump.variance(bump.start), rtol=0.05)


# --- constants: never exceeded, and reached where they are called exact -----------------------------------------------

BOUNDED = {
    "bump": Bump(2, TwoPoint(3.0, 0.25), local_batch=2),
    "bump skewed": Bump(2, TwoPoint(-3.0, 0.25)),
    "bump, no noise": Bump(2),
    "tapered": TaperedLinear(0.5, 0.25, 2.0, 2, TwoPoint(1.0, 0.25)),
    "tapered skewed": TaperedLinear(0.5, 0.25, 2.0, 2, TwoPoint(-1.0, 0.25)),
    "counterexample": Counterexample(0.75, local_batch=2),
    "reddi-periodic": ReddiPeriodic(C=5.0),
    "reddi-stochastic": ReddiStochastic(C=2.0, delta=0.2),
    "reddi-stochastic, small C": ReddiStochastic(C=0.5, delta=0.2),
}


@pytest.mark.parametrize("problem", BOUNDED.values(), ids=BOUNDED)
def test_the_sup_norm_is_reached_and_not_exceeded(problem):
    grid = np.concatenate([np.linspace(-3, 3, 601), [3**-0.5, -(3**-0.5)]])[:, None]
    x = problem.project(np.repeat(grid, problem.dimension, axis=1))
    g = np.concatenate([problem.samples(x, t, Sampler(0), range(60)) for t in (1, 2, 3)])
    assert problem.constants.sup_norm.kind == "exact"
    assert np.abs(g).max() == pytest.approx(problem.constants.sup_norm.value, rel=1e-12)


@pytest.mark.parametrize("name", ["bump", "quadratic", "reddi-stochastic", "tapered", "counterexample interval"])
def test_sigma_i_is_the_largest_standard_deviation_of_a_coordinate(name):
    problem = PROBLEMS[name]
    x = problem.project(np.repeat(np.linspace(-3, 3, 61)[:, None], problem.dimension, axis=1))
    largest = np.sqrt(problem.variance(x).max())
    assert problem.constants.sigma_i.kind == "exact"
    assert problem.constants.sigma_i.value == pytest.approx(largest, rel=1e-12)


def test_constants_of_the_digits_hold_at_every_point_tried():
    digits = Digits(local_batch=2, regularisation=0.1)
    x = points(digits, 6, 30.0)
    largest = np.sqrt(digits.variance(x).max())
    assert 0.3 * digits.constants.sigma_i.value < largest <= digits.constants.sigma_i.value
    # no pixel is brighter on average than the constant 1/sqrt 2 at the end of a row
    assert digits.constants.sigma_i.value == pytest.approx((0.5 / 2) ** 0.5, rel=1e-12)
    one = Digits(local_batch=1, regularisation=0.1)
    g = one.samples(np.tile(x[0], (200, 1)), 1, Sampler(0), range(3))
    assert 0.8 * one.constants.sup_norm.value < np.abs(g).max() <= one.constants.sup_norm.value


def test_unbounded_noise_and_gradients_have_no_sup_norm():
    for problem in (Bump(3, Gaussian(1.0)), NoisyQuadratic(noise=TwoPoint(1.0)), Counterexample()):
        assert problem.constants.sup_norm.value == np.inf
    assert Counterexample().constants.sigma_i.value == np.inf
    for known in (Network().constants.sup_norm, Network().constants.sigma_i, ReddiPeriodic().constants.sigma_i):
        assert known.value is None and known.kind == "unknown" and known.why


def test_the_largest_gradient_norm():
    """What is met along a run cannot exceed it; G counts the noise too, where the noise is added."""
    steepest = 9 / (8 * 3**0.5)
    assert Bump(4, Gaussian(2.0), 2).largest_gradient_norm() == pytest.approx(2 * steepest, rel=1e-12)
    assert TaperedLinear(0.5, dimension=4, noise=TwoPoint(3.0)).largest_gradient_norm() == pytest.approx(1.0, rel=1e-12)
    assert Digits().largest_gradient_norm() == Digits().constants.G.value
    assert Network().largest_gradient_norm() is None
    assert NoisyQuadratic().largest_gradient_norm() == np.inf


@EVERY
def test_the_gradient_a_caller_has_changes_no_bit(problem):
    """And it is used where samples are made from it."""
    x = np.broadcast_to(points(problem, 3), (2, 3, problem.dimension))
    bare = problem.samples(x, 2, Sampler(4), range(3))
    assert problem.samples(x, 2, Sampler(4), range(3), problem.gradient(x)).tobytes() == bare.tobytes()
    shared = problem.gradient_for_samples(x)
    if shared is not None:
        assert shared.tobytes() == problem.gradient(x).tobytes()
        moved = problem.samples(x, 2, Sampler(4), range(3), shared + 1.0)
        np.testing.assert_allclose(moved, bare + 1.0, rtol=1e-12)


def test_a_problem_is_shown_by_its_name_and_parameters():
    """Not by its address, which differs from process to process."""
    noise = "{'name': 'Gaussian', 'scale': 2.0}"
    assert repr(problems.Bump(3, problems.Gaussian(2.0))) == f"bump(dimension=3, noise={noise}, local_batch=1)"
