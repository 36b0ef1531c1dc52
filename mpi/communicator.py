"""What ranks say to each other: the only file that communicates, and its twin for one process.

Every method is collective: all ranks call it, in the same order. Arrays go through MPI's buffer calls, small values as
JSON; nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mpi.exits import Refusal

T = TypeVar("T")


class Serial:
    """A communicator of one process.

    Attributes
    ----------
    rank : int
        0 <= rank < size.
    size : int
        P, the number of ranks.
    library : str
        The MPI library and its version.
    """

    rank, size, library = 0, 1, "none (one process)"

    def broadcast(self, array: NDArray) -> None:
        """Overwrites every rank's array by rank 0's; same shape and dtype everywhere, C-contiguous."""

    def gather(self, rows: NDArray, counts: list[int]) -> NDArray | None:
        """Every rank's rows (counts[rank], d), stacked in rank order, (sum of counts, d), on rank 0; None elsewhere."""
        return rows

    def all_gather(self, rows: NDArray, counts: list[int]) -> NDArray:
        """The same as `gather`, on every rank."""
        return rows

    def max(self, value: int) -> int:
        """The largest of the ranks' 64-bit integers. (Of floats, libraries lose a NaN.)"""
        return value

    def min(self, value: int) -> int:
        """The smallest of the ranks' 64-bit integers."""
        return value

    def share(self, value: Any, root: int = 0) -> Any:
        """The value of the rank `root`, anything JSON can hold, on every rank; other ranks' values are not read."""
        return value

    def on_root(self, action: Callable[[], T]) -> T:
        """Runs the action on rank 0 and shares its value (JSON); a Refusal there is raised on every rank."""
        outcome: dict[str, Any] = {}
        if self.rank == 0:
            try:
                outcome["value"] = action()
            except Refusal as refusal:
                outcome |= {"refused": str(refusal), "code": refusal.code}
        outcome = self.share(outcome)
        if "refused" in outcome:
            raise Refusal(outcome["refused"], outcome["code"])
        return outcome["value"]


class Parallel(Serial):
    """MPI's world, MPI.COMM_WORLD; the methods are those of `Serial`."""

    def __init__(self, MPI: Any):
        self._MPI, self._world = MPI, MPI.COMM_WORLD
        self.rank, self.size = self._world.Get_rank(), self._world.Get_size()
        self.library = MPI.Get_library_version().splitlines()[0].strip()

    def broadcast(self, array: NDArray) -> None:
        self._world.Bcast(array, root=0)

    def gather(self, rows: NDArray, counts: list[int]) -> NDArray | None:
        stacked = np.empty((sum(counts), rows.shape[1]), rows.dtype) if self.rank == 0 else None
        receive = None if stacked is None else [stacked, [count * rows.shape[1] for count in counts]]
        self._world.Gatherv(rows, receive, root=0)
        return stacked

    def all_gather(self, rows: NDArray, counts: list[int]) -> NDArray:
        stacked = np.empty((sum(counts), rows.shape[1]), rows.dtype)
        self._world.Allgatherv(rows, [stacked, [count * rows.shape[1] for count in counts]])
        return stacked

    def max(self, value: int) -> int:
        return self._reduce(value, self._MPI.MAX)

    def min(self, value: int) -> int:
        return self._reduce(value, self._MPI.MIN)

    def _reduce(self, value: int, operation: Any) -> int:
        sent, received = np.array([value], np.int64), np.empty(1, np.int64)
        self._world.Allreduce(sent, received, op=operation)
        return int(received[0])

    def share(self, value: Any, root: int = 0) -> Any:
        text = np.frombuffer(json.dumps(value).encode(), np.uint8).copy() if self.rank == root else None
        length = np.array([0 if text is None else text.size], np.int64)
        self._world.Bcast(length, root=root)
        if text is None:
            text = np.empty(int(length[0]), np.uint8)
        self._world.Bcast(text, root=root)
        return json.loads(text.tobytes())


def communicator_of(MPI: Any) -> Serial:
    """Of the module mpi4py.MPI, or of None for one process (what `mpi.starting` found)."""
    return Serial() if MPI is None else Parallel(MPI)
