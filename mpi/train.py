"""`mpirun -n P python -m mpi.train`: distributed Adam (Algorithm 3, p. 17); `--help` lists the options."""

import sys
from contextlib import ExitStack
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
    from threadpoolctl import threadpool_limits

    from mpi.communicator import communicator_of
    from mpi.exits import DONE
    from mpi.job import Job
    from mpi.log import shown
    from mpi.preparing import prepare

    communicator = communicator_of(MPI)
    with ExitStack() as held:
        held.enter_context(threadpool_limits(1, user_api="blas"))  # for a caller that had loaded NumPy before
        held.enter_context(shown(communicator.rank))
        prepared = prepare(communicator, argv, held)
        return Job(communicator, prepared).run() if prepared else DONE


if __name__ == "__main__":
    one_blas_thread()
    sys.exit(guarded(main))
