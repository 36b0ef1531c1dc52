"""Figure 1 (p. 18): Generic Adam on the counterexample f(x) = E[xi x^2] = x^2/22 (Eq. 10), ln f against t.

left   : T = 1e5, alpha_t = 5/sqrt t, beta = 0.9, theta_t = 1 - (0.01 + 0.99 r^2)/t^r,  r = 0, .25, .5, .75, 1
middle : T = 5e5, the same with theta_t = 1 - 0.01/t^r,                                 r = 0, .25
right  : T = 1e5, r = 0.8, alpha_t = 5/t^s, theta_t as on the left,                     s = .4, .6, .8

The paper gives neither x_1 nor v_0; here x_1 = 1 and v_0 = 1e-8. At r = 1 its theta_1 is 0, against R2 (p. 7), so t is
replaced by max(t, 2) there. f underflows long before x does: ln f = 2 ln|x| - ln 22, |x| taken as at least the
smallest normal number (2.2e-308, ln f = -1420), so no infinity or NaN reaches a quantile.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from reference import families
from reference.adam import Array
from reference.problems import Counterexample
from theory.experiments.experiment import Arrays, Experiment, Panel, Size
from theory.tools.montecarlo import Measured, Sample, simulate
from theory.tools.statistics import Claim, Interval, error_per_claim, median_interval, share_interval, within

EPSILON = 1e-8
TINY = np.finfo(np.float64).tiny
LOWEST = 2 * np.log(TINY) - np.log(22)
REPLICAS = 64
CLAIMS = 12
ORDER = "The curves of Figure 1 end in the order in which the paper shows them"
LEVEL = "Without convergence at r = 0 and with it at r = .75 and 1, they end as high and as low as in Figure 1"
COIN = "Whether r = 1 or r = .75 ends lower is close to a coin toss"
_KEPT = 250  # points of a curve


@dataclass(frozen=True)
class Schedules:
    """exponents : the r of the curves (left, middle) or their s (right). printed : end values of the paper's curves."""

    title: str
    steps: int
    symbol: str
    exponents: tuple[float, ...]
    r: tuple[float, ...]
    s: tuple[float, ...]
    numerators: tuple[float, ...]
    printed: tuple[float, ...]
    claim: str

    @property
    def labels(self) -> list[str]:
        return [f"{self.symbol} = {exponent:g}" for exponent in self.exponents]

    def family(self) -> families.Family:
        r, s, a = (np.array(values)[:, None] for values in (self.r, self.s, self.numerators))
        return families.generic(eta=5.0, s=s, a=a, r=r, K=np.where(r == 1, 2, 1), beta=0.9)


