"""Figure 4 (sec. 5.3.1, pp. 20-21): the best learning rate against the batch size, on the noisy quadratic.

    min_x E[x'Ax - b'x + xi'x],  xi ~ N(0, 100 I),  A (3, 3),  b (3,)

For every method, batch size and learning rate: R trials of 200 iterations from x_1 = 1; the best rate is the one with
the smallest E||grad f(x_201)||. A batch's gradient is the mean of that many samples, all drawn.

The paper gives neither A and b, x_1, nor the methods' constants; here they are `reference.problems.NoisyQuadratic`'s,
beta = 0.9, theta = 0.99 (sec. 5.3.2), v_0 = 1e-8. SGD-M's momentum is Adam's, m_t = beta m_{t-1} + (1-beta) g_t, which
is the heavy ball with (1-beta) alpha for its rate: undamped, its best rate would be ten times smaller than SGD's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from tqdm import tqdm

from reference import families
from reference.families import Family
from reference.iterate import run
from reference.methods import ADAM, RMSPROP, SGD, SGD_MOMENTUM, Method
from reference.problems import NoisyQuadratic
from reference.problems.quadratic import A_CHOSEN, B_CHOSEN
from reference.sources import MeanOfWorkers
from theory.experiments.experiment import Experiment, Panel, Size
from theory.tools.statistics import Claim, Interval, error_per_claim, quotient, within

BETA, THETA, EPSILON = 0.9, 0.99, 1e-8
ITERATIONS = 200
BATCHES = (1, 3, 10, 32, 100, 320)
RATES = tuple(
    k / 2000 for k in (2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 20, 23, 27, 31, 36, 42, 49, 57, 68, 82, 100, 140)
)
TRIALS = 256
CLAIMS = 6
CLIMBS = "The best learning rate of SGD and SGD-M climbs with the batch"
STAYS = "The best learning rate of Adam and RMSProp stays within a factor of 2, and closer than SGD's"
PAPERS = {"batches": tuple(range(1, 321)), "rates": tuple(k / 2000 for k in range(1, 2001)), "trials": 500}  # hours
PRINTED_RANGE = (0.02, 0.04)  # of Adam's and RMSProp's best rate


@dataclass(frozen=True)
class Contender:
    """A method at any learning rate.

    Attributes
    ----------
    label : str
    method : Method
    family : callable
        rate -> the sequences that the method reads.
    """

    label: str
    method: Method
    family: Callable[[NDArray], Family]


METHODS = {
    "sgd": Contender("SGD", SGD, families.step_sizes),
    "sgd-momentum": Contender("SGD-M", SGD_MOMENTUM, lambda rate: families.step_sizes((1 - BETA) * rate, beta=BETA)),
    "adam": Contender("Adam", ADAM, lambda rate: families.constant(rate, BETA, THETA)),
    "rmsprop": Contender("RMSProp", RMSPROP, lambda rate: families.constant(rate, 0.0, THETA)),
}


@dataclass(frozen=True)
class Norms:
    """E||grad f|| at the last iterate: means (methods, batches, rates) over R trials.

    errors : of each mean's distance from the smallest of its row; the trials of a row share their draws. 0 at the best.
    """

    methods: tuple[str, ...]
    batches: NDArray[np.int64]
    rates: NDArray[np.float64]
    trials: int
    means: NDArray[np.float64]
    errors: NDArray[np.float64]

    @property
    def arrays(self) -> dict[str, NDArray]:
        return {name: np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def of(cls, arrays: dict[str, NDArray]) -> Norms:
        methods = tuple(str(name) for name in arrays["methods"])
        rest = (arrays[name] for name in ("means", "errors"))
        return cls(methods, arrays["batches"], arrays["rates"], int(arrays["trials"]), *rest)

    def best(self, method: str, error: float) -> list[Interval]:
        """The best rate at every batch size: the range of the rates that may be it, error for all batch sizes.

        A rate is dropped where its mean exceeds the smallest with confidence, paired by trial; Student's, so nominal:
        the norms have no upper bound, so no number of trials could drop a rate whatever their distribution. The truly
        best one is dropped with probability error/batches at most: it has rates - 1 rivals, each with its part.
        """
        i = self.methods.index(method)
        reach = stats.t.isf(error_per_claim(len(self.batches) * max(1, len(self.rates) - 1), error), self.trials - 1)
        found = []
        for means, errors in zip(self.means[i], self.errors[i], strict=True):
            kept = self.rates[means - means.min() <= reach * errors]
            best = float(self.rates[means.argmin()])
            found.append(Interval(best, float(kept.min()), float(kept.max()), error, self.trials))
        return found


def last_norms(method: str, batch: int, rates: ArrayLike, trials: int, seed: int = 0) -> NDArray[np.float64]:
    """||grad f(x_201)||, (rates, trials): all rates as one array, which share the trials' draws."""
    problem = NoisyQuadratic(local_batch=batch)
    rates = np.asarray(rates, np.float64)[:, None]
    start = np.broadcast_to(problem.start, (len(rates), trials, problem.dimension))
    chosen = METHODS[method]
    source, family = MeanOfWorkers(problem, seed), chosen.family(rates)
    ended = run(source, start, family, ITERATIONS, epsilon=EPSILON, method=chosen.method)
    return np.sqrt(np.square(problem.gradient(ended.state.x)).sum(axis=-1))


