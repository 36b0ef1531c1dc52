"""What a report holds: an experiment a section, its claims with their ids and topics, counted; as JSON and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from theory.experiments.experiment import Experiment, Parts, Size
from theory.tools.statistics import FALSE_ALARMS, VERDICTS, Claim, Verdict


@dataclass(frozen=True)
class Section:
    """One experiment in the report.

    Attributes
    ----------
    experiment : what was measured.
    parts : its data.
    claims : judged.
    data : the name of its file, beside the report.
    written : when that file was written.
    command : repeats the measurement.
    """

    experiment: Experiment
    parts: Parts
    claims: list[Claim]
    data: str
    written: date
    command: str

    @property
    def named(self) -> list[tuple[str, Claim]]:
        """Each claim with its id, "rates-3"."""
        return [(f"{self.experiment.id}-{i}", claim) for i, claim in enumerate(self.claims, 1)]

    @property
    def topics(self) -> list[Topic]:
        """In the order in which the claims name them."""
        together: dict[str, list[Claim]] = {}
        for claim in self.claims:
            together.setdefault(claim.topic or claim.statement, []).append(claim)
        return [Topic(words, claims) for words, claims in together.items()]


class Topic(NamedTuple):
    """A plain sentence and the claims that are cases of it."""

    words: str
    claims: list[Claim]

    @property
    def telling(self) -> list[Claim]:
        """The claims that a measurement could have decided otherwise."""
        return [claim for claim in self.claims if not claim.vacuous]

    @property
    def verdict(self) -> Verdict | None:
        """The worst of the telling claims; None where every claim is vacuous."""
        return max((claim.verdict for claim in self.telling), key=VERDICTS.index, default=None)

    @property
    def tally(self) -> str:
        """ "10 of 14 claims hold, 4 cannot be told", and how many more are vacuous."""
        found, total = counts(self.telling), len(self.telling)
        vacuous = len(self.claims) - total
        if not total:
            return f"{plural(vacuous, 'claim')}, vacuous: true whatever is measured"
        if found["holds"] == total:
            words = "the one claim holds" if total == 1 else f"all {total} claims hold"
        else:
            parts = [f"{found['holds']} of {plural(total, 'claim')} {_verb(found['holds'], 'holds', 'hold')}"]
            if found["violated"]:
                parts.append(f"{found['violated']} {_verb(found['violated'], 'is', 'are')} violated")
            if found["cannot tell"]:
                parts.append(f"{found['cannot tell']} cannot be told")
            words = ", ".join(parts)
        return words + (f"; {vacuous} more {_verb(vacuous, 'is', 'are')} vacuous" if vacuous else "")

    def __str__(self) -> str:
        return f"{self.words} ({self.tally})."


def counts(claims: Iterable[Claim]) -> Counter[str]:
    """How many have each verdict."""
    return Counter(claim.verdict for claim in claims)


def as_json(sections: list[Section], size: Size) -> dict[str, Any]:
    """claims : id, statement, verdict, measured, interval, expected (an open side is null), and what is behind them.
    violated : how many."""
    claims = [
        {"id": id} | claim.as_json() | {"data": section.data, "command": section.command}
        for section in sections
        for id, claim in section.named
    ]
    violated = counts(every(sections))["violated"]
    return {"size": size, "false_alarms": FALSE_ALARMS, "claims": claims, "violated": violated}


def as_text(sections: list[Section]) -> str:
    """A line a claim, then what was learnt, topic by topic, and the count."""
    widest = max(len(id) for section in sections for id, _ in section.named)
    lines = [
        f"{claim.verdict:11}  {id:{widest}}  {claim.statement}\n" for section in sections for id, claim in section.named
    ]
    learnt = [f"{topic}\n" for section in sections for topic in section.topics]
    return "".join(lines) + "\n" + "".join(learnt) + "\n" + summary(sections) + "\n"


def summary(sections: list[Section]) -> str:
    """ "9 claims: 6 hold (2 vacuous), 3 cannot tell, 0 violated"."""
    claims = every(sections)
    held, open_, violated = (counts(claims)[verdict] for verdict in VERDICTS)
    vacuous = sum(claim.vacuous for claim in claims)
    hold = f"{held} hold ({vacuous} vacuous)" if vacuous else f"{held} hold"
    return f"{plural(len(claims), 'claim')}: {hold}, {open_} cannot tell, {violated} violated"


def plural(count: int, word: str) -> str:
    """ "1 claim", "2 claims", "1,328 claims"."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def every(sections: list[Section]) -> list[Claim]:
    """All claims, section by section."""
    return [claim for section in sections for claim in section.claims]


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
