"""Who adds the workers' samples, and who updates. All topologies give the same mean, to the last bit.

Rank r of P hosts the workers r*s//P .. (r+1)*s//P - 1 of s (none, where P > s). It draws their samples, adds every pair
of the summation tree whose halves it has, and sends the few nodes left (`reference.sources`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from mpi.agreement import SEARCH
from mpi.communicator import Serial
from reference.adam import AdamState, Array, NonFiniteError
from reference.problems import Problem
from reference.sampling import Sampler
from reference.sources import Source, locate_non_finite, mean, nodes_within, sum_of_workers, tree_sum


class Topology(Source):
    """A source of g_t whose s samples are spread over ranks.

    Attributes
    ----------
    name : str
        On the command line.
    everyone_updates : bool
        Whether every rank holds x, m and v and steps.
    updates : bool
        Whether this rank does.
    hosted : range
        The workers of this rank.
    """

    problem: Problem
    name: ClassVar[str]
    everyone_updates: ClassVar[bool]

    def __init__(self, problem: Problem, seed: int, workers: int, communicator: Serial):
        self.problem, self.workers, self.communicator = problem, workers, communicator
        self.sampler = Sampler(seed)
        size = communicator.size
        hosted = [(r * workers // size, (r + 1) * workers // size) for r in range(size)]
        self.hosted = range(*hosted[communicator.rank])
        self.nodes = [nodes_within(lo, hi, workers) for lo, hi in hosted]
        self.counts = [len(nodes) for nodes in self.nodes]
        self.updates = self.everyone_updates or communicator.rank == 0

    @abstractmethod
    def exchange(self, x: Array, t: int, gradient: Array | None = None) -> Array | None:
        """One step's communication, which every rank takes part in: the mean over the s workers on a rank that updates.

        Parameters
        ----------
        x : array (d,)
            x_t; on a rank that does not update it is overwritten by x_t.
        t : int
            t >= 1.
        gradient : array (d,), optional
            grad f(x_t), where the caller has it.

        Returns
        -------
        array (d,) or None
            (1/s) sum_{i<=s} g_t^(i), of x's dtype; None on a rank that does not update.
        """

    def __call__(self, x: Array, t: int, gradient: Array | None = None) -> Array:
        """The mean over the s workers, (d,), on a rank that updates; TypeError on another one."""
        mean = self.exchange(x, t, gradient)
        if mean is None:
            raise TypeError(f"rank {self.communicator.rank} does not update under the topology {self.name}")
        return mean

    def serve(self, state: AdamState, last: int) -> Iterator[AdamState]:
        """Steps state.t + 1 .. last of a rank that does not update: its part in each exchange.

        Yields t and x_t, as a state whose m and v mean nothing.
        """
        x = np.empty_like(state.x)
        for t in range(state.t + 1, last + 1):
            self.exchange(x, t)
            yield state._replace(t=t, x=x)

    def _own_sums(self, x: Array, t: int, gradient: Array | None) -> Array:
        """This rank's nodes (count, d)."""
        own = self.nodes[self.communicator.rank]
        if gradient is None and own:
            gradient = self.problem.gradient_for_samples(x)  # once for all nodes
        rows = np.empty((len(own), x.size), x.dtype)
        for row, (a, b) in zip(rows, own, strict=True):
            row[...] = sum_of_workers(self.problem, self.sampler, x, t, a, b, gradient)
        return rows

    def _finish(self, rows: Array) -> Array:
        """The mean, from every rank's nodes."""
        nodes = [node for of_rank in self.nodes for node in of_rank]
        sums = dict(zip(nodes, rows, strict=True))
        return mean(tree_sum(0, self.workers, lambda a, b: sums.get((a, b))), self.workers)

    def locate(self, x: Array, t: int) -> NonFiniteError | None:
        """Called where the mean turned out not to be finite: tells the other ranks, and finds the worker with them."""
        self.communicator.max(SEARCH)
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
    everyone_updates = True

    def exchange(self, x: Array, t: int, gradient: Array | None = None) -> Array:
        """Every rank's nodes to every rank, which forms the mean for itself."""
        return self._finish(self.communicator.all_gather(self._own_sums(x, t, gradient), self.counts))


class ParameterServer(Topology):
    """Algorithm 3 as printed (Chen et al. 2022, p. 17): rank 0 holds m and v, sends x and takes the sums.

    It hosts workers too.
    """

    name = "parameter-server"
    everyone_updates = False

    def exchange(self, x: Array, t: int, gradient: Array | None = None) -> Array | None:
        """x_t from rank 0 to every rank, their nodes back; the mean on rank 0."""
        self.communicator.broadcast(x)
        rows = self.communicator.gather(self._own_sums(x, t, gradient), self.counts)
        return None if rows is None else self._finish(rows)


BY_NAME: dict[str, type[Topology]] = {topology.name: topology for topology in (ParameterServer, AllReduce)}
