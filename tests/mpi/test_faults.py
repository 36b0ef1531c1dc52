"""One rank goes wrong: the whole job ends, soon, with the documented code, and what was done is kept."""

import os
import signal
import time

import numpy as np
import pytest
from mpirun import LIMIT, OPEN_MPI, alone, contents, manifest, outcome, quick, run, train

from reference import checkpoint

RUN = "--problem faulty --workers 5 --steps 40 --seed 9"  # on 3 ranks: workers 0 | 1, 2 | 3, 4
TOPOLOGIES = ("parameter-server", "allreduce")
KILLED = (9, 137, 255)  # what launchers say after SIGKILL
parallel = pytest.mark.parallel


@pytest.fixture(scope="module")
def unbroken(sound, tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken") / "out"
    assert alone(RUN, out).code == 0
    return outcome(out)


def check_resumes(out, unbroken):
    ended = alone("--resume", out)
    assert ended.code == 0, ended.err
    assert outcome(out) == unbroken


# --- exceptions and deaths -------------------------------------------------------------------------------------------


@parallel
@pytest.mark.parametrize(("worker", "rank", "topology"), [(0, 0, "parameter-server"), (2, 1, "allreduce")])
def test_an_exception_on_one_rank_ends_the_job(tmp_path, worker, rank, topology):
    begin = time.monotonic()
    ended = quick(3, f"{RUN} --topology {topology}", tmp_path / "out", f"raise {worker} 17").end()
    assert ended.code == 1
    assert f"rank {rank} failed:" in ended.err and "RuntimeError: a worker's own words" in ended.err
    assert 'faults.py"' in ended.err and "in strike" in ended.err  # the traceback
    assert ended.err.count(" failed:") == 1
    assert time.monotonic() - begin < LIMIT / 3


def test_an_exception_in_one_process(tmp_path):
    ended = quick(None, RUN, tmp_path / "out", "raise 2 17").end()
    assert ended.code == 1 and "rank 0 failed:" in ended.err and "a worker's own words" in ended.err


@parallel
def test_sys_exit_on_one_rank_ends_the_job(tmp_path):
    ended = quick(3, RUN, tmp_path / "out", "exit 4 17").end()
    assert ended.code == 1 and "rank 2 failed:" in ended.err and "SystemExit: 7" in ended.err


@parallel
def test_an_import_that_fails_on_one_rank_ends_the_job(tmp_path):
    """The last rank alone finds a broken numpy: an error before the first line of the program proper."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "numpy.py").write_text("raise ImportError('half installed')")
    program = 'import os, sys\nif os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK")) == "2":\n'
    program += f'    sys.path.insert(0, "{tmp_path / "broken"}")\n'
    program += "from mpi import train\nfrom mpi.ending import guarded\nsys.exit(guarded(train.main))"
    ended = run(3, "-c", program, "--steps", 50, "--out", tmp_path / "out", cwd=tmp_path)
    assert ended.code == 1 and "rank 2 failed:" in ended.err and "half installed" in ended.err


@parallel
@pytest.mark.parametrize(("worker", "topology"), [(0, "parameter-server"), (3, "allreduce")])
def test_a_killed_rank_ends_the_job_and_the_last_checkpoint_resumes(tmp_path, unbroken, worker, topology):
    out = tmp_path / "out"
    ended = quick(3, f"{RUN} --topology {topology} --checkpoint-every 6", out, f"SIGKILL {worker} 17").end()
    assert ended.code in KILLED
    assert manifest(out)["t"] == 12
    check_resumes(out, unbroken)


# --- gradients that are not finite -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranks", "topology", "kind", "worker"),
    [
        (None, "parameter-server", "nan", 4),
        (None, "allreduce", "huge", 0),
        pytest.param(2, "parameter-server", "inf", 0, marks=parallel),
        pytest.param(3, "parameter-server", "nan", 4, marks=parallel),
        pytest.param(3, "allreduce", "-inf", 3, marks=parallel),
        pytest.param(6, "allreduce", "huge", 0, marks=parallel),  # rank 0 hosts no worker
    ],
)
def test_a_gradient_that_is_not_finite_stops_every_rank(tmp_path, unbroken, ranks, topology, kind, worker):
    out = tmp_path / "out"
    ended = quick(ranks, f"{RUN} --topology {topology}", out, f"{kind} {worker} 17").end()
    assert ended.code == 3, ended.err
    value = "1e+200" if kind == "huge" else kind
    why = "whose square overflows" if kind == "huge" else "which is not finite"
    assert ended.errors == [f"error: step 17: the gradient of worker {worker} has {value} at coordinate 1, {why}"]
    assert "Traceback" not in ended.err and "Warning" not in ended.err
    assert manifest(out)["t"] == 16 and not (out / "result.json").exists()
    with np.load(out / "history.npz") as history:
        assert history["t"].tolist() == list(range(1, 17))
    check_resumes(out, unbroken)


@pytest.mark.parametrize("ranks", [None, pytest.param(2, marks=parallel)])
def test_not_finite_in_the_first_step(tmp_path, unbroken, ranks):
    out = tmp_path / "out"
    ended = quick(ranks, RUN, out, "nan 0 1").end()
    assert ended.code == 3 and len(ended.errors) == 1 and "step 1: the gradient of worker 0" in ended.errors[0]
    assert "Traceback" not in ended.err and "Warning" not in ended.err
    assert manifest(out)["t"] == 0
    check_resumes(out, unbroken)


def test_not_finite_again_after_resuming(tmp_path, unbroken):
    """The same step fails again, right after a checkpoint of the step before, which is then written a second time."""
    out = tmp_path / "out"
    for options in (f"{RUN} --checkpoint-every 8", "--resume", "--resume"):
        ended = quick(None, options, out, "nan 2 17").end()
        assert ended.code == 3 and len(ended.errors) == 1
        assert manifest(out)["t"] == 16
    check_resumes(out, unbroken)


# --- signals ---------------------------------------------------------------------------------------------------------


@parallel
@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("worker", [0, 3])  # of rank 0, and of rank 2
def test_a_signal_to_one_rank_stops_all_at_the_same_step(tmp_path, unbroken, worker, topology):
    out = tmp_path / "out"
    ended = quick(3, f"{RUN} --topology {topology}", out, f"SIGUSR1 {worker} 17").end()
    assert ended.code == 138, ended.err
    assert "stopped by SIGUSR1 after step 17 of 40" in ended.err
    assert manifest(out)["t"] == 17 and not (out / "result.json").exists()
    check_resumes(out, unbroken)


@pytest.mark.parametrize("ranks", [None, pytest.param(2, marks=parallel)])
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGUSR1", 138)])
def test_a_signal_to_the_launcher(tmp_path, unbroken, ranks, name, code):
    out = tmp_path / "out"
    job = quick(ranks, f"{RUN} --checkpoint-every 1", out, "slow -1 -1")
    job.wait_for(lambda: (out / "checkpoint" / "manifest.json").exists() and manifest(out)["t"] > 0)
    os.kill(job.process.pid, getattr(signal, name))
    ended = job.end()
    if OPEN_MPI and ranks and name != "SIGUSR1":  # whose mpirun then ends with 1 and drops what the ranks still say
        assert ended.code == 1
    else:
        assert ended.code == code, ended.err
        assert f"stopped by {name} after step {manifest(out)['t']} of 40" in ended.err
    assert 1 <= manifest(out)["t"] < 40
    check_resumes(out, unbroken)


@pytest.mark.parametrize("ranks", [None, pytest.param(2, marks=parallel)])
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGUSR1", 138)])
def test_a_signal_before_the_first_step(tmp_path, unbroken, ranks, name, code):
    """While ranks still import: it counts after the first step."""
    out = tmp_path / "out"
    job = quick(ranks, RUN, out, "late -1 -1")
    job.wait_for(lambda: len(list(tmp_path.glob("started-*"))) == (ranks or 1))
    os.kill(job.process.pid, getattr(signal, name))
    ended = job.end()
    if OPEN_MPI and ranks and name != "SIGUSR1":
        assert ended.code == 1
    else:
        assert ended.code == code, ended.err
        assert f"stopped by {name} after step 1 of 40" in ended.err and manifest(out)["t"] == 1
        check_resumes(out, unbroken)


@pytest.mark.parametrize(
    ("ranks", "options"),
    [(None, ""), pytest.param(2, "", marks=parallel), pytest.param(2, " --stop-after 17", marks=parallel)],
)
def test_a_signal_in_the_last_step_interrupts_nothing(tmp_path, unbroken, ranks, options):
    out = tmp_path / "out"
    ended = quick(ranks, RUN + options, out, f"SIGUSR1 4 {options.split()[1] if options else 40}").end()
    assert ended.code == 0 and "warning: " not in ended.err, ended.err
    if options:
        check_resumes(out, unbroken)
    else:
        assert outcome(out) == unbroken


def test_the_second_signal_ends_one_process_at_once(tmp_path, unbroken):
    """A step may be long: the first Ctrl-C is answered, the second does not wait, and the checkpoint stays good."""
    out = tmp_path / "out"
    job = quick(None, RUN + " --checkpoint-every 1", out, "long 2 17")
    job.wait_for(lambda: (out / "checkpoint" / "manifest.json").exists() and manifest(out)["t"] == 16)
    for _ in range(2):
        time.sleep(0.3)
        job.process.send_signal(signal.SIGINT)
    ended = job.end()
    assert ended.code == 130
    assert ended.err.count("SIGINT: stopping after this step") == 1
    assert manifest(out)["t"] == 16
    check_resumes(out, unbroken)


# --- ranks that differ -----------------------------------------------------------------------------------------------


@parallel
def test_ranks_on_unlike_kernels_are_warned_about(tmp_path):
    ended = quick(3, RUN, tmp_path / "out", "kernels 2 -1").end()
    assert ended.code == 0 and ended.err.count("warning: ") == 1, ended.err
    assert "the ranks differ" in ended.err


def test_a_checkpoint_of_another_machine_is_warned_about(tmp_path, unbroken, monkeypatch):
    out = tmp_path / "out"
    assert alone(RUN + " --stop-after 17", out).code == 0
    with np.load(out / "checkpoint" / manifest(out)["file"]) as state:
        arrays = dict(state)
    monkeypatch.setattr(checkpoint, "environment", lambda: {"blas": "another"})
    checkpoint.save(out / "checkpoint", 17, arrays, manifest(out)["options"])
    monkeypatch.undo()
    ended = alone("--resume", out)
    assert ended.code == 0 and "warning: " in ended.err and "another" in ended.err
    assert outcome(out) == unbroken


# --- launchers that do not form one job ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables",
    [
        {"PMI_SIZE": "4"},
        {"PMI_SIZE": "4", "PMI_RANK": "0"},
        {"OMPI_COMM_WORLD_SIZE": "4"},
        {"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"},
        {"PMI_SIZE": "1", "OMPI_COMM_WORLD_SIZE": "4"},  # a launcher inside another one's single process
    ],
    ids=str,
)
def test_a_launcher_of_another_mpi_is_refused(tmp_path, variables):
    """Else P processes would each be a run of one rank, all writing the same files."""
    ended = run(None, "-m", "mpi.train", "--steps", 5, "--out", tmp_path / "out", cwd=tmp_path, **variables)
    assert ended.code == 1
    assert len(ended.err.splitlines()) == len(ended.errors) == 1, ended.err
    assert "the launcher started 4 processes" in ended.err
    assert contents(tmp_path) == {}


@parallel
@pytest.mark.parametrize("words", ["'no MPI library here'", ""])
def test_a_launcher_without_mpi4py_is_refused(tmp_path, words):
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / "mpi4py.py").write_text(f"raise ImportError({words})")
    before = contents(tmp_path)
    ended = train(3, "--steps 5", tmp_path / "out", PYTHONPATH=str(tmp_path / "stub"), PYTHONDONTWRITEBYTECODE="1")
    assert ended.code == 1
    assert len(ended.err.splitlines()) == len(ended.errors) == 1, ended.err
    assert "3 processes" in ended.err and "mpi4py" in ended.err and words.strip("'") in ended.err
    assert contents(tmp_path) == before


@parallel
def test_the_daemons_of_a_slurm_allocation_are_not_ranks(tmp_path):
    """mpirun starts one on each node through srun, and the ranks inherit its variables."""
    ended = quick(
        2, "--problem bump --steps 5 --stop-after 2", tmp_path / "out", SLURM_STEP_NUM_TASKS="8", SLURM_PROCID="3"
    ).end()
    assert ended.code == 0 and "on 2 ranks" in ended.err, ended


def test_one_process_needs_no_mpi4py(tmp_path):
    (tmp_path / "mpi4py.py").write_text("raise ImportError('not here')")
    ended = quick(None, "--problem bump --steps 5", tmp_path / "out", PYTHONPATH=str(tmp_path)).end()
    assert ended.code == 0, ended.err


@parallel
def test_one_rank_under_the_launcher_is_one_process(tmp_path):
    ended = quick(1, "--problem bump --steps 5", tmp_path / "out").end()
    assert ended.code == 0 and "on 1 rank" in ended.err
