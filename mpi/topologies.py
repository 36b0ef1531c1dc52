"""Who adds the workers' samples, and who updates. All topologies give the same mean, to the last bit.

Rank r of P hosts the workers r*s//P .. (r+1)*s//P - 1 of s (none, where P > s). It draws their samples, adds every pair
of the summation tree whose halves it has, and sends the few nodes left (`reference.sources`).
"""

from __future__ import annotations

import numpy as np

from mpi.communicator import Serial
from mpi.launch import NON_FINITE
from reference.adam import Array, NonFiniteError
from reference.problems import Problem
from reference.sampling import Sampler
from reference.sources import locate_non_finite, mean, nodes_within, sum_of_workers, tree_sum


class Topology:
    """A source of g_t whose s samples are spread over ranks. `updates`: whether this rank holds m and v and steps."""

    name: str
    updates: bool

    def __init__(self, problem: Problem, seed: int, workers: int, communicator: Serial):
        self.problem, self.workers, self.communicator = problem, workers, communicator
        self.sampler = Sampler(seed)
        size = communicator.size
        hosted = [(r * workers // size, (r + 1) * workers // size) for r in range(size)]
        self.hosted = range(*hosted[communicator.rank])
        self.nodes = [nodes_within(lo, hi, workers) for lo, hi in hosted]
        self.counts = [len(nodes) for nodes in self.nodes]

    def __call__(self, x: Array, t: int) -> Array:
        """The mean over the s workers, on a rank that updates."""
        raise TypeError(f"{type(self).__name__} does not say how sums travel")

    def _own_sums(self, x: Array, t: int) -> Array:
        """This rank's nodes (count, d)."""
        own = self.nodes[self.communicator.rank]
        rows = np.empty((len(own), x.size), x.dtype)
        for row, (a, b) in zip(rows, own, strict=True):
            row[...] = sum_of_workers(self.problem, self.sampler, x, t, a, b)
        return rows

    def _finish(self, rows: Array) -> Array:
        """The mean, from every rank's nodes."""
        nodes = [node for of_rank in self.nodes for node in of_rank]
        sums = dict(zip(nodes, rows, strict=True))
        return mean(tree_sum(0, self.workers, lambda a, b: sums.get((a, b))), self.workers)

    def locate(self, x: Array, t: int) -> NonFiniteError | None:
        """Called where the mean turned out not to be finite: tells the other ranks, and finds the worker with them."""
        self.communicator.max(NON_FINITE_STEP)
        return self.search(x, t)

    def search(self, x: Array, t: int) -> NonFiniteError | None:
        """The first worker whose sample is not finite, the same answer on every rank. The samples are drawn again."""
        found = locate_non_finite(self.problem, self.sampler, x, t, self.hosted)
        first = self.communicator.min(self.workers if found is None or found.worker is None else found.worker)
        if first == self.workers:
            return None
        root = next(r for r, nodes in enumerate(self.nodes) if nodes and nodes[0][0] <= first < nodes[-1][1])
        told = [found.coordinate, repr(found.value)] if found and found.worker == first else None
        coordinate, value = self.communicator.share(told, root)
        return NonFiniteError(t, coordinate, float(value), first)


class AllReduce(Topology):
    """Every rank gets all nodes, finishes the tree and updates its own copy of x, m and v."""

    name = "allreduce"
    updates = True

    def __call__(self, x: Array, t: int) -> Array:
        return self._finish(self.communicator.all_gather(self._own_sums(x, t), self.counts))


class ParameterServer(Topology):
    """Algorithm 3 as printed (p. 17): rank 0 holds m and v, sends x and takes the sums. It hosts workers too."""

    name = "parameter-server"

    def __init__(self, problem: Problem, seed: int, workers: int, communicator: Serial):
        super().__init__(problem, seed, workers, communicator)
        self.updates = communicator.rank == 0

    def __call__(self, x: Array, t: int) -> Array:
        """The server's half of a step."""
        self.communicator.broadcast(x)
        rows = self.communicator.gather(self._own_sums(x, t), self.counts)
        assert rows is not None  # on rank 0
        return self._finish(rows)

    def serve(self, x: Array, t: int) -> None:
        """A worker's half: takes x_t into x, sends its sums."""
        self.communicator.broadcast(x)
        self.communicator.gather(self._own_sums(x, t), self.counts)


# What ranks agree on after a step: 0 to go on, a signal's number to stop, or this.
NON_FINITE_STEP = 1000 + NON_FINITE

BY_NAME = {topology.name: topology for topology in (ParameterServer, AllReduce)}
