"""Gamma_t of Eq. 5: by hand, positive where AdamNC's schedule makes it so, and not needed for convergence."""

import numpy as np
import pytest

from reference import families
from tests.theory.chen_2022 import lemma_runs
from tests.theory.chen_2022.lemma_runs import by_hand, gaussian, line
from theory.chen_2022.gamma_monitor import GammaMonitor, gamma_monitor, sufficient_but_not_positive


def test_by_hand():
    monitor = gamma_monitor(by_hand())  # sqrt(v_2)/alpha_2 - sqrt(v_1)/alpha_1, alpha = 3/2, 9/2
    expected = np.array([[5 / 4.5 - 2 / 1.5, 0.5 / 4.5 - 3 / 1.5], [3 / 4.5 - 4 / 1.5, 6 / 4.5 - 1 / 1.5]])
    np.testing.assert_allclose(monitor.gamma, expected[None], rtol=1e-14)
    np.testing.assert_allclose(monitor.smallest, [[-17 / 9, -2]], rtol=1e-14)
    assert monitor.violated.tolist() == [[True, True]] and monitor.share == 1


def test_zero_is_still_semidefinite():
    monitor = GammaMonitor(np.array([[[0.0, 1.0], [0.5, 2.0], [-0.1, 3.0]]]))
    assert monitor.violated.tolist() == [[False, False, True]] and monitor.share == pytest.approx(1 / 3)


def test_never_negative_for_adagrads_schedule_and_often_for_adams():
    """theta_t = 1 - 1/t, alpha_t = eta/sqrt t: sqrt(t theta_t v_{t-1}) = sqrt((t-1) v_{t-1}), from t = K = 2 on."""
    assert gamma_monitor(gaussian(families.ada_ema(0.3, 0.9), 100)).gamma.min() > -1e-12
    assert gamma_monitor(gaussian(families.constant(0.3, 0.9, 0.9), 100)).share > 0.5


def test_sufficient_condition_without_positive_gamma():
    run = sufficient_but_not_positive(1000)
    # Corollary 9: 0 <= beta < 1; 0 < theta_t < 1 non-decreasing; chi_t non-increasing; the ratio falls to 0
    assert np.all(run.beta == 0.9) and np.all((run.theta > 0) & (run.theta < 1)) and np.all(np.diff(run.theta) >= 0)
    assert run.restrictions.C0 == 1 and np.all(np.diff(run.chi) <= 1e-15)
    t = np.arange(1, run.T + 1)
    ratio = np.cumsum(run.alpha * np.sqrt(1 - run.theta)) / (t * run.alpha)
    assert np.all(ratio < 4 * np.sqrt(0.9) * t**-0.25 / 1)  # sum t^{-3/4} <= 4 t^{1/4}, T alpha_T = eta sqrt T
    monitor = gamma_monitor(run)
    assert monitor.share > 0.2 and monitor.smallest[500:].min() < -1
    norms = np.sqrt(run.squared_gradient[:, 0])
    assert norms[-200:].mean() < norms[:50].mean()


def test_negative_exactly_where_the_gradient_is_small():
    """d = 1: Gamma_t < 0 iff g_t^2 < v_{t-1} (1 - 1/((1-theta_t) t)) for alpha_t = eta/sqrt t..."""
    run = lemma_runs.given(np.array([[2.0], [0.1], [3.0], [0.5], [0.0]]), families.generic(0.3, 0.5, 0.9, 0.3, 1, 0.5))
    t, gap = np.arange(2, 6), 1 - run.theta[1:]
    threshold = run.v[:-1, 0, 0] * (1 - 1 / (gap * t))
    np.testing.assert_array_equal(gamma_monitor(run).violated[:, 0], run.g[1:, 0, 0] ** 2 < threshold)
    assert gamma_monitor(run).violated[:, 0].tolist() == [True, False, True, True]


def test_one_step_is_too_few():
    with pytest.raises(ValueError, match="T = 1; Gamma_t"):
        gamma_monitor(line(families.constant(0.1, 0.0, 0.5), 1))