def _numerators(r: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(0.01 + 0.99 * x * x for x in r)


_R, _S = (0.0, 0.25, 0.5, 0.75, 1.0), (0.4, 0.6, 0.8)
PANELS = {
    "left": Schedules(
        "θₜ = 1 - (0.01 + 0.99 r²)/tʳ, αₜ = 5/√t", 100_000, "r", _R, _R, (0.5,) * 5,
        _numerators(_R), (0.0, -10.0, -40.0, -350.0, -365.0),
        "smaller r is slower; r = 0 and .25 show no convergence",
    ),
    "middle": Schedules(
        "θₜ = 1 - 0.01/tʳ, αₜ = 5/√t", 500_000, "r", (0.0, 0.25), (0.0, 0.25), (0.5,) * 2,
        (0.01, 0.01), (-2.0, -75.0),
        "r = 0.25 converges once the numerator is small, r = 0 does not",
    ),
    "right": Schedules(
        "r = 0.8, αₜ = 5/tˢ", 100_000, "s", _S, (0.8,) * 3, _S,
        _numerators((0.8,) * 3), (-400.0, -315.0, -40.0),
        "smaller s is faster (printed: smaller r)",
    ),
}  # fmt: skip


def ln_f(x: Array) -> Array:
    """ln(x^2/22) without the last axis, never below LOWEST."""
    return 2 * np.log(np.maximum(np.abs(x[..., 0]), TINY)) - np.log(22)


def measure(
    name: str, folder: Path | None = None, replicas: int = REPLICAS, steps: int | None = None, seed: int = 0
) -> Measured:
    """One panel, all its curves as one array (curves, replicas, 1); history["x"] is ln f(x_t). steps: T, if shorter."""
    panel = PANELS[name]
    T = steps or panel.steps
    return simulate(
        Counterexample(), panel.family(), T, replicas, epsilon=EPSILON, seed=seed, record={"x": ln_f},
        every=max(1, T // _KEPT), average=(), folder=folder and folder / name, label=f"Figure 1, {name}",
    )  # fmt: skip


def claims(panels: dict[str, Measured], error: float | None = None) -> list[Claim]:
    """The paper's order of the curves, and where they end, at t = T + 1. error: of each claim, by default shared."""
    ends = {
        (name, exponent): values
        for name, measured in panels.items()
        for exponent, values in zip(PANELS[name].exponents, ln_f(measured.x), strict=True)
    }
    order = {
        "left": ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.5, 1.0), (0.75, 1.0)),
        "middle": ((0.0, 0.25),),
        "right": ((0.8, 0.6), (0.6, 0.4)),
    }
    limits = (("left", 0.0, -15.0, np.inf), ("left", 0.75, -np.inf, -60.0), ("left", 1.0, -np.inf, -40.0))
    error = error or error_per_claim(CLAIMS)
    found = []
    for name in panels:
        symbol = PANELS[name].symbol
        for above, below in order[name]:
            claim = f"{name}: ln f at {symbol} = {above:g} above {symbol} = {below:g} (median over runs, same draws)"
            gaps = ends[name, above] - ends[name, below]
            gaps[gaps == 0] = -1.0  # where both are clipped neither is above
            found.append(replace(within(claim, median_interval(gaps, error), 0.0, np.inf), topic=ORDER))
    for name, exponent, low, high in limits:
        if name in panels:
            side = f"above {low:g}" if np.isfinite(low) else f"below {high:g}"
            median = median_interval(ends[name, exponent], error)
            claim = f"{name}: median of ln f at r = {exponent:g} {side}"
            found.append(replace(within(claim, median, low, high), topic=LEVEL))
    if "left" in panels:
        claim = "left: r = 1 against r = .75 is close to a coin toss: it ends below in one to two thirds of all runs"
        found.append(replace(within(claim, wins(panels["left"], error), 1 / 3, 2 / 3), topic=COIN))
    return found


def wins(left: Measured, error: float) -> Interval:
    """How often r = 1 ends below r = .75, on the same draws; a tie, where both are clipped, does not count."""
    ends = ln_f(left.x)
    return share_interval(int((ends[-1] < ends[-2]).sum()), ends.shape[1], error)


def draw(ax: Axes, name: str, measured: Measured) -> None:
    """Median, 10-90 % band and one run per curve; a cross where the paper's printed curve ends."""
    panel = PANELS[name]
    t = np.append(measured.t, measured.description["steps"] + 1)
    curves = np.concatenate([measured.history["x"].values, ln_f(measured.x)[None]])
    low, median, high = np.quantile(curves, (0.1, 0.5, 0.9), axis=-1)
    for i, label in enumerate(panel.labels):
        color = f"C{i}"
        ax.fill_between(t, low[:, i], high[:, i], color=color, alpha=0.1, linewidth=0)
        ax.plot(t, np.stack([low[:, i], high[:, i]], 1), color=color, linewidth=0.6, alpha=0.35)
        ax.plot(t, curves[:, i, 0], color=color, linewidth=0.6, alpha=0.8, linestyle=(0, (4, 2)))
        ax.plot(t, median[:, i], color=color, linewidth=2, label=f"{label}: median {median[-1, i]:.3g}")
        if measured.description["steps"] == panel.steps:
            ax.plot(t[-1], panel.printed[i], "x", color=color, markersize=9, markeredgewidth=2, clip_on=False, zorder=5)
    ax.set_yscale("symlog", linthresh=10, linscale=0.7)
    ax.set_yticks([10, 0, -10, -100, -1000], ["10", "0", "-10", "-100", "-1000"])
    ax.set_ylim(-2_000, 20)
    ax.axhline(LOWEST, color="0.5", linestyle=":", linewidth=1)
    ax.set(xlabel="step t", ylabel=r"$\ln f(x_t)$  (linear within ±10)")
    ax.set_xlim(0, t[-1] * 1.01)
    ax.ticklabel_format(axis="x", style="sci", scilimits=(0, 0))


