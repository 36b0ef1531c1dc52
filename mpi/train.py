"""`mpirun -n P python -m mpi.train`: distributed Adam (Algorithm 3 of Chen et al. 2022, p. 17); see `--help`."""

import sys
from contextlib import ExitStack
from typing import Any

from mpi.ending import guarded
from mpi.starting import one_blas_thread


def main(MPI: Any = None, argv: list[str] | None = None) -> int:
    """Trains as the command line says.

    Parameters
    ----------
    MPI : module or None
        mpi4py.MPI where several ranks run, None for one process.
    argv : list of str or None
        The options; those of the command line where it is None.

    Returns
    -------
    int
        The exit code, the same on every rank: 0 done, 128 + n stopped by signal n after a checkpoint.

    Raises
    ------
    Refusal
        On every rank, with its exit code, where nothing can be run or a gradient is not finite.
    Failure
        On the rank where a file cannot be written.

    Examples
    --------
    >>> import contextlib, io, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as summary:
    ...     code = main(argv=["--problem", "bump", "--steps", "20", "--out", f"{folder}/run"])
    >>> code, "average gradient norm" in summary.getvalue()
    (0, True)
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
