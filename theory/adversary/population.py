"""Many instances side by side: the configurations axis of one array, (C, R, D), through the project's one loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import reference
from reference import Family, MeanOfWorkers, families
from reference.adam import Array
from reference.problems import Bump, TaperedLinear
from reference.problems.problem import Problem, replicas_of
from theory.adversary.instance import Instance

_BUMP = Bump(1)


class SideBySide(Problem):
    """The instances' problems as one, for x of shape (C, R, D), D the largest d; they share s and the replicas' draws.

    Coordinates beyond an instance's d rest at the minimum, without noise. Row c has the bits of instance c's own run
    where its d is D.
    """

    name = "side by side"

    def __init__(self, instances: Sequence[Instance]):
        dimensions = [i.dimension for i in instances]
        super().__init__(np.zeros(max(dimensions)))
        there = np.arange(self.dimension) < column(dimensions)  # (C, 1, D)
        self.bump = column([i.problem == "bump" for i in instances])
        tapered: Any = TaperedLinear()
        tapered.taper = column([i.taper for i in instances])  # its formulas take an array as well
        self.tapered = tapered
        noises = [i.objective.noise for i in instances]
        self.noise_variance = there * column([noise.variance for noise in noises])
        self.high = there * column([i.high for i in instances])
        self.low = there * column([getattr(noise, "low", 0.0) for noise in noises])
        self.threshold = column([int(i.p * 2**64) for i in instances], np.uint64)
        minimum = np.where(self.bump, 0.0, -tapered.taper)
        self.first = np.where(there, column([i.x1 for i in instances]), minimum)  # x_1, (C, 1, D)

    def value(self, x: Array) -> Array:
        return np.where(self.bump[..., 0], _BUMP.value(x), self.tapered.value(x))

    def gradient(self, x: Array) -> Array:
        return np.where(self.bump, _BUMP.gradient(x), self.tapered.gradient(x))

    def samples(self, x, t, sampler, workers):
        if not self.high.any():
            return np.broadcast_to(self.gradient(x), (len(workers), *x.shape)).copy()
        words = sampler.words(t, workers, replicas_of(x), x.shape[-1:])[:, None]
        return self.gradient(x) + np.where(words < self.threshold, self.high, self.low)

    def variance(self, x: Array) -> Array:
        return np.broadcast_to(self.noise_variance, x.shape)


def column(numbers: Sequence[Any], dtype: Any = None) -> NDArray[Any]:
    """(C, 1, 1)"""
    return np.array(numbers, dtype)[:, None, None]


def family_of(instances: Sequence[Instance]) -> Family:
    """The instances' schedules with parameters of shape (C, 1)."""
    parameters = np.array([i.parameters for i in instances]).T[..., None]
    beta = np.array([i.beta for i in instances])[:, None]
    if instances[0].schedule == "generic":
        eta, s, a, r, K = parameters
        return families.generic(eta, s, a, r, K, beta)
    alpha, theta = parameters
    return families.practical(instances[0].steps, alpha, beta, theta)


def run(instances: Sequence[Instance], seed: int, replicas: int, **options: Any) -> reference.Run:
    """`reference.run` of all the instances; arrays (C, R, D)."""
    problem = SideBySide(instances)
    source = MeanOfWorkers(problem, seed, instances[0].workers)
    x1 = np.repeat(problem.first, replicas, axis=1)
    epsilon = column([i.epsilon for i in instances])
    return reference.run(source, x1, family_of(instances), instances[0].steps, epsilon=epsilon, **options)
