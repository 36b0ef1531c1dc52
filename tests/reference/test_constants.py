"""Every constant a problem claims, by brute force: exact ones are attained and none is exceeded."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize

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
from reference.sampling import Sampler
from tests.reference.problems_under_test import EVERY, PROBLEMS, points, raw_digits

# --- constants -------------------------------------------------------------------------------------------------------


def total_second_moment(problem, x):
    """E ||g||^2 for one sample."""
    return problem.second_moment(x).sum(axis=-1)


def grid(problem):
    """Every coordinate through the same fine grid: enough for sums over coordinates of one function."""
    low, high = problem.interval or (-6.0, 6.0)
    u = np.unique(np.concatenate([np.linspace(low, high, 20_001), [0, 1 / math.sqrt(3)]]))
    u = u[(low <= u) & (u <= high)]
    return np.repeat(u[:, None], problem.dimension, axis=1)


SEPARABLE = ["bump", "counterexample", "counterexample interval", "reddi-stochastic", "tapered", "reddi-periodic"]


@pytest.mark.parametrize("name", SEPARABLE)
def test_L_exactly(name):
    """The largest slope of the gradient over a fine grid: attained and never exceeded."""
    problem = PROBLEMS[name]
    x = grid(problem)
    slopes = np.abs(np.diff(problem.gradient(x)[:, 0])) / np.diff(x[:, 0])
    L = problem.constants.L
    assert L.kind == "exact"
    assert slopes.max() <= L.value * (1 + 1e-9) + 1e-12
    assert slopes.max() >= L.value * (1 - 1e-6)


def test_the_curvature_of_the_bump_is_found_by_search():
    """max |f''|, f'' = (2 - 6u^2)/(1+u^2)^3: +2 at 0, and only -1/2 on the other side."""
    second = lambda u: (2 - 6 * u * u) / (1 + u * u) ** 3
    found = [
        optimize.minimize_scalar(lambda u, s=s: s * second(u), bounds=(-1, 1.5), method="bounded") for s in (1, -1)
    ]
    assert found[0].fun == pytest.approx(-0.5, rel=1e-9)
    assert -found[1].fun == pytest.approx(Bump().constants.L.value, rel=1e-9)


@pytest.mark.parametrize(
    "name", ["quadratic", "quadratic given", "quadratic diagonal", "quadratic half shifted", "quadratic scaled"]
)
def test_L_of_quadratics(name):
    """||grad f(x) - grad f(y)||/||x - y|| maximized by search."""
    problem = PROBLEMS[name]
    at_zero = problem.gradient(np.zeros(problem.dimension))
    ratio = lambda u: -np.linalg.norm(problem.gradient(u) - at_zero) / np.linalg.norm(u)
    best = max(-optimize.minimize(ratio, start, method="BFGS").fun for start in points(problem, 5))
    assert problem.constants.L.kind == "exact"
    assert best == pytest.approx(problem.constants.L.value, rel=1e-6)
    assert NoisyQuadratic.scaled(2).constants.L.value == 1


@pytest.mark.parametrize("name", ["bump", "counterexample interval", "reddi-stochastic", "tapered"])
def test_G_and_sigma2_exactly(name):
    """E ||g||^2 <= G^2 and E ||g - grad f||^2 <= sigma^2: attained and never exceeded."""
    problem = PROBLEMS[name]
    x, constants = grid(problem), problem.constants
    assert constants.G.kind == constants.sigma2.kind == "exact"
    assert math.sqrt(total_second_moment(problem, x).max()) == pytest.approx(constants.G.value, rel=1e-12)
    assert problem.variance(x).sum(axis=-1).max() == pytest.approx(constants.sigma2.value, rel=1e-12)
    elsewhere = points(problem, 1000, 3.0)
    assert (total_second_moment(problem, elsewhere) <= constants.G.value**2 * (1 + 1e-12)).all()


def test_G_of_the_bump_is_found_by_search():
    problem = Bump(2, TwoPoint(1.0), local_batch=4)
    found = optimize.minimize(lambda x: -total_second_moment(problem, x), [0.4, -0.8], tol=1e-12)
    assert math.sqrt(-found.fun) == pytest.approx(problem.constants.G.value, rel=1e-9)
    assert np.abs(found.x) == pytest.approx([3**-0.5] * 2, abs=1e-4)


def test_constants_of_the_periodic_example():
    """g is not random: the largest |g_t| and |g_t - f'| over a period."""
    problem, x = PROBLEMS["reddi-periodic"], np.array([0.3])
    g = np.array([problem.samples(x, t, Sampler(0), range(1))[0, 0] for t in (1, 2, 3)])
    assert np.abs(g).max() == problem.constants.G.value == 5
    assert ((g - problem.gradient(x)) ** 2).max() == pytest.approx(problem.constants.sigma2.value, rel=1e-15)
    assert "A3" in problem.violated and "A1" in problem.violated
    with pytest.raises(ValueError, match="the conditional variance of a sample is not known exactly"):
        problem.second_moment(x)


