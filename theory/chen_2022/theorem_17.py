"""Theorem 17 (p. 14-15): mini-batch and distributed Adam, linear speedup in the number s of workers."""

from __future__ import annotations

from theory.bound import Bound, ConditionError, Variant, check, first, make_bound
from theory.chen_2022.corollary_13 import practical_constants
from theory.tools.positive import Positive

SOURCE = "Theorem 17, p. 14-15; proof in App. E-F, Lemmas 37-41; A4 and A5 read conditionally on the past"


def theorem_17(
    T: float, L: float, G: float, sigma2: float, d: int, gap: float, epsilon: float, alpha: float, beta: float,
    theta: float, workers: int, variant: Variant = "corrected",
) -> Bound:  # fmt: skip
    """(1/T) sum_t E||grad f(x_t)|| <= X/sqrt T <= F_T, where X = E sqrt(sum_t ||grad f(x_t)||^2).

    **Algorithm** 2 with s samples or 3 with s workers; alpha_t = alpha/sqrt T, beta_t = beta,
    theta_t = 1 - theta/T =: th1 >= 1/4, gamma = beta^2/th1 < 1, v_0 = epsilon (the paper takes 1/(s d)).

    **Assumptions** A1-A5, A4 and A5 read as E_t||g_t||^2 <= G^2, E_t||g_t - grad f(x_t)||^2 <= sigma^2 for one sample.

    **Theoretical guarantee** (upper bound)

        F_T = T^{-1/2} [ (4 C8 C10)^{1/2} + (4 C8 C11)^{2/3} + 4 C9 C10 + (4 C9 C11)^2 ]
        C7  = alpha/sqrt(theta) C6, C6 of Corollary 13
        C8  = sqrt(T) sqrt(2 sigma^2 theta + epsilon s d)/(sqrt(s) alpha),  C9 = sqrt(2 theta)/alpha
        C10 = 2/(1-beta) [ gap + C7 d theta + 2 C7 d (1 + 2 sigma^2/(d epsilon s))^{1/4} ]

    corrected : C11 = 4 C7 d/(1-beta) (2 theta/(d epsilon T))^{1/4}.
    printed : C11 = 2 (f(x_1) - f*)/(1-beta) (2 theta/(d epsilon T))^{1/4} (p. 15): the wrong constant, and 2d lost.
    sharp : X <= (C9 K + sqrt(C9^2 K^2 + 4 C8 K))/2, where Lemma 34 takes the place of Lemma 38, over sqrt T;
        K = 2/(1-beta) [ gap + C7' d (theta + ln(1 + G^2/(epsilon d))) ], C7' = alpha/sqrt(theta) C6'.

    Parameters as for Corollary 13, and sigma2 = sigma^2 >= 0, workers = s >= 1. ConditionError where th1 < 1/4 or
    gamma >= 1. terms : what the value is a sum of. constants : besides, for the corrected and the printed form,
    "exact root" is the largest x/sqrt T that Lemma 41's premise allows, smaller than F_T, and "by Lemma 34" is the
    sharp form with C7 for C7'.

    >>> given = dict(L=2, G=4.5, sigma2=16, d=4, gap=3.2, epsilon=1/4, alpha=1, beta=0, theta=1, workers=1)
    >>> bound = theorem_17(T=10**10, **given)
    >>> f"{bound.value:.3f} {bound.constants['exact root']:.3f} {bound.constants['by Lemma 34']:.3f}"
    '0.506 0.191 0.147'
    """
    check(
        variant, T=T, L=L, G=G, sigma2=sigma2, d=d, gap=gap, epsilon=epsilon, alpha=alpha, beta=beta, theta=theta,
        workers=workers,
    )  # fmt: skip
    sharp, s = variant == "sharp", workers
    c = practical_constants("Theorem 17", T, L, G, alpha, beta, theta, sharp)
    root_T = Positive(T).sqrt()
    C7 = alpha / Positive(theta).sqrt() * c.C6
    C8 = root_T * (2 * Positive(sigma2) * theta + Positive(epsilon) * s * d).sqrt() / Positive(s).sqrt() / alpha
    C9 = (2 * Positive(theta)).sqrt() / alpha
    front = Positive(2) / (1 - beta)
    log = (Positive(G) ** 2 / epsilon / d).log1p()
    K = front * (gap + C7 * d * (theta + log))
    linear, root = C9 * K / 2 / root_T, ((C9 * K) ** 2 + 4 * C8 * K).sqrt() / 2 / root_T
    shared: dict[str, Positive | float] = {
        "C7'" if sharp else "C7": C7,
        "C8": C8,
        "C9": C9,
        "gamma": c.gamma,
        "th1": c.th1,
    }
    if sharp:
        return make_bound(
            "Theorem 17", variant, linear + root, G, {"C9 K/2": linear, "sqrt(C9^2 K^2 + 4 C8 K)/2": root},
            {"K": K, "C6'": c.C6, "ln(1+G^2/(epsilon d))": log, **shared}, SOURCE,
        )  # fmt: skip

    quarter = (2 * Positive(theta) / d / epsilon / T) ** 0.25
    C10 = front * (gap + C7 * d * theta + 2 * C7 * d * (1 + 2 * Positive(sigma2) / d / epsilon / s) ** 0.25)
    C11 = front * gap * quarter if variant == "printed" else 2 * front * C7 * d * quarter
    terms = {
        "(4 C8 C10)^(1/2)": (4 * C8 * C10).sqrt() / root_T,
        "(4 C8 C11)^(2/3)": (4 * C8 * C11) ** (2 / 3) / root_T,
        "4 C9 C10": 4 * C9 * C10 / root_T,
        "(4 C9 C11)^2": (4 * C9 * C11) ** 2 / root_T,
    }
    constants: dict[str, Positive | float] = {
        "C6": c.C6, "C10": C10, "C11": C11, **shared,
        "exact root": lemma_41_root(C8, C9, C10, C11) / root_T, "by Lemma 34": linear + root,
    }  # fmt: skip
    return make_bound("Theorem 17", variant, sum(terms.values(), Positive(0)), G, terms, constants, SOURCE)


