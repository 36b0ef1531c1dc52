"""The loop, once: Algorithms 1, 2 and 3 with their moments on record.

    for t = 1..T:  g_t = source(x_t, t);  state = step(state, g_t, alpha_t, beta_t, theta_t);  record

`iterate` is the loop, a generator for callers that act between steps; `run` is the loop from start to end.
Arrays are (..., d): with x_1 of shape (R, d) R replicas advance together, with (C, R, d) and a family whose
parameters have shape (C, 1) so do C configurations, on the same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike

from reference.adam import AdamState
from reference.checks import Array, NonFiniteError, State, check_state, checked_gradient, integer
from reference.coefficients import for_steps
from reference.families import Family
from reference.methods import ADAM, Method
from reference.recorder import QUANTITIES, Recorder, Reduction, Step
from reference.sources import Source, as_source

if TYPE_CHECKING:
    import pandas

_STEPS_AT_A_TIME = 4096  # schedule values evaluated together
# glibc returns the memory of freed arrays to the system, and every step faults its pages in again, until the process
# has freed one block as large as this; from then on it keeps up to twice as much (mallopt(3), M_MMAP_THRESHOLD).
_FREED_ONCE = 2**24  # bytes; the threshold follows blocks of up to 32 MB


def iterate(
    source: Source | Callable[[Array, int], Array],
    state: Any,
    family: Family,
    steps: int,
    *,
    recorder: Recorder | None = None,
    projection: Callable[[Array], Array] | None = None,
    method: Method = ADAM,
) -> Iterator[Any]:
    """Algorithms 1, 2 and 3 (pp. 4, 14, 17): steps state.t + 1 .. steps; yields the state after each.

    Parameters
    ----------
    source : Source or callable
        g_t = source(x_t, t); see `reference.sources`. A function (x, t) -> g will do.
    state : the method's state
        From the method's `initial_state`. Adam's step works in place, so the arrays of a yielded state change with the
        next step: copy what is to be kept, and write into none.
    family : Family
        The sequences; a value out of its range (R1, R2, p. 7) is a ValueError that names t.
    steps : int
        T.
    recorder : Recorder, optional
        What to record.
    projection : callable, optional
        Applied to x_{t+1}; returns an array of its shape. Outside Algorithm 1, and outside every theorem.
    method : Method
        One of `reference.METHODS`, or your own.

    Yields
    ------
    the method's state

    Raises
    ------
    NonFiniteError
        For a gradient that is not finite, naming step, worker and first bad coordinate; the state is then the one
        before that step.
    TypeError, ValueError
        For arguments that do not fit each other, before the first step.
    """
    source, recorder = as_source(source), recorder or Recorder()
    _check(source, state, family, steps, method)
    recorder.require(source, method)
    return _steps(source, state, family, steps, recorder, projection, method)


def _check(source: Source, state: State, family: Family, steps: int, method: Method) -> None:
    """What every run must satisfy."""
    if not isinstance(method, Method):
        raise TypeError(f"method must be a Method, such as reference.METHODS['sgd']; got {method!r}")
    if not isinstance(family, Family):
        raise TypeError(f"family must be a Family, such as families.constant(0.1, 0.9, 0.99); got {family!r}")
    integer("steps", steps, 0)
    check_state(state)
    if steps < state.t:
        raise ValueError(f"steps must be at least {state.t}, which the state has already taken; got {steps}")
    if family.horizon is not None and steps > family.horizon:
        raise ValueError(
            f"the family {family.name!r} was made for T = {family.horizon} steps; "
            f"it must not be run for {steps}, so make it anew with T = {steps}"
        )
    family.require(method.coefficients, method.name)
    problem = source.problem
    if problem is not None and problem.dimension != state.x.shape[-1]:
        raise ValueError(
            f"x_1 must have the dimension of the problem {problem.name}, d = {problem.dimension}; "
            f"got shape {state.x.shape}"
        )


def _steps(
    source: Source,
    state: Any,
    family: Family,
    steps: int,
    recorder: Recorder,
    projection: Callable[[Array], Array] | None,
    method: Method,
) -> Iterator[Any]:
    """The loop of `iterate`, on what it has checked."""
    np.empty(_FREED_ONCE, np.uint8)  # never touched, so it costs nothing
    update = method.in_place(state) if method.in_place else method.update
    names = method.coefficients
    for first in range(state.t + 1, steps + 1, _STEPS_AT_A_TIME):
        chunk = np.arange(first, min(first + _STEPS_AT_A_TIME, steps + 1))
        stretch = dict(zip(names, family.at(chunk, names, method.name), strict=True))
        for index, coefficients in enumerate(for_steps(state.x, stretch)):
            record = recorder.before(source, state)
            g = source(state.x, state.t + 1, None if record is None else record.gradient)
            try:
                g = checked_gradient(state, g)
            except NonFiniteError as error:
                raise source.locate(state.x, error.step) or error from None
            # a source may give an array of the state, into which the step writes
            given = g.copy() if record is not None and record.wanted.g else g
            state = update(state, g, *coefficients)
            if projection is not None:
                state.x[...] = projection(state.x)
            if record is not None:
                record.complete(given, state, stretch, index)
                recorder.after(record)
            del g, given, record  # the next step's arrays take their memory, still in cache
            yield state


class Recording(TypedDict, total=False):
    """What `Recorder` takes, where it is handed through."""

    record: Sequence[str] | Mapping[str, Reduction | None]
    every: int
    average: Sequence[str]


@dataclass(frozen=True)
class Run:
    """A run from start to end.

    Attributes
    ----------
    state : the method's state
        The last one.
    history : dict
        Recorded quantities by name, one entry a recorded step along the first axis, and "t".
    averages : dict
        Averages over every t, by name.
    """

    state: Any
    history: dict[str, Array]
    averages: dict[str, Array]

    def frame(self) -> pandas.DataFrame:
        """The history as a pandas frame, one row a recorded step; with replicas one row a step and replica.

        The index is t, or t and the replica (of configurations (C, R): t, "axis 0" and the replica). A quantity with
        coordinates becomes a column for each, "x[0]", "x[1]", ...; what has been reduced to one number a step stands
        in every replica's row.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            Where pandas is not installed.
        ValueError
            For a quantity that was reduced to another shape.
        """
        try:
            import pandas
        except ImportError:
            raise ImportError("Run.frame needs pandas, which is not installed here: pip install pandas") from None
        lead = self.state.x.shape[:-1]
        rows = (len(self.history["t"]), *lead)
        axes = [f"axis {axis}" for axis in range(len(lead) - 1)] + ["replica"] if lead else []
        columns = {}
        for name, entries in self.history.items():
            shape = entries.shape[1:]
            if name == "t":
                continue
            if shape == lead:
                columns[name] = entries.ravel()
            elif shape == ():
                columns[name] = np.broadcast_to(entries.reshape(-1, *(1,) * len(lead)), rows).ravel()
            elif shape[:-1] == lead:
                columns |= {f"{name}[{k}]": entries[..., k].ravel() for k in range(shape[-1])}
            else:
                raise ValueError(
                    f"{name} must have one number or one row a replica, {lead} or {lead} and d; got {shape}"
                )
        if lead:
            levels = [self.history["t"], *(range(n) for n in lead)]
            return pandas.DataFrame(columns, index=pandas.MultiIndex.from_product(levels, names=["t", *axes]))
        return pandas.DataFrame(columns, index=pandas.Index(self.history["t"], name="t"))


def run(
    source: Source | Callable[[Array, int], Array],
    x1: ArrayLike,
    family: Family,
    steps: int,
    *,
    epsilon: ArrayLike,
    projection: Callable[[Array], Array] | None = None,
    method: Method = ADAM,
    **recording: Unpack[Recording],
) -> Run:
    """x_1, v_0 = epsilon and T = steps to the end; see `iterate`.

    Parameters
    ----------
    source, family, steps, projection, method
        As `iterate` takes them.
    x1 : array (..., d)
        The starting point.
    epsilon : scalar or array
        v_0 > 0.
    **recording
        record, every, average: as `Recorder` takes them.

    Returns
    -------
    Run

    Raises
    ------
    NonFiniteError, TypeError, ValueError
        As `iterate` does.

    Examples
    --------
    >>> from reference import MeanOfWorkers, families, problems
    >>> bump = problems.Bump(dimension=3)
    >>> result = run(MeanOfWorkers(bump, seed=0), bump.start, families.practical(100, 1, 0.9, 1), 100,
    ...              epsilon=1/3, record=["f"], average=["gradient_norm"])
    >>> bool(result.history["f"][-1] < result.history["f"][0]), result.state.t
    (True, 100)
    """
    if not isinstance(method, Method):
        raise TypeError(f"method must be a Method, such as reference.METHODS['sgd']; got {method!r}")
    recorder, source = Recorder(**recording), as_source(source)
    last = method.initial_state(x1, epsilon)
    for state in iterate(source, last, family, steps, recorder=recorder, projection=projection, method=method):
        last = state
    return Run(last, recorder.history, recorder.averages)


__all__ = ["QUANTITIES", "AdamState", "Recorder", "Recording", "Reduction", "Run", "Step", "iterate", "run"]
