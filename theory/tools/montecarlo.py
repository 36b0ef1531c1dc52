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
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from reference import checkpoint
from reference.families import Family
from reference.files import UNREADABLE, npz_bytes, write_bytes, write_json
from reference.iterate import Recorder, Reduction, iterate
from reference.methods import ADAM, Method
from reference.problems import Problem
from reference.sampling import REPLICAS_PER_BLOCK
from reference.sources import MeanOfWorkers

Recorded = Sequence[str] | Mapping[str, Reduction | None]
log = logging.getLogger(__name__)

QUANTILES = (0.1, 0.5, 0.9)
_SECONDS_BETWEEN_CHECKPOINTS = 10.0
_ENTRIES_AT_A_TIME = 2**15  # of x: its five arrays, 256 kB each, stay in a core's cache


@dataclass(frozen=True)
class Sample:
    """One number a replica: values (..., R), float64, R >= 2."""

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

    description : what was run, as in results.json. t : the recorded steps. history : name -> Sample (times, ..., R).
    averages : name -> Sample (..., R), averages over every t = 1..T. x : x_{T+1}, (..., R, d).
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
            return cls._of(dict(json.loads((folder / "results.json").read_text())["description"]), arrays)
        except UNREADABLE as error:
            raise ValueError(f"{folder} holds no results of a simulation: {error}") from None

    @classmethod
    def _of(cls, description: dict[str, Any], arrays: Mapping[str, NDArray]) -> Measured:
        def samples(kind: str) -> dict[str, Sample]:
            return {
                key.removeprefix(kind): Sample(values)
                for key, values in arrays.items()
                if key.startswith(kind) and key != "history.t"
            }

        return cls(description, arrays["history.t"], samples("history."), samples("average."), arrays["x"])

    def _save(self, folder: Path) -> None:
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


def simulate(
    problem: Problem,
    family: Family,
    steps: int,
    replicas: int,
    *,
    epsilon: ArrayLike,
    workers: int = 1,
    seed: int = 0,
    record: Recorded = (),
    every: int = 1,
    average: Sequence[str] = ("gradient_norm",),
    folder: Path | None = None,
    label: str | None = None,
    method: Method = ADAM,
) -> Measured:
    """R = replicas runs of T = steps steps from the problem's x_1, for every configuration of the family.

    Parameters
    ----------
    problem : projected onto its interval where it has one (outside Algorithm 1).
    family : parameters of shape (C, 1) are C configurations, which share the draws; scalars are one.
    replicas : at least 2.
    epsilon : v_0, a number, or an array that broadcasts to (C, R, d).
    workers, seed : as `MeanOfWorkers` takes them.
    record, every, average : as `Recorder` takes them; what is recorded is one number a replica, (..., R), so a
        quantity with coordinates needs a reduction over them.
    folder : where results.npz and results.json go. A simulation that was interrupted goes on from the checkpoint
        there, at most 10 seconds old, to the same bits; a finished one is read. ValueError where the folder holds
        another simulation.
    label : names the progress bar, which shows on a terminal.
    method : one of `reference.METHODS`, or your own.

    >>> from reference import families, problems
    >>> bump = problems.Bump(dimension=3, noise=problems.Gaussian(1.0))
    >>> measured = simulate(bump, families.practical(100, 1, 0.9, 1), 100, replicas=32, epsilon=1/3)
    >>> measured.averages["gradient_norm"].values.shape
    (32,)
    """
    for name, given, least in (("steps", steps, 1), ("replicas", replicas, 2)):
        if isinstance(given, bool) or not isinstance(given, int | np.integer):
            raise TypeError(f"{name} = {given!r}; allowed is an integer")
        if given < least:
            raise ValueError(f"{name} = {given}; at least {least}" + (", for a standard error" if least == 2 else ""))
    shape = np.broadcast_shapes(*(np.shape(value) for value in family.at(1, method.coefficients, method.name)))
    if shape and shape[-1] != 1:
        raise ValueError(f"the family's parameters have shape {shape}; needed is (C, 1): the last axis is replicas")
    lead = shape[:-1]

    def start(count: int) -> NDArray[np.float64]:
        return np.broadcast_to(problem.start, (*lead, count, problem.dimension))

    at_a_time = REPLICAS_PER_BLOCK * max(1, _ENTRIES_AT_A_TIME // (start(REPLICAS_PER_BLOCK).size))
    blocks = [range(first, min(first + at_a_time, replicas)) for first in range(0, replicas, at_a_time)]
    projection = problem.project if problem.interval else None
    description = {
        "problem": problem.name,
        "dimension": problem.dimension,
        "local_batch": problem.local_batch,
        "family": family.name,
        "method": method.name,
        "configurations": list(lead),
        "steps": int(steps),
        "replicas": int(replicas),
        "replicas at a time": at_a_time,
        "workers": int(workers),
        "seed": int(seed),
        "recorded": list(record),
        "every": int(every),
        "averaged": list(average),
        "sha256": {  # of what the words above leave open
            "epsilon": checkpoint.sha256(np.asarray(epsilon, np.float64)),
            "problem": _sha256_of(problem),
            "first two steps": checkpoint.sha256(
                _first_steps(problem, seed, workers, family, method, record, start(2))
            ),
            "schedule": checkpoint.sha256(
                np.concatenate([np.ravel(s) for s in family.at(_some_steps(steps), method.coefficients)])
            ),
        },
    }
    saved: dict[str, NDArray] = {}
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "results.json").exists():
            found = Measured.load(folder)
            _require_same(description, found.description, folder)
            return found
        if (folder / "checkpoint" / "manifest.json").exists():
            saved, manifest = checkpoint.load(folder / "checkpoint")
            _require_same(description, manifest["options"], folder)

    finished = _unpacked(saved, "finished.")
    first_block = int(saved.get("block", 0))
    done = first_block * steps + int(saved.get("t", 0))
    with tqdm(total=len(blocks) * steps, initial=done, desc=label, unit="step", leave=False, disable=None) as bar:
        for number, block in enumerate(blocks[first_block:], first_block):
            source = MeanOfWorkers(problem, seed, workers, first_replica=block.start)
            recorder = Recorder(record, every, average)
            state = method.initial_state(start(len(block)), epsilon)
            if number == first_block and saved:
                state = type(state)(int(saved["t"]), *(saved[name] for name in state._fields[1:]))
                recorder.restore(saved)
            last_saved = time.monotonic()
            loop = iterate(source, state, family, steps, recorder=recorder, projection=projection, method=method)
            for state in loop:  # none where the block was finished already
                bar.update()
                if folder is not None and time.monotonic() - last_saved >= _SECONDS_BETWEEN_CHECKPOINTS:
                    arrays = {name: getattr(state, name) for name in state._fields[1:]} | recorder.arrays
                    arrays |= {"t": np.array(state.t), "block": np.array(number)}
                    arrays |= {f"finished.{name}": array for name, array in finished.items()}
                    checkpoint.save(folder / "checkpoint", number * steps + state.t, arrays, description)
                    last_saved = time.monotonic()
            finished = _joined(finished, _of_block(recorder, state.x, (*lead, len(block))))
    measured = Measured._of(description, finished)
    if folder is not None:
        measured._save(folder)
        shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return measured


