"""What several commands share: Eq. 8's parameters, whole numbers, tables."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from reference.families import Family
from theory.sequences_given import GENERIC


def whole(text: str) -> int:
    """An integer; 1e7 is one."""
    number = float(text) if not text.lstrip("+-").isdigit() else int(text)
    if number != number or number in (float("inf"), float("-inf")) or number != int(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(number)


def add_generic(parser: argparse.ArgumentParser) -> None:
    """Options for the parameters of Eq. 8 (Chen et al. 2022, p. 10), shifted by c; None where one is not given."""
    for name, option in GENERIC.options.items():
        meaning = f"{option.meaning} (Eq. 8, p. 10; default {option.default:g})"
        parser.add_argument(f"--{name}", type=float, metavar="X", help=meaning)


def generic(arguments: argparse.Namespace) -> Family:
    """The family that the options name."""
    given = ((getattr(arguments, name), option.default) for name, option in GENERIC.options.items())
    return GENERIC.family(arguments.T, *(default if value is None else value for value, default in given))


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Two columns."""
    width = max(len(name) for name, _ in rows) + 2
    return "".join(f"{name:{width}}{value}\n" for name, value in rows)


def number(value: float | None, log10: float | None = None) -> str:
    """Six digits; as a power of ten where a float cannot hold it."""
    if value is not None and value != float("inf"):
        return f"{value:.6g}"
    return f"10^{log10:.6g}" if log10 is not None else "too large for a float"
