"""A small tanh network on the handwritten digits: smooth and non-convex, with no constant known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference.checks import Array, integer
from reference.datasets import digits
from reference.datasets.digits import CLASSES
from reference.networks.layers import Constant, Dense, SoftmaxCrossEntropy, Tanh
from reference.problems.finite_sum import FiniteSum
from reference.problems.problem import Known, KnownConstants
from reference.sampling import START, Sampler


class Network(FiniteSum):
    """f(W, V) = mean over the training images of -log softmax((tanh(a'W), 1) V)[label].

    a is a row of `digits` (65 entries); W is 65 x hidden, V is (hidden + 1) x 10; x is W then V, row by row. x_1 has
    independent entries N(0, 1/fan-in), the same in every run. A sample is the mean over B images.
    """

    name = "network"

    def __init__(self, hidden: int = 16, local_batch: int = 8) -> None:
        self.hidden = hidden = integer("hidden", hidden, 1)
        data = digits()
        features = data.rows.shape[1]
        self._cut, self._shapes = features * hidden, ((features, hidden), (hidden + 1, CLASSES))
        start = Sampler(0, START).normals(0, range(1), 1, (self._cut + (hidden + 1) * CLASSES,))[0, 0]
        start[: self._cut] /= np.sqrt(features)
        start[self._cut :] /= np.sqrt(hidden + 1)
        super().__init__(data, start, local_batch)
        unknown = Known(None, "unknown", "not derived for a network")
        self.constants = KnownConstants(
            L=unknown,
            G=unknown,
            sigma2=unknown,
            f_star=Known(0.0, "lower bound", "a mean of -log of probabilities"),
            sup_norm=unknown,
            sigma_i=unknown,
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The number of hidden units and B."""
        return {"hidden": self.hidden, "local_batch": self.local_batch}

    def loss_and_gradient(self, x: Array, rows: Array, labels: NDArray[np.int64]) -> tuple[Array, Array]:
        """Cross-entropy, and back through both layers."""
        W, V = self._weights(x)
        hidden = self._hidden(rows, W)
        log_p = SoftmaxCrossEntropy.log_softmax(Dense.forward(hidden, V))
        return SoftmaxCrossEntropy.forward(log_p, labels), self._backward(V, rows, hidden, log_p, labels)

    def example_gradient(self, x: Array, rows: Array, labels: NDArray[np.int64]) -> Array:
        """Back through both layers."""
        W, V = self._weights(x)
        hidden = self._hidden(rows, W)
        return self._backward(V, rows, hidden, SoftmaxCrossEntropy.log_softmax(Dense.forward(hidden, V)), labels)

    def scores(self, x: Array, rows: Array) -> Array:
        """The logits."""
        W, V = self._weights(x)
        return Dense.forward(self._hidden(rows, W), V)

    @staticmethod
    def _hidden(rows: Array, W: Array) -> Array:
        """(tanh(a'W), 1)"""
        return Constant.forward(Tanh.forward(Dense.forward(rows, W)))

    @staticmethod
    def _backward(V: Array, rows: Array, hidden: Array, log_p: Array, labels: NDArray[np.int64]) -> Array:
        residual = SoftmaxCrossEntropy.to_logits(log_p, labels) / log_p.dtype.type(rows.shape[-2])
        to_V = Dense.to_weights(hidden, residual)
        inner = Tanh.to_inputs(hidden[..., :-1], Dense.to_inputs(V[..., :-1, :], residual))
        to_W = Dense.to_weights(rows, inner)
        lead = to_W.shape[:-2]
        return np.concatenate([to_W.reshape(*lead, -1), to_V.reshape(*lead, -1)], axis=-1)

    def _weights(self, x: Array) -> tuple[Array, Array]:
        W, V = np.split(x, [self._cut], -1)
        lead = x.shape[:-1]
        return W.reshape(*lead, *self._shapes[0]), V.reshape(*lead, *self._shapes[1])
