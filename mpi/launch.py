"""Starting together and ending together: what has to happen before anything that could fail on one rank alone.

MPI starts first and everything else is imported under a guard, so that a rank's exception, of whatever kind, ends the
whole job: a rank that just exits leaves the others waiting for ever.
"""

from __future__ import annotations

import os

# One BLAS thread a rank, before NumPy loads: the bits must not depend on how many cores a rank has.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[_threads] = "1"

import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

DONE, ERROR, USAGE, NON_FINITE = 0, 1, 2, 3  # exit codes; 128 + n: stopped by signal n after a checkpoint

# Where launchers say how many processes they started, and which one this is.
_LAUNCHERS = (
    ("PMI_SIZE", "PMI_RANK"),  # MPICH, Intel MPI
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),  # Open MPI
    ("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),  # MVAPICH
)
# srun's: of the launcher's own daemons, one a node, where mpirun runs inside an allocation
_SLURM = ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID")


class Signals:
    """Remembers the last of SIGINT, SIGTERM and SIGUSR1. Ranks agree on it after a step, and stop together."""

    received = 0

    def install(self, alone: bool, speaks: bool) -> None:
        self.alone, self.speaks = alone, speaks
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: Any) -> None:
        self.received = number
        if self.alone:  # a terminal sends every rank its Ctrl-C and the launcher passes on another: there once is twice
            signal.signal(number, signal.SIG_DFL)
        if self.speaks:
            again = "; again to end at once" if self.alone else ""
            os.write(2, f"{signal.Signals(number).name}: stopping after this step{again}\n".encode())


SIGNALS = Signals()


class Failure(Exception):
    """Something failed on this rank that is no mistake of the code: one line instead of a traceback."""


class Refusal(Exception):
    """What was asked for cannot be done. One line (none where empty) from rank 0; every rank exits with the code."""

    def __init__(self, message: str, code: int):
        super().__init__(message)
        self.code = code


def start_mpi() -> tuple[Any, int]:
    """(the module mpi4py.MPI, this rank), or (None, 0) for a single process, which needs no MPI.

    Raises Refusal where a launcher started several processes that cannot form one job: without mpi4py, or with an MPI
    library that does not understand this launcher, they would be copies of the run that overwrite each other.
    """
    size, _ = launched()
    if size == 1:
        return None, 0
    try:
        import mpi4py

        mpi4py.rc.initialize = False  # MPICH aborts inside MPI_Init under Open MPI's launcher: look at both first
        mpi4py.rc.finalize = True
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        started = "several" if size is None else size
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise Refusal(
            f"the launcher started {started} processes, but mpi4py cannot be used ({reason}): "
            'install the extra "mpi", or run one process without a launcher',
            ERROR,
        ) from None
    library = " ".join(MPI.Get_library_version().split()[:3]).strip(" ,\0")
    foreign = "OMPI_COMM_WORLD_SIZE" in os.environ and "Open MPI" not in library
    if not foreign:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # "suspicious MPI execution environment": refused below
            MPI.Init_thread()
    if foreign or (size is not None and MPI.COMM_WORLD.Get_size() == 1):
        raise Refusal(
            f"the launcher started {size} processes, but they do not form one job under this MPI library ({library}): "
            "mpirun and mpi4py belong to different MPI installations; use the mpirun of this environment",
            ERROR,
        )
    world = MPI.COMM_WORLD.Get_size()
    return (MPI, MPI.COMM_WORLD.Get_rank()) if world > 1 else (None, 0)


def launched() -> tuple[int | None, int]:
    """(processes, this one's rank) as the launcher says; (None, rank) where only MPI itself knows the number."""
    said = [(_number(size, 1), _number(rank, 0)) for size, rank in _LAUNCHERS if size in os.environ]
    if said:
        return max(said)  # a launcher inside another's process inherits the outer one's variables, of size 1
    if "PMIX_RANK" in os.environ:
        return None, _number("PMIX_RANK", 0)
    return _number(_SLURM[0], 1), _number(_SLURM[1], 0)


def _number(variable: str, otherwise: int) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdigit() else otherwise


def guarded(main: Callable[[Any], int]) -> int:
    """The exit code of main(MPI). A Refusal is one line from rank 0; any other exception ends every rank."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w")  # noqa: SIM115  (None where the caller closed it)
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
