"""Where g_t comes from: one sample (Algorithm 1), or the mean of s workers' samples (Algorithms 2 and 3).

The three algorithms differ in nothing else, so Proposition 22 (p. 17: distributed Adam with s workers is mini-batch
Adam with s samples) holds by construction. The mean is sum / s, and the sum is formed in one way only: a binary tree
over the worker index in which adjacent pairs are added level by level and an odd last node moves up unchanged,

    sum(a, b) = sum(a, a + h) + sum(a + h, b),    h = the largest power of two below b - a.

A rank that holds the workers lo..hi-1 adds every pair whose halves it has (`nodes_within` lists what is left), and
whoever gets all ranks' nodes finishes with the same function. So the bits do not depend on who adds what.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reference.checks import Array, NonFiniteError, first_non_finite_square, integer, place
from reference.problems.problem import Problem
from reference.sampling import Sampler

Node = tuple[int, int]  # the workers a..b-1

# Samples drawn and added at a time, in bytes: they stay in cache, and memory does not grow with s.
_BYTES_AT_A_TIME = 2**20


class Source(ABC):
    """Where g_t comes from: what the loop asks.

    Attributes
    ----------
    problem : Problem or None
        The problem behind it, for f and grad f on record.
    workers : int
        s.
    probabilities : array (R,) or None
        Of the replicas, where the source enumerates outcomes.
    """

    problem: Problem | None = None
    workers: int = 1
    probabilities: NDArray[np.float64] | None = None

    @abstractmethod
    def __call__(self, x: Array, t: int, gradient: Array | None = None) -> Array:
        """g_t at x_t = x, of its shape.

        Parameters
        ----------
        x : array (..., d)
        t : int
            From 1.
        gradient : array (..., d), optional
            grad f(x_t), where the caller has it.
        """

    def second_moment(self, x: Array) -> Array:
        """delta_t^2 = E_t g_t^2 at x_t = x, per coordinate (p. 9). ValueError where it is not known."""
        raise ValueError(f"{type(self).__name__}: E_t g_t^2 is not known")

    def locate(self, x: Array, t: int) -> NonFiniteError | None:
        """Whose sample made g_t at x not finite; None where that cannot be told."""
        return None


class FunctionSource(Source):
    """A plain function (x, t) -> g_t."""

    def __init__(self, function: Callable[[Array, int], Array]):
        self.function = function

    def __call__(self, x: Array, t: int, gradient: Array | None = None) -> Array:
        """What the function gives."""
        return self.function(x, t)


def as_source(given: Source | Callable[[Array, int], Array]) -> Source:
    """The source itself, or a function as one; TypeError for anything else."""
    if isinstance(given, Source):
        return given
    if not callable(given):
        raise TypeError(
            f"source must be a Source, such as MeanOfWorkers(problem, seed=0), or a function; got {given!r}"
        )
    return FunctionSource(given)


def add_pairs(leaves: Array) -> Array:
    """The tree's sum over the first axis, in place and vectorized: node j of level k lives at index j 2^k."""
    n = len(leaves)
    h = 1
    while h < n:
        left, right = leaves[0 : n - h : 2 * h], leaves[h : n : 2 * h]
        np.add(left, right, out=left)
        h *= 2
    return leaves[0]


def tree_sum(a: int, b: int, part: Callable[[int, int], Array | None]) -> Array:
    """sum(a, b) as above; part(a, b) gives a node's sum where it is known and None where it has to be split."""
    known = part(a, b)
    if known is not None:
        return known
    middle = _middle(a, b)
    left = tree_sum(a, middle, part)
    return np.add(left, tree_sum(middle, b, part), out=left)


