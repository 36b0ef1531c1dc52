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


def on_a_small_problem(r, s, beta, eta, a, L, G, d):
    family = generic(eta=eta, s=s, a=a, r=r, K=2, beta=beta)
    return theorem_2(family, 10**6, Constants(L=L, G=G, d=d, gap=1), 0.1)


def on_the_logarithm(r, s, beta, eta, a):
    family = generic(eta=eta, s=s, a=a, r=r, K=2, beta=beta)
    return theorem_2(family, 10**6, Constants(L=2, G=8**0.5, d=4, gap=4 * math.log(5)), 0.1, "sharp")


# name: (where the sliders start, where they are moved, the bound that the last cell tells)
MOVED = {
    "sufficient_condition": (
        {"r": 1, "s": 0.5, "beta": 0, "eta": 1, "a": 0.5, "L": 1, "G": 1, "d": 1},
        {"G": 10.0, "L": 0.1, "d": 3, "r": 0.8, "s": 0.6, "beta": 0.1, "eta": 0.1, "a": 0.25},
        on_a_small_problem,
    ),
    "your_schedule_your_problem": (
        {"r": 1, "s": 0.5, "beta": 0.5, "eta": 0.3, "a": 1},
        {"beta": 0.1, "r": 0.8, "s": 0.6, "eta": 0.1, "a": 0.25},
        on_the_logarithm,
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
def test_gives_what_is_stored_and_follows_its_sliders(name):
    """One run for both. To store what changed: python -m tests.notebooks.execute"""
    stored = outputs(nbformat.read(NOTEBOOKS[name], as_version=4))
    with executed(name) as (notebook, more):
        found = outputs(notebook)
        check_same(text_of(found), text_of(stored))
        assert len(pictures_of(found)) == PICTURES[name]
        everything = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        assert sum(WIDGET in output.get("data", {}) for output in everything) == (name in MOVED)
        if name in MOVED:
            last = notebook.cells[-1].source
            check_sliders(notebook, more, *MOVED[name])
            check_without_sliders(more, last, stored[-1])


def check_sliders(notebook, more, starts, places, bound):
    """The sliders are moved one after another, and the sentence and the picture that were shown follow."""
    last, picture = len(outputs(notebook)) - 1, pictures_of(outputs(notebook))[-1]
    for name, place in places.items():
        assert not more(f"sliders[{name!r}].value = {place}").outputs
        starts = {**starts, name: place}
        found = bound(**starts)
        says = "which any algorithm meets" if found.vacuous else "which says something"
        sentence = f" {found.value:.4g} beside G = {found.trivial:.4g}, {says}."
        assert text_of(outputs(notebook))[last].endswith(sentence), name
        moved = pictures_of(outputs(notebook))[-1]
        assert moved != picture, name
        picture = moved


def check_without_sliders(more, last, stored):
    """Where ipywidgets is missing, the last cell shows the same picture, and says how to get sliders."""
    more("import sys\nsys.modules['ipywidgets'] = None")
    hint, *shown = more(last).outputs
    assert hint.text == "pip install ipywidgets for sliders\n"
    check_same(text_of([shown]), text_of([stored]))
