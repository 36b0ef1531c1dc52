"""python -m theory COMMAND: each command imports only what it needs."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
from typing import NamedTuple, NoReturn


class Command(NamedTuple):
    """A command of `python -m theory`; its module is theory.commands.NAME.

    Attributes
    ----------
    purpose : str
        What it does, in one line.
    example : str
        Arguments that show it.
    goes_on : bool
        Whether what was measured before an interruption is kept, so that the same command goes on from there.
    """

    purpose: str
    example: str
    goes_on: bool = False


COMMANDS = {
    "condition": Command(
        "R1-R3 and the sufficient condition (Corollary 9) for a family, with a witness for every verdict",
        "--eta 0.1 --s 0.5 --r 1 --c 1",
    ),
    "bound": Command(
        "a theorem's bound, term by term",
        "theorem-2 --T 1000 --L 2 --G 3 --d 4 --gap 1 --epsilon 0.01",
    ),
    "figure": Command("one claim or figure of the paper, measured, drawn and judged", "rates --out rates.png", True),
    "verify": Command("all of them: one page that says which hold; exit 1 if any is violated", "--quick", True),
    "errata": Command("where the paper errs in print, with evidence computed on the spot", "--json"),
}
USAGE, INTERRUPTED = 2, 130


class _Parser(argparse.ArgumentParser):
    """Errors in one line, which points to --help."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}; {self.prog} --help lists what there is\n")


def main(argv: list[str] | None = None) -> int:
    """Run the command given; without one, list them. Returns the exit code."""
    given = sys.argv[1:] if argv is None else argv
    if not given:
        _write(_commands())
        return 0
    parser = _Parser(prog="python -m theory", allow_abbrev=False, description="What the paper proves, as numbers.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {}
    for name, (purpose, example, _) in COMMANDS.items():
        epilog = f"example: python -m theory {name} {example}"
        subparser = subparsers.add_parser(name, help=purpose, description=purpose, epilog=epilog, allow_abbrev=False)
        if given[:1] == [name]:
            modules[name] = importlib.import_module(f"theory.commands.{name}")
            modules[name].configure(subparser)
    arguments, unknown = parser.parse_known_args(given)
    if unknown:
        subparsers.choices[arguments.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    command = modules[arguments.command]
    try:
        answer, text = command.run(arguments)
        _write(json.dumps(answer, allow_nan=False) + "\n" if arguments.json else text)
    except (ValueError, TypeError, OSError) as error:
        parser.exit(USAGE, f"python -m theory {arguments.command}: {' '.join(str(error).split())}\n")
    except KeyboardInterrupt:
        end = "; the same command goes on" if COMMANDS[arguments.command].goes_on else ""
        parser.exit(INTERRUPTED, f"python -m theory {arguments.command}: interrupted{end}\n")
    return command.exit_code(answer) if arguments.command == "verify" else 0


def _commands() -> str:
    lines = ["python -m theory COMMAND: what the paper proves, as numbers. The commands, each with an example:\n"]
    for name, (purpose, example, _) in COMMANDS.items():
        lines.append(f"{name:10} {purpose}\n{'':10} python -m theory {name} {example}")
    return "\n".join([*lines, "\npython -m theory COMMAND --help lists a command's options.", ""])


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
