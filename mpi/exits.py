"""How a process ends: the exit codes, and the two exceptions that are one line instead of a traceback."""

from __future__ import annotations

DONE, ERROR, USAGE, NON_FINITE = 0, 1, 2, 3


def stopped_by(signal_number: int) -> int:
    """The exit code of a run that a signal stopped after a checkpoint: 128 + n."""
    return 128 + signal_number


class Failure(Exception):
    """Something failed on this rank that is no mistake of the code, such as a full disk. It ends the whole job."""


class Refusal(Exception):
    """What was asked for cannot be done, and every rank knows it.

    Rank 0 prints the message as one line; an empty message prints nothing.

    Attributes
    ----------
    code : int
        The exit code of every rank.
    """

    def __init__(self, message: str, code: int):
        super().__init__(message)
        self.code = code
