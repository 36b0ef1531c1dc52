"""The search: differential evolution for the largest measured/bound, then a run of the found instance by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from theory.adversary.instance import Instance
from theory.adversary.statements import TARGETS, Target
from theory.statement import Variant
from theory.tools.sides import ExpectedSides, Verdict

# Seeds of the replicas: the search's own, and fresh ones for what it found.
SEARCHED, FRESH = 0, 1
REPLICAS, FRESH_REPLICAS = 8, 64


@dataclass(frozen=True)
class Worst:
    """The worst instance found, and what a run of it on fresh replicas measures.

    Attributes
    ----------
    statement, variant : str
    instance : Instance
    measured, bound : float
        The two sides.
    interval : (float, float)
        Of measured, at confidence 0.9999 (Student's t over replicas; where the bound depends on the run, as in
        Lemma 38, the bound's noise is counted in); a point where there is no noise.
    ratio : float
        measured/bound, 1 and more where the statement is broken.
    verdict : str
        "violated" where interval lies above the bound.
    evaluated : int
        The instances tried.
    """

    statement: str
    variant: Variant
    instance: Instance
    measured: float
    interval: tuple[float, float]
    bound: float
    ratio: float
    verdict: Verdict
    evaluated: int


class Among(NamedTuple):
    """Which instances count. noise : those with noise too. vacuous : those whose bound exceeds the trivial one too."""

    noise: bool = True
    vacuous: bool = True


EVERY_INSTANCE = Among()


def search(
    statement: str,
    variant: Variant = "corrected",
    *,
    steps: int | None = None,
    workers: int = 1,
    population: int = 5,
    generations: int = 50,
    seed: int = 0,
    among: Among = EVERY_INSTANCE,
) -> Worst:
    """The instance with the largest measured/bound that differential evolution finds for a statement.

    The search ranks by means over a few replicas; what it found is run again, as `reference.run` of a named problem, on
    many fresh ones. Same arguments, same result.

    Parameters
    ----------
    statement : str
        The title of one in the registry, "Theorem 2" for instance, or "Lemma 38".
    variant : str
    steps, workers : int
        T and s of every instance.
    population : int
        Members per unknown; each generation advances as one array (C, replicas, d).
    generations : int
    seed : int
    among : Among
        Which instances count.

    Examples
    --------
    >>> found = search("Lemma 38", "printed", steps=30, generations=8)
    >>> found.verdict, found.ratio > 1
    ('violated', True)
    """
    from scipy.optimize import differential_evolution

    if statement not in TARGETS:
        raise ValueError(f"the statement must be one of {', '.join(TARGETS)}; got {statement!r}")
    attacked = TARGETS[statement]
    if variant not in attacked.variants:
        raise ValueError(f"the variant of {statement} must be one of {', '.join(attacked.variants)}; got {variant!r}")
    T = steps or attacked.steps

    def instance_of(vector: NDArray[np.float64]) -> Instance:
        instance = decode(vector, attacked, T, workers)
        return instance if among.noise else replace(instance, high=0.0, p=0.5)

    def objective(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        return -ratios(attacked, variant, [instance_of(vector) for vector in vectors.T], among.vacuous)

    unknowns = UNKNOWNS | SEQUENCES[attacked.sequences]
    result = differential_evolution(
        objective,
        list(unknowns.values()),
        integrality=[name in INTEGERS for name in unknowns],
        popsize=population,
        maxiter=generations,
        tol=0,
        polish=False,
        vectorized=True,
        updating="deferred",
        seed=seed,
    )
    instance = instance_of(result.x)
    sides = attacked.alone(instance, variant, FRESH, FRESH_REPLICAS if instance.high else 1)
    low, high = sides.interval
    measured, bound = float(sides.left), float(sides.right)
    return Worst(
        statement=statement,
        variant=variant,
        instance=instance,
        measured=measured,
        interval=(bound - float(high), bound - float(low)),
        bound=bound,
        ratio=measured / bound,
        verdict=sides.verdict,
        evaluated=len(result.population) * result.nfev,
    )


def search_all(**options: Any) -> list[Worst]:
    """Every statement in every variant that has a formula of its own, with the options of `search`."""
    return [search(title, variant, **options) for title, target in TARGETS.items() for variant in target.variants]


def table(found: Sequence[Worst]) -> str:
    """What was found, for a person to read."""
    lines = [f"{'statement':13} {'variant':10} {'measured':>10} {'bound':>10} {'ratio':>7}  verdict"]
    for f in found:
        lines.append(
            f"{f.statement:13} {f.variant:10} {f.measured:10.4g} {f.bound:10.4g} {f.ratio:7.4f}  {f.verdict}\n"
            f"    {f.instance}"
        )
    return "\n".join(lines)


def ratios(
    target: Target, variant: Variant, instances: Sequence[Instance], vacuous: bool = True
) -> NDArray[np.float64]:
    """measured/bound on the search's replicas, (C,); 0 where the statement says nothing, or nothing that counts."""

    def ratio(instance: Instance, sides: ExpectedSides | None) -> float:
        if sides is None or not (vacuous or float(sides.right) <= target.trivial(instance)):
            return 0.0
        if sides.right == 0:
            return math.inf if sides.left > 0 else 0.0
        return float(sides.left / sides.right)

    found = target.together(instances, variant, SEARCHED, REPLICAS)
    return np.array([ratio(*pair) for pair in zip(instances, found, strict=True)])


# What differential evolution varies, and between which limits. Where a limit below 0 stands for a quantity >= 0,
# what is below counts as 0, so that 0 itself is found. Theorems 2 and 17, Corollary 13 and Lemma 38 do not change
# when f, or x and alpha together, are measured in other units: the tapered function's slope and step can be 1.
UNKNOWNS: dict[str, tuple[float, float]] = {
    "bump": (0, 1),  # instead of tapered
    "log2 d": (0, 3),
    "noisy": (0, 1),
    "log10 length": (-2, 4),  # the taper, or the bump's width 1, in steps
    "start": (-0.3, 2),  # x_1, in the length of T steps, or in the bump's width
    "log10 high": (-1, 2),
    "p": (0.01, 0.99),
    "beta": (-0.3, 0.95),
    "log10 epsilon": (-12, 4),
}
SEQUENCES: dict[str, dict[str, tuple[float, float]]] = {
    "generic": {"s": (-0.3, 0.9), "r": (-0.3, 1.5), "log10 K": (0, 3), "log10 (1 - theta_1)": (-6, -0.01)},
    "practical": {"log10 theta/T": (-6, float(np.log10(0.75)))},
    "step": {},  # the length of the taper, or of the bump, in steps is what counts
}
INTEGERS = {"bump", "log2 d", "noisy"}


def decode(vector: NDArray[np.float64], target: Target, T: int, workers: int) -> Instance:
    """The instance a vector of unknowns stands for, its numbers rounded to four digits."""
    given = dict(zip(UNKNOWNS | SEQUENCES[target.sequences], vector.tolist(), strict=True))
    power = {name.removeprefix("log10 "): 10**value for name, value in given.items() if name.startswith("log10")}
    bump, noisy = given["bump"] > 0.5, given["noisy"] > 0.5
    step = 1 / power["length"] if bump else 1.0
    s = max(0.0, given.get("s", 0.0))
    parameters = PARAMETERS[target.sequences](step, s, given, T)
    return Instance(
        problem="bump" if bump else "tapered",
        taper=rounded(power["length"]),
        x1=rounded(max(0.0, given["start"]) * (1 if bump else T ** (1 - s))),
        dimension=2 ** round(given["log2 d"]),
        high=rounded(power["high"]) if noisy else 0.0,
        p=rounded(given["p"]),
        workers=workers,
        schedule=target.sequences,
        parameters=tuple(rounded(number) for number in parameters),
        beta=rounded(max(0.0, given["beta"])),
        steps=T,
        epsilon=rounded(power["epsilon"]),
        method=target.method,
    )


def _generic(step: float, s: float, given: dict[str, float], T: int) -> tuple[float, ...]:
    r, K = max(0.0, given["r"]), 10 ** given["log10 K"]
    return step, s, 10 ** given["log10 (1 - theta_1)"] * K**r, r, K


# kind of sequences: alpha_1, s, what differential evolution varies, and T -> the parameters of an instance
PARAMETERS: dict[str, Callable[[float, float, dict[str, float], int], tuple[float, ...]]] = {
    "generic": _generic,
    "practical": lambda step, s, given, T: (step * T**0.5, 10 ** given["log10 theta/T"] * T),
    "step": lambda step, s, given, T: (step,),
}


def rounded(number: float) -> float:
    """To four digits."""
    return float(f"{number:.4g}")
