"""Many replicas and configurations of a run at once: one array through the one loop, and what is measured on it.

x is (..., R, d): R replicas on the last leading axis, configurations before it, all advancing together through
`reference.iterate`. A replica is an index into the draws of (seed, t, worker), so the first 100 of 1,000 replicas are
the replicas of a run of 100. Replicas that would leave the cache run block after block, each a multiple of 256.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from reference import checkpoint
from reference.checks import integer
from reference.families import Family
from reference.files import UNREADABLE, npz_bytes, write_bytes, write_json
from reference.iterate import Recorder, Recording, Reduction, iterate
from reference.methods import ADAM, Method
from reference.problems import Problem
from reference.sampling import REPLICAS_PER_BLOCK
from reference.sources import MeanOfWorkers

log = logging.getLogger(__name__)

QUANTILES = (0.1, 0.5, 0.9)
_SECONDS_BETWEEN_CHECKPOINTS = 10.0
_ENTRIES_AT_A_TIME = 2**15  # of x: its five arrays, 256 kB each, stay in a core's cache


_WITHOUT_COORDINATES = ("f", "gradient_norm", "squared_gradient_norm")


@dataclass(frozen=True)
class Sample:
    """One number a replica.

    Attributes
    ----------
    values : float64 array (..., R)
        R >= 2 replicas; axes before them are configurations, recorded steps first where there are any.
    """

    values: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Over replicas, shape (...)."""
        return self.values.mean(axis=-1)

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """Of the mean: the replicas' standard deviation (R - 1 in the denominator) over sqrt R, shape (...)."""
        return self.values.std(axis=-1, ddof=1) / np.sqrt(self.values.shape[-1])

    def quantile(self, q: float | Sequence[float]) -> NDArray[np.float64]:
        """Of the replicas, at each q in [0, 1], shape (*q.shape, ...)."""
        return np.quantile(self.values, q, axis=-1)


@dataclass(frozen=True)
class Measured:
    """What a simulation measured.

    Attributes
    ----------
    description : dict
        What was run, as in results.json.
    t : int64 array (times,)
        The recorded steps.
    history : dict
        Name -> Sample (times, ..., R).
    averages : dict
        Name -> Sample (..., R), averages over every t = 1..T.
    x : float64 array (..., R, d)
        x_{T+1}.
    """

    description: dict[str, Any]
    t: NDArray[np.int64]
    history: dict[str, Sample]
    averages: dict[str, Sample]
    x: NDArray[np.float64]

    @classmethod
    def load(cls, folder: Path) -> Measured:
        """From results.npz and results.json; ValueError in one line where they cannot be read."""
        try:
            with np.load(folder / "results.npz", allow_pickle=False) as stored:
                arrays = dict(stored)
            return cls.of(dict(json.loads((folder / "results.json").read_text())["description"]), arrays)
        except UNREADABLE as error:
            raise ValueError(f"{folder} holds no results of a simulation: {error}") from None

    @classmethod
    def of(cls, description: dict[str, Any], arrays: Mapping[str, NDArray]) -> Measured:
        """From the arrays of results.npz."""

        def samples(kind: str) -> dict[str, Sample]:
            return {
                key.removeprefix(kind): Sample(values)
                for key, values in arrays.items()
                if key.startswith(kind) and key != "history.t"
            }

        return cls(description, arrays["history.t"], samples("history."), samples("average."), arrays["x"])

    def save(self, folder: Path) -> None:
        """Writes results.npz and results.json."""
        arrays = {"history.t": self.t, "x": self.x}
        arrays |= {f"history.{name}": sample.values for name, sample in self.history.items()}
        arrays |= {f"average.{name}": sample.values for name, sample in self.averages.items()}
        write_bytes(folder / "results.npz", npz_bytes(arrays))
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is null
            summary = {
                name: {
                    "mean": _closed(sample.mean),
                    "standard_error": _closed(sample.standard_error),
                    "quantiles": {str(q): _closed(sample.quantile(q)) for q in QUANTILES},
                }
                for name, sample in self.averages.items()
            }
        write_json(folder / "results.json", {"description": self.description, "averages": summary})


class Options(Recording, total=False):
    """What `simulate` takes besides what is run."""

    method: Method
    folder: Path | None
    label: str | None


