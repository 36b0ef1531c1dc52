"""What cannot be done is refused in one line, with the documented code, and nothing in OUT is touched."""

import json
import shutil
from pathlib import Path

import pytest
from mpirun import alone, contents, manifest, outcome, quick, result, run, train

parallel = pytest.mark.parallel
RUN = "--problem bump --steps 20 --workers 3 --seed 4"


def check_refused(ended, code, *words):
    assert ended.code == code, ended.err
    assert len(ended.err.splitlines()) == len(ended.errors) == 1, ended.err
    assert ended.out == ""
    for word in words:
        assert word in ended.err


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("finished") / "out"
    assert alone(RUN, out).code == 0
    return out


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory):
    out = tmp_path_factory.mktemp("stopped") / "out"
    assert alone(f"{RUN} --stop-after 8", out).code == 0
    return out


@pytest.fixture
def stopped(stopped_once, tmp_path):
    return shutil.copytree(stopped_once, tmp_path / "out")


# --- options ---------------------------------------------------------------------------------------------------------

OPTIONS = [
    ("--beta 1", "beta must", "got 1"),
    ("--beta -0.1", "beta must", "got -0.1"),
    ("--beta nan", "beta must", "got nan"),
    ("--theta 0", "0 < theta < T = 20"),
    ("--theta -1", "0 < theta < T = 20"),
    ("--theta 20", "0 < theta < T = 20"),
    ("--theta nan", "theta must", "got nan"),
    ("--theta 1e-20", "theta"),  # 1 - theta/T rounds to 1
    ("--epsilon 0", "epsilon must", "got 0"),
    ("--epsilon=-1e-3", "epsilon must", "got -0.001"),
    ("--epsilon inf", "epsilon must", "got inf"),
    ("--alpha 0", "step size"),
    ("--alpha -3", "step size"),
    ("--alpha inf", "step size"),
    ("--local-batch 0", "local_batch must", "got 0"),
    ("--local-batch 100000000000000000000", "local_batch must", "got 100000000000000000000"),
    ("--steps 0", "T must", "got 0"),
    ("--steps 1", "--theta must be below T = 1"),  # the default theta leaves no room
    ("--steps 1000000000000000000000000000000", "T must", "got 1000000000000000000000000000000"),
    ("--steps 1e3", "--steps", "'1e3'"),
    ("--workers 0", "workers must", "got 0"),
    ("--workers -2", "workers must", "got -2"),
    ("--seed -1", "seed must", "got -1", "2^64"),
    ("--seed 18446744073709551616", "seed must", "got 18446744073709551616"),
    ("--topology sharded", "--topology", "'sharded'", "allreduce", "parameter-server"),
    ("--reduction fast", "--reduction", "'fast'", "tree"),
    ("--problem rosenbrock", "--problem", "'rosenbrock'", "digits"),
    ("--checkpoint-every 0", "--checkpoint-every", "at least 1", "got 0"),
    ("--stop-after 0", "--stop-after", "at least 1", "got 0"),
    ("--stop-after 20", "--stop-after", "after step 0 and before T = 20", "got 20"),
    ("--stop-after 21", "--stop-after", "before T = 20", "got 21"),
    ("--step 10", "--step 10"),  # no abbreviations
    ("banana", "banana"),
    ("--alpha", "--alpha"),
]


@pytest.mark.parametrize(("options", "words"), [(options, words) for options, *words in OPTIONS])
def test_options(tmp_path, options, words):
    check_refused(alone(RUN, tmp_path / "out", *options.split()), 2, *words)
    assert contents(tmp_path) == {}


@parallel
def test_options_on_two_ranks(tmp_path):
    check_refused(train(2, f"{RUN} --beta 1", tmp_path / "out"), 2, "beta must", "got 1")
    assert contents(tmp_path) == {}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_resume_without_a_folder(here):
    check_refused(alone("--resume", None), 2, "--resume", "--out")
    assert contents(here) == {}


def test_an_empty_name(here):
    check_refused(alone(RUN, None, "--out", ""), 2, "--out")
    assert contents(here) == {}


