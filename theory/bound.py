"""What a statement's bound comes as, and the limits of what is given to one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from theory.tools.positive import Positive

Variant = Literal["corrected", "printed", "sharp"]
VARIANTS = ("corrected", "printed", "sharp")


@dataclass(frozen=True)
class Bound:
    """An upper bound on an expected gradient norm, with its parts.

    value : the bound; inf where it exceeds the largest float, log10_value is finite all the same.
    vacuous : value > G, which E||grad f(x)|| <= sqrt(E||g||^2) <= G already gives (A4, p. 7).
    terms : the summands, of what each statement's function says. constants : C5, gamma, ... by the paper's names.
    """

    statement: str
    variant: Variant
    value: float
    log10_value: float
    vacuous: bool
    terms: dict[str, float]
    constants: dict[str, float]
    source: str
    kind: Literal["upper bound"] = "upper bound"

    def as_json(self) -> dict[str, Any]:
        """The keys of `python -m theory bound --json`; null stands for what a float cannot hold."""
        return {
            "statement": self.statement,
            "variant": self.variant,
            "kind": self.kind,
            "source": self.source,
            "value": finite(self.value),
            "log10_value": finite(self.log10_value),
            "vacuous": self.vacuous,
            "terms": {name: finite(term) for name, term in self.terms.items()},
            "constants": {name: finite(constant) for name, constant in self.constants.items()},
        }


class ConditionError(ValueError):
    """Parameters for which the statement says nothing."""


def make_bound(
    statement: str, variant: Variant, value: Positive, G: float, terms: Mapping[str, Positive],
    constants: Mapping[str, Positive | float], source: str,
) -> Bound:  # fmt: skip
    return Bound(
        statement, variant, float(value), value.log10, value > G, floats(terms), floats(constants), source,
    )  # fmt: skip


def floats(numbers: Mapping[str, Positive | float]) -> dict[str, float]:
    return {name: float(number) for name, number in numbers.items()}


def finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


# name: (allowed, in words with the place that asks for it, whether an integer)
_LIMITS: dict[str, tuple[Callable[[Any], bool], str, bool]] = {
    "T": (lambda T: T >= 1, "an integer T >= 1, the number of steps", True),
    "d": (lambda d: d >= 1, "an integer d >= 1, the dimension", True),
    "workers": (lambda s: s >= 1, "an integer s >= 1 (Algorithms 2 and 3, p. 14 and 17)", True),
    "L": (lambda L: L >= 0, "L >= 0 (A2, p. 7)", False),
    "G": (lambda G: G > 0, "G > 0 (A4, p. 7)", False),
    "sigma2": (lambda sigma2: sigma2 >= 0, "sigma^2 >= 0 (A5, p. 14)", False),
    "gap": (lambda gap: gap >= 0, "f(x_1) - f* >= 0 (A1, p. 7)", False),
    "epsilon": (lambda epsilon: epsilon > 0, "epsilon = v_0 > 0 (Algorithm 1, p. 4)", False),
    "alpha": (lambda alpha: alpha > 0, "alpha > 0, where alpha_t = alpha/sqrt(T) (Corollary 13, p. 13)", False),
    "beta": (lambda beta: 0 <= beta < 1, "0 <= beta < 1 (R1, p. 7)", False),
    "theta": (lambda theta: theta > 0, "theta > 0, where theta_t = 1 - theta/T (Corollary 13, p. 13)", False),
    "accuracy": (lambda accuracy: accuracy > 0, "an accuracy > 0 (Definition 12, p. 13)", False),
}


def check(variant: str, **given: Any) -> None:
    """TypeError or ValueError naming the first parameter out of its range, and the place the range comes from."""
    if variant not in VARIANTS:
        raise ValueError(f"variant = {variant!r}; allowed are {', '.join(VARIANTS)}")
    for name, value in given.items():
        allowed, limit, integer = _LIMITS[name]
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(f"{name} = {value!r}; allowed is {limit}")
        whole = not isinstance(value, float | np.floating) or (math.isfinite(value) and value == int(value))
        if not (allowed(value) and value < math.inf and (whole or not integer)):
            raise ValueError(f"{name} = {value}; allowed is {limit}, and finite")


def first(holds: Callable[[int], bool], low: int = 1) -> int:
    """The smallest n >= low with holds(n), for a predicate that, once true, stays true."""
    if holds(low):
        return low
    high = 2 * low
    while not holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
