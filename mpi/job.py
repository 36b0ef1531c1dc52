"""One stretch of a run: from a start or a checkpoint to T, to --stop-after, or to a signal.

Ranks that update run the loop of `reference.iterate` with the topology as the source; the other ranks of a parameter
server take part in the topology's exchange alone. After every step all ranks agree on one integer (`mpi.agreement`).
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from mpi import options as opts
from mpi import output, summary
from mpi.agreement import GO_ON, SEARCH
from mpi.bound import bound_of
from mpi.communicator import Serial
from mpi.exits import DONE, ERROR, NON_FINITE, Failure, Refusal, stopped_by
from mpi.options import Options
from mpi.preparing import Prepared
from mpi.progress import Progress
from mpi.signals import SIGNALS
from mpi.topologies import BY_NAME as TOPOLOGIES
from mpi.topologies import Topology
from reference.adam import AdamState, NonFiniteError, initial_state
from reference.iterate import Recorder, iterate
from reference.problems import Problem

log = logging.getLogger("mpi.train")

_KEPT = 100_000  # history entries at most; the average runs over every step all the same


def every_kept(steps: int) -> int:
    """The history holds every n-th step, with the smallest n that keeps at most 100,000 of T = steps entries.

    >>> [every_kept(steps) for steps in (1, 100_000, 100_001, 200_000, 200_001)]
    [1, 1, 2, 2, 3]
    """
    return -(-steps // _KEPT)


class Job:
    """The run on this rank. `run()` is the whole of it and gives the exit code."""

    def __init__(self, communicator: Serial, prepared: Prepared):
        self.communicator, self.plan = communicator, prepared.plan
        self.lock = prepared.lock  # held as long as the job lives
        self.options = options = Options(**self.plan["options"])
        self.out = Path(self.plan["out"])
        self.root = communicator.rank == 0
        self.problem: Problem = opts.build_problem(options.problem, options.local_batch)
        self.source: Topology = TOPOLOGIES[options.topology](self.problem, options.seed, options.workers, communicator)
        self.recorder = Recorder(["f", "gradient_norm"], every_kept(options.steps), ["gradient_norm"])
        self.earlier = 0.0  # seconds that earlier stretches took
        self.state = initial_state(self.problem.start, options.epsilon)
        if self.plan["t"] and self.root:
            arrays = prepared.arrays
            self.state = AdamState(self.plan["t"], arrays["x"], arrays["m"], arrays["v"])
        if self.root and prepared.arrays:
            self.recorder.restore(prepared.arrays)
            self.earlier = float(prepared.arrays["seconds"])
        if self.plan["t"] and self.source.everyone_updates:
            for array in self.state[1:]:
                communicator.broadcast(array)
        self.state = self.state._replace(t=self.plan["t"])
        self.begin = time.monotonic()

    def run(self) -> int:
        """To the end of the stretch; the exit code."""
        if self.root:
            self.introduce()
        self.communicator.on_root(self.save_first)
        try:
            stop = self.step_to(self.plan["last"]) if self.source.updates else self.serve_to(self.plan["last"])
        except NonFiniteError as error:
            if self.root:
                self.save()
                output.write_history(self.out, self.options, self.recorder, self.bound())
                log.info("the state after step %d is in %s", self.state.t, self.out / "checkpoint")
            raise Refusal(str(error), NON_FINITE) from None
        if self.root:
            try:
                self.conclude(stop)
            except OSError as error:
                raise Failure(
                    f"the results cannot be written to {self.out}: {error.strerror}; --resume tries again"
                ) from None
        return stopped_by(stop) if stop else DONE

    def step_to(self, last: int) -> int:
        """The loop of a rank that updates; the number of the signal that stopped it, or 0."""
        recorder = self.recorder if self.root else None
        projection = self.problem.project if self.problem.interval else None
        progress = Progress(self.state.t, self.options.steps) if self.root else None
        family = opts.family_of(self.options)
        try:
            for state in iterate(self.source, self.state, family, last, recorder=recorder, projection=projection):
                self.state = state
                stop = self.communicator.max(SIGNALS.received)
                if progress is not None:
                    progress.step(self.state.t)
                    if self.state.t % self.plan["every"] == 0:
                        self.save()
                if stop != GO_ON:
                    return stop if self.state.t < last else 0
            return 0
        finally:
            if progress is not None:
                progress.close()

    def serve_to(self, last: int) -> int:
        """The loop of a rank that only hosts workers; the number of the signal that stopped it, or 0."""
        x = np.empty_like(self.state.x)
        for t in range(self.state.t + 1, last + 1):
            self.source.exchange(x, t)
            stop = self.communicator.max(SIGNALS.received)
            if stop == SEARCH:
                raise self.source.search(x, t) or NonFiniteError(t, 0, float("nan"))
            if stop != GO_ON:
                return stop if t < last else 0
        return 0

    def seconds(self) -> float:
        """What the run has taken so far, earlier stretches included."""
        return self.earlier + time.monotonic() - self.begin

    def save(self) -> None:
        """The checkpoint of this step. Failure where it cannot be written."""
        try:
            output.save_checkpoint(self.out, self.plan["options"], self.state, self.recorder, self.seconds())
        except OSError as error:
            raise Failure(
                f"the checkpoint of step {self.state.t} cannot be written to {self.out}: {error.strerror}"
            ) from None

    def save_first(self) -> None:
        """Before anything is computed: a folder that cannot be written is found out now."""
        try:
            self.save()
        except Failure as failure:
            raise Refusal(str(failure), ERROR) from None

    def introduce(self) -> None:
        """Says what will run."""
        for warning in opts.warnings_about(self.options):
            log.warning("warning: %s", warning)
        for line in summary.introduction(self.options, self.problem, self.communicator.size):
            log.info("%s", line)
        if not self.plan["workers_given"]:
            log.info("s = P, the number of ranks; with --workers S the run is the same on any P")
        if self.state.t:
            log.info("resuming after step %d", self.state.t)

    def conclude(self, stop: int) -> None:
        """Writes what there is to write, and says how the run ended."""
        self.save()
        bound = self.bound()
        output.write_history(self.out, self.options, self.recorder, bound)
        if self.state.t < self.options.steps:
            reason = f"stopped by {signal.Signals(stop).name}" if stop else "stopped"
            log.info(
                "%s after step %d of %d; continue with --resume --out %s",
                reason,
                self.state.t,
                self.options.steps,
                self.out,
            )
            return
        result = summary.result(self.options, self.problem, self.state, self.recorder) | {
            "ranks": self.communicator.size,
            "bound": bound,
            "wall_seconds": round(self.seconds(), 3),
        }
        output.write_result(self.out, result)
        try:
            sys.stdout.write(summary.text(result, self.problem, self.out))
            sys.stdout.flush()
        except BrokenPipeError:  # nobody reads; the run is complete all the same
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def bound(self) -> dict[str, Any]:
        """result.json's bound."""
        return bound_of(self.options, self.problem)