def _sha256_of(problem: Problem) -> str:
    """Of its constants, its interval and of f and grad f at some points: two problems that differ differ there."""
    known = [getattr(problem.constants, name).value for name in ("L", "G", "sigma2", "f_star")]
    numbers = [np.nan if value is None else value for value in (*known, *(problem.interval or (None, None)))]
    moves = np.array([0.0, -0.5, 0.5, 1.5, -3.0])[:, None] * (1 + 0.1 * np.cos(np.arange(problem.dimension)))
    f, gradient = problem.value_and_gradient(problem.project(problem.start + moves))
    return checkpoint.sha256(np.concatenate([numbers, f.ravel(), gradient.ravel()]))


def _first_steps(
    problem: Problem, seed: int, workers: int, family: Family, method: Method, record: Recorded, x: ArrayLike
) -> NDArray[np.float64]:
    """All that is recorded of two replicas' first two steps from v_0 = 1: what the description's words leave open."""
    recorder = Recorder(record)
    projection = problem.project if problem.interval else None
    source, state = MeanOfWorkers(problem, seed, workers), method.initial_state(x, 1.0)
    steps = min(2, family.horizon or 2)
    for last in iterate(source, state, family, steps, recorder=recorder, projection=projection, method=method):
        state = last
    return np.concatenate([np.ravel(state.x), *(np.ravel(kept) for kept in recorder.history.values())])


def _closed(values: NDArray[np.float64]) -> Any:
    """As lists for strict JSON: null stands for what is not finite."""
    closed = np.array(values, object)
    closed[~np.isfinite(values)] = None
    return closed.tolist()


def _some_steps(steps: int) -> NDArray[np.int64]:
    return np.unique(np.geomspace(1, steps, 1000).astype(np.int64))


def _require_same(wanted: dict[str, Any], found: dict[str, Any], folder: Path) -> None:
    differ = [key for key in wanted if wanted[key] != found.get(key)]
    if differ:
        raise ValueError(f"{folder} holds another simulation: {', '.join(differ)} differ; take another folder")


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
            raise ValueError(f"{quantity} has shape {per_replica}; needed is one number a replica, {shape}: reduce it")
    return arrays


def _joined(before: dict[str, NDArray], block: dict[str, NDArray]) -> dict[str, NDArray]:
    """The replicas of both, one block after the other."""
    if not before:
        return block
    return {
        name: array if name == "history.t" else np.concatenate([before[name], array], axis=-2 if name == "x" else -1)
        for name, array in block.items()
    }
