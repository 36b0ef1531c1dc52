"""Adam as a method of scipy.optimize.minimize.

>>> from scipy.optimize import minimize, rosen, rosen_der
>>> options = {"alpha": 0.1, "maxiter": 20_000, "gtol": 1e-4}
>>> result = minimize(rosen, [-1.0, 1.5], jac=rosen_der, method=adam, options=options)
>>> result.success, bool(result.fun < 1e-6)
(True, True)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import Bounds, OptimizeResult

from reference import families
from reference.adam import Array, NonFiniteError, initial_state
from reference.families import Family
from reference.iterate import iterate

CONVERGED, STEPS_TAKEN, STOPPED, NON_FINITE = range(4)
_MESSAGES = {
    CONVERGED: "every entry of the gradient is at most gtol in absolute value",
    STEPS_TAKEN: "maxiter steps were taken and some entry of the gradient exceeds gtol",
    STOPPED: "the callback raised StopIteration",
    NON_FINITE: "the gradient is not finite",
}


def adam(
    fun: Callable[..., float],
    x0: ArrayLike,
    args: tuple = (),
    *,
    jac: Callable[..., Array] | None = None,
    bounds: Bounds | Sequence | None = None,
    constraints: Any = (),
    callback: Callable[[OptimizeResult], Any] | None = None,
    hess: Any = None,
    hessp: Any = None,
    tol: float | None = None,
    gtol: float = 1e-5,
    maxiter: int = 10_000,
    alpha: float = 1e-2,
    beta: float = 0.9,
    theta: float = 0.999,
    epsilon: ArrayLike = 1e-16,
    family: Family | None = None,
) -> OptimizeResult:
    """`scipy.optimize.minimize(f, x0, jac=True, method=reference.minimize.adam, options={...})`

    Algorithm 1 (p. 4) on the exact gradient, through the loop of `reference.iterate`, until every entry of the
    gradient is at most gtol (tol means the same) in absolute value, or maxiter steps.

    Options
    -------
    alpha, beta, theta : bias-corrected Adam (Remark 1, p. 4) with constant step alpha; or family, any `Family`.
    epsilon : v_0. Kingma and Ba's 1e-8 in the denominator is of the size of sqrt(epsilon) here.
    bounds : every step is followed by a projection onto them, which is outside Algorithm 1.

    Returns an OptimizeResult with x, fun, jac, nit, nfev, njev, status, success, message: x is the last iterate, fun
    and jac belong to it; f and its gradient are evaluated once at every iterate. Raises ValueError without a
    gradient, with constraints or with a Hessian, which Adam has no use for.
    """
    if not callable(jac):
        raise ValueError("method adam needs the gradient: give jac=True where fun returns (f, gradient), or a function")
    if np.size(constraints) > 0:
        raise ValueError("method adam takes bounds, by projection, but no constraints")
    if hess is not None or hessp is not None:
        raise ValueError("method adam does not use a Hessian")
    gtol = gtol if tol is None else tol
    family = family or families.bias_corrected_adam(alpha, beta, theta)
    projection = _projection_onto(bounds)
    start = np.array(x0, np.float64)
    state = initial_state(projection(start) if projection else start, epsilon)

    def evaluate(x: Array) -> tuple[float, Array]:
        # copies: the step works in place, and the functions may keep or spoil what they are given
        return float(fun(x.copy(), *args)), np.array(jac(x.copy(), *args), np.float64)

    value, gradient = evaluate(state.x)
    steps = iterate(lambda x, t: gradient, state, family, maxiter, projection=projection)
    status = CONVERGED if np.abs(gradient).max() <= gtol else None
    while status is None:
        try:
            state = next(steps)
        except StopIteration:
            status = STEPS_TAKEN
            break
        except NonFiniteError:
            status = NON_FINITE
            break
        value, gradient = evaluate(state.x)
        if np.abs(gradient).max() <= gtol:
            status = CONVERGED
        try:
            if callback is not None:
                callback(OptimizeResult(x=state.x.copy(), fun=value, jac=gradient.copy(), nit=state.t))
        except StopIteration:
            status = STOPPED
    evaluations = state.t + 1
    return OptimizeResult(
        x=state.x,
        fun=value,
        jac=gradient,
        nit=state.t,
        nfev=evaluations,
        njev=evaluations,
        status=status,
        success=status == CONVERGED,
        message=_MESSAGES[status],
    )


def _projection_onto(bounds: Bounds | Sequence | None) -> Callable[[Array], Array] | None:
    if bounds is None:
        return None
    if isinstance(bounds, Bounds):
        low, high = bounds.lb, bounds.ub
    else:
        pairs = [(-np.inf if a is None else a, np.inf if b is None else b) for a, b in bounds]
        low, high = (np.array(side, np.float64) for side in zip(*pairs, strict=True))
    if np.any(low > high):
        raise ValueError("bounds: a lower bound exceeds its upper bound")
    return lambda x: np.clip(x, low, high)
