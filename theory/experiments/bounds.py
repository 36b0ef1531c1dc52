"""The bounds of every statement in the registry beside what runs measure, each in the statement's own metric.

A run is compared with every statement that is about it (`Statement.applies`); a statement whose bound takes no account
of s is compared with runs of one sample a step alone. Checked are the corrected and the sharp forms, on every problem
whose constants are all known and which violates no assumption; the printed forms that are false are refuted in
`theory.chen_2022.errata`. A run that projects onto an interval is outside every statement, and left out.

A finite number of runs can violate a bound only where the mean's lower limit exceeds it. A mean below a bound says no
more than that, and how much it says depends on measured/bound: a formula too small by less than bound/measured passes.
Where a bound exceeds what every algorithm meets it is vacuous: G by A4, and sqrt(G^2 - sigma^2) where the noise is the
same at every x. On digits, d = 650, all of Chen et al.'s are. What gives the comparisons power are the instances of
`TIGHT`, at which measured/bound is .5 and more, but for Theorem 17, corrected: .07, and .02 where it is not vacuous.
Without noise all runs are the same: the interval is a point, and the comparison is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

import reference
from reference import families
from reference.families import Family
from reference.problems import Bump, Digits, Gaussian, Problem, TaperedLinear, TwoPoint
from theory.adversary.instance import Instance, load_instances
from theory.constants import Constants
from theory.experiments.experiment import Experiment, Panel, Parts, Size
from theory.statement import STATEMENTS as REGISTRY
from theory.statement import Setup, Variant
from theory.tools.montecarlo import simulate
from theory.tools.statistics import (
    FALSE_ALARMS,
    VERDICTS,
    Claim,
    at_most,
    error_per_claim,
    exact,
    mean_interval,
    root,
    within,
)

STATEMENTS = tuple(REGISTRY.values())
QUANTITIES = tuple(dict.fromkeys(each.metric.quantity for each in STATEMENTS))  # that are averaged over a run
METHODS = tuple(dict.fromkeys(method for each in STATEMENTS for method in each.methods))
TOPIC = (
    f"What runs measure stays below the bounds of {', '.join(each.title for each in STATEMENTS[:-1])} and "
    f"{STATEMENTS[-1].title}, in their corrected and their sharp forms"
)
VARIANTS: tuple[Variant, ...] = ("corrected", "sharp")
WORKERS = (1, 4, 16, 64)


class Setting(NamedTuple):
    """A problem to run on. slow : a step takes long, so there are few. replicas : no more are made."""

    problem: Problem
    slow: bool = False
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
    "digits, B = 8": Setting(Digits(), slow=True, replicas=8),
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

# What `python -m theory.adversary` found for Theorem 2, Corollary 13 and Theorem 17, corrected and sharp in turn:
# the largest measured/bound, at which every bound is vacuous, and the largest where a vacuous bound counts for nothing.
# With noise Theorem 17, corrected, is vacuous at every T that can be run.
TIGHT = load_instances()


@dataclass(frozen=True)
class Runs:
    """n configurations on a problem, each R times.

    Attributes
    ----------
    label, T, workers : arrays (n,)
    ceiling : array (n, statements)
        What the statement's metric is at most whatever the algorithm does.
    values : array (n, quantities, R)
        The averages over t = 1..T of QUANTITIES.
    bounds : array (n, statements, variants)
        nan where a statement is not about the run.
    random : array (n,)
        False where there is no noise: then every replica is the same run.
    """

    label: NDArray[np.str_]
    T: NDArray[np.int64]
    workers: NDArray[np.int64]
    ceiling: NDArray[np.float64]
    values: NDArray[np.float64]
    bounds: NDArray[np.float64]
    random: NDArray[np.bool_]

    @classmethod
    def joined(cls, runs: Sequence[Runs]) -> Runs:
        return cls(*(np.concatenate(column) for column in zip(*(vars(each).values() for each in runs), strict=True)))

    def compared(self, statement: int, variant: int) -> NDArray[np.int64]:
        """The runs that a statement is about."""
        return np.flatnonzero(~np.isnan(self.bounds[:, statement, variant]))

    @property
    def telling(self) -> NDArray[np.bool_]:
        """Where a bound is not vacuous, (n, statements, variants)."""
        return self.bounds <= self.ceiling[:, :, None]

    def judged(self, k: int, statement: int, variant: int, error: float) -> Claim:
        """Run k beside its bound: exactly without noise, else by intervals valid for every distribution."""
        power = STATEMENTS[statement].metric.power
        values, bound = self.averages(statement)[k], float(self.bounds[k, statement, variant])
        if self.random[k]:
            return at_most("", values, bound, error, float(self.ceiling[k, statement]), power)
        return within("", root(exact(float(values[0])), power), -np.inf, bound)

    def averages(self, statement: int) -> NDArray[np.float64]:
        """(n, R), of the quantity of a statement's metric."""
        return self.values[:, QUANTITIES.index(STATEMENTS[statement].metric.quantity)]


