"""Theorem 2 (p. 8), Corollary 13 (p. 13) and Theorem 17 (p. 14-15) beside what runs measure.

All three bound the same number, tau uniform on 1..T,

    E||grad f(x_tau)|| = (1/T) sum_{t<=T} E||grad f(x_t)||,

Theorem 2 for one sample a step and any sequences that satisfy R1-R3, Corollary 13 for alpha_t = alpha/sqrt T and
theta_t = 1 - theta/T, Theorem 17 for these sequences and the mean of s samples. Checked are the corrected and the sharp
forms, on every problem whose constants are all known and which violates no assumption; the printed forms that are false
are refuted in `theory.chen_2022.errata`. A run that projects onto an interval is outside every statement, and left out.

A finite number of runs can violate a bound only where the mean's lower limit exceeds it. A mean below a bound says no
more than that, and how much it says depends on measured/bound: a formula too small by less than bound/measured passes.
Where a bound exceeds what every algorithm meets it is vacuous: G by A4, and sqrt(G^2 - sigma^2) where the noise is the
same at every x. On digits, d = 650, all are. What gives the comparisons power are the instances of `TIGHT`, at which
measured/bound is .5 and more, but for Theorem 17, corrected: .07, and .02 where it is not vacuous.
Without noise all runs are the same: the interval is a point, and the comparison is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from reference import families
from reference.families import Family
from reference.problems import Bump, Digits, Gaussian, Problem, TaperedLinear, TwoPoint
from reference.problems.problem import AdditiveNoise
from theory.adversary import Instance
from theory.bound import Variant
from theory.chen_2022.corollary_13 import corollary_13
from theory.chen_2022.theorem_2 import theorem_2
from theory.chen_2022.theorem_17 import theorem_17
from theory.experiments.experiment import Experiment, Panel, Parts, Size
from theory.tools.montecarlo import simulate
from theory.tools.statistics import FALSE_ALARMS, VERDICTS, Finding, at_most, mean_interval, share

STATEMENTS = ("Theorem 2", "Corollary 13", "Theorem 17")
VARIANTS: tuple[Variant, ...] = ("corrected", "sharp")
WORKERS = (1, 4, 16, 64)


class Setting(NamedTuple):
    """dear : a step takes long, so there are few. replicas : no more are made."""

    problem: Problem
    dear: bool = False
    replicas: int = 64


ALL_THE_SAME = 2  # replicas without noise
SETTINGS = {
    "bump, d = 2, no noise": Setting(Bump(2), replicas=ALL_THE_SAME),
    "bump, d = 1, N(0, 0.01)": Setting(Bump(1, Gaussian(0.1))),
    "bump, d = 10, N(0, 1)": Setting(Bump(10, Gaussian(1.0))),
    "bump, d = 4, N(0, 16), B = 4": Setting(Bump(4, Gaussian(4.0), local_batch=4)),
    "bump, d = 3, two-point": Setting(Bump(3, TwoPoint(3.0, 0.1))),
    "tapered, d = 1, no noise": Setting(TaperedLinear(), replicas=ALL_THE_SAME),
    "tapered, d = 2, two-point": Setting(TaperedLinear(0.5, 0.25, 2.0, 2, TwoPoint(1.0, 0.25))),
    "digits, B = 8": Setting(Digits(), dear=True, replicas=8),
}

PRACTICAL = ((1.0, 0.0, 1.0), (1.0, 0.9, 1.0), (10.0, 0.5, 0.1), (0.1, 0.5, 10.0))  # (alpha, beta, theta)
FAMILIES = {  # R1-R3 hold for each over every finite T
    "Eq. 8, r = 0.5, s = 0.25": families.generic(1, 0.25, 0.5, 0.5, beta=0.5),
    "Eq. 8, r = 0.5, s = 0.5": families.generic(1, 0.5, 0.5, 0.5, beta=0),
    "Eq. 8, r = 1, s = 0.5": families.generic(1, 0.5, 1, 1, 2, beta=0.5),
    "Eq. 8, r = 1.2, s = 0.6": families.generic(1, 0.6, 0.5, 1.2, beta=0.9),
    "Eq. 8, r = 1 > 2s = 0.5": families.generic(1, 0.25, 0.5, 1, beta=0.5),  # C0 grows with T
    "Adam, constant": families.constant(0.01, 0.9, 0.999),
    "Adam, bias-corrected": families.bias_corrected_adam(0.01),
    "Adam, bias-corrected, s = 0.5": families.bias_corrected_adam(1, s=0.5),
    "AdaEMA": families.ada_ema(1),
    "AdamNC": families.adam_nc(1),
    "RMSProp": families.rmsprop(1, a=0.9),
    "sec. 3.4, r = 0.5": families.path_to_adam(0.5, eta=1),
}

# What the search of `theory.adversary` found for Theorem 2, Corollary 13 and Theorem 17, corrected and sharp in turn:
# the largest measured/bound, at which every bound is vacuous, and the largest where a vacuous bound counts for nothing.
# With noise Theorem 17, corrected, is vacuous at every T that can be run.
TIGHT = {
    "tight, no noise": (
        Instance("tapered", 46.08, 529.7, 1, 0.0, 0.5, 1, "generic", (1.0, 0.0, 0.01836, 0.0, 1.0), 0.0, 500, 0.07616),
        Instance("tapered", 72.8, 456.0, 1, 0.0, 0.5, 1, "generic", (1.0, 0.0, 0.002384, 0.0, 1.0), 0.0, 500, 0.9917),
        Instance("tapered", 116.3, 1166.0, 1, 0.0, 0.5, 1, "practical", (31.62, 3.788), 0.0, 1000, 0.1245),
        Instance("tapered", 83.36, 945.9, 1, 0.0, 0.5, 1, "practical", (31.62, 0.9126), 0.0, 1000, 0.9999),
        Instance("tapered", 1010.0, 707.0, 1, 0.0, 0.5, 1, "practical", (22.36, 0.005961), 0.0, 500, 0.2985),
        Instance("bump", 1.0, 0.7812, 1, 0.0, 0.5, 1, "practical", (0.1182, 0.05101), 0.0, 500, 7.302),
        # not vacuous
        Instance("bump", 1.0, 0.3499, 1, 0.0, 0.5, 1, "generic", (0.0009181, 0, 2.671e-05, 0, 1), 0.0, 2000, 6.455),
        Instance("bump", 1.0, 0.3977, 1, 0.0, 0.5, 1, "generic", (0.000379, 0, 9.369e-05, 0, 1), 0.0, 2000, 0.9093),
        Instance("bump", 1.0, 0.2545, 1, 0.0, 0.5, 1, "practical", (0.01908, 0.049), 0.0, 2000, 2.359),
        Instance("tapered", 1438.0, 0.0, 1, 0.0, 0.5, 1, "practical", (44.72, 0.339), 0.0, 2000, 1.323),
        Instance("tapered", 894600.0, 0.0, 1, 0.0, 0.5, 1, "practical", (316.2, 1.016e-05), 0.0, 100_000, 6.1e-06),
        Instance("bump", 1.0, 0.3664, 1, 0.0, 0.5, 1, "practical", (0.04075, 0.02969), 0.0, 4000, 13.0),
    ),
    "tight, two-point": (
        Instance("tapered", 260.5, 0.0, 1, 0.5202, 0.7583, 1, "generic", (1.0, 0, 8.082e-05, 0, 1), 0.0, 1000, 21.63),
        Instance("tapered", 220.9, 491.7, 1, 2.469, 0.2226, 1, "generic", (1.0, 0, 0.001273, 0, 1), 0.0, 1000, 2.477),
        Instance("tapered", 359.8, 0.0, 1, 2.568, 0.27, 1, "practical", (31.62, 0.06233), 0.0, 1000, 11.2),
        Instance("bump", 1.0, 0.4508, 1, 0.6369, 0.2039, 1, "practical", (0.02149, 0.3901), 0.0, 1000, 0.6323),
        Instance("tapered", 175.4, 0.0, 1, 1.008, 0.3787, 4, "practical", (31.62, 0.04572), 0.0, 1000, 28.16),
    ),
}


@dataclass(frozen=True)
class Runs:
    """n configurations on a problem, each R times.

    label, T, workers : (n,). ceiling : what E||grad f|| is at most whatever the algorithm, (n,). values : (n, R),
    (1/T) sum_t ||grad f(x_t)||. bounds : (n, statements, variants), nan where a statement is not about the run.
    """

    label: NDArray[np.str_]
    T: NDArray[np.int64]
    workers: NDArray[np.int64]
    ceiling: NDArray[np.float64]
    values: NDArray[np.float64]
    bounds: NDArray[np.float64]

    @classmethod
    def joined(cls, runs: Sequence[Runs]) -> Runs:
        return cls(*(np.concatenate(column) for column in zip(*(vars(each).values() for each in runs), strict=True)))

    def compared(self, statement: int, variant: int) -> NDArray[np.int64]:
        """The runs that a statement is about."""
        return np.flatnonzero(~np.isnan(self.bounds[:, statement, variant]))


class Case(NamedTuple):
    """practical : (alpha, beta, theta) where the family is Corollary 13's."""

    label: str
    family: Family
    epsilon: float
    practical: tuple[float, float, float] | None = None


