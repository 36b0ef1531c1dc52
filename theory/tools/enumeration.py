"""Every outcome of the noise at once: expectations over a short run without simulation.

A run of T steps whose gradient takes n values a step has n^T paths. They advance together as the R = n^T replicas of
one array (R, d), through the same loop and the same update as any run: path r takes at step t the value whose number
is digit t of r, written in base n with T digits. Its probability is the product of its steps'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from reference.adam import Array
from reference.problems.problem import Problem
from reference.sources import Source

# outcomes(x, t): the values of g_t at x, (R, d), as (R, n, d), and their probabilities given the past, (n,) or (R, n)
Outcomes = Callable[[Array, int], tuple[Array, Array]]


class EveryOutcome(Source):
    """The source that gives each of n^T replicas its path's g_t. `probabilities` (R,) are complete after step T."""

    problem: Problem
    probabilities: NDArray[np.float64]

    def __init__(self, problem: Problem, outcomes: Outcomes, n: int, steps: int, workers: int = 1) -> None:
        self.problem, self.outcomes, self.workers = problem, outcomes, workers
        self.n, self.steps, self.replicas = n, steps, n**steps
        self.probabilities = np.ones(self.replicas)

    def __call__(self, x: Array, t: int, gradient: Array | None = None) -> Array:
        """Each path's g_t."""
        values, probabilities = self.outcomes(x, t)
        paths = np.arange(self.replicas)
        taken = paths // self.n ** (self.steps - t) % self.n
        self.probabilities = self.probabilities * np.broadcast_to(probabilities, values.shape[:2])[paths, taken]
        return values[paths, taken]

    def second_moment(self, x: Array) -> Array:
        """delta_t^2 = E_t g_t^2, by the problem's formula."""
        return self.problem.second_moment(x, self.workers)


def of_noise(problem: Problem, workers: int) -> tuple[Outcomes, int]:
    """Outcomes of grad f + the mean of s workers' noise of k values, and their number, (s B + 1)^d for k = 2.

    Coordinates are independent; in each, the mean of s B draws depends on how often each value came, the first one
    counted from none. ValueError where the problem's noise is not of finitely many values.
    """
    outcomes = problem.noise_outcomes
    if outcomes is None:
        raise ValueError(f"{problem.name}: only additive noise of finitely many values can be enumerated")
    draws = workers * problem.local_batch
    values, chances = [], []
    for counts in _counts(draws, len(outcomes.values)):
        values.append(sum(n * value for n, value in zip(counts, outcomes.values, strict=True)) / draws)
        orders = prod(comb(sum(counts[i:]), n) for i, n in enumerate(counts))
        chances.append(prod((p**n for n, p in zip(counts, outcomes.probabilities, strict=True)), start=orders))
    moves = np.array(list(product(values, repeat=problem.dimension)))
    weights = np.array([prod(chance) for chance in product(chances, repeat=problem.dimension)])
    return lambda x, t: (problem.gradient(x)[:, None, :] + moves, weights), len(moves)


def _counts(draws: int, kinds: int) -> Iterator[tuple[int, ...]]:
    """Every way in which draws can be of so many kinds; the first kind's count runs slowest, from 0."""
    if kinds == 1:
        yield (draws,)
        return
    for first in range(draws + 1):
        for others in _counts(draws - first, kinds - 1):
            yield (first, *others)
