"""Errata in Theorem 17 and its proof (p. 14-16, App. E-F)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from reference.families import Practical
from theory.chen_2022.errata.erratum import Evidence, erratum
from theory.chen_2022.lemmas.lemma_41 import four_terms, largest_root
from theory.chen_2022.theorem_17 import orders, steps_needed, theorem_17
from theory.constants import Constants
from theory.statement import Bound, Variant
from theory.tools.positive import Positive

# the bump with noise of variance 4 a coordinate, d = 4 (L, G, sigma^2, gap rounded)
_PRACTICAL = Practical(alpha=1.0, beta=0.5, theta=1.0)
_SECOND, _FOURTH = "(4 C8 C11)^(2/3)", "(4 C9 C11)^2"


def _bump(d: int) -> Constants:
    return Constants(L=2.0, G=4.2, sigma2=16.0, d=d, gap=2.0)


def _bound(T: float, s: int, d: int, variant: Variant = "corrected") -> Bound:
    return theorem_17(T, _bump(d), 1 / (s * d), _PRACTICAL, s, variant)


@erratum(
    "E19",
    "proof of Lemma 38 (p. 39)",
    printed="ln W_T <= theta",
    corrected="ln W_T <= theta/th1",
)
def product_of_thetas() -> Evidence:
    """ln W_T = -T ln(1 - theta/T) beside theta and theta/th1, at theta = 3T/4."""
    T, theta = 100, 75.0
    ln_W, th1 = -T * math.log1p(-theta / T), 1 - theta / T
    return Evidence(
        ln_W <= theta,
        theta < ln_W <= theta / th1,
        f"T = {T}, theta = {theta:g}: ln W_T = {ln_W:.1f} lies between theta and theta/th1 = {theta / th1:g}",
    )


@erratum(
    "E21",
    "Theorem 17, C11 (p. 15)",
    printed="2 C4/(1-beta) (2 theta/(d eps T))^(1/4)",
    corrected="4 C7 d/(1-beta) (2 theta/(d eps T))^(1/4)",
)
def constant_C11() -> Evidence:
    """In the proof C11 multiplies sqrt X; what multiplies it there is 2/(1-beta) C7 times Lemma 38's last term."""
    T, s, d = 10_000, 1, 4
    printed, corrected = (_bound(T, s, d, v).constants for v in ("printed", "corrected"))
    quarter = (2 * _PRACTICAL.theta / (d * (1 / (s * d)) * T)) ** 0.25
    needed = 2 / (1 - _PRACTICAL.beta) * corrected["C7"] * 2 * d * quarter
    return Evidence(
        printed["C11"] >= needed * (1 - 1e-12),
        corrected["C11"] >= needed * (1 - 1e-12),
        f"the proof needs C11 >= {needed:.4g}; printed {printed['C11']:.4g}, corrected {corrected['C11']:.4g}, "
        f"a factor 2 d C7/C4 = {corrected['C11'] / printed['C11']:.3g}",
        if_not="printed not derivable",
    )


@erratum(
    "E22",
    "App. F, C10 and C11 (p. 43)",
    printed="swapped, with C4 for C7",
    corrected="as in the main text, with C7 and 2d",
)
def swapped_in_the_appendix() -> Evidence:
    """The power of T that F_T falls with, far out."""

    def swapped(T: float) -> Positive:
        c = {name: Positive(value) for name, value in _bound(T, 1, 4).constants.items() if value > 0}
        A, B, C, D = c["C8"], c["C9"], c["C11"], c["C10"]
        return sum(four_terms(A, B, C, D), Positive(0)) / Positive(T).sqrt()

    far = 1e60
    as_swapped = (swapped(10 * far) / swapped(far)).log10
    as_corrected = _bound(10 * far, 1, 4).log10_value - _bound(far, 1, 4).log10_value
    return Evidence(
        abs(as_swapped + 1 / 4) < 1e-3,
        abs(as_corrected + 1 / 4) < 1e-3,
        f"F_T falls as T^{as_swapped:.4f} with C10 and C11 as App. F defines them, as T^{as_corrected:.4f} corrected; "
        "the statement claims T^-1/4",
    )


