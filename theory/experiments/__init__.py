"""What the paper claims and shows, measured: one claim or figure a file, its data and its pictures apart."""

from __future__ import annotations

import importlib

from theory.experiments.experiment import Experiment, Size
from theory.tools.statistics import FALSE_ALARMS

# name: its module here, which is loaded when it is needed
EXPERIMENTS = {
    "bounds": "bounds",
    "rates": "rates",
    "divergence": "divergence",
    "speedup": "speedup",
    "proposition-22": "proposition_22",
    "1": "figure_1",
    "4": "figure_4",
}
ERROR = FALSE_ALARMS / len(EXPERIMENTS)  # of an experiment: its claims share it, alone as in a report of all


# about, of one core, to measure and to draw
SECONDS: dict[str, dict[Size, float]] = {
    "bounds": {"quick": 15, "standard": 55, "full": 300},
    "rates": {"quick": 12, "standard": 17, "full": 30},
    "divergence": {"quick": 22, "standard": 30, "full": 90},
    "speedup": {"quick": 32, "standard": 100, "full": 200},
    "proposition-22": {"quick": 11, "standard": 25, "full": 25},
    "1": {"quick": 20, "standard": 45, "full": 300},
    "4": {"quick": 14, "standard": 100, "full": 160},
}


def load(name: str) -> Experiment:
    """The experiment of this name, one of EXPERIMENTS; its module is imported now."""
    return importlib.import_module(f"theory.experiments.{EXPERIMENTS[name]}").EXPERIMENT
