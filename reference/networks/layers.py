"""Layers: what goes up (forward) and what comes down (backward, by the chain rule), for stacks of any leading axes.

Activations are (..., n, features) for n examples, weights (..., features in, features out). One product has one fixed
shape for each of the leading axes, so the bits of one network do not depend on how many are stacked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reference.adam import Array


class Dense:
    """outputs = inputs W."""

    @staticmethod
    def forward(inputs: Array, weights: Array) -> Array:
        """inputs W, (..., n, features out)."""
        return inputs @ weights

    @staticmethod
    def to_weights(inputs: Array, gradient: Array) -> Array:
        """d loss/dW = inputs' gradient; gradient is d loss/d outputs."""
        return inputs.swapaxes(-1, -2) @ gradient

    @staticmethod
    def to_inputs(weights: Array, gradient: Array) -> Array:
        """d loss/d inputs = gradient W'."""
        return gradient @ weights.swapaxes(-1, -2)


class Tanh:
    """outputs = tanh(inputs)."""

    @staticmethod
    def forward(inputs: Array) -> Array:
        """tanh(inputs)"""
        return np.tanh(inputs)

    @staticmethod
    def to_inputs(outputs: Array, gradient: Array) -> Array:
        """d loss/d inputs = gradient (1 - outputs^2)."""
        return gradient * (1 - outputs**2)


class Constant:
    """A last feature that is 1, so that the next layer's last row of weights is its bias."""

    @staticmethod
    def forward(inputs: Array) -> Array:
        """(inputs, 1)"""
        return np.concatenate([inputs, np.ones_like(inputs[..., :1])], axis=-1)


class SoftmaxCrossEntropy:
    """The mean over examples of -log softmax(logits)[label]."""

    @staticmethod
    def log_softmax(logits: Array) -> Array:
        """log softmax, (..., n, classes), without overflow."""
        shifted = logits - logits.max(axis=-1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))

    @staticmethod
    def forward(log_p: Array, labels: NDArray[np.int64]) -> Array:
        """The loss, (...), from log softmax; labels broadcast to (..., n)."""
        labels = np.broadcast_to(labels, log_p.shape[:-1])[..., None]
        # C-contiguous, unlike fancy indexing's result: a sum's bits depend on the order in memory
        return -np.take_along_axis(log_p, labels, -1)[..., 0].mean(axis=-1)

    @staticmethod
    def to_logits(log_p: Array, labels: NDArray[np.int64]) -> Array:
        """n d loss/d logits = softmax - e_label, (..., n, classes); the caller divides by n where it costs least."""
        residual = np.exp(log_p)
        labels = np.broadcast_to(labels, residual.shape[:-1])[..., None]
        np.put_along_axis(residual, labels, np.take_along_axis(residual, labels, -1) - 1, -1)
        return residual


__all__ = ["Constant", "Dense", "SoftmaxCrossEntropy", "Tanh"]
