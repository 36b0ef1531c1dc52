"""What the algorithms are: Generic Adam, mini-batch Adam and distributed Adam as one loop with three gradient sources.

Chen, Shen, Zou and Liu, "Towards Practical Adam: Non-Convexity, Convergence Theory, and Mini-Batch Acceleration",
JMLR 23(229), 2022; pages cited throughout are its printed ones.
"""

from reference import families, problems, schedules
from reference.adam import AdamState, NonFiniteError, adam_step, adam_step_in_place, initial_state, scratch_for
from reference.families import Family
from reference.iterate import QUANTITIES, Recorder, Run, iterate, run
from reference.sources import ExactGradient, MeanOfWorkers

__all__ = [
    "QUANTITIES",
    "AdamState",
    "ExactGradient",
    "Family",
    "MeanOfWorkers",
    "NonFiniteError",
    "Recorder",
    "Run",
    "adam_step",
    "adam_step_in_place",
    "families",
    "initial_state",
    "iterate",
    "problems",
    "run",
    "schedules",
    "scratch_for",
]
