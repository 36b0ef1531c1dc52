"""python -m theory: keys, tables, one line for bad input, and nothing imported that is not needed."""

import json
import subprocess
import sys
import time

import pytest

from reference import families
from tests.theory.chen_2022.by_name import corollary_13, theorem_2, theorem_17
from theory.__main__ import COMMANDS, main

PROBLEM = "--T 1000 --L 2 --G 2.3 --d 4 --gap 3.2"
STATEMENTS = {
    "theorem-2": f"{PROBLEM} --epsilon 0.25 --eta 0.2 --s 0.6 --a 0.9 --r 0.8 --K 3 --beta 0.7",
    "corollary-13": f"{PROBLEM} --epsilon 0.25 --alpha 1.5 --beta 0.7 --theta 2",
    "theorem-17": f"{PROBLEM} --epsilon 0.05 --alpha 1.5 --beta 0.7 --theta 2 --sigma2 4 --workers 8",
}
KEYS = {"statement", "variant", "value", "log10_value", "vacuous", "terms", "constants"}


def run(capsys, command):
    assert main(command.split()) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys, command):
    with pytest.raises(SystemExit) as stopped:
        main(command.split())
    out, err = capsys.readouterr()
    assert stopped.value.code == 2 and out == "" and err.count("\n") == 1
    return err


@pytest.mark.parametrize("variant", ["corrected", "printed", "sharp"])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_bound(capsys, statement, variant):
    from reference.families import generic

    answer = json.loads(run(capsys, f"bound {statement} {STATEMENTS[statement]} --variant {variant} --json"))
    problem = {"T": 1000, "L": 2.0, "G": 2.3, "d": 4, "gap": 3.2, "variant": variant}
    practical = {"alpha": 1.5, "beta": 0.7, "theta": 2.0}
    wanted = {
        "theorem-2": lambda: theorem_2(generic(0.2, 0.6, 0.9, 0.8, 3, 0.7), **problem, epsilon=0.25),
        "corollary-13": lambda: corollary_13(**problem, **practical, epsilon=0.25),
        "theorem-17": lambda: theorem_17(**problem, **practical, epsilon=0.05, sigma2=4.0, workers=8),
    }[statement]()
    assert answer.keys() >= KEYS
    for key in ("value", "log10_value", "vacuous", "terms", "constants"):
        assert answer[key] == getattr(wanted, key)
    assert (answer["statement"].lower().replace(" ", "-"), answer["variant"]) == (statement, variant)
    table = run(capsys, f"bound {statement} {STATEMENTS[statement]} --variant {variant}")
    assert f"({variant})" in table and f"{wanted.value:.6g}" in table and ("vacuous" in table) == wanted.vacuous


def test_epsilon_of_theorem_17_defaults_to_1_over_s_d(capsys):
    command = f"bound theorem-17 {PROBLEM} --alpha 1 --beta 0.5 --theta 1 --sigma2 4 --workers 8 --json"
    assert run(capsys, command) == run(capsys, f"{command} --epsilon {1 / 32}")


def test_condition(capsys):
    answer = json.loads(run(capsys, "condition --adam --json"))
    assert list(answer) == ["answer", "T", "C0", "C0_up_to_T", "chi_1", "theta_prime", "gamma", "log_C1", "conditions"]
    assert (answer["T"], round(answer["C0"], 2), round(answer["C0_up_to_T"], 2)) == (1000, 6.57, 5.22)
    assert [c["id"] for c in answer["conditions"]] == ["R1", "R2", "R3", "SC1", "SC2", "SC3", "SC4"]
    assert all(c.keys() == {"id", "verdict", "witness", "reason"} for c in answer["conditions"])
    other = json.loads(run(capsys, "condition --adam --alpha 0.1 --beta 0.5 --theta 0.99 --T 1e4 --json"))
    assert other["T"] == 10000 and other["chi_1"] == pytest.approx(0.2)
    eq_8 = json.loads(run(capsys, "condition --eta 0.2 --s 0.1 --a 0.9 --r 1 --K 2 --beta 0.3 --json"))
    assert eq_8["C0"] is None and eq_8["conditions"][2]["verdict"] == "fails" and eq_8["theta_prime"] == 0.55
    assert eq_8["chi_1"] == pytest.approx(0.2 / 0.45**0.5)
    table = run(capsys, "condition --adam")
    assert "6.56852 (5.22313 up to T = 1000)" in table and "SC4  fails" in table
    last = table.splitlines()[-1]
    assert last == answer["answer"] and last.startswith("The sufficient condition (Corollary 9, p. 10) fails: SC4, ")


def test_a_shift(capsys):
    found = json.loads(run(capsys, "condition --eta 0.2 --s 0.5 --a 1 --r 1 --K 1 --c 3 --beta 0.3 --json"))
    assert found["chi_1"] == pytest.approx(0.2) and {c["verdict"] for c in found["conditions"]} == {"holds"}
    shifted = json.loads(run(capsys, f"bound theorem-2 {PROBLEM} --epsilon 0.25 --c 3 --json"))
    family = families.generic(0.1, 0.5, 1, 1, 2, 0.9, 3)
    assert shifted["constants"]["theta_1"] == family.theta(1) == 0.75
    assert shifted["constants"]["alpha_T"] == family.alpha(int(PROBLEM.split()[1]))


