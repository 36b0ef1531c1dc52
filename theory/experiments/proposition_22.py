"""Proposition 22 (p. 17): distributed Adam with s workers is mini-batch Adam with s samples, here to the last bit.

Algorithm 2 draws s samples in one place, Algorithm 3 has s workers draw one each and adds what they send. Both are run,
and the sha256 of their last x, m and v compared: in one process, with workers that know nothing of each other, and
through the command line, where P ranks share s workers.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from reference import families, problems, run
from reference.adam import Array
from reference.checkpoint import sha256
from reference.problems import Problem
from reference.sampling import Sampler
from reference.sources import MeanOfWorkers, Source, mean, tree_sum
from theory.experiments.experiment import Experiment, Panel, Size, Table
from theory.tools.statistics import Claim, Interval, Verdict

STEPS = 40
ALPHA, BETA, THETA = 3.0, 0.9, 1.0  # Corollary 13's family, as `python -m mpi.train` has it by default
CASES = (  # problem, local batch, s
    ("bump", 1, 1), ("bump", 1, 3), ("bump", 2, 7), ("bump", 1, 64), ("quadratic", 1, 16),
    ("digits", 8, 4), ("digits", 8, 13), ("network", 4, 5),
)  # fmt: skip
SHARED = ("digits", 8, 6)  # on ranks
LIMIT = 120.0  # seconds, for one command
SAME = "s workers give the same bits as s samples drawn in one place"
KINDS = {
    "process": "one process, each worker by itself",
    "command": "python -m mpi.train, without a launcher",
    "ranks": "mpirun -n P python -m mpi.train",
}


class WorkersApart(Source):
    """g_t as Algorithm 3 has it: worker i draws its sample knowing x_t, t and i alone; the samples are added after."""

    problem: Problem

    def __init__(self, problem: Problem, seed: int, workers: int):
        self.problem, self.seed, self.workers = problem, seed, workers

    def __call__(self, x: Array, t: int, gradient: Array | None = None) -> Array:
        """The mean of what the workers sent."""
        sent = [self.problem.samples(x, t, Sampler(self.seed), range(i, i + 1))[0] for i in range(self.workers)]
        total = tree_sum(0, self.workers, lambda a, b: sent[a] if b - a == 1 else None)
        return mean(total, self.workers)


@dataclass(frozen=True)
class Pairs:
    """n pairs of runs. label : (n,). kind : of KINDS. samples, workers : sha256 of x, m, v, (n, 3); empty where a run
    did not come to its end, with trouble saying why."""

    label: NDArray[np.str_]
    kind: NDArray[np.str_]
    samples: NDArray[np.str_]
    workers: NDArray[np.str_]
    trouble: NDArray[np.str_]

    @property
    def same(self) -> NDArray[np.bool_]:
        return (self.samples == self.workers).all(axis=1)


def hashes(source: Source, problem: Problem, s: int) -> tuple[str, str, str]:
    """sha256 of x, m, v after STEPS steps from x_1, v_0 = 1/(s d)."""
    family = families.practical(STEPS, ALPHA, BETA, THETA)
    state = run(source, problem.start, family, STEPS, epsilon=1 / (s * problem.dimension)).state
    return sha256(state.x), sha256(state.m), sha256(state.v)


def launcher() -> list[str]:
    """mpirun: the one beside this Python, or on the PATH. ValueError where there is none, or no mpi4py."""
    beside = Path(sys.executable).parent
    found = shutil.which("mpirun", path=str(beside)) or shutil.which("mpirun") or shutil.which("mpiexec")
    if not found:
        raise ValueError(f"there is no mpirun in {beside} or on the PATH")
    if not importlib.util.find_spec("mpi4py"):
        raise ValueError("mpi4py is not installed")
    return [found]


def on_ranks(ranks: int | None) -> tuple[str, str, str]:
    """The same hashes from result.json of `python -m mpi.train` on so many ranks, None without a launcher. ValueError
    in one line where it fails or is not done after LIMIT seconds."""
    name, batch, s = SHARED
    start = [] if ranks is None else [*launcher(), "-n", str(ranks)]
    with tempfile.TemporaryDirectory() as folder:
        command = [*start, sys.executable, "-m", "mpi.train", "--problem", name, "--local-batch", str(batch)]
        command += ["--workers", str(s), "--steps", str(STEPS), "--out", f"{folder}/run"]
        with open(f"{folder}/errors", "w+b") as errors:
            _end(command, errors)
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
        try:
            result = json.loads(Path(folder, "run", "result.json").read_text())
            found, run_on = result["sha256"], result["ranks"]
        except (OSError, ValueError, KeyError):
            raise ValueError(said[-1] if said else "it left no result.json") from None
    if run_on != (ranks or 1):
        raise ValueError(f"{run_on} rank, not {ranks}: the launcher does not belong to mpi4py's MPI")
    return found["x"], found["m"], found["v"]


def _end(command: list[str], errors: IO[bytes]) -> None:
    """Runs it to its end. All its processes end with it."""
    allowed = {  # Open MPI starts as root, and more ranks than cores, only where it is told that it may
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }
    # without what a launcher told this very process about its rank
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PMI", "OMPI_COMM_"))}
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), kept.get("PYTHONPATH")]))
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True,
        env=kept | allowed | {"PYTHONPATH": path},
    )  # fmt: skip
    try:
        process.wait(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise ValueError(f"not done after {LIMIT:g} s") from None
    finally:
        for signal_number in (signal.SIGTERM, signal.SIGKILL):  # the first lets MPI put its shared memory away
            if process.poll() is None:
                os.killpg(process.pid, signal_number)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=5)


def measure(ranks: tuple[int, ...] = (1, 2, 3, 4, 5)) -> Pairs:
    """Runs every pair: in one process, and by `python -m mpi.train` alone and on so many ranks."""
    rows = []
    for name, batch, s in CASES:
        problem = problems.BY_NAME[name](batch)
        sources = MeanOfWorkers(problem, 0, s), WorkersApart(problem, 0, s)
        together, apart = (hashes(source, problem, s) for source in sources)
        rows.append((f"{name}, B = {batch}, s = {s}", "process", together, apart, ""))
    name, batch, s = SHARED
    problem = problems.BY_NAME[name](batch)
    expected = hashes(MeanOfWorkers(problem, 0, s), problem, s)
    for P in (None, *ranks):
        label = f"{name}, B = {batch}, s = {s}" + (f", P = {P}" if P else ", alone")
        trouble, found = "", ("", "", "")
        try:
            found = on_ranks(P)
        except (ValueError, OSError) as reason:
            trouble = str(reason)
        rows.append((label, "ranks" if P else "command", expected, found, trouble))
    return Pairs(*(np.array(column) for column in zip(*rows, strict=True)))


def claims(pairs: Pairs) -> list[Claim]:
    """For each kind: no pair differs. Nothing here is by chance."""
    found = []
    for kind, words in KINDS.items():
        rows = pairs.kind == kind
        ended = rows & (pairs.trouble == "")
        differ, missing = pairs.label[ended & ~pairs.same], pairs.label[rows & ~ended]
        verdict: Verdict = "violated" if differ.size else "cannot tell" if missing.size or not rows.any() else "holds"
        reason = f"{ended.sum() - differ.size} of {rows.sum()} pairs have the same sha256 of x, m and v"
        if differ.size:
            reason += f"; others: {', '.join(differ)}"
        if missing.size:
            reason += f"; not run: {', '.join(missing)} ({pairs.trouble[rows & ~ended][0]})"
        claim = f"{words}: the bits of s samples and of s workers are the same"
        count = float(differ.size)
        measured = Interval(count, count, count, 0.0, int(ended.sum()), "exact")
        found.append(Claim(claim, verdict, measured, (0.0, 0.0), reason, topic=SAME))
    return found


def draw(ax: Axes, pairs: Pairs) -> None:
    """A row a pair: the first digits of both hashes of x, and whether all of x, m and v agree."""
    shown = table(pairs)
    ax.axis("off")
    drawn = ax.table(
        shown.rows, colLabels=shown.columns, cellLoc="left", edges="horizontal",
        colWidths=(0.46, 0.2, 0.2, 0.17), bbox=Bbox.from_bounds(0.0, 0.0, 1.03, 1.0),
    )  # fmt: skip
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(9.5)


def table(pairs: Pairs) -> Table:
    """A row a pair."""
    rows: list[tuple[str, ...]] = []
    for label, samples, workers, same, trouble in zip(
        pairs.label, pairs.samples, pairs.workers, pairs.same, pairs.trouble, strict=True
    ):
        verdict = "not run" if trouble else "same" if same else "DIFFERENT"
        rows.append((str(label), str(samples[0][:8]), str(workers[0][:8]) or "-", verdict))
    caption = (
        "Pairs of runs: the first digits of the sha256 of x, and whether x, m and v are the same. Without P "
        "both ran in one process."
    )
    return Table(caption, ("run", "x, samples", "x, workers", "x, m, v"), rows)


def setting(pairs: Pairs) -> str:
    """What was run, in a few sentences; the counts are those of the parts."""
    return (
        f"{STEPS} steps with αₜ = {ALPHA:g}/√T, β = {BETA:g}, θₜ = 1 - {THETA:g}/T, v₀ = 1/(sd), seed 0. In one "
        "process s samples drawn together against s workers each drawing alone; then python -m mpi.train, without a "
        "launcher and on P ranks."
    )


_RANKS: dict[Size, tuple[int, ...]] = {"quick": (1, 2, 5), "standard": (1, 2, 3, 4, 5), "full": (1, 2, 3, 4, 5)}
EXPERIMENT = Experiment(
    name="proposition-22",
    title="Proposition 22: s workers are s samples, to the last bit",
    paper="Proposition 22 (p. 17): Algorithm 3 (distributed Adam) with s workers is Algorithm 2 (mini-batch Adam) with "
    "s independent samples",
    measure=lambda size, folder: {"pairs": measure(_RANKS[size])},
    arrays=lambda pairs: dict(vars(pairs)),
    part=lambda arrays: Pairs(**arrays),
    claims=lambda parts, error: claims(parts["pairs"]),
    panels=lambda parts: [
        [Panel("Pairs of runs and their sha256.", lambda ax: draw(ax, parts["pairs"]), (SAME,), lead=True)]
    ],
    setting=lambda parts: setting(parts["pairs"]),
    table=lambda parts: table(parts["pairs"]),
)
