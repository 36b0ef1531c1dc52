"""The arrows between the rooms (theory -> reference; mpi -> reference, theory), and what an installed copy contains."""

from __future__ import annotations

import ast
import importlib
import sys
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("reference", "theory", "mpi")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
EVERY_FILE = pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])


def tree(path):
    return ast.parse(path.read_text())


def imported(path):
    """The top-level names of everything a file imports, anywhere in it: statements, import_module, __import__."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            name = node.args[0]
            names.add(ast.literal_eval(name.values[0] if isinstance(name, ast.JoinedStr) else name))
    return {name.split(".")[0] for name in names}


def test_there_is_something_to_check():
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(ROOMS)
    assert len(FILES) > 20


@EVERY_FILE
def test_arrows_between_the_rooms(path):
    """Never reference -> theory or mpi, never theory -> mpi, and nothing imports its tests."""
    forbidden = {"reference": {"theory", "mpi"}, "theory": {"mpi"}, "mpi": set()}[path.relative_to(ROOT).parts[0]]
    assert not imported(path) & (forbidden | {"tests"})


@pytest.mark.parametrize("path", sorted((ROOT / "reference").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_reference_needs_numpy_and_scipy_alone(path):
    """Besides threadpoolctl, which names the BLAS kernel; the benchmark times other libraries where they are, and a
    run becomes a pandas frame where pandas is."""
    allowed = {"numpy", "scipy", "threadpoolctl", "reference"} | sys.stdlib_module_names
    others = {"bench.py": {"torch", "jax", "optax"}, "iterate.py": {"pandas"}}
    assert imported(path) <= allowed | others.get(str(path.relative_to(ROOT / "reference")), set())


@EVERY_FILE
def test_no_pickle(path):
    assert not imported(path) & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert ast.unparse(node.value) == "False"
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".load", ".savez", ".savez_compressed")):
            numpy_s = ast.unparse(node.func).startswith(("np.", "numpy."))
            assert not numpy_s or any(keyword.arg == "allow_pickle" for keyword in node.keywords)


def setup_arguments():
    (call,) = (
        n for n in ast.walk(tree(ROOT / "setup.py")) if isinstance(n, ast.Call) and ast.unparse(n.func) == "setup"
    )
    return {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg in ("packages", "package_data", "version")}


def test_setup_names_every_package_and_nothing_else():
    on_disk = {
        ".".join(path.relative_to(ROOT).parent.parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
        if "__pycache__" not in path.parts
    }
    assert set(setup_arguments()["packages"]) == on_disk
    assert {".".join(path.relative_to(ROOT).parent.parts) for path in FILES} == on_disk


def test_every_file_that_is_not_code_is_package_data():
    """An installed copy has them: each is listed in setup.py, and each listed one exists."""
    listed = {
        (ROOT / package.replace(".", "/") / name).relative_to(ROOT)
        for package, names in setup_arguments()["package_data"].items()
        for name in names
    }
    on_disk = {
        path.relative_to(ROOT)
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert listed == on_disk


def test_data_are_found_through_importlib():
    data = files("reference.datasets")
    assert (data / "digits.csv.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert (data / "DIGITS-LICENSE.txt").is_file()


@EVERY_FILE
def test_nothing_is_left_for_later(path):
    for word in ("NotImplementedError", "TODO", "FIXME", "XXX"):
        assert word not in path.read_text()


@pytest.mark.parametrize(
    "package", ["reference", "reference.datasets", "reference.networks.layers", "reference.problems"]
)
def test_every_public_name_exists(package):
    module = importlib.import_module(package)
    assert sorted(module.__all__) == sorted(set(module.__all__))
    assert all(hasattr(module, name) for name in module.__all__)
