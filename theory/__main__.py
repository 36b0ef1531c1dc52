"""python -m theory COMMAND: each command imports only what it needs."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
from typing import NoReturn

# name: what it does; the module is theory.commands.NAME
COMMANDS = {
    "condition": "R1-R3 and the sufficient condition (Corollary 9) for a family, with a witness for every verdict",
    "bound": "the bounds of Theorem 2, Corollary 13 and Theorem 17, term by term",
    "figure": "one claim or figure of the paper, measured, drawn and judged",
    "verify": "all of them: one page that says which hold; exit 1 if any is violated",
    "errata": "where the paper errs in print, with evidence computed on the spot",
}
USAGE, INTERRUPTED = 2, 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(argv: list[str] | None = None) -> int:
    given = sys.argv[1:] if argv is None else argv
    parser = _Parser(prog="python -m theory", allow_abbrev=False, description="What the paper proves, as numbers.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {}
    for name, purpose in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
        if given[:1] == [name]:
            modules[name] = importlib.import_module(f"theory.commands.{name}")
            modules[name].configure(subparser)
    arguments = parser.parse_args(given)
    command = modules[arguments.command]
    try:
        answer, text = command.run(arguments)
        _write(json.dumps(answer, allow_nan=False) + "\n" if arguments.json else text)
    except (ValueError, TypeError, OSError) as error:
        parser.exit(USAGE, f"python -m theory {arguments.command}: {' '.join(str(error).split())}\n")
    except KeyboardInterrupt:
        parser.exit(INTERRUPTED, f"python -m theory {arguments.command}: interrupted; the same command goes on\n")
    return command.exit_code(answer) if arguments.command == "verify" else 0


def _write(text: str) -> None:
    """To standard output, whatever its encoding; nothing where nobody reads it."""
    if sys.stdout is None:
        return
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's own flush fails too


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what runs below, as Ctrl-C does
    sys.exit(main())
