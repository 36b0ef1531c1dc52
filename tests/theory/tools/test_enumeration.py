"""Every outcome of the noise: against fractions, against the definition of an expectation, and against simulation."""

from fractions import Fraction as F

import numpy as np
import pytest

from reference import MeanOfWorkers, families, problems
from tests.theory.chen_2022.lemma_runs import two_point
from theory.chen_2022.lemmas import record
from theory.chen_2022.trajectory import enumerate_paths
from theory.tools.enumeration import of_noise as outcomes_of


def test_two_steps_in_fractions():
    """theta = 1/2, epsilon = 2, x far on the linear part, f' = 1; noise +3 or -1: g = 4 or 0."""
    line = problems.TaperedLinear(reach=100.0, noise=problems.TwoPoint(3.0, 0.25))
    run = enumerate_paths(line, line.start, families.constant(1.0, 0.0, 0.5), 2, epsilon=2.0)
    v = lambda before, g: before / 2 + F(g**2) / 2
    paths = [(0, 0), (0, 4), (4, 0), (4, 4)]
    np.testing.assert_array_equal(run.g[:, :, 0].T, paths)
    np.testing.assert_array_equal(run.v[1, :, 0], [float(v(v(F(2), a), b)) for a, b in paths])
    np.testing.assert_array_equal(run.probabilities, [9 / 16, 3 / 16, 3 / 16, 1 / 16])
    np.testing.assert_array_equal(run.second_moment, np.full((2, 4, 1), 4.0))


@pytest.mark.parametrize(("dimension", "workers", "T"), [(1, 1, 5), (2, 1, 3), (1, 3, 4), (2, 2, 2)])
def test_conditional_expectations_are_exact(dimension, workers, T):
    """E_t g_t = grad f(x_t) and E_t g_t^2 = delta_t^2, the expectation over paths that share the first t-1 steps."""
    run = two_point(families.generic(0.3, 0.5, 0.8, 0.7, 1, 0.6), T, dimension=dimension, workers=workers)
    n = (workers + 1) ** dimension
    assert run.probabilities.size == n**T and run.probabilities.sum() == pytest.approx(1, abs=1e-12)
    for t in range(T):
        shape = (n**t, n ** (T - t))  # pasts, futures
        weights = run.probabilities.reshape(shape)
        weights = (weights / weights.sum(axis=1, keepdims=True))[..., None]
        g = run.g[t].reshape(*shape, dimension)
        gradient = run.gradient[t].reshape(*shape, dimension)
        assert np.ptp(gradient, axis=1).max() == 0  # one x_t for one past
        np.testing.assert_allclose((weights * g).sum(axis=1), gradient[:, 0], rtol=1e-12, atol=1e-13)
        second = run.second_moment[t].reshape(*shape, dimension)[:, 0]
        np.testing.assert_allclose((weights * g**2).sum(axis=1), second, rtol=1e-12)
    assert len(np.unique(run.g[-1], axis=0)) > n  # paths part


def test_expectations_are_those_of_a_simulation():
    family, T, R = families.generic(0.3, 0.5, 0.8, 0.7, 1, 0.6), 6, 20_000
    exact = two_point(family, T)
    bump = problems.Bump(1, noise=problems.TwoPoint(3.0, 0.25))
    sample = record(MeanOfWorkers(bump, seed=3), bump.start, family, T, epsilon=0.1, replicas=R)
    for name in ("omega", "squared_step", "weighted_gradient", "descent"):
        value = getattr(sample, name)
        error = value.std(axis=1) / np.sqrt(R)
        # a normal beyond 4.9 has probability 1e-6; 24 comparisons
        assert np.all(np.abs(value.mean(axis=1) - getattr(exact, name) @ exact.probabilities) < 4.9 * error + 1e-15)


def test_mean_of_several_draws_of_several_workers():
    bump = problems.Bump(2, noise=problems.TwoPoint(2.0, 0.25), local_batch=3)
    outcomes, n = outcomes_of(bump, workers=2)
    assert n == 7**2
    values, weights = outcomes(np.zeros((1, 2)), 1)
    np.testing.assert_allclose(weights.sum(), 1)
    np.testing.assert_allclose(weights @ values[0], 0, atol=1e-15)
    covariance = (values[0] * weights[:, None]).T @ values[0]
    np.testing.assert_allclose(covariance, np.eye(2) * 4 / 3 / 6, atol=1e-14)
    assert weights[np.argmin(values[0].sum(axis=1))] == pytest.approx(0.75**12)
    third = weights @ values[0][:, 0] ** 3  # of one draw 8/4 - 3/4 (2/3)^3 = 16/9; of the mean of six 1/36 of it
    assert third == pytest.approx(16 / 9 / 36)


def test_the_largest_tree_that_is_allowed(monkeypatch):
    """T n^T d numbers: 3 * 2^3 in one dimension."""
    monkeypatch.setattr("theory.chen_2022.trajectory.MOST_NUMBERS", 24)
    family = families.constant(0.1, 0.5, 0.9)
    assert two_point(family, 3).probabilities.size == 8
    with pytest.raises(ValueError, match="at most 24 numbers; got 64, since T = 4 steps of 2 outcomes are 16 paths"):
        two_point(family, 4)
    with pytest.raises(ValueError, match="got 384, since T = 3 steps of 4 outcomes are 64 paths"):
        two_point(family, 3, dimension=2)


def test_limits_are_named():
    bump = problems.Bump(1, noise=problems.Gaussian(1.0))
    with pytest.raises(ValueError, match="bump: only additive noise of finitely many values can be enumerated"):
        enumerate_paths(bump, bump.start, families.constant(0.1, 0.5, 0.9), 3, epsilon=0.1)
    with pytest.raises(ValueError, match=r"got 20971520, since T = 20 steps of 2 outcomes are 1048576 paths"):
        two_point(families.constant(0.1, 0.5, 0.9), 20)
