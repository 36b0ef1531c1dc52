"""Corollary 10 (p. 10): how fast E||grad f(x_tau)|| falls with T, for alpha_t = eta/t^s, theta_t = 1 - a/t^r.

    O(T^(-r/4)) if r/2 + s < 1,   O(sqrt(ln T/T^(1-s))) if r/2 + s = 1,   O(T^(-(1-s)/2)) if r/2 + s > 1

An O() is an upper bound: the fitted slope may be steeper than the exponent, and where it is not, finite T decides
nothing. What can be violated is the explicit bound behind the rate, Theorem 2's, at every T.

The family does not depend on the horizon, so one run shows the average over 1..T for every T. Two problems: the bump,
which every assumption covers, and |x|^2/2, an illustration (A4 fails), on which noise decides early, so ||grad f||
follows sqrt(alpha_t) ~ t^(-s/2): along r = 2s <= 1 that is the exponent r/4 itself, elsewhere the rates are not met.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from reference import families
from reference.problems import Bump, Gaussian, NoisyQuadratic, Problem
from theory.chen_2022.corollary_10 import Rate, corollary_10, rate
from theory.constants import Constants
from theory.experiments.experiment import Experiment, Panel, Parts, Size, largest_gradient_norm
from theory.tools.montecarlo import simulate
from theory.tools.statistics import (
    VERDICTS,
    Claim,
    Interval,
    at_most,
    decays,
    error_per_claim,
    log_slope,
    mean_interval,
)

POINTS = ((0.5, 0.25), (0.5, 0.5), (0.8, 0.4), (1.0, 0.5), (0.5, 0.75), (1.0, 0.75), (1.2, 0.6))  # (r, s)
ETA, A, K, BETA = 1.0, 0.5, 1, 0.5  # theta_1 = .5 > beta^2, so C1 = 1 in the bound
D = 10
EPSILON = 1 / D
REPLICAS = 64
STEPS = 2**15
HORIZONS = 2 ** np.arange(9, 16)

RATE = "The gradient norm falls with T at least as fast as Corollary 10 says"
BOUND = "On the bump the mean gradient norm stays below Theorem 2's bound at every T"

PROBLEMS: dict[str, tuple[Problem, str]] = {
    "bump": (Bump(D, Gaussian(1.0)), "f = Σ x²/(1+x²), noise 1, d = 10 (every assumption holds)"),
    "quadratic": (NoisyQuadratic.scaled(D, Gaussian(1.0)), "f = |x|²/2, noise 1, d = 10 (illustration: A4 fails)"),
}  # fmt: skip


@dataclass(frozen=True)
class Curves:
    """Average gradient norms over 1..T: values (horizons, points, R) at points (r, s), (n, 2)."""

    problem: str
    points: NDArray[np.float64]
    horizons: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def arrays(self) -> dict[str, NDArray]:
        return {name: np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def of(cls, arrays: dict[str, NDArray]) -> Curves:
        return cls(str(arrays["problem"]), *(arrays[name] for name in ("points", "horizons", "values")))

    def over_logarithm(self, i: int) -> NDArray[np.float64]:
        """Point i's values (horizons, R), over sqrt(ln T) where its rate has that factor: a power of T is left."""
        factor = np.sqrt(np.log(self.horizons)) if self.rate(i).logarithm else np.ones(len(self.horizons))
        return self.values[:, i] / factor[:, None]

    def rate(self, i: int) -> Rate:
        return rate(*self.points[i])

    def slope(self, i: int, error: float) -> Interval:
        return log_slope(self.horizons, self.over_logarithm(i), error)


