"""What the lemmas read off a run: x_t's gradients, g_t, m_t, v_t, Delta_t, and the constants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import reference
from reference.families import Family
from reference.problems import Problem
from theory.chen_2022.restrictions import Restrictions, restrictions
from theory.constants import ConditionError
from theory.tools.enumeration import EveryOutcome, Outcomes, of_noise
from theory.tools.sequences import complement
from theory.tools.sides import Array, ExpectedSides, in_expectation

MOST_NUMBERS = 2**24  # in one recorded array of an enumeration, T n^T d: 128 MB
_PER_COORDINATE = ("gradient", "g", "m", "v", "second_moment")


@dataclass(frozen=True)
class Trajectory:
    """T steps of R replicas in d dimensions.

    alpha, beta, theta, complement : (T,), the schedules; complement is 1 - theta_t without cancellation.
    epsilon : v_0, one number.
    f : (T+1, R), f(x_1) .. f(x_{T+1}).
    gradient, g, m, v : (T, R, d), grad f(x_t), g_t, m_t, v_t.
    second_moment : (T, R, d), delta_t^2 = E_t g_t^2, exact.
    L, G, sigma2, f_star : the problem's constants (A1-A5), nan where unknown. workers : s.
    restrictions : C0, C1, gamma, ... (R1-R3, pp. 7-8).
    probabilities : (R,) where the replicas are all the outcomes there are (a deterministic run, or an enumeration),
        so that expectations are exact; None where they are a sample.
    """

    alpha: Array
    beta: Array
    theta: Array
    complement: Array
    epsilon: float
    f: Array
    gradient: Array
    g: Array
    m: Array
    v: Array
    second_moment: Array
    L: float
    G: float
    sigma2: float
    f_star: float
    workers: int
    restrictions: Restrictions
    probabilities: Array | None

    @property
    def T(self) -> int:
        return len(self.alpha)

    @property
    def d(self) -> int:
        return self.g.shape[-1]

    @property
    def chi(self) -> Array:
        """chi_t = alpha_t / sqrt(1 - theta_t), (T,) (R3, p. 7)."""
        return self.alpha / np.sqrt(self.complement)

    @property
    def a(self) -> Array:
        """a_t = min_{i<=t} chi_i, (T,): the largest non-increasing sequence with a_t <= chi_t (R3, p. 7)."""
        return np.minimum.accumulate(self.chi)

    @cached_property
    def omega(self) -> Array:
        """omega_t = ||sqrt(1 - theta_t) g_t / sqrt(v_t)||^2, (T, R) (p. 33)."""
        return ((1 - self.theta)[:, None, None] * self.g**2 / self.v).sum(axis=-1)

    @cached_property
    def v_before(self) -> Array:
        """v_{t-1}, (T, R, d)."""
        return np.concatenate([np.full_like(self.v[:1], self.epsilon), self.v[:-1]])

    @cached_property
    def m_before(self) -> Array:
        """m_{t-1}, (T, R, d)."""
        return np.concatenate([np.zeros_like(self.m[:1]), self.m[:-1]])

    @cached_property
    def Delta(self) -> Array:
        """Delta_t = -alpha_t m_t/sqrt(v_t), (T, R, d): x_{t+1} - x_t without the rounding of x (p. 25)."""
        return -self.alpha[:, None, None] * (self.m / np.sqrt(self.v))

    @cached_property
    def vhat(self) -> Array:
        """v-hat_t = theta_t v_{t-1} + (1 - theta_t) delta_t^2, (T, R, d) (sec. 3.1, p. 9)."""
        theta = self.theta[:, None, None]
        return theta * self.v_before + (1 - theta) * self.second_moment

    @property
    def etahat(self) -> Array:
        """eta-hat_t = alpha_t/sqrt(v-hat_t), (T, R, d) (sec. 3.1, p. 9)."""
        return self.alpha[:, None, None] / np.sqrt(self.vhat)

    @cached_property
    def squared_step(self) -> Array:
        """||Delta_t||^2, (T, R)."""
        return (self.Delta**2).sum(axis=-1)

    @cached_property
    def squared_gradient(self) -> Array:
        """||grad f(x_t)||^2, (T, R)."""
        return (self.gradient**2).sum(axis=-1)

    @cached_property
    def weighted_gradient(self) -> Array:
        """||grad f(x_t)||^2_etahat = sum_k etahat_{t,k} (grad_k f(x_t))^2, (T, R) (p. 23)."""
        return (self.etahat * self.gradient**2).sum(axis=-1)

    @cached_property
    def descent(self) -> Array:
        """<grad f(x_t), Delta_t> + L ||Delta_t||^2, (T, R), whose expectation is M_t (Lemma 31, p. 26)."""
        return (self.gradient * self.Delta).sum(axis=-1) + self.L * self.squared_step

    @cached_property
    def root_of_squared_gradients(self) -> Array:
        """sqrt(sum_t ||grad f(x_t)||^2), (R,), whose expectation is X of Theorem 17's proof (p. 38)."""
        return np.sqrt(self.squared_gradient.sum(axis=0))

    @property
    def logarithm(self) -> float:
        """ln(1 + G^2/(epsilon d)) of Lemma 34 (p. 32) and all that follows."""
        return math.log1p(self.G**2 / self.epsilon / self.d)

    def constant_beta(self, why: str) -> float:
        """beta where every beta_t is the same; ConditionError otherwise."""
        if np.ptp(self.beta) != 0:
            raise ConditionError(f"beta_t runs from {self.beta.min():g} to {self.beta.max():g}; {why} needs one beta")
        return float(self.beta[0])

    def is_sharp(self, variant: str, why: str) -> bool:
        """Whether the variant is the sharp one; ConditionError where that one needs one beta and there is none."""
        if variant == "sharp":
            self.constant_beta(why)
        return variant == "sharp"

    def constant_theta(self, why: str) -> float:
        """theta where every theta_t is the same; ConditionError otherwise."""
        if np.ptp(self.theta) != 0:
            raise ConditionError(
                f"theta_t runs from {self.theta.min():g} to {self.theta.max():g}; {why} needs one theta"
            )
        return float(self.theta[0])

    def practical(self) -> tuple[float, float]:
        """(alpha, theta) of alpha_t = alpha/sqrt T, theta_t = 1 - theta/T >= 1/4 (Theorem 17, p. 14)."""
        theta = self.constant_theta("Theorem 17 (p. 14)")
        self.constant_beta("Theorem 17 (p. 14)")
        if np.ptp(self.alpha) != 0:
            raise ConditionError("alpha_t varies; Theorem 17 (p. 14) needs alpha_t = alpha/sqrt T")
        if theta < 0.25:
            raise ConditionError(f"theta_t = {theta:g} < 1/4; Theorem 17 (p. 14) needs 1 - theta/T >= 1/4")
        return float(self.alpha[0]) * math.sqrt(self.T), self.T * (1 - theta)

    def in_expectation(self, lemma: str, variant: str, sides: Any, *statistics: Array) -> ExpectedSides:
        return in_expectation(lemma, variant, self.probabilities, sides, *statistics)


