"""python -m theory bound theorem-2 | corollary-13 | theorem-17."""

from __future__ import annotations

import argparse
from typing import Any

from theory.bound import VARIANTS, Bound, check
from theory.commands.options import add_generic, generic, number, table, whole

_PROBLEM = {
    "L": "Lipschitz constant of grad f (A2, p. 7)",
    "G": "E_t||g_t||^2 <= G^2 (A4, p. 7)",
    "d": "dimension",
    "gap": "f(x_1) - f*",
}
_PRACTICAL = {
    "alpha": "alpha_t = alpha/sqrt(T)",
    "beta": "beta_t = beta",
    "theta": "theta_t = 1 - theta/T, theta <= 3T/4",
}


def configure(parser: argparse.ArgumentParser) -> None:
    statements = parser.add_subparsers(dest="statement", required=True, metavar="STATEMENT")
    for name, source in (("theorem-2", "p. 8"), ("corollary-13", "p. 13"), ("theorem-17", "p. 14-15")):
        one = statements.add_parser(name, help=source, allow_abbrev=False)
        one.add_argument("--variant", choices=VARIANTS, default="corrected", help="which formula (default corrected)")
        one.add_argument("--T", type=whole, required=True, metavar="N", help="number of steps")
        _require(one, _PROBLEM)
        if name == "theorem-17":
            _require(one, {"sigma2": "E_t||g_t - grad f(x_t)||^2 <= sigma^2, one sample (A5, p. 14)"})
            one.add_argument("--workers", type=whole, required=True, metavar="N", help="s, workers or samples a step")
            one.add_argument("--epsilon", type=float, metavar="X", help="v_0 (default 1/(s d))")
        else:
            _require(one, {"epsilon": "v_0, the same in every coordinate"})
        if name == "theorem-2":
            add_generic(one)
        else:
            _require(one, _PRACTICAL)
        one.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def _require(parser: argparse.ArgumentParser, options: dict[str, str]) -> None:
    for name, meaning in options.items():
        parser.add_argument(f"--{name}", type=whole if name == "d" else float, required=True, metavar="X", help=meaning)


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    bound = _bound(arguments)
    answer = bound.as_json()
    vacuous = (
        f"vacuous: E||grad f|| <= G = {arguments.G:g} holds anyway" if bound.vacuous else f"below G = {arguments.G:g}"
    )
    rows = [
        (f"{bound.statement} ({bound.variant})", bound.source),
        ("bound", f"{number(bound.value, bound.log10_value)}, {vacuous}"),
        ("  which is the sum of" if arguments.statement == "theorem-17" else "  whose square is the sum of", ""),
        *((f"    {name}", number(term)) for name, term in bound.terms.items()),
        *((name, number(constant)) for name, constant in bound.constants.items()),
    ]
    return answer, table(rows)


def _bound(given: argparse.Namespace) -> Bound:
    problem = {name: getattr(given, name) for name in ("T", "L", "G", "d", "gap", "variant")}
    if given.statement == "theorem-2":
        from theory.chen_2022.theorem_2 import theorem_2

        return theorem_2(generic(given), **problem, epsilon=given.epsilon)
    problem |= {name: getattr(given, name) for name in ("alpha", "beta", "theta")}
    if given.statement == "corollary-13":
        from theory.chen_2022.corollary_13 import corollary_13

        return corollary_13(**problem, epsilon=given.epsilon)
    from theory.chen_2022.theorem_17 import theorem_17

    check(given.variant, d=given.d, workers=given.workers)
    epsilon = 1 / (given.workers * given.d) if given.epsilon is None else given.epsilon
    return theorem_17(**problem, sigma2=given.sigma2, workers=given.workers, epsilon=epsilon)
