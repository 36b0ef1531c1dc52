"""Proposition 22: the comparison sees a difference, a missing launcher and one that fails or hangs."""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reference import problems, run
from reference.families import practical
from reference.sources import MeanOfWorkers
from theory.experiments import proposition_22
from theory.experiments.proposition_22 import EXPERIMENT, KINDS, Pairs, WorkersApart, claims, hashes

DIGITS = problems.BY_NAME["digits"](8), 6


@pytest.fixture(scope="module")
def alone():
    return proposition_22.measure(ranks=())


def test_samples_and_workers_have_the_same_bits(alone):
    assert alone.label.tolist()[:3] == ["bump, B = 1, s = 1", "bump, B = 1, s = 3", "bump, B = 2, s = 7"]
    assert alone.kind.tolist() == ["process"] * len(proposition_22.CASES) + ["command"]
    assert alone.same.all() and (alone.trouble == "").all()
    assert len(set(alone.samples.ravel().tolist())) == alone.samples.size  # every run and every array is another one
    assert all(len(digits) == 64 for digits in alone.samples.ravel())
    process, command, ranks = claims(alone)
    assert (process.verdict, command.verdict) == ("holds", "holds")
    assert process.reason == "8 of 8 pairs have the same sha256 of x, m and v"
    assert (process.measured.estimate, process.measured.low, process.measured.high) == (0, 0, 0)
    assert ranks.reason.startswith("0 of 0") and ranks.verdict == "cannot tell"


def test_the_hashes_are_those_of_the_run_that_is_named(monkeypatch):
    bump = problems.BY_NAME["bump"](2)
    found = hashes(MeanOfWorkers(bump, 0, 3), bump, 3)
    monkeypatch.setattr(proposition_22, "sha256", lambda array: array)
    x, m, v = hashes(MeanOfWorkers(bump, 0, 3), bump, 3)
    state = run(MeanOfWorkers(bump, 0, 3), np.ones(10), practical(40, 3, 0.9, 1), 40, epsilon=1 / 30).state
    np.testing.assert_array_equal(x, state.x)
    np.testing.assert_array_equal(m, state.m)
    np.testing.assert_array_equal(v, state.v)
    assert len(set(found)) == 3


class Swapped(WorkersApart):
    """Worker 0 draws what worker 3 should, and the other way round: the same numbers, added in another order."""

    def __call__(self, x, t, gradient=None):
        order = [3, 1, 2, 0, *range(4, self.workers)]
        sent = [self.problem.samples(x, t, proposition_22.Sampler(self.seed), range(i, i + 1))[0] for i in order]
        total = proposition_22.tree_sum(0, self.workers, lambda a, b: sent[a] if b - a == 1 else None)
        return total / self.workers


def test_another_order_of_the_sum_has_other_bits():
    bump = problems.BY_NAME["bump"](1)
    right, wrong = (hashes(source(bump, 0, 7), bump, 7) for source in (WorkersApart, Swapped))
    assert right == hashes(MeanOfWorkers(bump, 0, 7), bump, 7)
    assert all(a != b for a, b in zip(right, wrong, strict=True))


