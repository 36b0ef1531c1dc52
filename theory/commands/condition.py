"""python -m theory condition: R1-R3 and Corollary 9 (p. 7-10)."""

from __future__ import annotations

import argparse
from typing import Any

from reference import families
from theory.chen_2022.sufficient_condition import sufficient_condition
from theory.commands.options import add_generic, generic, number, table, whole
from theory.sequences_given import GENERIC

ADAM = {"alpha": 1e-3, "beta": 0.9, "theta": 0.999}


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_generic(parser)
    add = parser.add_argument
    add("--adam", action="store_true", help="Adam with bias correction (Remark 1, p. 4) in place of Eq. 8's family")
    add("--alpha", type=float, metavar="X", help="Adam's step size (default 0.001)")
    add("--theta", type=float, metavar="X", help="Adam's theta (default 0.999); its --beta defaults to 0.9 too")
    add("--T", type=whole, default=1000, metavar="N", help="horizon (default 1000)")
    add("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """The answer as JSON, and as text that ends in the one sentence asked for."""
    other = [name for name in (GENERIC.options if arguments.adam else ADAM) if name != "beta"]
    for name in other:
        if getattr(arguments, name) is not None:
            allowed = "without --adam (Eq. 8, p. 10)" if arguments.adam else "with --adam (Remark 1, p. 4)"
            raise ValueError(f"--{name} must be given {allowed} only")
    if arguments.adam:
        given = {name: getattr(arguments, name) for name in ADAM}
        family = families.bias_corrected_adam(**{n: ADAM[n] if value is None else value for n, value in given.items()})
    else:
        family = generic(arguments)
    found = sufficient_condition(family, arguments.T)
    answer, r = found.as_json(), found.restrictions
    up_to_T = f" ({found.C0_up_to_T:.6g} up to T = {found.T})" if found.C0_up_to_T != found.C0 else ""
    rows = [
        ("family", family.name),
        ("C0", f"{found.C0:.6g}{up_to_T}: the smallest with a_t <= chi_t <= C0 a_t, a_t non-increasing (R3)"),
        ("chi_1", f"{number(found.chi_1)}: the first of chi_t = alpha_t/sqrt(1-theta_t)"),
    ]
    if r:
        rows += [
            (
                "theta'",
                f"{number(r.theta_prime)}: the level in (beta^2, 1) that theta_t is set against (Eq. 6, p. 8)",
            ),
            ("gamma", f"{number(r.gamma)}: beta^2/theta', m_t forgets faster than v_t where it is < 1"),
            ("ln C1", f"{number(r.log_C1)}: the sum of ln(theta_t/theta') over the theta_t < theta'"),
        ]
    conditions = [(f"{c.id:4} {c.verdict}", c.reason) for c in found.conditions]
    return answer, table(rows) + "\n" + table(conditions) + "\n" + found.answer + "\n"
