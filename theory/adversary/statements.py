"""What the adversary attacks: for each statement its two sides, on many instances at once and on one alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import reference
from reference.adam import Array
from reference.schedules import as_schedule
from theory.adversary import population
from theory.adversary.instance import Instance
from theory.chen_2022.lemmas.lemma_38 import lemma_38
from theory.chen_2022.restrictions import restrictions
from theory.chen_2022.trajectory import Trajectory, constants_of, record
from theory.constants import ConditionError
from theory.statement import STATEMENTS, Statement, Variant
from theory.tools.sequences import complement
from theory.tools.sides import ExpectedSides, in_expectation

# The sides of every instance, None where the statement says nothing or its bound overflows.
Together = Callable[[Sequence[Instance], Variant, int, int], list[ExpectedSides | None]]


@dataclass(frozen=True)
class Target:
    """A statement or a lemma as the search takes it.

    Attributes
    ----------
    title : str
    sequences : str
        The kind of sequences of its instances, by name.
    method : str
        The method of its instances.
    variants : tuple of str
    steps : int
        T of a search that names none.
    together : callable
        (instances, variant, seed, replicas) -> left and right side of each, from one array through one loop; the
        instances share s and T.
    alone : callable
        The same of one instance, from a run of its own.
    trivial : callable
        instance -> what the left side is at most whatever the algorithm does; infinite where that is not known.
    """

    title: str
    sequences: str
    method: str
    variants: tuple[Variant, ...]
    steps: int
    together: Together
    alone: Callable[[Instance, Variant, int, int], ExpectedSides]
    trivial: Callable[[Instance], float] = lambda instance: math.inf


def target_of(statement: Statement, steps: int) -> Target:
    """A statement of the registry: its metric, measured, against its bound."""
    metric = statement.metric

    def sides(instance: Instance, variant: Variant, averages: Array) -> ExpectedSides:
        value = statement.bound(instance.setup, variant).value
        probabilities = probabilities_of(instance, len(averages))
        return in_expectation(
            statement.title, variant, probabilities, lambda mean: (mean ** (1 / metric.power), value), averages
        )

    def together(
        instances: Sequence[Instance], variant: Variant, seed: int, replicas: int
    ) -> list[ExpectedSides | None]:
        result = population.run(instances, seed, replicas, average=[metric.quantity])
        rows = result.averages[metric.quantity]
        return [_or_none(sides, i, variant, row) for i, row in zip(instances, rows, strict=True)]

    def alone(instance: Instance, variant: Variant, seed: int, replicas: int) -> ExpectedSides:
        x1 = np.tile(instance.start, (replicas, 1))
        result = reference.run(
            instance.source(seed),
            x1,
            instance.family,
            instance.steps,
            epsilon=instance.epsilon,
            average=[metric.quantity],
            method=instance.by,
        )
        return sides(instance, variant, result.averages[metric.quantity])

    def trivial(instance: Instance) -> float:
        known = replace(instance.setup.constants, G=instance.objective.largest_gradient_norm())
        least = metric.trivial(known)
        return math.inf if least is None else least

    return Target(
        statement.title,
        statement.sequences.name,
        statement.methods[0],
        statement.different,
        steps,
        together,
        alone,
        trivial,
    )


def _or_none(sides: Callable[..., ExpectedSides], *given: Any) -> ExpectedSides | None:
    try:
        return sides(*given)
    except ValueError:  # ConditionError, or a side that is not finite
        return None


def probabilities_of(instance: Instance, replicas: int) -> Array | None:
    """Without noise one replica is all there is."""
    return None if instance.high else np.full(replicas, 1 / replicas)


def _lemma_38_together(
    instances: Sequence[Instance], variant: Variant, seed: int, replicas: int
) -> list[ExpectedSides | None]:
    runs = trajectories(instances, seed, replicas)
    return [None if run is None else _or_none(lemma_38, run, variant) for run in runs]


def _lemma_38_alone(instance: Instance, variant: Variant, seed: int, replicas: int) -> ExpectedSides:
    source, family = instance.source(seed), instance.family
    run = record(source, instance.start, family, instance.steps, epsilon=instance.epsilon, replicas=replicas)
    return lemma_38(run, variant)


def trajectories(instances: Sequence[Instance], seed: int, replicas: int) -> list[Trajectory | None]:
    """What `record` gives for each of the instances, which run together; None where R1-R3 fail."""
    names = ("gradient", "g", "m", "v", "second_moment")
    result = population.run(instances, seed, replicas, record=["f", *names])
    kept, last = result.history, population.SideBySide(instances).value(result.state.x)
    f = np.concatenate([kept["f"], last[None]])
    T = instances[0].steps
    t = np.arange(1, T + 1)

    def trajectory(c: int, instance: Instance) -> Trajectory | None:
        family = instance.family
        try:
            r = restrictions(family, T)
        except ConditionError:
            return None
        level = as_schedule(family.theta).limit()
        if level is not None and level <= r.beta**2:  # R2's limit (p. 7), which no finite horizon decides
            return None
        alpha, beta, theta = family.at(t)
        of_the_instance: dict[str, Any] = {name: kept[name][:, c, :, : instance.dimension] for name in names}
        return Trajectory(
            alpha,
            beta,
            theta,
            complement(family.theta, t),
            instance.epsilon,
            f=f[:, c],
            **constants_of(instance.objective),
            **of_the_instance,
            workers=instance.workers,
            restrictions=r,
            probabilities=probabilities_of(instance, replicas),
        )

    return [trajectory(c, instance) for c, instance in enumerate(instances)]


_STEPS = {"corollary-13": 1000}  # of a search that names none; 500 otherwise
_LEMMA_38 = Target(
    "Lemma 38", "practical", "adam", ("printed", "corrected", "sharp"), 100, _lemma_38_together, _lemma_38_alone
)
TARGETS: dict[str, Target] = {
    target.title: target
    for target in (*(target_of(each, _STEPS.get(each.name, 500)) for each in STATEMENTS.values()), _LEMMA_38)
}
