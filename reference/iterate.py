"""The loop, once: Algorithms 1, 2 and 3 with their moments on record.

    for t = 1..T:  g_t = source(x_t, t);  state = step(state, g_t, alpha_t, beta_t, theta_t);  record

`iterate` is the loop, a generator for callers that act between steps; `run` is the loop from start to end.
Arrays are (..., d): with x_1 of shape (R, d) R replicas advance together, with (C, R, d) and a family whose
parameters have shape (C, 1) so do C configurations, on the same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reference.adam import (
    AdamState,
    Array,
    NonFiniteError,
    adam_step_in_place,
    initial_state,
    scratch_for,
)
from reference.families import Family
from reference.sources import MeanOfWorkers, Source

_STEPS_AT_A_TIME = 4096  # schedule values evaluated together
# glibc returns the memory of freed arrays to the system, and every step faults its pages in again, until the process
# has freed one block as large as this; from then on it keeps up to twice as much (mallopt(3), M_MMAP_THRESHOLD).
_FREED_ONCE = 2**24  # bytes; the threshold follows blocks of up to 32 MB
Reduction = Callable[[Array], Array]


QUANTITIES = (
    "x", "m", "v", "g", "f", "gradient", "gradient_norm", "Delta", "second_moment", "vhat", "etahat",
)  # fmt: skip
_NEEDS_PROBLEM = {"f", "gradient", "gradient_norm", "second_moment", "vhat", "etahat"}
_NEEDS_X = {"x", "Delta", "second_moment", "vhat", "etahat"}
_NEEDS_V_BEFORE = {"vhat", "etahat"}


class Step:
    """One step t, seen whole: x_t and v_{t-1} before it, g_t, and m_t, v_t, x_{t+1} after it.

    Every attribute below may be recorded. Those with an expectation are exact, from the problem's own formulas.
    """

    source: Any
    x: Array  # x_t
    g: Array  # g_t
    f: Array  # f(x_t), without the last axis
    gradient: Any = None  # grad f(x_t), the full gradient
    gradient_norm: Array  # ||grad f(x_t)||, without the last axis
    v_before: Array  # v_{t-1}

    def __init__(self, source: Source, t: int, x: Array, v: Array, wanted: Set[str] = frozenset(QUANTITIES)):
        """Before the step, which overwrites x_t and v_{t-1}: evaluates or copies what is wanted of them."""
        self.source, self.t = source, t
        if "f" in wanted:
            self.f, self.gradient = self.source.problem.value_and_gradient(x)
        elif not wanted.isdisjoint(("gradient", "gradient_norm")):
            self.gradient = self.source.problem.gradient(x)
        if "gradient_norm" in wanted:
            # a sum of squares row by row, and not a matrix product: bits do not depend on the number of replicas
            self.gradient_norm = np.sqrt(np.add.reduce(np.square(self.gradient), axis=-1))
        if not wanted.isdisjoint(_NEEDS_X):
            self.x = x.copy()
        if not wanted.isdisjoint(_NEEDS_V_BEFORE):
            self.v_before = v.copy()

    def sample(self, x: Array) -> Array:
        """g_t = source(x_t, t), told grad f(x_t) where it has been evaluated for the record."""
        if type(self.source) is MeanOfWorkers:
            return self.source(x, self.t, self.gradient)
        return self.source(x, self.t)

    def complete(self, g: Array, state: Any, alpha: Array, theta: Array) -> None:
        """After the step."""
        self.g, self.state, self.alpha, self.theta = g, state, alpha, theta

    @property
    def m(self) -> Array:
        """m_t"""
        return self.state.m

    @property
    def v(self) -> Array:
        """v_t"""
        return self.state.v

    @property
    def Delta(self) -> Array:
        """Delta_t = x_{t+1} - x_t (after a projection, where there is one)."""
        return self.state.x - self.x

    @cached_property
    def second_moment(self) -> Array:
        """delta_t^2 = E_t g_t^2, per coordinate (p. 9)."""
        return self.source.second_moment(self.x)

    @property
    def vhat(self) -> Array:
        """v-hat_t = theta_t v_{t-1} + (1 - theta_t) delta_t^2 (sec. 3.1, p. 9; not a bias correction)."""
        theta = np.asarray(self.theta, np.float64)[..., None]
        return theta * self.v_before + (1 - theta) * self.second_moment

    @property
    def etahat(self) -> Array:
        """eta-hat_t = alpha_t / sqrt(v-hat_t) (sec. 3.1, p. 9)."""
        return np.asarray(self.alpha, np.float64)[..., None] / np.sqrt(self.vhat)


@dataclass
class Recorder:
    """What is kept of a run: the caller's choice, whole or reduced on the way.

    Parameters
    ----------
    record : names from QUANTITIES, or a mapping from a name to a reduction of that quantity (a function of the array
        at one step: a mean over replicas, quantiles, a slice) or to None for the whole.
    every : record the steps t with (t - 1) % every == 0.
    average : names whose plain average over every t is kept, as a running sum.

    history["t"] holds the recorded steps, history[name] one entry a recorded step along the first axis.
    """

    record: Sequence[str] | Mapping[str, Reduction | None] = ()
    every: int = 1
    average: Sequence[str] = ()
    steps: list[int] = field(default_factory=list)
    entries: dict[str, list[Array]] = field(default_factory=dict)
    sums: dict[str, Array] = field(default_factory=dict)
    summed: int = 0
    reductions: dict[str, Reduction | None] = field(init=False)

    def __post_init__(self):
        if isinstance(self.record, str) or isinstance(self.average, str):
            raise TypeError("record and average take a list of names, not one string")
        self.reductions = dict(self.record) if isinstance(self.record, Mapping) else dict.fromkeys(self.record)
        self.average = tuple(dict.fromkeys(self.average))  # a name given twice counts once
        for name in (*self.reductions, *self.average):
            if name not in QUANTITIES:
                raise ValueError(f"unknown quantity {name!r}; allowed are {', '.join(QUANTITIES)}")
        if not self.every >= 1:
            raise ValueError(f"every = {self.every}; at least 1")
        for name in self.reductions:
            self.entries.setdefault(name, [])
        self._wanted_always = frozenset(self.average)
        self._wanted_when_recorded = self._wanted_always | set(self.reductions)

    def require_problem(self, source: Source) -> None:
        wanted = _NEEDS_PROBLEM.intersection((*self.reductions, *self.average))
        if wanted and not hasattr(source, "problem"):
            raise ValueError(f"cannot record {', '.join(sorted(wanted))}: the source names no problem")

    def before(self, source: Source, state: Any, t: int) -> Step | None:
        """Keeps what the step is about to overwrite; None where nothing of step t is asked for."""
        recorded = bool(self.reductions) and (t - 1) % self.every == 0
        if not (recorded or self.average):
            return None
        wanted = self._wanted_when_recorded if recorded else self._wanted_always
        return Step(source, t, state.x, state.v, wanted)

    def after(self, step: Step) -> None:
        if self.reductions and (step.t - 1) % self.every == 0:
            self.steps.append(step.t)
            for name, reduction in self.reductions.items():
                value = getattr(step, name)
                self.entries[name].append(np.array(value if reduction is None else reduction(value)))
        for name in self.average:
            value = getattr(step, name)
            self.sums[name] = self.sums[name] + value if name in self.sums else np.array(value, np.float64)
        self.summed += 1

    @property
    def arrays(self) -> dict[str, Array]:
        """All that is kept so far, for a checkpoint; `restore` takes it back."""
        kept = {f"history.{name}": array for name, array in self.history.items()}
        return kept | {f"sum.{name}": total for name, total in self.sums.items()} | {"summed": np.array(self.summed)}

    def restore(self, arrays: Mapping[str, Array]) -> None:
        self.steps = arrays["history.t"].tolist()
        self.entries = {name: list(arrays[f"history.{name}"]) for name in self.entries}
        self.sums = {name: arrays[f"sum.{name}"] for name in self.average if f"sum.{name}" in arrays}  # none at t = 0
        self.summed = int(arrays["summed"])

    @property
    def history(self) -> dict[str, Array]:
        return {"t": np.array(self.steps, np.int64)} | {name: np.array(kept) for name, kept in self.entries.items()}

    @property
    def averages(self) -> dict[str, Array]:
        return {name: total / self.summed for name, total in self.sums.items()}


def iterate(
    source: Source,
    state: Any,
    family: Family,
    steps: int,
    *,
    recorder: Recorder | None = None,
    projection: Callable[[Array], Array] | None = None,
    step: Callable[..., Any] | None = None,
) -> Iterator[Any]:
    """Steps state.t + 1 .. steps; yields the state after each.

    Parameters
    ----------
    source : g_t = source(x_t, t); see `reference.sources`. Any callable will do.
    state : from `initial_state` (or a baseline's). Adam's own step works in place, so the arrays of a yielded state
        change with the next step: copy what is to be kept.
    family : the sequences; a value out of its range (R1, R2, p. 7) is a ValueError that names t.
    steps : T.
    recorder : what to record.
    projection : applied to x_{t+1}; returns an array of its shape. Outside Algorithm 1, and outside every theorem.
    step : another method's step (`reference.baselines`) in place of Adam's.

    Raises NonFiniteError for a gradient that is not finite, naming step, worker and first bad coordinate; the state
    is then the one before that step.
    """
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer):
        raise TypeError(f"steps = {steps!r}; allowed is an integer")
    if steps < state.t:
        raise ValueError(f"steps = {steps}; the state has already taken {state.t}")
    recorder = recorder or Recorder()
    recorder.require_problem(source)
    np.empty(_FREED_ONCE, np.uint8)  # never touched, so it costs nothing
    options = {} if step else {"scratch": scratch_for(state.x)}
    take = step or adam_step_in_place
    for first in range(state.t + 1, steps + 1, _STEPS_AT_A_TIME):
        chunk = np.arange(first, min(first + _STEPS_AT_A_TIME, steps + 1))
        values = (v.tolist() if v.ndim == 1 else v for v in family.at(chunk))  # Python's floats are the faster ones
        for t, alpha, beta, theta in zip(chunk.tolist(), *values, strict=True):
            record = recorder.before(source, state, t)
            g = source(state.x, t) if record is None else record.sample(state.x)
            try:
                state = take(state, g, alpha, beta, theta, **options)
            except NonFiniteError as error:
                raise _located(source, state.x, t) or error from None
            if projection is not None:
                state.x[...] = projection(state.x)
            if record is not None:
                record.complete(g, state, alpha, theta)
                recorder.after(record)
            del g, record  # the next step's arrays take their memory, still in cache
            yield state


def _located(source: Source, x: Array, t: int) -> NonFiniteError | None:
    return source.locate(x, t) if hasattr(source, "locate") else None


@dataclass(frozen=True)
class Run:
    """state: the last one. history: recorded quantities by name, and "t". averages: over every t, by name."""

    state: Any
    history: dict[str, Array]
    averages: dict[str, Array]


def run(
    source: Source,
    x1: ArrayLike,
    family: Family,
    steps: int,
    *,
    epsilon: ArrayLike,
    record: Sequence[str] | Mapping[str, Reduction | None] = (),
    every: int = 1,
    average: Sequence[str] = (),
    projection: Callable[[Array], Array] | None = None,
    method: tuple[Callable[..., Any], Callable[..., Any]] | None = None,
) -> Run:
    """x_1, v_0 = epsilon and T = steps to the end; see `iterate` and `Recorder` for the rest.

    method : a pair (initial_state, step) of `reference.baselines.METHODS`; Adam where it is None.

    >>> from reference import MeanOfWorkers, families, problems
    >>> bump = problems.Bump(dimension=3)
    >>> result = run(MeanOfWorkers(bump, seed=0), bump.start, families.practical(100, 1, 0.9, 1), 100,
    ...              epsilon=1/3, record=["f"], average=["gradient_norm"])
    >>> bool(result.history["f"][-1] < result.history["f"][0]), result.state.t
    (True, 100)
    """
    start, step = method or (initial_state, None)
    state = start(x1, epsilon)
    recorder = Recorder(record, every, average)
    last = state
    for last in iterate(source, state, family, steps, recorder=recorder, projection=projection, step=step):  # noqa: B007
        pass
    return Run(last, recorder.history, recorder.averages)


__all__ = ["QUANTITIES", "AdamState", "Recorder", "Run", "Step", "iterate", "run"]