class Case(NamedTuple):
    """Sequences and v_0 of a run by the method of this name."""

    label: str
    family: Family
    epsilon: float
    method: str = "adam"


def ceilings(problem: Problem) -> NDArray[np.float64]:
    """(statements,): what each metric is at most whatever the algorithm does.

    By the largest E||grad f|| there is: G, or sqrt(G^2 - sigma^2) where the noise does not depend on x.
    """
    known = replace(Constants.of(problem), G=problem.largest_gradient_norm())
    return np.array([each.metric.trivial(known) for each in STATEMENTS])


def steps(problem: Problem, T: int, s: int) -> list[Case]:
    """Constant step sizes: within what descent allows, and the best for T steps of the mean of s samples."""
    L, sigma2, gap = Constants.of(problem).need("L", "sigma2", "gap")
    best = 1 / L if sigma2 == 0 else min(1 / L, (2 * gap * s / (L * sigma2 * T)) ** 0.5)
    given = {"1/L": 1 / L, "0.1/L": 0.1 / L, "1.5/L": 1.5 / L, "best": best}
    return [
        Case(f"{{}}, step {name} = {eta:.3g}, T = {T}, s = {s}", families.step_sizes(eta), 1.0)
        for name, eta in given.items()
    ]


def adaptive(problem: Problem, T: int, s: int) -> list[Case]:
    """All families for one sample a step, the practical ones for a mean of s."""
    L, G, gap = Constants.of(problem).need("L", "G", "gap")
    d = problem.dimension
    # alpha balances the two largest terms of Corollary 13, sharp, which is not vacuous then from T ~ 100 d^2
    balanced = (gap / (2 * L * d)) ** 0.5, 0.0, 1.0
    given = [(practical, 1 / (s * d)) for practical in PRACTICAL] + [(balanced, G**2 / d)]
    found = [
        Case(
            f"practical, alpha = {practical[0]:.3g}, beta = {practical[1]:g}, theta = {practical[2]:g}, "
            f"v_0 = {epsilon:.3g}, T = {T}, s = {s}", families.practical(T, *practical), epsilon,
        )
        for practical, epsilon in given
    ]  # fmt: skip
    if s > 1:
        return found
    return found + [Case(f"{label}, T = {T}", family, 1 / d) for label, family in FAMILIES.items()]


CASES: dict[str, Callable[[Problem, int, int], list[Case]]] = {"adam": adaptive, "sgd": steps}


def cases(problem: Problem, T: int, s: int) -> list[list[Case]]:
    """For each method that a statement is about."""
    return [
        [case._replace(label=case.label.format(method), method=method) for case in CASES[method](problem, T, s)]
        for method in METHODS
    ]


def case_of(instance: Instance) -> Case:
    """What a tight instance runs: its sequences, v_0 and method."""
    return Case(str(instance), instance.family, instance.epsilon, instance.method)


def bounds(problem: Problem, T: int, s: int, case: Case) -> NDArray[np.float64]:
    """(statements, variants); ConditionError where the conditions of a statement about the run fail."""
    setup = Setup(case.family, T, Constants.of(problem), case.epsilon, s, case.method)
    found = np.full((len(STATEMENTS), len(VARIANTS)), np.nan)
    for i, statement in enumerate(STATEMENTS):
        if (s > 1 and not statement.of_the_mean) or statement.applies(setup) is not None:
            continue
        for j, variant in enumerate(VARIANTS):
            if variant in statement.different:
                found[i, j] = statement.bound(setup, variant).value
    return found