def planted(alone, kind="ranks"):
    """As if on 1, 2 and 3 ranks."""
    return Pairs(
        np.array(["P = 1", "P = 2", "P = 3"]), np.array([kind] * 3), alone.samples[:3], alone.workers[:3].copy(),
        np.array(["", "", ""], dtype="<U80"),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("column", [0, 1, 2])
def test_one_digit_of_one_hash_violates(kind, column, alone):
    pairs = planted(alone, kind)
    wrong = pairs.workers[1, column]
    pairs.workers[1, column] = wrong[:-1] + ("1" if wrong[-1] == "0" else "0")
    found = {finding.statement.split(":")[0]: finding for finding in claims(pairs)}[KINDS[kind].split(":")[0]]
    assert found.verdict == "violated"
    assert found.reason == "2 of 3 pairs have the same sha256 of x, m and v; others: P = 2"
    assert (found.measured.estimate, found.expected) == (1, (0, 0))


def test_what_did_not_run_cannot_tell(alone):
    pairs = planted(alone)
    pairs.workers[2], pairs.trouble[2] = "", "there is no mpirun"
    found = claims(pairs)[2]
    assert found.verdict == "cannot tell"
    assert found.reason == "2 of 3 pairs have the same sha256 of x, m and v; not run: P = 3 (there is no mpirun)"
    pairs.workers[0] = "0"
    assert claims(pairs)[2].verdict == "violated"  # one that differs weighs more


def test_without_a_launcher_it_is_said(alone, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ValueError, match=f"no mpirun in {tmp_path} or on the PATH"):
        proposition_22.launcher()
    (tmp_path / "mpiexec").write_text("#!/bin/sh\n")
    (tmp_path / "mpiexec").chmod(0o755)
    monkeypatch.setattr(proposition_22.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="mpi4py is not installed"):
        proposition_22.launcher()


def fake(tmp_path, monkeypatch, text):
    """An mpirun on the PATH that does this."""
    path = tmp_path / "mpirun"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    monkeypatch.setattr(proposition_22, "launcher", lambda: [str(path)])


def test_a_launcher_that_fails_or_hangs_is_named_in_bounded_time(tmp_path, monkeypatch):
    fake(tmp_path, monkeypatch, "echo first >&2; echo no slots left >&2; exit 1")
    with pytest.raises(ValueError, match=r"^no slots left$"):
        proposition_22.on_ranks(2)
    fake(tmp_path, monkeypatch, "exit 0")
    with pytest.raises(ValueError, match=r"^it left no result\.json$"):
        proposition_22.on_ranks(2)
    fake(tmp_path, monkeypatch, 'for last; do :; done; mkdir "$last"; echo "{}" > "$last/result.json"')
    with pytest.raises(ValueError, match=r"^it left no result\.json$"):
        proposition_22.on_ranks(2)
    monkeypatch.setattr(proposition_22, "LIMIT", 0.5)
    fake(tmp_path, monkeypatch, "setsid sleep 5 & sleep 60")  # one that cannot be reached does not hold it up
    begin = time.monotonic()
    with pytest.raises(ValueError, match=r"not done after 0\.5 s"):
        proposition_22.on_ranks(2)
    assert time.monotonic() - begin < 3
    marker = tmp_path / "alive"
    fake(tmp_path, monkeypatch, f"(sleep 3; touch {marker}) & sleep 60")
    begin = time.monotonic()
    with pytest.raises(ValueError, match=r"not done after 0\.5 s"):
        proposition_22.on_ranks(2)
    assert time.monotonic() - begin < 3
    time.sleep(3.2)
    assert not marker.exists()  # its children ended with it


def test_the_launcher_is_asked_for_so_many_ranks(tmp_path, monkeypatch):
    """A launcher that writes down its arguments, and a result.json where it is told to."""
    answer = json.dumps({"ranks": 4, "sha256": {"x": "1", "m": "2", "v": "3"}})
    (tmp_path / "answer").write_text(answer)
    script = f"printf '%s\\n' \"$@\" > {tmp_path}/asked; for last; do :; done; "
    script += f'mkdir "$last"; cp {tmp_path}/answer "$last/result.json"'
    fake(tmp_path, monkeypatch, script)
    assert proposition_22.on_ranks(4) == ("1", "2", "3")
    asked = (tmp_path / "asked").read_text().split()
    assert asked[:2] == ["-n", "4"]
    assert asked[2:5] == [sys.executable, "-m", "mpi.train"]
    assert asked[5:-1] == ["--problem", "digits", "--local-batch", "8", "--workers", "6", "--steps", "40", "--out"]


def test_a_launcher_that_starts_every_rank_by_itself_has_not_run_on_ranks(tmp_path, monkeypatch):
    """As one does that does not belong to mpi4py's MPI: one process each, all of them rank 0."""
    fake(tmp_path, monkeypatch, 'shift 2; exec "$@"')
    with pytest.raises(ValueError, match=r"^1 rank, not 3: the launcher does not belong to mpi4py's MPI$"):
        proposition_22.on_ranks(3)
    path = tmp_path / "not a program"
    path.write_text("garbage")
    path.chmod(0o755)
    monkeypatch.setattr(proposition_22, "launcher", lambda: [str(path)])
    pairs = proposition_22.measure(ranks=(2,))
    assert "Exec format error" in pairs.trouble[-1]


def test_the_launcher_beside_this_python_comes_first(tmp_path, monkeypatch):
    for folder in ("beside", "elsewhere"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mpirun").write_text("#!/bin/sh\n")
        (tmp_path / folder / "mpirun").chmod(0o755)
    monkeypatch.setattr(proposition_22.importlib.util, "find_spec", lambda name: name == "mpi4py")
    monkeypatch.setenv("PATH", f"{tmp_path / 'elsewhere'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "beside" / "python"))
    assert proposition_22.launcher() == [str(tmp_path / "beside" / "mpirun")]
    (tmp_path / "beside" / "mpirun").unlink()
    assert proposition_22.launcher() == [str(tmp_path / "elsewhere" / "mpirun")]


def test_what_a_launcher_told_this_process_is_not_passed_on(monkeypatch):
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "2")
    assert proposition_22.on_ranks(None) == hashes(MeanOfWorkers(problems.BY_NAME["digits"](8), 0, 6), *DIGITS)


def test_on_two_ranks_too_where_there_is_a_launcher():
    found = claims(proposition_22.measure(ranks=(2,)))
    try:
        proposition_22.launcher()
    except ValueError as reason:
        assert [finding.verdict for finding in found] == ["holds", "holds", "cannot tell"]
        assert f"not run: digits, B = 8, s = 6, P = 2 ({reason})" in found[2].reason
    else:
        assert [finding.verdict for finding in found] == ["holds"] * 3
        assert found[2].reason.startswith("1 of 1 ")


def test_data_and_picture(alone, tmp_path):
    pairs = replace(alone, trouble=np.where(alone.kind == "command", "none", ""))
    EXPERIMENT.save({"pairs": pairs}, "quick", tmp_path / "data.npz")
    loaded = EXPERIMENT.load("quick", tmp_path / "data.npz")
    assert EXPERIMENT.claims(loaded, 1e-5) == claims(pairs)
    EXPERIMENT.plot(loaded, tmp_path / "picture.svg")
    assert Path(tmp_path / "picture.svg").stat().st_size > 10_000
