"""Lemmas 4 and 24-41 as (left side, right side) along recorded runs.

    run = record(source, x1, family, T, epsilon=..., replicas=...)      what a run leaves behind
    lemma_31(run)                                                       one lemma: its sides, slack and verdict
    every_lemma(run)                                                    all that apply to the run, by name

A sure lemma gives `Sides`, one in expectation `ExpectedSides`, with an interval over replicas.
"""

from collections.abc import Callable

from theory.chen_2022.lemmas.lemma_4 import equation_76, lemma_4
from theory.chen_2022.lemmas.lemma_24 import equation_57, lemma_24
from theory.chen_2022.lemmas.lemma_25 import equation_63, lemma_25
from theory.chen_2022.lemmas.lemma_26 import lemma_26
from theory.chen_2022.lemmas.lemma_27 import lemma_27
from theory.chen_2022.lemmas.lemma_29 import lemma_29
from theory.chen_2022.lemmas.lemma_30 import lemma_30
from theory.chen_2022.lemmas.lemma_31 import lemma_31
from theory.chen_2022.lemmas.lemma_32 import lemma_32
from theory.chen_2022.lemmas.lemma_33 import lemma_33
from theory.chen_2022.lemmas.lemma_34 import lemma_34, sharp_along_trajectory
from theory.chen_2022.lemmas.lemma_35 import lemma_35
from theory.chen_2022.lemmas.lemma_36 import lemma_36
from theory.chen_2022.lemmas.lemma_37 import lemma_37
from theory.chen_2022.lemmas.lemma_38 import lemma_38
from theory.chen_2022.lemmas.lemma_39 import lemma_39
from theory.chen_2022.lemmas.lemma_40 import lemma_40
from theory.chen_2022.lemmas.lemma_41 import lemma_41
from theory.chen_2022.trajectory import Trajectory, record
from theory.constants import ConditionError
from theory.tools.sides import ExpectedSides, Sides

Lemma = Callable[..., Sides | ExpectedSides]

ALONG_RUNS: dict[str, Lemma] = {
    "Lemma 4": lemma_4,
    "Eq. 76": equation_76,
    "Lemma 24 (Eq. 57)": equation_57,
    "Lemma 25 (Eq. 63)": equation_63,
    "Lemma 26": lemma_26,
    "Lemma 27": lemma_27,
    "Lemma 29": lemma_29,
    "Lemma 30": lemma_30,
    "Lemma 31": lemma_31,
    "Lemma 32": lemma_32,
    "Lemma 33": lemma_33,
    "Lemma 34": lemma_34,
    "Lemma 34, per trajectory": sharp_along_trajectory,
    "Lemma 35": lemma_35,
    "Lemma 36": lemma_36,
    "Lemma 37": lemma_37,
    "Lemma 38": lemma_38,
    "Lemma 39": lemma_39,
    "Lemma 40": lemma_40,
}  # Lemma 41 is about numbers, not runs
WITH_SHARP = (
    "Lemma 29",
    "Lemma 31",
    "Lemma 32",
    "Lemma 33",
    "Lemma 34",
    "Lemma 35",
    "Lemma 36",
    "Lemma 38",
    "Lemma 39",
)


def every_lemma(run: Trajectory) -> dict[str, Sides | ExpectedSides]:
    """Each lemma whose conditions the run's schedules meet, with its sharp form under "... (sharp)"."""
    found = {}
    for name, lemma in ALONG_RUNS.items():
        for label, options in ((name, {}), (f"{name} (sharp)", {"variant": "sharp"})):
            if options and name not in WITH_SHARP:
                continue
            try:
                found[label] = lemma(run, **options)
            except ConditionError:  # Lemmas 38-40 need Theorem 17's schedules, sharp forms constant ones
                continue
    return found


__all__ = [
    "ALONG_RUNS",
    "WITH_SHARP",
    "ExpectedSides",
    "Sides",
    "Trajectory",
    "equation_57",
    "equation_63",
    "equation_76",
    "every_lemma",
    "lemma_4",
    "lemma_24",
    "lemma_25",
    "lemma_26",
    "lemma_27",
    "lemma_29",
    "lemma_30",
    "lemma_31",
    "lemma_32",
    "lemma_33",
    "lemma_34",
    "lemma_35",
    "lemma_36",
    "lemma_37",
    "lemma_38",
    "lemma_39",
    "lemma_40",
    "lemma_41",
    "record",
    "sharp_along_trajectory",
]