def measure(
    batches: tuple[int, ...] = BATCHES, rates: tuple[float, ...] = RATES, trials: int = TRIALS, seed: int = 0
) -> Norms:
    """Every method; `measure(**PAPERS)` is the paper's own grid."""
    means = np.empty((len(METHODS), len(batches), len(rates)))
    errors = np.empty_like(means)
    with tqdm(total=means[..., 0].size, desc="Figure 4", leave=False, disable=None) as bar:
        for i, method in enumerate(METHODS):
            for j, batch in enumerate(batches):
                values = last_norms(method, batch, rates, trials, seed)
                means[i, j] = values.mean(axis=-1)
                gaps = values - values[means[i, j].argmin()]
                errors[i, j] = gaps.std(axis=-1, ddof=1) / np.sqrt(trials)
                bar.update()
    return Norms(tuple(METHODS), np.array(batches), np.array(rates), trials, means, errors)


def spread(found: list[Interval]) -> Interval:
    """The largest of them over the smallest."""
    low = max(interval.low for interval in found) / min(interval.high for interval in found)
    high = max(interval.high for interval in found) / min(interval.low for interval in found)
    best = [interval.estimate for interval in found]
    return Interval(max(best) / min(best), max(1.0, low), high, found[0].error, found[0].sample_size)


def claims(norms: Norms, error: float | None = None) -> list[Claim]:
    """What the paper concludes, in factors: its rates themselves depend on an A and b it does not give."""
    error = error or error_per_claim(CLAIMS)
    best = {name: norms.best(name, error / 2) for name in norms.methods}
    smallest, largest = norms.batches[[0, -1]]
    found: list[Claim] = []
    for name in ("sgd", "sgd-momentum"):
        first, last = best[name][0], best[name][-1]
        here = f"printed: .005 to .04, here {first.estimate:g} to {last.estimate:g}"
        claim = f"{METHODS[name].label}: best rate at batch {largest} over that at {smallest} above 1 ({here})"
        found.append(replace(within(claim, quotient(last, first), np.nextafter(1, 2), np.inf), topic=CLIMBS))
    for name in ("adam", "rmsprop"):
        rates = [interval.estimate for interval in best[name]]
        here = f"printed: .02 to .04, here {min(rates):g} to {max(rates):g}"
        claim = f"{METHODS[name].label}: largest best rate over smallest at most 2 ({here})"
        found.append(replace(within(claim, spread(best[name]), 1.0, 2.0), topic=STAYS))
    sgd = spread(best["sgd"])
    for name in ("adam", "rmsprop"):
        claim = f"{METHODS[name].label}: its best rates spread less than SGD's, quotient of the factors below 1"
        narrower = within(claim, quotient(spread(best[name]), sgd), 0.0, np.nextafter(1, 0))
        found.append(replace(narrower, topic=STAYS))
    return found


def draw_rates(ax: Axes, norms: Norms) -> None:
    """The best rate with its 99 % range."""
    ax.axhspan(*PRINTED_RANGE, color="0.5", alpha=0.15, label="printed range of Adam and RMSProp: .02 to .04")
    for i, name in enumerate(norms.methods):
        found = norms.best(name, 0.01)
        low, high = [interval.low for interval in found], [interval.high for interval in found]
        ax.fill_between(norms.batches, low, high, color=f"C{i}", alpha=0.15, linewidth=0)
        for end in (low, high):
            ax.plot(norms.batches, end, color=f"C{i}", linewidth=0.6, alpha=0.5)
        ax.plot(norms.batches, [interval.estimate for interval in found], **_style(i, name, norms))
    ax.set(yscale="log", ylabel="best learning rate", ylim=(0.0015, 0.1))
    ticks = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08)
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    _batches(ax, norms)


