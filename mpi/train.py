"""`mpirun -n P python -m mpi.train`: distributed Adam (Algorithm 3, p. 17); `--help` lists the options."""

import sys
from typing import Any

from mpi.ending import guarded
from mpi.starting import one_blas_thread


def main(MPI: Any = None, argv: list[str] | None = None) -> int:
    """Trains as the command line says.

    Parameters
    ----------
    MPI : the module mpi4py.MPI where several ranks run, None for one process.
    argv : the options; those of the command line where it is None.

    Returns
    -------
    The exit code, the same on every rank.
    """
    from mpi.communicator import communicator_of
    from mpi.job import Job
    from mpi.preparing import prepare

    communicator = communicator_of(MPI)
    prepared = prepare(communicator, argv)
    return Job(communicator, prepared).run() if prepared else 0


if __name__ == "__main__":
    one_blas_thread()
    sys.exit(guarded(main))
