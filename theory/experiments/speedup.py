"""Linear speedup (Theorem 17 and Remark 18, pp. 15-16): s workers need 1/s of the steps.

With alpha_t = alpha/sqrt T, theta_t = 1 - theta/T, v_0 = 1/(s d) and noise that dominates the gradient,

    E||grad f|| := (1/T) sum_t E||grad f(x_t)||  is a function of s*T alone, ~ (s*T)^(-1/4),

so T(eps, s), the T at which E||grad f|| = eps, falls as 1/s. It must stop where s d^2/T is no longer small and where s
exceeds eps^-2 (both up to constants), and where v_0 does not shrink with s. Every sample is drawn and averaged; there
is no shortcut in law. The paper proves this and shows no figure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from reference import families
from reference.problems import Bump, Gaussian, NoisyQuadratic, Problem
from theory.experiments.experiment import Arrays, Experiment, Panel, Parts, Size, largest_gradient_norm
from theory.tools.montecarlo import simulate
from theory.tools.statistics import (
    VERDICTS,
    Claim,
    Interval,
    bootstrap,
    bounded_mean_interval,
    decays,
    error_per_claim,
    mean_interval,
    quotient,
    slope,
    within,
)

REPLICAS = 256
PRODUCT = 2**15  # of s*T, where the collapse is judged
COLLAPSED = (1, 4, 16, 64)
BEYOND = (128, 256)
TOLERANCE = 0.02  # of the collapse
D = 10
REFUTABLE = 2  # claims: on the bump, the collapse and its end; elsewhere no gradient is bounded, and slopes are nominal
LINEAR = f"Up to s = {COLLAPSED[-1]} workers the speedup is linear: s workers need 1/s of the steps"
ENDS = "The linear speedup ends where s grows further, and sooner where v_0 does not shrink with s"
RATE = f"At s = {COLLAPSED[-1]} the gradient norm falls at least as fast as T^(-1/4)"


@dataclass(frozen=True)
class Setting:
    """eps : the accuracy at which T(eps, s) is read off; None where no T is fitted."""

    problem: Problem
    title: str
    eps: float | None = None
    fixed_epsilon: float | None = None  # v_0, in place of 1/(s d)

    def epsilon(self, s: int) -> float:
        return self.fixed_epsilon or 1 / (s * self.problem.dimension)


SETTINGS = {
    "quadratic": Setting(
        NoisyQuadratic.scaled(D, Gaussian(8.0)),
        "f = |x|²/2, noise 8, d = 10 (an illustration: its gradient is unbounded, A4 fails)",
        eps=0.65,
    ),
    "fixed-epsilon": Setting(
        NoisyQuadratic.scaled(D, Gaussian(8.0)), "f = |x|²/2, noise 8, d = 10, v₀ = 64", fixed_epsilon=64.0
    ),
    "bump": Setting(Bump(D, Gaussian(4.0)), "f = Σ x²/(1+x²), noise 4, d = 10 (Theorem 17 covers it)", eps=0.6),
}


@dataclass(frozen=True)
class Grid:
    """Average gradient norms, values (workers, products, R): s workers[i], T = steps[i, j], s*T near products[j]."""

    setting: str
    workers: NDArray[np.int64]
    products: NDArray[np.float64]
    steps: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, arrays: Arrays) -> Grid:
        return cls(str(arrays["setting"]), *(arrays[name] for name in ("workers", "products", "steps", "values")))

    def row(self, s: int) -> int:
        return int(np.flatnonzero(self.workers == s)[0])

    def at(self, s: int) -> NDArray[np.float64]:
        """The replicas (R,) of s workers at s*T = PRODUCT."""
        return self.values[self.row(s), int(np.flatnonzero(self.products == PRODUCT)[0])]


def measure(
    name: str,
    folder: Path | None = None,
    workers: tuple[int, ...] = COLLAPSED + BEYOND,
    products: tuple[float, ...] = (PRODUCT / 2**0.5, PRODUCT, PRODUCT * 2**0.5),
    replicas: int = REPLICAS,
    seed: int = 0,
) -> Grid:
    """Every (s, T) with s*T in products, each simulation saved and resumed in its own folder."""
    setting = SETTINGS[name]
    steps = np.array([[round(product / s) for product in products] for s in workers])
    values = np.empty((*steps.shape, replicas))
    for (i, j), T in np.ndenumerate(steps):
        s = workers[i]
        values[i, j] = simulate(
            setting.problem, families.practical(int(T), 1.0, 0.9, 1.0), int(T), replicas, epsilon=setting.epsilon(s),
            workers=s, seed=seed, folder=folder and folder / f"{name}-s{s}-T{T}", label=f"{name}, s = {s}, T = {T}",
        ).averages["gradient_norm"].values  # fmt: skip
    return Grid(name, np.array(workers), np.array(products, np.float64), steps, values)


def ratio(grid: Grid, a: int, b: int, error: float) -> Interval:
    """ln of E||grad f|| at s = b over that at s = a, at s*T = PRODUCT: bootstrapped, so nominal."""
    return bootstrap(np.stack([grid.at(a), grid.at(b)]), lambda means: np.log(means[1] / means[0]), error)


def certain_ratio(grid: Grid, a: int, b: int, error: float) -> Interval | None:
    """The same, valid for every distribution; None where the gradient has no bound."""
    largest = largest_gradient_norm(SETTINGS[grid.setting].problem)
    if not np.isfinite(largest):
        return None
    over, under = (bounded_mean_interval(grid.at(s), error / 2, 0.0, largest) for s in (b, a))
    found = quotient(over, under)
    estimate, low, high = np.log([found.estimate, found.low, found.high]).tolist()
    return replace(found, estimate=estimate, low=low, high=high)


def collapse(grid: Grid, error: float, workers: tuple[int, ...] = COLLAPSED) -> Claim:
    """All pairs of s at s*T = PRODUCT differ by less than 2 %: the pair that differs most.

    It holds by 99 % intervals, over all pairs; error, of all pairs, is that of the intervals that could violate it.
    """
    pairs = list(combinations(workers, 2))
    found = []
    for a, b in pairs:
        agreeing = ratio(grid, a, b, error_per_claim(len(pairs), 0.01))
        certain = certain_ratio(grid, a, b, error_per_claim(len(pairs), error))
        statement = (
            f"collapse on s*T = {PRODUCT}: ln of E||grad f|| at s = {b} over that at s = {a}, the widest of all pairs"
        )
        found.append(within(statement, agreeing, -np.log1p(TOLERANCE), np.log1p(TOLERANCE), certain))
    return max(found, key=lambda each: (VERDICTS.index(each.verdict), max(-each.measured.low, each.measured.high)))


def ended(grid: Grid, s: int, error: float) -> Claim:
    """At s*T = PRODUCT, s workers are worse than one by more than 2 %."""
    statement = f"no collapse at s = {s}, s*T = {PRODUCT}: ln of E||grad f|| over that at s = 1 is above ln 1.02"
    found = ratio(grid, 1, s, error)
    return within(statement, found, float(np.log1p(TOLERANCE)), np.inf, certain_ratio(grid, 1, s, error))


def steps_to(eps: float, log_steps: NDArray[np.float64], means: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln T(eps, s), where the line through (ln T, ln E||grad f||) meets ln eps: (s, n) from means (s, products, n)."""
    x, y = log_steps[..., None], np.log(means)
    x0, y0 = x.mean(axis=1, keepdims=True), y.mean(axis=1, keepdims=True)
    per_y = ((x - x0) ** 2).sum(axis=1) / ((x - x0) * (y - y0)).sum(axis=1)
    return x0[:, 0] + (np.log(eps) - y0[:, 0]) * per_y


