"""One stretch of a run: from a start or a checkpoint to T, to --stop-after, or to a signal.

One loop on every rank. A rank that updates takes its steps from `reference.iterate`, with the topology as the source; a
rank that only hosts workers takes them from the topology. After each, all ranks agree on one integer (`mpi.agreement`).
"""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mpi import options as opts
from mpi import output, summary
from mpi.agreement import GO_ON, SEARCH
from mpi.communicator import Serial
from mpi.exits import DONE, ERROR, NON_FINITE, Failure, Refusal, stopped_by
from mpi.log import log
from mpi.options import Options
from mpi.preparing import Prepared
from mpi.progress import Progress
from mpi.signals import SIGNALS
from mpi.topologies import BY_NAME as TOPOLOGIES
from mpi.topologies import Topology
from reference.adam import AdamState, NonFiniteError, initial_state
from reference.iterate import Recorder, iterate
from reference.problems import Problem

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
            stop = self.step_to(self.plan["last"])
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
        """The loop; the number of the signal that stopped it before its last step, or 0."""
        progress = Progress(self.state.t, self.options.steps) if self.root else None
        try:
            for state in self.steps_to(last):
                self.state = state
                heard = self.communicator.max(SIGNALS.received)
                if heard == SEARCH:  # only a rank that serves hears this, and its state holds x_t
                    raise self.source.search(state.x, state.t) or NonFiniteError(state.t, 0, math.nan)
                if progress is not None:
                    progress.step(state.t)
                    if state.t % self.plan["every"] == 0:
                        self.save()
                if heard != GO_ON:
                    return heard if state.t < last else 0
            return 0
        finally:
            if progress is not None:
                progress.close()

    def steps_to(self, last: int) -> Iterator[AdamState]:
        """This rank's part in each step, up to the last one."""
        if not self.source.updates:
            return self.source.serve(self.state, last)
        recorder = self.recorder if self.root else None
        projection = self.problem.project if self.problem.interval else None
        family = opts.family_of(self.options)
        return iterate(self.source, self.state, family, last, recorder=recorder, projection=projection)

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
        result = summary.result(
            self.options,
            self.problem,
            self.state,
            ranks=self.communicator.size,
            average_gradient_norm=self.recorder.averages["gradient_norm"],
            bound=bound,
            bounds=self.bounds(),
            seconds=self.seconds(),
        )
        output.write_result(self.out, result)
        try:
            sys.stdout.write(summary.text(result, self.problem, self.out))
            sys.stdout.flush()
        except BrokenPipeError:  # nobody reads; the run is complete all the same
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    # Theory is loaded at the end, on rank 0 alone: the other ranks need not wait for it.

    def bound(self) -> dict[str, Any]:
        """result.json's bound."""
        from mpi.bound import bound_of

        return bound_of(self.options, self.problem)

    def bounds(self) -> list[dict[str, Any]]:
        """result.json's bounds."""
        from mpi.bound import bounds_of

        return bounds_of(self.options, self.problem)
