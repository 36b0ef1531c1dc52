"""The numbers a bound takes: what each must satisfy, and `Constants`, what a problem and a start give."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reference.problems.problem import Problem


class ConditionError(ValueError):
    """What is given lies outside a statement: it says nothing."""


# name: (whether a value is allowed, in words with the place that asks for it, whether it is an integer)
LIMITS: dict[str, tuple[Callable[[Any], bool], str, bool]] = {
    "T": (lambda T: T >= 1, "be an integer T >= 1, the number of steps", True),
    "d": (lambda d: d >= 1, "be an integer d >= 1, the dimension", True),
    "workers": (lambda s: s >= 1, "be an integer s >= 1, the samples or workers of a step", True),
    "L": (lambda L: L >= 0, "satisfy L >= 0, ||grad f(x) - grad f(y)|| <= L ||x - y|| (A2)", False),
    "G": (lambda G: G > 0, "satisfy G > 0, E_t||g_t||^2 <= G^2 (A4)", False),
    "sigma2": (lambda sigma2: sigma2 >= 0, "satisfy sigma^2 >= 0, E_t||g_t - grad f(x_t)||^2 <= sigma^2 (A5)", False),
    "gap": (lambda gap: gap >= 0, "satisfy f(x_1) - f* >= 0 (A1)", False),
    "sup_norm": (lambda sup: sup > 0, "be positive, |g_{t,k}| <= sup_norm almost surely", False),
    "sigma_i": (lambda sigma: sigma >= 0, "satisfy sigma_i >= 0, the standard deviation of a coordinate", False),
    "epsilon": (lambda epsilon: epsilon > 0, "satisfy epsilon = v_0 > 0 (Algorithm 1, Chen et al., p. 4)", False),
    "alpha": (lambda alpha: alpha > 0, "satisfy alpha > 0, alpha_t = alpha/sqrt(T) (Chen et al., p. 13)", False),
    "beta": (lambda beta: 0 <= beta < 1, "satisfy 0 <= beta < 1 (R1, Chen et al., p. 7)", False),
    "theta": (lambda theta: theta > 0, "satisfy theta > 0, theta_t = 1 - theta/T (Chen et al., p. 13)", False),
    "eta": (lambda eta: eta > 0, "satisfy eta > 0, the step size", False),
    "accuracy": (lambda accuracy: accuracy > 0, "satisfy accuracy > 0 (Definition 12, Chen et al., p. 13)", False),
}


def check(**given: Any) -> None:
    """TypeError or ValueError that names the first number out of its range, and the place the range comes from."""
    for name, value in given.items():
        allowed, limit, integer = LIMITS[name]
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(f"{name} must {limit}; got {value!r}")
        whole = not isinstance(value, float | np.floating) or (math.isfinite(value) and value == int(value))
        if not (allowed(value) and value < math.inf and (whole or not integer)):
            raise ValueError(f"{name} must {limit}, and be finite; got {value}")


@dataclass(frozen=True)
class Constants:
    """What a bound takes from a problem and a start. None where a constant is not known.

    Attributes
    ----------
    L : float or None
        ||grad f(x) - grad f(y)|| <= L ||x - y|| (A2).
    G : float or None
        E_t||g_t||^2 <= G^2 for one sample (A4, read conditionally on the past).
    sigma2 : float or None
        E_t||g_t - grad f(x_t)||^2 <= sigma^2 for one sample (A5, read conditionally on the past).
    d : int or None
        The dimension.
    gap : float or None
        f(x_1) - f*.
    sup_norm : float or None
        |g_{t,k}| <= sup_norm almost surely, for every coordinate k.
    sigma_i : float or None
        E_t (g_{t,k} - (grad f(x_t))_k)^2 <= sigma_i^2 for every coordinate k.
    why_not : mapping
        Name to the reason why the constant is not known.
    violated : mapping
        The assumptions that fail, "A3" for instance, each with the reason; "no projection" where the run projects.

    Examples
    --------
    >>> from reference.problems import Bump, Network
    >>> Constants.of(Bump(dimension=4)).need("L", "gap")
    (2.0, 2.0)
    >>> Constants(L=2.0).need("L", "G")
    Traceback (most recent call last):
    theory.constants.ConditionError: G is not known: not given
    """

    L: float | None = None
    G: float | None = None
    sigma2: float | None = None
    d: int | None = None
    gap: float | None = None
    sup_norm: float | None = None
    sigma_i: float | None = None
    why_not: Mapping[str, str] = field(default_factory=dict)
    violated: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Problem, x1: ArrayLike | None = None) -> Constants:
        """The problem's constants from x_1 on; from its own start where x1 is not given."""
        start = problem.start if x1 is None else np.asarray(x1, np.float64)
        if start.shape != (problem.dimension,):
            raise ValueError(f"x_1 must have shape ({problem.dimension},), as {problem.name} has; got {start.shape}")
        known = vars(problem.constants)
        numbers: dict[str, Any] = {name: each.value for name, each in known.items() if name != "f_star"}
        why_not = {name: each.why for name, each in known.items() if each.value is None}
        f_star = problem.constants.f_star
        if f_star.value is not None:
            numbers["gap"] = float(problem.value(start)) - f_star.value
        else:
            why_not["gap"] = f"f* is not known: {why_not.pop('f_star')}"
        violated = dict(problem.violated)
        if problem.interval:
            violated["no projection"] = "the run projects onto an interval, which is outside Algorithm 1"
        return cls(**numbers, d=problem.dimension, why_not=why_not, violated=violated)

    def reason(self, *names: str) -> str | None:
        """Why a bound cannot be formed from these constants; None where all are known and finite."""
        for name in names:
            value = getattr(self, name)
            if value is None:
                return f"{name} is not known: {self.why_not.get(name, 'not given')}"
            if value == math.inf:
                return f"{name} is infinite"
        return None

    def need(self, *names: str) -> tuple[Any, ...]:
        """The constants by these names, checked.

        Raises
        ------
        ConditionError
            With the reason where one is unknown or infinite.
        ValueError, TypeError
            Where one is out of its range, or no number.
        """
        why = self.reason(*names)
        if why is not None:
            raise ConditionError(why)
        numbers = {name: getattr(self, name) for name in names}
        check(**numbers)
        return tuple(numbers.values())
