"""Layers: forward against sums, backward against differences, stacks against single ones to the bit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reference.networks.layers import Constant, Dense, SoftmaxCrossEntropy, Tanh

RNG = np.random.default_rng(0)
INPUTS, WEIGHTS = RNG.standard_normal((2, 7, 4)), RNG.standard_normal((2, 4, 3))
TOWARDS = RNG.standard_normal((2, 7, 3))  # the loss is <TOWARDS, outputs>


def differences(loss, at):
    """Central, entry by entry."""
    found = np.empty_like(at)
    for place in np.ndindex(at.shape):
        ends = []
        for h in (1e-6, -1e-6):
            moved = at.copy()
            moved[place] += h
            ends.append(loss(moved))
        found[place] = (ends[0] - ends[1]) / 2e-6
    return found


def test_dense():
    outputs = Dense.forward(INPUTS, WEIGHTS)
    by_hand = [
        [[sum(a[k] * W[k, j] for k in range(4)) for j in range(3)] for a in rows]
        for rows, W in zip(INPUTS, WEIGHTS, strict=True)
    ]
    np.testing.assert_allclose(outputs, by_hand, rtol=1e-12)
    to_weights, to_inputs = Dense.to_weights(INPUTS, TOWARDS), Dense.to_inputs(WEIGHTS, TOWARDS)
    np.testing.assert_allclose(
        to_weights, differences(lambda W: (TOWARDS * Dense.forward(INPUTS, W)).sum(), WEIGHTS), rtol=1e-7, atol=1e-8
    )
    np.testing.assert_allclose(
        to_inputs, differences(lambda a: (TOWARDS * Dense.forward(a, WEIGHTS)).sum(), INPUTS), rtol=1e-7, atol=1e-8
    )
    for k in range(2):
        assert Dense.forward(INPUTS[k], WEIGHTS[k]).tobytes() == outputs[k].tobytes()
        assert Dense.to_weights(INPUTS[k], TOWARDS[k]).tobytes() == to_weights[k].tobytes()
        assert Dense.to_inputs(WEIGHTS[k], TOWARDS[k]).tobytes() == to_inputs[k].tobytes()


def test_tanh():
    outputs = Tanh.forward(TOWARDS)
    assert outputs[0, 0, 0] == pytest.approx(math.tanh(TOWARDS[0, 0, 0]), rel=1e-14)
    gradient = RNG.standard_normal(TOWARDS.shape)
    expected = differences(lambda a: (gradient * Tanh.forward(a)).sum(), TOWARDS)
    np.testing.assert_allclose(Tanh.to_inputs(outputs, gradient), expected, rtol=1e-6, atol=1e-8)


def test_constant():
    outputs = Constant.forward(INPUTS.astype(np.float32))
    assert outputs.shape == (2, 7, 5) and outputs.dtype == np.float32
    assert (outputs[..., 4] == 1).all() and outputs[..., :4].tolist() == INPUTS.astype(np.float32).tolist()


def test_softmax_cross_entropy():
    labels = np.array([0, 2, 1, 1, 0, 2, 2])
    log_p = SoftmaxCrossEntropy.log_softmax(TOWARDS)
    loss = SoftmaxCrossEntropy.forward(log_p, labels)  # the labels broadcast
    assert loss.shape == (2,)
    for k in range(2):
        terms = [
            math.log(sum(map(math.exp, row))) - row[label]
            for row, label in zip(TOWARDS[k].tolist(), labels, strict=True)
        ]
        assert loss[k] == pytest.approx(sum(terms) / 7, rel=1e-13)
        assert SoftmaxCrossEntropy.forward(log_p[k], labels) == loss[k]
    whole = lambda logits: SoftmaxCrossEntropy.forward(SoftmaxCrossEntropy.log_softmax(logits), labels).sum()
    to_logits = SoftmaxCrossEntropy.to_logits(log_p, labels)
    np.testing.assert_allclose(to_logits / 7, differences(whole, TOWARDS), rtol=1e-6, atol=1e-8)
    assert log_p.tobytes() == SoftmaxCrossEntropy.log_softmax(TOWARDS).tobytes()  # not overwritten


def test_logits_of_any_size_do_not_overflow():
    log_p = SoftmaxCrossEntropy.log_softmax(np.array([[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4]]))
    assert log_p.tolist() == [[0.0, -1e4, -2e4], pytest.approx([-math.log(3)] * 3, rel=1e-12)]
