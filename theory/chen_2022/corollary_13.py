"""Corollary 13 (p. 13): constant parameters for a known horizon T, O(varepsilon^-4) steps to accuracy varepsilon."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from theory.bound import Bound, ConditionError, Variant, check, first, make_bound
from theory.chen_2022.restrictions import one_minus_ratio, one_minus_root
from theory.tools.positive import Positive

SOURCE = "Corollary 13, p. 13; proof in App. D; A4 read as E_t||g_t||^2 <= G^2"


def corollary_13(
    T: float, L: float, G: float, d: int, gap: float, epsilon: float, alpha: float, beta: float, theta: float,
    variant: Variant = "corrected",
) -> Bound:  # fmt: skip
    """E||grad f(x_tau)|| <= sqrt(C5 / sqrt T), tau uniform on 1..T.

    **Assumptions** A1-A4, A4 read as E_t||g_t||^2 <= G^2. alpha_t = alpha/sqrt T, beta_t = beta and
    theta_t = 1 - theta/T =: th1 for t = 1..T, with th1 >= 1/4 and gamma < 1. Then C0 = C1 = 1.

    **Theoretical guarantee** (upper bound)

        C5 = 2 sqrt(G^2 + epsilon d)/(alpha (1-beta)) [ gap + C6 d alpha/sqrt(theta) ln(1 + G^2/(epsilon d)) + last ]
        C6 = 1/(1-sqrt gamma) [ alpha L/(sqrt(theta) (1-sqrt gamma)^2) + 2 (2 beta/((1-beta) sqrt(1-gamma)) + 1)^2 G ]

    corrected : gamma = beta^2/th1, last = 4 C6 d alpha sqrt(theta).
    printed : gamma = beta/th1, last = 4 C6 d alpha/sqrt(theta), which is (p. 13): too small where theta > 4.
    sharp : same assumptions, less waste: sqrt(max(G^2, epsilon d)) in front, last = C6' d alpha sqrt(theta) and
        C6' = 1/(1-sqrt gamma) [ (1-beta)^2 alpha L/(sqrt(theta) (1-sqrt gamma)^2)
                                 + 2 (1-beta) (beta/sqrt((1-gamma) th1) + 1)^2 G ] in place of C6.

    Parameters: T >= 1 (an integer of any size, or a float), L >= 0, G > 0, d >= 1, gap = f(x_1) - f* >= 0,
    epsilon > 0 (v_0, the same in every coordinate), alpha > 0, 0 <= beta < 1, 0 < theta <= 3T/4. ValueError for a
    value out of range; its subclass ConditionError where the statement's own conditions fail.
    terms : what the square is a sum of.

    >>> bound = corollary_13(T=10**6, L=2, G=2.3, d=4, gap=3.2, epsilon=0.25, alpha=1, beta=0.9, theta=1)
    >>> round(bound.value, 1), bound.vacuous
    (314.2, True)
    """
    check(variant, T=T, L=L, G=G, d=d, gap=gap, epsilon=epsilon, alpha=alpha, beta=beta, theta=theta)
    sharp = variant == "sharp"
    c = practical_constants("Corollary 13", T, L, G, alpha, beta, theta, sharp, power=1 if variant == "printed" else 2)
    root_theta = Positive(theta).sqrt()
    chi = alpha / root_theta
    last = {"corrected": 4 * root_theta, "printed": 4 / root_theta, "sharp": root_theta}[variant]
    norm = max(Positive(G) ** 2, Positive(epsilon) * d) if sharp else Positive(G) ** 2 + Positive(epsilon) * d
    front = 2 * norm.sqrt() / alpha / (1 - beta)
    log = (Positive(G) ** 2 / epsilon / d).log1p()
    parts = {"gap": front * gap, "logarithm": front * c.C6 * d * chi * log, "horizon": front * c.C6 * d * alpha * last}
    C5 = sum(parts.values(), Positive(0))
    root_T = Positive(T).sqrt()
    terms = {name: part / root_T for name, part in parts.items()}
    constants: dict[str, Positive | float] = {
        "C5": C5, "C6'" if sharp else "C6": c.C6, "gamma": c.gamma, "th1": c.th1, "chi": chi,
        "ln(1+G^2/(epsilon d))": log,
    }  # fmt: skip
    return make_bound("Corollary 13", variant, (C5 / root_T).sqrt(), G, terms, constants, SOURCE)


class Practical(NamedTuple):
    """th1 = 1 - theta/T, gamma and C6 (C6' for the sharp variants)."""

    th1: float
    gamma: float
    C6: Positive


def practical_constants(
    statement: str, T: float, L: float, G: float, alpha: float, beta: float, theta: float, sharp: bool, power: int = 2,
) -> Practical:  # fmt: skip
    """C6 or C6' with gamma = beta^power/th1, or ConditionError. Corollary 13 and Theorem 17 share them."""
    exact = 1 - Fraction(float(theta)) / Fraction(T)
    if exact < Fraction(1, 4):
        raise ConditionError(
            f"theta/T = {float(1 - exact):.6g} > 3/4: {statement} needs theta_t = 1 - theta/T >= 1/4 (p. 13)"
        )
    squared = Fraction(float(beta)) ** power
    if squared >= exact:
        name = "beta^2" if power == 2 else "beta"
        raise ConditionError(
            f"{name} = {float(squared):.6g} >= 1 - theta/T = {float(exact):.6g}: {statement} needs gamma < 1 (p. 13)"
        )
    th1, gap = float(exact), one_minus_ratio(squared, exact)
    root = one_minus_root(gap)  # 1 - sqrt(gamma)
    smooth = Positive(alpha) * L / Positive(theta).sqrt() / root**2
    if sharp:
        factor = beta / Positive(gap * th1).sqrt() + 1
        C6 = ((1 - beta) ** 2 * smooth + 2 * (1 - beta) * factor**2 * G) / root
    else:
        factor = Positive(2 * beta) / (1 - beta) / gap**0.5 + 1
        C6 = (smooth + 2 * factor**2 * G) / root
    return Practical(th1, float(squared / exact), C6)


def steps_needed(
    accuracy: float, L: float, G: float, d: int, gap: float, epsilon: float, alpha: float, beta: float, theta: float,
    variant: Variant = "corrected",
) -> int:  # fmt: skip
    """The smallest T whose conditions hold and whose bound is at most `accuracy` (Definition 12's varepsilon, p. 13).

    T >= C5^2 varepsilon^-4 is meant so: C5 depends on T through gamma alone and decreases, so bisection finds it.

    >>> steps_needed(0.1, L=2, G=2.3, d=4, gap=3.2, epsilon=0.25, alpha=1, beta=0.9, theta=1)
    97504969757558136832
    """
    check(variant, accuracy=accuracy)

    def holds(T: int) -> bool:
        try:
            bound = corollary_13(T, L, G, d, gap, epsilon, alpha, beta, theta, variant)
        except ConditionError:
            return False
        return bound.log10_value <= Positive(accuracy).log10

    return first(holds)


def nonvacuous_from(
    L: float, G: float, d: int, gap: float, epsilon: float, alpha: float, beta: float, theta: float,
    variant: Variant = "corrected",
) -> int | None:  # fmt: skip
    """The smallest T whose conditions hold and whose bound is at most G; None beyond 2^1000, near the largest float."""
    T = steps_needed(G, L, G, d, gap, epsilon, alpha, beta, theta, variant)
    return T if T <= 2**1000 else None