def measure(
    name: str,
    points: tuple[tuple[float, float], ...] = POINTS,
    horizons: NDArray[np.int64] = HORIZONS,
    replicas: int = REPLICAS,
    seed: int = 0,
) -> Curves:
    """All points as one array, (points, replicas, d)."""
    r, s = np.array(points).T[..., None]
    problem, _ = PROBLEMS[name]
    measured = simulate(
        problem, families.generic(ETA, s, A, r, K, BETA), int(horizons[-1]), replicas, epsilon=EPSILON, seed=seed,
        record=("gradient_norm",), average=(), label=f"rates, {name}",
    )  # fmt: skip
    norms = measured.history["gradient_norm"].values
    sums = np.add.reduceat(norms, np.concatenate([[0], horizons[:-1]]), axis=0).cumsum(axis=0)
    return Curves(name, np.array(points), np.asarray(horizons), sums / np.asarray(horizons)[:, None, None])


def bound(problem: Problem, T: int, r: float, s: float) -> float:
    """Theorem 2's, with the problem's own constants."""
    family = families.generic(ETA, s, A, r, K, BETA)
    return corollary_10(family, T, Constants.of(problem), EPSILON).value


def claims(curves: Curves, error: float | None = None) -> list[Claim]:
    """One exponent a point; on the bump also Theorem 2's bound, at the T at which it is closest.

    error : of each comparison with a bound that is not vacuous; by default they share that of a suite. The slopes'
    intervals have it too, nominally: no slope could violate an O().
    """
    problem, _ = PROBLEMS[curves.problem]
    largest = largest_gradient_norm(problem)
    error = error or error_per_claim(max(1, open_comparisons(curves)))
    found = []
    for i, (r, s) in enumerate(curves.points.tolist()):
        exponent = -curves.rate(i).exponent
        over = f"as a slope over T = {curves.horizons[0]}..{curves.horizons[-1]}"
        over += ", sqrt(ln T) divided out" if curves.rate(i).logarithm else ""
        statement = f"{curves.problem}, r = {r:g}, s = {s:g}: E||grad f|| = {curves.rate(i)}, {over}"
        fitted = decays(statement, curves.horizons, curves.over_logarithm(i), exponent, error)
        found.append(replace(fitted, topic=RATE))
        if not problem.violated:
            limits = bounds_at(curves, i)
            statement = f"{curves.problem}, r = {r:g}, s = {s:g}: Theorem 2's bound at T = "
            checked = [
                replace(
                    at_most(f"{statement}{T} (the closest of {len(limits)})", values, limit, error, largest),
                    vacuous=limit > largest,
                    topic=BOUND,
                )
                for T, values, limit in zip(curves.horizons, curves.values[:, i], limits, strict=True)
            ]
            found.append(max(checked, key=_nearest_to_violated))
    return found


def bounds_at(curves: Curves, i: int) -> list[float]:
    """Theorem 2's at every horizon, for point i."""
    r, s = curves.points[i].tolist()
    return [bound(PROBLEMS[curves.problem][0], int(T), r, s) for T in curves.horizons]


def open_comparisons(curves: Curves) -> int:
    """Those that chance could violate: with a bound below what every algorithm meets."""
    problem, _ = PROBLEMS[curves.problem]
    if problem.violated:
        return 0
    limits = [bounds_at(curves, i) for i in range(len(curves.points))]
    return int(np.count_nonzero(np.array(limits) <= largest_gradient_norm(problem)))


def _nearest_to_violated(claim: Claim) -> tuple[int, bool, float]:
    return VERDICTS.index(claim.verdict), not claim.vacuous, claim.measured.estimate / claim.expected[1]


def _claims(parts: Parts, error: float) -> list[Claim]:
    each = error_per_claim(max(1, sum(open_comparisons(curves) for curves in parts.values())), error)
    return [claim for curves in parts.values() for claim in claims(curves, each)]


