"""Starting together: what the launcher started, and whether the processes form one MPI job."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

from mpi.exits import ERROR, Refusal

# Where launchers say how many processes they started, and which one this is.
_LAUNCHERS = (
    ("PMI_SIZE", "PMI_RANK"),  # MPICH, Intel MPI
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),  # Open MPI
    ("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),  # MVAPICH
)
# srun's: of the launcher's own daemons, one a node, where mpirun runs inside an allocation
_SLURM = ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID")

# The variables that limit the threads of the usual BLAS libraries, which read them when they are loaded.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def one_blas_thread() -> None:
    """One BLAS thread a rank, for a program to call before NumPy loads: bits must not depend on a rank's cores."""
    for variable in THREADS:
        os.environ[variable] = "1"


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
            f"the launcher started {started} processes, but mpi4py cannot be used ({reason}); install it beside this "
            "Python with pip install 'practical-adam[mpi]' (in a clone: pip install -e '.[mpi]'), "
            "or run one process without mpirun",
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
            f"the launcher started {size} processes, but they do not form one job under this MPI library ({library}); "
            f"mpirun and mpi4py belong to different MPI installations: {_advice()}",
            ERROR,
        )
    world = MPI.COMM_WORLD.Get_size()
    return (MPI, MPI.COMM_WORLD.Get_rank()) if world > 1 else (None, 0)


def _advice() -> str:
    """Which mpirun to use."""
    if _installed("mpich") and _installed("openmpi"):
        return "both mpich and openmpi are installed in this environment, where only one of them can work; remove one"
    beside = Path(sys.executable).with_name("mpirun")
    return f"use {beside}" if beside.exists() else "use the mpirun that mpi4py was built for"


def _installed(distribution: str) -> bool:
    from importlib import metadata  # slow to load, and needed by a refusal alone

    try:
        metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


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