def speedup_slope(grid: Grid, error: float, workers: tuple[int, ...] = COLLAPSED) -> Interval:
    """The slope of ln T(eps, s) against ln s, bootstrapped over replicas. ValueError where eps was not reached."""
    rows = [grid.row(s) for s in workers]
    eps = SETTINGS[grid.setting].eps
    means = grid.values[rows].mean(axis=-1)
    if eps is None or not ((means.min(axis=1) < eps) & (eps < means.max(axis=1))).all():
        raise ValueError(f"eps = {eps} is not between the smallest and the largest mean of every s: {means.tolist()}")
    log_s, log_T = np.log(grid.workers[rows]), np.log(grid.steps[rows])
    return bootstrap(grid.values[rows], lambda means: slope(log_s, steps_to(eps, log_T, means)), error)


def knee(grid: Grid) -> float:
    """The s from which E||grad f|| at s*T = PRODUCT is more than 2 % above that of s = 1, interpolated in ln s."""
    excess = [float(np.log(grid.at(int(s)).mean() / grid.at(1).mean())) for s in grid.workers]
    above = [i for i, value in enumerate(excess) if value > np.log1p(TOLERANCE)]
    if not above or above[0] == 0:
        return np.inf
    i = above[0]
    return float(np.exp(np.interp(np.log1p(TOLERANCE), excess[i - 1 : i + 1], np.log(grid.workers[i - 1 : i + 1]))))


