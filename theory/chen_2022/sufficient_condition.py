"""Corollary 9 (p. 10), the sufficient condition, and R1-R3 (p. 7): a verdict with a witness for every condition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reference.families import Family
from reference.schedules import Constant, Geometric
from theory.chen_2022.restrictions import Restrictions, bias_correction, exponents, of_summary, smallest_C0
from theory.constants import ConditionError
from theory.statement import finite
from theory.tools.sequences import Summary, Violation, limit, summarize

Verdict = Literal["holds", "fails", "cannot tell"]


@dataclass(frozen=True)
class Condition:
    """holds, fails : for every t >= 1, proved. cannot tell : the first T terms decide nothing about the rest.

    witness : what shows it, by name: the first t that violates and the value there, the pair (i, t) that attains C0,
    the ratio of SC4 at T.
    """

    id: Literal["R1", "R2", "R3", "SC1", "SC2", "SC3", "SC4"]
    verdict: Verdict
    witness: dict[str, Any] | None
    reason: str


@dataclass(frozen=True)
class SufficientCondition:
    """C0 : over every t where a closed form is known (inf where R3 fails), else up to T. restrictions : None where
    the first T terms violate one."""

    T: int
    C0: float
    C0_up_to_T: float
    chi_1: float
    restrictions: Restrictions | None
    conditions: tuple[Condition, ...]

    def __getitem__(self, id: str) -> Condition:
        return next(condition for condition in self.conditions if condition.id == id)

    def as_json(self) -> dict[str, Any]:
        """The keys of `python -m theory condition --json`."""
        r = self.restrictions
        return {
            "T": self.T,
            "C0": finite(self.C0),
            "C0_up_to_T": finite(self.C0_up_to_T),
            "chi_1": finite(self.chi_1),
            "theta_prime": r and r.theta_prime,
            "gamma": r and r.gamma,
            "log_C1": r and r.log_C1,
            "conditions": [vars(condition) for condition in self.conditions],
        }


def sufficient_condition(family: Family, T: int = 1000) -> SufficientCondition:
    """R1-R3 and the four conditions of Corollary 9, in closed form where the family has one, else from t = 1..T.

    SC1, SC2, SC3: R1, R2 without its limit, R3. SC4: sum_{t<=T} alpha_t sqrt(1-theta_t) / (T alpha_T) -> 0. With the
    assumptions A1-A4 they imply E||grad f(x_tau)|| -> 0.

    From finitely many terms R1 and R2 can fail (a value out of its range stays one), but neither R3 nor SC4 can: any
    finite sequence has a C0, and any ratio may yet go to 0.

    >>> from reference.families import bias_corrected_adam
    >>> adam = sufficient_condition(bias_corrected_adam(), T=1000)
    >>> round(adam.C0, 2), round(adam.C0_up_to_T, 2), adam["R3"].verdict, adam["SC4"].verdict
    (6.57, 5.22, 'holds', 'fails')
    """
    found = summarize(family, T)
    everywhere = smallest_C0(family)
    C0_up_to_T = min(found.C0, everywhere or math.inf)
    try:
        r = of_summary(family, found)
    except ConditionError:
        r = None
    r1 = _r1(family, found)
    range_of_theta = _non_decreasing(family, found)
    r3 = _r3(family, found, everywhere, C0_up_to_T)
    conditions = (
        Condition("R1", *r1), Condition("R2", *_r2(family, found, range_of_theta)), Condition("R3", *r3),
        Condition("SC1", *r1), Condition("SC2", *range_of_theta), Condition("SC3", *r3),
        Condition("SC4", *_sc4(family, found)),
    )  # fmt: skip
    C0 = C0_up_to_T if everywhere is None else everywhere
    return SufficientCondition(found.T, C0, C0_up_to_T, found.chi_1, r, conditions)


_Finding = tuple[Verdict, dict[str, Any] | None, str]


def _violated(violation: Violation) -> _Finding:
    return "fails", {"t": violation.t, violation.name: finite(violation.value)}, str(violation)


def _r1(family: Family, found: Summary) -> _Finding:
    if violation := found.violations.get("beta_t"):
        return _violated(violation)
    witness = {"beta": found.beta}
    if isinstance(family.beta, Constant | Geometric):
        return "holds", witness, f"beta_t <= beta = {found.beta:.6g} for every t"
    return "cannot tell", witness, f"beta_t <= {found.beta:.6g} for t <= {found.T}; beyond that nothing is known"


def _non_decreasing(family: Family, found: Summary) -> _Finding:
    broken = [v for v in map(found.violations.get, ("theta_t", "theta_t decreases")) if v]
    if broken:
        return _violated(min(broken, key=lambda violation: violation.t))
    witness = {"theta_1": found.theta_1, "theta_T": found.theta_T}
    top = limit(family.theta)
    if top is not None:
        return "holds", witness, f"theta_t is non-decreasing, from {found.theta_1:.6g} to its limit {top:.6g}"
    return "cannot tell", witness, f"non-decreasing in (0, 1) for t <= {found.T}; beyond that nothing is known"


def _r2(family: Family, found: Summary, range_of_theta: _Finding) -> _Finding:
    verdict, witness, reason = range_of_theta
    top, squared = limit(family.theta), found.beta**2
    if verdict == "fails":
        return range_of_theta
    witness = {**(witness or {}), "beta^2": finite(squared)}
    if verdict == "cannot tell" or top is None:
        return "cannot tell", witness, reason
    if "beta_t" in found.violations:
        return "fails", witness, f"no beta < 1 bounds beta_t, so lim theta_t = {top:.6g} exceeds no beta^2"
    if top <= squared:
        return "fails", witness, f"lim theta_t = {top:.6g} <= beta^2 = {squared:.6g}; needed is lim theta_t > beta^2"
    if not isinstance(family.beta, Constant | Geometric):
        return "cannot tell", witness, f"{reason} > beta^2 = {squared:.6g}, with beta known for t <= {found.T} only"
    return "holds", witness, f"{reason} > beta^2 = {squared:.6g}"


def _r3(family: Family, found: Summary, everywhere: float | None, C0_up_to_T: float) -> _Finding:
    if violation := found.violations.get("alpha_t") or found.violations.get("theta_t"):
        return _violated(violation)
    i, t = found.C0_at
    witness: dict[str, Any] = {"i": i, "t": t, "C0": C0_up_to_T}
    if everywhere is None:
        reason = (
            f"chi_t/chi_i <= {C0_up_to_T:.6g} for i <= t <= {found.T}, attained at i = {i}, t = {t} with "
            f"a_t = min_(i<=t) chi_i; beyond that nothing is known"
        )
        if corrected := bias_correction(family):
            s, _, theta = corrected
            C0 = (1 - theta) ** (s - 0.5)
            return "holds", witness, f"C0 <= (1-theta)^-(1/2-s) = {C0:.6g} for every t; {reason}"
        return "cannot tell", witness, reason
    powers = exponents(family)
    if everywhere == math.inf:
        s, r = powers or (math.nan, math.nan)
        growth = f"t^(r/2-s) = t^{r / 2 - s:.6g}"
        return "fails", witness, f"r = {r:g} > 2s = {2 * s:g}: chi_t grows as {growth}, so no C0 is enough (p. 10)"
    if powers:
        return "holds", witness, f"r = {powers[1]:g} <= 2s = {2 * powers[0]:g}: chi_t is non-increasing, C0 = 1 (p. 10)"
    return "holds", witness, f"bias correction (Remark 1, p. 4): C0 = {everywhere:.6g} over every t"


def _sc4(family: Family, found: Summary) -> _Finding:
    for name in ("alpha_t", "theta_t"):
        if violation := found.violations.get(name):
            return _violated(violation)
    ratio = found.sum_noise / (found.T * found.alpha_T)
    witness = {"T": found.T, "ratio": ratio}
    powers = exponents(family)
    if powers is None and (corrected := bias_correction(family)):
        powers = corrected[0], 0.0  # alpha_t/(eta/t^s) is positive and tends to 1
    if powers is None:
        return "cannot tell", witness, f"the ratio is {ratio:.6g} at T = {found.T}; whether it tends to 0 is not known"
    s, r = powers
    if r > 0 and s < 1:
        return "holds", witness, f"r = {r:g} > 0 and s = {s:g} < 1: the ratio is O({_order(s, r)})"
    if s >= 1:
        return "fails", witness, f"s = {s:g} >= 1: T alpha_T stays bounded, and the ratio above a positive constant"
    level = np.sqrt(1 - found.theta_T) / (1 - s)
    return "fails", witness, f"theta_t is constant: the ratio tends to sqrt(1-theta)/(1-s) = {level:.6g}, not to 0"


def _order(s: float, r: float) -> str:
    if math.isclose(r / 2 + s, 1, rel_tol=1e-12):
        return f"ln T/T^{1 - s:g}"
    return f"T^{-min(r / 2, 1 - s):.6g}"
