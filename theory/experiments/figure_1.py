"""Figure 1 (p. 18): Generic Adam on the counterexample f(x) = E[xi x^2] = x^2/22 (Eq. 10), ln f against t.

left   : T = 1e5, alpha_t = 5/sqrt t, beta = 0.9, theta_t = 1 - (0.01 + 0.99 r^2)/t^r,  r = 0, .25, .5, .75, 1
middle : T = 5e5, the same with theta_t = 1 - 0.01/t^r,                                 r = 0, .25
right  : T = 1e5, r = 0.8, alpha_t = 5/t^s, theta_t as on the left,                     s = .4, .6, .8

The paper gives neither x_1 nor v_0; here x_1 = 1 and v_0 = 1e-8. At r = 1 its theta_1 is 0, against R2 (p. 7), so t is
replaced by max(t, 2) there. f underflows long before x does: ln f = 2 ln|x| - ln 22, |x| taken as at least the
smallest normal number (2.2e-308, ln f = -1420), so no infinity or NaN reaches a quantile.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reference import families
from reference.adam import Array
from reference.problems import Counterexample
from theory.experiments.drawing import figure, save
from theory.montecarlo import Measured, simulate
from theory.statistics import Finding, median_interval, share, share_interval, within

EPSILON = 1e-8
TINY = np.finfo(np.float64).tiny
LOWEST = 2 * np.log(TINY) - np.log(22)
REPLICAS = 64
_KEPT = 250  # points of a curve


@dataclass(frozen=True)
class Panel:
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
    "left": Panel(
        r"$\theta_t = 1 - (0.01 + 0.99\,r^2)/t^r$,  $\alpha_t = 5/\sqrt{t}$", 100_000, "r", _R, _R, (0.5,) * 5,
        _numerators(_R), (0.0, -10.0, -40.0, -350.0, -365.0),
        "smaller r is slower; r = 0 and .25 do not converge",
    ),
    "middle": Panel(
        r"$\theta_t = 1 - 0.01/t^r$,  $\alpha_t = 5/\sqrt{t}$", 500_000, "r", (0.0, 0.25), (0.0, 0.25), (0.5,) * 2,
        (0.01, 0.01), (-2.0, -75.0),
        "r = 0.25 converges once the numerator is small, r = 0 does not",
    ),
    "right": Panel(
        r"$r = 0.8$,  $\alpha_t = 5/t^s$", 100_000, "s", _S, (0.8,) * 3, _S,
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


def findings(panels: dict[str, Measured], error: float | None = None) -> list[Finding]:
    """The paper's order of the curves, and where they end, at t = T + 1. error: of each claim, by default shared."""
    ends = {
        (name, exponent): values
        for name, measured in panels.items()
        for exponent, values in zip(PANELS[name].exponents, ln_f(measured.x), strict=True)
    }
    order = {
        "left": ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.5, 1.0)),
        "middle": ((0.0, 0.25),),
        "right": ((0.8, 0.6), (0.6, 0.4)),
    }
    limits = (("left", 0.0, -15.0, np.inf), ("left", 0.75, -np.inf, -60.0), ("left", 1.0, -np.inf, -40.0))
    error = error or share(11)
    found = []
    for name in panels:
        symbol = PANELS[name].symbol
        for above, below in order[name]:
            claim = f"{name}: ln f at {symbol} = {above:g} above {symbol} = {below:g} (median over runs, same draws)"
            gap = median_interval(ends[name, above] - ends[name, below], error)
            found.append(within(claim, gap, 0.0, np.inf))
    for name, exponent, low, high in limits:
        if name in panels:
            side = f"above {low:g}" if np.isfinite(low) else f"below {high:g}"
            median = median_interval(ends[name, exponent], error)
            found.append(within(f"{name}: median of ln f at r = {exponent:g} {side}", median, low, high))
    if "left" in panels:
        first, second = ends["left", 1.0], ends["left", 0.75]
        wins = share_interval(int((first < second).sum()), len(first), error)
        found.append(within("left: r = 1 ends below r = .75 in more than half of all runs", wins, 0.5, 1.0))
    return found


def plot(panels: dict[str, Measured], path: Path) -> None:
    """Median, 10-90 % band and one run per curve; a cross where the paper's printed curve ends."""
    fig, axes = figure(1, len(panels), width=5.4 * len(panels), height=6.8)
    for ax, (name, measured) in zip(axes[0], panels.items(), strict=True):
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
            ax.plot(t[-1], panel.printed[i], "x", color=color, markersize=9, markeredgewidth=2, clip_on=False, zorder=5)
        ax.set_yscale("symlog", linthresh=10, linscale=0.7)
        ax.set_yticks([10, 0, -10, -100, -1000], ["10", "0", "-10", "-100", "-1000"])
        ax.set_ylim(-20_000, 20)  # room for the legend below the lowest value
        ax.axhline(LOWEST, color="0.5", linestyle=":", linewidth=1)
        ax.set(xlabel="step t", ylabel=r"$\ln f(x_t)$  (linear within ±10)", title=f"{name}: {panel.title}")
        ax.set_xlim(0, t[-1] * 1.01)
        ax.ticklabel_format(axis="x", style="sci", scilimits=(0, 0))
        ax.legend(loc="lower left", fontsize=9)
        replicas = measured.x.shape[1]
    fig.suptitle(r"Figure 1: Generic Adam on $f(x) = \mathbf{E}[\xi x^2] = x^2/22$", fontsize=14)
    fig.supxlabel(_text(panels, replicas), fontsize=10, x=0.01, ha="left")
    save(fig, path)


def _text(panels: dict[str, Measured], replicas: int) -> str:
    lines = [
        f"Thick: median of {replicas} runs; shaded: 10-90 %; dashed: one run, which is what the paper shows; "
        "cross: where the paper's curve ends, read off its figure.",
        "x₁ = 1 and v₀ = 1e-8 are ours (the paper gives neither); at r = 1, θₜ uses max(t, 2), since θ₁ = 0 in print. "
        f"Dotted: |x| is clipped below the normal range, ln f = {LOWEST:.0f}.",
    ]
    if "left" in panels:
        wins = findings(panels, error=0.01)[-1].measured
        at_lowest = (ln_f(panels["left"].x)[-1] <= LOWEST).mean()
        lines.append(
            f"r = 1 ends below r = .75 in {100 * wins.estimate:.0f} % of the runs "
            f"(99 % interval {100 * wins.low:.0f} to {100 * wins.high:.0f} %; over 4,096 runs it is a coin toss, "
            f"whatever one run suggests); {100 * at_lowest:.0f} % of the r = 1 runs end clipped."
        )
    return "\n".join(lines)