def constants(problem: Problem) -> tuple[float, float, float, float]:
    """sigma^2, G, L and f(x_1) - f*."""
    of = problem.constants
    known = (of.sigma2, of.G, of.L, of.f_star)
    sigma2, G, L, f_star = (each.value for each in known if each.value is not None)  # one is missing otherwise
    return sigma2, G, L, float(problem.value(problem.start)) - f_star


def ceiling(problem: Problem) -> float:
    """G, or sqrt(G^2 - sigma^2) where the noise does not depend on x: E||g||^2 = ||grad f||^2 + sigma^2 <= G^2."""
    sigma2, G, *_ = constants(problem)
    return float(np.sqrt(G**2 - sigma2)) if isinstance(problem, AdditiveNoise) else G


def cases(problem: Problem, T: int, s: int) -> list[Case]:
    """All families for one sample a step, the practical ones for a mean of s."""
    _, G, L, gap = constants(problem)
    d = problem.dimension
    # alpha balances the two largest terms of Corollary 13, sharp, which is not vacuous then from T ~ 100 d^2
    balanced = (gap / (2 * L * d)) ** 0.5, 0.0, 1.0
    given = [(practical, 1 / (s * d)) for practical in PRACTICAL] + [(balanced, G**2 / d)]
    found = [
        Case(
            f"practical, alpha = {practical[0]:.3g}, beta = {practical[1]:g}, theta = {practical[2]:g}, "
            f"v_0 = {epsilon:.3g}, T = {T}, s = {s}", families.practical(T, *practical), epsilon, practical,
        )
        for practical, epsilon in given
    ]  # fmt: skip
    if s > 1:
        return found
    return found + [Case(f"{label}, T = {T}", family, 1 / d) for label, family in FAMILIES.items()]


