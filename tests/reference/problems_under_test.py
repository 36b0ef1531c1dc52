"""What the tests of the problems share: one of each kind, points to try, the data read by another reader."""

from __future__ import annotations

import csv
import gzip
import math
from importlib.resources import files

import numpy as np
import pytest

from reference.problems import (
    Bump,
    Counterexample,
    Digits,
    Gaussian,
    Network,
    NoisyQuadratic,
    ReddiPeriodic,
    ReddiStochastic,
    TaperedLinear,
    TwoPoint,
)

A = np.array([[3.0, 1.0], [1.0, 2.0]])
PROBLEMS = {
    "bump": Bump(3, Gaussian(0.5), local_batch=2),
    "quadratic": NoisyQuadratic(local_batch=4),
    "quadratic given": NoisyQuadratic(A, [1.0, -2.0], TwoPoint(2.0)),
    "quadratic diagonal": NoisyQuadratic([3.0, 0.5], [1.0, -2.0]),
    "quadratic half shifted": NoisyQuadratic([3.0, 3.0], [0.0, -2.0]),
    "quadratic scaled": NoisyQuadratic.scaled(4, Gaussian(1.0), 2),
    "counterexample": Counterexample(local_batch=2),
    "counterexample interval": Counterexample(bound=0.75),
    "reddi-periodic": ReddiPeriodic(C=5.0),
    "reddi-stochastic": ReddiStochastic(C=7.0, delta=0.2, local_batch=2),
    "tapered": TaperedLinear(slope=0.5, taper=0.25, reach=2.0, dimension=2, noise=TwoPoint(1.0, 0.25)),
    "digits": Digits(local_batch=2),
    "network": Network(hidden=5),
}
EVERY = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)


def points(problem, n, scale=1.0, seed=0):
    """Points to try, inside the interval where there is one."""
    x = np.random.default_rng(seed).standard_normal((n, problem.dimension)) * scale
    return problem.project(x)


def raw_digits():
    """The data file read again, by another reader: (norm-1 rows, labels)."""
    packed = (files("reference.datasets") / "digits.csv.gz").read_bytes()
    table = [[float(entry) for entry in row] for row in csv.reader(gzip.decompress(packed).decode().splitlines())]
    rows = [[entry / math.hypot(*row[:64]) / math.sqrt(2) for entry in row[:64]] + [math.sqrt(0.5)] for row in table]
    return np.array(rows), np.array([int(row[64]) for row in table])
