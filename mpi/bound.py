"""What theory says about the run: the statements printed beside it."""

from __future__ import annotations

import math
from typing import Any

from mpi.options import Options, family_of
from reference.problems import Problem
from theory.chen_2022.corollary_13 import nonvacuous_from
from theory.constants import Constants
from theory.statement import STATEMENTS, Setup, Statement


def bound_of(options: Options, problem: Problem) -> dict[str, Any]:
    """Corollary 13's bound on the average gradient norm (Chen et al. 2022, p. 13), or the reason why there is none.

    The keys are those of result.json's "bound": statement, value, vacuous, nonvacuous_from, reason.
    """
    setup = _setup_of(options, problem)
    found = _evaluated(STATEMENTS["corollary-13"], setup)
    del found["metric"]
    known = found["value"] is not None
    first = nonvacuous_from(setup.constants, setup.epsilon, setup.practical) if known else None
    return found | {"nonvacuous_from": first}


def bounds_of(options: Options, problem: Problem) -> list[dict[str, Any]]:
    """The bound of every statement about the job's method, Adam, or the reason why there is none.

    The keys of each are those of result.json's "bounds": statement, metric, value, vacuous, reason. Theorem 2's takes
    O(T) time.
    """
    setup = _setup_of(options, problem)
    return [_evaluated(statement, setup) for statement in STATEMENTS.values() if setup.method in statement.methods]


def _setup_of(options: Options, problem: Problem) -> Setup:
    return Setup(family_of(options), options.steps, Constants.of(problem), options.epsilon, options.workers)


def _evaluated(statement: Statement, setup: Setup) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "statement": f"{statement.title} (corrected)",
        "metric": statement.metric.name,
        "value": None,
        "vacuous": None,
        "reason": None,
    }
    try:
        bound = statement.bound(setup)
    except ValueError as error:  # outside its conditions, or T is too large for a pass over every step
        return answer | {"reason": str(error)}
    if not math.isfinite(bound.value):
        return answer | {"reason": "the bound overflows"}
    reason = f"exceeds G = {bound.trivial:.4g}, which bounds E||grad f|| anyway" if bound.vacuous else None
    return answer | {"value": bound.value, "vacuous": bound.vacuous, "reason": reason}
