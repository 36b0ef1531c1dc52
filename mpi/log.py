"""What a run says while it runs: lines on standard error, warnings from every rank, the rest from rank 0."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger("mpi.train")


@contextmanager
def shown(rank: int) -> Iterator[None]:
    """Within it, what this rank has to say appears on standard error: everything on rank 0, warnings on the others."""
    handler, level = logging.StreamHandler(sys.stderr), log.level
    log.setLevel(logging.WARNING if rank else logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
