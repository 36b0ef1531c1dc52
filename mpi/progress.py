"""How far a run is: a bar on a terminal; elsewhere a line every 2 seconds, since launchers pass on lines alone."""

from __future__ import annotations

import sys
import time
from typing import Any

from mpi.log import log


class Progress:
    """Shows how many of the steps first + 1 .. last are done: call `step(t)` after each one, `close()` at the end."""

    def __init__(self, first: int, last: int):
        self.first, self.last = first, last
        self.begin = self.shown = time.monotonic()
        self.bar: Any = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=last, initial=first, unit="step", leave=False)

    def step(self, t: int) -> None:
        """Step t is done."""
        now = time.monotonic()
        if self.bar is not None:
            self.bar.update(1)
        elif now - self.shown >= 2:
            self.shown = now
            rate = (t - self.first) / (now - self.begin)
            log.info("step %d of %d, %.0f steps/s, %.0f s left", t, self.last, rate, (self.last - t) / rate)

    def close(self) -> None:
        """No more steps will follow."""
        if self.bar is not None:
            self.bar.close()