@pytest.mark.parametrize("B", [1, 3, 8])
def test_a_local_batch_divides_sigma2(B):
    for make in (
        lambda b: Bump(3, Gaussian(2.0), b),
        lambda b: NoisyQuadratic(local_batch=b),
        lambda b: Counterexample(bound=2.0, local_batch=b),
        lambda b: ReddiStochastic(local_batch=b),
        lambda b: TaperedLinear(noise=Gaussian(1.0), local_batch=b),
        lambda b: Digits(local_batch=b),
    ):
        one, batch = make(1).constants, make(B).constants
        assert batch.sigma2.value == pytest.approx(one.sigma2.value / B, rel=1e-14)
        assert (batch.L, batch.f_star) == (one.L, one.f_star)
    assert Bump(3, Gaussian(2.0), B).constants.sigma2.value == pytest.approx(12 / B, rel=1e-15)
    assert NoisyQuadratic(local_batch=B).constants.sigma2.value == pytest.approx(300 / B, rel=1e-15)


def test_the_quadratic_violates_A4():
    for name in ("quadratic", "quadratic given", "quadratic diagonal", "quadratic half shifted", "quadratic scaled"):
        problem = PROBLEMS[name]
        assert problem.constants.G.value == math.inf and set(problem.violated) == {"A4"}
        assert problem.constants.sigma2.value == pytest.approx(problem.variance(problem.start).sum(), rel=1e-14)
        assert total_second_moment(problem, 1e9 * problem.start) > 1e17


def test_the_counterexample_on_the_line_violates_A4():
    """Eq. 10 (p. 18): E g^2 = 4 E[xi^2] x^2 has no bound."""
    problem = Counterexample()
    assert set(problem.violated) == {"A4"}
    assert problem.interval is None
    assert problem.constants.G.value == problem.constants.sigma2.value == math.inf
    moment = Fraction(1, 11) * Fraction(11, 2) ** 2 + Fraction(10, 11) * Fraction(1, 2) ** 2
    for x in (1.0, -3.0, 1e6):
        assert problem.second_moment(np.array([x]))[0] == pytest.approx(4 * float(moment) * x * x, rel=1e-14)


@pytest.mark.parametrize("bound", [0.5, 1, 3.0])
def test_the_counterexample_on_an_interval(bound):
    problem = Counterexample(bound=bound)
    moment = Fraction(1, 11) * Fraction(11, 2) ** 2 + Fraction(10, 11) * Fraction(1, 2) ** 2
    variance = moment - Fraction(1, 22) ** 2
    assert problem.violated == {} and problem.interval == (-bound, bound)
    assert problem.constants.L.value == pytest.approx(1 / 11, rel=1e-15)
    assert problem.constants.G.value == pytest.approx(2 * bound * math.sqrt(moment), rel=1e-15)
    assert problem.constants.sigma2.value == pytest.approx(4 * bound**2 * float(variance), rel=1e-15)
    assert problem.start.tolist() == [min(1, bound)]


@pytest.mark.parametrize("bound", [0, -1, math.nan, math.inf])
def test_an_interval_has_a_bound(bound):
    with pytest.raises(ValueError, match="bound must be positive and finite; got "):
        Counterexample(bound=bound)


MINIMA = ["bump", "quadratic", "quadratic given", "quadratic diagonal", "counterexample", "reddi-stochastic", "tapered"]


@pytest.mark.parametrize("name", [*MINIMA, "reddi-periodic", "quadratic scaled", "counterexample interval"])
def test_f_star_exactly(name):
    """Found by search, and not gone below anywhere."""
    problem = PROBLEMS[name]
    bounds = None if problem.interval is None else [problem.interval] * problem.dimension
    found = [
        optimize.minimize(problem.value, x, jac=problem.gradient, bounds=bounds, method="L-BFGS-B").fun
        for x in (*points(problem, 10, 0.5), problem.start)
    ]
    f_star = problem.constants.f_star
    assert f_star.kind == "exact"
    assert min(found) == pytest.approx(f_star.value, abs=1e-9)
    assert (problem.value(points(problem, 10_000, 2.0)) >= f_star.value - 1e-12).all()