def constants_of(problem: Problem) -> dict[str, Any]:
    """L, G, sigma2 and f_star of a problem, nan where unknown: a lemma that reads such a one refuses its sides."""
    known = {name: getattr(problem.constants, name).value for name in ("L", "G", "sigma2", "f_star")}
    return {name: math.nan if value is None else value for name, value in known.items()}


def record(
    source: Any,
    x1: ArrayLike,
    family: Family,
    steps: int,
    *,
    epsilon: float,
    replicas: int = 1,
    theta_prime: float | None = None,
) -> Trajectory:
    """Runs `replicas` replicas from x1, shape (d,), for T = steps and keeps what the lemmas need.

    source : one of `reference.sources`, or any other that carries its `problem`.
    Where the run visits no point with noise, or the source enumerates outcomes and says so by its `probabilities`,
    expectations are exact. ValueError where the problem has no exact E_t g_t^2, ConditionError where a replica leaves
    the interval on which the problem's constants hold (a projection would be outside Algorithm 1).

    >>> from reference import MeanOfWorkers, families, problems
    >>> bump = problems.Bump(dimension=2, noise=problems.Gaussian(1.0))
    >>> run = record(MeanOfWorkers(bump, seed=0), bump.start, families.practical(9, 1, 0.5, 1), 9,
    ...              epsilon=0.1, replicas=3)
    >>> run.g.shape, run.f.shape
    ((9, 3, 2), (10, 3))
    """
    problem = source.problem
    x = np.tile(np.asarray(x1, np.float64), (replicas, 1))
    result = reference.run(source, x, family, steps, epsilon=epsilon, record=["x", "f", *_PER_COORDINATE])
    kept = result.history
    _require_inside(problem, np.concatenate([kept["x"], result.state.x[None]]))
    probabilities = source.probabilities
    if probabilities is None and np.array_equal(kept["second_moment"], kept["gradient"] ** 2):
        probabilities = np.full(replicas, 1 / replicas)
    numbers = constants_of(problem)
    known = {name: numbers[name] for name in ("L", "G")}
    known = known if all(map(math.isfinite, known.values())) else {}
    per_coordinate: dict[str, Any] = {name: kept[name] for name in _PER_COORDINATE}
    t = np.arange(1, steps + 1)
    alpha, beta, theta = family.at(t)
    return Trajectory(
        alpha, beta, theta, complement(family.theta, t), float(epsilon),
        f=np.concatenate([kept["f"], problem.value(result.state.x)[None]]),
        **per_coordinate,
        **numbers,
        workers=source.workers,
        restrictions=restrictions(family, steps, theta_prime=theta_prime, **known),
        probabilities=probabilities,
    )  # fmt: skip


