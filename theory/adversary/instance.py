"""An instance of the adversary's family in plain numbers: a named problem, a start, schedules and v_0."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from reference import Family, MeanOfWorkers, families, problems
from reference.files import write_bytes
from reference.methods import METHODS, Method
from reference.problems import Noise, Problem
from theory.constants import Constants
from theory.statement import Setup

SLOPE = 1.0  # of the tapered problem, where it is not bent
TIGHT = files("theory.adversary") / "data" / "tight.json"


class Kind(NamedTuple):
    """Sequences of a kind: the parameters' names, and T, the parameters and beta -> the family.

    Parameters are numbers, or arrays (C, 1) for configurations side by side.
    """

    parameters: tuple[str, ...]
    family: Callable[[int, Any, Any], Family]


def _generic(T: int, given: Any, beta: Any) -> Family:
    eta, s, a, r, K = given
    return families.generic(eta, s, a, r, K, beta)


KINDS = {
    "generic": Kind(("eta", "s", "a", "r", "K"), _generic),
    "practical": Kind(("alpha", "theta"), lambda T, given, beta: families.practical(T, given[0], beta, given[1])),
    "step": Kind(("eta",), lambda T, given, beta: families.step_sizes(*given)),
}


@dataclass(frozen=True)
class Instance:
    """Everything a run needs but its seed; `source`, `start` and `family` are what `reference.run` takes.

    problem : "tapered", f = sum_k h(x_k) with slope 1 for x_k >= 0 that falls to 0 at -taper; or "bump",
        f = sum_k x_k^2/(1 + x_k^2). x1 : every coordinate of x_1. dimension : d.
    high, p : two-point noise, high with probability p and mean 0; high = 0 is none. workers : s.
    schedule : "generic" with (eta, s, a, r, K), alpha_t = eta/t^s and theta_t = 1 - a/max(t, K)^r (Eq. 8, p. 10), or
        "practical" with (alpha, theta), alpha_t = alpha/sqrt T and theta_t = 1 - theta/T (Corollary 13, p. 13), or
        "step" with (eta,), alpha_t = eta; beta_t = beta. steps : T. epsilon : v_0. method : by its name.
    """

    problem: Literal["tapered", "bump"]
    taper: float
    x1: float
    dimension: int
    high: float
    p: float
    workers: int
    schedule: str
    parameters: tuple[float, ...]
    beta: float
    steps: int
    epsilon: float
    method: str = "adam"

    @property
    def noise(self) -> Noise:
        """Of one sample, in every coordinate."""
        return problems.TwoPoint(self.high, self.p) if self.high else problems.NoNoise()

    @property
    def objective(self) -> Problem:
        """It starts at x_1."""
        if self.problem == "bump":
            return problems.Bump(self.dimension, self.noise).starting_at(self.start)
        return problems.TaperedLinear(SLOPE, self.taper, self.x1, self.dimension, self.noise)

    def source(self, seed: int) -> MeanOfWorkers:
        return MeanOfWorkers(self.objective, seed, self.workers)

    @property
    def start(self) -> list[float]:
        """x_1, (d,)"""
        return [self.x1] * self.dimension

    @property
    def family(self) -> Family:
        return KINDS[self.schedule].family(self.steps, self.parameters, self.beta)

    @property
    def setup(self) -> Setup:
        """As the statements take it."""
        constants = Constants.of(self.objective, self.start)
        return Setup(self.family, self.steps, constants, self.epsilon, self.workers, self.method)

    @property
    def by(self) -> Method:
        """The method itself."""
        return METHODS[self.method]

    def __str__(self) -> str:
        what = f"tapered (slope 1, taper {self.taper:g})" if self.problem == "tapered" else "bump"
        noise = f"noise {self.high:g} w.p. {self.p:g}" if self.high else "no noise"
        names = KINDS[self.schedule].parameters
        numbers = ", ".join(f"{name} {value:g}" for name, value in zip(names, self.parameters, strict=True))
        return (
            f"{what}, d = {self.dimension}, x_1 = {self.x1:g}, {noise}, s = {self.workers}; "
            f"{self.schedule}({numbers}, beta {self.beta:g}), T = {self.steps}, epsilon = {self.epsilon:g}"
        )


def load_instances(path: Traversable | Path = TIGHT) -> dict[str, tuple[Instance, ...]]:
    """Instances by the name of their group, from a file that `python -m theory.adversary` writes."""
    groups = json.loads(path.read_text())
    return {
        name: tuple(Instance(**each | {"parameters": tuple(each["parameters"])}) for each in them)
        for name, them in groups.items()
    }


def store_instances(groups: Mapping[str, Sequence[Instance]], path: Path) -> None:
    """What `load_instances` reads, one instance a line."""
    blocks = (
        f"{json.dumps(name)}: [\n  " + ",\n  ".join(json.dumps(asdict(each)) for each in them) + "\n]"
        for name, them in groups.items()
    )
    write_bytes(path, ("{\n" + ",\n".join(blocks) + "\n}\n").encode())
