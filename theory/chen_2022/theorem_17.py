"""Theorem 17 (Chen et al. 2022, p. 14-15): mini-batch and distributed Adam, linear speedup in s workers."""

from __future__ import annotations

from reference.families import Practical
from reference.search import first
from theory.chen_2022.corollary_13 import gamma_of, is_practical, momentum_of
from theory.chen_2022.lemmas.lemma_34 import logarithm
from theory.chen_2022.lemmas.lemma_38 import noise_and_slope
from theory.chen_2022.lemmas.lemma_39 import C6
from theory.chen_2022.lemmas.lemma_40 import C8, C9
from theory.chen_2022.lemmas.lemma_41 import four_terms, largest_root
from theory.chen_2022.paper import PAPER
from theory.constants import ConditionError, Constants, check
from theory.sequences_given import PRACTICAL
from theory.statement import MEAN_NORM, Bound, Setup, Statement, Variant, check_variant
from theory.tools.positive import Number, Positive


def theorem_17(
    T: float,
    constants: Constants,
    epsilon: float,
    practical: Practical,
    workers: int,
    variant: Variant = "corrected",
) -> Bound:
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

    Parameters
    ----------
    T : int or float
        T >= 1; an integer of any size.
    constants : Constants
        With L, G, sigma2, d and gap.
    epsilon : float
        v_0 > 0.
    practical : Practical
        alpha > 0, 0 <= beta < 1, 0 < theta <= 3T/4.
    workers : int
        s >= 1.
    variant : str

    Returns
    -------
    Bound
        terms : what the value is a sum of. constants : besides, for the corrected and the printed form, "exact root" is
        the largest x/sqrt T that Lemma 41's premise allows, smaller than F_T, and "by Lemma 34" is the sharp form with
        C7 for C7'.

    Raises
    ------
    ConditionError
        Where th1 < 1/4 or gamma >= 1, or a constant is not known.

    Examples
    --------
    >>> constants = Constants(L=2, G=4.5, sigma2=16, d=4, gap=3.2)
    >>> bound = theorem_17(10**10, constants, epsilon=1 / 4, practical=Practical(1, 0, 1), workers=1)
    >>> f"{bound.value:.3f} {bound.constants['exact root']:.3f} {bound.constants['by Lemma 34']:.3f}"
    '0.506 0.191 0.147'
    """
    check_variant(STATEMENT, variant)
    alpha, beta, theta = practical
    check(T=T, epsilon=epsilon, alpha=alpha, beta=beta, theta=theta, workers=workers)
    L, G, sigma2, d, gap = constants.need(*STATEMENT.needs)
    sharp, momentum = variant == "sharp", momentum_of("Theorem 17", T, practical)
    root_T, chi = Positive(T).sqrt(), alpha / Positive(theta).sqrt()
    of_corollary_13 = C6(chi, L, G, momentum, sharp)
    C7 = chi * of_corollary_13
    A, B = C8(Positive(sigma2), T, theta, Positive(epsilon) * d, workers, alpha), C9(Positive(theta), alpha)
    log = logarithm(Positive(G), d, epsilon)
    K = 2 / Positive(1 - beta) * (gap + C7 * d * (theta + log))
    linear, root = B * K / 2 / root_T, ((B * K) ** 2 + 4 * A * K).sqrt() / 2 / root_T
    parts: dict[str, Positive | float] = {
        "C6'" if sharp else "C6": of_corollary_13,
        "C7'" if sharp else "C7": C7,
        "C8": A,
        "C9": B,
        "gamma": gamma_of(T, practical),
        "th1": momentum.th1,
    }
    if sharp:
        terms = {"C9 K/2": linear, "sqrt(C9^2 K^2 + 4 C8 K)/2": root}
        parts |= {"K": K, "ln(1+G^2/(epsilon d))": log}
        return STATEMENT.made(variant, linear + root, constants, terms, parts)

    a2, b2 = noise_and_slope(Positive(sigma2), theta, d, epsilon, workers, T)
    C = C10(C7, gap, a2, d, practical)
    D = 2 / Positive(1 - beta) * gap * b2**0.25 if variant == "printed" else C11(C7, b2, d, beta)
    second, third, fourth, leading = "(4 C9 C11)^2", "4 C9 C10", "(4 C8 C11)^(2/3)", "(4 C8 C10)^(1/2)"
    terms = dict(zip((second, third, fourth, leading), four_terms(A, B, C, D), strict=True))
    terms = {name: terms[name] / root_T for name in TERMS}
    parts |= {"C10": C, "C11": D, "exact root": largest_root(A, B, C, D) / root_T, "by Lemma 34": linear + root}
    return STATEMENT.made(variant, sum(terms.values(), Positive(0)), constants, terms, parts)


TERMS = ("(4 C8 C10)^(1/2)", "(4 C8 C11)^(2/3)", "4 C9 C10", "(4 C9 C11)^2")


def C10(C7: Number, gap: float, a2: Number, d: int, practical: Practical) -> Number:
    """2/(1-beta) [ gap + C7 d theta + 2 C7 d a2^{1/4} ], a2 = 1 + 2 sigma^2/(d epsilon s), of C7's type (p. 15)."""
    return 2 / (1 - practical.beta) * (gap + C7 * d * practical.theta + 2 * C7 * d * a2**0.25)


