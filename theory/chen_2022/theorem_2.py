"""Theorem 2 (Chen et al. 2022, p. 8): E||grad f(x_tau)|| along Generic Adam, for sequences that satisfy R1-R3."""

from __future__ import annotations

from reference.families import Family
from theory.chen_2022.lemmas.lemma_33 import C3
from theory.chen_2022.lemmas.lemma_34 import logarithm
from theory.chen_2022.paper import PAPER
from theory.chen_2022.restrictions import of_summary
from theory.constants import Constants, check
from theory.sequences_given import GENERIC
from theory.statement import MEAN_NORM, Bound, Statement, Variant, check_variant
from theory.tools.positive import Positive
from theory.tools.sequences import summarize


def theorem_2(
    family: Family,
    T: int,
    constants: Constants,
    epsilon: float,
    variant: Variant = "corrected",
    *,
    theta_prime: float | None = None,
) -> Bound:
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

    Parameters
    ----------
    family : Family
        Any of one configuration.
    T : int
        The number of steps. O(T) time.
    constants : Constants
        With L, G, d and gap.
    epsilon : float
        v_0 > 0, the same in every coordinate.
    variant : str
    theta_prime : float, optional
        theta'; the minimiser of C3 where it is not given.

    Returns
    -------
    Bound
        terms : what the square is a sum of.

    Raises
    ------
    ConditionError
        Where a restriction fails at some t <= T, or a constant is not known.

    Examples
    --------

    >>> from reference.families import generic
    >>> constants = Constants(L=2, G=2.3, d=4, gap=1)
    >>> bound = theorem_2(generic(eta=0.1, s=0.5, a=1, r=1, K=2, beta=0.9), 800, constants, epsilon=0.01)
    >>> f"{bound.constants['C3']:.3g}, theta' = {bound.constants['theta_prime']:.4f}, {bound.value:.3g}"
    "2.69e+06, theta' = 0.9105, 1.92e+04"
    """
    check_variant(STATEMENT, variant)
    check(T=T, epsilon=epsilon)
    L, G, d, gap = constants.need(*STATEMENT.needs)
    sharp = variant == "sharp"
    sums = summarize(family, T, sharp=sharp)
    r = of_summary(family, sums, L=L, G=G, theta_prime=theta_prime)
    log = logarithm(Positive(G), d, epsilon)
    C = C3(r, L, G, Positive.exp(r.log_C1), sharp and sums.constant_beta)
    parts: dict[str, Positive | float] = {
        "C0": r.C0,
        "C1": r.C1,
        "log_C1": r.log_C1,
        "gamma": r.gamma,
        "theta_prime": r.theta_prime,
        "theta_1": r.theta_1,
        "beta": r.beta,
        "chi_1": r.chi_1,
        "alpha_T": sums.alpha_T,
        "ln(1+G^2/(epsilon d))": log,
    }
    if sharp:
        assert sums.sum_inverse is not None and sums.sum_log is not None
        weight = Positive(sums.sum_inverse) / T / T
        front = max(Positive(G), (Positive(epsilon) * d).sqrt()) * weight * 2 / (1 - r.beta)
        terms = {
            "gap": front * gap,
            "logarithm": front * C * r.C0 * d * r.chi_1 * log,
            "sum": front * C * r.C0 * d * sums.sum_log,
        }
        parts |= {"C3'": C, "sum 1/alpha_t": sums.sum_inverse, "sum a_t ln(1/theta_t)": sums.sum_log}
    else:
        T_alpha = Positive(T) * sums.alpha_T
        front = 2 * (Positive(G) ** 2 + Positive(epsilon) * d).sqrt() * r.C0 / (1 - r.beta)
        C_gap, C_logarithm = front * gap, front * C * r.C0 * d * r.chi_1 * log
        C_prime = front * r.C0 * C * d / r.theta_1
        terms = {
            "gap": C_gap / T_alpha,
            "logarithm": C_logarithm / T_alpha,
            "sum": C_prime * sums.sum_noise / T_alpha,
        }
        parts |= {"C": C_gap + C_logarithm, "C'": C_prime, "C3": C, "sum alpha_t sqrt(1-theta_t)": sums.sum_noise}
    return STATEMENT.made(variant, sum(terms.values(), Positive(0)).sqrt(), constants, terms, parts)


STATEMENT = Statement(
    name="theorem-2",
    title="Theorem 2",
    paper=PAPER,
    pages="p. 8",
    source="Theorem 2, p. 8; proof in App. B, Lemmas 33-36; A4 read as E_t||g_t||^2 <= G^2",
    methods=("adam",),
    assumptions=("A1", "A2", "A3", "A4"),
    metric=MEAN_NORM,
    sequences=GENERIC,
    needs=("L", "G", "d", "gap"),
    evaluate=lambda setup, variant: theorem_2(setup.family, setup.T, setup.constants, setup.epsilon, variant),
    same={"printed": "corrected"},
    sum_of="whose square is the sum of",
)
