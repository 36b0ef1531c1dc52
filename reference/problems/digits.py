"""Handwritten digits: multinomial logistic regression with a smooth non-convex regulariser, every constant computed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference.adam import Array
from reference.datasets import digits
from reference.datasets.digits import CLASSES
from reference.networks.layers import Dense, SoftmaxCrossEntropy
from reference.problems.bump import STEEPEST, height, slope
from reference.problems.finite_sum import FiniteSum
from reference.problems.problem import Known, KnownConstants


class Digits(FiniteSum):
    """f(W) = mean over the training images of -log softmax(a'W)[label] + lambda sum w^2/(1 + w^2).

    x is W (65 x 10) row by row: d = 650, x_1 = 0. A sample is the mean over B images drawn with replacement, plus the
    regulariser's gradient.
    """

    name = "digits"

    def __init__(self, local_batch: int = 8, regularisation: float = 1e-4) -> None:
        if not 0 <= regularisation < np.inf:
            raise ValueError(f"regularisation must satisfy 0 <= regularisation < inf; got {regularisation}")
        data = digits()
        rows = data.rows
        super().__init__(data, np.zeros(rows.shape[1] * CLASSES), local_batch)
        self.regularisation = regularisation
        power = float((rows * rows).sum(axis=1).mean())
        largest = float(np.linalg.eigvalsh(rows.T @ rows / len(rows))[-1])
        steepest = STEEPEST * regularisation * np.sqrt(self.dimension)
        brightest = float((rows * rows).mean(axis=0).max())
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
            sup_norm=Known(
                float(np.abs(rows).max() + STEEPEST * regularisation),
                "upper bound",
                "|a_k (p - e_label)_c| <= max |a_k|, plus 9/(8 sqrt 3) lambda",
            ),
            sigma_i=Known(
                float(np.sqrt(brightest / local_batch)), "upper bound", "max_k mean a_k^2 / B, since |p - e_label| <= 1"
            ),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """lambda and B."""
        return {"regularisation": self.regularisation, "local_batch": self.local_batch}

    def loss_and_gradient(self, x: Array, rows: Array, labels: NDArray[np.int64]) -> tuple[Array, Array]:
        """Cross-entropy and the regulariser."""
        log_p = SoftmaxCrossEntropy.log_softmax(self.scores(x, rows))
        loss = SoftmaxCrossEntropy.forward(log_p, labels) + self.regularisation * height(x).sum(axis=-1)
        return loss, self._backward(x, rows, log_p, labels)

    def example_gradient(self, x: Array, rows: Array, labels: NDArray[np.int64]) -> Array:
        """Of both."""
        return self._backward(x, rows, SoftmaxCrossEntropy.log_softmax(self.scores(x, rows)), labels)

    def scores(self, x: Array, rows: Array) -> Array:
        """The logits a'W."""
        return Dense.forward(rows, x.reshape(*x.shape[:-1], -1, CLASSES))

    def variance(self, x: Array) -> Array:
        """Over the images, divided by B: (a_k (p - e)_c)^2 is a product as well, so that no image is taken alone."""
        rows, labels = self.data.rows, self.data.labels
        residual = SoftmaxCrossEntropy.to_logits(SoftmaxCrossEntropy.log_softmax(self.scores(x, rows)), labels)
        second = Dense.to_weights(np.square(rows), np.square(residual)) / len(labels)
        first = Dense.to_weights(rows, residual) / len(labels)
        return (np.maximum(second - first * first, 0) / self.local_batch).reshape(x.shape)

    def _backward(self, x: Array, rows: Array, log_p: Array, labels: NDArray[np.int64]) -> Array:
        to_weights = Dense.to_weights(rows, SoftmaxCrossEntropy.to_logits(log_p, labels))
        gradient = to_weights / x.dtype.type(rows.shape[-2])
        return gradient.reshape(*gradient.shape[:-2], -1) + self.regularisation * slope(x)
