"""What the paper claims and shows, measured: one claim or figure a file, its data and its pictures apart."""

from __future__ import annotations

import importlib

from theory.experiments.experiment import Experiment
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


def load(name: str) -> Experiment:
    return importlib.import_module(f"theory.experiments.{EXPERIMENTS[name]}").EXPERIMENT
