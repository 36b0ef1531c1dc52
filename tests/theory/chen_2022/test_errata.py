"""Every row of the errata: its verdict, its numbers, and that a wrong correction would be called refuted."""

import json
import re
import subprocess
import sys

import pytest

from theory.chen_2022.errata import ERRATA, constants, erratum, speedup, trajectories
from theory.commands import errata as command

READINGS = {"E3", "E9", "E15", "E28"}
LOOSER = {"E17", "E26", "E29"}
NOT_DERIVABLE = {"E7", "E21", "E25", "E30"}
BY_ID = {row.id: row for row in ERRATA}

# what theory derives by hand for the same instances
NUMBERS = {
    "E1": [0.01, 0.0172],
    "E12": [372, 660, 2.6e3],
    "E13": [1.2e3, 2.1e4, 1.1e6, 1e8, 3.16, 31.6, 77],
    "E17": [2.58],
    "E18": [0.5, 0.159, 10.4],
    "E19": [138.6, 300],
    "E20": [14.82, 13.95, 70.2, 36.7, 787, 312, 163.7],
    "E25": [256],
    "E30": [6.569],
}


def test_the_rows_are_E1_to_E30_in_order():
    assert [row.id for row in ERRATA] == [f"E{n}" for n in range(1, 31)]
    assert {row.id for row in ERRATA if row.evidence is None} == READINGS


@pytest.mark.parametrize("row", ERRATA, ids=lambda row: row.id)
def test_the_evidence_shows_it(row):
    finding = row.judge()
    expected = (
        "reading" if row.id in READINGS
        else "printed looser" if row.id in LOOSER
        else "printed not derivable" if row.id in NOT_DERIVABLE
        else "printed refuted"
    )  # fmt: skip
    assert finding.verdict == expected
    for number in NUMBERS.get(row.id, ()):
        found = [float(text) for text in re.findall(r"\d+\.?\d*(?:e[+-]?\d+)?", finding.evidence)]
        assert any(abs(value - number) <= 6e-3 * number for value in found), (number, finding.evidence)


def test_verdicts_follow_the_evidence():
    judge = lambda *given, **options: erratum.Evidence(*given, "", **options).verdict
    assert judge(False, True) == "printed refuted"
    assert judge(True, True) == "both hold"
    assert judge(True, True, if_both="printed looser") == "printed looser"
    assert judge(False, True, if_not="printed not derivable") == "printed not derivable"
    assert judge(True, False) == judge(False, False) == "corrected refuted"


def test_a_wrong_correction_is_called_refuted(monkeypatch):
    """The evidence weighs both forms: halve a corrected bound, or take the printed one for it, and the row says so."""
    right = constants.corollary_13
    monkeypatch.setattr(constants, "corollary_13", lambda *given: right(*given[:4], "printed"))
    assert BY_ID["E18"].judge().verdict == "corrected refuted"
    monkeypatch.setattr(trajectories, "lemma_30", lambda run, variant="": lemma_30(run, "printed"))
    from theory.chen_2022.lemmas import lemma_30

    assert BY_ID["E8"].judge().verdict == "corrected refuted"
    monkeypatch.setattr(speedup, "orders", lambda T, s, d: dict.fromkeys((speedup._SECOND, speedup._FOURTH), 1.0))
    assert BY_ID["E23"].judge().verdict == "corrected refuted"


def test_the_command(capsys):
    completed = subprocess.run(
        [sys.executable, "-m", "theory", "errata", "--json"], capture_output=True, text=True, timeout=60, check=True
    )
    rows = json.loads(completed.stdout)
    assert [set(row) for row in rows] == [{"id", "where", "printed", "corrected", "verdict", "evidence"}] * 30
    assert completed.stderr == ""
    findings = [row.judge() for row in ERRATA[:3]]
    assert [row["verdict"] for row in rows[:3]] == [finding.verdict for finding in findings]
    _, text = command.run(None)
    assert "30 errata: " in text and "corrected refuted" not in text
    assert all(len(line) <= 120 for line in text.splitlines())