def compare(problem: Problem, T: int, s: int, them: Sequence[Case], replicas: int, seed: int, label: str) -> Runs:
    """The cases, of one method, as one array (C, R, d), and what bounds each."""
    n = len(them)
    measured = simulate(
        problem,
        families.side_by_side([case.family for case in them]),
        T,
        replicas,
        epsilon=np.array([case.epsilon for case in them])[:, None, None],
        workers=s,
        seed=seed,
        average=QUANTITIES,
        label=label,
        method=reference.METHODS[them[0].method],
    )
    return Runs(
        np.array([case.label for case in them]),
        np.full(n, T),
        np.full(n, s),
        np.tile(ceilings(problem), (n, 1)),
        np.stack([measured.averages[name].values for name in QUANTITIES], axis=1),
        np.array([bounds(problem, T, s, case) for case in them]),
        np.full(n, Constants.of(problem).need("sigma2")[0] > 0),
    )


class Sizes(NamedTuple):
    """horizons : T; slow : where a step takes long. longest : T of the longest instance of TIGHT."""

    horizons: tuple[int, ...]
    slow: tuple[int, ...]
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
    problem, slow, replicas = SETTINGS[name]
    return Runs.joined([
        compare(problem, T, s, them, min(replicas, size.replicas), seed, f"{name}, T = {T}, s = {s}")
        for T in (size.slow if slow else size.horizons)
        for s in WORKERS
        for them in cases(problem, T, s)
    ])  # fmt: skip


def claims(parts: Parts, error: float = FALSE_ALARMS) -> list[Claim]:
    """For each problem, statement and variant the comparison with the worst verdict; of these one that is not vacuous,
    where there is one; of these the closest. Those that chance could violate share the error: with noise, and a bound
    that is not vacuous."""
    by_chance = sum(int(np.count_nonzero(runs.telling & runs.random[:, None, None])) for runs in parts.values())
    return [
        closest(name, runs, i, j, error_per_claim(max(1, by_chance), error))
        for name, runs in parts.items()
        for i in range(len(STATEMENTS))
        for j in range(len(VARIANTS))
        if runs.compared(i, j).size
    ]


def closest(name: str, runs: Runs, i: int, j: int, error: float) -> Claim:
    """Of all runs that statement i, variant j is about; each comparison carries the error."""
    rows, power = runs.compared(i, j), STATEMENTS[i].metric.power
    limits, highest, vacuous = runs.bounds[rows, i, j], runs.ceiling[rows, i], ~runs.telling[rows, i, j]
    ratio = runs.averages(i)[rows].mean(axis=-1) ** (1 / power) / limits
    # a vacuous bound is kept whatever is measured: no interval is needed but for the one shown
    judged = np.flatnonzero(~vacuous).tolist() or [int(ratio.argmax())]
    found = {k: runs.judged(int(rows[k]), i, j, error) for k in judged}
    k = max(found, key=lambda k: (VERDICTS.index(found[k].verdict), ratio[k]))
    telling = int(np.count_nonzero(~vacuous))
    all_of = f"{telling} of {len(rows)} bounds not vacuous" if telling else f"all {len(rows)} bounds vacuous"
    shown = "closest" if found[k].verdict == "holds" else "worst"
    return replace(
        found[k],
        statement=f"{name}: {STATEMENTS[i].title}, {VARIANTS[j]} ({all_of}; {shown} shown)",
        reason=f"at {runs.label[rows[k]]}: {found[k].reason}; measured/bound = {ratio[k]:.3g}; "
        f"every algorithm's is at most {highest[k]:.4g}",
        vacuous=bool(vacuous[k]),
        topic=TOPIC,
    )


def drawn(runs: Runs, i: int, j: int) -> tuple[NDArray[np.float64], ...]:
    """Bound, mean and half the width of its 99 % interval, all over the ceiling."""
    rows, power = runs.compared(i, j), STATEMENTS[i].metric.power
    intervals = [mean_interval(values, 0.01) for values in runs.averages(i)[rows]]
    mean = np.array([interval.estimate for interval in intervals]) ** (1 / power)
    reach = np.array([interval.high for interval in intervals]) ** (1 / power) - mean
    highest = runs.ceiling[rows, i]
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
    ax.set(xscale="log", yscale="log", xlim=(None, 1.5 * FAR), ylim=(None, 2))
    ax.set(xlabel=rf"bound / max   (right edge: $10^{{{np.log10(FAR):g}}}$ and more)")
    ax.set(ylabel="measured, in the statement's metric / max")
    name_markers(ax)


