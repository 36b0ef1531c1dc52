"""python -m theory verify: every experiment measured and judged, and one page of what holds."""

from __future__ import annotations

import argparse
import math
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import date
from pathlib import Path
from typing import Any

from reference.files import write_bytes, write_json
from theory import report
from theory.commands.figure import add_size
from theory.experiments import ERROR, EXPERIMENTS, SECONDS, load
from theory.experiments.experiment import Size


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    meaning = "where report.html, report.json, data and pictures go (default: a new folder under runs/)"
    add_size(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help=meaning)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """What DIR holds already is not measured again: an interrupted verification says by which command it goes on."""
    folder, size = _folder(arguments.out), arguments.size
    held = [name for name in EXPERIMENTS if _data(folder, name).exists()]
    if held:
        sys.stderr.write(f"measured before, in {folder}: {', '.join(held)}; remove their .npz to measure anew\n")
    for name in held:  # before anything long begins
        load(name).load(size, _data(folder, name))
    drawn = [name for name in held if _data(folder, name).with_suffix(".png").exists()]
    begun = [name for name in EXPERIMENTS if name not in drawn]
    try:
        if begun:
            sys.stderr.write(_beforehand(begun, size, folder))
        measure(begun, size, folder)
    except KeyboardInterrupt:
        flag = [] if size == "standard" else [f"--{size}"]
        command = shlex.join(["python", "-m", "theory", "verify", *flag, "--out", str(folder)])
        raise KeyboardInterrupt(f"{command} goes on") from None
    sections = []
    for name in EXPERIMENTS:
        experiment, data = load(name), _data(folder, name)
        parts = experiment.load(size, data)
        command = " ".join(_command(name, size, Path(f"{name}.png")))
        found, written = experiment.claims(parts, ERROR), date.fromtimestamp(data.stat().st_mtime)
        sections.append(report.Section(experiment, parts, found, data.name, written, command))
    answer = report.as_json(sections, size)
    write_bytes(folder / "report.html", report.as_html(sections, size).encode())
    write_json(folder / "report.json", answer)
    return answer, report.as_text(sections) + f"{folder / 'report.html'}\n"


def exit_code(answer: dict[str, Any]) -> int:
    """1 where a claim is violated."""
    return 1 if answer["violated"] else 0


def _beforehand(names: list[str], size: Size, folder: Path) -> str:
    """How long it takes about, before it begins."""
    cores = len(os.sched_getaffinity(0))
    each = [SECONDS[name][size] for name in names]
    about = max(sum(each) / cores, *each)
    time = f"{10 * math.ceil(about / 10)} s" if about < 120 else f"{math.ceil(about / 60)} minutes"
    experiments = "1 experiment" if len(names) == 1 else f"{len(names)} experiments"
    at_once = "one core" if cores == 1 else f"{cores} cores"
    return f"{experiments} at {size} size into {folder}: about {time} on {at_once} that nothing else keeps busy\n"


def measure(names: Iterable[str], size: Size, folder: Path) -> None:
    """Each by its own command, as many at once as there are cores. ValueError with the last line of one that failed."""
    pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    processes: list[subprocess.Popen[str]] = []
    try:
        longest_first = sorted(names, key=lambda name: -SECONDS[name][size])  # so that all cores end together
        running = {pool.submit(_measure, name, size, folder, processes): name for name in longest_first}
        for done, future in enumerate(as_completed(running), 1):
            sys.stderr.write(f"{running[future]}: {future.result():.0f} s  ({done} of {len(running)})\n")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()  # not SIGINT, which is ignored by what a shell started in the background
        pool.shutdown()


def _measure(name: str, size: Size, folder: Path, processes: list[subprocess.Popen[str]]) -> float:
    begin = time.monotonic()
    command = [sys.executable, *_command(name, size, folder / f"{name}.png")[1:]]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    processes.append(process)
    _, error = process.communicate()
    if process.returncode:
        raise ValueError(f"{name}: exit {process.returncode}: {(error.strip().splitlines() or ['?'])[-1]}")
    return time.monotonic() - begin


def _command(name: str, size: Size, picture: Path) -> list[str]:
    flag = [] if size == "standard" else [f"--{size}"]
    return ["python", "-m", "theory", "figure", name, *flag, "--out", str(picture)]


def _data(folder: Path, name: str) -> Path:
    return folder / f"{name}.npz"


def _folder(out: Path | None) -> Path:
    try:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            return out
        number = 1
        while (folder := Path("runs") / f"verify-{number:03d}").exists():
            number += 1
        folder.mkdir(parents=True)
        return folder
    except OSError as error:
        raise ValueError(f"--out {out or 'runs'}: it must be a folder, old or new ({error.strerror})") from None
