"""What a person reads is complete: every public name has a docstring and a place, every link leads somewhere."""

import importlib.util
import re
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/glossary.md")]


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build", ROOT / "docs" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_name_is_told(build):
    assert build.undocumented() == []


def test_every_public_name_is_in_the_reference(build, monkeypatch, tmp_path):
    """Without the sources beside it and the search over it, which take most of the time."""
    from pdoc import render

    monkeypatch.setitem(render.env.filters, "highlight", lambda doc: "")
    monkeypatch.setattr(render, "search_index", lambda modules: "[]")
    assert build.build_reference(tmp_path) == []
    page = (tmp_path / "reference" / "adam.html").read_text()
    assert 'id="adam_step"' in page and "Algorithm 1" in page


def test_a_name_without_a_place_or_a_docstring_is_found(build, monkeypatch, tmp_path):
    module = types.ModuleType("made_up")
    exec('"""A module."""\ndef bare():\n    pass\n\ndef told():\n    """What it does."""\n', module.__dict__)
    monkeypatch.setattr(build, "modules", lambda: [module])
    monkeypatch.setattr("pdoc.pdoc", lambda *names, output_directory: None)
    (tmp_path / "made_up.html").write_text('<section id="bare">')
    assert build.undocumented() == ["made_up.bare"]
    assert build.build_reference(tmp_path) == ["made_up.told"]
    module.__all__ = ["told"]
    assert build.undocumented() == []


def test_the_glossary_is_the_reports(build):
    assert (ROOT / "docs" / "glossary.md").read_text() == build.glossary()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