def draw_curves(ax: Axes, curves: Curves) -> None:
    """The averages against T, with the rate through the first point."""
    T = curves.horizons
    for i, (r, s) in enumerate(curves.points.tolist()):
        intervals = [mean_interval(values, 0.01) for values in curves.values[:, i]]
        means = np.array([interval.estimate for interval in intervals])
        reach = np.array([interval.high - interval.estimate for interval in intervals])
        ax.errorbar(T, means, reach, color=f"C{i}", marker="o", markersize=4, capsize=3, label=f"r = {r:g}, s = {s:g}")
        shape = T ** -curves.rate(i).exponent * (np.sqrt(np.log(T)) if curves.rate(i).logarithm else 1)
        ax.plot(T, means[0] * shape / shape[0], color=f"C{i}", linestyle="--", linewidth=1)
    ax.plot([], [], color="0.3", linestyle="--", linewidth=1, label="Corollary 10")
    ax.set(xscale="log", yscale="log", xlabel="horizon T", ylabel=r"$\|\nabla f\|$ averaged over 1..T and all runs")
    ax.set_xlim(T[0] * 0.85, T[-1] * 1.15)
    ax.set_yticks([0.1, 0.2, 0.5, 1], ["0.1", "0.2", "0.5", "1"])
    ax.minorticks_off()
    ax.set_xticks(T, [f"$2^{{{np.log2(each):g}}}$" for each in T])


def draw_slopes(ax: Axes, curves: Curves) -> None:
    """Each fitted slope beside its exponent."""
    names = []
    for i, (r, s) in enumerate(curves.points.tolist()):
        interval, exponent = curves.slope(i, 0.01), -curves.rate(i).exponent
        reach = [[interval.estimate - interval.low], [interval.high - interval.estimate]]
        ax.errorbar(interval.estimate, i, xerr=reach, fmt="o", color=f"C{i}", capsize=4, markersize=6)
        ax.plot([exponent] * 2, [i - 0.35, i + 0.35], color="black", linewidth=2)
        total = r / 2 + s
        relation = "=" if curves.rate(i).logarithm else "<" if total < 1 else ">"
        names.append(f"r = {r:g}, s = {s:g}\nr/2 + s {relation} 1")
    ax.plot([], [], "o", color="0.3", label="slope, 99 % interval")
    ax.plot([], [], color="black", linewidth=2, label="Corollary 10")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set(xlabel="slope (left of the bar: steeper than claimed)")


def setting(parts: Parts) -> str:
    """What was run, in a few sentences; the counts are those of the parts."""
    replicas = next(iter(parts.values())).values.shape[-1]
    return (
        f"αₜ = {ETA:g}/tˢ, θₜ = 1 - {A:g}/tʳ, β = {BETA:g}, v₀ = {EPSILON:g}; "
        f"{replicas} runs. An O() is an upper bound: a slope steeper than the exponent agrees with it, and a "
        "flatter one decides nothing, since the rate may begin at larger T. "
        "Only a mean above Theorem 2's explicit bound would violate it."
    )


def _panels(parts: Parts) -> list[list[Panel]]:
    return [
        [
            Panel(
                f"{name}: {PROBLEMS[name][1]}. The average gradient norm against T, and the rate through its "
                "first point; bars: 99 % intervals.",
                partial(draw_curves, curves=curves),
                (RATE,),
            ),
            Panel(
                f"{name}: the fitted slopes beside Corollary 10's exponents. A slope left of its bar agrees; one "
                "to the right decides nothing. At r/2 + s = 1 the factor sqrt(ln T) is divided out before the fit.",
                partial(draw_slopes, curves=curves),
                (RATE,),
                lead=name == "bump",
            ),
        ]
        for name, curves in parts.items()
    ]


_REPLICAS: dict[Size, int] = {"quick": 32, "standard": REPLICAS, "full": 2 * REPLICAS}
EXPERIMENT = Experiment(
    name="rates",
    title="Corollary 10: the rate at which E‖∇f‖ falls",
    paper="Corollary 10 (p. 10): E||grad f|| = O(T^(-r/4)), O(sqrt(ln T/T^(1-s))) or O(T^(-(1-s)/2)) where r/2 + s is "
    "below, at or above 1",
    measure=lambda size, folder: {name: measure(name, replicas=_REPLICAS[size]) for name in PROBLEMS},
    arrays=lambda curves: curves.arrays,
    part=Curves.of,
    claims=_claims,
    panels=_panels,
    setting=setting,
)
