"""Runs on which a printed form is false and the corrected one holds. Each gives (as printed, corrected)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from reference import ExactGradient, MeanOfWorkers, families, problems
from reference.adam import Array
from reference.problems import Known, KnownConstants, Problem
from reference.problems.problem import replicas_of
from reference.sampling import Sampler
from theory.chen_2022.lemmas.lemma_31 import lemma_31
from theory.chen_2022.lemmas.lemma_34 import lemma_34
from theory.chen_2022.lemmas.lemma_35 import lemma_35
from theory.chen_2022.lemmas.lemma_36 import lemma_36
from theory.chen_2022.lemmas.lemma_38 import lemma_38
from theory.chen_2022.trajectory import Trajectory, record
from theory.tools.enumeration import EveryOutcome
from theory.tools.sides import ExpectedSides

Pair = tuple[ExpectedSides, ExpectedSides]


def second_moment_without_square() -> tuple[Pair, Pair]:
    """A4 as printed, E||g_t||^2 <= G (p. 7), fails Lemmas 34 and 36 where G < 1; E||g_t||^2 <= G^2 does not.

    One step of a deterministic linear function of slope 1/10 in d = 1, so that E||g||^2 = 1/100.
    """

    def step(epsilon: float) -> tuple[Trajectory, Trajectory]:
        line = problems.TaperedLinear(slope=0.1, reach=10.0)
        run = record(ExactGradient(line), line.start, families.constant(1.0, 0.0, 0.5), 1, epsilon=epsilon)
        return replace(run, G=line.slope**2), run

    return _pair(lemma_34, *step(1e-3)), _pair(lemma_36, *step(1e-6))


def unconditional_second_moment() -> Pair:
    """E||g_t||^2 <= G^2 without the condition on the past (A4, p. 7) fails Lemma 31 at t = 2.

    Enumerated: rarely a first gradient leads to a slope where g_2^2 = 2500 or 100. G^2 = max_t E g_t^2 is small
    there, max E_t g_t^2 = 580 is not.
    """
    problem = RareSlope()
    source = EveryOutcome(problem, problem.outcomes, 3, 2)
    run = record(source, np.zeros(1), families.constant(1.0, 0.0, 0.5), 2, epsilon=1e-12, replicas=source.replicas)
    assert run.probabilities is not None
    second_moments = (run.second_moment.sum(axis=-1)) @ run.probabilities
    return _pair(lemma_31, replace(run, G=math.sqrt(second_moments.max())), run)


def lost_factor(d: int, s: int, T: int = 1000) -> Pair:
    """Lemma 38's last term without 2d (p. 38): too small from d = 2 on, here with theta = 1, epsilon = 1/(s d).

    No noise, and slope 1 in every coordinate on the whole of the visited part.
    """
    line = problems.TaperedLinear(slope=1.0, reach=100.0, dimension=d)
    run = record(ExactGradient(line), line.start, families.practical(T, 1, 0, 1), T, epsilon=1 / (s * d))
    run = replace(run, workers=s)
    return lemma_38(run, "printed"), lemma_38(run)


def minus_before_the_sum(replicas: int = 100) -> Pair:
    """Eq. 66 (p. 34), the end of Lemma 35's proof, has a minus before its sum: its right side is negative here."""
    bump = problems.Bump(dimension=4, noise=problems.Gaussian(0.9))
    family = families.generic(eta=0.1, s=0.5, a=1, r=1, K=2, beta=0.9)
    run = record(MeanOfWorkers(bump, seed=0), bump.start, family, 800, epsilon=0.01, replicas=replicas)
    run = replace(run, G=2.3)
    return lemma_35(run, "printed"), lemma_35(run)


class RareSlope(Problem):
    """f' = 2 on [-sqrt 2 - 1/2, -sqrt 2 + 1/2], falling linearly to 0 within 1/2 on either side; d = 1.

    Where f' > 0, g is 25 f' with probability 1/5 and -5 f' otherwise; elsewhere +1, -1 or 0 with probabilities
    p/2, p/2, 1-p. From x_1 = 0 with alpha = 1, theta = 1/2 and a small epsilon, g_1 = 1 leads to -sqrt 2.
    """

    name = "rare slope"
    p = 1e-6
    constants = KnownConstants(
        L=Known(4.0, "exact", "f' falls by 2 within 1/2"),
        G=Known(math.sqrt(580.0), "exact", "E_t g^2 = 145 f'^2, or p"),
        sigma2=Known(576.0, "exact", "E_t (g - f')^2 = 144 f'^2, or p"),
        f_star=Known(0.0, "exact", "f is 0 up to -sqrt 2 - 1, and f' >= 0"),
    )

    def __init__(self) -> None:
        super().__init__(np.zeros(1))

    @property
    def parameters(self) -> dict[str, Any]:
        """None: there is one such problem."""
        return {}

    def value(self, x: Array) -> Array:
        u = np.clip(x[..., 0] + math.sqrt(2), -1, 1)
        return np.where(u < -0.5, 2 * (u + 1) ** 2, np.where(u > 0.5, 3 - 2 * (u - 1) ** 2, 1.5 + 2 * u))

    def gradient(self, x: Array) -> Array:
        return 2 * np.clip(2 - 2 * np.abs(x + math.sqrt(2)), 0, 1)

    def variance(self, x: Array) -> Array:
        slope = self.gradient(x)
        return np.where(slope > 0, 144 * slope**2, self.p)

    def outcomes(self, x: Array, t: int = 1) -> tuple[Array, Array]:
        """The three values of g at x, (R, 3, 1), and their probabilities, (R, 3)."""
        slope, p = self.gradient(x), self.p
        values = np.where(slope > 0, slope * [25, -5, 0], [1.0, -1.0, 0.0])
        return values[..., None], np.where(slope > 0, [0.2, 0.8, 0.0], [p / 2, p / 2, 1 - p])

    def samples(self, x: Array, t: int, sampler: Sampler, workers: range, gradient: Array | None = None) -> Array:
        values, probabilities = self.outcomes(x.reshape(-1, 1))
        uniform = (sampler.words(t, workers, replicas_of(x), (1,)) >> np.uint64(11)) * 2.0**-53
        number = (uniform >= probabilities.cumsum(axis=-1)[:, :2]).sum(axis=-1)
        return values[np.arange(len(values)), number].reshape(len(workers), *x.shape).astype(x.dtype)


def _pair(lemma: Callable[[Trajectory], ExpectedSides], printed: Trajectory, corrected: Trajectory) -> Pair:
    return lemma(printed), lemma(corrected)
