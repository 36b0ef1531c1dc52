"""What is kept of a run: quantities of a step by name, whole, reduced on the way, or averaged over every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reference.checks import Array, State, integer
from reference.methods import Method
from reference.sources import Source

Reduction = Callable[[Array], Array]


_OF_THE_STEP = ("x", "m", "v", "g")
_OF_THE_PROBLEM = ("f", "gradient", "gradient_norm", "squared_gradient_norm")
_DERIVED = ("Delta", "second_moment", "vhat", "etahat")
QUANTITIES = (*_OF_THE_STEP, *_OF_THE_PROBLEM, *_DERIVED)
_NEEDS_PROBLEM = {*_OF_THE_PROBLEM, "second_moment", "vhat", "etahat"}
_NEEDS_COEFFICIENTS = {"vhat": ("theta",), "etahat": ("alpha", "theta")}
_NEEDS_GRADIENT = {"gradient", "gradient_norm", "squared_gradient_norm"}
_NEEDS_X = {"x", "Delta", "second_moment", "vhat", "etahat"}
_NEEDS_V_BEFORE = {"vhat", "etahat"}


class Wanted:
    """What of a step has to be evaluated or copied before it, for the quantities named."""

    def __init__(self, names: Set[str]):
        self.f, self.g = "f" in names, "g" in names
        self.norm = not names.isdisjoint(("gradient_norm", "squared_gradient_norm"))
        self.problem = self.f or not names.isdisjoint(_NEEDS_GRADIENT)
        self.x = not names.isdisjoint(_NEEDS_X)
        self.v_before = not names.isdisjoint(_NEEDS_V_BEFORE)


_EVERYTHING = Wanted(set(QUANTITIES))


class Step:
    """One step t, seen whole: x_t and v_{t-1} before it, g_t, and m_t, v_t, x_{t+1} after it.

    Every attribute below but t, source and v_before may be recorded. Those with an expectation are exact, from the
    problem's own formulas (pages of Chen et al. 2022).

    Attributes
    ----------
    x : array (..., d)
        x_t.
    g : array (..., d)
        g_t.
    f : array (...)
        f(x_t).
    gradient : array (..., d)
        grad f(x_t), the full gradient.
    squared_gradient_norm : array (...)
        ||grad f(x_t)||^2.
    v_before : array (..., d)
        v_{t-1}.
    """

    x: Array
    g: Array
    f: Array
    gradient: Array | None = None
    squared_gradient_norm: Array
    v_before: Array

    def __init__(self, source: Source, state: State, wanted: Wanted | None = None):
        """Before the step, which overwrites x_t and v_{t-1}: evaluates or copies what is wanted of them."""
        wanted = _EVERYTHING if wanted is None else wanted
        self.source, self.t, self.wanted = source, state.t + 1, wanted
        x = state.x
        if wanted.problem:
            problem = source.problem
            assert problem is not None  # Recorder.require has seen to it
            if wanted.f:
                self.f, self.gradient = problem.value_and_gradient(x)
            else:
                self.gradient = problem.gradient(x)
            if wanted.norm:
                # a sum of squares row by row, and not a matrix product: bits do not depend on the number of replicas
                self.squared_gradient_norm = np.add.reduce(np.square(self.gradient), -1)
        if wanted.x:
            self.x = x.copy()
        if wanted.v_before:
            self.v_before = state.v.copy()

    def complete(self, g: Array, state: State, stretch: Mapping[str, NDArray], index: int) -> None:
        """After the step: the stretch of coefficients by name, and where in it this step's are."""
        self.g, self.state, self.stretch, self.index = g, state, stretch, index

    def coefficient(self, name: str) -> Array:
        """alpha_t, beta_t or theta_t, float64, shaped to meet x."""
        return np.asarray(self.stretch[name][self.index])[..., None]

    @property
    def gradient_norm(self) -> Array:
        """||grad f(x_t)||"""
        return np.sqrt(self.squared_gradient_norm)

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
        theta = self.coefficient("theta")
        return theta * self.v_before + (1 - theta) * self.second_moment

    @property
    def etahat(self) -> Array:
        """eta-hat_t = alpha_t / sqrt(v-hat_t) (sec. 3.1, p. 9)."""
        return self.coefficient("alpha") / np.sqrt(self.vhat)


@dataclass
class Recorder:
    """What is kept of a run: the caller's choice, whole or reduced on the way.

    Parameters
    ----------
    record : sequence or mapping
        Names from QUANTITIES, or a mapping from a name to a reduction of that quantity (a function of the array at one
        step: a mean over replicas, quantiles, a slice) or to None for the whole.
    every : int
        Record the steps t with (t - 1) % every == 0.
    average : sequence
        Names whose plain average over every t is kept, as a running sum.

    Attributes
    ----------
    history : dict
        "t" holds the recorded steps, every other name one entry a recorded step along the first axis.
    averages : dict
        The averages by name.

    Raises
    ------
    TypeError, ValueError
        For names that are none, and for `every` that is no positive integer.
    """

    record: Sequence[str] | Mapping[str, Reduction | None] = ()
    every: int = 1
    average: Sequence[str] = ()
    steps: list[int] = field(default_factory=list)
    entries: dict[str, list[Array]] = field(default_factory=dict)
    sums: dict[str, Array] = field(default_factory=dict)
    summed: int = 0
    reductions: dict[str, Reduction | None] = field(init=False)

    def __post_init__(self) -> None:
        if isinstance(self.record, str) or isinstance(self.average, str):
            raise TypeError("record and average must be lists of names, such as ['f']; got one string")
        self.reductions = dict(self.record) if isinstance(self.record, Mapping) else dict.fromkeys(self.record)
        self.average = tuple(dict.fromkeys(self.average))  # a name given twice counts once
        for name in (*self.reductions, *self.average):
            if name not in QUANTITIES:
                raise ValueError(f"a recorded quantity must be one of {', '.join(QUANTITIES)}; got {name!r}")
        self.every = integer("every", self.every, 1)
        for name in self.reductions:
            self.entries.setdefault(name, [])
        self._wanted_always = Wanted(set(self.average))
        self._wanted_when_recorded = Wanted({*self.average, *self.reductions})

    def require(self, source: Source, method: Method) -> None:
        """ValueError where the source or the method cannot give what is asked for."""
        names = {*self.reductions, *self.average}
        if source.problem is None and (wanted := _NEEDS_PROBLEM & names):
            raise ValueError(f"cannot record {', '.join(sorted(wanted))}: the source names no problem")
        for name in sorted(names & _NEEDS_COEFFICIENTS.keys()):
            for coefficient in _NEEDS_COEFFICIENTS[name]:
                if coefficient not in method.coefficients:
                    raise ValueError(f"cannot record {name}: the method {method.name} reads no {coefficient}_t")

    def before(self, source: Source, state: State) -> Step | None:
        """Keeps what step t = state.t + 1 is about to overwrite; None where nothing of it is asked for."""
        if self.reductions and state.t % self.every == 0:
            return Step(source, state, self._wanted_when_recorded)
        return Step(source, state, self._wanted_always) if self.average else None

    def after(self, step: Step) -> None:
        """Records a step that is complete."""
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
        """Goes on from what `arrays` gave."""
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


__all__ = ["QUANTITIES", "Recorder", "Reduction", "Step"]
