"""`mpirun -n P python -m mpi.train`: distributed Adam (Algorithm 3, p. 17); `--help` lists the options."""

import sys
from typing import Any

from mpi.launch import guarded  # before anything that loads NumPy or could fail


def main(MPI: Any = None, argv: list[str] | None = None) -> int:
    """The exit code, the same on every rank."""
    from mpi.communicator import communicator_of
    from mpi.training import main as train

    return train(communicator_of(MPI), argv)


if __name__ == "__main__":
    sys.exit(guarded(main))
