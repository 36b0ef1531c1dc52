"""Where a bound is lost: the chain of inequalities from the measured E||grad f(x_tau)|| to the bound, step by step.

Each step of the proof replaces a number by one that is at least as large (in expectation; up to sampling error in a
sample of replicas). The quotients are the step's factors, and their product is bound / measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from reference.families import Practical
from theory.chen_2022.lemmas.lemma_31 import C2_along
from theory.chen_2022.lemmas.lemma_33 import C3_along
from theory.chen_2022.lemmas.lemma_38 import noise_and_slope
from theory.chen_2022.lemmas.lemma_39 import C7_along
from theory.chen_2022.lemmas.lemma_40 import C8_along, C9_along
from theory.chen_2022.lemmas.lemma_41 import four_terms, largest_root
from theory.chen_2022.theorem_17 import C10, C11
from theory.chen_2022.trajectory import Trajectory
from theory.tools.sides import Array, jackknife

Chain = dict[str, Array]  # name of the step -> the number after it; the first is the measured one


@dataclass(frozen=True)
class Profile:
    """steps : names, n of them. values : (n + 1,), the measured number and the number after each step, the last of
    which is the bound. factors : (n,), values[i+1]/values[i]. log_errors : (n,), standard errors of ln factors, 0 where
    expectations are exact.
    """

    statement: str
    steps: tuple[str, ...]
    values: Array
    log_errors: Array

    @property
    def factors(self) -> Array:
        return self.values[1:] / self.values[:-1]

    @property
    def measured(self) -> float:
        return float(self.values[0])

    @property
    def bound(self) -> float:
        return float(self.values[-1])

    def __str__(self) -> str:
        """The table: one step a line, its factor, the number after it."""
        width = max(map(len, self.steps))
        lines = [f"{self.statement}", f"{'measured':{width}s}  {'factor':>10s}  {self.measured:12.5g}"]
        for step, ratio, value in zip(self.steps, self.factors, self.values[1:], strict=True):
            lines.append(f"{step:{width}s}  {ratio:10.4g}  {value:12.5g}")
        lines.append(f"{'bound / measured':{width}s}  {self.bound / self.measured:10.4g}")
        return "\n".join(lines)

    def figure(self) -> Figure:
        """Waterfall: one bar a step, from the number before it to the number after it, on a logarithmic axis."""
        n, before, after = len(self.steps), self.values[:-1], self.values[1:]
        figure = Figure(figsize=(9, 0.42 * n + 2.0), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        rows = list(range(1, n + 1))
        axes.barh(rows, after - before, left=before, color="#4878a8", height=0.62)
        axes.vlines(after[:-1], np.array(rows[:-1]) + 0.31, np.array(rows[1:]) - 0.31, color="0.6", linewidth=0.8)
        for row, end, ratio in zip(rows, np.maximum(before, after), self.factors, strict=True):
            _note(axes, rf"$\times$ {_short(ratio)}", end, row, to_the_left=False)
        for row, value, name in ((0, self.measured, "measured"), (n + 1, self.bound, "bound")):
            axes.plot(value, row, "o", color="black", markersize=5)
            _note(axes, f"{name} {_short(value)}", value, row, to_the_left=name == "bound", weight="bold")
        axes.set_yticks([0, *rows, n + 1], ["measured on the run", *self.steps, "the statement's bound"])
        axes.invert_yaxis()
        span = max(math.log10(self.values.max() / self.measured), 0.3)
        axes.set_xlim(self.measured / 10 ** (0.05 * span), self.values.max() * 10 ** (0.17 * span))
        axes.set_xscale("log")
        if span < 3:  # decades alone would leave the axis bare
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        axes.set_xlabel("bound on the mean gradient norm after each step of the proof (logarithmic)")
        axes.set_title(f"{self.statement}: a factor of {_short(self.bound / self.measured)} from measured to bound")
        axes.grid(axis="x", color="0.9")
        axes.set_axisbelow(True)
        return figure


def theorem_2_profile(run: Trajectory) -> Profile:
    """The proof of Theorem 2 (p. 34-36 and 30-33) along a run, as printed where it is right (corrected otherwise).

    E||grad f(x_tau)||, tau uniform on 1..T, then Eqs. 69-74 (Lemma 36), Lemmas 31-33 and 4, and Lemmas 34-35 in the
    order in which the proof uses them.
    """
    R, d, beta = run.restrictions, run.d, run.restrictions.beta
    size = math.sqrt(run.G**2 + run.epsilon * d)  # bounds E sqrt ||vhat_t||_1
    front = R.C0 * size / (run.T * run.alpha[-1])
    carried = np.zeros(run.T)  # of one step's M to the next (Lemma 31)
    carried[1:] = run.beta[1:] * run.alpha[1:] / (np.sqrt(run.theta[1:]) * run.alpha[:-1])
    # how often N_i counts in sum_t M_t: sum_{t>=i} alpha_t B_(t,i)/(alpha_i sqrt Theta_(t,i)) (Eq. 50)
    counted = np.ones(run.T)
    for t in range(run.T - 2, -1, -1):
        counted[t] += carried[t + 1] * counted[t + 1]
    gap = run.f[0].mean() - run.f_star
    noise = C2_along(run) * run.G
    budget = run.logarithm * run.a[0] - run.a @ np.log(run.theta)
    final = run.logarithm * R.chi_1 + (run.alpha @ np.sqrt(1 - run.theta)) / R.theta_1

    def chain(*means: Array) -> Chain:
        norm, normalized, root, weighted, squared_step, omega, descent = means
        S, sum_M, noisy = weighted.sum(-1), descent.sum(-1), omega @ run.chi
        N = run.L * squared_step + noise * run.chi * omega

        def through(bracket: Array) -> Array:  # sum_t E||grad f(x_t)||^2_etahat <= 2/(1-beta) bracket
            return np.sqrt(front * 2 / (1 - beta) * bracket)

        return {
            "measured": norm.mean(-1),
            "Hoelder's inequality (69)": np.sqrt(normalized * root).mean(-1),
            "coordinates' step sizes (70)": np.sqrt(weighted / run.alpha * root).mean(-1),
            "E sqrt|vhat| <= sqrt(G^2 + eps d) (71)": np.sqrt(weighted / run.alpha * size).mean(-1),
            "1/alpha_t <= C0/alpha_T (73)": np.sqrt(R.C0 * size / run.alpha[-1] * weighted).mean(-1),
            "Jensen over t (74)": np.sqrt(front * S),
            "Lemma 31, unrolled (50)": through(N @ counted - sum_M),
            "its sums by C0, C1, gamma (51-52)": through(
                R.C0 / (math.sqrt(R.C1) * R.one_minus_sqrt_gamma) * N.sum(-1) - sum_M
            ),
            "Lemma 32: step lengths (53)": through(C3_along(run) * noisy - sum_M),
            "Lemma 4: descent": through(gap + C3_along(run) * noisy),
            "chi_t <= C0 a_t (62)": through(gap + C3_along(run) * R.C0 * (omega @ run.a)),
            "Lemma 34: logarithm (64)": through(gap + C3_along(run) * R.C0 * d * budget + 0 * S),
            "ln(1/theta) <= (1-theta)/theta_1 (66)": through(gap + C3_along(run) * R.C0 * d * final + 0 * S),
        }

    return _profile("Theorem 2", run, chain, *_per_step(run), run.squared_step, run.omega, run.descent)


def theorem_17_profile(run: Trajectory) -> Profile:
    """The proof of Theorem 17, corrected (p. 38-43), along a run: (1/T) sum_t E||grad f(x_t)|| to F_T.

    X = E sqrt(sum_t ||grad f(x_t)||^2); every number is a bound on X/sqrt T. ConditionError for schedules other than
    alpha_t = alpha/sqrt T, beta_t = beta, theta_t = 1 - theta/T >= 1/4.
    """
    alpha, theta = run.practical()
    d, T, s = run.d, run.T, run.workers
    A, B, noise, gain = C8_along(run), C9_along(run), C7_along(run), 2 / (1 - run.restrictions.beta)
    gap = run.f[0].mean() - run.f_star
    a2, b2 = noise_and_slope(run.sigma2, theta, d, run.epsilon, s, T)
    a, b = math.sqrt(a2), math.sqrt(b2)
    beta = run.restrictions.beta
    C = C10(noise, gap, a2, d, Practical(alpha, beta, theta))
    D = C11(noise, b2, d, beta)
    terms = np.array(four_terms(A, B, C, D))
    root_T = math.sqrt(T)
    largest = np.sqrt(run.vhat.sum(axis=-1)).max(axis=0)  # max_t sqrt ||vhat_t||_1
    divided = run.squared_gradient.sum(axis=0) / largest
    own_noise = C3_along(run)

    def chain(*means: Array) -> Chain:
        norm, X, largest, divided, weighted, omega, descent = means
        x = X / root_T

        def through(bracket: Array) -> Array:
            return np.sqrt((A + B * X) * gain * bracket) / root_T

        return {
            "measured": norm,
            "Cauchy-Schwarz over t": x,
            "Hoelder's inequality (84)": np.sqrt(largest * divided) / root_T,
            "coordinates' step sizes (84)": np.sqrt(largest * root_T / alpha * weighted) / root_T,
            "Lemma 40: E max sqrt|vhat| (83)": np.sqrt((A + B * X) * weighted) / root_T,
            "Lemma 33: noise": through(own_noise * run.chi[0] * omega - descent),
            "Lemma 39: C7, theta >= 1/4": through(noise * omega - descent),
            "Lemma 4: descent": through(gap + noise * omega),
            "Lemma 38: logarithm (80-81)": through(gap + noise * d * (theta + 2 * run.theta[0] * np.log(a + b * X))),
            "Lemma 38: ln z <= sqrt z": through((C + D * np.sqrt(X)) / gain),
            "solved for X": largest_root(A, B, C, D) / root_T + 0 * x,
            "Lemma 41: largest of four terms": terms.max() / root_T + 0 * x,
            "Lemma 41: their sum": terms.sum() / root_T + 0 * x,
        }

    return _profile(
        "Theorem 17", run, chain, np.sqrt(run.squared_gradient).mean(axis=0), run.root_of_squared_gradients, largest,
        divided, run.weighted_gradient.sum(axis=0), run.omega.sum(axis=0), run.descent.sum(axis=0),
    )  # fmt: skip


def _per_step(run: Trajectory) -> tuple[Array, Array, Array, Array]:
    """||grad f||, ||grad f||^2/sqrt||vhat||_1, sqrt||vhat||_1 and ||grad f||^2_etahat, each (T, R)."""
    root = np.sqrt(run.vhat.sum(axis=-1))
    return np.sqrt(run.squared_gradient), run.squared_gradient / root, root, run.weighted_gradient


def _profile(statement: str, run: Trajectory, chain: Callable[..., Chain], *statistics: Array) -> Profile:
    def values(*means: Array) -> Array:
        return np.stack(list(chain(*means).values()), axis=-1)

    if run.probabilities is None:
        means = [statistic.mean(axis=-1) for statistic in statistics]
        errors = jackknife(lambda *means: np.diff(np.log(values(*means)), axis=-1), *statistics)
    else:
        means = [statistic @ run.probabilities for statistic in statistics]
        errors = np.zeros(len(chain(*means)) - 1)
    return Profile(statement, tuple(chain(*means))[1:], values(*means), errors)


def _note(axes: Axes, text: str, x: float, row: int, *, to_the_left: bool, weight: str = "normal") -> None:
    side, align = (-7, "right") if to_the_left else (7, "left")
    axes.annotate(text, (x, row), (side, 0), textcoords="offset points", va="center", ha=align, weight=weight)


def _short(number: float) -> str:
    """Three digits, in the style 1.23, 456 or 7.8e5."""
    if 0.01 <= number < 9999.5:
        return f"{number:.3g}" if number < 1000 else f"{number:.0f}"
    mantissa, exponent = f"{number:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"
