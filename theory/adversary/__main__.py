"""python -m theory.adversary [STATEMENT]: the instance on which a bound is nearest to what is measured.

    python -m theory.adversary "Theorem 2" --steps 500 --no-noise --add "tight, no noise" --file tight.json

adds what it finds to a file of instances. The experiment of bounds reads such a file: theory/adversary/data/tight.json,
whose groups hold for each statement and form the largest measured/bound found, and the largest with --not-vacuous.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from theory.adversary.instance import load_instances, store_instances
from theory.adversary.search import Among, search, table
from theory.adversary.statements import TARGETS
from theory.commands.options import whole
from theory.statement import VARIANTS


def main(argv: list[str] | None = None) -> int:
    """Searches, prints what was found, and adds it to a file where one is named."""
    parser = argparse.ArgumentParser(prog="python -m theory.adversary", allow_abbrev=False, description=__doc__)
    add = parser.add_argument
    add("statement", nargs="?", choices=TARGETS, metavar="STATEMENT", help=f"{', '.join(TARGETS)} (default: all)")
    add("--variant", choices=VARIANTS, help="which form (default: all that differ)")
    add("--steps", type=whole, metavar="N", help="T of every instance (default: the statement's own)")
    add("--workers", type=whole, default=1, metavar="N", help="s of every instance (default 1)")
    add("--generations", type=whole, default=50, metavar="N", help="of the search (default 50)")
    add("--seed", type=whole, default=0, metavar="N", help="of the search (default 0)")
    add("--no-noise", action="store_true", help="only instances without noise")
    add("--not-vacuous", action="store_true", help="only instances whose bound is below the trivial one")
    add("--add", metavar="GROUP", help="add what is found to this group of --file")
    add("--file", type=Path, metavar="FILE", help="a file of instances, old or new")
    add("--json", action="store_true", help="print one JSON list and nothing else")
    given = parser.parse_args(argv)
    if (given.add is None) != (given.file is None):
        parser.error("--add and --file must be given together")
    titles = [given.statement] if given.statement else list(TARGETS)
    pairs = [(title, v) for title in titles for v in TARGETS[title].variants if given.variant in (None, v)]
    if not pairs:
        parser.error(f"{given.statement} must be searched in one of {', '.join(TARGETS[given.statement].variants)}")
    found = [
        search(
            title,
            variant,
            steps=given.steps,
            workers=given.workers,
            generations=given.generations,
            seed=given.seed,
            among=Among(noise=not given.no_noise, vacuous=not given.not_vacuous),
        )
        for title, variant in pairs
    ]
    if given.file is not None:
        groups = dict(load_instances(given.file)) if given.file.exists() else {}
        groups[given.add] = (*groups.get(given.add, ()), *(worst.instance for worst in found))
        store_instances(groups, given.file)
    sys.stdout.write((json.dumps([asdict(worst) for worst in found]) if given.json else table(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
