"""Assumptions A1-A5 (p. 7 and 14) on a concrete problem: the proof it carries, and a search for a point against it.

A search can refute a constant and never prove one. So a claim that the problem proves holds unless the search refutes
it; one that nobody proves is at best "cannot tell", seen to hold at the points tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reference.problems import Known, KnownConstants, Problem
from reference.problems.noise import NoiseOutcomes
from reference.sampling import Sampler
from theory.statement import finite

Assumption = Literal["A1", "A2", "A3", "A4", "A5"]
Verdict = Literal["holds", "fails", "cannot tell"]
PROOF = "everywhere, by the problem's proof"
GIVEN = "given by the caller, and not refuted at the points tried"
ENUMERATED = "everywhere: in the noise by enumeration, in x by the problem's proof"
TOLERANCE = 1e-9  # a claim is refuted only beyond rounding
ERRORS = 6.0  # standard errors; a false alarm once in 5e8 comparisons
DRAWS = 4096
_MOST_OUTCOMES = 2**10  # of one sample, enumerated


@dataclass(frozen=True)
class Finding:
    """One assumption on one problem.

    Attributes
    ----------
    assumption, verdict : str
    scope : str
        PROOF, or ENUMERATED where E_t is a finite sum over the outcomes of the noise; GIVEN where the caller gave the
        constant; "along this trajectory only" (at the points tried) where there is no proof; "at one point" where a
        point refutes the claim.
    claimed : float or None
        The constant.
    worst : float or None
        The largest value found of what it bounds (the smallest f for A1).
    at : array (d,) or None
        The point where.
    reason : str
    """

    assumption: Assumption
    verdict: Verdict
    scope: str
    claimed: float | None
    worst: float | None
    at: NDArray[np.float64] | None
    reason: str


def audit(
    problem: Problem,
    trajectory: NDArray[np.float64] | None = None,
    *,
    constants: KnownConstants | None = None,
    seed: int = 0,
) -> tuple[Finding, ...]:
    """A1-A5, A4 and A5 read conditionally on the past: E_t||g||^2 <= G^2, E_t||g - grad f||^2 <= sigma^2.

    Takes a second or so for small d.

    Parameters
    ----------
    problem : Problem
    trajectory : array (n, d), optional
        Points to try besides x_1 and random ones.
    constants : KnownConstants, optional
        Other claims than the problem's own.
    seed : int
        Of the random points.

    Returns
    -------
    tuple of Finding
        One for each assumption.

    Examples
    --------
    >>> from reference.problems import Bump, Known
    >>> from dataclasses import replace
    >>> bump = Bump(dimension=2)
    >>> wrong = replace(bump.constants, L=Known(1.9, "exact", "a slip"))
    >>> [finding.verdict for finding in audit(bump, constants=wrong)]
    ['holds', 'fails', 'holds', 'holds', 'holds']
    """
    claims = constants or problem.constants
    rng = np.random.default_rng(seed)
    points = _points(problem, trajectory, rng)
    noise = _Expectations(problem, seed)
    return (
        _a1(problem, claims.f_star, points),
        _a2(problem, claims.L, points, rng),
        _a3(problem, points, noise),
        _moment("A4", "E_t||g||^2", problem, claims.G, _squared(claims.G), points, noise.second_moment, noise),
        _moment("A5", "E_t||g-grad f||^2", problem, claims.sigma2, claims.sigma2.value, points, noise.variance, noise),
    )


def _squared(known: Known) -> float | None:
    return None if known.value is None else known.value**2


def _points(problem: Problem, trajectory: Any, rng: np.random.Generator) -> NDArray[np.float64]:
    """x_1, up to 50 points of the trajectory, and random ones at distances 10^-2..10^2 from x_1 and from 0."""
    d = problem.dimension
    count = 100 if d <= 50 else 5
    radius = 10.0 ** rng.uniform(-2, 2, (count, 1))
    moves = radius * rng.standard_normal((count, d)) / np.sqrt(d)
    found = [problem.start[None], moves, problem.start + moves]
    if trajectory is not None:
        path = np.asarray(trajectory, np.float64).reshape(-1, d)
        found.append(path[np.linspace(0, len(path) - 1, min(50, len(path))).astype(int)])
    return np.asarray(problem.project(np.concatenate(found)), np.float64)


def _largest(function: Callable[[NDArray], float], problem: Problem, points: NDArray) -> tuple[float, NDArray]:
    """The largest value found: the best of the points, and from the three best of them a local search."""
    from scipy.optimize import minimize

    values = np.array([function(x) for x in points])
    order = np.argsort(-np.where(np.isnan(values), -np.inf, values))
    best, at = float(values[order[0]]), points[order[0]]
    if problem.dimension <= 50:
        bounds = [problem.interval] * problem.dimension if problem.interval else None
        for x in points[order[:3]]:
            scale = max(abs(function(x)), 1e-300)
            found = minimize(lambda y, scale=scale: -function(y) / scale, x, method="L-BFGS-B", bounds=bounds)
            value = function(found.x)
            if value > best:
                best, at = value, found.x
    return best, at


def _proved(problem: Problem, assumption: Assumption, known: Known) -> Finding | None:
    """What the problem says before any search: that the assumption fails, or that its constant is infinite."""
    if assumption in problem.violated:
        return _finding(assumption, "fails", PROOF, known.value, None, None, problem.violated[assumption])
    if known.value is not None and not np.isfinite(known.value):
        return _finding(assumption, "fails", PROOF, known.value, None, None, known.why)
    return None


def _judge(
    assumption: Assumption,
    what: str,
    known: Known,
    claimed: float | None,
    worst: float,
    at: NDArray,
    scope: str,
    slack: float,
) -> Finding:
    if claimed is None:
        reason = f"no constant is known: {what} reaches {worst:.6g} at the points tried"
        return _finding(assumption, "cannot tell", "along this trajectory only", None, worst, at, reason)
    if worst > claimed * (1 + TOLERANCE) + slack:
        return _finding(
            assumption, "fails", "at one point", claimed, worst, at, f"{what} = {worst:.6g} > {claimed:.6g}"
        )
    if known.kind == "given":
        reason = f"{what} <= {worst:.6g} at the points tried; {claimed:.6g} is given by the caller, without a proof"
        return _finding(assumption, "cannot tell", GIVEN, claimed, worst, at, reason)
    if known.kind == "unknown":
        reason = f"{what} <= {worst:.6g} at the points tried, nobody proves {claimed:.6g} for all x"
        return _finding(assumption, "cannot tell", "along this trajectory only", claimed, worst, at, reason)
    return _finding(assumption, "holds", scope, claimed, worst, at, f"{what} <= {claimed:.6g}: {known.why}")


def _finding(
    assumption: Assumption,
    verdict: Verdict,
    scope: str,
    claimed: float | None,
    worst: float | None,
    at: NDArray[np.float64] | None,
    reason: str,
) -> Finding:
    return Finding(assumption, verdict, scope, claimed, None if worst is None else finite(float(worst)), at, reason)


def _a1(problem: Problem, known: Known, points: NDArray) -> Finding:
    if failed := _proved(problem, "A1", known):
        return failed
    lowest, at = _largest(lambda x: -float(problem.value(x)), problem, points)
    claimed = None if known.value is None else -known.value
    slack = TOLERANCE * max(1.0, abs(claimed or 0.0))
    found = _judge("A1", "-f(x)", known, claimed, lowest, at, PROOF, slack)
    reason = f"f falls to {-lowest:.6g} at the points tried; f* >= {known.value}: {known.why}"
    return _finding("A1", found.verdict, found.scope, known.value, -lowest, at, reason)


def _a2(problem: Problem, known: Known, points: NDArray, rng: np.random.Generator) -> Finding:
    """||grad f(x+hu) - grad f(x-hu)||/(2h) is at most L for any x, h, u: power iteration on u, then a search in x."""
    if failed := _proved(problem, "A2", known):
        return failed
    first = rng.standard_normal(problem.dimension)

    def steepness(x: NDArray) -> float:
        u, best, h = first / np.linalg.norm(first), 0.0, 1e-4 * (1 + float(np.abs(x).max()))
        for _ in range(12):
            ends = problem.project(np.stack([x + h * u, x - h * u]))
            change = problem.gradient(ends[0]) - problem.gradient(ends[1])
            length, distance = float(np.linalg.norm(change)), float(np.linalg.norm(ends[0] - ends[1]))
            if not (length and distance):
                break
            ratio = length / distance
            if ratio <= best * (1 + 1e-6):
                break
            best, u = ratio, change / length
        return best

    worst, at = _largest(steepness, problem, points)
    slack = 1e-9 * max(1.0, float(np.abs(problem.gradient(at)).max()))  # rounding of the difference, over h
    what = "||grad f(x)-grad f(y)||/||x-y||"
    return _judge("A2", what, known, known.value, worst, at, PROOF, slack)


class _Expectations:
    """E_t over one worker's sample: enumerated where outcomes are few, else the problem's formula, else a mean."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem, self.sampler = problem, Sampler(seed)
        values, draws = problem.noise_outcomes, problem.local_batch * problem.dimension
        few = values is not None and 1 < len(values.values) ** min(draws, _MOST_OUTCOMES) <= _MOST_OUTCOMES
        self.outcomes = _Outcomes(values, draws) if values is not None and few else None
        try:
            problem.variance(problem.start)
            self.formula = True
        except ValueError:
            self.formula = False
        self.exact = self.formula or self.outcomes is not None
        self.scope = ENUMERATED if self.outcomes else PROOF

    def samples(self, x: NDArray) -> tuple[NDArray, NDArray]:
        """g (n, d) and weights (n,): every outcome, or draws."""
        if self.outcomes:
            return self.problem.samples(np.tile(x, (self.outcomes.count, 1)), 1, self.outcomes, range(1))[
                0
            ], self.outcomes.weights
        replicas = self.problem.samples(np.tile(x, (DRAWS, 1)), 1, self.sampler, range(1))[0]
        return replicas, np.full(DRAWS, 1 / DRAWS)

    def second_moment(self, x: NDArray) -> float:
        """E_t||g||^2"""
        if self.formula and not self.outcomes:
            return float(self.problem.second_moment(x).sum())
        g, weights = self.samples(x)
        return float(weights @ np.square(g).sum(axis=1))

    def variance(self, x: NDArray) -> float:
        """E_t||g - grad f(x)||^2"""
        if self.formula and not self.outcomes:
            return float(self.problem.variance(x).sum())
        g, weights = self.samples(x)
        return float(weights @ np.square(g - self.problem.gradient(x)).sum(axis=1))

    def bias(self, x: NDArray) -> tuple[float, float]:
        """||E_t g - grad f(x)||, and how large it may be by chance or rounding."""
        g, weights = self.samples(x)
        error = np.abs(weights @ g - self.problem.gradient(x))
        if self.outcomes:
            return float(error.max()), 1e-12 * float(np.abs(g).max())
        allowed = ERRORS * g.std(axis=0) / np.sqrt(len(g)) + 1e-12 * np.abs(g).max(axis=0)
        k = int(np.argmax(error - allowed))
        return float(error[k]), float(allowed[k])