@pytest.mark.parametrize("ranks", [None, pytest.param(2, marks=parallel)])
def test_help(tmp_path, ranks):
    """Once, on standard output, and no rank waits for another."""
    ended = run(ranks, "-m", "mpi.train", "--help", cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.count("usage: python -m mpi.train") == 1
    promised = "problem steps workers local-batch alpha beta theta epsilon topology reduction seed"
    for option in f"{promised} out checkpoint-every stop-after resume".split():
        assert f"--{option}" in ended.out


# --- OUT -------------------------------------------------------------------------------------------------------------


def test_a_folder_that_holds_a_run(finished, stopped):
    for out in (finished, stopped):
        before = contents(out)
        check_refused(alone(RUN, out), 2, str(out), "already holds a run", "--resume")
        assert contents(out) == before


def test_a_folder_of_other_files_is_used_and_they_stay(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    assert alone(f"{RUN} --stop-after 2", tmp_path / "out").code == 0
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("below", ["", "a/b"])
def test_out_on_or_below_a_regular_file(tmp_path, below):
    (tmp_path / "file").write_text("mine")
    out = tmp_path / "file" / below
    check_refused(alone(RUN, out), 2, f"--out {out}", "regular file")
    assert contents(tmp_path) == {str(tmp_path / "file"): b"mine"}


def test_runs_that_is_a_regular_file(here):
    (here / "runs").write_text("mine")
    ended = alone(RUN, None)
    check_refused(ended, 2, "runs", "regular file")
    assert "None" not in ended.err
    assert (here / "runs").read_text() == "mine"


def test_out_that_cannot_be_written_is_refused_before_the_first_step():
    """In /proc nobody, root included, makes files (and where there is no /proc, nobody makes it)."""
    check_refused(alone(RUN, Path("/proc/self")), 2, "--out /proc/self")


def test_a_folder_in_which_another_process_runs(sound, tmp_path):
    out = tmp_path / "out"
    options = "--problem faulty --steps 2000"
    running = quick(None, options, out, "slow -1 -1")
    running.wait_for((out / "checkpoint" / "manifest.json").exists)
    check_refused(alone("--resume", out), 2, str(out), "another process")
    check_refused(alone(RUN, out), 2, str(out))
    running.process.terminate()
    assert running.end().code == 143
    assert alone("--resume", out).code == 0
    assert alone(options, tmp_path / "undisturbed").code == 0
    assert outcome(out) == outcome(tmp_path / "undisturbed")


def test_the_default_folder_is_new(here):
    for number in (1, 2):
        ended = alone(f"{RUN} --stop-after 2", None)
        assert ended.code == 0 and f"runs/bump-{number:03d}" in ended.err
        assert (here / f"runs/bump-{number:03d}/checkpoint/manifest.json").exists()


# --- --resume --------------------------------------------------------------------------------------------------------


def test_resume_of_nothing(tmp_path):
    check_refused(alone("--resume", tmp_path / "nowhere"), 2, str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    check_refused(alone("--resume", tmp_path / "empty"), 2, "no checkpoint", str(tmp_path / "empty"))
    (tmp_path / "file").write_text("mine")
    check_refused(alone("--resume", tmp_path / "file"), 2, str(tmp_path / "file"))
    assert contents(tmp_path) == {str(tmp_path / "empty"): None, str(tmp_path / "file"): b"mine"}


DIFFERING = [
    "--problem digits",
    "--steps 21",
    "--workers 4",
    "--local-batch 7",
    "--alpha 3.0000000000000004",
    "--beta 0.8",
    "--theta 1.5",
    "--epsilon 0.5",
    "--topology allreduce",
    "--seed 5",
]


@pytest.mark.parametrize("option", DIFFERING)
def test_resume_with_another_option(stopped, option):
    before = contents(stopped)
    name, value = option.split()
    check_refused(alone(f"--resume {option}", stopped), 2, f"{name} must be", f"got {value}", str(stopped))
    assert contents(stopped) == before


def test_resume_with_the_same_options(stopped, finished):
    ended = alone(f"--resume {RUN} --alpha 3 --local-batch 8 --topology parameter-server", stopped)
    assert ended.code == 0, ended.err
    assert outcome(stopped) == outcome(finished)


@pytest.mark.parametrize("step", [7, 8, 20])
def test_stop_after_a_step_already_taken_or_the_end(stopped, step):
    before = contents(stopped)
    words = "--stop-after must lie after step 8 and before T = 20"
    check_refused(alone(f"--resume --stop-after {step}", stopped), 2, words, f"got {step}")
    assert contents(stopped) == before


def test_stopping_twice(stopped, finished):
    assert alone("--resume --stop-after 9", stopped).code == 0 and manifest(stopped)["t"] == 9
    assert alone("--resume", stopped).code == 0
    assert outcome(stopped) == outcome(finished)


@parallel
def test_resume_of_a_finished_run_on_two_ranks(finished):
    before = contents(finished)
    ended = train(2, "--resume", finished)
    assert ended.code == 0 and len(ended.err.splitlines()) == 1 and "nothing to do" in ended.err
    assert contents(finished) == before


# --- damaged checkpoints ---------------------------------------------------------------------------------------------


def state_of(out):
    return out / "checkpoint" / manifest(out)["file"]


def flip(path, where):
    content = bytearray(path.read_bytes())
    at = content.index(where) if isinstance(where, bytes) else int(where * len(content))
    content[at + (10 if isinstance(where, bytes) else 0)] ^= 1
    path.write_bytes(bytes(content))


def edit(change):
    def damage(out):
        path = out / "checkpoint" / "manifest.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content, indent=2))

    return damage


def damage_manifest(content):
    return lambda out: (out / "checkpoint" / "manifest.json").write_bytes(content)


def truncate(out, path, share):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


DAMAGE = {
    "state missing": lambda out: state_of(out).unlink(),
    "state empty": lambda out: state_of(out).write_bytes(b""),
    "state truncated": lambda out: truncate(out, state_of(out), 0.7),
    "state is text": lambda out: state_of(out).write_text("no arrays here"),
    "state is a pickle": lambda out: state_of(out).write_bytes(b"\x80\x04N."),
    "state: bit flipped in an array": lambda out: flip(state_of(out), 0.06),
    "state: bit flipped in the directory": lambda out: flip(state_of(out), b"PK\x01\x02"),  # compression method
    "state of another run": lambda out: shutil.copy(out.parent / "finished.npz", state_of(out)),
    "manifest empty": damage_manifest(b""),
    "manifest garbage": damage_manifest(bytes(range(256))),
    "manifest of another kind": damage_manifest(b"[1, 2]"),
    "manifest of another format": edit(lambda content: content.update(format=2)),
    "manifest truncated": lambda out: truncate(out, out / "checkpoint" / "manifest.json", 0.5),
    "manifest without options": edit(lambda content: content.pop("options")),
    "manifest without t": edit(lambda content: content.pop("t")),
    "manifest without hashes": edit(lambda content: content.pop("sha256")),
    "manifest without environment": edit(lambda content: content.pop("environment")),
    "manifest without file": edit(lambda content: content.pop("file")),
    "another t": edit(lambda content: content.update(t=9)),
    "another alpha": edit(lambda content: content["options"].update(alpha=2.0)),
    "another seed": edit(lambda content: content["options"].update(seed=5)),
    "a topology nobody knows": edit(lambda content: content["options"].update(topology="ring")),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_checkpoint(stopped, finished, kind):
    shutil.copy(state_of(finished), stopped.parent / "finished.npz")
    DAMAGE[kind](stopped)
    before = contents(stopped)
    check_refused(alone("--resume", stopped), 1, str(stopped / "checkpoint"))
    assert contents(stopped) == before


@parallel
def test_damaged_checkpoint_on_two_ranks(stopped):
    DAMAGE["state: bit flipped in an array"](stopped)
    before = contents(stopped)
    check_refused(train(2, "--resume", stopped), 1, str(stopped / "checkpoint"))
    assert contents(stopped) == before


def test_a_changed_result_is_the_users_own_affair(finished, tmp_path):
    """Only the checkpoint is read again: a run without its result and history gets the same ones back."""
    out = shutil.copytree(finished, tmp_path / "out")
    for name in ("result.json", "history.npz", "history.png"):
        (out / name).unlink()
    assert alone("--resume", out).code == 0
    assert outcome(out) == outcome(finished)
    assert result(out)["wall_seconds"] >= 0


# --- warnings --------------------------------------------------------------------------------------------------------


def test_theta_that_looks_like_theta_t_earns_a_warning(tmp_path):
    ended = alone(f"{RUN} --theta 0.99 --stop-after 2", tmp_path / "out")
    assert ended.code == 0
    assert "warning: --theta 0.99 is the numerator in 1 - theta/T = 0.9505" in ended.err
    assert "for theta_t = 0.99 give --theta 0.2" in ended.err
    assert "warning" not in alone(f"{RUN} --stop-after 2", tmp_path / "other").err
