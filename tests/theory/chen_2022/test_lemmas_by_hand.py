"""Both sides of every lemma on a run in round numbers, computed again in fractions, loop by loop."""

from fractions import Fraction as F
from math import log, sqrt

import numpy as np
import pytest

from tests.theory.chen_2022 import lemma_runs as h
from tests.theory.chen_2022.lemma_runs import (
    ALPHA,
    BETA,
    C0,
    C1,
    CHI_1,
    G_T,
    GRADIENT,
    M_T,
    SECOND,
    THETA,
    V_T,
    G,
    L,
    by_hand,
    expectation,
    practical_by_hand,
)
from tests.theory.chen_2022.lemma_runs import EPSILON as eps
from theory.chen_2022 import lemmas
from theory.chen_2022.lemmas.lemma_31 import C2_along
from theory.chen_2022.lemmas.lemma_32 import factor_along
from theory.chen_2022.lemmas.lemma_33 import C3_along
from theory.chen_2022.lemmas.lemma_39 import C7_along
from theory.chen_2022.lemmas.lemma_40 import C8_along, C9_along

TIGHT = 1e-14
d, s, T = 2, h.WORKERS, 2
gap_log = log(1 + G**2 / (eps * d))


def delta(t, r, k, alpha=ALPHA):
    """Delta_{t,k}, V_T being squares of fractions."""
    return -alpha[t] * M_T[t][r][k] / root(V_T[t][r][k])


def root(square):
    return F(round(sqrt(square.numerator)), round(sqrt(square.denominator)))


def chi(t):
    return float(ALPHA[t]) / sqrt(1 - THETA[t])


def omega(t, r, theta=THETA):
    return sum((1 - theta[t]) * G_T[t][r][k] ** 2 / V_T[t][r][k] for k in range(d))


def vhat(t, r, k, theta=THETA):
    before = eps if t == 0 else V_T[t - 1][r][k]
    return theta[t] * before + (1 - theta[t]) * SECOND[t][r][k]


def weighted(t, r, alpha=ALPHA, theta=THETA):
    return sum(float(alpha[t]) / sqrt(vhat(t, r, k, theta)) * GRADIENT[t][r][k] ** 2 for k in range(d))


def squared_step(t, r, alpha=ALPHA):
    return sum(delta(t, r, k, alpha) ** 2 for k in range(d))


def inner(t, r, alpha=ALPHA):
    return sum(GRADIENT[t][r][k] * delta(t, r, k, alpha) for k in range(d)) + L * squared_step(t, r, alpha)


def M(t):
    return expectation(lambda r: inner(t, r))


def close(actual, expected, tolerance=TIGHT):
    np.testing.assert_allclose(np.asarray(actual, np.float64), np.array(expected, np.float64), rtol=tolerance, atol=0)


def test_constants_in_fractions():
    run = by_hand()
    second = 2 * (F(2, 3) / F(3, 10) + 1) ** 2  # beta/(1-beta) = 2/3, sqrt(C1 (1-gamma) theta_1) = 3/10
    lengths = C0**2 * CHI_1 / (C1 * F(1, 4))  # 1 - sqrt(gamma) = 1/2
    close(C2_along(run), second)
    close(factor_along(run), lengths)
    close(C3_along(run), C0 / (F(1, 2) * F(1, 2)) * (lengths * L + second * G))
    run = by_hand(beta=np.full(2, 0.4))
    second = 2 * F(3, 5) * (F(2, 5) / F(3, 10) + 1) ** 2
    close(C2_along(run, "sharp"), second)
    close(factor_along(run, "sharp"), F(9, 25) * lengths)
    close(C3_along(run, "sharp"), C0 / (F(1, 2) * F(1, 2)) * (F(9, 25) * lengths * L + second * G))


def test_constants_of_theorem_17_in_fractions():
    run = practical_by_hand()
    theta, alpha = F(18, 25), 4
    a_over = alpha / sqrt(theta)
    close(C7_along(run), 2 * (alpha**2 * L / theta * 4 + 2 * (2 * F(2, 3) / sqrt(0.75) + 1) ** 2 * G * a_over))
    close(
        C7_along(run, "sharp"),
        2 * (0.36 * alpha**2 * L / theta * 4 + 2 * 0.6 * (0.4 / sqrt(0.75 * 0.64) + 1) ** 2 * G * a_over),
    )
    close(C8_along(run), sqrt(2) * sqrt(2 * 11 * theta + eps * s * d) / (sqrt(s) * alpha))
    close(C8_along(run, "unconditional"), sqrt(2) * sqrt(3 * 11 * theta + eps * s * d) / (sqrt(s) * alpha))
    close(C9_along(run), sqrt(2 * theta) / alpha)


