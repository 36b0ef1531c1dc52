"""Handwritten digits: multinomial logistic regression with a smooth non-convex regulariser, every constant computed.

Data: UCI Optical Recognition of Handwritten Digits (1,797 images of 8x8 pixels, 10 classes), CC BY 4.0, beside this
file with its licence. Every fifth row (index % 5 = 4) is held out: the last rows come from other writers.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from reference.adam import Array
from reference.problems.bump import STEEPEST, slope
from reference.problems.problem import Known, KnownConstants, Problem, replicas_of
from reference.sampling import Sampler

CLASSES = 10


@cache
def images() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(train rows, train labels, held-out rows, held-out labels); a row is (a/||a||, 1)/sqrt(2), of norm 1."""
    packed = (files("reference.problems") / "data" / "digits.csv.gz").read_bytes()
    table = np.loadtxt(gzip.decompress(packed).decode().splitlines(), delimiter=",")
    pixels, labels = table[:, :-1], table[:, -1].astype(np.int64)
    pixels /= np.sqrt((pixels * pixels).sum(axis=1, keepdims=True))
    rows = np.hstack([pixels, np.ones((len(pixels), 1))]) / np.sqrt(2)
    held_out = np.arange(len(rows)) % 5 == 4
    return rows[~held_out], labels[~held_out], rows[held_out], labels[held_out]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def cross_entropy(log_p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean over images of -log_p[label]; log_p is (..., n, 10), labels broadcast to (..., n)."""
    labels = np.broadcast_to(labels, log_p.shape[:-1])[..., None]
    # C-contiguous, unlike fancy indexing's result: a sum's bits depend on the order in memory
    return -np.take_along_axis(log_p, labels, -1)[..., 0].mean(axis=-1)


class Digits(Problem):
    """f(W) = mean over the training images of -log softmax(a'W)[label] + lambda sum w^2/(1 + w^2).

    x is W (65 x 10) row by row: d = 650, x_1 = 0. A sample is the mean over B images drawn with replacement, plus the
    regulariser's gradient.
    """

    name = "digits"

    def __init__(self, local_batch: int = 8, regularisation: float = 1e-4):
        rows, labels, _, _ = images()
        super().__init__(np.zeros(rows.shape[1] * CLASSES), local_batch)
        self.regularisation = regularisation
        self._rows, self._labels = rows, labels
        power = float((rows * rows).sum(axis=1).mean())
        largest = float(np.linalg.eigvalsh(rows.T @ rows / len(rows))[-1])
        steepest = STEEPEST * regularisation * np.sqrt(self.dimension)
        self.constants = KnownConstants(
            L=Known(
                largest / 2 + 2 * regularisation,
                "upper bound",
                "the softmax Hessian is at most 1/2, so lambda_max(A'A/n)/2, plus 2 lambda for the regulariser",
            ),
            G=Known(
                float(np.sqrt(2 * power) + steepest),
                "upper bound",
                "||p - e_label|| <= sqrt 2, so sqrt(2 mean ||a||^2), plus 9/(8 sqrt 3) lambda sqrt d",
            ),
            sigma2=Known(2 * power / local_batch, "upper bound", "2 mean ||a||^2 / B; the regulariser has no noise"),
            f_star=Known(0.0, "lower bound", "every term of f is >= 0"),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """lambda and B."""
        return {"regularisation": self.regularisation, "local_batch": self.local_batch}

    def value(self, x):
        return self.value_and_gradient(x)[0]

    def gradient(self, x):
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x):
        rows, labels = self._rows.astype(x.dtype, copy=False), self._labels
        log_p = log_softmax(rows @ self._matrix(x))
        loss = cross_entropy(log_p, labels)
        gradient = (rows.T @ self._residual(log_p, labels)) / x.dtype.type(len(labels))
        square = x * x
        loss = loss + self.regularisation * (square / (1 + square)).sum(axis=-1)
        return loss, gradient.reshape(x.shape) + self.regularisation * slope(x)

    def samples(self, x: Array, t: int, sampler: Sampler, workers: range, gradient: Array | None = None) -> Array:
        # One product of one fixed shape per (worker, replica), its operands gathered into fresh contiguous blocks: the
        # bits of a worker do not depend on how many are stacked.
        drawn = sampler.indices(t, workers, replicas_of(x), (self.local_batch,), len(self._labels))
        drawn = drawn.reshape(len(workers), *(1,) * (x.ndim - 2), *drawn.shape[1 if x.ndim > 1 else 2 :])
        rows, labels = self._rows.astype(x.dtype, copy=False)[drawn], self._labels[drawn]
        residual = self._residual(log_softmax(rows @ self._matrix(x)), labels)
        gradient = (rows.swapaxes(-1, -2) @ residual) / x.dtype.type(self.local_batch)
        return gradient.reshape(len(workers), *x.shape) + self.regularisation * slope(x)

    def variance(self, x):
        log_p = log_softmax(self._rows @ self._matrix(x))
        residual = self._residual(log_p, self._labels)
        n = len(self._labels)
        second = np.square(self._rows).T @ np.square(residual) / n
        first = self._rows.T @ residual / n
        return (np.maximum(second - first * first, 0) / self.local_batch).reshape(x.shape)

    def accuracy(self, x):
        """On the held-out images."""
        _, _, rows, labels = images()
        return float(((rows @ self._matrix(x)).argmax(axis=-1) == labels).mean())

    @staticmethod
    def _matrix(x):
        return x.reshape(*x.shape[:-1], -1, CLASSES)

    @staticmethod
    def _residual(log_p, labels):
        """softmax - e_label, in place of log_p."""
        residual = np.exp(log_p)
        labels = np.broadcast_to(labels, residual.shape[:-1])[..., None]
        np.put_along_axis(residual, labels, np.take_along_axis(residual, labels, -1) - 1, -1)
        return residual