def lemma_41_root(A: Positive, B: Positive, C: Positive, D: Positive) -> Positive:
    """The x > 0 with x^2 = (A + B x)(C + D sqrt x), A, C > 0: Lemma 41's premise allows no larger x (p. 41).

    ln x^2 - ln(A + B x) - ln(C + D sqrt x) rises in ln x with slope >= 1/2, from x = sqrt(A C), where it is <= 0, to
    the lemma's max{(4BD)^2, 4BC, (4AD)^{2/3}, sqrt(4AC)}.

    >>> float(lemma_41_root(Positive(2), Positive(0), Positive(8), Positive(0)))
    4.0
    """
    low = (A * C).log / 2
    high = max(2 * (4 * B * D).log, (4 * B * C).log, (4 * A * D).log * 2 / 3, (4 * A * C).log / 2)
    while low < (middle := (low + high) / 2) < high:
        x = Positive.exp(middle)
        if x**2 <= (A + B * x) * (C + D * x.sqrt()):
            low = middle
        else:
            high = middle
    return Positive.exp(low)


def orders(T: float, s: int, d: int) -> dict[str, float]:
    """The powers of T, s and d of F_T's four terms (corrected) at epsilon = 1/(s d), without their prefactors.

    With rho = s d^2/T they are s^{-1/2} times rho^{1/4}, rho^{1/3}, rho^{1/2}, rho: the first leads, and speedup is
    linear, only while rho is small. (Printed, p. 14: T^-1/3 s^-1/4 for the second, T^-1 s^1/2 d^1/2 for the fourth.)
    """
    check("corrected", T=T, workers=s, d=d)
    return {
        "(4 C8 C10)^(1/2)": T**-0.25 * s**-0.25 * d**0.5,
        "(4 C8 C11)^(2/3)": T ** (-1 / 3) * s ** (-1 / 6) * d ** (2 / 3),
        "4 C9 C10": T**-0.5 * d,
        "(4 C9 C11)^2": d**2 * s**0.5 / T,
    }