def test_lemma_4_and_equation_76():
    sides = lemmas.lemma_4(by_hand())
    close(sides.left, h.F_STAR)
    close(sides.right, 2 + M(0) + M(1))
    sides = lemmas.equation_76(by_hand())
    close(sides.left, h.F_VALUES[1:])
    close(sides.scale, [6, 4])
    close(
        sides.right,
        [[h.F_VALUES[t][r] + inner(t, r) - L / 2 * squared_step(t, r) for r in range(2)] for t in range(2)],
    )


def test_lemma_24_in_fractions():
    sides = lemmas.lemma_24(F(2), [F(1), F(3), F(1, 2)])
    close(sides.left, F(1, 3) + F(3, 6) + F(1, 2) / F(13, 2))
    close(sides.right, log(F(13, 4)))
    along = lemmas.equation_57(by_hand())
    for r in range(2):
        for k in range(d):
            close(along.left[r, k], sum((1 - THETA[t]) * G_T[t][r][k] ** 2 / V_T[t][r][k] for t in range(2)))
            close(along.right[r, k], log(V_T[1][r][k] / (THETA[0] * THETA[1] * eps)))


def test_lemma_25_in_fractions():
    sides = lemmas.lemma_25([F(3), F(-1), F(2)], [F(5), F(1), F(-4)])
    close(sides.left, 15 - 1 - 8)
    close(sides.right, (3 + 1) * 5 + (-1 - 2) * 6 + 2 * 2)
    close(sides.scale, 4 * 5 + 3 * 6 + 2 * 2)
    along = lemmas.equation_63(by_hand())
    a = [chi(0), min(chi(0), chi(1))]
    close(along.left, [a[0] * omega(0, r) + a[1] * omega(1, r) for r in range(2)])


def test_lemma_26():
    sides = lemmas.lemma_26(by_hand())
    close(sides.left, [[chi(0), chi(1)], ALPHA])
    close(sides.right, [[2 * chi(0), 2 * chi(0)], [3, 3]])


def test_lemma_27():
    sides = lemmas.lemma_27(by_hand())  # theta_1/theta' = 3/4, theta_2/theta' = 7/16
    close(sides.left, [log(0.25)] * 3)
    close(np.exp(sides.right), [1, F(3, 4), F(3, 4) * F(7, 16)])
    sizes = [-log(theta) - log(0.64) for theta in THETA]
    close(sides.scale, [1, 1 + sizes[0], 1 + sizes[0] + sizes[1]])


def test_lemma_29():
    sides = lemmas.lemma_29(by_hand())
    close(sides.left, [[[M_T[t][r][k] ** 2 for k in range(2)] for r in range(2)] for t in range(2)])
    right = [[[V_T[t][r][k] / (C1 * F(3, 4) * (1 - THETA[t])) for k in range(2)] for r in range(2)] for t in range(2)]
    close(sides.right, right)
    close(lemmas.lemma_29(by_hand(beta=np.full(2, 0.4)), "sharp").right, floats_times(F(9, 25), right))


def floats_times(number, nested):
    return float(number) * h.floats(nested)


def carried():
    return float(BETA[1] * ALPHA[1] / ALPHA[0]) / sqrt(THETA[1])


@pytest.mark.parametrize("variant", ["corrected", "printed"])
def test_lemma_31(variant):
    second = 2 * (F(2, 3) / F(3, 10) + 1) ** 2
    sides = lemmas.lemma_31(by_hand(), variant)
    close(sides.left, [M(0), M(1)])
    rights = [
        L * expectation(lambda r, t=t: squared_step(t, r))
        + float(second * G) * chi(t) * float(expectation(lambda r, t=t: omega(t, r)))
        - (0 if variant == "printed" and t == 0 else 0.3 * expectation_of_float(lambda r, t=t: weighted(t, r)))
        for t in range(2)
    ]
    rights[1] += carried() * float(M(0))
    close(sides.right, rights)


def expectation_of_float(statistic):
    return sum(float(p) * float(statistic(r)) for r, p in enumerate(h.P))


def test_lemma_32():
    sides = lemmas.lemma_32(by_hand())
    close(
        sides.left,
        [[squared_step(0, r) for r in range(2)], [squared_step(0, r) + squared_step(1, r) for r in range(2)]],
    )
    sums = [chi(0) * float(omega(0, r)) for r in range(2)]
    both = [sums[r] + chi(1) * float(omega(1, r)) for r in range(2)]
    close(sides.right, 192 * np.array([sums, both]))


def test_lemma_33():
    run = by_hand()
    sides = lemmas.lemma_33(run)
    close(sides.left, [M(0), M(0) + M(1)])
    terms = [
        C3_along(run) * chi(t) * expectation_of_float(lambda r, t=t: omega(t, r))
        - 0.3 * expectation_of_float(lambda r, t=t: weighted(t, r))
        for t in range(2)
    ]
    close(sides.right, [terms[0], terms[0] + terms[1]])


