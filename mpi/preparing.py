"""Before anything is computed: rank 0 reads the command line, the folder and the checkpoint; all ranks get the plan."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import IO, Any

from numpy.typing import NDArray

from mpi import options as opts
from mpi import output
from mpi.communicator import Serial
from mpi.exits import USAGE, Refusal
from reference.checkpoint import environment

log = logging.getLogger("mpi.train")


@dataclass(frozen=True)
class Prepared:
    """What a stretch of a run begins with.

    Attributes
    ----------
    plan : the same on every rank: options, t (steps taken), last (the step to stop after), every (steps between
        checkpoints), out (the folder), workers_given.
    arrays : the checkpoint's, on rank 0; empty elsewhere and at a start.
    lock : the folder's, on rank 0, held while this lives.
    """

    plan: dict[str, Any]
    arrays: dict[str, NDArray]
    lock: IO[bytes] | None


def prepare(communicator: Serial, argv: list[str] | None) -> Prepared | None:
    """The plan, agreed on; None where the folder holds the finished run. Refusal where there is nothing to run."""
    root = communicator.rank == 0
    log.setLevel(logging.INFO if root else logging.WARNING)
    log.addHandler(logging.StreamHandler(sys.stderr))
    arrays: dict[str, NDArray] = {}
    locks: list[IO[bytes]] = []

    def on_rank_0() -> dict[str, Any] | None:
        given, request = opts.parse(argv)
        if request.resume:
            return _resumed(given, request, arrays, locks)
        options = opts.complete(given, communicator.size)
        _require_between(request.stop_after, 0, options.steps)
        out = output.new_folder(request.out, options.problem)
        locks.append(output.lock(out))
        return _plan(options, request, t=0, out=str(out), workers_given="workers" in given)

    plan = communicator.on_root(on_rank_0)
    here = environment()
    if communicator.max(int(communicator.share(here) != here)) and root:
        log.warning(
            "warning: the ranks differ in NumPy's build or in the CPU's kernels; the last bits belong to this mixture"
        )
    return None if plan is None else Prepared(plan, arrays, locks[0] if locks else None)


def _resumed(
    given: dict[str, Any], request: opts.Request, arrays: dict[str, NDArray], locks: list[IO[bytes]]
) -> dict[str, Any] | None:
    """The plan of a run that goes on; its arrays and its folder's lock are put into the two collections."""
    out = request.out
    if out is None:
        raise Refusal("--resume needs --out DIR, the folder of the run to continue", USAGE)
    if (out / "checkpoint").is_dir():
        locks.append(output.lock(out))
    found, manifest = output.load_checkpoint(out)
    arrays.update(found)
    options, t = opts.stored(manifest["options"], given, out), manifest["t"]
    if (out / "result.json").exists():
        log.info("%s holds the finished run (step %d of %d): nothing to do", out, t, options.steps)
        return None
    written, here = manifest["environment"], environment()
    if written != here:
        log.warning("warning: the checkpoint was written with %s, this is %s: bits may differ", written, here)
    _require_between(request.stop_after, t, options.steps)
    return _plan(options, request, t=t, out=str(out), workers_given=True)


def _require_between(stop_after: int | None, t: int, steps: int) -> None:
    if stop_after is not None and not t < stop_after < steps:
        raise Refusal(f"--stop-after {stop_after}: must lie after step {t} and before T = {steps}", USAGE)


def _plan(options: opts.Options, request: opts.Request, t: int, out: str, workers_given: bool) -> dict[str, Any]:
    return {
        "options": opts.as_dict(options),
        "t": t,
        "last": request.stop_after or options.steps,
        "every": request.checkpoint_every,
        "out": out,
        "workers_given": workers_given,
    }