def nodes_within(lo: int, hi: int, s: int) -> list[Node]:
    """The largest nodes of the tree over 0..s-1 that lie inside lo..hi-1, from left to right (at most 2 log2 s).

    >>> nodes_within(1, 6, 6)
    [(1, 2), (2, 4), (4, 6)]
    """

    def walk(a: int, b: int) -> list[Node]:
        if lo <= a and b <= hi:
            return [(a, b)]
        if b <= lo or hi <= a:
            return []
        return walk(a, _middle(a, b)) + walk(_middle(a, b), b)

    return walk(0, s)


def _middle(a: int, b: int) -> int:
    return a + (1 << ((b - a - 1).bit_length() - 1))


def sum_of_workers(
    problem: Problem, sampler: Sampler, x: Array, t: int, a: int, b: int, gradient: Array | None = None
) -> Array:
    """The node (a, b): the sum of the samples that workers a..b-1 draw at x in step t.

    gradient : grad f(x), where the caller has it. Samples that are grad f + noise need it once for all workers.
    """
    if gradient is None:
        gradient = problem.gradient_for_samples(x)

    if b - a == 1:
        return problem.samples(x, t, sampler, range(a, b), gradient)[0]

    def added(i: int, j: int) -> Array:
        return add_pairs(problem.samples(x, t, sampler, range(i, j), gradient))

    largest = max(1, _BYTES_AT_A_TIME // x.nbytes)
    if b - a <= largest:
        return added(a, b)
    return tree_sum(a, b, lambda i, j: added(i, j) if j - i <= largest else None)


class MeanOfWorkers(Source):
    """g_t = (1/s) sum_i g_t^(i): Algorithm 2 (p. 14), and Algorithm 3 (p. 17) in one process.

    Worker i's sample at step t depends on (seed, t, replica, i) and x alone. s = 1 is Algorithm 1 to the bit.
    """

    problem: Problem

    def __init__(self, problem: Problem, seed: int, workers: int = 1, first_replica: int = 0):
        self.problem, self.workers = problem, checked_workers(workers)
        self.sampler = Sampler(seed, first_replica=first_replica)

    def __call__(self, x: Array, t: int, gradient: Array | None = None) -> Array:
        """gradient : grad f(x), where the caller has it."""
        return mean(sum_of_workers(self.problem, self.sampler, x, t, 0, self.workers, gradient), self.workers)

    def second_moment(self, x: Array) -> Array:
        """delta_t^2 = E_t g_t^2 at x_t = x, per coordinate (p. 9)."""
        return self.problem.second_moment(x, self.workers)

    def locate(self, x: Array, t: int) -> NonFiniteError | None:
        return locate_non_finite(self.problem, self.sampler, x, t, range(self.workers))


class ExactGradient(Source):
    """g_t = grad f(x_t): no noise."""

    problem: Problem

    def __init__(self, problem: Problem):
        self.problem = problem

    def __call__(self, x: Array, t: int, gradient: Array | None = None) -> Array:
        """grad f(x); a copy of the one given, which stays the caller's."""
        return self.problem.gradient(x) if gradient is None else gradient.copy()

    def second_moment(self, x: Array) -> Array:
        """g_t^2 itself."""
        return np.square(self.problem.gradient(x))


def mean(total: Array, s: int) -> Array:
    """total / s, in place. For s = 1 the sample itself."""
    return total if s == 1 else np.divide(total, total.dtype.type(s), out=total)


def locate_non_finite(problem: Problem, sampler: Sampler, x: Array, t: int, workers: range) -> NonFiniteError | None:
    """The first of these workers whose sample at x is not finite, drawn again; None if all are."""
    for i in workers:
        sample = problem.samples(x, t, sampler, range(i, i + 1))[0]
        coordinate = first_non_finite_square(sample)
        if coordinate is not None:
            value = float(sample[coordinate])
            return NonFiniteError(t, place(coordinate), value, worker=i)
    return None


def checked_workers(s: int) -> int:
    """s as an integer of at least 1."""
    return integer("workers", s, 1, "a mean is of at least 1 sample: Algorithm 2, p. 14")
