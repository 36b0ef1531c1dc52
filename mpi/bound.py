"""What theory says about the run: the statement printed beside it."""

from __future__ import annotations

import math
from typing import Any

from mpi.options import Options, family_of
from reference.problems import Problem
from theory.chen_2022.corollary_13 import nonvacuous_from
from theory.constants import ConditionError, Constants
from theory.statement import STATEMENTS, Setup


def bound_of(options: Options, problem: Problem) -> dict[str, Any]:
    """Corollary 13's bound on the average gradient norm (Chen et al. 2022, p. 13), or the reason why there is none.

    The keys are those of result.json's "bound": statement, value, vacuous, nonvacuous_from, reason.
    """
    statement = STATEMENTS["corollary-13"]
    answer: dict[str, Any] = {
        "statement": f"{statement.title} (corrected)",
        "value": None,
        "vacuous": None,
        "nonvacuous_from": None,
        "reason": None,
    }
    family = family_of(options)
    setup = Setup(family, options.steps, Constants.of(problem), options.epsilon, options.workers)
    try:
        bound = statement.bound(setup)
    except ConditionError as error:
        return answer | {"reason": str(error)}
    if not math.isfinite(bound.value):
        return answer | {"reason": "the bound overflows"}
    reason = f"exceeds G = {bound.trivial:.4g}, which bounds E||grad f|| anyway" if bound.vacuous else None
    return answer | {
        "value": bound.value,
        "vacuous": bound.vacuous,
        "nonvacuous_from": nonvacuous_from(setup.constants, setup.epsilon, setup.practical),
        "reason": reason,
    }
