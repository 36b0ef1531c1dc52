"""Families (alpha_t, beta_t, theta_t) with names. Any triple of sequences is a `Family`.

Every parameter is a number, or an array for configurations side by side (see `reference.schedules`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reference import coefficients
from reference.checks import integer
from reference.schedules import (
    ApproachOne,
    BiasCorrected,
    Constant,
    Geometric,
    PowerDecay,
    Schedule,
    Sequence,
    evaluate,
    require,
    require_function,
    require_shift,
)


class Practical(NamedTuple):
    """The three numbers of Corollary 13 (p. 13) and Theorem 17: alpha_t = alpha/sqrt(T), beta, theta_t = 1 - theta/T.

    Attributes
    ----------
    alpha, beta, theta : float
        Or arrays, for configurations side by side.
    """

    alpha: Any
    beta: Any
    theta: Any


@dataclass(frozen=True)
class Family:
    """The sequences of Algorithm 1 (p. 4); a method that reads fewer needs fewer.

    Attributes
    ----------
    name : str
    alpha : Sequence
        alpha_t > 0.
    beta : Sequence or None
        0 <= beta_t < 1 (R1, p. 7).
    theta : Sequence or None
        0 < theta_t < 1 (R2, p. 7).
    practical : Practical or None
        The numbers of Corollary 13 behind it, where it is that family.
    horizon : int or None
        T, where the sequences are made for T steps and no more.
    """

    name: str
    alpha: Sequence
    beta: Sequence | None = None
    theta: Sequence | None = None
    practical: Practical | None = None
    horizon: int | None = None

    def __post_init__(self) -> None:
        for name in coefficients.NAMES:
            if getattr(self, name) is not None:
                require_function(name, getattr(self, name))

    def require(self, names: Iterable[str], method: str) -> None:
        """ValueError where the method reads a sequence that the family has not."""
        for name in names:
            if getattr(self, name) is None:
                raise ValueError(f"the method {method} reads {name}_t; the family {self.name!r} has none")

    def at(
        self, t: ArrayLike, names: Iterable[str] = coefficients.NAMES, method: str = "adam"
    ) -> tuple[NDArray[np.float64], ...]:
        """alpha_t, beta_t, theta_t, or those named, at one t or at an array of t.

        Parameters
        ----------
        t : int or array of int
            Steps, from 1.
        names : some of "alpha", "beta", "theta"
        method : str
            Who reads them, for the message where one is missing.

        Returns
        -------
        tuple of arrays
            Each of t's shape, followed by that of its parameters.

        Raises
        ------
        TypeError
            For a function that does not take arrays.
        ValueError
            For a value out of its range, a missing sequence, or another number of values than of steps.
        """
        names = tuple(names)
        self.require(names, method)
        return tuple(_values(name, getattr(self, name), t) for name in names)


def _values(name: str, sequence: Sequence, t: ArrayLike) -> NDArray[np.float64]:
    values, shape = evaluate(f"{name}_t", sequence, t), np.shape(t)
    inside = coefficients.allowed(name, values)
    if not inside.all():
        bad = np.unravel_index(np.argmin(inside), inside.shape)
        step = np.asarray(t)[bad[: len(shape)]]
        raise ValueError(f"{coefficients.limit(name, f'{name}_t')}; got {values[bad]:g} at t = {step}")
    return values


def generic(
    eta: ArrayLike,
    s: ArrayLike,
    a: ArrayLike,
    r: ArrayLike,
    K: ArrayLike = 1,
    beta: ArrayLike = 0.9,
    c: ArrayLike = 0,
) -> Family:
    """Eq. 8 (p. 10), shifted: alpha_t = eta/(t + c)^s, theta_t = 1 - a/max(t + c, K)^r, beta_t = beta.

    The paper's alpha is a here, and its c is 0. eta > 0, s >= 0, a > 0, r >= 0, K >= 1, c >= 0 with
    a < max(1 + c, K)^r, 0 <= beta < 1. Corollary 10's rates need 0 < r <= 2s < 2.

    >>> generic(eta=0.1, s=0.5, a=1, r=1, c=3).at(1)[2].item()
    0.75
    """
    name = "generic (Eq. 8, shifted)" if np.any(c) else "generic (Eq. 8)"
    return Family(name, _power(eta, s, c), _momentum(beta), ApproachOne(a, r, K, c))


def practical(T: int, alpha: ArrayLike, beta: ArrayLike, theta: ArrayLike) -> Family:
    """Corollary 13 (p. 13) and Theorem 17: alpha_t = alpha/sqrt(T), beta_t = beta, theta_t = 1 - theta/T, t <= T.

    alpha > 0, 0 <= beta < 1, 0 < theta < T. (The statements ask for more: theta/T <= 3/4, beta^2 < 1 - theta/T.)
    """
    T = _horizon(T)
    numerator = np.asarray(theta, np.float64)
    require(
        numerator,
        (numerator > 0) & (numerator < T),
        "theta",
        f"0 < theta < T = {T}, since theta_t = 1 - theta/T (Corollary 13, p. 13)",
    )
    return Family(
        "practical (Corollary 13)",
        _power(np.asarray(alpha) / np.sqrt(T), 0),
        _momentum(beta),
        ApproachOne(numerator / T, 0),
        Practical(alpha, beta, theta),
        T,
    )


def constant(alpha: ArrayLike, beta: ArrayLike, theta: ArrayLike) -> Family:
    """Constant alpha, beta, theta: Adam without bias correction; RMSProp for beta = 0."""
    return Family("constant", _power(alpha, 0), _momentum(beta), _second_moment(theta))


def bias_corrected_adam(
    alpha: ArrayLike = 1e-3, beta: ArrayLike = 0.9, theta: ArrayLike = 0.999, s: ArrayLike = 0
) -> Family:
    """Remark 1 (p. 4): Kingma and Ba's Adam with base step alpha/t^s: alpha_t = alpha/t^s sqrt(1-theta^t)/(1-beta^t).

    Equal to theirs where v_0 = 0 and nothing is added in the denominator; with v_0 = epsilon their corrected second
    moment contains theta^t epsilon/(1 - theta^t) besides.
    """
    momentum, second_moment = _momentum(beta), _second_moment(theta)
    return Family(
        "bias-corrected Adam (Remark 1)", BiasCorrected(_power(alpha, s), beta, theta), momentum, second_moment
    )


def rmsprop(eta: ArrayLike, a: ArrayLike = 1.0, K: ArrayLike = 2) -> Family:
    """Table 1, row 3 (p. 11): theta_t = 1 - a/max(t, K), alpha_t = eta/sqrt(t), beta_t = 0."""
    return Family("RMSProp (Table 1)", _power(eta, 0.5), Constant(0.0), ApproachOne(a, 1, K))


def ada_ema(eta: ArrayLike, beta: ArrayLike = 0.9, K: ArrayLike = 2) -> Family:
    """Table 1, row 1 (p. 11): AdaGrad with EMA momentum, theta_t = 1 - 1/max(t, K), alpha_t = eta/sqrt(t).

    Printed with theta_t = 1 - 1/t, whose theta_1 = 0 violates R2; K >= 2 mends that and changes t < K alone.
    """
    return Family("AdaGrad with EMA momentum (Table 1)", _power(eta, 0.5), _momentum(beta), ApproachOne(1, 1, K))


def adam_nc(eta: ArrayLike, beta: ArrayLike = 0.9, decay: ArrayLike = 0.999, K: ArrayLike = 2) -> Family:
    """Table 1, row 2 (p. 11): AdamNC, as AdaGrad with EMA momentum with beta_t = beta decay^t, 0 < decay < 1."""
    ratio = np.asarray(decay, np.float64)
    require(ratio, (ratio > 0) & (ratio < 1), "decay", "0 < decay < 1 (AdamNC's lambda, p. 11)")
    _momentum(beta)
    return Family("AdamNC (Table 1)", _power(eta, 0.5), Geometric(beta, decay), ApproachOne(1, 1, K))


def path_to_adam(
    r: ArrayLike, theta_bar: ArrayLike = 0.999, eta: ArrayLike = 1.0, beta: ArrayLike = 0.9, K: ArrayLike = 1
) -> Family:
    """Sec. 3.4 (p. 12): theta_t = 1 - (r theta_bar + 1 - theta_bar)/max(t, K)^r, alpha_t = eta/sqrt(t), 0 <= r <= 1.

    r = 0 is Adam with constant theta_bar, r = 1 AdaGrad with EMA momentum (there K >= 2, since theta_1 = 0 at K = 1).
    """
    exponent, bar = np.asarray(r, np.float64), np.asarray(theta_bar, np.float64)
    require(exponent, (exponent >= 0) & (exponent <= 1), "r", "0 <= r <= 1 (sec. 3.4, p. 12)")
    require(bar, (bar > 0) & (bar < 1), "theta_bar", "0 < theta_bar < 1 (sec. 3.4, p. 12)")
    second_moment = ApproachOne(exponent * bar + (1 - bar), exponent, K)
    return Family("path from Adam to AdaEMA (sec. 3.4)", _power(eta, 0.5), _momentum(beta), second_moment)


def step_sizes(eta: ArrayLike, s: ArrayLike = 0.0, beta: ArrayLike | None = None) -> Family:
    """alpha_t = eta/t^s, and beta_t = beta where one is given: for methods without a theta (SGD, AdaGrad)."""
    return Family("step sizes", _power(eta, s), None if beta is None else _momentum(beta))


def side_by_side(them: Iterable[Family]) -> Family:
    """Families of one configuration each, whatever their kinds, as configurations (C, 1) of one.

    It has the sequences that every one of them has.

    >>> side_by_side([ada_ema(1.0), constant(0.1, 0.9, 0.99)]).theta(4).tolist()
    [[0.75], [0.99]]
    """
    them = tuple(them)

    def column(name: str) -> Sequence:
        return lambda t: np.stack([np.broadcast_to(getattr(one, name)(t), np.shape(t)) for one in them], -1)[..., None]

    beta = column("beta") if all(one.beta is not None for one in them) else None
    theta = column("theta") if all(one.theta is not None for one in them) else None
    return Family("side by side", column("alpha"), beta, theta)


def _power(scale: ArrayLike, exponent: ArrayLike, shift: ArrayLike = 0) -> Schedule:
    scale, exponent, shift = (np.asarray(p, np.float64) for p in (scale, exponent, shift))
    require(scale, np.isfinite(scale) & (scale > 0), "the step size", "alpha_t > 0 and be finite (Algorithm 1, p. 4)")
    require(exponent, np.isfinite(exponent) & (exponent >= 0), "s", "s >= 0 (Eq. 8, p. 10)")
    require_shift(shift)
    return PowerDecay(scale, exponent, shift) if np.any(exponent) else Constant(scale + exponent * shift)


def _momentum(beta: ArrayLike) -> Schedule:
    values = np.asarray(beta, np.float64)
    require(values, (values >= 0) & (values < 1), "beta", "0 <= beta < 1 (R1, p. 7)")
    return Constant(values)


def _second_moment(theta: ArrayLike) -> Schedule:
    values = np.asarray(theta, np.float64)
    require(values, (values > 0) & (values < 1), "theta", "0 < theta < 1 (R2, p. 7)")
    return Constant(values)


def _horizon(T: int) -> int:
    T = integer("T", T, 1)
    if T > 2**53:
        raise ValueError(f"T must be at most 2^53, the largest count that float64 holds exactly; got {T}")
    return T
