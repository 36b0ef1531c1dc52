"""Corollary 13 (p. 13): constant parameters for a known horizon T, O(varepsilon^-4) steps to accuracy varepsilon."""

from __future__ import annotations

import math

from theory.bound import Bound, ConditionError, Variant

SOURCE = "Corollary 13, p. 13; proof in App. D"


def corollary_13(
    T: float, L: float, G: float, d: int, gap: float, epsilon: float, alpha: float, beta: float, theta: float,
    variant: Variant = "corrected",
) -> Bound:  # fmt: skip
    """E||grad f(x_tau)|| <= sqrt(C5 / sqrt T), tau uniform on 1..T.

    **Assumptions** A1-A4, A4 read as E_t||g_t||^2 <= G^2. alpha_t = alpha/sqrt T, beta_t = beta and
    theta_t = 1 - theta/T =: th1 for t = 1..T, with th1 >= 1/4 and gamma < 1. Then C0 = C1 = 1 and

        C5 = 2 sqrt(G^2 + epsilon d)/(alpha (1-beta)) [ gap + C6 d alpha/sqrt(theta) ln(1 + G^2/(epsilon d)) + last ]
        C6 = 1/(1-sqrt gamma) [ alpha L/(sqrt(theta) (1-sqrt gamma)^2) + 2 (2 beta/((1-beta) sqrt(1-gamma)) + 1)^2 G ]

    corrected : gamma = beta^2/th1, last = 4 C6 d alpha sqrt(theta).
    printed : gamma = beta/th1, last = 4 C6 d alpha/sqrt(theta), which is too small where theta > 4 (p. 13).
    sharp : same assumptions, less waste: sqrt(max(G^2, epsilon d)) in front, last = C6' d alpha sqrt(theta) and
        C6' = 1/(1-sqrt gamma) [ (1-beta)^2 alpha L/(sqrt(theta) (1-sqrt gamma)^2)
                                 + 2 (1-beta) (beta/sqrt((1-gamma) th1) + 1)^2 G ].

    Parameters: T >= 1 (a float where it exceeds 2^53), L >= 0, G > 0, d >= 1, gap = f(x_1) - f* >= 0, epsilon > 0
    (v_0, the same in every coordinate), alpha > 0, 0 <= beta < 1, 0 < theta <= 3T/4. ValueError for a value out of
    range; its subclass ConditionError where the statement's own conditions fail.
    """
    _check(T, L, G, d, gap, epsilon, alpha, beta, theta, variant)
    th1 = 1 - theta / T
    squared = beta if variant == "printed" else beta**2
    if th1 < 0.25:
        raise ConditionError(
            f"theta/T = {theta / T:.6g} > 3/4: Corollary 13 needs theta_t = 1 - theta/T >= 1/4 (p. 13)"
        )
    one_minus_gamma = (th1 - squared) / th1  # without cancellation
    gamma = squared / th1
    if one_minus_gamma <= 0:
        power = "beta" if variant == "printed" else "beta^2"
        raise ConditionError(
            f"{power} = {squared:.6g} >= 1 - theta/T = {th1:.6g}: Corollary 13 needs gamma < 1 (p. 13)"
        )
    one_minus_root = one_minus_gamma / (1 + math.sqrt(gamma))  # 1 - sqrt(gamma)

    smooth = alpha * L / (math.sqrt(theta) * one_minus_root**2)
    if variant == "sharp":
        factor = beta / math.sqrt(one_minus_gamma * th1) + 1
        C6 = ((1 - beta) ** 2 * smooth + 2 * (1 - beta) * factor**2 * G) / one_minus_root
        front = 2 * math.sqrt(max(G**2, epsilon * d)) / (alpha * (1 - beta))
        last = C6 * d * alpha * math.sqrt(theta)
    else:
        factor = 2 * beta / ((1 - beta) * math.sqrt(one_minus_gamma)) + 1
        C6 = (smooth + 2 * factor**2 * G) / one_minus_root
        front = 2 * math.sqrt(G**2 + epsilon * d) / (alpha * (1 - beta))
        last = 4 * C6 * d * alpha * (math.sqrt(theta) if variant == "corrected" else 1 / math.sqrt(theta))
    logarithm = C6 * d * alpha / math.sqrt(theta) * math.log1p(G**2 / (epsilon * d))
    C5 = front * (gap + logarithm + last)

    root_T = math.sqrt(T)
    value = float(math.sqrt(C5 / root_T))
    terms = {"gap": front * gap / root_T, "logarithm": front * logarithm / root_T, "horizon": front * last / root_T}
    constants = {"C5": C5, "C6": C6, "gamma": gamma, "th1": th1}
    return Bound(
        "Corollary 13", variant, value, value > G, _floats(terms), _floats(constants), SOURCE,
    )  # fmt: skip


def nonvacuous_from(
    L: float, G: float, d: int, gap: float, epsilon: float, alpha: float, beta: float, theta: float,
    variant: Variant = "corrected",
) -> int | None:  # fmt: skip
    """The smallest T whose conditions hold and whose bound is at most G; None beyond 2^1000.

    C5 decreases in T, so bisection finds it.
    """

    def holds(T: int) -> bool:
        try:
            return not corollary_13(T, L, G, d, gap, epsilon, alpha, beta, theta, variant).vacuous
        except ConditionError:
            return False

    high = max(1, math.ceil(theta))
    while not holds(high):
        high *= 2
        if high > 2**1000:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _floats(values: dict) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}


def _check(T, L, G, d, gap, epsilon, alpha, beta, theta, variant):
    if variant not in ("corrected", "printed", "sharp"):
        raise ValueError(f"variant = {variant!r}; allowed are corrected, printed, sharp")
    for name, value, allowed, limit in (
        ("T", T, T >= 1, "T >= 1"),
        ("L", L, L >= 0, "L >= 0 (A2, p. 7)"),
        ("G", G, G > 0, "G > 0 (A4, p. 7)"),
        ("d", d, d >= 1, "d >= 1"),
        ("gap", gap, gap >= 0, "f(x_1) - f* >= 0 (A1, p. 7)"),
        ("epsilon", epsilon, epsilon > 0, "epsilon > 0 (Algorithm 1, p. 4)"),
        ("alpha", alpha, alpha > 0, "alpha > 0 (Corollary 13, p. 13)"),
        ("beta", beta, 0 <= beta < 1, "0 <= beta < 1 (R1, p. 7)"),
        ("theta", theta, theta > 0, "theta > 0 (Corollary 13, p. 13)"),
    ):
        if not (allowed and math.isfinite(float(value))):
            raise ValueError(f"{name} = {value}; needed is finite {limit}")
