"""Both topologies, without MPI: ranks are threads that exchange through a list and a barrier."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mpi.agreement import SEARCH
from mpi.communicator import Serial
from mpi.topologies import BY_NAME
from reference import MeanOfWorkers, problems
from reference.sources import nodes_within

STEP = 3


class World:
    """What the threads of one job share."""

    def __init__(self, size):
        self.size, self.slots, self.barrier = size, [None] * size, threading.Barrier(size, timeout=20)

    def run(self, body):
        """[body(communicator of rank 0), body(communicator of rank 1), ...], all at the same time."""

        def of_rank(rank):
            try:
                return body(Threads(self, rank))
            except BaseException:
                self.barrier.abort()
                raise

        with ThreadPoolExecutor(self.size) as pool:
            return list(pool.map(of_rank, range(self.size)))


class Threads(Serial):
    def __init__(self, world, rank):
        self.world, self.rank, self.size = world, rank, world.size

    def exchange(self, value):
        self.world.slots[self.rank] = value
        self.world.barrier.wait()
        everyone = list(self.world.slots)
        self.world.barrier.wait()
        return everyone

    def broadcast(self, array):
        array[...] = self.exchange(array.copy())[0]

    def all_gather(self, rows, counts):
        everyone = self.exchange(rows.copy())
        assert [len(rows) for rows in everyone] == counts
        return np.concatenate(everyone)

    def gather(self, rows, counts):
        stacked = self.all_gather(rows, counts)
        return stacked if self.rank == 0 else None

    def max(self, value):
        return max(self.exchange(value))

    def min(self, value):
        return min(self.exchange(value))

    def share(self, value, root=0):
        return self.exchange(value)[root]


class Given(problems.Problem):
    """Worker i's sample is row i, whatever x."""

    name = "given"

    def __init__(self, rows):
        super().__init__(np.zeros(rows.shape[1]))
        self.rows = rows

    @property
    def parameters(self):
        return {"rows": self.rows.tolist()}

    def value(self, x):
        return 0.0 * x[..., 0]

    def gradient(self, x):
        return np.zeros_like(x)

    def samples(self, x, t, sampler, workers, gradient=None):
        return self.rows[workers.start : workers.stop].copy()


def spread(topology, problem, workers, world, x, t=STEP):
    """Every rank's mean (None on ranks that only serve); x is known to rank 0 alone where there is a server."""

    def body(communicator):
        source = BY_NAME[topology](problem, 11, workers, communicator)
        if source.updates:
            return source(x.copy(), t)
        received = np.full_like(x, np.nan)
        source.exchange(received, t)
        assert received.tobytes() == x.tobytes()
        return None

    return world.run(body)


@pytest.mark.parametrize("topology", BY_NAME)
@pytest.mark.parametrize("size", range(1, 10))
def test_the_mean_is_that_of_one_process_to_the_bit(topology, size):
    problem = problems.Bump(3, problems.Gaussian(2.0), local_batch=2)
    x = np.array([0.3, -1.7, 12.0])
    for workers in range(1, 21):
        expected = MeanOfWorkers(problem, 11, workers)(x, STEP).tobytes()
        means = spread(topology, problem, workers, World(size), x)
        updating = [rank for rank, mean in enumerate(means) if mean is not None]
        assert updating == (list(range(size)) if topology == "allreduce" else [0])
        assert all(means[rank].tobytes() == expected for rank in updating), f"{workers} workers"


@pytest.mark.parametrize("topology", BY_NAME)
def test_signed_zeros_and_cancellation_survive(topology):
    """-0 + -0 = -0 (a sum padded with zeros would lose it); huge terms make every order of addition different."""
    rows = np.array([[-0.0, 1e16], [-0.0, 1.0], [-0.0, -1e16], [-0.0, 3.0], [-0.0, 1e16], [-0.0, -1e16], [-0.0, 5.0]])
    for workers in range(1, 8):
        level = [row.copy() for row in rows[:workers]]
        while len(level) > 1:
            odd = level[-1:] if len(level) % 2 else []
            level = [a + b for a, b in zip(level[::2], level[1::2], strict=False)] + odd
        expected = (level[0] / workers).tobytes()
        for size in (1, 2, 3, 4, 5, 8):
            means = spread(topology, Given(rows), workers, World(size), np.zeros(2))
            assert all(mean.tobytes() == expected for mean in means if mean is not None), (workers, size)


@pytest.mark.parametrize("topology", BY_NAME)
def test_every_worker_has_one_host(topology):
    for size in range(1, 10):
        for workers in range(1, 21):
            hosted = World(size).run(lambda c, s=workers: BY_NAME[topology](Given(np.zeros((1, 1))), 0, s, c).hosted)
            assert [i for of_rank in hosted for i in of_rank] == list(range(workers))
            assert max(map(len, hosted)) - min(map(len, hosted)) <= 1


@pytest.mark.parametrize("topology", BY_NAME)
@pytest.mark.parametrize("value", [np.nan, np.inf, -1e200])
def test_the_first_bad_worker_is_named_by_every_rank(topology, value):
    for size in (1, 2, 3, 5, 9):
        for first, last in ((0, 6), (2, 2), (3, 5), (6, 6)):
            rows = np.ones((7, 4))
            rows[first, 2], rows[last, 1 if last > first else 2] = value, value

            def body(communicator, rows=rows):
                source = BY_NAME[topology](Given(rows), 0, 7, communicator)
                if source.updates:
                    return source.locate(np.zeros(4), STEP)
                assert communicator.max(0) == SEARCH  # what a serving rank hears after its step
                return source.search(np.zeros(4), STEP)

            for error in World(size).run(body):
                assert (error.step, error.worker, error.coordinate) == (STEP, first, 2)
                assert repr(error.value) == repr(value)
                assert f"worker {first} " in str(error)


@pytest.mark.parametrize("topology", BY_NAME)
def test_no_worker_is_blamed_where_none_is_bad(topology):
    def body(communicator):
        return BY_NAME[topology](Given(np.ones((7, 4))), 0, 7, communicator).search(np.zeros(4), STEP)

    assert World(3).run(body) == [None] * 3


@pytest.mark.parametrize("topology", BY_NAME)
def test_the_full_gradient_is_formed_once_a_step_on_a_rank_that_hosts_workers(topology):
    """However many nodes of the tree it sends, and nowhere where the record has it already."""
    calls = []

    class Counting(problems.Bump):
        def gradient(self, x):
            calls.append(x)
            return super().gradient(x)

    problem = Counting(3, problems.Gaussian(1.0), 1)
    assert nodes_within(0, 3, 7) == [(0, 2), (2, 3)]  # of the first of 2 ranks
    for size, hosts in ((2, 2), (9, 7)):
        calls.clear()
        spread(topology, problem, 7, World(size), np.ones(3))
        assert len(calls) == hosts
    calls.clear()
    BY_NAME[topology](problem, 11, 7, Serial()).exchange(np.ones(3), STEP, np.zeros(3))
    assert calls == []