def test_lemma_34():
    sides = lemmas.lemma_34(by_hand())
    first, second = (expectation(lambda r, t=t: omega(t, r)) for t in range(2))
    close(sides.left, [first, first + second])
    close(sides.right, [2 * (gap_log - log(THETA[0])), 2 * (gap_log - log(THETA[0] * THETA[1]))])
    sides = lemmas.lemma_34(practical_by_hand(), "sharp")
    th = F(16, 25)
    growth = [log((th**t * eps * d + (1 - th**t) * G**2) / (eps * d)) for t in (1, 2)]
    close(sides.right, [2 * (0.36 * t + 0.64 * growth[t - 1]) for t in (1, 2)])
    along = lemmas.sharp_along_trajectory(practical_by_hand())
    for t in range(2):
        for r in range(2):
            close(along.left[t, r], sum(omega(i, r, [th, th]) for i in range(t + 1)))
            logs = sum(log(V_T[t][r][k] / eps) for k in range(d))
            close(along.right[t, r], 2 * (t + 1) * 0.36 + 0.64 * logs)


def test_lemma_35():
    tail = sum(float(ALPHA[t]) * sqrt(1 - THETA[t]) for t in range(2)) / 0.48
    left = sum(chi(t) * expectation_of_float(lambda r, t=t: omega(t, r)) for t in range(2))
    sides = lemmas.lemma_35(by_hand())
    close(sides.left, left)
    close(sides.right, 2 * 2 * (3 * gap_log + tail))
    close(lemmas.lemma_35(by_hand(), "printed").right, 2 * 2 * (3 * gap_log - tail))
    a = [chi(0), min(chi(0), chi(1))]
    logs = sum(a[t] * -log(THETA[t]) for t in range(2))
    close(lemmas.lemma_35(by_hand(), "sharp").right, 2 * 2 * (a[0] * gap_log + logs))


def test_lemma_36():
    norm = expectation_of_float(lambda r: sum(sqrt(sum(x * x for x in GRADIENT[t][r])) for t in range(2)) / 2)
    S = expectation_of_float(lambda r: weighted(0, r) + weighted(1, r))
    sides = lemmas.lemma_36(by_hand())
    close(sides.left, norm)
    close(sides.right, sqrt(2 * sqrt(49 + 1) / (2 * 4.5) * S))
    sharp = (F(2, 9) + F(2, 3)) / 4
    close(lemmas.lemma_36(by_hand(), "sharp").right, sqrt(7 * sharp * S))
    floor = lemmas.lemma_36(by_hand(G=0.5), "sharp")  # G^2 < epsilon d = 1
    close(floor.right, sqrt(1 * sharp * S))


def test_lemma_37():
    sides = lemmas.lemma_37(by_hand())
    error = lambda t, r: sum((G_T[t][r][k] - GRADIENT[t][r][k]) ** 2 for k in range(d))
    close(sides.left, [expectation(lambda r, t=t: error(t, r)) for t in range(2)])
    close(sides.right, [F(11, 13)] * 2)


def X():
    return expectation_of_float(lambda r: sqrt(sum(x * x for t in range(2) for x in GRADIENT[t][r])))


def test_lemma_38():
    run, theta = practical_by_hand(), 0.72
    a, b = sqrt(1 + 2 * 11 / (2 * 0.5 * 13)), sqrt(2 * theta / (2 * 0.5 * 2))
    th = [F(16, 25)] * 2
    sides = lemmas.lemma_38(run)
    close(sides.left, expectation(lambda r: omega(0, r, th) + omega(1, r, th)))
    close(sides.right, 2 * theta + 4 * sqrt(a) + 4 * sqrt(b * X()))
    close(lemmas.lemma_38(run, "printed").right, 2 * theta + 4 * sqrt(a) + sqrt(b * X()))
    close(lemmas.lemma_38(run, "sharp").right, 2 * theta + 4 * 0.64 * log(a + b * X()))


def practical_sums():
    alpha, th = [4 / sqrt(2)] * 2, [F(16, 25)] * 2
    sum_omega = expectation_of_float(lambda r: omega(0, r, th) + omega(1, r, th))
    S = expectation_of_float(lambda r: weighted(0, r, alpha, th) + weighted(1, r, alpha, th))
    sum_M = expectation_of_float(lambda r: inner(0, r, alpha) + inner(1, r, alpha))
    return sum_omega, S, sum_M


@pytest.mark.parametrize("variant", ["corrected", "sharp"])
def test_lemma_39(variant):
    run = practical_by_hand()
    sum_omega, S, sum_M = practical_sums()
    sides = lemmas.lemma_39(run, variant)
    close(sides.left, sum_M)
    close(sides.right, C7_along(run, variant) * sum_omega - 0.3 * S)


@pytest.mark.parametrize("variant", ["corrected", "unconditional"])
def test_lemma_40(variant):
    run = practical_by_hand()
    sides = lemmas.lemma_40(run, variant)
    close(sides.left, X() ** 2)
    close(sides.right, (C8_along(run, variant) + C9_along(run) * X()) * practical_sums()[1])
