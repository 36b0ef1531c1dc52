"""The statements with every number by its own name, as the tables of numbers in these tests give them."""

from reference import families
from reference.families import Practical
from theory.chen_2022 import corollary_7 as seven
from theory.chen_2022 import corollary_10 as ten
from theory.chen_2022 import corollary_13 as thirteen
from theory.chen_2022 import theorem_2 as two
from theory.chen_2022 import theorem_17 as seventeen
from theory.constants import Constants

NAMES = ("L", "G", "sigma2", "d", "gap")


def grouped(given):
    """(constants, practical, the rest) of numbers by name."""
    given = dict(given)
    constants = Constants(**{name: given.pop(name) for name in NAMES if name in given})
    practical = ("alpha", "beta", "theta")
    return constants, Practical(*(given.pop(name) for name in practical)) if "alpha" in given else None, given


def theorem_2(family, T, **given):
    constants, _, rest = grouped(given)
    return two.theorem_2(family, T, constants, **rest)


def corollary_7(T, **given):
    rest = {name: given.pop(name) for name in ("eta", "s", "theta", "beta", "epsilon")}
    return seven.corollary_7(T, grouped(given)[0], **rest)


def fixed_theta_1(theta, theta_1, **given):
    constants, _, rest = grouped(given)
    return seven.fixed_theta_1(theta, theta_1, constants, **rest)


def constant_theta_limit(**given):
    constants, _, rest = grouped(given)
    return seven.constant_theta_limit(constants, **rest)


def corollary_10(T, *, eta, s, a, r, K, beta, **given):
    constants, _, rest = grouped(given)
    return ten.corollary_10(families.generic(eta, s, a, r, K, beta), T, constants, **rest)


def corollary_13(T, **given):
    constants, practical, rest = grouped(given)
    return thirteen.corollary_13(T, constants, practical=practical, **rest)


def steps_of_corollary_13(accuracy, **given):
    constants, practical, rest = grouped(given)
    return thirteen.steps_needed(accuracy, constants, practical=practical, **rest)


def nonvacuous_from(**given):
    constants, practical, rest = grouped(given)
    return thirteen.nonvacuous_from(constants, practical=practical, **rest)


def theorem_17(T, **given):
    constants, practical, rest = grouped(given)
    return seventeen.theorem_17(T, constants, practical=practical, **rest)


def steps_of_theorem_17(accuracy, **given):
    constants, practical, rest = grouped(given)
    return seventeen.steps_needed(accuracy, constants, practical, **rest)


def workers_needed(accuracy, T, **given):
    constants, practical, rest = grouped(given)
    return seventeen.workers_needed(accuracy, T, constants, practical, **rest)


def largest_linear_speedup(T, **given):
    constants, practical, rest = grouped(given)
    return seventeen.largest_linear_speedup(T, constants, practical, **rest)
