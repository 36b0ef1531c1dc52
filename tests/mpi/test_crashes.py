"""kill -9 at any moment loses nothing that was saved, and the resumed run is the unbroken one."""

import json
import random
import signal
import time
from pathlib import Path

import pytest
from mpirun import Job, alone, manifest, outcome, run

CRASHES = Path(__file__).parent / "crashes.py"


@pytest.mark.parametrize(
    "options",
    [
        "--steps 4 --checkpoint-every 2",  # the last step is saved twice
        "--steps 5 --checkpoint-every 3 --stop-after 3",
    ],
)
def test_a_crash_before_every_single_file_operation(tmp_path, options):
    ended = run(None, CRASHES, tmp_path, "--problem", "bump", *options.split(), cwd=tmp_path)
    assert ended.code == 0, ended.err
    stories = [json.loads(line) for line in ended.out.splitlines()]
    assert len(stories) > 15
    assert [story["codes"][0] for story in stories] == [99] * (len(stories) - 1) + [0]
    assert all(code == 0 for story in stories for code in story["codes"][1:])
    unbroken = tmp_path / "unbroken"
    assert alone(f"--problem bump {options.split(' --stop')[0]}", unbroken).code == 0
    for story in stories:
        out = Path(story["out"])
        assert outcome(out) == outcome(unbroken), out
        left = sorted(path.name for path in (out / "checkpoint").iterdir())
        assert left == sorted(["manifest.json", manifest(out)["file"]]), f"{out}: files are left behind"


def test_kill_at_random_moments(tmp_path):
    """SIGKILL in the midst of stepping and saving, eight times; what is there afterwards is whole and goes on."""
    options = "--problem bump --workers 2 --steps 300"
    assert alone(options, tmp_path / "unbroken").code == 0
    moments, out, t = random.Random(22), tmp_path / "out", 0
    for kill in range(8):
        given = "--resume" if kill else options
        job = Job(None, "-m", "mpi.train", *given.split(), "--checkpoint-every", 1, "--out", out, cwd=tmp_path)
        job.wait_for(lambda t=t: saved(out) > t)
        time.sleep(moments.uniform(0, 0.03))
        job.process.send_signal(signal.SIGKILL)
        ended = job.end()
        assert ended.code == 137, ended.err
        t, before = saved(out), t
        assert t > before
    assert t < 300, "the kills came too late to mean anything"
    assert alone("--resume", out).code == 0
    assert outcome(out) == outcome(tmp_path / "unbroken")


def saved(out):
    """The step of the last checkpoint; the manifest is whole at any moment."""
    return manifest(out)["t"] if (out / "checkpoint" / "manifest.json").exists() else 0
