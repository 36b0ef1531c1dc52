"""python -m theory errata: what the paper says, what it should say, and what shows it."""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import asdict
from typing import Any

from theory.chen_2022.errata import ERRATA


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--json", action="store_true", help="print one JSON list and nothing else")


def run(arguments: argparse.Namespace) -> tuple[list[dict[str, Any]], str]:
    """Every erratum judged, as JSON and as text; the last line counts the verdicts."""
    judged = [erratum.judge() for erratum in ERRATA]
    blocks = []
    for one in judged:
        rows = [("printed", one.printed), ("corrected", one.corrected), ("evidence", one.evidence or "-")]
        body = "".join(
            textwrap.fill(text, 110, initial_indent=f"     {name:11}", subsequent_indent=" " * 16) + "\n"
            for name, text in rows
        )
        blocks.append(f"{one.id:4} {one.verdict}: {one.where}\n{body}")
    counts: dict[str, int] = {}
    for one in judged:
        counts[one.verdict] = counts.get(one.verdict, 0) + 1
    summary = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    return [asdict(one) for one in judged], "\n".join(blocks) + f"\n{len(judged)} errata: {summary}\n"
