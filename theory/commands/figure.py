"""python -m theory figure NAME: an experiment measured, drawn, and judged claim by claim."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from theory.experiments import ERROR, EXPERIMENTS, load
from theory.experiments.experiment import Experiment, Parts, Size

SUFFIXES = (".png", ".svg", ".pdf")


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    meaning = "the picture, .png, .svg or .pdf (default figure-FIGURE.png); its data go beside it, as .npz"
    parser.add_argument("figure", choices=EXPERIMENTS, metavar="FIGURE", help=", ".join(EXPERIMENTS))
    add_size(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help=meaning)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def add_size(parser: argparse.ArgumentParser) -> None:
    """--quick or --full; neither is standard."""
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--quick",
        action="store_const",
        const="quick",
        dest="size",
        help="smaller, in seconds, for most of the verdicts",
    )
    sizes.add_argument("--full", action="store_const", const="full", dest="size", help="larger: in minutes")
    parser.set_defaults(size="standard")


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Measures, unless there are data beside the picture: then it is drawn from them."""
    picture = _checked(arguments.out or Path(f"figure-{arguments.figure}.png"))
    data = picture.with_suffix(".npz")
    experiment = load(arguments.figure)
    before = data.exists()
    try:
        parts = measured(experiment, arguments.size, data)
    except KeyboardInterrupt:
        kept = _unfinished(data).exists()
        raise KeyboardInterrupt("the same command goes on" if kept else "the same command begins anew") from None
    if before:
        sys.stderr.write(f"drawn from {data}, measured before; remove it to measure anew\n")
    experiment.plot(parts, picture)
    found = experiment.claims(parts, ERROR)
    answer = {"figure": experiment.name, "picture": str(picture), "data": str(data), "paper": experiment.paper}
    head = f"picture      {picture}\ndata         {data}\nthe paper    {experiment.paper}\n\n"
    lines = [f"{claim.verdict:11}  {claim.statement}\n{'':11}  {claim.reason}\n" for claim in found]
    return answer | {"claims": [claim.as_json() for claim in found]}, head + "".join(lines)


def measured(experiment: Experiment, size: Size, data: Path) -> Parts:
    """From the data where they are there; else measured, saved there, and an interrupted measurement goes on."""
    if data.exists():
        return experiment.load(size, data)
    unfinished = _unfinished(data)
    parts = experiment.measure(size, unfinished)
    experiment.save(parts, size, data)
    shutil.rmtree(unfinished, ignore_errors=True)
    return parts


def _unfinished(data: Path) -> Path:
    """What an interrupted measurement leaves, where its experiment keeps any of it."""
    return data.with_suffix(".unfinished")


def _checked(picture: Path) -> Path:
    if picture.suffix not in SUFFIXES:
        raise ValueError(f"--out {picture}: its name must end in one of {', '.join(SUFFIXES)}")
    if picture.is_dir() or not (picture.parent.is_dir() and os.access(picture.parent, os.W_OK)):
        raise ValueError(f"--out {picture}: it must be a file in a folder that exists and can be written to")
    return picture
