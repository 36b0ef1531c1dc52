"""Runs that the tests of the lemmas share, and a run written down by hand."""

from fractions import Fraction as F
from math import log, sqrt

import numpy as np

from reference import ExactGradient, MeanOfWorkers, families, problems
from theory.chen_2022.lemmas import record
from theory.chen_2022.restrictions import Restrictions
from theory.chen_2022.trajectory import Trajectory, enumerate_paths


def gaussian(family, T, dimension=2, scale=1.0, replicas=200, epsilon=0.1, workers=1, theta_prime=None):
    bump = problems.Bump(dimension, noise=problems.Gaussian(scale))
    source = MeanOfWorkers(bump, seed=1, workers=workers)
    return record(source, bump.start, family, T, epsilon=epsilon, replicas=replicas, theta_prime=theta_prime)


def two_point(family, T, dimension=1, high=3.0, p=0.25, epsilon=0.1, workers=1, theta_prime=None):
    bump = problems.Bump(dimension, noise=problems.TwoPoint(high, p))
    return enumerate_paths(bump, bump.start, family, T, epsilon=epsilon, workers=workers, theta_prime=theta_prime)


def line(family, T, slope=1.0, dimension=1, epsilon=1e-3, reach=1e3):
    tapered = problems.TaperedLinear(slope=slope, reach=reach, dimension=dimension)
    return record(ExactGradient(tapered), tapered.start, family, T, epsilon=epsilon)


class Given(ExactGradient):
    """Gradients g_1, g_2, ... written down, for statements that hold for every trajectory."""

    def __init__(self, g):
        self.g = np.asarray(g, np.float64)
        super().__init__(problems.TaperedLinear(reach=1e6, dimension=self.g.shape[-1]))

    def __call__(self, x, t, gradient=None):
        return np.broadcast_to(self.g[t - 1], x.shape).copy()


def given(g, family, epsilon=1e-3, theta_prime=None):
    source = Given(g)
    return record(source, source.problem.start, family, len(g), epsilon=epsilon, theta_prime=theta_prime)


def varied():
    """Families of every kind: decaying, constant, with C0 > 1, with C1 < 1, with beta_t varying."""
    return {
        "decaying": gaussian(families.generic(0.3, 0.5, 0.8, 0.7, 1, 0.6), 40),
        "practical": gaussian(families.practical(60, 1, 0.5, 2), 60),
        "practical, workers": gaussian(families.practical(60, 1, 0.5, 2), 60, workers=5),
        "bias-corrected": gaussian(families.bias_corrected_adam(0.1, 0.5, 0.99), 50),
        "C1 < 1": gaussian(families.generic(0.3, 0.5, 0.9, 0.5, 1, 0.9), 40, theta_prime=0.82),
        "AdamNC": gaussian(families.adam_nc(0.3, 0.5, 0.9), 40),
        "large second moments": gaussian(families.constant(0.1, 0.3, 0.2), 30, scale=50.0, epsilon=1e-6),
        "enumerated": two_point(families.generic(0.3, 0.5, 0.8, 0.7, 1, 0.6), 8),
        "enumerated, d = 2": two_point(families.practical(4, 1, 0.5, 2), 4, dimension=2),
        "enumerated, workers": two_point(families.practical(5, 1, 0.0, 2), 5, workers=2),
        "line": line(families.practical(200, 1, 0.0, 1.0), 200),
        "line, d = 2, momentum": line(families.generic(0.5, 0.5, 0.5, 0.5, 1, 0.5), 200, dimension=2),
    }


# A run in round numbers: T = 2, two outcomes with probabilities 1/4 and 3/4, d = 2, and constants all different from 1
# and from each other. beta = 2/5, theta' = 16/25: gamma = 1/4. theta_1 = 12/25 makes C1 (1-gamma) theta_1 = 9/100.
# chi_t grows, so that a_t = min_{i<=t} chi_i is another sequence.
ALPHA, BETA, THETA = [F(3, 2), F(9, 2)], [F(2, 5), F(1, 5)], [F(12, 25), F(7, 25)]
# grad f(x_t), g_t, m_t, v_t, E_t g_t^2, [t][outcome][coordinate]
GRADIENT = [[[F(1), F(-2)], [F(1), F(-2)]], [[F(3), F(1, 2)], [F(-1), F(5)]]]
G_T = [[[F(2), F(-1)], [F(-3), F(4)]], [[F(1, 2), F(6)], [F(5), F(-2)]]]
M_T = [[[F(3), F(1, 3)], [F(-1, 2), F(2)]], [[F(-4), F(1)], [F(2), F(7, 2)]]]
V_T = [[[F(4), F(9)], [F(16), F(1)]], [[F(25), F(1, 4)], [F(9), F(36)]]]
SECOND = [[[F(5), F(6)], [F(5), F(6)]], [[F(10), F(3)], [F(2), F(26)]]]
P = [F(1, 4), F(3, 4)]
EPSILON, L, G, SIGMA2, F_STAR, WORKERS = F(1, 2), F(5), F(7), F(11), F(-3), 13
F_VALUES = [[F(2), F(2)], [F(1), F(4)], [F(6), F(-1)]]
C0, CHI_1, C1 = F(2), F(3), F(1, 4)


def floats(nested):
    return np.array(nested, object).astype(np.float64)


def by_hand(**changes) -> Trajectory:
    values = {
        "alpha": floats(ALPHA), "beta": floats(BETA), "theta": floats(THETA), "complement": 1 - floats(THETA),
        "epsilon": float(EPSILON), "f": floats(F_VALUES), "gradient": floats(GRADIENT), "g": floats(G_T),
        "m": floats(M_T), "v": floats(V_T), "second_moment": floats(SECOND), "L": float(L), "G": float(G),
        "sigma2": float(SIGMA2), "f_star": float(F_STAR), "workers": WORKERS,
        "restrictions": Restrictions(2, 0.4, 0.48, float(C0), float(CHI_1), 0.64, 0.75, log(0.25)),
        "probabilities": floats(P),
    }  # fmt: skip
    return Trajectory(**(values | changes))


def practical_by_hand(**changes) -> Trajectory:
    """The same with Theorem 17's schedules: alpha_t = 4/sqrt 2, beta = 2/5, theta_t = 16/25 = 1 - (18/25)/2."""
    schedules = {
        "alpha": np.full(2, 4 / sqrt(2)),
        "beta": np.full(2, 0.4),
        "theta": np.full(2, 0.64),
        "complement": np.full(2, 0.36),
    }
    return by_hand(**(schedules | changes))


def expectation(statistic):
    """E of statistic(outcome) over the two outcomes."""
    return sum(p * statistic(r) for r, p in enumerate(P))
