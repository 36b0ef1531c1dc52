"""f(x) = x'Ax - b'x with noise linear in x: the noisy quadratic of sec. 5.3.1 (p. 20)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reference.adam import Array
from reference.problems.noise import Gaussian, Noise
from reference.problems.problem import AdditiveNoise, Known, KnownConstants, checked_dimension, declared

# The paper gives neither A nor b (sec. 5.3.1); these are ours.
A_CHOSEN = ((2.0, 0.5, 0.0), (0.5, 1.0, 0.25), (0.0, 0.25, 0.5))
B_CHOSEN = (1.0, -1.0, 0.5)


class NoisyQuadratic(AdditiveNoise):
    """min E[x'Ax - b'x + xi'x], xi ~ N(0, 100 I) by default, so g = (A + A')x - b + xi; x_1 = 1 in every coordinate.

    A is (d, d), symmetric positive definite, or (d,), its diagonal. The gradient is unbounded: A4 fails on R^d.
    `scaled(d)` is |x|^2/2.
    """

    name = "quadratic"

    def __init__(
        self, A: ArrayLike = A_CHOSEN, b: ArrayLike = B_CHOSEN, noise: Noise | None = None, local_batch: int = 1
    ) -> None:
        A, b = np.asarray(A, np.float64), np.asarray(b, np.float64)
        d = b.size
        if A.shape not in ((d, d), (d,)):
            raise ValueError(f"A must have shape (d, d) or (d,) and b (d,); got {A.shape} and {b.shape}")
        full = A if A.ndim == 2 else np.diag(A)
        eigenvalues = np.linalg.eigvalsh(full)
        if not (np.array_equal(full, full.T) and eigenvalues[0] > 0):
            raise ValueError("A must be symmetric positive definite, so that f is bounded below (A1, p. 7)")
        super().__init__(np.ones(d), Gaussian(10.0) if noise is None else noise, local_batch)
        self.hessian, self.b = 2 * A, b
        self._hessian, self._b, self._shifted = _collapsed(self.hessian), _collapsed(b), bool(b.any())
        minimum = -0.25 * b @ np.linalg.solve(full, b)
        self.constants = KnownConstants(
            L=Known(float(2 * eigenvalues[-1]), "exact", "the largest eigenvalue of the Hessian 2A"),
            G=Known(np.inf, "exact", "||grad f(x)|| grows with ||x||: A4 fails on R^d"),
            sigma2=self._sigma2(),
            f_star=Known(float(minimum), "exact", "-b'A^{-1}b/4 at x = A^{-1}b/2"),
            sup_norm=Known(np.inf, "exact", "the gradient grows with ||x||"),
            sigma_i=self._sigma_i(),
        )
        self.violated = {"A4": "the gradient of a quadratic is unbounded on R^d"}

    @property
    def parameters(self) -> dict[str, Any]:
        """2A, b, the noise and B."""
        return {"hessian": declared(self.hessian), "b": declared(self.b)} | super().parameters

    @classmethod
    def scaled(cls, dimension: int, noise: Noise | None = None, local_batch: int = 1) -> NoisyQuadratic:
        """f(x) = |x|^2/2."""
        return cls(np.full(checked_dimension(dimension), 0.5), np.zeros(dimension), noise, local_batch)

    def value(self, x: Array) -> Array:
        return (0.5 * x * self._times_hessian(x) - self._b.astype(x.dtype, copy=False) * x).sum(axis=-1)

    def gradient(self, x: Array) -> Array:
        product = self._times_hessian(x)
        return np.subtract(product, self._b.astype(x.dtype, copy=False), out=product) if self._shifted else product

    def _times_hessian(self, x: Array) -> Array:
        """A new array."""
        hessian = self._hessian.astype(x.dtype, copy=False)
        # row by row, not one product over replicas: a replica's bits must not depend on their number
        return (x[..., None, :] * hessian).sum(axis=-1) if hessian.ndim == 2 else hessian * x


def _collapsed(row: Array) -> Array:
    """A row of equal entries as one, an array of no axes, which NumPy multiplies faster by. A matrix stays."""
    return row[0, ...] if row.ndim == 1 and (row == row[0]).all() else row
