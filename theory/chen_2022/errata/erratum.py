"""One erratum: where, printed, corrected, and a function that computes the evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal[
    "printed refuted", "printed looser", "printed not derivable", "both hold", "corrected refuted", "reading"
]


@dataclass(frozen=True)
class Evidence:
    """Whether each form holds on the instance, and the numbers in words.

    if_both : the verdict where both hold. if_not : where the printed form alone fails; what fails may be the statement,
    or only a step that the proof needs.
    """

    printed: bool
    corrected: bool
    text: str
    if_both: Verdict = "both hold"
    if_not: Verdict = "printed refuted"

    @property
    def verdict(self) -> Verdict:
        if not self.corrected:
            return "corrected refuted"
        return self.if_both if self.printed else self.if_not


@dataclass(frozen=True)
class Finding:
    """A row of `python -m theory errata`; evidence is None for a reading."""

    id: str
    where: str
    printed: str
    corrected: str
    verdict: Verdict
    evidence: str | None


@dataclass(frozen=True)
class Erratum:
    id: str
    where: str
    printed: str
    corrected: str
    evidence: Callable[[], Evidence] | None = None

    def judge(self) -> Finding:
        """Computes the evidence."""
        found = self.evidence() if self.evidence else None
        return Finding(
            self.id, self.where, self.printed, self.corrected,
            found.verdict if found else "reading", found.text if found else None,
        )  # fmt: skip
