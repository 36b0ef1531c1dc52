"""Every notebook runs from its first cell to its last and draws its pictures; with sliders, and without them too."""

import re
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PICTURES = {"counterexample": 4, "linear_speedup": 3, "sufficient_condition": 3}
INSTEAD_OF_SLIDERS = 3  # pictures, in sufficient_condition


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS] == list(PICTURES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")


def outputs_of(path, monkeypatch, tmp_path, first_cell=None):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    if first_cell is not None:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(first_cell))
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert not re.search(r"\bnan\b", "".join(output.get("text", "") for output in outputs))
    return outputs


def count(outputs, kind):
    return sum(kind in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path, monkeypatch, tmp_path):
    outputs = outputs_of(path, monkeypatch, tmp_path)
    sliders = count(outputs, "application/vnd.jupyter.widget-view+json")
    without = INSTEAD_OF_SLIDERS if path.stem == "sufficient_condition" and not sliders else 0
    assert count(outputs, "image/png") == PICTURES[path.stem] + without


def test_runs_without_sliders(monkeypatch, tmp_path):
    path = ROOT / "notebooks" / "sufficient_condition.ipynb"
    outputs = outputs_of(path, monkeypatch, tmp_path, first_cell="import sys\nsys.modules['ipywidgets'] = None")
    assert count(outputs, "image/png") == PICTURES[path.stem] + INSTEAD_OF_SLIDERS