def test_where_reddi_s_examples_live():
    for problem in (ReddiPeriodic(), ReddiStochastic()):
        assert problem.interval == (-1, 1)
        assert "A1" in problem.violated
        assert problem.constants.f_star.value == problem.value(np.array([-1.0]))
    assert set(ReddiStochastic().violated) == {"A1"}
    assert (ReddiPeriodic().C, ReddiStochastic().C, ReddiStochastic().delta) == (4, 10, 0.01)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ReddiPeriodic(C=2.0),
        lambda: ReddiPeriodic(C=math.nan),
        lambda: ReddiStochastic(C=0.0),
        lambda: ReddiStochastic(delta=0.0),
        lambda: ReddiStochastic(C=1.0, delta=1.0),
        lambda: ReddiStochastic(delta=math.nan),
    ],
)
def test_what_reddi_s_examples_refuse(make):
    with pytest.raises(
        ValueError, match=r"C (must satisfy 2 < C < inf .*Theorem 1|and delta must satisfy 0 < delta < C < inf)"
    ):
        make()


def test_the_ends_of_the_ranges_are_taken():
    assert ReddiPeriodic(C=2.001).constants.f_star.value == pytest.approx(-0.001 / 3, rel=1e-9)
    assert ReddiStochastic(C=0.5, delta=0.49).constants.f_star.value == -0.49


def test_constants_of_the_digits():
    """G bounds sqrt(E ||g||^2) and is nearly reached; L bounds the Hessian; both as the data give them."""
    digits = Digits(local_batch=1)
    constants = digits.constants
    assert constants.G.kind == constants.L.kind == constants.sigma2.kind == "upper bound"
    assert constants.G.value == pytest.approx(math.sqrt(2) + 9 / (8 * math.sqrt(3)) * 1e-4 * math.sqrt(650), rel=1e-12)
    assert constants.sigma2.value == pytest.approx(2, rel=1e-12)
    rows, _ = raw_digits()
    train = rows[np.arange(1797) % 5 != 4]
    # largest eigenvalue of A'A/n by power iteration
    u = np.ones(65)
    for _ in range(200):
        u = train.T @ (train @ u) / len(train)
        u /= np.linalg.norm(u)
    assert constants.L.value == pytest.approx(np.linalg.norm(train @ u) ** 2 / len(train) / 2 + 2e-4, rel=1e-9)
    assert constants.L.value == pytest.approx(0.42, abs=0.005)
    assert constants.f_star.kind == "lower bound" and constants.f_star.value == 0

    always_wrong = np.zeros((65, 10))
    always_wrong[64, 3] = 1e3  # every image is read as a 3
    x = np.concatenate([points(digits, 5), points(digits, 5, 30.0), digits.start[None], always_wrong.reshape(1, -1)])
    reached = np.sqrt(total_second_moment(digits, x))
    assert reached.max() <= constants.G.value
    assert reached.max() >= 0.9 * constants.G.value
    assert (digits.variance(x).sum(axis=-1) <= constants.sigma2.value).all()
    assert digits.variance(x).sum(axis=-1).max() >= 0.25 * constants.sigma2.value
    assert (digits.value(x) > 0).all()


def test_L_of_the_digits_is_not_exceeded():
    """The largest eigenvalue of the Hessian by power iteration on differences of the gradient, where it is large."""
    digits, h = Digits(), 1e-5
    largest = 0.0
    for x in (digits.start, *points(digits, 3, 0.1), *points(digits, 2, 1.0)):
        u = np.random.default_rng(0).standard_normal(650)
        for _ in range(30):
            u /= np.linalg.norm(u)
            u = (digits.gradient(x + h * u) - digits.gradient(x - h * u)) / (2 * h)
            largest = max(largest, np.linalg.norm(u))
    assert digits.constants.L.value / 6 <= largest <= digits.constants.L.value


def test_regularisation_enters_the_constants():
    strong = Digits(regularisation=0.5).constants
    weak = Digits(regularisation=1e-4).constants
    assert strong.L.value - weak.L.value == pytest.approx(2 * (0.5 - 1e-4), rel=1e-9)
    assert strong.G.value - weak.G.value == pytest.approx(0.6495190528 * math.sqrt(650) * (0.5 - 1e-4), rel=1e-9)
    strong_gradient = Digits(regularisation=0.5).gradient(np.full(650, 3**-0.5))
    assert np.linalg.norm(strong_gradient) <= strong.G.value


def test_the_network_claims_nothing_it_does_not_know():
    constants = Network(hidden=2).constants
    assert {(c.value, c.kind) for c in (constants.L, constants.G, constants.sigma2)} == {(None, "unknown")}
    assert (constants.f_star.value, constants.f_star.kind) == (0, "lower bound")


@EVERY
def test_every_constant_says_how_it_is_known(problem):
    for known in vars(problem.constants).values():
        assert known.why
        assert (known.value is None) == (known.kind == "unknown")
