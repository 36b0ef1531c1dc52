"""Where the sufficient condition (Corollary 9, p. 10) fails, Adam need not converge: three counterexamples.

    reddi-periodic   : C x at every third step, else -x, on [-1, 1]  (Reddi, Kale and Kumar 2018, Theorem 1)
    reddi-stochastic : g = C with probability (1 + delta)/(C + 1), else -1, on [-1, 1]  (their Theorem 3)
    counterexample   : f = E[xi x^2] = x^2/22 on the line  (Eq. 10, p. 18)

Default Adam (Remark 1, p. 4: alpha = 1e-3, beta = .9, theta = .999) keeps theta constant, so SC4 fails with a constant
alpha and with alpha/sqrt t. Beside it, on the same draws, AdaGrad with EMA momentum (Table 1, p. 11), which meets the
condition. No theorem covers these runs: two are projected, outside Algorithm 1, and on the line A4 fails.

The condition is sufficient, not necessary: on the periodic problem default Adam, whose v averages over a thousand
steps, converges although the condition fails; Theorem 1 has beta = 0 and theta = 1/(1 + C^2), and that runs to x = +1.
On the line default Adam settles at |x| ~ alpha however small f has become, although the noise vanishes with x: v
forgets, so a step keeps its length. With alpha/sqrt t the step itself shrinks, and E|f'| falls at its pace.

A finite run proves no divergence. What is judged is where x_T is, and whether the average regret, or on the line
E|f'| over (T/2, T] against that over (T/4, T/2], goes on falling. The expectation is what the theorems speak of: on
the line the few runs that are still far away decide it, by orders of magnitude above the median.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from reference import families
from reference.families import Family
from reference.problems import Counterexample, Problem, ReddiPeriodic, ReddiStochastic
from theory.chen_2022.sufficient_condition import sufficient_condition
from theory.experiments.experiment import Arrays, Experiment, Panel, Parts, Size
from theory.experiments.figure_1 import LOWEST, ln_f
from theory.tools.montecarlo import simulate
from theory.tools.statistics import (
    Claim,
    Interval,
    bootstrap,
    bounded_mean_interval,
    error_per_claim,
    exact,
    mean_interval,
    within,
)

EPSILON = 1e-8
KEPT = 1000  # points of a curve
C_PERIODIC = 4.0
C_STOCHASTIC, DELTA = 5000.0, 1.0  # 1/p = 2500 steps between large gradients: longer than theta = .999 remembers
CONSTANT_STEP = 1e-3
LEVEL = CONSTANT_STEP / 4  # of |f'| on the line, which default Adam keeps above
PERSISTS, FALLS = 1 / 2, 3 / 4  # of E|f'| from one window to the next, twice as long


@dataclass(frozen=True)
class Method:
    """converges : what is claimed of it here."""

    label: str
    family: Family
    converges: bool


@dataclass(frozen=True)
class Case:
    problem: Problem
    title: str
    steps: int
    methods: tuple[Method, ...]
    random: bool = True


_DEFAULT = families.bias_corrected_adam()
CASES = {
    "reddi-periodic": Case(
        ReddiPeriodic(C_PERIODIC).starting_at([0.0]),
        "Reddi et al., Theorem 1, gradients 4, -1, -1, 4, -1, -1, ...", 10_000,
        (
            Method("Adam as in Reddi et al., β = 0, θ = 1/17, αₜ = .5/√t",
                families.bias_corrected_adam(0.5, 0, 1 / (1 + C_PERIODIC**2), s=0.5), False),
            Method("AdaEMA, β = 0, αₜ = .5/√t", families.ada_ema(0.5, 0), True),
            Method("default Adam, αₜ = .001", _DEFAULT, True),
        ), random=False,
    ),
    "reddi-stochastic": Case(
        ReddiStochastic(C_STOCHASTIC, DELTA).starting_at([0.0]),
        "Reddi et al., Theorem 3, gradient 5000 with p = 2/5001, else -1", 60_000,
        (
            Method("default Adam, αₜ = .001", _DEFAULT, False),
            Method("AdaEMA, αₜ = 1/√t", families.ada_ema(1.0), True),
            Method("default Adam, αₜ = 1/√t", families.bias_corrected_adam(1.0, s=0.5), False),
        ),
    ),
    "counterexample": Case(
        Counterexample().starting_at([0.5]), "f = E[ξ x²] = x²/22 on the line (Eq. 10)", 100_000,
        (
            Method("default Adam, αₜ = .001", _DEFAULT, False),
            Method("AdaEMA, αₜ = .1/√t", families.ada_ema(0.1), True),
            Method("default Adam, αₜ = .1/√t", families.bias_corrected_adam(0.1, s=0.5), True),
        ),
    ),
}  # fmt: skip
CLAIMS = 16
REFUTABLE = 6  # of them: three methods' on reddi-stochastic, where there is chance and x is bounded
STAYS = "Adam that fails the sufficient condition stays away from the minimiser on all three counterexamples"
REACHES = "AdaEMA, which meets the sufficient condition, converges on the same problems"
NOT_NECESSARY = (
    "The condition is not necessary: default Adam fails it and converges all the same on the periodic problem, and on "
    "the line where its step shrinks"
)


@dataclass(frozen=True)
class Curves:
    """values (n, methods, R) at steps t (n,), the last of them T + 1: x_t, on the line ln f(x_t)."""

    case: str
    t: NDArray[np.int64]
    values: NDArray[np.float64]

    def at(self, t: int) -> NDArray[np.float64]:
        """The last recorded by t, (methods, R)."""
        return self.values[np.searchsorted(self.t, t, side="right") - 1]

    def mean_of(self, quantity: Callable[[NDArray], NDArray], after: float, until: float) -> NDArray[np.float64]:
        """Over the recorded steps in (after, until], (methods, R)."""
        return quantity(self.values[(self.t > after) & (self.t <= until)]).mean(axis=0)

    @property
    def steps(self) -> int:
        return int(self.t[-1]) - 1


def _x(x: NDArray) -> NDArray:
    return x[..., 0]


def measure(
    name: str, folder: Path | None = None, replicas: int = 128, steps: int | None = None, seed: int = 0
) -> Curves:
    """steps : T, if not the case's. A problem without chance runs once."""
    case = CASES[name]
    T = steps or case.steps
    quantity = _x if case.problem.interval else ln_f
    family = families.side_by_side(method.family for method in case.methods)
    measured = simulate(
        case.problem, family, T, replicas if case.random else 2,
        epsilon=EPSILON, seed=seed, record={"x": quantity}, every=max(1, T // KEPT) if case.random else 1, average=(),
        folder=folder and folder / name, label=f"divergence, {name}",
    )  # fmt: skip
    values = np.concatenate([measured.history["x"].values, quantity(measured.x)[None]])
    return Curves(name, np.append(measured.t, T + 1), values if case.random else values[..., :1])


MET = "Corollary 9: SC1-SC4 hold"


def condition(family: Family) -> str:
    """Corollary 9's verdict, in words."""
    conditions = [each for each in sufficient_condition(family).conditions if each.id.startswith("SC")]
    for verdict in ("fails", "cannot tell"):
        for each in conditions:
            if each.verdict == verdict:
                return f"Corollary 9: {each.id} {verdict} ({each.reason})"
    return MET


def slope(x: NDArray) -> NDArray:
    """|f'| = |x|/11 on the line, from ln f = 2 ln|x| - ln 22."""
    return np.exp((x + np.log(22)) / 2) / 11


def windows(curves: Curves, k: int = 0) -> NDArray[np.float64]:
    """The mean of |f'| over (T/2^(k+1), T/2^k], (methods, R)."""
    return curves.mean_of(slope, curves.steps / 2 ** (k + 1), curves.steps / 2**k)


def claims(curves: Curves, error: float | None = None) -> list[Claim]:
    """For every method where it ends (on the line for the one that does not converge), and whether it goes on falling.
    error : of each claim, by default shared."""
    error = error or error_per_claim(REFUTABLE)
    judged = _on_the_line if CASES[curves.case].problem.interval is None else _on_the_interval
    found = []
    for i, method in enumerate(CASES[curves.case].methods):
        verdict = condition(method.family)
        topic = STAYS if not method.converges else REACHES if verdict == MET else NOT_NECESSARY
        found += [
            replace(
                each,
                statement=f"{curves.case}, {method.label}: {each.statement}",
                reason=f"{each.reason}. {verdict}",
                topic=topic,
            )
            for each in judged(curves, i, method.converges, error)
        ]
    return found


def _on_the_interval(curves: Curves, i: int, converges: bool, error: float) -> list[Claim]:
    """f is linear, so regret per step is a mean of x_t + 1 times f'; x_t, in [-1, 1], bounds both."""
    T = curves.steps

    def mean(values: NDArray[np.float64], largest: float) -> Interval:
        if not CASES[curves.case].random:
            return exact(float(values[0]))
        return bounded_mean_interval(values, error, -largest, largest)

    end = mean(curves.at(T + 1)[i], 1.0)
    change = mean((curves.mean_of(np.asarray, T / 2, T) - curves.mean_of(np.asarray, T / 20, T / 10))[i], 2.0)
    of = f"its average regret a step over (T/2, T], T = {T}, less that over (T/20, T/10], in units of f',"
    if converges:
        return [
            within("x_T ends below -1/2 (minimum at -1)", end, -np.inf, -0.5),
            within(f"{of} is negative", change, -np.inf, 0),
        ]
    return [
        within("x_T ends above 0 (minimum at -1)", end, 0, np.inf),
        within(f"{of} is above -1/4", change, -0.25, np.inf),
    ]


def _on_the_line(curves: Curves, i: int, converges: bool, error: float) -> list[Claim]:
    """|f'| has no upper bound here, so no number of runs could violate what is claimed of its mean."""
    last, before = windows(curves)[i], windows(curves, 1)[i]
    ratio = bootstrap(np.stack([last, before]), lambda means: means[0] / means[1], error)
    of = f"E|f'| over (T/2, T], T = {curves.steps},"
    if converges:
        return [within(f"{of} is below 3/4 of that over (T/4, T/2]", ratio, 0, FALLS)]
    return [
        within(f"{of} is above {LEVEL:g} = alpha/4", bounded_mean_interval(last, error), LEVEL, np.inf),
        within(f"{of} is above 1/2 of that over (T/4, T/2]", ratio, PERSISTS, np.inf),
    ]


def _bands(ax: Axes, t: NDArray, values: NDArray, labels: list[str]) -> None:
    """Median and 10-90 % band of values (n, methods, R)."""
    low, median, high = np.quantile(values, (0.1, 0.5, 0.9), axis=-1)
    for i, label in enumerate(labels):
        ax.fill_between(t, low[:, i], high[:, i], color=f"C{i}", alpha=0.2, linewidth=0)
        ax.plot(t, median[:, i], color=f"C{i}", linewidth=2, label=label)


def _labels(curves: Curves) -> list[str]:
    return [method.label for method in CASES[curves.case].methods]


def draw_x(ax: Axes, curves: Curves) -> None:
    """x_t, on [-1, 1]."""
    _bands(ax, curves.t, curves.values, _labels(curves))
    ax.axhline(-1, color="black", linestyle="--", linewidth=1.5, label="the minimiser, x = -1")
    ax.set(xlabel="step t", ylabel=r"$x_t$", xlim=(0, curves.t[-1]), ylim=(-1.1, 1.1))
    ax.set_yticks([-1, -0.5, 0, 0.5, 1])
    if not CASES[curves.case].random:
        ax.set(xscale="log", xlim=(1, curves.t[-1]))  # two of its curves are at their ends within a few steps


def draw_ln_f(ax: Axes, curves: Curves) -> None:
    """ln f(x_t), on the line."""
    _bands(ax, curves.t, curves.values, _labels(curves))
    first = float(ln_f(CASES[curves.case].problem.start))
    ax.axhline(first, color="black", linestyle="--", linewidth=1.5, label=r"$\ln f(x_1)$")
    ax.set_yscale("symlog", linthresh=10, linscale=0.7)
    ax.set_yticks([0, -10, -100, -1000], ["0", "-10", "-100", "-1000"])
    ax.set(xlabel="step t", ylabel=r"$\ln f(x_t)$  (linear down to -10)", xlim=(0, curves.t[-1]), ylim=(-15_000, 10))


def draw_windows(ax: Axes, curves: Curves) -> None:
    """E|f'| over windows, each twice as long as the one before, with its 99 % interval."""
    count = 8
    T = curves.steps / 2.0 ** np.arange(count - 1, -1, -1)
    values = np.stack([windows(curves, k) for k in reversed(range(count))])
    for i, label in enumerate(_labels(curves)):
        found = [mean_interval(each, 0.01) for each in values[:, i]]
        low, high = np.array([(max(each.low, 1e-6), each.high) for each in found]).T
        ax.fill_between(T, low, high, color=f"C{i}", alpha=0.2, linewidth=0)
        ax.plot(T, [each.estimate for each in found], "o-", color=f"C{i}", linewidth=2, markersize=4, label=label)
    ax.axhline(LEVEL, color="black", linestyle="--", linewidth=1.5, label=rf"$\alpha/4$ = {LEVEL:g}")
    ax.set(xscale="log", yscale="log", xlabel="T", ylabel=r"$E|f'|$ over (T/2, T]", ylim=(1e-5, 1))


def setting(parts: Parts) -> str:
    """What was run, in a few sentences; the counts are those of the parts."""
    replicas = max(curves.values.shape[-1] for curves in parts.values())
    return (
        f"{replicas} runs on the same draws; v₀ = 1e-8. Default Adam: "
        " β = .9, θ = .999, bias-corrected (SC4 fails); AdaEMA: θₜ = 1 - 1/max(t, 2) (SC1-SC4 hold), β = .9 "
        "unless said. Reddi's problems start at 0 and are projected onto [-1, 1], outside Algorithm 1; on the line, "
        "from x₁ = .5, A4 fails: no theorem covers these runs. The periodic problem has no chance in it; there default "
        "Adam converges, and on the line its E|f'| falls once its step does: the condition is not necessary. "
        f"ln f is clipped at {LOWEST:.0f}, where |x| leaves the normal range."
    )


def _panels(parts: Parts) -> list[list[Panel]]:
    def panel(name: str, draw: Callable[[Axes, Curves], None], caption: str, lead: bool = False) -> Panel:
        topics = (STAYS, REACHES) if name == "reddi-stochastic" else (STAYS, REACHES, NOT_NECESSARY)
        return Panel(f"{CASES[name].title}: {caption}", lambda ax: draw(ax, parts[name]), topics, lead)

    return [
        [
            panel("reddi-periodic", draw_x, "x against t. There is no chance in it."),
            panel("reddi-stochastic", draw_x, "x against t, median and 10-90 % of the runs.", lead=True),
        ],
        [
            panel("counterexample", draw_ln_f, "ln f against t, median and 10-90 % of the runs."),
            panel("counterexample", draw_windows, "the mean of |f'| over (T/2, T], with its 99 % interval."),
        ],
    ]


def _arrays(curves: Curves) -> Arrays:
    return {name: np.asarray(value) for name, value in vars(curves).items()}


_REPLICAS: dict[Size, int] = {"quick": 384, "standard": 512, "full": 2048}
EXPERIMENT = Experiment(
    name="divergence",
    title="Where the sufficient condition fails, Adam need not converge",
    paper="Corollary 9 (p. 10) is a sufficient condition for convergence, and default Adam's constant theta fails it; "
    "Eq. 10 (p. 18) is the paper's counterexample, and Reddi et al. (2018) prove divergence on theirs",
    measure=lambda size, folder: {name: measure(name, folder, _REPLICAS[size]) for name in CASES},
    arrays=_arrays,
    part=lambda of: Curves(str(of["case"]), of["t"], of["values"]),
    claims=lambda parts, error: [
        claim for curves in parts.values() for claim in claims(curves, error_per_claim(REFUTABLE, error))
    ],
    panels=_panels,
    setting=setting,
)
