"""Corollary 13 (Chen et al. 2022, p. 13): constant parameters for a horizon T, O(varepsilon^-4) steps to varepsilon."""

from __future__ import annotations

from fractions import Fraction

from reference.families import Practical
from reference.search import first
from theory.chen_2022.lemmas.lemma_34 import logarithm
from theory.chen_2022.lemmas.lemma_39 import C6, Momentum
from theory.chen_2022.paper import PAPER
from theory.chen_2022.restrictions import one_minus_ratio
from theory.constants import ConditionError, Constants, check
from theory.sequences_given import PRACTICAL
from theory.statement import MEAN_NORM, Bound, Setup, Statement, Variant, check_variant
from theory.tools.positive import Positive


def corollary_13(
    T: float, constants: Constants, epsilon: float, practical: Practical, variant: Variant = "corrected"
) -> Bound:
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

    Parameters
    ----------
    T : int or float
        T >= 1; an integer of any size.
    constants : Constants
        With L, G, d and gap.
    epsilon : float
        v_0 > 0, the same in every coordinate.
    practical : Practical
        alpha > 0, 0 <= beta < 1, 0 < theta <= 3T/4.
    variant : str

    Returns
    -------
    Bound
        terms : what the square is a sum of.

    Raises
    ------
    ConditionError
        Where the statement's own conditions fail, or a constant is not known.
    ValueError
        For a value out of range.

    Examples
    --------
    >>> constants = Constants(L=2, G=2.3, d=4, gap=3.2)
    >>> bound = corollary_13(10**6, constants, epsilon=0.25, practical=Practical(alpha=1, beta=0.9, theta=1))
    >>> round(bound.value, 1), bound.vacuous
    (314.2, True)
    """
    check_variant(STATEMENT, variant)
    alpha, beta, theta = practical
    check(T=T, epsilon=epsilon, alpha=alpha, beta=beta, theta=theta)
    L, G, d, gap = constants.need(*STATEMENT.needs)
    sharp = variant == "sharp"
    power = 1 if variant == "printed" else 2
    momentum = momentum_of("Corollary 13", T, practical, power)
    root_theta = Positive(theta).sqrt()
    chi = alpha / root_theta
    C = C6(chi, L, G, momentum, sharp)
    last = {"corrected": 4 * root_theta, "printed": 4 / root_theta, "sharp": root_theta}[variant]
    norm = max(Positive(G) ** 2, Positive(epsilon) * d) if sharp else Positive(G) ** 2 + Positive(epsilon) * d
    front = 2 * norm.sqrt() / alpha / (1 - beta)
    log = logarithm(Positive(G), d, epsilon)
    summands = {"gap": front * gap, "logarithm": front * C * d * chi * log, "horizon": front * C * d * alpha * last}
    C5 = sum(summands.values(), Positive(0))
    root_T = Positive(T).sqrt()
    parts: dict[str, Positive | float] = {
        "C5": C5,
        "C6'" if sharp else "C6": C,
        "gamma": gamma_of(T, practical, power),
        "th1": momentum.th1,
        "chi": chi,
        "ln(1+G^2/(epsilon d))": log,
    }
    terms = {name: summand / root_T for name, summand in summands.items()}
    return STATEMENT.made(variant, (C5 / root_T).sqrt(), constants, terms, parts)


def theta_of_all_steps(T: float, theta: float) -> Fraction:
    """th1 = 1 - theta/T, exactly."""
    return 1 - Fraction(float(theta)) / Fraction(T)


def gamma_of(T: float, practical: Practical, power: int = 2) -> float:
    """gamma = beta^power/th1."""
    return float(Fraction(float(practical.beta)) ** power / theta_of_all_steps(T, practical.theta))


def momentum_of(statement: str, T: float, practical: Practical, power: int = 2) -> Momentum:
    """beta, th1 and 1 - gamma, gamma = beta^power/th1; ConditionError where th1 < 1/4 or gamma >= 1."""
    exact = theta_of_all_steps(T, practical.theta)
    if exact < Fraction(1, 4):
        raise ConditionError(
            f"{statement} needs theta_t = 1 - theta/T >= 1/4 (Chen et al., p. 13); got theta/T = {float(1 - exact):.6g}"
        )
    raised = Fraction(float(practical.beta)) ** power
    if raised >= exact:
        name = "beta^2" if power == 2 else "beta"
        raise ConditionError(
            f"{statement} needs gamma < 1 (Chen et al., p. 13); got {name} = {float(raised):.6g} "
            f">= 1 - theta/T = {float(exact):.6g}"
        )
    return Momentum(float(practical.beta), float(exact), one_minus_ratio(raised, exact))


def steps_needed(
    accuracy: float, constants: Constants, epsilon: float, practical: Practical, variant: Variant = "corrected"
) -> int:
    """The smallest T whose conditions hold and whose bound is at most `accuracy` (Definition 12's varepsilon, p. 13).

    T >= C5^2 varepsilon^-4 is meant so: C5 depends on T through gamma alone and decreases, so bisection finds it.

    >>> constants = Constants(L=2, G=2.3, d=4, gap=3.2)
    >>> steps_needed(0.1, constants, epsilon=0.25, practical=Practical(alpha=1, beta=0.9, theta=1))
    97504969757558136832
    """
    check(accuracy=accuracy)
    log10 = Positive(accuracy).log10

    def holds(T: int) -> bool:
        try:
            return corollary_13(T, constants, epsilon, practical, variant).log10_value <= log10
        except ConditionError:
            return False

    constants.need(*STATEMENT.needs)  # or no T would hold
    return first(holds)


def nonvacuous_from(
    constants: Constants, epsilon: float, practical: Practical, variant: Variant = "corrected"
) -> int | None:
    """The smallest T whose conditions hold and whose bound is at most G; None beyond 2^1000, near the largest float."""
    (G,) = constants.need("G")
    T = steps_needed(G, constants, epsilon, practical, variant)
    return T if T <= 2**1000 else None


def is_practical(setup: Setup) -> str | None:
    """Why the run's sequences are not those of Corollary 13; None where they are."""
    return None if setup.family.practical else NOT_PRACTICAL


NOT_PRACTICAL = (
    "the sequences are not alpha_t = alpha/sqrt(T), beta_t = beta, theta_t = 1 - theta/T (Chen et al., p. 13)"
)
STATEMENT = Statement(
    name="corollary-13",
    title="Corollary 13",
    paper=PAPER,
    pages="p. 13",
    source="Corollary 13, p. 13; proof in App. D; A4 read as E_t||g_t||^2 <= G^2",
    methods=("adam",),
    assumptions=("A1", "A2", "A3", "A4"),
    metric=MEAN_NORM,
    sequences=PRACTICAL,
    needs=("L", "G", "d", "gap"),
    evaluate=lambda setup, variant: corollary_13(setup.T, setup.constants, setup.epsilon, setup.practical, variant),
    requires=is_practical,
    sum_of="whose square is the sum of",
)
