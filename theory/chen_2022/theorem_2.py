"""Theorem 2 (p. 8): E||grad f(x_tau)|| along Generic Adam, for any sequences that satisfy R1-R3."""

from __future__ import annotations

from reference.families import Family
from theory.bound import Bound, Variant, check, make_bound
from theory.chen_2022.restrictions import Restrictions, of_summary
from theory.tools.positive import Positive
from theory.tools.sequences import summarize

SOURCE = "Theorem 2, p. 8; proof in App. B, Lemmas 33-36; A4 read as E_t||g_t||^2 <= G^2"


def theorem_2(
    family: Family, T: int, L: float, G: float, d: int, gap: float, epsilon: float, variant: Variant = "corrected",
    *, theta_prime: float | None = None,
) -> Bound:  # fmt: skip
    """E||grad f(x_tau)|| <= sqrt( (C + C' sum_{t<=T} alpha_t sqrt(1-theta_t)) / (T alpha_T) ), tau uniform on 1..T.

    **Assumptions** A1-A4, A4 read as E_t||g_t||^2 <= G^2 (with G for G^2, as printed, the statement is false), and
    R1-R3 for t = 1..T. m_0 = 0, v_0 = epsilon in every coordinate.

    **Theoretical guarantee** (upper bound)

        C  = 2 C0 sqrt(G^2 + epsilon d)/(1-beta) [ gap + C3 C0 d chi_1 ln(1 + G^2/(epsilon d)) ]
        C' = 2 C0^2 C3 d sqrt(G^2 + epsilon d) / ((1-beta) theta_1)
        C3 = C0/(sqrt(C1) (1-sqrt gamma)) [ C0^2 chi_1 L/(C1 (1-sqrt gamma)^2)
                                            + 2 (beta/(1-beta)/sqrt(C1 (1-gamma) theta_1) + 1)^2 G ]

    corrected and printed : the above; the display is right.
    sharp : same assumptions and ingredients, less waste. With a_t = min_{i<=t} chi_i, the square is
        sqrt(max(G^2, epsilon d)) (1/T^2) sum 1/alpha_t  2/(1-beta)
            [ gap + C3' C0 d ( a_1 ln(1 + G^2/(epsilon d)) + sum a_t ln(1/theta_t) ) ],
        where C3' is C3 with (1-beta)^2 in front of chi_1 L and (beta/sqrt(C1 (1-gamma) theta_1) + 1)^2 times 1-beta
        in place of the other square if beta_t is constant, and C3 itself if not.

    Parameters: any family of one configuration, T >= 1, L >= 0, G > 0, d >= 1, gap = f(x_1) - f* >= 0, epsilon > 0.
    theta' : the minimiser of C3, or the one given. terms : what the square is a sum of.
    O(T) time. ConditionError where a restriction fails at some t <= T.

    >>> from reference.families import generic
    >>> bound = theorem_2(generic(eta=0.1, s=0.5, a=1, r=1, K=2, beta=0.9), 800, L=2, G=2.3, d=4, gap=1, epsilon=0.01)
    >>> f"{bound.constants['C3']:.3g}, theta' = {bound.constants['theta_prime']:.4f}, {bound.value:.3g}"
    "2.69e+06, theta' = 0.9105, 1.92e+04"
    """
    check(variant, T=T, L=L, G=G, d=d, gap=gap, epsilon=epsilon)
    sharp = variant == "sharp"
    sums = summarize(family, T, sharp=sharp)
    r = of_summary(family, sums, L=L, G=G, theta_prime=theta_prime)
    log = (Positive(G) ** 2 / epsilon / d).log1p()
    T_alpha = Positive(T) * sums.alpha_T
    constants: dict[str, Positive | float] = {
        "C0": r.C0, "C1": r.C1, "log_C1": r.log_C1, "gamma": r.gamma, "theta_prime": r.theta_prime,
        "theta_1": r.theta_1, "beta": r.beta, "chi_1": r.chi_1, "alpha_T": sums.alpha_T, "ln(1+G^2/(epsilon d))": log,

    }  # fmt: skip
    if sharp:
        assert sums.sum_inverse is not None and sums.sum_log is not None
        C3 = sharp_C3(r, L, G) if sums.constant_beta else plain_C3(r, L, G)
        weight = Positive(sums.sum_inverse) / T / T
        front = max(Positive(G), (Positive(epsilon) * d).sqrt()) * weight * 2 / (1 - r.beta)
        terms = {
            "gap": front * gap,
            "logarithm": front * C3 * r.C0 * d * r.chi_1 * log,
            "sum": front * C3 * r.C0 * d * sums.sum_log,
        }
        constants |= {"C3'": C3, "sum 1/alpha_t": sums.sum_inverse, "sum a_t ln(1/theta_t)": sums.sum_log}
    else:
        C3 = plain_C3(r, L, G)
        front = 2 * (Positive(G) ** 2 + Positive(epsilon) * d).sqrt() * r.C0 / (1 - r.beta)
        C_gap, C_logarithm = front * gap, front * C3 * r.C0 * d * r.chi_1 * log
        C_prime = front * r.C0 * C3 * d / r.theta_1
        terms = {
            "gap": C_gap / T_alpha,
            "logarithm": C_logarithm / T_alpha,
            "sum": C_prime * sums.sum_noise / T_alpha,
        }
        constants |= {"C": C_gap + C_logarithm, "C'": C_prime, "C3": C3, "sum alpha_t sqrt(1-theta_t)": sums.sum_noise}
    value = sum(terms.values(), Positive(0)).sqrt()
    return make_bound("Theorem 2", variant, value, G, terms, constants, SOURCE)


def plain_C3(r: Restrictions, L: float, G: float) -> Positive:
    """C3 as displayed (p. 8)."""
    return _C3(r, L, Positive(r.beta) / (1 - r.beta), 1, 2 * Positive(G))


def sharp_C3(r: Restrictions, L: float, G: float) -> Positive:
    """C3' for beta_t = beta: |m_t| carries a factor 1-beta that the proofs of Lemmas 29-32 drop (p. 26-29)."""
    return _C3(r, L, Positive(r.beta), (1 - r.beta) ** 2, 2 * Positive(G) * (1 - r.beta))


def _C3(r: Restrictions, L: float, momentum: Positive, smooth: float, noise: Positive) -> Positive:
    C1 = Positive.exp(r.log_C1)
    P = C1.sqrt() * r.one_minus_sqrt_gamma
    Q = C1 * r.one_minus_gamma
    return (
        r.C0
        / P
        * (smooth * Positive(r.C0) ** 2 * r.chi_1 * L / P**2 + noise * (momentum / (Q * r.theta_1).sqrt() + 1) ** 2)
    )
