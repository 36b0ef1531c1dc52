"""What the adversary attacks: for each statement its two sides, on many instances at once and on one alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import reference
from reference.adam import Array
from theory.adversary import population
from theory.adversary.instance import Instance
from theory.bound import Bound, ConditionError, Variant
from theory.chen_2022.corollary_13 import corollary_13
from theory.chen_2022.lemmas.lemma_38 import lemma_38
from theory.chen_2022.restrictions import restrictions
from theory.chen_2022.theorem_2 import theorem_2
from theory.chen_2022.theorem_17 import theorem_17
from theory.chen_2022.trajectory import Trajectory, record
from theory.tools.sequences import complement
from theory.tools.sides import ExpectedSides, in_expectation

# The sides of every instance, None where the statement says nothing or its bound overflows.
Together = Callable[[Sequence[Instance], Variant, int, int], list[ExpectedSides | None]]


@dataclass(frozen=True)
class Statement:
    """together(instances, variant, seed, replicas) : left and right side of each, from one array through one loop;
    the instances share s and T.
    alone(instance, variant, seed, replicas) : the same from a run of its own.
    """

    name: str
    schedule: Literal["generic", "practical"]
    variants: tuple[Variant, ...]
    steps: int  # T of a search that names none
    together: Together
    alone: Callable[[Instance, Variant, int, int], ExpectedSides]


def on_gradient_norm(
    name: str, schedule: Literal["generic", "practical"], variants: tuple[Variant, ...], steps: int,
    bound: Callable[[Instance, Variant], Bound],
) -> Statement:  # fmt: skip
    """A statement that bounds E||grad f(x_tau)||, tau uniform on 1..T, that is (1/T) sum_t E||grad f(x_t)||."""

    def sides(instance: Instance, variant: Variant, norms: Array) -> ExpectedSides:
        value = bound(instance, variant).value
        return in_expectation(name, variant, probabilities_of(instance, len(norms)), lambda mean: (mean, value), norms)

    def together(instances, variant, seed, replicas):
        norms = population.run(instances, seed, replicas, average=["gradient_norm"]).averages["gradient_norm"]
        return [_or_none(sides, i, variant, row) for i, row in zip(instances, norms, strict=True)]

    def alone(instance, variant, seed, replicas):
        result = reference.run(
            instance.source(seed), np.tile(instance.start, (replicas, 1)), instance.family, instance.steps,
            epsilon=instance.epsilon, average=["gradient_norm"],
        )  # fmt: skip
        return sides(instance, variant, result.averages["gradient_norm"])

    return Statement(name, schedule, variants, steps, together, alone)


def _or_none(sides: Callable[..., ExpectedSides], *given) -> ExpectedSides | None:
    try:
        return sides(*given)
    except ValueError:  # ConditionError, or a side that is not finite
        return None


def probabilities_of(instance: Instance, replicas: int) -> Array | None:
    """Without noise one replica is all there is."""
    return None if instance.high else np.full(replicas, 1 / replicas)


def constants(instance: Instance) -> dict[str, Any]:
    """L, G, d, gap, epsilon as the bounds take them."""
    problem = instance.objective
    known = {name: getattr(problem.constants, name).value for name in ("L", "G", "f_star")}
    gap = float(problem.value(np.array(instance.start))) - known.pop("f_star")
    return {**known, "d": instance.dimension, "gap": gap, "epsilon": instance.epsilon}


def practical(instance: Instance) -> dict[str, Any]:
    alpha, theta = instance.parameters
    return {"alpha": alpha, "beta": instance.beta, "theta": theta}


def _theorem_2(instance: Instance, variant: Variant) -> Bound:
    return theorem_2(instance.family, instance.steps, **constants(instance), variant=variant)


def _corollary_13(instance: Instance, variant: Variant) -> Bound:
    return corollary_13(instance.steps, **constants(instance), **practical(instance), variant=variant)


def _theorem_17(instance: Instance, variant: Variant) -> Bound:
    more: dict[str, Any] = {"sigma2": instance.objective.constants.sigma2.value, "workers": instance.workers}
    return theorem_17(instance.steps, **constants(instance), **practical(instance), **more, variant=variant)


def _lemma_38_together(instances, variant, seed, replicas):
    return [run and _or_none(lemma_38, run, variant) for run in trajectories(instances, seed, replicas)]


def _lemma_38_alone(instance, variant, seed, replicas):
    run = record(
        instance.source(seed), instance.start, instance.family, instance.steps,
        epsilon=instance.epsilon, replicas=replicas,
    )  # fmt: skip
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
        alpha, beta, theta = family.at(t)
        problem = instance.objective.constants
        known: dict[str, Any] = {name: getattr(problem, name).value for name in ("L", "G", "sigma2", "f_star")}
        known |= {name: kept[name][:, c, :, : instance.dimension] for name in names}
        try:
            r = restrictions(family, T)
        except ConditionError:
            return None
        return Trajectory(
            alpha, beta, theta, complement(family.theta, t), instance.epsilon, f=f[:, c], **known,
            workers=instance.workers, restrictions=r, probabilities=probabilities_of(instance, replicas),
        )  # fmt: skip

    return [trajectory(c, instance) for c, instance in enumerate(instances)]


STATEMENTS = {
    statement.name: statement
    for statement in (
        on_gradient_norm("Theorem 2", "generic", ("corrected", "sharp"), 500, _theorem_2),
        on_gradient_norm("Corollary 13", "practical", ("printed", "corrected", "sharp"), 1000, _corollary_13),
        on_gradient_norm("Theorem 17", "practical", ("printed", "corrected", "sharp"), 500, _theorem_17),
        Statement("Lemma 38", "practical", ("printed", "corrected", "sharp"), 100, _lemma_38_together, _lemma_38_alone),
    )
}