def steps_needed(
    accuracy: float, L: float, G: float, sigma2: float, d: int, gap: float, alpha: float, beta: float, theta: float,
    workers: int, variant: Variant = "corrected",
) -> int:  # fmt: skip
    """The smallest T with bound <= accuracy for s workers, v_0 = 1/(s d). The bound decreases in T, so bisection does.

    >>> given = dict(L=2, G=4.5, sigma2=16, d=4, gap=3.2, alpha=1, beta=0, theta=1)
    >>> one, four = (steps_needed(1e-3, workers=s, **given) for s in (1, 4))
    >>> f"{one / four:.2f}"
    '3.80'
    """
    check(variant, accuracy=accuracy, d=d, workers=workers)

    def holds(T: int) -> bool:
        try:
            bound = theorem_17(T, L, G, sigma2, d, gap, 1 / (workers * d), alpha, beta, theta, workers, variant)
        except ConditionError:
            return False
        return bound.log10_value <= Positive(accuracy).log10

    return first(holds)


def workers_needed(
    accuracy: float, T: int, L: float, G: float, sigma2: float, d: int, gap: float, alpha: float, beta: float,
    theta: float,
) -> int | None:  # fmt: skip
    """The smallest s with F_T <= accuracy within T steps, v_0 = 1/(s d); None where no s is enough."""
    check("corrected", accuracy=accuracy)
    F = _PowersOfS(T, L, G, sigma2, d, gap, alpha, beta, theta)
    best = first(F.rises)  # F falls before it
    enough = first(lambda s: s >= best or F(s) <= accuracy)
    return enough if F(enough) <= accuracy else None


def largest_linear_speedup(
    T: int, L: float, G: float, sigma2: float, d: int, gap: float, alpha: float, beta: float, theta: float,
    variant: Variant = "corrected",
) -> int:  # fmt: skip
    """The largest s for which F_T's leading term is at least half of F_T at v_0 = 1/(s d); 0 where not even s = 1 is.

    That term alone, T^{-1/4} s^{-1/4}, gives the linear speedup; against it the others grow as s^{1/12}, s^{1/4} and
    s^{3/4}. So s = O(T/d^2), or s = O(varepsilon^-2) at T = O(d^2 varepsilon^-4 s^-1), which the paper leaves unsaid.
    variant : corrected or printed; the sharp form has no four terms (ValueError).
    """
    F = _PowersOfS(T, L, G, sigma2, d, gap, alpha, beta, theta, variant)
    return first(lambda s: not F.leads(s)) - 1


class _PowersOfS:
    """F_T at v_0 = 1/(s d) as a function of s: c1 s^{-1/4} + c2 s^{-1/6} + c3 + c4 s^{1/2}, exactly."""

    def __init__(self, T, L, G, sigma2, d, gap, alpha, beta, theta, variant="corrected"):
        check(variant, d=d)
        if variant == "sharp":
            raise ValueError("variant = 'sharp'; allowed are corrected, printed, whose F_T has the four terms")
        bound = theorem_17(T, L, G, sigma2, d, gap, 1 / d, alpha, beta, theta, 1, variant)
        self.at_one = [Positive(term) for term in bound.terms.values()]

    def terms(self, s: int) -> list[Positive]:
        return [c * Positive(s) ** p for c, p in zip(self.at_one, (-1 / 4, -1 / 6, 0, 1 / 2), strict=True)]

    def __call__(self, s: int) -> Positive:
        return sum(self.terms(s), Positive(0))

    def rises(self, s: int) -> bool:
        """dF/d ln s >= 0; once true it stays true."""
        leading, second, _, last = self.terms(s)
        return leading / 4 + second / 6 <= last / 2

    def leads(self, s: int) -> bool:
        leading, second, third, last = self.terms(s)
        return leading >= second + third + last


__all__ = [
    "largest_linear_speedup",
    "lemma_41_root",
    "orders",
    "steps_needed",
    "theorem_17",
    "workers_needed",
]
