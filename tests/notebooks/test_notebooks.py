"""Every notebook runs from first cell to last and gives what it has stored; its sliders move what they should."""

import math
import re

import nbformat
import pytest

from reference.families import generic
from tests.notebooks.execute import NOTEBOOKS, WIDGET, executed, outputs
from theory.chen_2022.theorem_2 import theorem_2
from theory.constants import Constants

PICTURES = {"counterexample": 4, "linear_speedup": 3, "sufficient_condition": 4, "your_schedule_your_problem": 3}
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
LOGARITHM = Constants(L=2, G=8**0.5, d=4, gap=4 * math.log(5))  # the problem of your_schedule_your_problem

# name: (where the sliders are moved to, the bound there, G)
MOVED = {
    "sufficient_condition": (
        {"r": 0.8, "s": 0.6, "beta": 0.1, "eta": 0.1, "a": 0.25, "L": 0.1, "G": 10.0, "d": 3},
        lambda r, s, beta, eta, a, L, G, d: theorem_2(
            generic(eta=eta, s=s, a=a, r=r, K=2, beta=beta), 10**6, Constants(L=L, G=G, d=d, gap=1), 0.1
        ),
        10,
    ),
    "your_schedule_your_problem": (
        {"r": 0.8, "s": 0.6, "beta": 0.1, "eta": 0.1, "a": 0.25},
        lambda r, s, beta, eta, a: theorem_2(
            generic(eta=eta, s=s, a=a, r=r, K=2, beta=beta), 10**6, LOGARITHM, 0.1, "sharp"
        ),
        8**0.5,
    ),
}


@pytest.fixture(autouse=True)
def nothing_of_the_user(monkeypatch, tmp_path):
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path))


def text_of(cells):
    """What is to be read in outputs, a string a cell; a picture is its size."""
    shown = [[{"text/plain": output.get("text", ""), **output.get("data", {})} for output in cell] for cell in cells]
    return ["\n".join(data.get("text/markdown", data["text/plain"]) for data in cell) for cell in shown]


def pictures_of(cells):
    return [output.data["image/png"] for cell in cells for output in cell if "image/png" in output.get("data", {})]


def check_same(found, stored):
    """Word by word; of the numbers three digits, since another processor's powers may differ in the last bit."""
    for here, there in zip(found, stored, strict=True):
        assert NUMBER.sub("#", here) == NUMBER.sub("#", there)
        for x, y in zip(NUMBER.findall(here), NUMBER.findall(there), strict=True):
            assert math.isclose(float(x), float(y), rel_tol=1e-3), (here, there)


def test_there_are_notebooks():
    assert list(NOTEBOOKS) == list(PICTURES)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_stored_to_be_read_where_nothing_runs(name):
    notebook = nbformat.read(NOTEBOOKS[name], as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    stored = [cell.outputs for cell in cells]
    assert stored == outputs(notebook)  # no slider, which needs a kernel
    assert len(pictures_of(stored)) == PICTURES[name]
    assert all(output.output_type != "error" and output.get("name") != "stderr" for cell in stored for output in cell)
    assert not re.search(r"\bnan\b|(?<!\w)/(home|root|tmp|usr|Users)/|Warning", "\n".join(text_of(stored)))
    assert NOTEBOOKS[name].stat().st_size < 400_000


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_stored_is_what_the_code_gives(name):
    """To move with the code: python -m tests.notebooks.execute"""
    notebook = executed(name)
    check_same(text_of(outputs(notebook)), text_of(outputs(nbformat.read(NOTEBOOKS[name], as_version=4))))
    assert len(pictures_of(outputs(notebook))) == PICTURES[name]
    everything = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum(WIDGET in output.get("data", {}) for output in everything) == (name in MOVED)


@pytest.mark.parametrize("name", MOVED)
def test_sliders_move_the_sentence_and_the_picture(name):
    places, bound, G = MOVED[name]
    notebook = executed(name, after=[f"for name, place in {places}.items():\n    sliders[name].value = place"])
    *cells, after = outputs(notebook)
    stored = outputs(nbformat.read(NOTEBOOKS[name], as_version=4))
    assert after == []
    value = bound(**places).value
    says = "which any algorithm meets" if value > G else "which says something"
    assert f" {value:.4g} beside G = {G:.4g}, {says}." in text_of(cells)[-1]
    assert pictures_of(cells)[-1] != pictures_of(stored)[-1]


@pytest.mark.parametrize("name", MOVED)
def test_runs_without_sliders(name):
    _, *cells = outputs(executed(name, before=["import sys\nsys.modules['ipywidgets'] = None"]))
    stored = outputs(nbformat.read(NOTEBOOKS[name], as_version=4))
    assert cells[-1][0]["text"] == "pip install ipywidgets for sliders\n"
    check_same(text_of([*cells[:-1], cells[-1][1:]]), text_of(stored))
