"""The one sum, whose association depends on s alone; the law of the mean; the faulty worker."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from reference import sources
from reference.adam import NonFiniteError
from reference.problems import (
    Bump,
    Counterexample,
    Digits,
    Gaussian,
    Network,
    NoisyQuadratic,
    ReddiStochastic,
    TaperedLinear,
    TwoPoint,
)
from reference.sampling import Sampler
from reference.sources import ExactGradient, MeanOfWorkers, add_pairs, nodes_within, tree_sum


class Term(str):
    """A sum that shows how it was formed."""

    def __add__(self, other):
        return Term(f"({self!s}+{other!s})")


def leaves(s):
    return np.array([[Term(i)] for i in range(s)], object)


TREES = {
    1: "0",
    2: "(0+1)",
    3: "((0+1)+2)",
    4: "((0+1)+(2+3))",
    5: "(((0+1)+(2+3))+4)",
    6: "(((0+1)+(2+3))+(4+5))",
    7: "(((0+1)+(2+3))+((4+5)+6))",
    8: "(((0+1)+(2+3))+((4+5)+(6+7)))",
    9: "((((0+1)+(2+3))+((4+5)+(6+7)))+8)",
    11: "((((0+1)+(2+3))+((4+5)+(6+7)))+((8+9)+10))",
}


@pytest.mark.parametrize("s", TREES)
def test_the_tree_drawn_by_hand(s):
    assert add_pairs(leaves(s)).tolist() == [TREES[s]]
    assert tree_sum(0, s, lambda a, b: leaves(s)[a] if b - a == 1 else None).tolist() == [TREES[s]]


def by_definition(values, a, b):
    """sum(a, b) = sum(a, a + h) + sum(a + h, b), h the largest power of two below b - a."""
    if b - a == 1:
        return values[a]
    h = max(2**k for k in range(20) if 2**k < b - a)
    return by_definition(values, a, a + h) + by_definition(values, a + h, b)


def rough_numbers(s, d=64):
    """Values whose sum depends on the order."""
    rng = np.random.default_rng(s)
    return rng.standard_normal((s, d)) * 10.0 ** rng.uniform(-16, 16, (s, d))


@pytest.mark.parametrize("s", range(1, 41))
def test_any_split_into_ranks_gives_the_same_bits(s):
    """Ranks own [r s/P, (r+1) s/P); each adds what it can, the nodes that are left finish the tree."""
    values = rough_numbers(s)
    expected = by_definition(values, 0, s).tobytes()
    if s > 8:
        assert values.sum(axis=0).tobytes() != expected != np.add.reduce(values[::-1]).tobytes()
    assert add_pairs(values.copy()).tobytes() == expected
    for P in range(1, 10):
        left = [node for r in range(P) for node in nodes_within(r * s // P, (r + 1) * s // P, s)]
        nodes = {(a, b): add_pairs(values[a:b].copy()) for a, b in left}
        assert tree_sum(0, s, lambda a, b, nodes=nodes: nodes.get((a, b))).tobytes() == expected


def every_node(a, b):
    if b - a == 1:
        return {(a, b)}
    h = max(2**k for k in range(20) if 2**k < b - a)
    return {(a, b)} | every_node(a, a + h) | every_node(a + h, b)


@pytest.mark.parametrize("s", [1, 2, 5, 6, 7, 8, 13, 16, 31, 48])
def test_nodes_within(s):
    """They are nodes, they tile lo..hi-1 from left to right, none can be joined, and they are few."""
    tree = every_node(0, s)
    for lo in range(s + 1):
        for hi in range(lo, s + 1):
            nodes = nodes_within(lo, hi, s)
            assert set(nodes) <= tree
            assert [i for a, b in nodes for i in range(a, b)] == list(range(lo, hi))
            inside = {(a, b) for a, b in tree if lo <= a and b <= hi}
            largest = {n for n in inside if not any(m != n and m[0] <= n[0] and n[1] <= m[1] for m in inside)}
            assert set(nodes) == largest
            assert len(nodes) <= max(1, 2 * np.log2(s))


def test_nodes_within_by_hand():
    assert nodes_within(0, 6, 6) == [(0, 6)]
    assert nodes_within(0, 5, 6) == [(0, 4), (4, 5)]
    assert nodes_within(3, 6, 6) == [(3, 4), (4, 6)]
    assert nodes_within(2, 2, 6) == []


@pytest.mark.parametrize("s", range(1, 18))
def test_minus_zero_survives(s):
    """An odd last node moves up unchanged: nothing is padded with +0."""
    assert np.signbit(add_pairs(np.full((s, 2), -0.0))).all()
    assert np.signbit(sources.mean(add_pairs(np.full((s, 2), -0.0)), s)).all()


def test_adding_keeps_the_dtype():
    for dtype in (np.float32, np.float64):
        assert add_pairs(np.ones((7, 2), dtype)).dtype == dtype
        assert sources.mean(np.ones(2, dtype), 3).dtype == dtype


def test_mean_divides_once():
    assert sources.mean(np.array([7.0, 1.0]), 3).tolist() == [7 / 3, 1 / 3]
    assert sources.mean(np.array([1.0], np.float32), 3).tolist() == [float(np.float32(1) / np.float32(3))]
    total = np.array([1.0])
    assert sources.mean(total, 1) is total


PROBLEMS = {
    "bump": Bump(4, Gaussian(4.0)),
    "bump B": Bump(3, TwoPoint(2.0, 0.25), local_batch=5),
    "quadratic": NoisyQuadratic(local_batch=2),
    "counterexample": Counterexample(),
    "reddi-stochastic": ReddiStochastic(local_batch=3),
    "tapered": TaperedLinear(dimension=2, noise=Gaussian(1.0)),
    "digits": Digits(local_batch=3),
    "network": Network(hidden=4, local_batch=3),
}
EVERY_PROBLEM = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)


def somewhere(problem, lead=(), dtype=np.float64):
    rng = np.random.default_rng(9)
    return (problem.start + 0.1 * rng.standard_normal((*lead, problem.dimension))).astype(dtype)


@EVERY_PROBLEM
@pytest.mark.parametrize("lead", [(), (3,), (2, 3)])
def test_one_worker_is_the_sample_itself(problem, lead):
    """s = 1 is Algorithm 1, to the bit."""
    x = somewhere(problem, lead)
    sample = problem.samples(x, 5, Sampler(3), range(1))[0]
    assert MeanOfWorkers(problem, 3)(x, 5).tobytes() == sample.tobytes()
    assert sample.shape == x.shape


@EVERY_PROBLEM
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_mean_of_s_workers(problem, dtype):
    """The s messages, summed as defined and divided by s, are the mini-batch: Proposition 22 (p. 17)."""
    x = somewhere(problem, (2,), dtype)
    for s in (2, 3, 7):
        messages = [problem.samples(x, 5, Sampler(3), range(i, i + 1))[0] for i in range(s)]
        g = MeanOfWorkers(problem, seed=3, workers=s)(x, 5)
        assert g.dtype == dtype
        assert g.tobytes() == (by_definition(messages, 0, s) / dtype(s)).tobytes()


@EVERY_PROBLEM
@pytest.mark.parametrize("lead", [(), (2, 3)])
def test_how_many_workers_fit_at_a_time_makes_no_difference(problem, lead, monkeypatch):
    x = somewhere(problem, lead)
    expected = MeanOfWorkers(problem, 3, workers=13)(x, 2).tobytes()
    for held in (1, 2, 3, 4, 7, 12, 13, 1000):
        monkeypatch.setattr(sources, "_BYTES_AT_A_TIME", held * x.nbytes)
        assert MeanOfWorkers(problem, 3, workers=13)(x, 2).tobytes() == expected
    monkeypatch.setattr(sources, "_BYTES_AT_A_TIME", 1)
    assert MeanOfWorkers(problem, 3, workers=13)(x, 2).tobytes() == expected


def test_memory_does_not_grow_with_s():
    """Beyond a logarithm: one unfinished sum per level of the tree. 16 times the workers, less than twice the bytes."""
    problem = Bump(1000, Gaussian(1.0))
    peaks = []
    for s in (500, 8000):
        source = MeanOfWorkers(problem, 0, workers=s)
        tracemalloc.start()
        source(problem.start, 1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]
    assert peaks[1] < 8 * 2**20 < problem.start.nbytes * 8000


def test_blocks_of_replicas_run_apart():
    """A source that starts at replica 256 is the rest of the source that starts at 0."""
    bump = PROBLEMS["bump"]
    whole = MeanOfWorkers(bump, 5, workers=3)(np.ones((300, 4)), 2)
    rest = MeanOfWorkers(bump, 5, workers=3, first_replica=256)(np.ones((44, 4)), 2)
    assert rest.tobytes() == whole[256:].tobytes()


@EVERY_PROBLEM
def test_a_gradient_that_is_known_saves_work_and_changes_nothing(problem):
    x = somewhere(problem, (2,))
    gradient = problem.gradient(x)
    before = gradient.copy()
    known = MeanOfWorkers(problem, 3, workers=5)(x, 4, gradient)
    assert known.tobytes() == MeanOfWorkers(problem, 3, workers=5)(x, 4).tobytes()
    assert gradient.tobytes() == before.tobytes()


def test_seeds_and_steps_differ():
    bump = PROBLEMS["bump"]
    draws = {MeanOfWorkers(bump, seed)(bump.start, t).tobytes() for seed in (0, 1) for t in (1, 2, 3)}
    assert len(draws) == 6


@EVERY_PROBLEM
@pytest.mark.parametrize("s", [1, 4])
def test_mean_and_second_moment_of_g(problem, s):
    """E_t g_t = grad f(x_t) and E_t g_t^2 as the problem states them, over independent replicas at one x.

    A z-test per coordinate, Bonferroni over all of them: a false alarm in 1e6, by the central limit theorem. For
    digits and the network, whose entries are skewed, over random projections of g.
    """
    R = 2000 if problem.dimension > 100 else 40_000
    x = somewhere(problem)
    g = MeanOfWorkers(problem, seed=2, workers=s)(np.broadcast_to(x, (R, len(x))).copy(), 3)
    gradient, moment = problem.gradient(x), problem.second_moment(x, s)
    z = stats.norm.isf(0.5e-6 / len(x))
    variance = moment - gradient**2
    assert (np.abs(g.mean(axis=0) - gradient) <= z * np.sqrt(variance / R) + 1e-14).all()
    total = (g**2).sum(axis=1)
    assert abs(total.mean() - moment.sum()) <= stats.norm.isf(0.5e-6) * total.std() / R**0.5 + 1e-14
    if len(x) < 100:
        spread = (g**2).std(axis=0) / R**0.5
        assert (np.abs((g**2).mean(axis=0) - moment) <= z * spread + 1e-14).all()


def test_the_exact_gradient():
    for problem in PROBLEMS.values():
        x = somewhere(problem, (2,))
        assert ExactGradient(problem)(x, 3).tobytes() == problem.gradient(x).tobytes()


class Faulty(Bump):
    """Worker 3 sends a bad number at step 5, in coordinate 2 (of replica 1), worker 6 another."""

    bad = np.nan

    def samples(self, x, t, sampler, workers, gradient=None):
        g = super().samples(x, t, sampler, workers, gradient)
        for row, i in enumerate(workers):
            if t == 5 and i in (3, 6):
                (g[row, 1] if x.ndim > 1 else g[row])[2 if i == 3 else 0] = self.bad
        return g


@pytest.mark.parametrize(("bad", "why"), [(np.nan, "not finite"), (-np.inf, "not finite"), (1e200, "overflows")])
def test_the_faulty_worker_is_named(bad, why):
    problem = Faulty(4, Gaussian(1.0))
    problem.bad = bad
    source = MeanOfWorkers(problem, 0, workers=8)
    for x, coordinate in ((np.ones(4), 2), (np.ones((3, 4)), (1, 2))):
        assert source.locate(x, 4) is None
        error = source.locate(x, 5)
        assert isinstance(error, NonFiniteError)
        assert (error.step, error.worker, error.coordinate) == (5, 3, coordinate)
        np.testing.assert_equal(error.value, bad)
        assert why in str(error)
        assert sources.locate_non_finite(problem, Sampler(0), x, 5, range(4, 8)).worker == 6
        assert sources.locate_non_finite(problem, Sampler(0), x, 5, range(4, 6)) is None


@pytest.mark.parametrize("s", [1.0, "2", True, None])
def test_workers_are_counted_in_integers(s):
    with pytest.raises(TypeError, match=r"workers must be an integer; got"):
        MeanOfWorkers(Bump(), 0, workers=s)


@pytest.mark.parametrize("s", [0, -1])
def test_at_least_one_worker(s):
    with pytest.raises(ValueError, match=r"workers must be at least 1 \(.*Algorithm 2, p\. 14\); got"):
        MeanOfWorkers(Bump(), 0, workers=s)


def test_s_is_kept_for_the_record():
    assert type(MeanOfWorkers(Bump(), 0, workers=np.int64(3)).workers) is int
    assert MeanOfWorkers(Bump(), 0).workers == 1
