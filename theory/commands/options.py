"""What several commands share: Eq. 8's parameters, whole numbers, tables."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence

from reference import families
from reference.families import Family

GENERIC = {"eta": 0.1, "s": 0.5, "a": 1.0, "r": 1.0, "K": 2.0, "c": 0.0, "beta": 0.9}
_MEANING = {
    "eta": "eta of alpha_t = eta/(t + c)^s",
    "s": "s of alpha_t = eta/(t + c)^s",
    "a": "a of theta_t = 1 - a/max(t + c, K)^r",
    "r": "r of theta_t = 1 - a/max(t + c, K)^r",
    "K": "K of theta_t = 1 - a/max(t + c, K)^r, with a < max(1 + c, K)^r",
    "c": "c, the shift of t in both",
    "beta": "beta_t = beta",
}


def whole(text: str) -> int:
    """An integer; 1e7 is one."""
    number = float(text) if not text.lstrip("+-").isdigit() else int(text)
    if number != number or number in (float("inf"), float("-inf")) or number != int(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(number)


def add_generic(parser: argparse.ArgumentParser, names: Iterable[str] = tuple(GENERIC)) -> None:
    """Options for the parameters of Eq. 8 (p. 10), shifted by c."""
    for name in names:
        help = f"{_MEANING[name]} (Eq. 8, p. 10; default {GENERIC[name]:g})"
        parser.add_argument(f"--{name}", type=float, metavar="X", help=help)


def generic(arguments: argparse.Namespace) -> Family:
    """The family that the options name."""
    given = {name: getattr(arguments, name) for name in GENERIC}
    return families.generic(**{name: GENERIC[name] if value is None else value for name, value in given.items()})


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Two columns."""
    width = max(len(name) for name, _ in rows) + 2
    return "".join(f"{name:{width}}{value}\n" for name, value in rows)


def number(value: float | None, log10: float | None = None) -> str:
    """Six digits; as a power of ten where a float cannot hold it."""
    if value is not None and value != float("inf"):
        return f"{value:.6g}"
    return f"10^{log10:.6g}" if log10 is not None else "too large for a float"
