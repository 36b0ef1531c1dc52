"""f as a mean over labelled examples, written once: the draw, the mini-batch, the variance and the accuracy."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reference.adam import Array
from reference.datasets import Split
from reference.problems.problem import Problem, replicas_of
from reference.sampling import Sampler


class FiniteSum(Problem):
    """f(x) = (1/n) sum_i loss(x; example i); a sample is the gradient of the mean over B examples, with replacement.

    A subclass gives the loss of some examples with its gradient, and the scores by which examples are classified.

    Attributes
    ----------
    data : Split
    """

    def __init__(self, data: Split, start: ArrayLike, local_batch: int = 1) -> None:
        super().__init__(start, local_batch)
        self.data = data

    @abstractmethod
    def loss_and_gradient(self, x: Array, rows: Array, labels: NDArray[np.int64]) -> tuple[Array, Array]:
        """The mean over examples and its gradient: x (..., d), rows (..., n, features), labels (..., n).

        The leading axes broadcast; one product of one fixed shape for each of them keeps a worker's bits its own.
        Gives (...) and (..., d).
        """

    @abstractmethod
    def example_gradient(self, x: Array, rows: Array, labels: NDArray[np.int64]) -> Array:
        """The gradient alone, to the same bits."""

    @abstractmethod
    def scores(self, x: Array, rows: Array) -> Array:
        """(..., n, classes); the largest is the class."""

    def value(self, x: Array) -> Array:
        """f(x)"""
        return self.value_and_gradient(x)[0]

    def gradient(self, x: Array) -> Array:
        """grad f(x)"""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """The loss of all examples."""
        return self.loss_and_gradient(x, self.data.rows.astype(x.dtype, copy=False), self.data.labels)

    def samples(self, x: Array, t: int, sampler: Sampler, workers: range, gradient: Array | None = None) -> Array:
        """The gradient of the mean over each worker's B examples, gathered into fresh contiguous blocks."""
        drawn = sampler.indices(t, workers, replicas_of(x), (self.local_batch,), len(self.data.labels))
        drawn = drawn.reshape(len(workers), *(1,) * (x.ndim - 2), *drawn.shape[1 if x.ndim > 1 else 2 :])
        rows = self.data.rows.astype(x.dtype, copy=False)[drawn]
        return self.example_gradient(x, rows, self.data.labels[drawn])

    def variance(self, x: Array) -> Array:
        """Over the examples, one by one, divided by B."""

        def at(point: Array) -> Array:
            rows, labels = self.data.rows.astype(x.dtype, copy=False)[:, None], self.data.labels[:, None]
            one_by_one: Array = self.example_gradient(point, rows, labels).var(axis=0) / self.local_batch
            return one_by_one

        return np.apply_along_axis(at, -1, x)

    def accuracy(self, x: Array) -> float:
        """On the held-out examples."""
        return float((self.scores(x, self.data.held_out_rows).argmax(axis=-1) == self.data.held_out_labels).mean())