class _Outcomes(Sampler):
    """In place of a sampler: replica r draws the r-th of all k^n combinations of the noise's k values."""

    def __init__(self, noise: NoiseOutcomes, draws: int) -> None:
        super().__init__(0)
        self.taken = np.array(list(product(range(len(noise.values)), repeat=draws)))
        self.count = len(self.taken)
        self.weights = np.array(noise.probabilities)[self.taken].prod(axis=1)
        self.given = np.array(noise.words, np.uint64)[self.taken]

    def words(self, t: int, workers: range, replicas: int, shape: tuple[int, ...]) -> NDArray[np.uint64]:
        return self.given.reshape(len(workers), replicas, *shape)


def _a3(problem: Problem, points: NDArray, noise: _Expectations) -> Finding:
    if failed := _proved(problem, "A3", problem.unbiased):
        return failed
    tried = points[:: max(1, len(points) // 20)]
    if failed := _another_slope(problem, tried):
        return failed
    found = [noise.bias(x) for x in tried]
    k = int(np.argmax([error - allowed for error, allowed in found]))
    error, allowed = found[k]
    if error > allowed:
        return _finding(
            "A3", "fails", "at one point", 0.0, error, tried[k], f"|E_t g_k - (grad f)_k| = {error:.3g} > {allowed:.3g}"
        )
    if problem.unbiased.kind == "given":
        reason = f"no point refutes it; {problem.unbiased.why}"
        return _finding("A3", "cannot tell", GIVEN, 0.0, error, tried[k], reason)
    if noise.outcomes:
        return _finding("A3", "holds", noise.scope, 0.0, error, tried[k], "E_t g = grad f(x), every outcome counted")
    reason = f"the mean of {DRAWS} samples is within {ERRORS:g} standard errors of grad f(x)"
    if noise.formula:  # the problem derives the moments of its sample
        return _finding("A3", "holds", noise.scope, 0.0, error, tried[k], reason)
    return _finding("A3", "cannot tell", "along this trajectory only", 0.0, error, tried[k], reason)


def _another_slope(problem: Problem, points: NDArray) -> Finding | None:
    """Where grad f and the differences of f disagree by more than rounding and curvature between the ends allow."""
    u = np.cos(np.arange(problem.dimension) + 0.5)
    u /= np.linalg.norm(u)
    for x in points:
        h = 1e-5 * (1 + float(np.abs(x).max()))
        ends = problem.project(np.stack([x + h * u, x - h * u]))
        step = float((ends[0] - ends[1]) @ u)
        if not step:
            continue
        f, slopes = problem.value(ends), problem.gradient(ends) @ u
        measured, told = float((f[0] - f[1]) / step), float(problem.gradient(x) @ u)
        rounding = 1e-14 * float(np.abs(f).max()) / step
        error = abs(measured - told) - abs(float(slopes[0] - slopes[1])) - rounding
        if error > 1e-6 * max(abs(measured), abs(told)):
            reason = f"along a direction f rises by {measured:.6g} and grad f says {told:.6g}: not the gradient of f"
            return _finding("A3", "fails", "at one point", 0.0, abs(measured - told), x, reason)
    return None


def _moment(
    assumption: Assumption,
    what: str,
    problem: Problem,
    known: Known,
    claimed: float | None,
    points: NDArray,
    moment: Callable[[NDArray], float],
    noise: _Expectations,
) -> Finding:
    if failed := _proved(problem, assumption, known):
        return failed
    if noise.exact:
        worst, at = _largest(moment, problem, points)
        return _judge(assumption, what, known, claimed, worst, at, noise.scope, 0.0)
    values = [moment(x) for x in points]
    k = int(np.argmax(values))
    squares = np.square(noise.samples(points[k])[0]).sum(axis=1)
    error = ERRORS * float(squares.std()) / np.sqrt(DRAWS)
    return _judge(assumption, f"{what} (estimated)", known, claimed, values[k], points[k], noise.scope, error)
