"""Many instances side by side: the configurations axis of one array, (C, R, d), through the project's one loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference import Family, MeanOfWorkers, families
from reference.adam import Array
from reference.problems import Bump, TaperedLinear
from reference.problems.problem import Problem, replicas_of
from theory.adversary.instance import Instance


class SideBySide(Problem):
    """The instances' problems as one, for x of shape (C, R, d); they share the kind, d, s and the replicas' draws.

    Row c has the bits of instance c's own run.
    """

    name = "side by side"

    def __init__(self, instances: Sequence[Instance]):
        super().__init__(np.zeros(instances[0].dimension))
        tapered: Any = TaperedLinear()
        tapered.taper = column([i.taper for i in instances])  # its formulas take an array as well
        self.shape = Bump(1) if instances[0].problem == "bump" else tapered
        noises = [i.objective.noise for i in instances]
        self.noise_variance = column([noise.variance for noise in noises])
        self.high = column([i.high for i in instances])
        self.low = column([getattr(noise, "low", 0.0) for noise in noises])
        self.threshold = column([int(i.p * 2**64) for i in instances], np.uint64)

    def value(self, x: Array) -> Array:
        return self.shape.value(x)

    def gradient(self, x: Array) -> Array:
        return self.shape.gradient(x)

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


def start_of(instances: Sequence[Instance], replicas: int) -> Array:
    """x_1, (C, R, d)"""
    return np.broadcast_to(column([i.x1 for i in instances]), (len(instances), replicas, instances[0].dimension))


def source_of(instances: Sequence[Instance], seed: int) -> MeanOfWorkers:
    return MeanOfWorkers(SideBySide(instances), seed, instances[0].workers)
