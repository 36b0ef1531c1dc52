"""What is proved: every statement of the paper as code, corrected where it errs in print, and other people's beside it.

The names below are loaded when they are asked for, so that a command does not wait for what it does not use:

>>> import theory
>>> from reference.families import Practical
>>> constants = theory.Constants(L=2, G=2.3, d=4, gap=3.2)
>>> round(theory.corollary_13(10**6, constants, epsilon=0.25, practical=Practical(alpha=1, beta=0.9, theta=1)).value, 1)
314.2
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reference.families import Practical
    from theory import statement
    from theory.chen_2022 import lemmas, slack
    from theory.chen_2022.assumptions import audit
    from theory.chen_2022.corollary_7 import corollary_7
    from theory.chen_2022.corollary_10 import corollary_10
    from theory.chen_2022.corollary_13 import corollary_13
    from theory.chen_2022.errata import ERRATA
    from theory.chen_2022.restrictions import restrictions
    from theory.chen_2022.sufficient_condition import sufficient_condition
    from theory.chen_2022.table_1 import table_1
    from theory.chen_2022.theorem_2 import theorem_2
    from theory.chen_2022.theorem_17 import theorem_17
    from theory.constants import ConditionError, Constants
    from theory.statement import STATEMENTS, Setup

# name: its module in `theory`, and None where it is that module itself
_WHERE: dict[str, tuple[str, str | None]] = {
    "ERRATA": ("chen_2022.errata", "ERRATA"),
    "STATEMENTS": ("statement", "STATEMENTS"),
    "ConditionError": ("constants", "ConditionError"),
    "Constants": ("constants", "Constants"),
    "Practical": ("statement", "Practical"),
    "Setup": ("statement", "Setup"),
    "audit": ("chen_2022.assumptions", "audit"),
    "corollary_7": ("chen_2022.corollary_7", "corollary_7"),
    "corollary_10": ("chen_2022.corollary_10", "corollary_10"),
    "corollary_13": ("chen_2022.corollary_13", "corollary_13"),
    "lemmas": ("chen_2022.lemmas", None),
    "restrictions": ("chen_2022.restrictions", "restrictions"),
    "slack": ("chen_2022.slack", None),
    "statement": ("statement", None),
    "sufficient_condition": ("chen_2022.sufficient_condition", "sufficient_condition"),
    "table_1": ("chen_2022.table_1", "table_1"),
    "theorem_2": ("chen_2022.theorem_2", "theorem_2"),
    "theorem_17": ("chen_2022.theorem_17", "theorem_17"),
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'theory' has no attribute {name!r}; it has {', '.join(_WHERE)}")
    module, attribute = _WHERE[name]
    found = import_module(f"theory.{module}")
    return found if attribute is None else getattr(found, attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})


__all__ = [
    "ERRATA",
    "STATEMENTS",
    "ConditionError",
    "Constants",
    "Practical",
    "Setup",
    "audit",
    "corollary_7",
    "corollary_10",
    "corollary_13",
    "lemmas",
    "restrictions",
    "slack",
    "statement",
    "sufficient_condition",
    "table_1",
    "theorem_2",
    "theorem_17",
]
