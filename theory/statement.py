"""The contract of a statement, a theorem with an explicit bound; what its bound comes as; and the registry of all.

A statement is one file with the module attribute STATEMENT, and one row of STATEMENTS. The command `bound`, the
adversary, the experiment of bounds, the report and the summary of `mpi.train` ask the registry:

    for statement in STATEMENTS.values():           # or STATEMENTS["theorem-2"], which loads that one alone
        why_not = statement.applies(setup)          # None where the statement is about the run
        bound = statement.bound(setup, "corrected")
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reference.families import Family, Practical
from theory.constants import ConditionError, Constants
from theory.tools.positive import Positive

Variant = Literal["corrected", "printed", "sharp"]
VARIANTS: tuple[Variant, ...] = ("corrected", "printed", "sharp")


@dataclass(frozen=True)
class Metric:
    """What a statement bounds: (average over t and over chance of ||grad f(x_t)||^power in some norm)^(1/power).

    Attributes
    ----------
    name : str
        "mean norm", "root mean square" or "mean l1 norm".
    meaning : str
        The same as a formula.
    quantity : str
        What `reference.Recorder` averages over t = 1..T.
    power : int
        quantity is a power of the norm: the metric is (E average)^(1/power).
    trivial : callable
        Constants -> what the metric is at most whatever the algorithm does; None where that is not known.
    """

    name: str
    meaning: str
    quantity: str
    power: int
    trivial: Callable[[Constants], float | None]


def _at_most_G(constants: Constants) -> float | None:
    return constants.G


MEAN_NORM = Metric("mean norm", "(1/T) sum_{t<=T} E||grad f(x_t)||", "gradient_norm", 1, _at_most_G)
ROOT_MEAN_SQUARE = Metric(
    "root mean square", "sqrt((1/T) sum_{t<=T} E||grad f(x_t)||^2)", "squared_gradient_norm", 2, _at_most_G
)


@dataclass(frozen=True)
class Bound:
    """An upper bound on a metric of the gradients along a run, with its parts.

    Attributes
    ----------
    statement, paper, variant : str
        What was evaluated.
    value : float
        The bound; inf where it exceeds the largest float, log10_value is finite all the same.
    log10_value : float
    metric : Metric
        What is bounded.
    trivial : float or None
        What the metric is at most whatever the algorithm does: G, since E||grad f||^2 <= E||g||^2 <= G^2 (A4).
    vacuous : bool or None
        value > trivial; None where that is not known.
    terms : dict
        The summands, of what each statement's function says.
    constants : dict
        C5, gamma, ... by the paper's names.
    source : str
        Where the statement and its proof stand.
    kind : str
        "upper bound".
    """

    statement: str
    paper: str
    variant: Variant
    value: float
    log10_value: float
    metric: Metric
    trivial: float | None
    vacuous: bool | None
    terms: dict[str, float]
    constants: dict[str, float]
    source: str
    kind: Literal["upper bound"] = "upper bound"

    def as_json(self) -> dict[str, Any]:
        """The keys of `python -m theory bound --json`; null stands for what a float cannot hold."""
        return {
            "statement": self.statement,
            "paper": self.paper,
            "variant": self.variant,
            "kind": self.kind,
            "source": self.source,
            "metric": self.metric.name,
            "value": finite(self.value),
            "log10_value": finite(self.log10_value),
            "trivial": None if self.trivial is None else finite(self.trivial),
            "vacuous": self.vacuous,
            "terms": {name: finite(term) for name, term in self.terms.items()},
            "constants": {name: finite(constant) for name, constant in self.constants.items()},
        }


@dataclass(frozen=True)
class Setup:
    """A run that a statement may be about.

    Attributes
    ----------
    family : Family
        The sequences.
    T : int
        The number of steps.
    constants : Constants
    epsilon : float
        v_0; not read by methods without a v.
    workers : int
        s, the samples whose mean is a step's gradient.
    method : str
        By its name in reference.methods.METHODS.
    """

    family: Family
    T: int
    constants: Constants
    epsilon: float = 1.0
    workers: int = 1
    method: str = "adam"

    @property
    def practical(self) -> Practical:
        """(alpha, beta, theta) of Corollary 13's family; a statement that reads it has asked before whether it is."""
        assert self.family.practical is not None
        return self.family.practical


@dataclass(frozen=True)
class Option:
    """An option of the command line: its meaning, and its default; None where it must be given."""

    meaning: str
    default: float | None = None


@dataclass(frozen=True)
class Sequences:
    """How numbers give the sequences of a statement.

    Attributes
    ----------
    name : str
    options : mapping
        The numbers' names, in the order of `family`'s parameters after T.
    family : callable
        T and the numbers -> the family.
    """

    name: str
    options: Mapping[str, Option]
    family: Callable[..., Family]


