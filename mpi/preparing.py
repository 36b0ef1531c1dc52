"""Before anything is computed: rank 0 reads the command line, the folder and the checkpoint; all ranks get the plan."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mpi import options as opts
from mpi import output
from mpi.communicator import Serial
from mpi.exits import USAGE, Refusal
from mpi.log import log
from reference.checkpoint import environment


@dataclass(frozen=True)
class Prepared:
    """What a stretch of a run begins with.

    Attributes
    ----------
    plan : dict
        The same on every rank: options, t (steps taken), last (the step to stop after), every (steps between
        checkpoints), out (the folder), workers_given.
    arrays : dict
        The checkpoint's, on rank 0; empty elsewhere and at a start.
    """

    plan: dict[str, Any]
    arrays: dict[str, NDArray]


def prepare(communicator: Serial, argv: list[str] | None, held: ExitStack) -> Prepared | None:
    """The plan, agreed on; None where the folder holds the finished run.

    The folder's lock is entered into `held`, on rank 0. Refusal, on every rank, where an option is out of its range,
    the folder cannot be used or the checkpoint cannot be read.
    """
    arrays: dict[str, NDArray] = {}

    def on_rank_0() -> dict[str, Any] | None:
        given, request = opts.parse(argv)
        if request.resume is not None:
            return _resumed(request.resume, given, request, arrays, held)
        options = opts.complete(given, communicator.size)
        _require_between(request.stop_after, 0, options.steps)
        out = output.new_folder(request.out, options.problem)
        held.enter_context(output.locked(out))
        return _plan(options, request, t=0, out=str(out), workers_given="workers" in given)

    plan = communicator.on_root(on_rank_0)
    here = environment()
    if communicator.max(int(communicator.share(here) != here)) and communicator.rank == 0:
        log.warning(
            "warning: the ranks differ in NumPy's build or in the CPU's kernels; elsewhere the last bits may differ"
        )
    return None if plan is None else Prepared(plan, arrays)


def _resumed(
    out: Path, given: dict[str, Any], request: opts.Request, arrays: dict[str, NDArray], held: ExitStack
) -> dict[str, Any] | None:
    """The plan of the run in OUT that goes on; its arrays are put into `arrays`, its folder's lock into `held`."""
    if (out / "checkpoint").is_dir():
        held.enter_context(output.locked(out))
    found, manifest = output.load_checkpoint(out)
    arrays.update(found)
    options, t = opts.stored(manifest["options"], given, out), manifest["t"]
    if (out / "result.json").exists():
        log.info("%s holds the finished run (step %d of %d); there is nothing to do", out, t, options.steps)
        return None
    written, here = manifest["environment"], environment()
    if written != here:
        log.warning(
            "warning: the checkpoint was written with %s, and this machine has %s; the last bits may differ",
            written,
            here,
        )
    _require_between(request.stop_after, t, options.steps)
    return _plan(options, request, t=t, out=str(out), workers_given=True)


def _require_between(stop_after: int | None, t: int, steps: int) -> None:
    if stop_after is not None and not t < stop_after < steps:
        raise Refusal(f"--stop-after must lie after step {t} and before T = {steps}; got {stop_after}", USAGE)


def _plan(options: opts.Options, request: opts.Request, t: int, out: str, workers_given: bool) -> dict[str, Any]:
    return {
        "options": opts.as_dict(options),
        "t": t,
        "last": request.stop_after or options.steps,
        "every": request.checkpoint_every,
        "out": out,
        "workers_given": workers_given,
    }