def test_alone_it_lists_its_commands(capsys):
    listed = run(capsys, "")
    for name in ("condition", "bound", "figure", "verify", "errata"):
        assert f"python -m theory {name} " in listed
    for line in listed.splitlines():
        command = line.partition("python -m theory ")[2]
        if command.startswith(("condition", "bound")):
            assert run(capsys, command)


def test_defaults(capsys):
    eq_8 = "condition --eta 0.1 --s 0.5 --a 1 --r 1 --K 2 --beta 0.9 --T 1000 --json"
    assert run(capsys, "condition --json") == run(capsys, eq_8)
    adam = "condition --adam --alpha 0.001 --beta 0.9 --theta 0.999 --T 1000 --json"
    assert run(capsys, "condition --adam --json") == run(capsys, adam)
    bound = f"bound theorem-2 {PROBLEM} --epsilon 0.25"
    full = "--eta 0.1 --s 0.5 --a 1 --r 1 --K 2 --beta 0.9 --variant corrected"
    assert run(capsys, bound) == run(capsys, f"{bound} {full}")


def test_a_table_is_in_columns(capsys):
    first, *rest = run(capsys, "condition --adam").split("\n\n")[0].splitlines()
    assert first == "family  bias-corrected Adam (Remark 1)"
    assert [line[:8].strip() for line in rest] == ["C0", "chi_1", "theta'", "gamma", "ln C1"]
    assert rest[1].startswith("chi_1   0.01: ") and all(line[6:8] == "  " for line in rest)


def test_values_too_large_for_a_float_are_null(capsys):
    huge = f"bound theorem-2 {PROBLEM} --epsilon 0.01 --K 2000 --a 1999 --beta 0.9"
    answer = json.loads(run(capsys, f"{huge} --json"))
    assert answer["value"] is None and answer["log10_value"] > 1000 and answer["terms"]["sum"] is None
    assert f"10^{answer['log10_value']:.6g}" in run(capsys, huge)


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        (f"bound corollary-13 {STATEMENTS['corollary-13']} --beta 1.5", ["beta", "1.5", "0 <= beta < 1", "p. 7"]),
        (f"bound corollary-13 {STATEMENTS['corollary-13']} --theta 900", ["theta/T = 0.9", "1/4", "Corollary 13"]),
        (f"bound corollary-13 {STATEMENTS['corollary-13']} --G -1", ["G must", "G > 0", "A4", "got -1"]),
        (f"bound theorem-2 {STATEMENTS['theorem-2']} --K 0.5", ["K must satisfy", "K >= 1", "p. 10", "got 0.5"]),
        (f"bound theorem-2 {STATEMENTS['theorem-2']} --s nan", ["s must satisfy", "s >= 0", "p. 10", "got nan"]),
        (f"bound theorem-2 {STATEMENTS['theorem-2']} --a 3 --r 1 --K 3", ["theta_1", "R2 (p. 7)"]),
        (f"bound theorem-17 {STATEMENTS['theorem-17']} --workers 0", ["workers must", "s >= 1", "got 0"]),
        (f"bound theorem-17 {STATEMENTS['theorem-17']} --d 0", ["d must", "d >= 1", "got 0"]),
        (f"bound theorem-17 {STATEMENTS['theorem-17']} --d 2.5", ["--d", "'2.5' is not a whole number"]),
        (f"bound theorem-17 {STATEMENTS['theorem-17']} --T inf", ["--T", "not a whole number"]),
        (f"bound theorem-17 {STATEMENTS['theorem-17']} --variant exact", ["--variant", "corrected"]),
        ("bound corollary-13 --T 5", ["required", "--gap"]),
        ("condition --beta 1", ["beta must satisfy 0 <= beta < 1", "p. 7", "got 1"]),
        ("condition --adam --theta 1", ["theta must satisfy 0 < theta < 1", "p. 7", "got 1"]),
        ("condition --adam --eta 1", ["--eta", "without --adam"]),
        ("condition --theta 0.9", ["--theta", "with --adam"]),
        ("condition --T 0", ["T must satisfy T >= 1", "got 0"]),
        ("condition --T x", ["--T", "x"]),
        ("bound theorem-3", ["theorem-3"]),
        ("conditions", ["conditions"]),
        ("condition --foo", ["unrecognized", "--foo", "python -m theory condition --help"]),
        ("condition --c -1", ["c must satisfy c >= 0", "got -1"]),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(capsys, command, parts):
    line = refused(capsys, command)
    assert all(part in line for part in parts), line


@pytest.mark.parametrize(
    "command", [f"bound {name} {options} --json" for name, options in STATEMENTS.items()] + ["condition --json"]
)
def test_only_what_is_needed_is_imported(command):
    heavy = ("matplotlib", "scipy", "tqdm", "mpi", "mpi4py", "mpmath")
    program = (
        "import sys; from theory.__main__ import main; main(sys.argv[1:]); "
        f"assert not [name for name in {heavy} if name in sys.modules], sorted(sys.modules)"
    )
    begin = time.perf_counter()
    found = subprocess.run(
        [sys.executable, "-c", program, *command.split()], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert time.perf_counter() - begin < 5  # under one second on an idle machine
    json.loads(found.stdout)


def test_every_command_has_its_module(capsys):
    for name in COMMANDS:
        with pytest.raises(SystemExit) as stopped:
            main([name, "--help"])
        assert stopped.value.code == 0 and name in capsys.readouterr().out