def simulate(
    problem: Problem,
    family: Family,
    steps: int,
    replicas: int,
    *,
    epsilon: ArrayLike,
    workers: int = 1,
    seed: int = 0,
    **options: Unpack[Options],
) -> Measured:
    """R = replicas runs of T = steps steps from the problem's x_1, for every configuration of the family.

    Parameters
    ----------
    problem : Problem
        Projected onto its interval where it has one (outside Algorithm 1).
    family : Family
        Parameters of shape (C, 1) are C configurations, which share the draws; scalars are one.
    steps : int
        T >= 1.
    replicas : int
        R >= 2, for a standard error.
    epsilon : array_like
        v_0, a number, or an array that broadcasts to (C, R, d).
    workers, seed : int
        As `MeanOfWorkers` takes them.
    **options
        record, every, average: as `Recorder` takes them; what is recorded is one number a replica, (..., R), so a
        quantity with coordinates needs a reduction over them. By default nothing is recorded and the gradient's norm
        is averaged.
        method: one of `reference.METHODS`, or your own; Adam by default.
        folder: where results.npz and results.json go. A simulation that was interrupted goes on from the checkpoint
        there, at most 10 seconds old, to the same bits; a finished one is read.
        label: names the progress bar, which shows on a terminal.

    Returns
    -------
    Measured

    Raises
    ------
    ValueError
        Also where the folder holds another simulation: one with another problem (by its name, parameters and start),
        schedule, seed or any other number.

    Examples
    --------
    >>> from reference import families, problems
    >>> bump = problems.Bump(dimension=3, noise=problems.Gaussian(1.0))
    >>> measured = simulate(bump, families.practical(100, 1, 0.9, 1), 100, replicas=32, epsilon=1/3)
    >>> measured.averages["gradient_norm"].values.shape
    (32,)
    """
    plan = _Plan(problem, family, steps, replicas, np.asarray(epsilon, np.float64), workers, seed, **options)
    found = plan.finished()
    if found is not None:
        return found
    measured = Measured.of(plan.description, _run(plan, plan.interrupted()))
    if plan.folder is not None:
        measured.save(plan.folder)
        shutil.rmtree(plan.folder / "checkpoint", ignore_errors=True)
    return measured


@dataclass(frozen=True)
class _Plan:
    """What is to be simulated, checked: how it is cut into blocks of replicas, and how a folder knows it."""

    problem: Problem
    family: Family
    steps: int
    replicas: int
    epsilon: NDArray[np.float64]
    workers: int
    seed: int
    record: Sequence[str] | Mapping[str, Reduction | None] = ()
    every: int = 1
    average: Sequence[str] = ("gradient_norm",)
    method: Method = ADAM
    folder: Path | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        integer("steps", self.steps, 1)
        integer("replicas", self.replicas, 2, "for a standard error")
        if self._shape and self._shape[-1] != 1:
            raise ValueError(
                f"the family's parameters must have shape (C, 1), as the last axis is replicas; got {self._shape}"
            )
        self.recorder()  # refuses what cannot be recorded before any folder is made

    @cached_property
    def _shape(self) -> tuple[int, ...]:
        first = self.family.at(1, self.method.coefficients, self.method.name)
        return np.broadcast_shapes(*(np.shape(value) for value in first))

    @property
    def lead(self) -> tuple[int, ...]:
        """The configurations' axes."""
        return self._shape[:-1]

    @property
    def at_a_time(self) -> int:
        """Replicas in a block, a multiple of 256."""
        entries = REPLICAS_PER_BLOCK * self.problem.dimension * int(np.prod(self.lead))
        return REPLICAS_PER_BLOCK * max(1, _ENTRIES_AT_A_TIME // entries)

    @property
    def blocks(self) -> list[range]:
        """The replicas of each block."""
        size = self.at_a_time
        return [range(first, min(first + size, self.replicas)) for first in range(0, self.replicas, size)]

    @cached_property
    def description(self) -> dict[str, Any]:
        """What tells this simulation from every other one, for JSON."""
        recorded = self.recorder().reductions
        return {
            "problem": self.problem.description,
            "dimension": self.problem.dimension,
            "local_batch": self.problem.local_batch,
            "family": self.family.name,
            "method": self.method.name,
            "configurations": list(self.lead),
            "steps": int(self.steps),
            "replicas": int(self.replicas),
            "replicas at a time": self.at_a_time,
            "workers": int(self.workers),
            "seed": int(self.seed),
            "recorded": list(recorded),
            "every": int(self.every),
            "averaged": list(self.average),
            "sha256": {  # of what the words above leave open
                "epsilon": checkpoint.sha256(self.epsilon),
                "reductions": [self._reduced(name, reduction) for name, reduction in recorded.items()],
                "schedule": checkpoint.sha256(np.concatenate([np.ravel(values) for values in self._schedule()])),
            },
        }

    def _reduced(self, name: str, reduction: Reduction | None) -> str | None:
        """Of what a reduction makes of an array made up for it: functions have no other name."""
        shape = (*self.lead, 2, *(() if name in _WITHOUT_COORDINATES else (self.problem.dimension,)))
        made_up = 1 / (1 + np.arange(np.prod(shape))).reshape(shape)
        return None if reduction is None else checkpoint.sha256(np.asarray(reduction(made_up), np.float64))

    def _schedule(self) -> Sequence[ArrayLike]:
        some = np.unique(np.geomspace(1, self.steps, 1000).astype(np.int64))
        return self.family.at(some, self.method.coefficients)

    def recorder(self) -> Recorder:
        """A new one."""
        return Recorder(self.record, self.every, self.average)

    def start(self, block: range) -> tuple[MeanOfWorkers, Any]:
        """The source and the first state of a block's replicas."""
        source = MeanOfWorkers(self.problem, self.seed, self.workers, first_replica=block.start)
        x1 = np.broadcast_to(self.problem.start, (*self.lead, len(block), self.problem.dimension))
        return source, self.method.initial_state(x1, self.epsilon)

    def finished(self) -> Measured | None:
        """The results in the folder, where it holds them. Makes the folder."""
        if self.folder is None:
            return None
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "results.json").exists():
            return None
        found = Measured.load(self.folder)
        self._require_same(found.description)
        return found

    def interrupted(self) -> dict[str, NDArray]:
        """The arrays of the folder's checkpoint; none where there is none."""
        if self.folder is None or not (self.folder / "checkpoint" / "manifest.json").exists():
            return {}
        saved, manifest = checkpoint.load(self.folder / "checkpoint")
        self._require_same(manifest["options"])
        return saved

    def _require_same(self, found: dict[str, Any]) -> None:
        differ = [key for key, wanted in self.description.items() if wanted != found.get(key)]
        if differ:
            raise ValueError(f"{self.folder} holds another simulation: {', '.join(differ)} differ; take another folder")