def draw_norms(ax: Axes, norms: Norms) -> None:
    """ln E||grad f|| at the best rate."""
    for i, name in enumerate(norms.methods):
        ax.plot(norms.batches, np.log(norms.means[i].min(axis=-1)), **_style(i, name, norms))
    anchor = float(np.log(norms.means[norms.methods.index("sgd"), 0].min()))
    line = anchor - 0.5 * np.log(norms.batches / norms.batches[0])
    through = rf"the noise alone: $s^{{-1/2}}$, through SGD at s = {norms.batches[0]}"
    ax.plot(norms.batches, line, color="black", linestyle="--", label=through)
    ax.set(ylabel=r"ln of the average $\|\nabla f(x_{201})\|$")
    _batches(ax, norms)


def _style(i: int, name: str, norms: Norms) -> dict[str, Any]:
    width = 1.5 if i % 2 else 3.5  # SGD-M lies on SGD, RMSProp on Adam: both remain seen
    every = max(1, len(norms.batches) // 10)
    style = {"color": f"C{i}", "linewidth": width, "marker": "osD^"[i], "markersize": 2 + 2 * width}
    return style | {"markevery": every, "label": METHODS[name].label}


def _batches(ax: Axes, norms: Norms) -> None:
    shown = norms.batches if len(norms.batches) <= 12 else np.array([1, 3, 10, 32, 100, 320])
    ax.set(xscale="log", xlabel="batch size s")
    ax.set_xticks(shown, [str(s) for s in shown])
    ax.tick_params(axis="x", which="minor", bottom=False)


def setting(norms: Norms) -> str:
    """What was run, in a few sentences; the counts are those of the parts."""
    A = "; ".join(" ".join(f"{entry:g}" for entry in row) for row in A_CHOSEN)
    b = ", ".join(f"{entry:g}" for entry in B_CHOSEN)
    return (
        f"{norms.trials} trials, {len(norms.batches)} batch sizes and {len(norms.rates)} rates (the paper: 500, 320 "
        f"and 2,000), {ITERATIONS} iterations from x₁ = (1, 1, 1). A = [{A}] and b = ({b}) are ours: "
        "the paper gives neither, nor x₁ nor the methods' constants, "
        f"so its factors can be compared and its rates hardly. β = {BETA:g}, θ = {THETA:g}, v₀ = {EPSILON:g}; "
        "SGD-M has Adam's momentum, with the factor 1 - β. "
        "Printed: SGD and SGD-M climb from .005 to .04, Adam and RMSProp stay between .02 and .04; "
        "ln of the gradient norm falls from 0 to -3.5 for all four."
    )


_SIZES: dict[Size, dict[str, Any]] = {
    "quick": {"batches": (1, 10, 32), "rates": RATES[::2], "trials": 512},
    "standard": {"trials": 1024},
    "full": {"trials": 2048},
}
EXPERIMENT = Experiment(
    name="4",
    title="Figure 4: the best learning rate on min E[x'Ax - b'x + ξ'x], ξ ~ N(0, 100 I)",
    paper="Figure 4 (p. 20-21): the best rate of SGD and SGD-M climbs with the batch, from .005 to .04; Adam's and "
    "RMSProp's stays between .02 and .04",
    measure=lambda size, folder: {"norms": measure(**_SIZES[size])},
    arrays=lambda norms: norms.arrays,
    part=Norms.of,
    claims=lambda parts, error: claims(parts["norms"], error_per_claim(CLAIMS, error)),
    panels=lambda parts: [
        [
            Panel(
                "The best learning rate against the batch size; shaded: 99 % intervals.",
                partial(draw_rates, norms=parts["norms"]),
                (CLIMBS, STAYS),
                lead=True,
            ),
            Panel(
                "The gradient norm at the best learning rate, against the batch size.",
                partial(draw_norms, norms=parts["norms"]),
            ),
        ]
    ],
    setting=lambda parts: setting(parts["norms"]),
)
