"""(seed, t, replica, worker i) -> random numbers, and nothing else: what a worker draws does not depend on who asks.

One Philox4x64 key (seed, t) per step; the 256-bit counter starts at (0, block of replicas, worker, stream). The
first word counts the draws. A block holds 256 replicas drawn together, so a replica is an index into the draw:
the first 100 of 1,000 replicas are the run of 100, and replica 0 is the single run. No generator state is ever
stored; any step of any worker can be drawn again at any time, on any rank.

Raw words are NumPy's guaranteed bit stream. Normals come from Generator.standard_normal (ziggurat), whose output
is fixed for one NumPy version; runs record the version.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference.checks import integer

REPLICAS_PER_BLOCK = 256
NOISE, START = 0, 1  # streams: the gradient samples; a problem's random starting point


class Sampler:
    """Draws for one seed. Samples are i.i.d., with replacement.

    Two calls for one step and worker begin at the same counter: the second draw of a step comes from another stream
    (`stream`), or it would repeat the words of the first.

    Parameters
    ----------
    seed : int
        0 <= seed < 2^64.
    stream : int
        0 <= stream < 2^64.
    first_replica : int
        The first replica drawn is this one, a multiple of 256: so many replicas run block after block.
    """

    def __init__(self, seed: int, stream: int = NOISE, first_replica: int = 0) -> None:
        if integer("seed", seed, 0, "and below 2^64, as it is half of a Philox key") >= 2**64:
            raise ValueError(f"seed must be below 2^64, as it is half of a Philox key; got {seed}")
        if not (first_replica >= 0 and first_replica % REPLICAS_PER_BLOCK == 0):
            raise ValueError(f"first_replica must be a multiple of {REPLICAS_PER_BLOCK}; got {first_replica}")
        self._first_replica, self._streams = first_replica, dict[int, Sampler]()
        self.seed, self.first_block = int(seed), int(first_replica) // REPLICAS_PER_BLOCK
        self._bits = np.random.Philox(0)
        self._generator = np.random.Generator(self._bits)
        # lists of Python integers: the bit generator reads them twice as fast as arrays
        self._counter = [0, 0, 0, stream]
        self._key = [self.seed, 0]
        self._state: Any = {
            "bit_generator": "Philox",
            "state": {"counter": self._counter, "key": self._key},
            "buffer": [0, 0, 0, 0],
            "buffer_pos": 4,  # empty: the next word starts at the counter
            "has_uint32": 0,
            "uinteger": 0,
        }

    def stream(self, number: int) -> Sampler:
        """The same seed and replicas on another stream, independent of every other one."""
        if number not in self._streams:
            self._streams[number] = Sampler(self.seed, number, self._first_replica)
        return self._streams[number]

    def _blocks(self, out: NDArray, t: int, workers: range) -> Iterator[NDArray]:
        """The blocks of out[worker, replica, ...], each with the generator set to where its draws begin."""
        self._key[1] = t
        for number, first in enumerate(range(0, out.shape[1], REPLICAS_PER_BLOCK), self.first_block):
            self._counter[1] = number
            for row, worker in enumerate(workers):
                self._counter[2] = worker
                self._bits.state = self._state
                yield out[row, first : first + REPLICAS_PER_BLOCK]

    def normals(self, t: int, workers: range, replicas: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Independent N(0, 1), array (len(workers), replicas, *shape)."""
        out = np.empty((len(workers), replicas, *shape))
        draw = self._generator.standard_normal
        for block in self._blocks(out, t, workers):
            draw(None, np.float64, block)
        return out

    def words(self, t: int, workers: range, replicas: int, shape: tuple[int, ...]) -> NDArray[np.uint64]:
        """Independent uniform 64-bit words, array (len(workers), replicas, *shape)."""
        out = np.empty((len(workers), replicas, *shape), np.uint64)
        for block in self._blocks(out, t, workers):
            block[...] = self._bits.random_raw(block.size).reshape(block.shape)
        return out

    def indices(self, t: int, workers: range, replicas: int, shape: tuple[int, ...], n: int) -> NDArray[np.int64]:
        """Independent, uniform on 0..n-1 (n < 2^32): floor(word * n / 2^64), each probability within 2^-64 of 1/n."""
        words = self.words(t, workers, replicas, shape)
        high, low = words >> np.uint64(32), words & np.uint64(2**32 - 1)
        return ((high * np.uint64(n) + ((low * np.uint64(n)) >> np.uint64(32))) >> np.uint64(32)).astype(np.int64)