@erratum(
    "E23",
    "Theorem 17, O() (p. 14)",
    printed="T^-1 s^1/2 d^1/2 and T^-1/3 s^-1/4",
    corrected="T^-1 s^1/2 d^2 and T^-1/3 s^-1/6 d^2/3",
)
def orders_in_s_and_d() -> Evidence:
    """The powers of s and d in two of the terms, from values at two s and two d."""
    T = 1e30
    here, with_s, with_d = ((1, 4), (64, 4), (1, 256))

    def power(term: str, terms_at: Callable[[int, int], dict[str, float]], other: tuple[int, int]) -> float:
        return math.log(terms_at(*other)[term] / terms_at(*here)[term]) / math.log(64)

    def corrected(s: int, d: int) -> dict[str, float]:
        return _bound(T, s, d).terms

    def printed(s: int, d: int) -> dict[str, float]:
        return _bound(T, s, d, "printed").terms

    def claimed(s: int, d: int) -> dict[str, float]:
        return orders(T, s, d)

    in_s, in_d = power(_SECOND, corrected, with_s), power(_FOURTH, corrected, with_d)
    by_printed = power(_SECOND, printed, with_s)
    return Evidence(
        by_printed <= -1 / 4 + 1e-9,
        abs(in_s - power(_SECOND, claimed, with_s)) < 1e-6 and abs(in_d - power(_FOURTH, claimed, with_d)) < 1e-6,
        f"the second term goes as s^{in_s:.4f} (s^{by_printed:.4f} with the printed constants; printed s^-1/4, "
        f"corrected s^-1/6), the fourth as d^{in_d:.4f} (printed d^1/2, corrected d^2)",
    )


@erratum(
    "E24",
    "App. F, (4AD)^(2/3)",
    printed="s^-1/2 (eps d)^-1/4 + (eps d)^1/4",
    corrected="d^2/3 (s^-1/3 (eps d)^-1/6 + (eps d)^1/6)",
)
def power_of_the_bracket() -> Evidence:
    """(4 C8 C11)^{2/3}, at fixed epsilon d: the bracket goes as s^{-1/3}, not s^{-1/2}, while sigma leads."""
    T, d, s = 1e30, 4, 10**3

    def term(s: int, variant: Variant) -> float:
        bound = theorem_17(T, _bump(d), 1e-12, _PRACTICAL, s, variant)
        return bound.terms[_SECOND]

    printed, corrected = (math.log(term(s, v) / term(1, v)) / math.log(s) for v in ("printed", "corrected"))
    return Evidence(
        printed <= -1 / 2 + 1e-6,
        abs(corrected + 1 / 3) < 1e-6,
        f"at fixed epsilon d the term goes as s^{corrected:.5f}, with the printed constants as s^{printed:.5f}: "
        "printed bracket s^-1/2, corrected s^-1/3",
    )


@erratum(
    "E25",
    "App. F, (4BD)^2",
    printed="sqrt(1/(d eps T))",
    corrected="d^2 sqrt(1/(d eps T))",
)
def factor_d_squared() -> Evidence:
    """(4 C9 C11)^2 at fixed d epsilon T: with the C11 that the proof needs (E21) it grows as d^2."""
    T = 1e6

    def term(d: int) -> float:
        bound = theorem_17(T, _bump(d), 0.25 / d, _PRACTICAL, 1)
        return bound.terms[_FOURTH]

    ratio = term(64) / term(4)
    return Evidence(
        math.isclose(ratio, 1, rel_tol=1e-9),
        math.isclose(ratio, 256, rel_tol=1e-9),
        f"d from 4 to 64 at fixed d epsilon T: the term grows {ratio:.6g}-fold (printed 1, corrected d^2: 256)",
        if_not="printed not derivable",
    )


@erratum(
    "E27",
    "Theorem 17, Remarks 18, 23 (p. 14-17)",
    printed="varepsilon^-4 s^-1 steps",
    corrected="while s = O(varepsilon^-2), eps = 1/(s d)",
)
def workers_without_limit() -> Evidence:
    """T steps to accuracy varepsilon times s: constant while speedup is linear, then growing."""
    accuracy = 0.01
    s = [1, 10, 10**3, 10**6, 10**9]
    work = [steps_needed(accuracy, _bump(4), _PRACTICAL._replace(beta=0.0), n) * n for n in s]
    growth = [w / work[0] for w in work]
    return Evidence(
        growth[-1] < 2,
        growth[1] < 2 < growth[-1],
        f"accuracy {accuracy}: s T(s)/T(1) at s = {', '.join(f'{n:.0e}' for n in s)} is "
        + ", ".join(f"{g:.3g}" for g in growth)
        + ": linear speedup ends",
    )


@erratum(
    "E29",
    "Lemma 41 (p. 41)",
    printed="x in R",
    corrected="x >= 0, A, B, C, D >= 0; the maximum of the four suffices",
)
def roots_of_lemma_41() -> Evidence:
    """The maximum of the four terms bounds the root; for x < 0 the premise has no meaning (sqrt x)."""
    generator = np.random.default_rng(0)
    worst = 0.0
    for A, B, C, D in np.exp(generator.uniform(-10, 10, (500, 4))):
        worst = max(worst, float(largest_root(A, B, C, D)) / max(four_terms(A, B, C, D)))
    return Evidence(
        worst <= 1,
        worst <= 1,
        f"500 random A, B, C, D: the largest root is at most {worst:.3f} of the maximum of the four terms, so of their "
        "sum; x < 0 has no sqrt x",
        if_both="printed looser",
    )
