"""python -m theory bound STATEMENT: the bound of any statement of the registry, term by term."""

from __future__ import annotations

import argparse
from typing import Any

from theory.commands.options import number, table, whole
from theory.constants import Constants, check
from theory.statement import STATEMENTS, Bound, Option, Setup, Statement

# what is asked for of a problem
_MEANING = {
    "L": "Lipschitz constant of grad f (A2)",
    "G": "E_t||g_t||^2 <= G^2, one sample (A4)",
    "sigma2": "E_t||g_t - grad f(x_t)||^2 <= sigma^2, one sample (A5)",
    "d": "dimension",
    "gap": "f(x_1) - f* (A1)",
    "sup_norm": "|g_{t,k}| <= this, one sample",
    "sigma_i": "standard deviation of a coordinate of one sample, at most",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """A subcommand a statement of the registry, its options from what the statement needs."""
    statements = parser.add_subparsers(dest="statement", required=True, metavar="STATEMENT")
    for name, one in STATEMENTS.items():
        help = f"{one.title}, {one.pages}: {one.metric.name} ({one.paper})"
        _configure(statements.add_parser(name, help=help, description=help, allow_abbrev=False), one)


def _configure(parser: argparse.ArgumentParser, statement: Statement) -> None:
    add = parser.add_argument
    add("--variant", choices=statement.variants, default="corrected", help="which formula (default corrected)")
    add("--T", type=whole, required=True, metavar="N", help="number of steps")
    for name in statement.needs:
        add(f"--{name}", type=whole if name == "d" else float, required=True, metavar="X", help=_MEANING[name])
    if "G" not in statement.needs:
        add("--G", type=float, metavar="X", help=f"{_MEANING['G']}; to say whether the bound is vacuous")
    if statement.of_the_mean:
        add("--workers", type=whole, required=True, metavar="N", help="s, workers or samples a step")
    if statement.reads_epsilon:
        default = {"help": "v_0 (default 1/(s d))"} if statement.of_the_mean else {"required": True, "help": "v_0"}
        parser.add_argument("--epsilon", type=float, metavar="X", **default)
    for name, option in statement.sequences.options.items():
        _add_option(parser, name, option)
    add("--json", action="store_true", help="print one JSON object and nothing else")


def _add_option(parser: argparse.ArgumentParser, name: str, option: Option) -> None:
    if option.default is None:
        parser.add_argument(f"--{name}", type=float, required=True, metavar="X", help=option.meaning)
    else:
        meaning = f"{option.meaning} (default {option.default:g})"
        parser.add_argument(f"--{name}", type=float, default=option.default, metavar="X", help=meaning)


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """The bound as JSON, and as text with its terms and constants."""
    statement = STATEMENTS[arguments.statement]
    bound = statement.bound(_setup(statement, arguments), arguments.variant)
    rows = [
        (f"{bound.statement} ({bound.variant})", f"{bound.source} ({bound.paper})"),
        ("bounds", f"the {bound.metric.name}, {bound.metric.meaning}"),
        ("bound", f"{number(bound.value, bound.log10_value)}, {_worth(bound)}"),
        (f"  {statement.sum_of}", ""),
        *((f"    {name}", number(term)) for name, term in bound.terms.items()),
        *((name, number(constant)) for name, constant in bound.constants.items()),
    ]
    return bound.as_json(), table(rows)


def _worth(bound: Bound) -> str:
    """What the bound says beyond what holds anyway."""
    if bound.trivial is None:
        return "with no G given, whether that says more than holds anyway is not known"
    anyway = f"the {bound.metric.name} is at most G = {bound.trivial:g} whatever the algorithm does (A4)"
    return f"vacuous: {anyway}" if bound.vacuous else f"not vacuous: {anyway}, and the bound is below that"


def _setup(statement: Statement, given: argparse.Namespace) -> Setup:
    values = vars(given)
    constants = Constants(**{name: values[name] for name in dict.fromkeys((*statement.needs, "G"))})
    check(T=given.T)
    workers = given.workers if statement.of_the_mean else 1
    epsilon = given.epsilon if statement.reads_epsilon else 1.0
    if epsilon is None:
        check(d=given.d, workers=workers)
        epsilon = 1 / (workers * given.d)
    constants.need(*statement.needs)
    family = statement.sequences.family(given.T, *(values[name] for name in statement.sequences.options))
    return Setup(family, given.T, constants, epsilon, workers, statement.methods[0])
