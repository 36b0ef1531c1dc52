"""What a job keeps of its history and its time, and what importing the command leaves alone."""

import os
import subprocess
import sys

import numpy as np
import pytest
import threadpoolctl
from mpirun import alone, result

from mpi import job, log, picture, starting
from mpi.communicator import Serial
from mpi.preparing import Prepared
from reference import checkpoint

OPTIONS = {
    "problem": "bump",
    "steps": 4,
    "workers": 1,
    "local_batch": 1,
    "alpha": 1.0,
    "beta": 0.5,
    "theta": 1.0,
    "epsilon": 0.1,
    "topology": "parameter-server",
    "reduction": "tree",
    "seed": 0,
}


@pytest.fixture(autouse=True)
def no_picture(monkeypatch):
    monkeypatch.setattr(picture, "drawn", lambda *_: b"")


def plan(tmp_path, **options):
    stretch = {"t": 0, "last": 4, "every": 100, "workers_given": True}
    return stretch | {"options": OPTIONS | options, "out": str(tmp_path)}


@pytest.mark.parametrize("steps", [1, 99_999, 100_000, 100_001, 200_000, 200_001, 300_000, 12_345_678])
def test_at_most_100_000_history_entries_and_no_fewer_than_needed(steps):
    every = job.every_kept(steps)
    kept = len(range(1, steps + 1, every))
    assert kept <= 100_000
    assert every == 1 or len(range(1, steps + 1, every - 1)) > 100_000


def test_a_job_records_so(tmp_path):
    made = job.Job(Serial(), Prepared(plan(tmp_path, steps=200_000), {}))
    assert made.recorder.every == 2


def test_the_time_of_earlier_stretches_counts(tmp_path):
    """In result.json, and in the checkpoint, from which a third stretch would take it."""
    job.Job(Serial(), Prepared(plan(tmp_path) | {"last": 2}, {})).run()
    arrays, manifest = checkpoint.load(tmp_path / "checkpoint")
    assert manifest["t"] == 2 and 0 <= arrays["seconds"] < 60
    arrays["seconds"] = np.array(1000.0)
    job.Job(Serial(), Prepared(plan(tmp_path) | {"t": 2}, arrays)).run()
    assert 1000 <= result(tmp_path)["wall_seconds"] < 1060
    assert 1000 <= checkpoint.load(tmp_path / "checkpoint")[0]["seconds"] < 1060


def test_two_calls_in_one_process_leave_nothing_behind(tmp_path):
    """The folder's lock is let go, the handler of the log too, and BLAS has its threads back."""
    threads = [library["num_threads"] for library in threadpoolctl.threadpool_info()]
    assert alone("--problem bump --steps 4 --stop-after 2", tmp_path / "out").code == 0
    ended = alone("--resume", tmp_path / "out")
    assert ended.code == 0 and ended.err.count("resuming after step 2") == 1
    assert log.log.handlers == []
    assert [library["num_threads"] for library in threadpoolctl.threadpool_info()] == threads


def test_a_call_computes_on_one_blas_thread(tmp_path, monkeypatch):
    seen = []

    def run(self):
        seen.extend(
            library["num_threads"] for library in threadpoolctl.threadpool_info() if library["user_api"] == "blas"
        )
        return 0

    monkeypatch.setattr(job.Job, "run", run)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        assert alone("--problem bump --steps 4", tmp_path / "out").code == 0
    assert seen and set(seen) == {1}


def test_importing_the_command_touches_neither_the_environment_nor_the_signals():
    clean = {name: value for name, value in os.environ.items() if name not in starting.THREADS}
    program = (
        "import os, signal\n"
        "before = dict(os.environ), [signal.getsignal(n) for n in (2, 10, 15)]\n"
        "import mpi.train, mpi.job, mpi.preparing\n"
        "assert (dict(os.environ), [signal.getsignal(n) for n in (2, 10, 15)]) == before\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, env=clean)


def test_the_command_computes_on_one_blas_thread():
    clean = {name: value for name, value in os.environ.items() if name not in starting.THREADS}
    program = (
        "import os, runpy, sys\n"
        "sys.argv = ['mpi.train', '--problem', 'bump', '--help']\n"
        "try: runpy.run_module('mpi.train', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "import numpy, threadpoolctl\n"
        "assert os.environ['OPENBLAS_NUM_THREADS'] == '1'\n"
        "assert {library['num_threads'] for library in threadpoolctl.threadpool_info()} <= {1}\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, capture_output=True, env=clean)
