"""What a statement's bound comes as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Variant = Literal["corrected", "printed", "sharp"]


@dataclass(frozen=True)
class Bound:
    """An upper bound on E||grad f|| with its parts.

    value : the bound. terms : what its square is a sum of, by name. constants : C5, gamma, ... by the paper's names.
    vacuous : value > G, which E||grad f(x)|| <= sqrt(E||g||^2) <= G already gives (A4, p. 7).
    """

    statement: str
    variant: Variant
    value: float
    vacuous: bool
    terms: dict[str, float]
    constants: dict[str, float]
    source: str
    kind: Literal["upper bound"] = "upper bound"

    @property
    def log10_value(self) -> float:
        return float(np.log10(self.value))


class ConditionError(ValueError):
    """Parameters for which the statement says nothing."""
