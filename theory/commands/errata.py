"""python -m theory errata: what the paper says, what it should say, and what shows it."""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import asdict
from typing import Any

from theory.chen_2022.errata import ERRATA


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON list and nothing else")


def run(arguments: argparse.Namespace) -> tuple[list[dict[str, Any]], str]:
    findings = [erratum.judge() for erratum in ERRATA]
    blocks = []
    for finding in findings:
        rows = [("printed", finding.printed), ("corrected", finding.corrected), ("evidence", finding.evidence or "-")]
        body = "".join(
            textwrap.fill(text, 110, initial_indent=f"     {name:11}", subsequent_indent=" " * 16) + "\n"
            for name, text in rows
        )
        blocks.append(f"{finding.id:4} {finding.verdict}: {finding.where}\n{body}")
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.verdict] = counts.get(finding.verdict, 0) + 1
    summary = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    return [asdict(finding) for finding in findings], "\n".join(blocks) + f"\n{len(findings)} errata: {summary}\n"