def C11(C7: Number, b2: Number, d: int, beta: float) -> Number:
    """4 C7 d/(1-beta) b2^{1/4}, b2 = 2 theta/(d epsilon T), of C7's type (p. 15, corrected)."""
    return 4 / (1 - beta) * C7 * d * b2**0.25


def orders(T: float, s: int, d: int) -> dict[str, float]:
    """The powers of T, s and d of F_T's four terms (corrected) at epsilon = 1/(s d), without their prefactors.

    With rho = s d^2/T they are s^{-1/2} times rho^{1/4}, rho^{1/3}, rho^{1/2}, rho: the first leads, and speedup is
    linear, only while rho is small. (Printed, p. 14: T^-1/3 s^-1/4 for the second, T^-1 s^1/2 d^1/2 for the fourth.)
    """
    check(T=T, workers=s, d=d)
    return {
        "(4 C8 C10)^(1/2)": T**-0.25 * s**-0.25 * d**0.5,
        "(4 C8 C11)^(2/3)": T ** (-1 / 3) * s ** (-1 / 6) * d ** (2 / 3),
        "4 C9 C10": T**-0.5 * d,
        "(4 C9 C11)^2": d**2 * s**0.5 / T,
    }


def steps_needed(
    accuracy: float, constants: Constants, practical: Practical, workers: int, variant: Variant = "corrected"
) -> int:
    """The smallest T with bound <= accuracy for s workers, v_0 = 1/(s d). The bound decreases in T, so bisection does.

    >>> constants = Constants(L=2, G=4.5, sigma2=16, d=4, gap=3.2)
    >>> one, four = (steps_needed(1e-3, constants, Practical(1, 0, 1), workers=s) for s in (1, 4))
    >>> f"{one / four:.2f}"
    '3.80'
    """
    check(accuracy=accuracy, workers=workers)
    d = constants.need(*STATEMENT.needs)[3]
    log10 = Positive(accuracy).log10

    def holds(T: int) -> bool:
        try:
            return theorem_17(T, constants, 1 / (workers * d), practical, workers, variant).log10_value <= log10
        except ConditionError:
            return False

    return first(holds)


def workers_needed(accuracy: float, T: int, constants: Constants, practical: Practical) -> int | None:
    """The smallest s with F_T <= accuracy within T steps, v_0 = 1/(s d); None where no s is enough."""
    check(accuracy=accuracy)
    F = _PowersOfS(T, constants, practical, "corrected")
    best = first(F.rises)  # F falls before it
    enough = first(lambda s: s >= best or F(s) <= accuracy)
    return enough if F(enough) <= accuracy else None


def largest_linear_speedup(T: int, constants: Constants, practical: Practical, variant: Variant = "corrected") -> int:
    """The largest s for which F_T's leading term is at least half of F_T at v_0 = 1/(s d); 0 where not even s = 1 is.

    That term alone, T^{-1/4} s^{-1/4}, gives the linear speedup; against it the others grow as s^{1/12}, s^{1/4} and
    s^{3/4}. So s = O(T/d^2), or s = O(varepsilon^-2) at T = O(d^2 varepsilon^-4 s^-1), which the paper leaves unsaid.
    variant : corrected or printed; the sharp form has no four terms (ValueError).
    """
    F = _PowersOfS(T, constants, practical, variant)
    return first(lambda s: not F.leads(s)) - 1


class _PowersOfS:
    """F_T at v_0 = 1/(s d) as a function of s: c1 s^{-1/4} + c2 s^{-1/6} + c3 + c4 s^{1/2}, exactly."""

    def __init__(self, T: int, constants: Constants, practical: Practical, variant: Variant) -> None:
        if variant not in ("corrected", "printed"):
            raise ValueError(f"the variant must be corrected or printed, whose F_T has four terms; got {variant!r}")
        (d,) = constants.need("d")
        bound = theorem_17(T, constants, 1 / d, practical, 1, variant)
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


def _evaluate(setup: Setup, variant: Variant) -> Bound:
    return theorem_17(setup.T, setup.constants, setup.epsilon, setup.practical, setup.workers, variant)


STATEMENT = Statement(
    name="theorem-17",
    title="Theorem 17",
    paper=PAPER,
    pages="p. 14-15",
    source="Theorem 17, p. 14-15; proof in App. E-F, Lemmas 37-41; A4 and A5 read conditionally on the past",
    methods=("adam",),
    assumptions=("A1", "A2", "A3", "A4", "A5"),
    metric=MEAN_NORM,
    sequences=PRACTICAL,
    needs=("L", "G", "sigma2", "d", "gap"),
    evaluate=_evaluate,
    requires=is_practical,
    of_the_mean=True,
)
