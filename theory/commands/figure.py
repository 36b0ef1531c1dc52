"""python -m theory figure 1 | 4 | rates | speedup: measured, drawn, and judged claim by claim."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reference.files import npz_bytes, write_bytes
from theory.statistics import Finding, share

SUFFIXES = (".png", ".svg", ".pdf")
Arrays = dict[str, NDArray]
Parts = dict[str, Any]


class Figure(NamedTuple):
    """paper : what it says. measure : from a folder for what is unfinished, the parts (panels, problems, settings)
    by name. arrays, part : a part as arrays, and back. findings, plot : of all parts.
    """

    paper: str
    measure: Callable[[Path], Parts]
    arrays: Callable[[Any], Arrays]
    part: Callable[[Arrays], Any]
    findings: Callable[[Parts], list[Finding]]
    plot: Callable[[Parts, Path], None]


def configure(parser: argparse.ArgumentParser) -> None:
    meaning = "the picture, .png, .svg or .pdf (default figure-FIGURE.png); its data go beside it, as .npz"
    parser.add_argument("figure", choices=FIGURES, metavar="FIGURE", help=", ".join(FIGURES))
    parser.add_argument("--out", type=Path, metavar="FILE", help=meaning)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Measures, unless there are data beside the picture: then it is drawn from them."""
    name = arguments.figure
    picture = _checked(arguments.out or Path(f"figure-{name}.png"))
    data = picture.with_suffix(".npz")
    figure = FIGURES[name]()
    if measured_before := data.exists():
        parts = _load(name, figure, data)
    else:
        unfinished = picture.with_suffix(".unfinished")  # an interrupted measurement goes on from here
        parts = figure.measure(unfinished)
        _save(name, figure, parts, data)
        shutil.rmtree(unfinished, ignore_errors=True)
    figure.plot(parts, picture)
    if measured_before:
        sys.stderr.write(f"drawn from {data}, measured before; remove it to measure anew\n")
    found = figure.findings(parts)
    answer = {"figure": name, "picture": str(picture), "data": str(data), "paper": figure.paper}
    head = f"picture      {picture}\ndata         {data}\nthe paper    {figure.paper}\n\n"
    lines = [f"{finding.verdict:11}  {finding.claim}\n{'':11}  {finding.reason}\n" for finding in found]
    return answer | {"claims": [finding.as_json() for finding in found]}, head + "".join(lines)


def _checked(picture: Path) -> Path:
    if picture.suffix not in SUFFIXES:
        raise ValueError(f"--out {picture}: allowed are names that end in {', '.join(SUFFIXES)}")
    if picture.is_dir() or not os.access(picture.parent, os.W_OK):
        raise ValueError(f"--out {picture}: needed is a file in a folder that exists and can be written to")
    return picture


def _save(name: str, figure: Figure, parts: Parts, data: Path) -> None:
    arrays = {f"{part}/{key}": array for part, of in parts.items() for key, array in figure.arrays(of).items()}
    write_bytes(data, npz_bytes({"figure": np.array(name)} | arrays))


def _load(name: str, figure: Figure, data: Path) -> Parts:
    try:
        with np.load(data, allow_pickle=False) as stored:
            arrays = dict(stored)
        if str(arrays.pop("figure")) != name:
            raise ValueError("another figure's")
        parts: dict[str, Arrays] = {}
        for key, array in arrays.items():
            part, _, quantity = key.partition("/")
            parts.setdefault(part, {})[quantity] = array
        return {part: figure.part(of) for part, of in parts.items()}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{data} does not hold the data of figure {name} ({error}); remove it or choose another --out"
        ) from None


def _figure_1() -> Figure:
    from theory.experiments import figure_1
    from theory.montecarlo import Measured, Sample

    def arrays(panel: Measured) -> Arrays:
        description = np.array(json.dumps(panel.description))
        return {"description": description, "t": panel.t, "ln_f": panel.history["x"].values, "x": panel.x}

    def part(of: Arrays) -> Measured:
        return Measured(json.loads(str(of["description"])), of["t"], {"x": Sample(of["ln_f"])}, {}, of["x"])

    return Figure(
        "Figure 1 (p. 18): on the counterexample smaller r is slower, r = 0 and .25 do not converge; with a small "
        "numerator r = .25 does; at r = .8 smaller s is faster (printed: smaller r)",
        lambda folder: {name: figure_1.measure(name, folder) for name in figure_1.PANELS},
        arrays, part, figure_1.findings, figure_1.plot,
    )  # fmt: skip


def _figure_4() -> Figure:
    from theory.experiments import figure_4

    return Figure(
        "Figure 4 (p. 20-21): the best rate of SGD and SGD-M climbs with the batch, from .005 to .04; Adam's and "
        "RMSProp's stays between .02 and .04",
        lambda folder: {"norms": figure_4.measure()},
        lambda norms: norms.arrays, figure_4.Norms.of,
        lambda parts: figure_4.findings(parts["norms"]), lambda parts, path: figure_4.plot(parts["norms"], path),
    )  # fmt: skip


def _rates() -> Figure:
    from theory.experiments import rates

    return Figure(
        "Corollary 10 (p. 10): E||grad f|| = O(T^(-r/4)), O(sqrt(ln T/T^(1-s))) or O(T^(-(1-s)/2)) where r/2 + s is "
        "below, at or above 1",
        lambda folder: {name: rates.measure(name) for name in rates.PROBLEMS},
        lambda curves: curves.arrays, rates.Curves.of,
        lambda parts: [finding for curves in parts.values() for finding in rates.findings(curves)], rates.plot,
    )  # fmt: skip


def _speedup() -> Figure:
    from theory.experiments import speedup

    def measure(folder: Path) -> Parts:
        grids = {name: speedup.measure(name, folder) for name in ("quadratic", "bump")}
        return grids | {"fixed-epsilon": speedup.measure("fixed-epsilon", folder, products=(speedup.PRODUCT,))}

    def findings(parts: Parts) -> list[Finding]:
        judged = [name for name in parts if name != "fixed-epsilon"]  # which is there to show the floor
        error = share(3 * len(judged))
        return [
            replace(finding, claim=f"{name}: {finding.claim}")
            for name in judged
            for finding in speedup.findings(parts[name], error)
        ]

    return Figure(
        "Theorem 17 and Remark 18 (p. 14-16): s workers need 1/s of the steps while s d^2/T is small; proved, and "
        "shown in no figure",
        measure,
        lambda grid: {name: np.asarray(array) for name, array in vars(grid).items()},
        lambda of: speedup.Grid(str(of["setting"]), of["workers"], of["products"], of["steps"], of["values"]),
        findings, speedup.plot,
    )  # fmt: skip


FIGURES = {"1": _figure_1, "4": _figure_4, "rates": _rates, "speedup": _speedup}
