"""What theory says about the run: the statement printed beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from mpi.options import Options
from reference.problems import Problem
from theory.chen_2022.corollary_13 import ConditionError, corollary_13, nonvacuous_from


def bound_of(options: Options, problem: Problem) -> dict[str, Any]:
    """Corollary 13's bound on the average gradient norm (Chen et al. 2022, p. 13), or the reason why there is none.

    The keys are those of result.json's "bound": statement, value, vacuous, nonvacuous_from, reason.
    """
    constants = problem.constants
    answer: dict[str, Any] = {
        "statement": "Corollary 13 (corrected)",
        "value": None,
        "vacuous": None,
        "nonvacuous_from": None,
        "reason": None,
    }
    L, G, f_star = constants.L.value, constants.G.value, constants.f_star.value
    if L is None or G is None or f_star is None:
        return answer | {"reason": "L, G or f* is not known for this problem"}
    if problem.violated:
        assumption, why = next(iter(problem.violated.items()))
        return answer | {"reason": f"{assumption} fails: {why}"}
    if problem.interval:
        return answer | {"reason": "the run projects onto an interval, which is outside Algorithm 1"}
    gap = float(problem.value(problem.start)) - f_star
    given = (L, G, problem.dimension, gap, options.epsilon, options.alpha, options.beta, options.theta)
    try:
        bound = corollary_13(options.steps, *given)
    except ConditionError as error:
        return answer | {"reason": str(error)}
    if not np.isfinite(bound.value):
        return answer | {"reason": "the bound overflows"}
    reason = f"exceeds G = {G:.4g}, which bounds E||grad f|| anyway" if bound.vacuous else None
    return answer | {
        "value": bound.value,
        "vacuous": bool(bound.vacuous),
        "nonvacuous_from": nonvacuous_from(*given),
        "reason": reason,
    }