@dataclass(frozen=True)
class Statement:
    """A theorem with an explicit bound on a run.

    Attributes
    ----------
    name : str
        On the command line: "theorem-2".
    title : str
        "Theorem 2".
    paper : str
        A short citation.
    pages : str
    source : str
        Statement, pages, proof and how its assumptions are read.
    methods : tuple of str
        The methods it is about, by their names in reference.methods.METHODS.
    assumptions : tuple of str
        "A1", ..., as problems name those they violate.
    metric : Metric
    sequences : Sequences
        How its command line gives alpha_t, beta_t and theta_t.
    needs : tuple of str
        The names of `Constants` it takes.
    evaluate : callable
        (setup, variant) -> Bound.
    requires : callable
        setup -> why the statement is not about it, beyond method, assumptions and constants; None where it is.
    variants : tuple of str
        The forms there are: as printed, corrected, and sharp (same assumptions, less waste).
    same : mapping
        A variant to another one with the same formula.
    of_the_mean : bool
        Whether the bound takes account of s, the samples whose mean is a step's gradient. A statement that does not
        holds for the mean of s samples too, as for one of them.
    reads_epsilon : bool
        Whether the bound depends on v_0.
    sum_of : str
        What the terms are the summands of, in words.
    """

    name: str
    title: str
    paper: str
    pages: str
    source: str
    methods: tuple[str, ...]
    assumptions: tuple[str, ...]
    metric: Metric
    sequences: Sequences
    needs: tuple[str, ...]
    evaluate: Callable[[Setup, Variant], Bound]
    requires: Callable[[Setup], str | None] = lambda setup: None
    variants: tuple[Variant, ...] = VARIANTS
    same: Mapping[Variant, Variant] = field(default_factory=dict)
    of_the_mean: bool = False
    reads_epsilon: bool = True
    sum_of: str = "which is the sum of"

    @property
    def different(self) -> tuple[Variant, ...]:
        """The variants with a formula of their own."""
        return tuple(variant for variant in self.variants if variant not in self.same)

    def applies(self, setup: Setup) -> str | None:
        """Why the statement is not about the run; None where it is.

        Conditions on the parameters, such as gamma < 1, are checked where the bound is evaluated.
        """
        if setup.method not in self.methods:
            return f"{self.title} is about {' and '.join(self.methods)}, the method of the run is {setup.method}"
        for assumption, why in setup.constants.violated.items():
            if assumption == "no projection":
                return why
            if assumption in self.assumptions:
                return f"{assumption} fails: {why}"
        return setup.constants.reason(*self.needs) or self.requires(setup)

    def bound(self, setup: Setup, variant: Variant = "corrected") -> Bound:
        """The bound; ConditionError where the statement says nothing of the run."""
        check_variant(self, variant)
        why = self.applies(setup)
        if why is not None:
            raise ConditionError(why)
        return self.evaluate(setup, variant)

    def made(
        self,
        variant: Variant,
        value: Positive,
        constants: Constants,
        terms: Mapping[str, Positive],
        parts: Mapping[str, Positive | float],
    ) -> Bound:
        """The bound of this value, these terms and these constants of the paper."""
        trivial = self.metric.trivial(constants)
        return Bound(
            statement=self.title,
            paper=self.paper,
            variant=variant,
            value=float(value),
            log10_value=value.log10,
            metric=self.metric,
            trivial=trivial,
            vacuous=None if trivial is None else value > trivial,
            terms=floats(terms),
            constants=floats(parts),
            source=self.source,
        )


class Registry(Mapping[str, Statement]):
    """The statements by their names on the command line; one is loaded when it is asked for."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> Statement:
        if name not in self._modules:
            raise KeyError(f"the statement must be one of {', '.join(self._modules)}; got {name!r}")
        return importlib.import_module(f"theory.{self._modules[name]}").STATEMENT

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


# name on the command line: its module in `theory`
STATEMENTS = Registry(
    {
        "theorem-2": "chen_2022.theorem_2",
        "corollary-13": "chen_2022.corollary_13",
        "theorem-17": "chen_2022.theorem_17",
        "ghadimi-lan": "ghadimi_lan_2013",
    }
)


def check_variant(statement: Statement, variant: str) -> None:
    """ValueError for a variant that the statement does not have."""
    if variant not in statement.variants:
        raise ValueError(
            f"the variant of {statement.title} must be one of {', '.join(statement.variants)}; got {variant!r}"
        )


def floats(numbers: Mapping[str, Positive | float]) -> dict[str, float]:
    """Each as a float, inf where it exceeds the largest one."""
    return {name: float(number) for name, number in numbers.items()}


def finite(number: float) -> float | None:
    """For JSON, which has no infinity."""
    return number if math.isfinite(number) else None