def case_of(instance: Instance) -> Case:
    practical = None
    if instance.schedule == "practical":
        alpha, theta = instance.parameters
        practical = alpha, instance.beta, theta
    return Case(str(instance), instance.family, instance.epsilon, practical)


def bounds(problem: Problem, T: int, s: int, case: Case) -> NDArray[np.float64]:
    """(statements, variants); ConditionError where the conditions of a statement about the run fail."""
    sigma2, G, L, gap = constants(problem)
    d, v_0 = problem.dimension, case.epsilon
    found = np.full((len(STATEMENTS), len(VARIANTS)), np.nan)
    for j, variant in enumerate(VARIANTS):
        if s == 1:
            found[0, j] = theorem_2(case.family, T, L, G, d, gap, v_0, variant).value
        if s == 1 and case.practical:
            found[1, j] = corollary_13(T, L, G, d, gap, v_0, *case.practical, variant).value
        if case.practical:
            found[2, j] = theorem_17(T, L, G, sigma2, d, gap, v_0, *case.practical, s, variant).value
    return found


def compare(problem: Problem, T: int, s: int, them: Sequence[Case], replicas: int, seed: int, label: str) -> Runs:
    """The cases as one array, (C, R, d), and what bounds each."""
    n = len(them)
    measured = simulate(
        problem, families.side_by_side([case.family for case in them]), T, replicas,
        epsilon=np.array([case.epsilon for case in them])[:, None, None], workers=s, seed=seed, label=label,
    )  # fmt: skip
    return Runs(
        np.array([case.label for case in them]), np.full(n, T), np.full(n, s), np.full(n, ceiling(problem)),
        measured.averages["gradient_norm"].values, np.array([bounds(problem, T, s, case) for case in them]),
    )  # fmt: skip


class Sizes(NamedTuple):
    """horizons : T; dear : where a step takes long. longest : T of the longest instance of TIGHT."""

    horizons: tuple[int, ...]
    dear: tuple[int, ...]
    longest: int
    replicas: int


