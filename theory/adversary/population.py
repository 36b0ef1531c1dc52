"""Many instances side by side: the configurations axis of one array, (C, R, D), through the project's one loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import reference
from reference import Family, MeanOfWorkers
from reference.adam import Array
from reference.problems import bump, tapered
from reference.problems.problem import Problem, replicas_of
from reference.sampling import Sampler
from theory.adversary.instance import KINDS, SLOPE, Instance


class SideBySide(Problem):
    """The instances' problems as one, for x of shape (C, R, D), D the largest d; they share s and the replicas' draws.

    Coordinates beyond an instance's d rest at the minimum, without noise. Row c has the bits of instance c's own run
    where its d is D.
    """

    name = "side by side"

    def __init__(self, instances: Sequence[Instance]) -> None:
        dimensions = [i.dimension for i in instances]
        super().__init__(np.zeros(max(dimensions)))
        there = np.arange(self.dimension) < column(dimensions)  # (C, 1, D)
        self.instances = tuple(instances)
        self.bump = column([i.problem == "bump" for i in instances])
        self.taper = column([i.taper for i in instances])
        noises = [i.noise for i in instances]
        values = [(0.0,) if noise.outcomes is None else noise.outcomes.values for noise in noises]
        self.noise_variance = there * column([noise.variance for noise in noises])
        self.high, self.low = there * column([v[0] for v in values]), there * column([v[-1] for v in values])
        self.threshold = column([int(i.p * 2**64) for i in instances], np.uint64)
        minimum = np.where(self.bump, 0.0, -self.taper)
        self.first = np.where(there, column([i.x1 for i in instances]), minimum)  # x_1, (C, 1, D)

    @property
    def parameters(self) -> dict[str, Any]:
        """The instances in words."""
        return {"instances": [str(instance) for instance in self.instances]}

    def value(self, x: Array) -> Array:
        return np.where(self.bump, bump.height(x), tapered.height(x, SLOPE, self.taper)).sum(axis=-1)

    def gradient(self, x: Array) -> Array:
        return np.where(self.bump, bump.slope(x), tapered.steepness(x, SLOPE, self.taper))

    def samples(self, x: Array, t: int, sampler: Sampler, workers: range, gradient: Array | None = None) -> Array:
        gradient = self.gradient(x) if gradient is None else gradient
        if not self.high.any():
            return np.broadcast_to(gradient, (len(workers), *x.shape)).copy()
        words = sampler.words(t, workers, replicas_of(x), x.shape[-1:])[:, None]
        return gradient + np.where(words < self.threshold, self.high, self.low)

    def gradient_for_samples(self, x: Array) -> Array:
        """grad f(x)"""
        return self.gradient(x)

    def variance(self, x: Array) -> Array:
        return np.broadcast_to(self.noise_variance, x.shape)


def column(numbers: Sequence[Any], dtype: Any = None) -> NDArray[Any]:
    """(C, 1, 1)"""
    return np.array(numbers, dtype)[:, None, None]


def family_of(instances: Sequence[Instance]) -> Family:
    """The instances' schedules with parameters of shape (C, 1)."""
    parameters = np.array([i.parameters for i in instances]).T[..., None]
    beta = np.array([i.beta for i in instances])[:, None]
    return KINDS[instances[0].schedule].family(instances[0].steps, parameters, beta)


def run(instances: Sequence[Instance], seed: int, replicas: int, **options: Any) -> reference.Run:
    """`reference.run` of all the instances; arrays (C, R, D)."""
    problem = SideBySide(instances)
    source = MeanOfWorkers(problem, seed, instances[0].workers)
    x1 = np.repeat(problem.first, replicas, axis=1)
    epsilon, first = column([i.epsilon for i in instances]), instances[0]
    family = family_of(instances)
    return reference.run(source, x1, family, first.steps, epsilon=epsilon, method=first.by, **options)
