"""Objectives, one a file, each carrying its constants and how they are known."""

from collections.abc import Callable

from reference.problems.bump import Bump
from reference.problems.counterexample import Counterexample
from reference.problems.digits import Digits
from reference.problems.functions import from_functions
from reference.problems.network import Network
from reference.problems.noise import Gaussian, Noise, NoNoise, TwoPoint
from reference.problems.problem import Known, KnownConstants, Problem
from reference.problems.quadratic import NoisyQuadratic
from reference.problems.reddi import ReddiPeriodic, ReddiStochastic
from reference.problems.tapered import TaperedLinear

# What `--problem NAME` stands for: a function of the local batch B.
BY_NAME: dict[str, Callable[[int], Problem]] = {
    "digits": lambda B: Digits(local_batch=B),
    "network": lambda B: Network(local_batch=B),
    "bump": lambda B: Bump(noise=Gaussian(4.0), local_batch=B),
    "quadratic": lambda B: NoisyQuadratic(local_batch=B),
    "counterexample": lambda B: Counterexample(bound=1.0, local_batch=B),
    "reddi-periodic": lambda B: ReddiPeriodic(local_batch=B),
    "reddi-stochastic": lambda B: ReddiStochastic(local_batch=B),
    "tapered": lambda B: TaperedLinear(local_batch=B),
}

__all__ = [
    "BY_NAME",
    "Bump",
    "Counterexample",
    "Digits",
    "Gaussian",
    "Known",
    "KnownConstants",
    "Network",
    "NoNoise",
    "Noise",
    "NoisyQuadratic",
    "Problem",
    "ReddiPeriodic",
    "ReddiStochastic",
    "TaperedLinear",
    "TwoPoint",
    "from_functions",
]