def enumerate_paths(
    problem: Problem,
    x1: ArrayLike,
    family: Family,
    steps: int,
    *,
    epsilon: float,
    outcomes: tuple[Outcomes, int] | None = None,
    workers: int = 1,
    theta_prime: float | None = None,
) -> Trajectory:
    """A trajectory whose replicas are all n^T paths, with their probabilities: its expectations are exact.

    outcomes : the function and n; that of the problem's two-point noise where it is not given. ValueError where the
    record would take more than 128 MB an array.

    >>> from reference import families, problems
    >>> bump = problems.Bump(dimension=1, noise=problems.TwoPoint(high=3.0, p=0.25))
    >>> run = enumerate_paths(bump, bump.start, families.constant(0.1, 0.5, 0.9), 3, epsilon=0.1)
    >>> run.probabilities.size, float(run.probabilities.sum()), bool(run.probabilities[0] == 0.75**3)
    (8, 1.0, True)
    """
    given, n = outcomes or of_noise(problem, workers)
    numbers = steps * n**steps * problem.dimension
    if numbers > MOST_NUMBERS:
        raise ValueError(
            f"an array of an enumeration must hold at most {MOST_NUMBERS} numbers; got {numbers}, "
            f"since T = {steps} steps of {n} outcomes are {n**steps} paths"
        )
    source = EveryOutcome(problem, given, n, steps, workers)
    return record(source, x1, family, steps, epsilon=epsilon, replicas=source.replicas, theta_prime=theta_prime)


def _require_inside(problem: Problem, x: Array) -> None:
    """x : (T+1, R, d), x_1 .. x_{T+1}."""
    low, high = problem.interval or (-math.inf, math.inf)
    outside = (x < low) | (x > high)
    if outside.any():
        t = int(np.argmax(outside.any(axis=(1, 2))))
        raise ConditionError(
            f"x_{t + 1} = {x[t][outside[t]][0]:.6g}: the constants of {problem.name} hold on [{low:g}, {high:g}] "
            "alone, and a projection is outside Algorithm 1 (p. 4)"
        )
