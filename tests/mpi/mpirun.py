"""Starting `python -m mpi.train` as its users do: alone, or on P ranks with the mpirun beside this Python."""

import contextlib
import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest.mock
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

import mpi.train
from mpi import exits, picture

LIMIT = 60  # seconds, for any one command here; none takes 10
MPIRUN = Path(sys.executable).parent / "mpirun"
OPEN_MPI = (MPIRUN.parent / "ompi_info").exists()
FAULTS = Path(__file__).parent / "faults.py"
# What Open MPI's launcher says itself when a rank ends with another code than 0.
_LAUNCHERS_OWN = re.compile(
    r"^-{70,}\n(prterun|mpirun|MPI_ABORT|Primary job).*?^-{70,}\n|^\[[^]\n]*\] PMIX ERROR: [^\n]*\n",
    re.DOTALL | re.MULTILINE,
)
_SHARED_MEMORY = Path("/dev/shm")


def missing() -> str | None:
    """Why nothing can be started on several ranks here; None where it can."""
    if not MPIRUN.exists():
        return f"there is no mpirun in {MPIRUN.parent}"
    return None if importlib.util.find_spec("mpi4py") else "mpi4py is not installed"


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


def environment(**more: str) -> dict[str, str]:
    """This one without any launcher's variables, and with what lets root and many ranks start."""
    launchers = ("PMI", "OMPI_", "PRTE_", "MV2_", "SLURM_", "FAULT", "HYDRA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(launchers)}
    roots = [more.pop("PYTHONPATH", ""), str(Path(mpi.__file__).parents[1]), kept.get("PYTHONPATH", "")]
    return kept | {
        "PYTHONPATH": os.pathsep.join(filter(None, roots)),
        "MPIEXEC_TIMEOUT": str(LIMIT),
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        **more,
    }


def command(ranks: int | None, *arguments: object) -> list[str]:
    """ranks None: one process without a launcher."""
    launcher = [] if ranks is None else [str(MPIRUN), "-n", str(ranks)]
    return [*launcher, sys.executable, *map(str, arguments)]


class Job:
    """A command in a process group of its own. `end` waits for it; a hang fails the test."""

    def __init__(self, ranks: int | None, *arguments: object, cwd: Path, **env: str):
        self.segments = segments()
        self.process = subprocess.Popen(
            command(ranks, *arguments),
            cwd=cwd,
            env=environment(**env),
            start_new_session=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def end(self) -> Ended:
        try:
            out, err = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            out, err = self.process.communicate()
            pytest.fail(f"hang: still there after {LIMIT} s\n{out}{err}")
        finally:
            remove_segments(self.segments)
        code = self.process.returncode
        return Ended(128 - code if code < 0 else code, out, _LAUNCHERS_OWN.sub("", err))

    def wait_for(self, happened: Callable[[], bool]) -> None:
        begin = time.monotonic()
        while not happened():
            assert self.process.poll() is None, f"ended too soon: {self.process.communicate()}"
            assert time.monotonic() - begin < LIMIT, "waited in vain"
            time.sleep(0.002)


def segments() -> set[Path]:
    return {*_SHARED_MEMORY.glob("mpich_shm_*"), *_SHARED_MEMORY.glob("sm_segment.*")}


def remove_segments(before: set[Path]) -> None:
    """MPI leaves its shared memory behind when a rank is killed. Removes what is new and no process has mapped."""
    for _ in range(20):  # a killed rank takes a moment to let go; another's job keeps what it has
        left = segments() - before
        mapped = "".join(map(_text, Path("/proc").glob("[0-9]*/maps"))) if left else ""
        for segment in left:
            if segment.name not in mapped:
                segment.unlink(missing_ok=True)
                left = left - {segment}
        if not left:
            return
        time.sleep(0.05)


def _text(maps: Path) -> str:
    try:
        return maps.read_text()
    except OSError:  # the process has ended meanwhile
        return ""


def run(ranks: int | None, *arguments: object, cwd: Path, **env: str) -> Ended:
    return Job(ranks, *arguments, cwd=cwd, **env).end()


def train(ranks: int | None, options: str, out: Path, **env: str) -> Ended:
    return run(ranks, "-m", "mpi.train", *options.split(), "--out", out, cwd=out.parent, **env)


def quick(ranks: int | None, options: str, out: Path, fault: str = "none -1 -1", **env: str) -> Job:
    """The same without the picture, which takes half of a short run's time, and with the problem of faults.py."""
    return Job(ranks, FAULTS, *options.split(), "--out", out, cwd=out.parent, FAULT=fault, **env)


def one_after_the_other(ranks: int, runs: Iterable[tuple[str, Path]]) -> Ended:
    """As `quick`: several (options, OUT) by the same processes, which take most of a short run's time to start."""
    arguments = [argument for options, out in runs for argument in ("+", *options.split(), "--out", out)]
    ended = run(ranks, FAULTS, *arguments[1:], cwd=Path(arguments[-1]).parent)
    assert ended.code == 0, ended.err
    return ended


def alone(options: str, out: Path | None, *more: str) -> Ended:
    """As `quick` on one process, in this one: without the guard, and without the half second that a process takes."""
    said, told = io.StringIO(), io.StringIO()
    arguments = [*options.split(), *(["--out", str(out)] if out else []), *more]
    with (
        unittest.mock.patch.object(picture, "drawn", lambda *_: b""),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(told),
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("default")
        try:
            code = mpi.train.main(None, arguments)
        except exits.Refusal as refusal:
            code = refusal.code
            told.write(f"error: {refusal}\n")
    told.writelines(f"{warning.category.__name__}: {warning.message}\n" for warning in warned)  # as a process has it
    return Ended(code, said.getvalue(), told.getvalue())


def strict(text: str) -> dict:
    """JSON without NaN and infinities."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def result(out: Path) -> dict:
    return strict((out / "result.json").read_text())


def outcome(out: Path) -> tuple[dict, bytes]:
    """All that must not depend on ranks, topology and interruptions."""
    kept = {name: value for name, value in result(out).items() if name not in ("ranks", "topology", "wall_seconds")}
    return kept, (out / "history.npz").read_bytes()


def manifest(out: Path) -> dict:
    return strict((out / "checkpoint" / "manifest.json").read_text())


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file's bytes (None: a folder), by path; hidden ones, such as a lock, apart."""
    found = (path for path in sorted(folder.rglob("*")) if not path.name.startswith("."))
    return {str(path): path.read_bytes() if path.is_file() else None for path in found}
