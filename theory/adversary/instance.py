"""An instance of the adversary's family in plain numbers: a named problem, a start, schedules and v_0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reference import Family, MeanOfWorkers, families, problems
from reference.problems import Noise, Problem

SLOPE = 1.0  # of the tapered problem, where it is not bent


@dataclass(frozen=True)
class Instance:
    """Everything a run needs but its seed; `source`, `start` and `family` are what `reference.run` takes.

    problem : "tapered", f = sum_k h(x_k) with slope 1 for x_k >= 0 that falls to 0 at -taper; or "bump",
        f = sum_k x_k^2/(1 + x_k^2). x1 : every coordinate of x_1. dimension : d.
    high, p : two-point noise, high with probability p and mean 0; high = 0 is none. workers : s.
    schedule : "generic" with (eta, s, a, r, K), alpha_t = eta/t^s and theta_t = 1 - a/max(t, K)^r (Eq. 8, p. 10), or
        "practical" with (alpha, theta), alpha_t = alpha/sqrt T and theta_t = 1 - theta/T (Corollary 13, p. 13);
        beta_t = beta. steps : T. epsilon : v_0.
    """

    problem: Literal["tapered", "bump"]
    taper: float
    x1: float
    dimension: int
    high: float
    p: float
    workers: int
    schedule: Literal["generic", "practical"]
    parameters: tuple[float, ...]
    beta: float
    steps: int
    epsilon: float

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
        if self.schedule == "generic":
            eta, s, a, r, K = self.parameters
            return families.generic(eta, s, a, r, K, self.beta)
        alpha, theta = self.parameters
        return families.practical(self.steps, alpha, self.beta, theta)

    def __str__(self) -> str:
        what = f"tapered (slope 1, taper {self.taper:g})" if self.problem == "tapered" else "bump"
        noise = f"noise {self.high:g} w.p. {self.p:g}" if self.high else "no noise"
        names = ("eta", "s", "a", "r", "K") if self.schedule == "generic" else ("alpha", "theta")
        numbers = ", ".join(f"{name} {value:g}" for name, value in zip(names, self.parameters, strict=True))
        return (
            f"{what}, d = {self.dimension}, x_1 = {self.x1:g}, {noise}, s = {self.workers}; "
            f"{self.schedule}({numbers}, beta {self.beta:g}), T = {self.steps}, epsilon = {self.epsilon:g}"
        )
