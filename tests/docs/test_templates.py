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
from theory.constants import Constants
from theory.statement import Setup

TEMPLATES = Path(__file__).parents[2] / "docs" / "templates"
BLANK = re.compile(r"<([^<>\n]*(?:<[^<>\n]*>)?[^<>\n]*)>")  # <what to write>, a pair of brackets inside allowed


def filled(name, words, before=""):
    """The template as a module, its blanks replaced in their order; every blank must be met, and no more."""
    text = (TEMPLATES / f"{name}.py.txt").read_text()
    for blank, word in words:
        assert f"<{blank}>" in text, blank
        text = text.replace(f"<{blank}>", word)
    assert not re.search(r"<[A-Za-z]", text), re.search(r"<[A-Za-z][^>]*>?", text)
    module = types.ModuleType(f"filled_{name}")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    exec(compile(before + text, f"{name}.py", "exec"), module.__dict__)
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


def test_a_statement():
    """Gradient descent on an L-smooth f, eta <= 1/L: (1/T) sum_t ||grad f(x_t)||^2 <= 2 gap/(T eta) without noise."""
    statement = filled(
        "statement",
        [
            ("Author (year)", "Folklore"),
            ("Theorem n", "descent lemma"),
            ("page", "p. 1"),
            ("what it bounds, for which method", "gradient descent without noise"),
            ("PRACTICAL or another", "STEP"),
            ("MEAN_NORM or ROOT_MEAN_SQUARE", "ROOT_MEAN_SQUARE"),
            ("theorem", "descent"),
            ("alpha: float", "eta: float"),
            ("The inequality as a formula", "(1/T) sum ||grad f(x_t)||^2 <= 2 gap/(T eta)"),
            ("which, and what is asked of the sequences", "A1, A2, eta <= 1/L"),
            ("L, sigma2, ...", "L and gap"),
            ("Where the statement says nothing", "eta L > 1"),
            ("L, sigma2, gap", "L, gap"),
            ('"L", "sigma2", "gap"', '"L", "gap"'),
            ("the first summand", "gap"),
            ("the second", "noise"),
            ("its formula", "Positive(2 * gap) / (T * eta)"),
            ("formula", "Positive(0)"),
            (".sqrt() where the square is bounded", ".sqrt()"),
            ("theorem-n", "descent"),
            ("Author, Theorem n", "Descent lemma"),
            ("Author et al. year", "Folklore"),
            ("p. n", "p. 1"),
            ("Theorem n, p. n; how its assumptions are read", "the descent lemma, summed"),
            ('"sgd"', '"sgd"'),
            ('"A1", "A2", "A3", "A5"', '"A1", "A2"'),
            ("...", "float(setup.family.alpha(1))"),
        ],
    ).STATEMENT
    line = problems.Bump(2)
    T, eta = 40, 0.5
    setup = Setup(families.step_sizes(eta), T, Constants.of(line), method="sgd")
    bound = statement.bound(setup)
    run = reference.run(
        reference.ExactGradient(line), line.start, setup.family, T, epsilon=1.0, method=reference.METHODS["sgd"],
        average=["squared_gradient_norm"],
    )  # fmt: skip
    measured = float(run.averages["squared_gradient_norm"]) ** 0.5
    assert bound.value == pytest.approx((2 * 1.0 / (T * eta)) ** 0.5, rel=1e-12)
    assert 0.2 * bound.value < measured <= bound.value
    assert "method of the run is adam" in statement.applies(Setup(setup.family, T, Constants.of(line)))


def test_an_erratum(monkeypatch):
    """On the paper's own example (p. 8) chi_t falls; as a rise it would be refuted the other way round."""
    rows = {}
    monkeypatch.setattr("theory.chen_2022.errata.erratum._ROWS", rows)
    blanks = [
        ("E31", "E99"),
        ("where, with the page", "R3 (p. 8)"),
        ("what is printed", "chi_t rises"),
        ("what it should be", "chi_t falls"),
        ("what_it_is_about", "direction"),
        ("The instance that tells the two forms apart", "alpha_t = 1/sqrt t, theta = .75."),
        ("compute both sides", "chi = 1 / np.sqrt(np.arange(1, 9)) / 0.5"),
        ("whether the printed form holds there", "bool((np.diff(chi) >= 0).all())"),
        ("whether the corrected form holds there", "bool((np.diff(chi) <= 0).all())"),
        ("the numbers, in a sentence", "chi_t goes from {chi[0]:g} to {chi[-1]:.3g}"),
    ]
    head = "import numpy as np\nfrom theory.chen_2022.errata.erratum import Evidence, erratum\n\n"
    filled("erratum", blanks, before=head)
    (row,) = rows.values()
    assert (row.id, row.where, row.judge().verdict) == ("E99", "R3 (p. 8)", "printed refuted")
    assert row.judge().evidence == "chi_t goes from 2 to 0.707"
