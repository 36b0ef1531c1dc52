"""The templates of CONTRIBUTING.md, filled in and run: what they give is one of its kind, with nothing added."""

import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import reference
from reference import MeanOfWorkers, families, problems
from theory.chen_2022.assumptions import audit

TEMPLATES = Path(__file__).parents[2] / "docs" / "templates"
BLANK = re.compile(r"<([^<>\n]*(?:<[^<>\n]*>)?[^<>\n]*)>")  # <what to write>, a pair of brackets inside allowed


def filled(name, words, after=""):
    """The template as a module, its blanks replaced in their order; every blank must be met, and no more."""
    text = (TEMPLATES / f"{name}.py.txt").read_text()
    for blank, word in words:
        assert f"<{blank}>" in text, blank
        text = text.replace(f"<{blank}>", word)
    assert not re.search(r"<[A-Za-z]", text), re.search(r"<[A-Za-z][^>]*>?", text)
    module = types.ModuleType(f"filled_{name}")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    exec(compile(text + after, f"{name}.py", "exec"), module.__dict__)
    return module


@pytest.fixture
def cosine():
    return filled(
        "problem",
        [
            ("f(x) = ...", "f(x) = sum_k 1 - cos x_k"),
            ("what it is good for", "many minima, every derivative bounded"),
            ("Class", "Cosine"),
            ("The objective in a sentence", "A sum of cosines"),
            ("start", "1.0"),
            ("name", "cosine"),
            ("L", "1.0"),
            ("exact or upper bound", "exact"),
            ("why, from where", "f'' = cos"),
            ("sup of ||grad f||^2", "dimension"),
            ("f*", "0.0"),
            ("exact or lower bound", "exact"),
            ("why", "f >= 0 = f(0)"),
            ("f, summed over the last axis", "(1 - np.cos(x)).sum(axis=-1)"),
            ("grad f", "np.sin(x)"),
        ],
    ).Cosine(3, problems.Gaussian(0.5))


def test_a_problem(cosine):
    assert [finding.verdict for finding in audit(cosine)] == ["holds"] * 5
    run = reference.run(
        MeanOfWorkers(cosine, 0, 4), cosine.start, families.practical(300, 1, 0.9, 1), 300, epsilon=0.1, record=["f"]
    )
    assert run.history["f"][-1] < 0.3 * run.history["f"][0]
    assert cosine == type(cosine)(3, problems.Gaussian(0.5)) != type(cosine)(4, problems.Gaussian(0.5))


def test_a_method():
    method = filled(
        "method",
        [
            ("Who (year)", "Folklore"),
            ("the method in a sentence", "gradient descent on an average of gradients"),
            ("name", "averaged"),
            ("alpha: Array, beta: Array, one_minus_beta: Array", "alpha: Array, beta: Array, one_minus_beta: Array"),
            ("Citation, page", "Folklore"),
            ("m_t = ...", "m_t = beta m_{t-1} + (1 - beta) g_t"),
            ("x_{t+1} = ...", "x_{t+1} = x_t - alpha m_t"),
            ("m = ...", "m = beta * state.m + one_minus_beta * g"),
            ("x_{t+1}", "state.x - alpha * m"),
            ("NAME", "AVERAGED"),
            ('"alpha", "beta"', '"alpha", "beta"'),
        ],
    ).AVERAGED
    bump = problems.Bump(2, problems.Gaussian(1.0))

    def x(of, family):
        return reference.run(MeanOfWorkers(bump, 0), bump.start, family, 50, epsilon=1.0, method=of).state.x

    plain = x(reference.METHODS["sgd"], families.step_sizes(0.1))
    assert np.array_equal(x(method, families.step_sizes(0.1, beta=0.0)), plain)
    heavy = x(reference.METHODS["sgd-momentum"], families.step_sizes(0.01, beta=0.9))
    assert np.allclose(x(method, families.step_sizes(0.1, beta=0.9)), heavy, rtol=1e-12)