def setting(panels: dict[str, Measured]) -> str:
    """What was run, in a few sentences; the counts are those of the parts."""
    replicas = ", ".join(f"{measured.x.shape[1]:,} ({name})" for name, measured in panels.items())
    lines = [
        f"Runs: {replicas}.",
        "x₁ = 1 and v₀ = 1e-8 are ours (the paper gives neither); at r = 1, θₜ uses max(t, 2), since θ₁ = 0 in print. "
        f"|x| is clipped below the normal range, ln f = {LOWEST:.0f}.",
    ]
    if "left" in panels:
        below = wins(panels["left"], error=0.01)
        clipped = (ln_f(panels["left"].x)[-1] <= LOWEST).mean()
        lines.append(
            f"r = 1 ends below r = .75 in {100 * below.estimate:.0f} % of the runs "
            f"(99 % interval {100 * below.low:.0f} to {100 * below.high:.0f} %): close to a coin toss, so one "
            f"run shows little. {100 * clipped:.0f} % of the r = 1 runs end clipped."
        )
    return " ".join(lines)


def _measured(of: Arrays) -> Measured:
    return Measured(json.loads(str(of["description"])), of["t"], {"x": Sample(of["ln_f"])}, {}, of["x"])


_REPLICAS: dict[Size, dict[str, int]] = {
    "quick": {"left": 512, "middle": 48, "right": 512},
    "standard": {"left": 1024, "middle": 64, "right": 1024},
    "full": {"left": 4096, "middle": 1024, "right": 4096},
}


def _measure(size: Size, folder: Path) -> dict[str, Measured]:
    steps = 100_000 if size == "quick" else None  # the middle panel's are 500,000
    return {name: measure(name, folder, replicas, steps) for name, replicas in _REPLICAS[size].items()}


EXPERIMENT = Experiment(
    name="1",
    title="Figure 1: Generic Adam on the counterexample f(x) = E[ξ x²] = x²/22",
    paper="Figure 1 (p. 18-19): on the counterexample smaller r is slower; r = 0 does not converge, and r = .25 too "
    "slowly to show in 1e5 steps; with a small numerator r = .25 does; at r = .8 smaller s is faster "
    "(printed: smaller r)",
    measure=_measure,
    arrays=lambda panel: {
        "description": np.array(json.dumps(panel.description)),
        "t": panel.t, "ln_f": panel.history["x"].values, "x": panel.x,
    },
    part=_measured,
    claims=lambda panels, error: claims(panels, error_per_claim(CLAIMS, error)),
    panels=lambda panels: [
        [
            Panel(
                f"{name}: {PANELS[name].title}. Claimed: {PANELS[name].claim}. Thick: median; shaded: 10-90 %; "
                "dashed: one run, which is what the paper shows; cross: where its curve ends, read off its figure; "
                "dotted: where |x| is clipped.",
                partial(draw, name=name, measured=measured),
                (ORDER, LEVEL, COIN) if name == "left" else (ORDER,),
                lead=name == "left",
            )
            for name, measured in panels.items()
        ]
    ],
    setting=setting,
)  # fmt: skip