def claims(grid: Grid, error: float | None = None) -> list[Claim]:
    """The collapse (99 % over all pairs) and its end, the slope in s, and the rate in T at s = 64; with v_0 fixed, that
    it ends sooner."""
    error = error or error_per_claim(REFUTABLE)
    if SETTINGS[grid.setting].fixed_epsilon:
        return [replace(ended(grid, COLLAPSED[-1], error), topic=ENDS)]
    found = [replace(collapse(grid, error), topic=LINEAR), replace(ended(grid, BEYOND[-1], error), topic=ENDS)]
    eps = SETTINGS[grid.setting].eps
    if eps is not None:
        interval = speedup_slope(grid, error)
        claim = f"ln T({eps:g}, s) against ln s has slope -1 within 0.05"
        found.append(replace(within(claim, interval, -1.05, -0.95), topic=LINEAR))
        row = grid.row(COLLAPSED[-1])
        over = f"{grid.steps[row][0]}..{grid.steps[row][-1]}"
        claim = f"E||grad f|| = O(T^(-1/4)) at s = {COLLAPSED[-1]}, as a slope over T = {over}"
        found.append(replace(decays(claim, grid.steps[row], grid.values[row], -0.25, error), topic=RATE))
    return found


def _bars(ax: Axes, x: NDArray, samples: Iterable[NDArray], **style: Any) -> None:
    intervals = [mean_interval(values, 0.01) for values in samples]
    centre = np.array([interval.estimate for interval in intervals])
    reach = np.array([interval.high - interval.estimate for interval in intervals])
    ax.errorbar(x, centre, reach, capsize=3, **style)


def draw_collapse(ax: Axes, grid: Grid) -> None:
    """E||grad f|| against s*T."""
    for i, s in enumerate(grid.workers):
        style = {"marker": "o", "markersize": 4, "linewidth": 1.2, "label": f"s = {s}", "color": f"C{i}"}
        _bars(ax, grid.workers[i] * grid.steps[i], grid.values[i], **style)
    anchor = grid.at(1).mean()
    line = anchor * (grid.products / PRODUCT) ** -0.25
    ax.plot(grid.products, line, color="black", linestyle="--", label=r"theory: $(sT)^{-1/4}$, through s = 1")
    ax.set(xscale="log", yscale="log", xlabel="samples drawn, s·T", ylabel=r"average gradient norm  $E\|\nabla f\|$")
    ax.set_xticks(grid.products, [f"$2^{{{np.log2(product):g}}}$" for product in grid.products])
    ax.minorticks_off()
    low, high = ax.get_ylim()
    ticks = np.round(np.linspace(low, high, 6), 2)
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])


def draw_knee(ax: Axes, grid: Grid, fixed: Grid | None) -> None:
    """Where the collapse ends, at s*T = PRODUCT; beside it, with v_0 fixed, where it ends sooner."""
    base = grid.at(1).mean()
    ax.axhspan(1 - TOLERANCE, 1 + TOLERANCE, color="C2", alpha=0.15, label="within 2 % of s = 1")
    for each, color, label in (
        (grid, "C0", r"$v_0 = 1/(sd)$"),
        (fixed, "C3", r"$v_0 = 64$ for every s"),
    ):
        if each is not None:
            samples = [each.at(int(s)) / base for s in each.workers]
            _bars(ax, each.workers, samples, color=color, marker="o", markersize=5, label=label)
    measured, theory = knee(grid), np.sqrt(PRODUCT) / D
    if np.isfinite(measured):
        ax.axvline(measured, color="C0", linestyle="-.", label=f"knee measured: s = {measured:.0f}")
    ax.axvline(
        theory, color="black", linestyle=":", label=rf"theory: $s d^2/T = 1$ at s = {theory:.0f}, up to constants"
    )
    ax.set(xscale="log", yscale="log", xlabel="workers s", ylabel=r"$E\|\nabla f\|$ relative to s = 1, $v_0 = 1/(sd)$")
    ax.set_ylim(0.6, 3)
    ax.set_yticks([0.7, 0.85, 1, 1.2, 1.5, 2, 3], ["0.7", "0.85", "1", "1.2", "1.5", "2", "3"])
    ax.set_xticks(grid.workers, [str(s) for s in grid.workers])
    ax.minorticks_off()


