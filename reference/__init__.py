"""What the algorithms are: Generic Adam, mini-batch Adam and distributed Adam as one loop with three gradient sources.

Chen, Shen, Zou and Liu, "Towards Practical Adam: Non-Convexity, Convergence Theory, and Mini-Batch Acceleration",
JMLR 23(229), 2022; pages cited throughout are its printed ones.
"""

from reference import families, minimize, problems, schedules
from reference.adam import AdamState, NonFiniteError, adam_step, initial_state
from reference.families import Family
from reference.in_place import adam_step_in_place, scratch_for
from reference.iterate import QUANTITIES, Recorder, Run, iterate, run
from reference.methods import METHODS, Method
from reference.sources import ExactGradient, MeanOfWorkers, Source

__all__ = [
    "METHODS",
    "QUANTITIES",
    "AdamState",
    "ExactGradient",
    "Family",
    "MeanOfWorkers",
    "Method",
    "NonFiniteError",
    "Recorder",
    "Run",
    "Source",
    "adam_step",
    "adam_step_in_place",
    "families",
    "initial_state",
    "iterate",
    "minimize",
    "problems",
    "run",
    "schedules",
    "scratch_for",
]
