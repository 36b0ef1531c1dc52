"""Every row of the errata: its verdict, its numbers, and that a wrong correction would be called refuted."""

import json
import re
from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest

from theory.__main__ import main
from theory.chen_2022.errata import ERRATA, constants, erratum, speedup, trajectories
from theory.commands import errata as command

LOOSER = {"E15", "E17", "E26", "E29"}
NOT_DERIVABLE = {"E3", "E7", "E21", "E25", "E30"}
BY_ID = {row.id: row for row in ERRATA}

# what theory derives by hand for the same instances
NUMBERS = {
    "E1": [0.01, 0.0172],
    "E3": [4, 0.6667, 2.667, 0.4444],
    "E15": [0.1276, 0.2552],
    "E28": [1000, 2414, 2.414],
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
    assert all(row.evidence is not None for row in ERRATA)


@cache
def judged_once(row):
    """The evidence of all of them takes seconds."""
    return row.judge()


@pytest.mark.parametrize("row", ERRATA, ids=lambda row: row.id)
def test_the_evidence_shows_it(row):
    judged = judged_once(row)
    expected = (
        "printed looser" if row.id in LOOSER
        else "printed not derivable" if row.id in NOT_DERIVABLE
        else "printed refuted"
    )  # fmt: skip
    assert judged.verdict == expected
    for number in NUMBERS.get(row.id, ()):
        found = [float(text) for text in re.findall(r"\d+\.?\d*(?:e[+-]?\d+)?", judged.evidence)]
        assert any(abs(value - number) <= 6e-3 * number for value in found), (number, judged.evidence)


def test_verdicts_follow_the_evidence():
    judge = lambda *given, **options: erratum.Evidence(*given, "", **options).verdict
    assert judge(False, True) == "printed refuted"
    assert judge(True, True) == "both hold"
    assert judge(True, True, if_both="printed looser") == "printed looser"
    assert judge(False, True, if_not="printed not derivable") == "printed not derivable"
    assert judge(True, False) == judge(False, False) == "corrected refuted"


def test_what_has_no_evidence_is_called_a_reading():
    judged = erratum.Erratum("E31", "p. 1", "colour", "color", None).judge()
    assert (judged.verdict, judged.evidence) == ("reading", None)


def test_an_id_is_given_once(monkeypatch):
    monkeypatch.setattr(erratum, "_ROWS", {})
    enter = erratum.erratum("E31", "p. 1", printed="a", corrected="b")
    evidence = lambda: erratum.Evidence(False, True, "")
    assert enter(evidence) is evidence  # the function stays what it is
    erratum.reading("E4", "p. 2", printed="c", corrected="d")
    assert [(row.id, row.evidence) for row in erratum.rows()] == [("E4", None), ("E31", evidence)]
    with pytest.raises(ValueError, match="got E31 twice"):
        enter(evidence)


def test_the_weights_of_lemma_34_by_hand(monkeypatch):
    """theta = 1/2 twice, epsilon = 1, g = 2 and 4: v = 2.5, 9.25; W = 2, 4; W_2 v_2 = 37 = 1 + 2 * 2 + 4 * 8."""
    right = trajectories.noisy_run()
    half, g = np.array([0.5, 0.5]), np.array([2.0, 4.0]).reshape(2, 1, 1)
    v = np.array([2.5, 9.25]).reshape(2, 1, 1)
    made = replace(right, alpha=half, beta=half, theta=half, complement=half, epsilon=1.0, g=g, v=v)
    monkeypatch.setattr(trajectories, "noisy_run", lambda: made)
    judged = BY_ID["E9"].judge()
    assert judged.verdict == "printed refuted"
    # to T: 4 * 2.5 against 1 + 4 * 2; with g: 2 * 2.5 against 1 + 2, and 37 against 1 + 2 + 8
    assert f"{max(1 / 9, abs(37 - 41) / 41):.2g} with the product to T" in judged.evidence
    assert f"{26 / 11:.2g} with g_i" in judged.evidence
    monkeypatch.setattr(trajectories, "noisy_run", lambda: replace(made, v=v * 1.001))
    assert BY_ID["E9"].judge().verdict == "corrected refuted"


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


def test_the_command(monkeypatch, capsys):
    of_all = [judged_once(row) for row in ERRATA]
    monkeypatch.setattr(erratum.Erratum, "judge", judged_once)
    assert main(["errata", "--json"]) == 0
    told = capsys.readouterr()
    rows = json.loads(told.out)
    assert [set(row) for row in rows] == [{"id", "where", "printed", "corrected", "verdict", "evidence"}] * 30
    assert rows == [asdict(one) for one in of_all]
    assert told.err == ""
    _, text = command.run(None)
    assert "30 errata: " in text and "corrected refuted" not in text
    assert all(len(line) <= 120 for line in text.splitlines())