def draw_steps(ax: Axes, grid: Grid) -> None:
    """T(eps, s) against s."""
    eps = SETTINGS[grid.setting].eps
    assert eps is not None
    T = np.exp(steps_to(eps, np.log(grid.steps), grid.values.mean(axis=-1, keepdims=True)))[:, 0]
    ax.plot(grid.workers, T, "o", color="C0", label="measured")
    ax.plot(grid.workers, T[0] / grid.workers, color="black", linestyle="--", label="theory: 1/s, through s = 1")
    ax.axvline(
        eps**-2,
        color="black",
        linestyle=":",
        label=rf"theory: s = $\varepsilon^{{-2}}$ = {eps**-2:.1f}, up to constants",
    )
    ax.set(xscale="log", yscale="log", xlabel="workers s", ylabel=rf"steps T to $E\|\nabla f\|$ = {eps:g}")
    ax.set_xticks(grid.workers, [str(s) for s in grid.workers])
    ax.tick_params(axis="x", which="minor", bottom=False)


def setting(parts: Parts) -> str:
    """What was run, in a few sentences; the counts are those of the parts."""
    replicas = next(iter(parts.values())).values.shape[-1]
    return (
        "αₜ = 1/√T, θₜ = 1 - 1/T, β = 0.9, v₀ = 1/(sd) unless it is said to be fixed; "
        f"{replicas} runs. All s samples are drawn and averaged."
    )


def _measure(size: Size, folder: Path) -> Parts:
    replicas = _REPLICAS[size]
    grids = {name: measure(name, folder, replicas=replicas) for name in ("quadratic", "bump")}
    return grids | {"fixed-epsilon": measure("fixed-epsilon", folder, products=(PRODUCT,), replicas=replicas)}


def _claims(parts: Parts, error: float) -> list[Claim]:
    each = error_per_claim(REFUTABLE, error)
    return [
        replace(claim, statement=f"{name}: {claim.statement}")
        for name, grid in parts.items()
        for claim in claims(grid, each)
    ]


def _panels(parts: Parts) -> list[list[Panel]]:
    rows = []
    for name, grid in parts.items():
        if name != "fixed-epsilon":
            fixed = parts.get("fixed-epsilon") if name == "quadratic" else None
            slope = speedup_slope(grid, 0.01)
            captions = (
                f"{name}: {SETTINGS[name].title}. Where curves lie on each other, s workers need 1/s of "
                "the steps; bars: 99 % intervals.",
                f"{name}: s·T = {PRODUCT} throughout, relative to s = 1. The speedup is linear in the green band and "
                "ends at the knee" + (", or sooner where v₀ is fixed (red)." if fixed else "."),
                f"{name}: the steps needed to reach E‖∇f‖ = {SETTINGS[name].eps:g}. Slope over "
                f"s = {COLLAPSED[0]}..{COLLAPSED[-1]}: {slope.estimate:.3f} (99 % interval {slope.low:.3f} to "
                f"{slope.high:.3f}); -1 is linear.",
            )
            draw = (
                partial(draw_collapse, grid=grid),
                partial(draw_knee, grid=grid, fixed=fixed),
                partial(draw_steps, grid=grid),
            )
            topics = (LINEAR, RATE), (LINEAR, ENDS), (LINEAR,)
            rows.append(
                [Panel(*each) for each in zip(captions, draw, topics, (False, False, name == "bump"), strict=True)]
            )
    return rows


_REPLICAS: dict[Size, int] = {"quick": 32, "standard": REPLICAS, "full": 2 * REPLICAS}
EXPERIMENT = Experiment(
    name="speedup",
    title="Linear speedup: s workers need 1/s of the steps",
    paper="Theorem 17 and Remark 18 (p. 14-16): s workers need 1/s of the steps while s d^2/T is small; proved, and "
    "shown in no figure",
    measure=_measure,
    arrays=lambda grid: {name: np.asarray(array) for name, array in vars(grid).items()},
    part=Grid.of,
    claims=_claims,
    panels=_panels,
    setting=setting,
)
