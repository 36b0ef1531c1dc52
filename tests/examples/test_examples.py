"""Every example is a program of a minute's reading that ends well and says what its docstring promises."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted((ROOT / "examples").glob("*.py"))
SAID = {
    "one_run": r"f falls from 5\.000 to 0\.\d+\naverage gradient norm over 2000 steps: 0\.\d+",
    "one_step": r"t = 1:  m = 0\.100000  v = 0\.900000  x = 0\.989459\n.*\nt = 3: .*",
    "schedule": r"(?s).*SC4: holds.*bias-corrected.*SC4: fails.*",
    "replicas": r"s =  1: .* in \[.*\n.*\ns = 16: .* in \[.*",
    "scipy_method": r"x = \[1\. +1\. *\], f = \S+, \d+ steps: every entry .*",
}


def test_there_are_examples():
    assert {path.stem for path in PROGRAMS} == set(SAID)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_short_and_explained(path):
    text = path.read_text()
    assert len(text.splitlines()) < 30
    assert f"python examples/{path.name}" in ast.get_docstring(ast.parse(text))
    assert f"examples/{path.name}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_it_runs_from_the_checkout(path):
    done = subprocess.run(
        [sys.executable, f"examples/{path.name}"], cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(SAID[path.stem], done.stdout.strip())