SIZES: dict[Size, Sizes] = {
    "quick": Sizes((16, 512), (16,), 4000, 16),
    "standard": Sizes((16, 64, 2048), (16, 64), 100_000, 32),
    "full": Sizes((16, 128, 1024, 8192), (16, 128), 100_000, 64),
}


def measure(name: str, size: Sizes, seed: int = 0) -> Runs:
    """All runs on a problem of SETTINGS, or of all instances of TIGHT under a name."""
    if name in TIGHT:
        replicas = size.replicas if any(each.high for each in TIGHT[name]) else ALL_THE_SAME
        return Runs.joined([
            compare(each.objective, each.steps, each.workers, [case_of(each)], replicas, seed, name)
            for each in TIGHT[name]
            if each.steps <= size.longest
        ])  # fmt: skip
    problem, dear, replicas = SETTINGS[name]
    return Runs.joined([
        compare(problem, T, s, cases(problem, T, s), min(replicas, size.replicas), seed, f"{name}, T = {T}, s = {s}")
        for T in (size.dear if dear else size.horizons)
        for s in WORKERS
    ])  # fmt: skip


def findings(parts: Parts, error: float = FALSE_ALARMS) -> list[Finding]:
    """For each problem, statement and variant the comparison with the worst verdict; of these one that is not vacuous,
    where there is one; of these the closest."""
    comparisons = sum(int(np.count_nonzero(~np.isnan(runs.bounds))) for runs in parts.values())
    return [
        closest(name, runs, i, j, share(comparisons, error))
        for name, runs in parts.items()
        for i in range(len(STATEMENTS))
        for j in range(len(VARIANTS))
        if runs.compared(i, j).size
    ]


def closest(name: str, runs: Runs, i: int, j: int, error: float) -> Finding:
    """Of all runs that statement i, variant j is about; each comparison carries the error."""
    rows = runs.compared(i, j)
    values, limits, highest = runs.values[rows], runs.bounds[rows, i, j], runs.ceiling[rows]
    found = [at_most("", *pair, error) for pair in zip(values, limits, strict=True)]
    ratio, vacuous = values.mean(axis=-1) / limits, limits > highest
    k = max(range(len(rows)), key=lambda k: (VERDICTS.index(found[k].verdict), not vacuous[k], ratio[k]))
    telling = int(np.count_nonzero(~vacuous))
    all_of = f"{telling} of {len(rows)} bounds not vacuous" if telling else f"all {len(rows)} bounds vacuous"
    shown = "closest" if found[k].verdict == "holds" else "worst"
    return replace(
        found[k],
        claim=f"{name}: {STATEMENTS[i]}, {VARIANTS[j]} ({all_of}; {shown} shown)",
        reason=f"at {runs.label[rows[k]]}: {found[k].reason}; measured/bound = {ratio[k]:.3g}; "
        f"every algorithm's is at most {highest[k]:.4g}",
        vacuous=bool(vacuous[k]),
    )


def drawn(runs: Runs, i: int, j: int) -> tuple[NDArray[np.float64], ...]:
    """Bound, mean and half the width of its 99 % interval, all over the ceiling."""
    rows = runs.compared(i, j)
    intervals = [mean_interval(values, 0.01) for values in runs.values[rows]]
    mean = np.array([interval.estimate for interval in intervals])
    reach = np.array([interval.high - interval.estimate for interval in intervals])
    highest = runs.ceiling[rows]
    return runs.bounds[rows, i, j] / highest, mean / highest, reach / highest


def scatter(ax: Axes, x: NDArray, y: NDArray, i: int, j: int, vacuous: NDArray[np.bool_]) -> None:
    """Hollow where vacuous, the others above them."""
    style: dict[str, Any] = {"marker": MARKERS[j], "edgecolors": f"C{i}", "linewidths": 0.7}
    ax.scatter(x[vacuous], y[vacuous], 14, facecolors="none", alpha=0.6, **style)
    ax.scatter(x[~vacuous], y[~vacuous], 22, color=f"C{i}", zorder=3, **style)


