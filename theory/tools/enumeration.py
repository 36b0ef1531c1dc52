"""Every outcome of the noise at once: expectations over a short run without simulation.

A run of T steps whose gradient takes n values a step has n^T paths. They advance together as the R = n^T replicas of
one array (R, d), through the same loop and the same update as any run: path r takes at step t the value whose number
is digit t of r, written in base n with T digits. Its probability is the product of its steps'.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import comb, prod

import numpy as np

from reference.adam import Array
from reference.problems.noise import TwoPoint
from reference.problems.problem import AdditiveNoise, Problem

# outcomes(x, t): the values of g_t at x, (R, d), as (R, n, d), and their probabilities given the past, (n,) or (R, n)
Outcomes = Callable[[Array, int], tuple[Array, Array]]


class EveryOutcome:
    """The source that gives each of n^T replicas its path's g_t. `probabilities` (R,) are complete after step T."""

    def __init__(self, problem: Problem, outcomes: Outcomes, n: int, steps: int, workers: int = 1):
        self.problem, self.outcomes, self.workers = problem, outcomes, workers
        self.n, self.steps, self.replicas = n, steps, n**steps
        self.probabilities = np.ones(self.replicas)

    def __call__(self, x: Array, t: int) -> Array:
        values, probabilities = self.outcomes(x, t)
        paths = np.arange(self.replicas)
        taken = paths // self.n ** (self.steps - t) % self.n
        self.probabilities = self.probabilities * np.broadcast_to(probabilities, values.shape[:2])[paths, taken]
        return values[paths, taken]

    def second_moment(self, x: Array) -> Array:
        """delta_t^2 = E_t g_t^2, by the problem's formula."""
        return self.problem.second_moment(x, self.workers)


def two_point(problem: Problem, workers: int) -> tuple[Outcomes, int]:
    """Outcomes of grad f + the mean of s workers' two-point noise, and their number n = (s B + 1)^d.

    Coordinates are independent; in each, the mean of s B draws depends on how many are high, counted from none.
    ValueError for other noise.
    """
    noise = problem.noise if isinstance(problem, AdditiveNoise) else None
    if not isinstance(noise, TwoPoint):
        raise ValueError(
            f"{problem.name}: only additive two-point noise can be enumerated; this is {type(noise).__name__}"
        )
    draws = workers * problem.local_batch
    high = np.arange(draws + 1)
    values = (high * noise.high + (draws - high) * noise.low) / draws
    chances = np.array([comb(draws, int(k)) * noise.p**k * (1 - noise.p) ** (draws - k) for k in high])
    moves = np.array(list(product(values, repeat=problem.dimension)))
    weights = np.array([prod(chance) for chance in product(chances, repeat=problem.dimension)])
    return lambda x, t: (problem.gradient(x)[:, None, :] + moves, weights), len(moves)
