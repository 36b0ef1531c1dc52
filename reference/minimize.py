"""Adam as a method of scipy.optimize.minimize.

>>> from scipy.optimize import minimize, rosen, rosen_der
>>> options = {"alpha": 0.1, "maxiter": 20_000, "gtol": 1e-4}
>>> result = minimize(rosen, [-1.0, 1.5], jac=rosen_der, method=adam, options=options)
>>> result.success, bool(result.fun < 1e-6)
(True, True)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from reference import families
from reference.adam import initial_state
from reference.checks import Array, NonFiniteError
from reference.families import Family
from reference.iterate import iterate

if TYPE_CHECKING:
    from scipy.optimize import Bounds, OptimizeResult

CONVERGED, STEPS_TAKEN, STOPPED, NON_FINITE = range(4)
_MESSAGES = {
    CONVERGED: "every entry of the gradient is at most gtol in absolute value",
    STEPS_TAKEN: "maxiter steps were taken and some entry of the gradient exceeds gtol",
    STOPPED: "the callback raised StopIteration",
    NON_FINITE: "the gradient is not finite",
}


@dataclass(frozen=True)
class Options:
    """What `options` may hold.

    Attributes
    ----------
    alpha, beta, theta : float
        Bias-corrected Adam (Remark 1, p. 4) with constant step alpha.
    family : Family, optional
        Any other, in place of the three.
    epsilon : scalar or array
        v_0. Kingma and Ba's 1e-8 in the denominator is of the size of sqrt(epsilon) here.
    gtol, tol : float
        Where to stop; two names for one thing, and tol goes first.
    maxiter : int
        Steps at most.
    """

    gtol: float = 1e-5
    maxiter: int = 10_000
    alpha: float = 1e-2
    beta: float = 0.9
    theta: float = 0.999
    epsilon: ArrayLike = 1e-16
    family: Family | None = None
    tol: float | None = None


def adam(
    fun: Callable[..., float],
    x0: ArrayLike,
    args: tuple = (),
    *,
    jac: Callable[..., Array] | None = None,
    bounds: Bounds | Sequence | None = None,
    callback: Callable[..., Any] | None = None,
    **options: Any,
) -> OptimizeResult:
    """Algorithm 1 (p. 4) as `scipy.optimize.minimize(f, x0, jac=True, method=reference.minimize.adam, options={...})`.

    On the exact gradient, through the loop of `reference.iterate`, until every entry of the gradient is at most gtol in
    absolute value, or maxiter steps. A coordinate that lies at a bound, its gradient pushing outward, does not count.

    Parameters
    ----------
    fun, x0, args, jac
        As SciPy hands them over.
    bounds : Bounds or sequence of pairs, optional
        Every step is followed by a projection onto them, which is outside Algorithm 1. One pair holds for every
        coordinate, as in SciPy's own methods.
    callback : callable, optional
        By SciPy's convention: called after every step as callback(xk), or, if its one parameter is named
        intermediate_result, with an OptimizeResult. StopIteration ends the run.
    **options
        See `Options`; and SciPy's constraints, hess and hessp, which must be empty.

    Returns
    -------
    OptimizeResult
        x, fun, jac, nit, nfev, njev, status, success, message: x is the last iterate, fun and jac belong to it; f and
        its gradient are evaluated once at every iterate.

    Raises
    ------
    TypeError
        For an unknown option.
    ValueError
        Without a gradient, with constraints or with a Hessian, which Adam has no use for; for bounds of another length
        than x0, and options out of range.
    """
    from scipy.optimize import OptimizeResult  # here, so that `import reference` does not wait for SciPy

    if not callable(jac):
        raise ValueError("method adam needs the gradient: give jac=True where fun returns (f, gradient), or a function")
    chosen = _options(options)
    gtol = chosen.gtol if chosen.tol is None else chosen.tol
    if not gtol >= 0:
        raise ValueError(f"gtol must be at least 0; got {gtol}")
    family = chosen.family or families.bias_corrected_adam(chosen.alpha, chosen.beta, chosen.theta)
    start = np.array(x0, np.float64)
    low, high = _bounds(bounds, start.shape)
    projection = None if bounds is None else lambda x: np.clip(x, low, high)
    state = initial_state(projection(start) if projection else start, chosen.epsilon)
    report = _by_convention(callback)

    def evaluate(x: Array) -> tuple[float, Array, bool]:
        # copies: the step works in place, and the functions may keep or spoil what they are given
        value, gradient = float(fun(x.copy(), *args)), np.array(jac(x.copy(), *args), np.float64)
        outward = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0))
        return value, gradient, bool(np.abs(np.where(outward, 0.0, gradient)).max() <= gtol)

    value, gradient, converged = evaluate(state.x)
    steps = iterate(lambda x, t: gradient, state, family, chosen.maxiter, projection=projection)
    status = CONVERGED if converged else None
    while status is None:
        try:
            state = next(steps)
        except StopIteration:
            status = STEPS_TAKEN
            break
        except NonFiniteError:
            status = NON_FINITE
            break
        value, gradient, converged = evaluate(state.x)
        if converged:
            status = CONVERGED
        try:
            report(OptimizeResult(x=state.x.copy(), fun=value, jac=gradient.copy(), nit=state.t))
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


def _options(given: dict[str, Any]) -> Options:
    """The options, once SciPy's own arguments that Adam has no use for are seen to be empty."""
    if np.size(given.pop("constraints", ())) > 0:
        raise ValueError("method adam takes bounds, by projection, but no constraints")
    if given.pop("hess", None) is not None or given.pop("hessp", None) is not None:
        raise ValueError("method adam does not use a Hessian")
    known = [field.name for field in fields(Options)]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise TypeError(f"the options of method adam are {', '.join(known)}; got {', '.join(map(repr, unknown))}")
    return Options(**given)


def _by_convention(callback: Callable[..., Any] | None) -> Callable[[OptimizeResult], Any]:
    """What SciPy's own methods do with a callback."""
    if callback is None:
        return lambda result: None
    if set(inspect.signature(callback).parameters) == {"intermediate_result"}:
        return lambda result: callback(intermediate_result=result)
    return lambda result: callback(result.x)


def _bounds(bounds: Bounds | Sequence | None, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Low and high of x0's shape, infinite where there are none."""
    if bounds is None:
        return np.full(shape, -np.inf), np.full(shape, np.inf)
    from scipy.optimize import Bounds

    if isinstance(bounds, Bounds):
        low, high = (np.asarray(side, np.float64) for side in (bounds.lb, bounds.ub))
    else:
        pairs = [(-np.inf if a is None else a, np.inf if b is None else b) for a, b in bounds]
        low, high = np.array(pairs, np.float64).reshape(-1, 2).T
    if np.any(low > high):
        raise ValueError("bounds: a lower bound exceeds its upper bound")
    try:
        return np.broadcast_to(low, shape), np.broadcast_to(high, shape)
    except ValueError:
        raise ValueError(
            f"bounds must be one pair, or one for each of the {shape[-1]} coordinates of x0; got {low.size}"
        ) from None
