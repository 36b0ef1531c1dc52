"""`python -m mpi.train OPTIONS`, again and again, each time dying one file operation later, then resumed to the end.

usage: crashes.py FOLDER OPTIONS. A run that died before its first checkpoint starts again. Prints one
JSON line a crash: the folder and the exit codes.
"""

import contextlib
import io
import json
import os
import sys
from pathlib import Path

from mpi import train
from mpi.ending import guarded

DIED = 99


def die_at(number):
    """The process ends, as if killed, right before its number-th file operation."""
    counted = [0]

    def counting(original):
        def operation(*arguments, **more):
            if counted[0] == number:
                os._exit(DIED)
            counted[0] += 1
            return original(*arguments, **more)

        return operation

    for name in ("mkdir", "fsync", "replace", "unlink"):  # before fsync a file is written, but not renamed
        setattr(os, name, counting(getattr(os, name)))


def child(arguments, before=lambda: None):
    """Exit code of the command in a forked process."""
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.dup2(2, 1)
        before()
        code = guarded(lambda MPI: train.main(MPI, arguments))
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(MPI):
    from mpi import picture

    picture.drawn = lambda *_: b""
    os.fsync = lambda file: None  # slow, and a kill, unlike a power cut, loses nothing that was written
    folder, options = Path(sys.argv[1]), sys.argv[2:]
    with contextlib.redirect_stdout(io.StringIO()):
        train.main(MPI, [*options, "--out", str(folder / "first")])  # so that the forks find everything imported
    number, code = 0, DIED
    while code == DIED:
        out = folder / f"{number:03d}"
        arguments = [*options, "--out", str(out)]
        code = child(arguments, lambda n=number: die_at(n))
        codes = [code]
        while not (out / "result.json").exists() and len(codes) < 4:
            started = (out / "checkpoint" / "manifest.json").exists()
            codes.append(child(["--resume", "--out", str(out)] if started else arguments))
        print(json.dumps({"out": str(out), "codes": codes}), flush=True)
        number += 1
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
