"""What a worker sends: its mean and variance by enumeration of the images or of the outcomes, and its independence."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from reference.problems import (
    BY_NAME,
    Bump,
    Counterexample,
    Digits,
    Gaussian,
    Network,
    NoisyQuadratic,
    NoNoise,
    ReddiPeriodic,
    ReddiStochastic,
    TaperedLinear,
    TwoPoint,
)
from reference.sampling import Sampler
from tests.reference.problems_under_test import EVERY, points


class Enumerating:
    """In place of a sampler: replica k gets the k-th element of a list, whoever asks."""

    def __init__(self, **lists):
        self.lists = lists

    def __getattr__(self, name):
        return lambda t, workers, replicas, shape, *_: np.broadcast_to(
            np.reshape(self.lists[name], (1, replicas, *shape)), (len(workers), replicas, *shape)
        ).copy()


# --- samples: their mean, variance and independence ------------------------------------------------------------------


@pytest.mark.parametrize(
    "problem", [Digits(local_batch=1), Network(hidden=3, local_batch=1)], ids=["digits", "network"]
)
def test_the_mean_over_all_images_is_the_gradient(problem):
    """A3 and Var g by enumeration: one replica an image."""
    n = 1438
    everyone = Enumerating(indices=np.arange(n))
    for x in (problem.start, points(problem, 1, 2.0)[0]):
        g = problem.samples(np.broadcast_to(x, (n, len(x))), 1, everyone, range(1))[0]
        np.testing.assert_allclose(g.mean(axis=0), problem.gradient(x), rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(g.var(axis=0), problem.variance(x), rtol=1e-8, atol=1e-15)
        np.testing.assert_allclose((g**2).mean(axis=0), problem.second_moment(x), rtol=1e-8, atol=1e-15)
        assert (problem.variance(x) >= 0).all()
        batch = type(problem)(local_batch=2)
        pair = np.tile([5, 77], (2, 1))
        x2 = np.broadcast_to(batch.start, (2, batch.dimension))
        both = batch.samples(x2, 1, Enumerating(indices=pair), range(1))[0, 0]
        one_by_one = type(problem)(local_batch=1).samples(x2, 1, Enumerating(indices=[5, 77]), range(1))[0]
        np.testing.assert_allclose(both, one_by_one.mean(axis=0), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("name", ["digits", "network"])
def test_variance_of_a_batch(name):
    """Var g is the variance over the images divided by B; stacks of x; the mean of s workers divides once more."""
    for B in (2, 8):
        one, batch = (BY_NAME[name](b) for b in (1, B))
        x = points(one, 2)
        np.testing.assert_allclose(batch.variance(x), one.variance(x) / B, rtol=1e-12)
        np.testing.assert_allclose(batch.variance(x)[1], batch.variance(x[1]), rtol=1e-9, atol=1e-18)
        np.testing.assert_allclose(
            batch.second_moment(x, 5), batch.gradient(x) ** 2 + one.variance(x) / (5 * B), rtol=1e-12
        )


# g(x, xi) for every outcome xi, with its probability
TWO_OUTCOMES = {
    "bump": (
        lambda B: Bump(1, TwoPoint(3.0, 0.25), B),
        lambda x: [(0.25, 2 * x / (1 + x * x) ** 2 + 3), (0.75, 2 * x / (1 + x * x) ** 2 - 1)],
    ),
    "quadratic": (
        lambda B: NoisyQuadratic([[2.0]], [1.0], TwoPoint(2.0), B),
        lambda x: [(0.5, 4 * x - 1 + 2), (0.5, 4 * x - 1 - 2)],
    ),
    "counterexample": (
        lambda B: Counterexample(local_batch=B),
        lambda x: [(1 / 11, 2 * 5.5 * x), (10 / 11, 2 * -0.5 * x)],
    ),
    "reddi-stochastic": (
        lambda B: ReddiStochastic(C=7.0, delta=0.2, local_batch=B),
        lambda x: [(1.2 / 8, 7.0), (1 - 1.2 / 8, -1.0)],
    ),
    "tapered": (
        lambda B: TaperedLinear(slope=0.5, taper=2.0, noise=TwoPoint(1.0, 0.5), local_batch=B),
        lambda x: [(0.5, 0.5 * min(max(1 + x / 2, 0), 1) + 1), (0.5, 0.5 * min(max(1 + x / 2, 0), 1) - 1)],
    ),
}


@pytest.mark.parametrize(("make", "outcomes"), TWO_OUTCOMES.values(), ids=TWO_OUTCOMES)
@pytest.mark.parametrize("x", [0.3, -0.7, 1.0])
def test_finite_noise_by_enumeration(make, outcomes, x):
    """The two gradients there are, A3, and E_t g^2 of the mean of s workers with B draws each, over all 2^(sB)."""
    B, s = 2, 2
    at_x = np.array([x])
    lowest, highest = 0, 2**64 - 1
    drawn = make(1).samples(at_x, 1, Enumerating(words=np.array([lowest], np.uint64)), range(1))
    assert drawn.ravel().tolist() == pytest.approx([outcomes(x)[0][1]], rel=1e-12)
    drawn = make(1).samples(at_x, 1, Enumerating(words=np.array([highest], np.uint64)), range(1))
    assert drawn.ravel().tolist() == pytest.approx([outcomes(x)[1][1]], rel=1e-12)

    mean = second = 0.0
    for chosen in itertools.product(outcomes(x), repeat=B * s):
        probability = math.prod(p for p, _ in chosen)
        g = sum(g for _, g in chosen) / (B * s)
        mean, second = mean + probability * g, second + probability * g * g
    problem = make(B)
    assert problem.gradient(at_x).tolist() == pytest.approx([mean], rel=1e-12)
    assert problem.second_moment(at_x, s).tolist() == pytest.approx([second], rel=1e-12)
    assert problem.variance(at_x).tolist() == pytest.approx([s * (second - mean**2)], rel=1e-10)

    half = Enumerating(words=np.array([lowest, highest], np.uint64))
    assert problem.samples(at_x, 1, half, range(3)).ravel().tolist() == pytest.approx(
        [sum(g for _, g in outcomes(x)) / 2] * 3, rel=1e-12
    )


@pytest.mark.parametrize("p", [0.5, 0.25, 1 / 11, 1e-9, 1 - 2**-53])
def test_two_points(p):
    """Mean 0 and variance as said, in fractions; the word where one outcome becomes the other is p 2^64."""
    noise = TwoPoint(high=3.0, p=p)
    high, low, probability = Fraction(noise.high), Fraction(noise.low), Fraction(p)
    assert abs(probability * high + (1 - probability) * low) < Fraction(1, 10**15)
    assert float(probability * high**2 + (1 - probability) * low**2) == pytest.approx(noise.variance, rel=1e-12)
    threshold = int(probability * 2**64)
    words = Enumerating(words=np.array([0, threshold - 1, threshold, 2**64 - 1], np.uint64))
    assert noise.draw(words, 1, range(1), 4, (1,)).ravel().tolist() == [3.0, 3.0, noise.low, noise.low]


def test_other_noises():
    sampler = Sampler(4)
    normals = sampler.normals(3, range(2), 5, (2,))
    assert Gaussian(2.5).draw(sampler, 3, range(2), 5, (2,)).tolist() == (2.5 * normals).tolist()
    assert (Gaussian(2.5).variance, NoNoise().variance) == (6.25, 0)
    assert not NoNoise().draw(sampler, 3, range(2), 5, (2,)).any()
    assert NoNoise().draw(sampler, 3, range(2), 5, (2,)).shape == (2, 5, 2)
    for p in (0, 1, -0.1, 1.5, math.nan):
        with pytest.raises(ValueError, match=r"the probability p must satisfy 0 < p < 1; got"):
            TwoPoint(1.0, p)


@pytest.mark.parametrize("noise", [Gaussian(2.0), TwoPoint(3.0, 0.25)])
@pytest.mark.parametrize("B", [1, 2, 9])
def test_a_local_batch_is_a_mean_of_draws(noise, B):
    draws = noise.draw(Sampler(4), 3, range(2), 5, (B, 3))
    mean = noise.mean_of(B, Sampler(4), 3, range(2), 5, (3,))
    assert mean.shape == (2, 5, 3)
    np.testing.assert_allclose(mean, sum(draws[:, :, b] for b in range(B)) / B, rtol=1e-14, atol=1e-15)


def test_noise_is_added_to_the_gradient():
    problem = Bump(3, Gaussian(0.5), local_batch=2)
    x = points(problem, 4)
    noise = Gaussian(0.5).mean_of(2, Sampler(1), 7, range(2, 5), 4, (3,))
    np.testing.assert_array_equal(problem.samples(x, 7, Sampler(1), range(2, 5)), problem.gradient(x) + noise)
    np.testing.assert_array_equal(Bump(3).samples(x, 7, Sampler(1), range(2))[1], problem.gradient(x))


@EVERY
def test_who_asks_for_a_sample_makes_no_difference(problem):
    """Bits of (seed, t, replica, worker): one worker or many, one replica or many, configurations or none."""
    R = 300 if problem.dimension < 100 else 5
    x = np.broadcast_to(points(problem, 1)[0], (2, R, problem.dimension))
    whole = problem.samples(x, 4, Sampler(9), range(5))
    assert whole.shape == (5, *x.shape)
    assert whole[:, 0].tobytes() == whole[:, 1].tobytes() == problem.samples(x[0], 4, Sampler(9), range(5)).tobytes()
    for i in range(5):
        assert problem.samples(x[0, 0], 4, Sampler(9), range(i, i + 1))[0].tobytes() == whole[i, 0, 0].tobytes()
    assert problem.samples(x[0, :3], 4, Sampler(9), range(2, 4)).tobytes() == whole[2:4, 0, :3].tobytes()
    if not (isinstance(problem, ReddiPeriodic) or isinstance(problem.__dict__.get("noise"), NoNoise)):
        assert len({whole[i, 0, r].tobytes() for i in range(5) for r in range(3)}) > 1
        assert problem.samples(x[0], 5, Sampler(9), range(5)).tobytes() != whole[:, 0].tobytes()
        assert problem.samples(x[0], 4, Sampler(8), range(5)).tobytes() != whole[:, 0].tobytes()


def test_reddi_periodic_gradients():
    """Their Theorem 1: f_t = C x when t mod 3 = 1, else -x; the mean over a period is f."""
    problem = ReddiPeriodic(C=5.0)
    g = [problem.samples(np.array([0.3]), t, Sampler(0), range(2))[1, 0] for t in range(1, 7)]
    assert g == [5, -1, -1, 5, -1, -1]
    assert sum(g) / 6 == problem.gradient(np.array([0.3]))[0] == 1
