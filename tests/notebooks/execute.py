"""Runs the notebooks and stores their outputs in them: python -m tests.notebooks.execute [NAME ...]"""

import os
import sys
from pathlib import Path

import nbclient
import nbformat

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
WIDGET = "application/vnd.jupyter.widget-view+json"


def executed(name, before=(), after=()):
    """The notebook with the outputs of a fresh kernel; `before` and `after` are further cells' sources.

    Neither what changes from run to run (times, the state of widgets) nor the kernel's version is kept.
    """
    notebook = nbformat.read(NOTEBOOKS[name], as_version=4)
    new = nbformat.v4.new_code_cell
    notebook.cells = [*map(new, before), *notebook.cells, *map(new, after)]
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,  # seconds a cell: twenty times what the slowest takes
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(ROOT / "notebooks")}},
    )
    client.execute(env={**os.environ, "PYTHONPATH": str(ROOT)})
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def outputs(notebook):
    """Of every code cell in order, without the sliders themselves: they need a kernel."""
    return [
        [output for output in cell.outputs if WIDGET not in output.get("data", {})]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


if __name__ == "__main__":
    for name in sys.argv[1:] or NOTEBOOKS:
        notebook = executed(name)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for cell, kept in zip(cells, outputs(notebook), strict=True):
            cell.outputs = kept
        nbformat.write(notebook, NOTEBOOKS[name])
