"""Ending together: a rank's exception, of whatever kind, ends the whole job.

A rank that just exits leaves the others waiting for ever. So MPI starts first, and everything that could fail on one
rank alone, imports included, runs under this guard. It loads nothing but the standard library.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from mpi.exits import ERROR, Failure, Refusal
from mpi.signals import SIGNALS
from mpi.starting import launched, start_mpi


def guarded(main: Callable[[Any], int]) -> int:
    """The exit code of main(MPI), where MPI is the module mpi4py.MPI, or None for a single process.

    A Refusal is one line from rank 0; any other exception ends every rank, a Failure as one line, the rest with a
    traceback.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller
            stream = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
        stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no error
        setattr(sys, name, stream)
    size, rank = launched()
    MPI = None
    # before the imports, which take their time: a signal then stops the run after its first step
    SIGNALS.install(alone=size == 1, speaks=rank == 0)
    try:
        MPI, rank = start_mpi()
        return main(MPI)
    except Refusal as refusal:
        if rank == 0 and str(refusal):
            sys.stderr.write(f"error: {refusal}\n")
        return refusal.code
    except BaseException as error:
        sys.stdout.flush()
        told = f"error: {error}\n" if isinstance(error, Failure) else f"rank {rank} failed:\n{traceback.format_exc()}"
        sys.stderr.write(told)
        sys.stderr.flush()
        if MPI is not None:
            time.sleep(0.1)  # the launcher drops what it has not passed on when the ranks are gone
            MPI.COMM_WORLD.Abort(ERROR)
        return ERROR
