"""A small tanh network on the handwritten digits: smooth and non-convex, with no constant known."""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.adam import Array
from reference.problems.digits import CLASSES, Digits, cross_entropy, images, log_softmax
from reference.problems.problem import Known, KnownConstants, Problem, replicas_of
from reference.sampling import START, Sampler


class Network(Problem):
    """f(W, V) = mean over the training images of -log softmax((tanh(a'W), 1) V)[label].

    a is a row of `digits` (65 entries); W is 65 x hidden, V is (hidden + 1) x 10; x is W then V, row by row. x_1 has
    independent entries N(0, 1/fan-in), the same in every run. A sample is the mean over B images.
    """

    name = "network"

    def __init__(self, hidden: int = 16, local_batch: int = 8):
        if not hidden >= 1:
            raise ValueError(f"hidden = {hidden}; at least 1 unit is needed")
        self.hidden = int(hidden)
        self._rows, self._labels, _, _ = images()
        features = self._rows.shape[1]
        self._cut, self._shapes = features * hidden, ((features, hidden), (hidden + 1, CLASSES))
        start = Sampler(0, START).normals(0, range(1), 1, (self._cut + (hidden + 1) * CLASSES,))[0, 0]
        start[: self._cut] /= np.sqrt(features)
        start[self._cut :] /= np.sqrt(hidden + 1)
        super().__init__(start, local_batch)
        unknown = "not derived for a network"
        self.constants = KnownConstants(
            L=Known(None, "unknown", unknown),
            G=Known(None, "unknown", unknown),
            sigma2=Known(None, "unknown", unknown),
            f_star=Known(0.0, "lower bound", "a mean of -log of probabilities"),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """The number of hidden units and B."""
        return {"hidden": self.hidden, "local_batch": self.local_batch}

    def value(self, x):
        return self.value_and_gradient(x)[0]

    def gradient(self, x):
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x):
        rows = np.broadcast_to(self._rows.astype(x.dtype, copy=False), (*x.shape[:-1], *self._rows.shape))
        return self._mean_loss_and_gradient(x, rows, self._labels)

    def samples(self, x: Array, t: int, sampler: Sampler, workers: range, gradient: Array | None = None) -> Array:
        drawn = sampler.indices(t, workers, replicas_of(x), (self.local_batch,), len(self._labels))
        drawn = drawn.reshape(len(workers), *(1,) * (x.ndim - 2), *drawn.shape[1 if x.ndim > 1 else 2 :])
        drawn = np.broadcast_to(drawn, (len(workers), *x.shape[:-1], self.local_batch))
        rows = self._rows.astype(x.dtype, copy=False)[drawn]
        return self._mean_loss_and_gradient(x, rows, self._labels[drawn])[1]

    def variance(self, x):
        def at(point):
            rows, labels = self._rows.astype(x.dtype, copy=False)[:, None], self._labels[:, None]  # images one by one
            return self._mean_loss_and_gradient(point, rows, labels)[1].var(axis=0) / self.local_batch

        return np.apply_along_axis(at, -1, x)

    def accuracy(self, x):
        """On the held-out images."""
        _, _, rows, labels = images()
        return float((self._forward(x, rows)[1].argmax(axis=-1) == labels).mean())

    def _forward(self, x, rows):
        W, V = (
            part.reshape(*x.shape[:-1], *shape)
            for part, shape in zip(np.split(x, [self._cut], -1), self._shapes, strict=True)
        )
        hidden = np.tanh(rows @ W)
        hidden = np.concatenate([hidden, np.ones_like(hidden[..., :1])], axis=-1)
        return hidden, hidden @ V, V

    def _mean_loss_and_gradient(self, x, rows, labels):
        hidden, logits, V = self._forward(x, rows)
        log_p = log_softmax(logits)
        loss = cross_entropy(log_p, labels)
        residual = Digits._residual(log_p, labels) / x.dtype.type(rows.shape[-2])
        to_V = hidden.swapaxes(-1, -2) @ residual
        inner = (residual @ V[..., :-1, :].swapaxes(-1, -2)) * (1 - hidden[..., :-1] ** 2)
        to_W = rows.swapaxes(-1, -2) @ inner
        lead = rows.shape[:-2]
        return loss, np.concatenate([to_W.reshape(*lead, -1), to_V.reshape(*lead, -1)], axis=-1)