def draw_ratios(ax: Axes, parts: Parts) -> None:
    """measured/bound of every comparison: a row a problem, in it a line for each statement and variant."""
    for row, runs in enumerate(parts.values()):
        for i, j in np.ndindex(len(STATEMENTS), len(VARIANTS)):
            bound, mean, _ = drawn(runs, i, j)
            height = np.full(len(bound), row + 0.39 - 0.78 * (2 * i + j + 0.5) / (2 * len(STATEMENTS)))
            scatter(ax, np.maximum(mean / bound, 1 / FAR), height, i, j, bound > 1)
    ax.axvline(1, color="black", linewidth=1.2, label="measured = bound")
    ax.set(xscale="log", xlim=(0.6 / FAR, None), ylim=(-0.6, len(parts) - 0.4))
    ax.set(xlabel=rf"measured / bound   (left edge: $10^{{-{np.log10(FAR):g}}}$ and less)")
    ax.set_yticks(range(len(parts)), [name.replace(" = ", "=") for name in parts], fontsize=9)
    name_markers(ax)


def name_markers(ax: Axes) -> None:
    """What colours, shapes and hollow markers mean, as labels of marks without data."""
    for i, statement in enumerate(STATEMENTS):
        ax.scatter([], [], 22, color=f"C{i}", label=statement.title)
    for marker, variant in zip(MARKERS, VARIANTS, strict=True):
        ax.scatter([], [], 22, marker=marker, color="0.4", label=variant)
    ax.scatter([], [], 22, facecolors="none", edgecolors="0.4", label="hollow: bound > max")


def setting(parts: Parts) -> str:
    """In words; the counts are those of the parts."""
    replicas = max(runs.values.shape[-1] for runs in parts.values())
    comparisons = sum(np.count_nonzero(~np.isnan(runs.bounds)) for runs in parts.values())
    telling = sum(np.count_nonzero(runs.bounds <= runs.ceiling[:, :, None]) for runs in parts.values())
    steps = sorted({int(T) for name in SETTINGS if name in parts for T in parts[name].T})
    return (
        f"{comparisons} comparisons, {telling} of them with a bound below max, which is what E‖∇f‖ is at most whatever "
        "the algorithm: G, or √(G² - σ²) where the noise does not depend on x. Above it a bound is vacuous. Corrected "
        "and sharp are the forms of python -m theory bound; where the printed ones err, python -m theory errata says. "
        f"T = {', '.join(map(str, steps))}; {replicas} runs each (digits 8; without noise 2, which are equal: the "
        "interval is a point). Tight: found by a search for the largest measured/bound. Left out: problems with an "
        "unknown or infinite constant, and those on an interval: a run that projects is outside every statement."
    )


def in_words(names: Iterable[str]) -> str:
    """a, b and c"""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


MARKERS = ("o", "^")
FAR = 1e5  # of a bound over what it bounds: drawn no further away
EXPERIMENT = Experiment(
    name="bounds",
    title=f"The bounds of {in_words(each.title for each in STATEMENTS)} beside what runs measure",
    paper="; ".join(
        f"{in_words(f'{each.title} ({each.pages})' for each in STATEMENTS if each.paper == paper)} of {paper}"
        for paper in dict.fromkeys(each.paper for each in STATEMENTS)
    )
    + ": each an upper bound on the average gradient along a run, "
    + in_words(dict.fromkeys(f"{each.metric.name} {each.metric.meaning}" for each in STATEMENTS)),
    measure=lambda size, folder: {name: measure(name, SIZES[size]) for name in (*SETTINGS, *TIGHT)},
    arrays=lambda runs: dict(vars(runs)),
    part=lambda arrays: Runs(**arrays),
    claims=claims,
    panels=lambda parts: [[
        Panel(
            "Every measured mean (with its 99 % interval) against its bound. A point above the line would violate it; "
            "hollow points are vacuous.",
            partial(draw_means, parts=parts),
            (TOPIC,),
        ),
        Panel(
            "What was measured over its bound, in every comparison. A point right of the line would violate its "
            "bound; hollow points are vacuous.",
            partial(draw_ratios, parts=parts),
            (TOPIC,),
            lead=True,
        ),
    ]],
    setting=setting,
)  # fmt: skip
