"""What every plot of the experiments shares: no display is needed, and a file appears whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reference.files import write_bytes


def figure(rows: int, columns: int, width: float, height: float) -> tuple[Figure, NDArray]:
    """A figure and its axes, an array (rows, columns), with a light grid."""
    drawn = Figure(figsize=(width, height), layout="constrained", dpi=110)
    axes = drawn.subplots(rows, columns, squeeze=False)
    ax: Axes
    for ax in axes.flat:
        ax.grid(alpha=0.3)
    return drawn, axes


def save(drawn: Figure, path: Path) -> None:
    """As the suffix says: .png, .svg, .pdf."""
    buffer = io.BytesIO()
    drawn.savefig(buffer, format=path.suffix.removeprefix(".") or "png")
    write_bytes(path, buffer.getvalue())
