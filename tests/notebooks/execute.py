"""Runs the notebooks and stores their outputs in them: python -m tests.notebooks.execute [NAME ...]"""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import nbclient
import nbformat

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
WIDGET = "application/vnd.jupyter.widget-view+json"


@contextmanager
def executed(name):
    """(notebook, more): the notebook with the outputs of a fresh kernel, and what runs one more cell in that kernel.

    Nothing that changes from run to run, such as times and the state of widgets, is kept.
    """
    notebook = nbformat.read(NOTEBOOKS[name], as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,  # seconds a cell, thirty times what the slowest takes
        startup_timeout=300,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(ROOT / "notebooks")}},
    )
    with client.setup_kernel(env={**os.environ, "PYTHONPATH": str(ROOT)}):

        def more(source):
            notebook.cells.append(nbformat.v4.new_code_cell(source))
            return client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1)

        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        yield notebook, more


def outputs(notebook):
    """Of every code cell in order, without the sliders themselves: they need a kernel."""
    return [
        [output for output in cell.outputs if WIDGET not in output.get("data", {})]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


if __name__ == "__main__":
    for name in sys.argv[1:] or NOTEBOOKS:
        with executed(name) as (notebook, _):
            cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
            for cell, kept in zip(cells, outputs(notebook), strict=True):
                cell.outputs = kept
            nbformat.write(notebook, NOTEBOOKS[name])
