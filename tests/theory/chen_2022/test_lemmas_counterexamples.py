"""Runs on which a printed form is violated, with the numbers known from another computation by hand."""

import numpy as np
import pytest

from reference import MeanOfWorkers
from reference.sampling import Sampler
from theory.chen_2022.lemmas import counterexamples
from theory.chen_2022.lemmas.counterexamples import RareSlope
from theory.chen_2022.lemmas.lemma_31 import lemma_31


def rounded(number, digits):
    return float(f"{float(number):.{digits}g}")


def test_assumption_4_as_printed_fails_lemmas_34_and_36():
    (printed_34, right_34), (printed_36, right_36) = counterexamples.second_moment_without_square()
    assert (rounded(printed_34.left[0], 4), rounded(printed_34.right[0], 4)) == (0.9091, 0.7885)
    assert (rounded(printed_36.left, 4), rounded(printed_36.right, 3)) == (0.1, 0.0377)
    assert printed_34.verdict == printed_36.verdict == "violated"
    assert right_34.verdict == right_36.verdict == "holds"


def test_unconditional_assumption_4_fails_lemma_31_at_the_second_step():
    printed, corrected = counterexamples.unconditional_second_moment()
    assert printed.verdicts.tolist() == ["holds", "violated"] and corrected.verdict == "holds"
    # L E||Delta_2||^2 stands on both sides: E<grad f, Delta_2> = 8.46e-7 against 1.36e-8, or 1.02e-4
    p = RareSlope.p
    inner = p / 2 * 2 * (0.8 * 10 / np.sqrt(50.25) - 0.2 * 50 / np.sqrt(1250.25))
    assert rounded(inner, 3) == 8.46e-7
    assert rounded(printed.slack[1] + inner, 3) == 1.36e-8
    assert rounded(corrected.slack[1] + inner, 3) == 1.02e-4


def test_the_rare_slope_is_what_it_says():
    problem = RareSlope()
    x = np.linspace(-3, 1, 4001)[:, None]
    values, probabilities = problem.outcomes(x)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose((values[..., 0] * probabilities).sum(axis=1), problem.gradient(x)[:, 0], atol=1e-14)
    second = (values[..., 0] ** 2 * probabilities).sum(axis=1)
    np.testing.assert_allclose(problem.second_moment(x)[:, 0], second, rtol=1e-9)
    assert np.sqrt(second.max()) == pytest.approx(problem.constants.G.value, rel=1e-12)
    assert problem.variance(x).max() == pytest.approx(problem.constants.sigma2.value, rel=1e-12)
    slopes = np.diff(problem.value(x)) / 1e-3
    np.testing.assert_allclose(slopes, (problem.gradient(x)[1:, 0] + problem.gradient(x)[:-1, 0]) / 2, atol=2e-3)
    assert np.abs(np.diff(problem.gradient(x)[:, 0])).max() / 1e-3 == pytest.approx(problem.constants.L.value, rel=1e-6)
    steep = np.full((20_000, 1), -np.sqrt(2))
    drawn = problem.samples(steep, 1, Sampler(0), range(2))
    assert set(np.unique(drawn)) == {-10.0, 50.0} and abs((drawn == 50).mean() - 0.2) < 4 * 0.4 / 200
    assert MeanOfWorkers(problem, 0)(problem.start, 1) in ([-1.0], [0.0], [1.0])


@pytest.mark.parametrize(
    ("d", "s", "left", "printed_right", "corrected_right"),
    [(2, 1000, 14.82, 13.95, 37.81), (10, 100, 70.2, 36.7, 163.7), (100, 100, 787, 312, 2678)],
)
def test_lemma_38_lost_a_factor_2d(d, s, left, printed_right, corrected_right):
    printed, corrected = counterexamples.lost_factor(d, s)
    digits = len(str(left).replace(".", ""))
    assert rounded(printed.left, digits) == left and rounded(printed.right, digits) == printed_right
    assert rounded(corrected.right, 4) == pytest.approx(corrected_right, rel=4e-4)
    assert (printed.verdict, corrected.verdict) == ("violated", "holds")


def test_equation_66_has_a_minus_too_many():
    printed, corrected = counterexamples.minus_before_the_sum(replicas=50)
    assert rounded(printed.right, 3) == -2.81
    assert (printed.verdict, corrected.verdict) == ("violated", "holds")
    assert 2.8 < printed.left < 3.3


def test_equation_22_is_weaker_than_what_its_proof_gives():
    """Not false: the term that it leaves out is what Eqs. 50-52 need."""
    run = counterexamples.record(
        MeanOfWorkers(problem := counterexamples.problems.Bump(1), 0), problem.start,
        counterexamples.families.constant(0.1, 0.5, 0.9), 2, epsilon=0.1,
    )  # fmt: skip
    printed, corrected = lemma_31(run, "printed"), lemma_31(run)
    assert printed.verdict == corrected.verdict == "holds"
    gained = printed.right - corrected.right
    assert gained[0] == pytest.approx(0.25 * run.weighted_gradient[0, 0], rel=1e-12) and gained[1] == 0
