"""The audit passes true claims, catches claims 5 % too small, and says what it cannot know."""

from dataclasses import replace

import numpy as np
import pytest

from reference.problems import (
    Bump,
    Counterexample,
    Gaussian,
    Known,
    NoisyQuadratic,
    ReddiPeriodic,
    ReddiStochastic,
    TaperedLinear,
    TwoPoint,
)
from theory.chen_2022.assumptions import ENUMERATED, PROOF, audit

PROBLEMS = [
    Bump(dimension=3, noise=TwoPoint(3.0, 0.25)),
    Bump(dimension=2, noise=TwoPoint(3.0, 0.25), local_batch=3),
    Bump(dimension=5, noise=Gaussian(0.5)),
    TaperedLinear(slope=0.7, taper=0.05, reach=3.0, noise=TwoPoint(0.4)),
    TaperedLinear(dimension=4, noise=Gaussian(0.3)),
    Counterexample(bound=2.0),
]


def verdicts(findings):
    return {finding.assumption: finding.verdict for finding in findings}


ALL = dict.fromkeys(("A1", "A2", "A3", "A4", "A5"), "holds")


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: f"{problem.name}-{problem.dimension}")
def test_claims_5_percent_too_small_are_caught(problem):
    assert verdicts(audit(problem)) == ALL
    for assumption, name, factor in (("A2", "L", 0.95), ("A4", "G", 0.95), ("A5", "sigma2", 0.95**2)):
        true = getattr(problem.constants, name).value
        wrong = replace(problem.constants, **{name: Known(factor * true, "upper bound", "a slip")})
        findings = {finding.assumption: finding for finding in audit(problem, constants=wrong)}
        assert verdicts(findings.values()) == ALL | {assumption: "fails"}
        found = findings[assumption]
        power = 2 if name == "G" else 1
        assert factor**power * true**power < found.worst <= true**power * (1 + 1e-6)
        assert found.scope == "at one point"
        if assumption == "A4":
            assert problem.second_moment(found.at).sum() == pytest.approx(found.worst, rel=1e-9)
        if problem.interval:
            assert np.abs(found.at).max() <= problem.interval[1]


def test_a_minimum_that_is_not_one():
    bump = Bump(dimension=2)
    wrong = replace(bump.constants, f_star=Known(0.1, "lower bound", "a slip"))
    found = audit(bump, constants=wrong)[0]
    assert (found.assumption, found.verdict) == ("A1", "fails") and 0 <= found.worst < 1e-6


class Biased(Bump):
    """A mean that is off by a hundredth of the noise."""

    def samples(self, x, t, sampler, workers, gradient=None):
        return super().samples(x, t, sampler, workers, gradient) + 0.03


@pytest.mark.parametrize("noise", [TwoPoint(3.0), Gaussian(0.1)])
def test_a_biased_gradient_is_caught(noise):
    assert verdicts(audit(Biased(2, noise)))["A3"] == "fails"


class Misreported(Bump):
    """Its variance formula forgets half of the noise that its samples have."""

    def variance(self, x):
        return super().variance(x) / 2


def test_enumeration_does_not_trust_the_formula():
    problem = Misreported(2, TwoPoint(2.0, 0.3))
    findings = audit(problem)
    assert verdicts(findings) == ALL  # the claim is that of Bump, and true
    half = replace(problem.constants, sigma2=Known(problem.constants.sigma2.value / 2, "exact", "the formula"))
    assert verdicts(audit(problem, constants=half))["A5"] == "fails"


def test_scopes():
    by_name = lambda problem: {finding.assumption: finding.scope for finding in audit(problem)}
    assert by_name(PROBLEMS[0]) == {"A1": PROOF, "A2": PROOF, "A3": ENUMERATED, "A4": ENUMERATED, "A5": ENUMERATED}
    assert set(by_name(PROBLEMS[2]).values()) == {PROOF}


def test_violations_a_problem_knows_of():
    assert verdicts(audit(NoisyQuadratic())) == ALL | {"A4": "fails"}
    assert verdicts(audit(Counterexample())) == ALL | {"A4": "fails", "A5": "fails"}
    assert verdicts(audit(ReddiStochastic())) == ALL | {"A1": "fails"}
    assert verdicts(audit(ReddiPeriodic())) == ALL | {"A1": "fails", "A3": "fails"}


class Unproved(Bump):
    """Nothing is known but what can be sampled."""

    def __init__(self, **claims):
        super().__init__(2, Gaussian(0.5))
        unknown = Known(None, "unknown", "nobody proved one")
        given = {name: Known(value, "unknown", "a guess") for name, value in claims.items()}
        self.constants = replace(self.constants, **{"L": unknown, "G": unknown, "sigma2": unknown} | given)

    def variance(self, x):
        raise ValueError("not known")


def test_what_nobody_proves_holds_along_the_trajectory_only():
    path = np.linspace(-1, 1, 20).repeat(2).reshape(20, 2)
    for problem in (Unproved(), Unproved(L=2.1, G=3.0, sigma2=1.0)):
        findings = audit(problem, path)
        assert verdicts(findings) == ALL | dict.fromkeys(("A2", "A3", "A4", "A5"), "cannot tell")
        assert {finding.scope for finding in findings[1:]} == {"along this trajectory only"}
    assert findings[3].worst == pytest.approx(2 * (0.6495**2 + 0.25), rel=0.05)
    assert verdicts(audit(Unproved(L=1.9, G=1.0, sigma2=0.4), path)) == ALL | {
        "A2": "fails", "A3": "cannot tell", "A4": "fails", "A5": "fails",
    }  # fmt: skip


def test_the_trajectory_is_among_the_points():
    """A bump too narrow and too far for random points is found where the run has been."""

    class Spike(Bump):
        def gradient(self, x):
            return super().gradient(x) + np.where(np.abs(x - 123.4) < 0.1, 50.0, 0.0)

    spike = Spike(1)
    assert verdicts(audit(spike))["A4"] == "holds"
    assert verdicts(audit(spike, np.array([[1.0], [123.4]])))["A4"] == "fails"