def _run(plan: _Plan, saved: dict[str, NDArray]) -> dict[str, NDArray]:
    """All replicas' arrays, block after block, from where `saved` left off."""
    finished = _unpacked(saved, "finished.")
    first_block = int(saved.get("block", 0))
    done = first_block * plan.steps + int(saved.get("t", 0))
    total = len(plan.blocks) * plan.steps
    with tqdm(total=total, initial=done, desc=plan.label, unit="step", leave=False, disable=None) as bar:
        for number, block in enumerate(plan.blocks[first_block:], first_block):
            before = saved if number == first_block else {}
            finished = _joined(finished, _run_block(plan, number, block, before, finished, bar))
    return finished


def _run_block(
    plan: _Plan, number: int, block: range, saved: dict[str, NDArray], finished: dict[str, NDArray], bar: tqdm
) -> dict[str, NDArray]:
    """One block's arrays. What is finished already goes into its checkpoints."""
    (source, state), recorder = plan.start(block), plan.recorder()
    if saved:
        state = state._replace(t=int(saved["t"]), **{name: saved[name] for name in state._fields[1:]})
        recorder.restore(saved)
    last_saved = time.monotonic()
    projection = plan.problem.project if plan.problem.interval else None
    states = iterate(
        source, state, plan.family, plan.steps, recorder=recorder, projection=projection, method=plan.method
    )
    for state in states:  # none where the block was finished already
        bar.update()
        if plan.folder is not None and time.monotonic() - last_saved >= _SECONDS_BETWEEN_CHECKPOINTS:
            arrays = {name: getattr(state, name) for name in state._fields[1:]} | recorder.arrays
            arrays |= {"t": np.array(state.t), "block": np.array(number)}
            arrays |= {f"finished.{name}": array for name, array in finished.items()}
            checkpoint.save(plan.folder / "checkpoint", number * plan.steps + state.t, arrays, plan.description)
            last_saved = time.monotonic()
    return _of_block(recorder, state.x, (*plan.lead, len(block)))


def _closed(values: NDArray[np.float64]) -> Any:
    """As lists for strict JSON: null stands for what is not finite."""
    closed = np.array(values, object)
    closed[~np.isfinite(values)] = None
    return closed.tolist()


def _unpacked(arrays: Mapping[str, NDArray], kind: str) -> dict[str, NDArray]:
    return {key.removeprefix(kind): array for key, array in arrays.items() if key.startswith(kind)}


def _of_block(recorder: Recorder, x: NDArray, shape: tuple[int, ...]) -> dict[str, NDArray]:
    history = recorder.history
    arrays = {"history.t": history.pop("t"), "x": x}
    arrays |= {f"history.{name}": array for name, array in history.items()}
    arrays |= {f"average.{name}": array for name, array in recorder.averages.items()}
    for name, array in arrays.items():
        kind, _, quantity = name.partition(".")
        per_replica = array.shape[1:] if kind == "history" else array.shape
        if quantity not in ("", "t") and per_replica != shape:
            raise ValueError(f"{quantity} must be reduced to one number a replica, shape {shape}; got {per_replica}")
    return arrays


def _joined(before: dict[str, NDArray], block: dict[str, NDArray]) -> dict[str, NDArray]:
    """The replicas of both, one block after the other."""
    if not before:
        return block
    return {
        name: array if name == "history.t" else np.concatenate([before[name], array], axis=-2 if name == "x" else -1)
        for name, array in block.items()
    }
