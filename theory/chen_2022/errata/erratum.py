"""One erratum: where, printed, corrected, and the function beside which it stands, which computes the evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal[
    "printed refuted", "printed looser", "printed not derivable", "both hold", "corrected refuted", "reading"
]


@dataclass(frozen=True)
class Evidence:
    """Whether each form holds on an instance, and the numbers in words.

    Attributes
    ----------
    printed, corrected : bool
        Whether the form holds.
    text : str
        The numbers.
    if_both : str
        The verdict where both hold.
    if_not : str
        The verdict where the printed form alone fails: what fails may be the statement, or only a step that the proof
        needs.
    """

    printed: bool
    corrected: bool
    text: str
    if_both: Verdict = "both hold"
    if_not: Verdict = "printed refuted"

    @property
    def verdict(self) -> Verdict:
        """What the instance shows."""
        if not self.corrected:
            return "corrected refuted"
        return self.if_both if self.printed else self.if_not


@dataclass(frozen=True)
class Judgement:
    """A row of `python -m theory errata`; evidence is None for a reading."""

    id: str
    where: str
    printed: str
    corrected: str
    verdict: Verdict
    evidence: str | None


@dataclass(frozen=True)
class Erratum:
    """What is printed and what it should be; evidence : computes what tells them apart, None for a reading."""

    id: str
    where: str
    printed: str
    corrected: str
    evidence: Callable[[], Evidence] | None

    def judge(self) -> Judgement:
        """Computes the evidence."""
        found = self.evidence() if self.evidence else None
        verdict: Verdict = found.verdict if found else "reading"
        return Judgement(self.id, self.where, self.printed, self.corrected, verdict, found.text if found else None)


_ROWS: dict[str, Erratum] = {}


def erratum(
    id: str, where: str, *, printed: str, corrected: str
) -> Callable[[Callable[[], Evidence]], Callable[[], Evidence]]:
    """Makes the function below it the evidence of an erratum."""

    def beside(evidence: Callable[[], Evidence]) -> Callable[[], Evidence]:
        _enter(Erratum(id, where, printed, corrected, evidence))
        return evidence

    return beside


def reading(id: str, where: str, *, printed: str, corrected: str) -> None:
    """An erratum of wording, with nothing to compute."""
    _enter(Erratum(id, where, printed, corrected, None))


def rows() -> list[Erratum]:
    """All that were entered so far, by their number."""
    return sorted(_ROWS.values(), key=lambda row: int(row.id.removeprefix("E")))


def _enter(row: Erratum) -> None:
    if row.id in _ROWS:
        raise ValueError(f"every erratum must have an id of its own; got {row.id} twice")
    _ROWS[row.id] = row
