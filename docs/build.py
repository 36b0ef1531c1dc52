"""python docs/build.py [--out DIR]: the API reference, from the docstrings, and the glossary, from the report's words.

The reference is pdoc's (extra `docs`): one page a module, under DIR/api (default docs/site, which git ignores). The
glossary is docs/glossary.md, kept in the repository so that it reads on the web too. Exits with 1 where a public name
has no docstring or is missing from its page.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
ROOMS = ("reference", "theory", "mpi")
sys.path.insert(0, str(HERE.parent))


def modules() -> Iterator[ModuleType]:
    """Every module of the three rooms, but programs (`__main__`), which run when they are imported."""
    for room in ROOMS:
        package = importlib.import_module(room)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def public_names(module: ModuleType) -> list[str]:
    """The classes and functions that a module defines itself and shows: by `__all__`, or without an underscore."""
    shown = getattr(module, "__all__", None)
    return [
        name
        for name, value in vars(module).items()
        if (name in shown if shown is not None else not name.startswith("_"))
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    ]


def undocumented() -> list[str]:
    """Public names, modules among them, that have no docstring."""
    missing = []
    for module in modules():
        if not module.__doc__:
            missing.append(module.__name__)
        for name in public_names(module):
            if not inspect.getdoc(getattr(module, name)):
                missing.append(f"{module.__name__}.{name}")
    return missing


def build_reference(out: Path) -> list[str]:
    """Writes the pages and returns the public names that are missing from them."""
    import pdoc

    pdoc.render.configure(docformat="numpy", search=True, footer_text="practical-adam")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # annotations that need an import for type checkers alone stay as text
        pdoc.pdoc(*(module.__name__ for module in modules()), output_directory=out)
    missing = []
    for module in modules():
        page = (out / (module.__name__.replace(".", "/") + ".html")).read_text()
        missing += [f"{module.__name__}.{name}" for name in public_names(module) if f'id="{name}"' not in page]
    return missing


def glossary() -> str:
    """The words of the report, as a page."""
    from theory.report import WORDS

    entries = "".join(f"**{word}**\n: {meaning}\n\n" for word, meaning in WORDS.items())
    return (
        "# Glossary\n\nThe words and symbols of the reports, the commands and the docstrings. Pages are those of\n"
        'Chen, Shen, Zou and Liu, "Towards Practical Adam", JMLR 23(229), 2022. Made by `python docs/build.py`.\n\n'
        + entries
    ).rstrip() + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python docs/build.py", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "site", metavar="DIR", help="default docs/site")
    out = parser.parse_args().out
    (HERE / "glossary.md").write_text(glossary())
    problems = [f"{name} has no docstring" for name in undocumented()]
    problems += [f"{name} is missing from its page" for name in build_reference(out / "api")]
    for problem in problems:
        sys.stderr.write(problem + "\n")
    sys.stdout.write(f"{out / 'api' / 'index.html'}\n{HERE / 'glossary.md'}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
