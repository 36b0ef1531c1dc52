"""Every call of the communicator, on each rank of a real job: what it must give is a function of size and rank."""

import sys

from mpi.ending import guarded
from mpi.exits import Refusal


def main(MPI):
    import numpy as np

    from mpi.communicator import communicator_of

    world = communicator_of(MPI)
    rank, size = world.rank, world.size
    assert (rank, size) == (MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size) and world.library

    x = np.array([0.1, -0.0, np.inf, 5e-324]) if rank == 0 else np.full(4, np.nan)
    world.broadcast(x)
    assert x.tobytes() == np.array([0.1, -0.0, np.inf, 5e-324]).tobytes()

    for dtype in (np.float64, np.float32):
        counts = [r % 3 for r in range(size)]  # rank 0 sends nothing
        everyone = np.arange(5 * sum(counts), dtype=dtype).reshape(-1, 5)
        first = sum(counts[:rank])
        rows, expected = everyone[first : first + counts[rank]].copy(), everyone
        stacked = world.gather(rows, counts)
        assert (stacked is None) == (rank > 0)
        for got in (world.all_gather(rows, counts), *([stacked] if rank == 0 else [])):
            assert got.dtype == dtype and np.array_equal(got, expected)
        nothing = world.all_gather(rows[:0], [0] * size)
        assert nothing.shape == (0, 5)

    assert world.max(rank) == size - 1 and world.min(rank - 7) == -7
    assert world.max(2**62 + rank) == 2**62 + size - 1 and world.min(-(2**62) - rank) == -(2**62) - size + 1
    assert world.max(10 if rank == size - 1 else 0) == 10

    for root in range(size):
        told = {"root": root, "text": "θ ≥ 0\n", "float": 0.1, "none": None, "long": [root] * 50_000}
        assert world.share(told if rank == root else "not this", root) == told

    calls = []
    assert world.on_root(lambda: calls.append(rank) or {"answer": 42}) == {"answer": 42}
    assert calls == ([0] if rank == 0 else [])

    def refuse():
        raise Refusal("no, β", 17)

    try:
        world.on_root(refuse)
    except Refusal as refusal:
        assert (str(refusal), refusal.code) == ("no, β", 17)
    else:
        raise AssertionError("a refusal on rank 0 must be raised on every rank")
    everyone = world.all_gather(np.array([[float(rank)]]), [1] * size)
    if rank == 0:
        print("agreed:", everyone.ravel().astype(int).tolist())
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
