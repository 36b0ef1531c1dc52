"""`python -m mpi.train` with a problem that goes wrong: --problem faulty is the bump, until worker i draws at step t.

Several command lines with a + between them are run one after the other, as long as they end well.

FAULT="KIND WORKER STEP" in the environment says what happens then; without it the problem is sound.
"""

import os
import signal
import sys
import tempfile
import time

from mpi import train
from mpi.ending import guarded

KIND, WORKER, STEP = os.environ.get("FAULT", "none -1 -1").split()
VALUES = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf"), "huge": 1e200}


def strike(rows, worker):
    if KIND == "raise":
        raise RuntimeError("a worker's own words")
    if KIND == "exit":
        sys.exit(7)
    if KIND in VALUES:
        rows[worker, 1] = VALUES[KIND]
    elif KIND == "long":
        time.sleep(30)
    elif KIND.startswith("SIG"):
        os.kill(os.getpid(), getattr(signal, KIND))


def main(MPI):
    if KIND == "late":  # imports that take their time; a file says that this rank has started
        with tempfile.NamedTemporaryFile(dir=".", prefix="started-", delete=False):
            time.sleep(0.5)
    from mpi import picture
    from reference import checkpoint, problems

    if KIND == "kernels" and MPI.COMM_WORLD.rank == int(WORKER):  # this rank's machine is of another kind
        checkpoint.environment = lambda: {"blas": "another"}
    picture.drawn = lambda *_: b""  # half of the time of a short run, and no matter here

    class Faulty(problems.Bump):
        name = "faulty"

        def samples(self, x, t, sampler, workers, gradient=None):
            rows = super().samples(x, t, sampler, workers, gradient)
            if KIND == "slow":
                time.sleep(0.01)
            elif t == int(STEP) and int(WORKER) in workers:
                strike(rows, workers.index(int(WORKER)))
            return rows

    problems.BY_NAME["faulty"] = lambda B: Faulty(4, problems.Gaussian(1.0), B)
    code, given = 0, sys.argv[1:]
    while given and not code:
        here = given.index("+") if "+" in given else len(given)
        code = train.main(MPI, given[:here])
        given = given[here + 1 :]
    return code


if __name__ == "__main__":
    sys.exit(guarded(main))