def draw_means(ax: Axes, parts: Parts) -> None:
    """Measured against bound, both over the ceiling."""
    for i, j in np.ndindex(len(STATEMENTS), len(VARIANTS)):
        bound, mean, reach = np.concatenate([drawn(runs, i, j) for runs in parts.values()], axis=1)
        shown = np.minimum(bound, FAR)
        ax.errorbar(shown, mean, reach, fmt="none", ecolor=f"C{i}", elinewidth=0.6, alpha=0.6)
        scatter(ax, shown, mean, i, j, bound > 1)
    ax.plot([0.2, 4], [0.2, 4], color="black", linewidth=1.2, label="measured = bound")
    ax.axvline(1, color="0.3", linestyle=":", linewidth=1.2, label="bound = max")
    ax.set(xscale="log", yscale="log", xlim=(None, 1.5 * FAR), ylim=(None, 50))  # room for the legend
    ax.set(xlabel=rf"bound / max   (right edge: $10^{{{np.log10(FAR):g}}}$ and more)")
    ax.set(ylabel=r"measured $E\|\nabla f(x_\tau)\|$ / max")
    name_markers(ax)
    ax.legend(fontsize=9, loc="upper right", ncols=2)


def draw_ratios(ax: Axes, parts: Parts) -> None:
    """measured/bound of every comparison: a row a problem, in it a line for each statement and variant."""
    for row, runs in enumerate(parts.values()):
        for i, j in np.ndindex(len(STATEMENTS), len(VARIANTS)):
            bound, mean, _ = drawn(runs, i, j)
            height = np.full(len(bound), row + (2.5 - 2 * i - j) * 0.13)
            scatter(ax, np.maximum(mean / bound, 1 / FAR), height, i, j, bound > 1)
    ax.axvline(1, color="black", linewidth=1.2, label="measured = bound")
    ax.set(xscale="log", xlim=(0.6 / FAR, None), ylim=(-0.6, len(parts) + 2.3))  # room for the legend
    ax.set(xlabel=rf"measured / bound   (left edge: $10^{{-{np.log10(FAR):g}}}$ and less)")
    ax.set_yticks(range(len(parts)), [name.replace(" = ", "=") for name in parts], fontsize=9)
    name_markers(ax)
    ax.legend(fontsize=8, loc="upper left", ncols=2)


def name_markers(ax: Axes) -> None:
    for i, statement in enumerate(STATEMENTS):
        ax.scatter([], [], 22, color=f"C{i}", label=statement)
    for marker, variant in zip(MARKERS, VARIANTS, strict=True):
        ax.scatter([], [], 22, marker=marker, color="0.4", label=variant)
    ax.scatter([], [], 22, facecolors="none", edgecolors="0.4", label="hollow: bound > max")


def setting(parts: Parts) -> str:
    """In words; the counts are those of the parts."""
    replicas = max(runs.values.shape[-1] for runs in parts.values())
    comparisons = sum(np.count_nonzero(~np.isnan(runs.bounds)) for runs in parts.values())
    telling = sum(np.count_nonzero(runs.bounds <= runs.ceiling[:, None, None]) for runs in parts.values())
    steps = sorted({int(T) for name in SETTINGS if name in parts for T in parts[name].T})
    return (
        f"{comparisons} comparisons, {telling} of them with a bound below max, which is what E‖∇f‖ is at most whatever "
        "the algorithm: G, or √(G² - σ²) where the noise does not depend on x. Above it a bound is vacuous. Corrected "
        "and sharp are the forms of python -m theory bound; where the printed ones err, python -m theory errata says. "
        f"T = {', '.join(map(str, steps))}; {replicas} runs each (digits 8; without noise 2, which are equal: the "
        "interval is a point). Tight: found by a search for the largest measured/bound. Left out: problems with an "
        "unknown or infinite constant, and those on an interval: a run that projects is outside every statement."
    )


MARKERS = ("o", "^")
FAR = 1e5  # of a bound over what it bounds: drawn no further away
EXPERIMENT = Experiment(
    name="bounds",
    title="The bounds of Theorem 2, Corollary 13 and Theorem 17 beside what runs measure",
    paper="Theorem 2 (p. 8), Corollary 13 (p. 13) and Theorem 17 (p. 14-15): each an upper bound on "
    "E||grad f(x_tau)||, tau uniform on 1..T",
    measure=lambda size, folder: {name: measure(name, SIZES[size]) for name in (*SETTINGS, *TIGHT)},
    arrays=lambda runs: dict(vars(runs)),
    part=lambda arrays: Runs(**arrays),
    findings=findings,
    panels=lambda parts: [[
        Panel(
            "every measured mean (99 % interval) against its bound; a point above the line would violate it",
            partial(draw_means, parts=parts),
        ),
        Panel(
            "measured/bound of every comparison; a point right of the line would violate its bound",
            partial(draw_ratios, parts=parts),
        ),
    ]],
    setting=setting,
)  # fmt: skip
