"""Corollary 9 (p. 10), the sufficient condition, and R1-R3 (p. 7): a verdict with a witness for every condition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from reference.families import Family
from reference.schedules import as_schedule
from theory.chen_2022.restrictions import Restrictions, at_most, of_summary, smallest_C0
from theory.constants import ConditionError
from theory.statement import finite
from theory.tools.sequences import Summary, Violation, chi, summarize, trend, values

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

    @property
    def answer(self) -> str:
        """One sentence: whether the sufficient condition holds, and what decides."""
        four = [self[id] for id in ("SC1", "SC2", "SC3", "SC4")]
        name = "The sufficient condition (Corollary 9, p. 10)"
        for verdict, words in (("fails", "fails"), ("cannot tell", "cannot be told")):
            deciding = [condition for condition in four if condition.verdict == verdict]
            if deciding:
                return f"{name} {words}: " + "; ".join(f"{c.id}, {c.reason}" for c in deciding) + "."
        return f"{name} holds: SC1 to SC4 are proved for every t."

    def as_json(self) -> dict[str, Any]:
        """The keys of `python -m theory condition --json`."""
        r = self.restrictions
        return {
            "answer": self.answer,
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

    SC4 by closed forms: where alpha_t t^s tends to a positive number, s >= 1 keeps T alpha_T bounded, so that the ratio
    stays above a positive constant, whatever theta_t. For s < 1, sum alpha_t ~ T alpha_T/(1-s) is infinite, and the
    ratio, 1/(1-s) times a mean of sqrt(1-theta_t) with weights alpha_t, tends to sqrt(1 - lim theta_t)/(1-s): to 0 iff
    theta_t -> 1. A shift, t + c for t, changes none of these limits, and none of the orders: (t + c)/t -> 1.

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


_Judged = tuple[Verdict, dict[str, Any] | None, str]
_SHAPE = {
    None: "is ",
    "constant": "is constant, ",
    "non-increasing": "is non-increasing, ",
    "non-decreasing": "is non-decreasing, ",
}


def _violated(violation: Violation) -> _Judged:
    return "fails", {"t": violation.t, violation.name: finite(violation.value)}, str(violation)


def _only(T: int) -> str:
    return f"for t <= {T}; beyond that nothing is known"


def _r1(family: Family, found: Summary) -> _Judged:
    if violation := found.violations.get("beta_t"):
        return _violated(violation)
    beta = as_schedule(family.beta).supremum()
    if beta is None:
        shape = _SHAPE[trend(lambda t: values(family.beta, t, "beta_t"), found.T)]
        return "cannot tell", {"beta": found.beta}, f"beta_t {shape}at most {found.beta:.6g}, {_only(found.T)}"
    if not beta < 1:
        return "fails", {"beta": beta}, f"beta_t must stay below some beta < 1 (R1, p. 7); its supremum is {beta:.6g}"
    return "holds", {"beta": beta}, f"beta_t <= beta = {beta:.6g} for every t"


def _non_decreasing(family: Family, found: Summary) -> _Judged:
    broken = [v for v in map(found.violations.get, ("theta_t", "theta_t decreases")) if v]
    if broken:
        return _violated(min(broken, key=lambda violation: violation.t))
    witness = {"theta_1": found.theta_1, "theta_T": found.theta_T}
    theta = as_schedule(family.theta)
    top, rises = theta.limit(), theta.non_decreasing()
    if rises is False:
        return "fails", witness, "theta_t must be non-decreasing (R2, p. 7); it falls"
    if rises and top is not None and top > 1:
        return "fails", witness, f"theta_t must satisfy theta_t < 1 (R2, p. 7); its limit is {top:.6g}"
    if rises and theta.constant() is not None:
        return "holds", witness, f"theta_t is constant, {found.theta_1:.6g}"
    if rises and top is not None:
        return "holds", witness, f"theta_t is non-decreasing, from {found.theta_1:.6g} to its limit {top:.6g}"
    shape = trend(lambda t: values(family.theta, t, "theta_t"), found.T) or "non-decreasing"
    return "cannot tell", witness, f"theta_t is {shape} in (0, 1) {_only(found.T)}"


def _r2(family: Family, found: Summary, range_of_theta: _Judged) -> _Judged:
    verdict, witness, reason = range_of_theta
    if verdict == "fails":
        return range_of_theta
    top, supremum = as_schedule(family.theta).limit(), as_schedule(family.beta).supremum()
    squared = (found.beta if supremum is None else supremum) ** 2
    witness = {**(witness or {}), "beta^2": finite(squared)}
    if verdict == "cannot tell" or top is None:
        return "cannot tell", witness, reason
    if "beta_t" in found.violations:
        return "fails", witness, f"no beta < 1 bounds beta_t, so lim theta_t = {top:.6g} exceeds no beta^2"
    if top <= squared:
        return "fails", witness, f"lim theta_t must exceed beta^2 = {squared:.6g} (R2, p. 7); it is {top:.6g}"
    if supremum is None:
        return "cannot tell", witness, f"{reason} > beta^2 = {squared:.6g}, with beta known for t <= {found.T} only"
    return "holds", witness, f"{reason} > beta^2 = {squared:.6g}"


def _r3(family: Family, found: Summary, everywhere: float | None, C0_up_to_T: float) -> _Judged:
    if violation := found.violations.get("alpha_t") or found.violations.get("theta_t"):
        return _violated(violation)
    alpha, theta = as_schedule(family.alpha), as_schedule(family.theta)
    i, t = found.C0_at if C0_up_to_T > 1 else (1, 1)
    witness: dict[str, Any] = {"i": i, "t": t, "C0": C0_up_to_T}
    if everywhere is None:
        attained = f"chi_t/chi_i <= {C0_up_to_T:.6g} for i <= t <= {found.T}, attained at i = {i}, t = {t} with a_t = "
        attained += "min_(i<=t) chi_i"
        if theta.constant() is not None and (C0 := alpha.rise_bound()) is not None:
            proved = f"C0 <= {C0:.6g} for every t, since theta_t is constant and alpha_t rises by no larger factor"
            return "holds", witness, f"{proved}; {attained}"
        shape = trend(lambda steps: chi(family, steps), found.T)
        if shape in ("constant", "non-increasing"):
            return "cannot tell", witness, f"chi_t is {shape}, hence C0 = 1, {_only(found.T)}"
        rising = "chi_t is non-decreasing: " if shape else ""
        return "cannot tell", witness, f"{rising}{attained}; beyond that nothing is known"
    step, noise = alpha.power_law(), theta.complement_power_law()
    if theta.constant() is not None and not step:
        how = "chi_t is non-increasing, C0 = 1" if everywhere == 1 else f"C0 = {everywhere:.6g} over every t"
        verdict: Verdict = "holds" if everywhere < math.inf else "fails"
        return verdict, witness, f"theta_t is constant, and chi_t a multiple of alpha_t: {how} (R3, p. 7)"
    assert step and noise  # as `smallest_C0` found them
    r, s = noise.exponent, step.exponent
    if everywhere == math.inf:
        growth = f"t^(r/2-s) = t^{r / 2 - s:.6g}"
        return "fails", witness, f"r = {r:g} > 2s = {2 * s:g}: chi_t grows as {growth}, so no C0 is enough (p. 10)"
    sign = "=" if at_most(2 * s, r) else "<="
    shifted = f" with the same shift c = {step.shift:g}" if step.shift == noise.shift != 0 and r > 0 else ""
    if everywhere == 1:
        return "holds", witness, f"r = {r:g} {sign} 2s = {2 * s:g}{shifted}: chi_t is non-increasing, C0 = 1 (p. 10)"
    shifts = f"alpha_t is shifted by {step.shift:g}, theta_t by {noise.shift:g}"
    return "holds", witness, f"r = {r:g} {sign} 2s = {2 * s:g}, {shifts}: chi_t rises by C0 = {everywhere:.6g} at most"


def _sc4(family: Family, found: Summary) -> _Judged:
    for name in ("alpha_t", "theta_t"):
        if violation := found.violations.get(name):
            return _violated(violation)
    ratio = found.sum_noise / (found.T * found.alpha_T)
    witness = {"T": found.T, "ratio": finite(ratio)}
    theta = as_schedule(family.theta)
    step, noise, top = as_schedule(family.alpha).asymptote(), theta.complement_power_law(), theta.limit()
    if step is not None and step.exponent >= 1:
        why = f"s = {step.exponent:g} >= 1" if step.exponent < math.inf else "alpha_t falls faster than any power of t"
        return "fails", witness, f"{why}: T alpha_T stays bounded, and the ratio above a positive constant"
    if step is None or top is None:
        unknown = "; whether it tends to 0 is not known"
        return "cannot tell", witness, f"the ratio is {ratio:.6g} at T = {found.T}{unknown}"
    s = step.exponent
    if top < 1:
        level = math.sqrt(noise.scale if noise and noise.exponent == 0 else 1 - top) / (1 - s)
        what = "theta_t is constant" if theta.constant() is not None else f"theta_t tends to {top:.6g} < 1"
        return "fails", witness, f"{what}: the ratio tends to sqrt(1-theta)/(1-s) = {level:.6g}, not to 0"
    if noise is None:
        return "holds", witness, f"theta_t tends to 1 and s = {s:g} < 1: the ratio tends to 0"
    r = noise.exponent
    return "holds", witness, f"r = {r:g} > 0 and s = {s:g} < 1: the ratio is O({_order(s, r)})"


def _order(s: float, r: float) -> str:
    if math.isclose(r / 2 + s, 1, rel_tol=1e-12):
        return f"ln T/T^{1 - s:g}"
    return f"T^{-min(r / 2, 1 - s):.6g}"
