"""What every experiment offers: measured at one of three sizes, kept as arrays, judged claim by claim, drawn."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any, Literal, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from numpy.typing import NDArray

from reference.checkpoint import sha256
from reference.files import UNREADABLE, npz_bytes, write_bytes
from reference.problems import Problem
from theory.tools.statistics import Claim

Size = Literal["quick", "standard", "full"]
Arrays = dict[str, NDArray]
Parts = dict[str, Any]


class Panel(NamedTuple):
    """One picture.

    Attributes
    ----------
    caption : what it shows and how it is read, in a sentence or two.
    draw : puts it on empty axes. What has a label is named below the picture, never over the data.
    topics : those of the claims that it shows, for whoever cannot see it.
    lead : the one picture that stands for the experiment.
    """

    caption: str
    draw: Callable[[Axes], None]
    topics: tuple[str, ...] = ()
    lead: bool = False


class Table(NamedTuple):
    """What is better read than seen: rows of cells in plain text, the first of each its heading."""

    caption: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True)
class Experiment:
    """A claim of the paper and what measures it. A part is what one simulation or several of a kind gave.

    Words are plain text, since they appear in terminals and on pages as well as in pictures.

    name : of `python -m theory figure NAME`. title : a line. paper : what is claimed, with its page.
    measure : size, and a folder where an interrupted measurement is kept and goes on -> parts by name.
    arrays, part : a part as arrays, and back.
    claims : parts and the error of all claims together -> the claims judged.
    panels : parts -> rows of panels. setting : parts -> what was run, in a few sentences.
    table : parts -> what a page shows in place of the panels, if anything.
    """

    name: str
    title: str
    paper: str
    measure: Callable[[Size, Path], Parts]
    arrays: Callable[[Any], Arrays]
    part: Callable[[Arrays], Any]
    claims: Callable[[Parts, float], list[Claim]]
    panels: Callable[[Parts], list[list[Panel]]]
    setting: Callable[[Parts], str]
    table: Callable[[Parts], Table] | None = None

    @property
    def id(self) -> str:
        """What the ids of its claims begin with."""
        return f"figure-{self.name}" if self.name.isdigit() else self.name

    def save(self, parts: Parts, size: Size, path: Path) -> None:
        kept = {f"{name}/{key}": array for name, part in parts.items() for key, array in self.arrays(part).items()}
        head = {"experiment": self.name, "size": size, "sha256": _sha256(kept)}
        write_bytes(path, npz_bytes({key: np.array(value) for key, value in head.items()} | kept))

    def load(self, size: Size, path: Path) -> Parts:
        """ValueError in one line where the file does not hold this experiment at this size."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = dict(stored)
            holds = str(arrays.pop("experiment")), str(arrays.pop("size"))
            if holds != (self.name, size):
                raise ValueError(f"they are those of {holds[0]}, {holds[1]} size")
            if str(arrays.pop("sha256")) != _sha256(arrays):
                raise ValueError("damaged: their sha256 is another")
            kept: dict[str, Arrays] = {}
            for key, array in arrays.items():
                name, _, quantity = key.partition("/")
                kept.setdefault(name, {})[quantity] = array
            return {name: self.part(of) for name, of in kept.items()}
        except UNREADABLE as error:
            raise ValueError(
                f"{path} does not hold the data of figure {self.name}, {size} size ({error}); remove it"
            ) from None

    def plot(self, parts: Parts, path: Path) -> None:
        """All panels as one picture, as the suffix says: .png, .svg, .pdf."""
        with house_style():
            write_bytes(path, rendered(self._drawn(parts), path.suffix.removeprefix(".")))

    def _drawn(self, parts: Parts) -> Figure:
        rows = self.panels(parts)
        columns = max(len(row) for row in rows)
        drawn = Figure(figsize=(5.8 * columns, 5.8 * len(rows) + 1), layout="constrained", dpi=110)
        grid = drawn.subfigures(len(rows), columns, squeeze=False)
        for i, row in enumerate(rows):
            for place, panel in zip(grid[i], row, strict=False):
                draw_panel(place, panel).set_title(fill(panel.caption, 62), fontsize=10)
        drawn.suptitle(self.title, fontsize=14)
        drawn.supxlabel(fill(self.setting(parts), 76 * columns), fontsize=10, x=0.01, ha="left")
        return drawn


def draw_panel(place: FigureBase, panel: Panel) -> Axes:
    """The panel on a figure or a part of one, what its lines and marks mean below it; its axes."""
    ax: Axes = place.subplots()
    ax.grid(alpha=0.3)
    panel.draw(ax)
    handles, labels = ax.get_legend_handles_labels()
    if labels:
        columns = legend_columns(labels)
        place.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=9, frameon=False)
    return ax


def legend_columns(labels: list[str]) -> int:
    """As many as fit below a picture."""
    return max(1, min(4, 84 // (max(len(label) for label in labels) + 8)))


@contextmanager
def house_style() -> Iterator[None]:
    """matplotlib's own defaults: nobody's matplotlibrc changes a picture."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


def largest_gradient_norm(problem: Problem) -> float:
    """What ||grad f|| is at most, at any x; infinite where that is not known."""
    known = problem.largest_gradient_norm()
    return math.inf if known is None else known


def _sha256(arrays: Arrays) -> str:
    return sha256(
        np.frombuffer("".join(f"{key} {sha256(array)}\n" for key, array in sorted(arrays.items())).encode(), np.uint8)
    )


def rendered(drawn: Figure, format: str, transparent: bool = False) -> bytes:
    """The figure as a file of this format; no display is needed."""
    buffer = io.BytesIO()
    drawn.savefig(buffer, format=format, transparent=transparent)
    return buffer.getvalue()
