"""SIGINT, SIGTERM and SIGUSR1: remembered when they arrive, obeyed by all ranks together after a step."""

from __future__ import annotations

import os
import signal
from types import FrameType


class Signals:
    """Remembers the last signal that arrived.

    Attributes
    ----------
    received : int
        Its number; 0 where none has arrived.
    """

    received = 0

    def install(self, alone: bool, speaks: bool) -> None:
        """From now on a signal is remembered and does not end the process.

        Parameters
        ----------
        alone : bool
            This is the only process. A second signal then ends it at once. Under a launcher one Ctrl-C may arrive
            twice, from the terminal and from the launcher, so there a second signal is like the first.
        speaks : bool
            This process says on standard error what will happen.
        """
        self.alone, self.speaks = alone, speaks
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        if self.alone:
            signal.signal(number, signal.SIG_DFL)
        if self.speaks:
            again = "; send it again to end at once" if self.alone else ""
            os.write(2, f"{signal.Signals(number).name}: stopping after this step{again}\n".encode())


SIGNALS = Signals()
