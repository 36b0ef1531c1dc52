"""The contract of a statement: what it is about, what it needs, in which metric it speaks; and constants made once."""

import math
from dataclasses import replace

import numpy as np
import pytest

from reference import families, problems
from reference.families import Practical
from reference.problems import Bump, Gaussian
from theory.chen_2022.corollary_13 import corollary_13
from theory.chen_2022.theorem_2 import theorem_2
from theory.chen_2022.theorem_17 import theorem_17
from theory.constants import ConditionError, Constants
from theory.statement import MEAN_NORM, ROOT_MEAN_SQUARE, STATEMENTS, Setup

BUMP = Bump(3, Gaussian(2.0))
PRACTICAL = families.practical(100, 2.0, 0.5, 3.0)
SETUP = Setup(PRACTICAL, 100, Constants.of(BUMP), 0.25, 4)


@pytest.mark.parametrize("variant", ["corrected", "printed", "sharp"])
def test_statements_are_their_functions(variant):
    given, practical = SETUP.constants, Practical(2.0, 0.5, 3.0)
    assert STATEMENTS["theorem-2"].bound(SETUP, variant) == theorem_2(PRACTICAL, 100, given, 0.25, variant)
    assert STATEMENTS["corollary-13"].bound(SETUP, variant) == corollary_13(100, given, 0.25, practical, variant)
    assert STATEMENTS["theorem-17"].bound(SETUP, variant) == theorem_17(100, given, 0.25, practical, 4, variant)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_says_what_it_is(name):
    statement = STATEMENTS[name]
    assert statement.name == name and statement.paper and statement.pages in statement.source
    assert statement.metric.name and statement.methods and set(statement.same) < set(statement.variants)
    assert all(hasattr(Constants, each) for each in statement.needs)
    assert "corrected" in statement.different


def test_what_a_statement_is_not_about():
    for name in ("theorem-2", "corollary-13", "theorem-17"):
        statement = STATEMENTS[name]
        assert statement.applies(SETUP) is None
        assert "the method of the run is sgd" in statement.applies(replace(SETUP, method="sgd"))
        unknown = replace(SETUP.constants, G=None, why_not={"G": "nobody derived it"})
        assert statement.applies(replace(SETUP, constants=unknown)) == "G is not known: nobody derived it"
        projected = replace(SETUP.constants, violated={"no projection": "it projects"})
        assert statement.applies(replace(SETUP, constants=projected)) == "it projects"
        with pytest.raises(ConditionError, match="A3 fails: drift"):
            statement.bound(replace(SETUP, constants=replace(SETUP.constants, violated={"A3": "drift"})))
        with pytest.raises(ValueError, match="must be one of corrected, printed, sharp; got 'exact'"):
            statement.bound(SETUP, "exact")
    # only Theorem 17 asks for A5 and for sigma^2, and only Theorem 2 for no more than R1-R3
    unbounded = replace(SETUP.constants, sigma2=math.inf, violated={"A5": "heavy tails"})
    found = [
        each.applies(replace(SETUP, constants=unbounded)) for each in map(STATEMENTS.get, ("theorem-2", "theorem-17"))
    ]
    assert found == [None, "A5 fails: heavy tails"]
    other = replace(SETUP, family=families.constant(0.1, 0.5, 0.9))
    assert STATEMENTS["theorem-2"].applies(other) is None
    for name in ("corollary-13", "theorem-17"):
        assert "alpha/sqrt(T)" in STATEMENTS[name].applies(other)
    with pytest.raises(KeyError, match=r"one of theorem-2, .*; got 'theorem-3'"):
        STATEMENTS["theorem-3"]


def test_metric_and_what_it_is_at_most_anyway():
    bound = STATEMENTS["corollary-13"].bound(SETUP)
    assert bound.metric is MEAN_NORM and bound.trivial == SETUP.constants.G
    assert bound.vacuous is (bound.value > bound.trivial)
    assert ROOT_MEAN_SQUARE.power == 2 and ROOT_MEAN_SQUARE.trivial(Constants(G=3.0)) == 3.0
    assert ROOT_MEAN_SQUARE.trivial(Constants(L=1.0)) is None
    # the value decides on both sides of G
    small = replace(SETUP, constants=replace(SETUP.constants, G=1e-3, L=0.0, gap=0.0))
    large = replace(SETUP, constants=replace(SETUP.constants, G=1e9))
    for setup in (small, large):
        found = STATEMENTS["theorem-17"].bound(setup)
        assert found.vacuous is (found.value > setup.constants.G)
    answer = bound.as_json()
    assert (answer["metric"], answer["trivial"], answer["paper"]) == ("mean norm", bound.trivial, bound.paper)


def test_constants_of_a_problem_from_a_start():
    known = Constants.of(BUMP)
    assert (known.L, known.d, known.sigma2) == (2.0, 3, 12.0) and known.violated == {}
    assert known.gap == pytest.approx(1.5) and pytest.approx(math.sqrt(3 * 27 / 64 + 12)) == known.G
    elsewhere = Constants.of(BUMP, [2.0, 0.0, 0.0])
    assert elsewhere.gap == pytest.approx(4 / 5) and replace(elsewhere, gap=known.gap) == known
    with pytest.raises(ValueError, match=r"x_1 must have shape \(3,\).*; got \(2,\)"):
        Constants.of(BUMP, np.ones(2))


def test_what_is_not_known_says_why_and_is_no_number():
    known = Constants.of(problems.Network(hidden=2))
    assert known.L is None and known.gap is not None
    with pytest.raises(ConditionError, match=f"^L is not known: {known.why_not['L'][:20]}"):
        known.need("gap", "L")
    quadratic = Constants.of(problems.NoisyQuadratic())
    with pytest.raises(ConditionError, match="G is infinite"):
        quadratic.need("L", "G")
    assert "A4" in quadratic.violated and "no projection" in Constants.of(problems.Counterexample(bound=1.0)).violated
    with pytest.raises(ValueError, match="gap must satisfy"):
        Constants(gap=-1.0).need("gap")
    assert Constants(L=2, G=3.0, d=4).need("d", "L") == (4, 2)
