"""Ghadimi and Lan (SIAM J. Optim. 23(4), 2013, p. 2341-2368), Theorem 2.1: SGD with one step size, mean square."""

from __future__ import annotations

from fractions import Fraction

from reference.schedules import as_schedule
from theory.constants import ConditionError, Constants, check
from theory.sequences_given import STEP
from theory.statement import ROOT_MEAN_SQUARE, Bound, Setup, Statement, Variant, check_variant
from theory.tools.positive import Positive


def ghadimi_lan(T: float, constants: Constants, eta: float, workers: int = 1, variant: Variant = "corrected") -> Bound:
    """(1/T) sum_{t<=T} E||grad f(x_t)||^2 <= (2 gap + L (sigma^2/s) T eta^2)/(T eta (2 - L eta)), and its root.

    **Algorithm** x_{t+1} = x_t - eta g_t, g_t the mean of s samples.

    **Assumptions** A1-A3 and A5; A4, a bound on the gradients, is not asked for. eta < 2/L.

    **Proof** By A2, f(x_{t+1}) <= f(x_t) - eta <grad f(x_t), g_t> + (L eta^2/2) ||g_t||^2. In expectation, with A3 and
    E_t||g_t||^2 <= ||grad f(x_t)||^2 + sigma^2/s (A5, s independent samples),
    E f(x_{t+1}) <= E f(x_t) - (eta - L eta^2/2) E||grad f(x_t)||^2 + L eta^2 sigma^2/(2 s). Summed over t <= T, with
    f(x_{T+1}) >= f*, it is the bound. The theorem's weights 2 eta_t - L eta_t^2 are equal for one step size.

    Parameters
    ----------
    T : int or float
        T >= 1, the number of steps.
    constants : Constants
        With L, sigma2 and gap.
    eta : float
        0 < eta < 2/L, the step size.
    workers : int
        s >= 1.
    variant : str
        "corrected", as printed: there is nothing to correct.

    Returns
    -------
    Bound
        terms : what the square is a sum of.

    Raises
    ------
    ConditionError
        Where eta >= 2/L, or a constant is not known.

    Examples
    --------
    >>> bound = ghadimi_lan(T=100, constants=Constants(L=2.0, sigma2=4.0, gap=0.5), eta=0.1, workers=4)
    >>> f"{bound.value:.4f}", bound.vacuous
    ('0.4082', None)
    """
    check_variant(STATEMENT, variant)
    check(T=T, eta=eta, workers=workers)
    L, sigma2, gap = constants.need(*STATEMENT.needs)
    product = Fraction(float(L)) * Fraction(float(eta))
    if product >= 2:
        raise ConditionError(
            f"Theorem 2.1 of Ghadimi and Lan (2013) needs a step size below 2/L = {2 / L:.6g}; got {eta:.6g}"
        )
    margin = float(2 - product)
    terms = {
        "gap": 2 * Positive(gap) / T / eta / margin,
        "noise": Positive(L) * sigma2 * eta / workers / margin,
    }
    parts: dict[str, Positive | float] = {"eta": float(eta), "2 - L eta": margin}
    return STATEMENT.made(variant, sum(terms.values(), Positive(0)).sqrt(), constants, terms, parts)


def _step_of(setup: Setup) -> float | None:
    return as_schedule(setup.family.alpha).constant()


def _requires(setup: Setup) -> str | None:
    return "the step size alpha_t is not known to be the same for every t" if _step_of(setup) is None else None


def _evaluate(setup: Setup, variant: Variant) -> Bound:
    eta = _step_of(setup)
    assert eta is not None  # `_requires`
    return ghadimi_lan(setup.T, setup.constants, eta, setup.workers, variant)


STATEMENT = Statement(
    name="ghadimi-lan",
    title="Ghadimi-Lan",
    paper="Ghadimi and Lan, SIAM J. Optim. 23(4), 2013",
    pages="Theorem 2.1",
    source="Theorem 2.1 with one step size, p. 2341-2368; its proof, three lines, is in theory/ghadimi_lan_2013.py",
    methods=("sgd",),
    assumptions=("A1", "A2", "A3", "A5"),
    metric=ROOT_MEAN_SQUARE,
    sequences=STEP,
    needs=("L", "sigma2", "gap"),
    evaluate=_evaluate,
    requires=_requires,
    variants=("corrected",),
    of_the_mean=True,
    reads_epsilon=False,
    sum_of="whose square is the sum of",
)
