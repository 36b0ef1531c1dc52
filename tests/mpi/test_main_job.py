"""The default job: what it reaches, and the numbers in its result.json, computed again by other means."""

import math
import re

import numpy as np
import pytest
from mpirun import alone, manifest, quick, result, train

from reference import families, problems
from reference.datasets import digits
from theory.chen_2022.theorem_2 import theorem_2
from theory.chen_2022.theorem_17 import theorem_17
from theory.constants import Constants
from theory.statement import STATEMENTS

LAMBDA, D = 1e-4, 650  # of the digits
WORDS = "problem steps workers ranks topology reduction seed final_loss accuracy average_gradient_norm sha256"
KEYS = {*WORDS.split(), "bound", "bounds", "wall_seconds"}


@pytest.fixture(scope="module", params=[None, pytest.param(2, marks=pytest.mark.parallel)])
def job(request, tmp_path_factory):
    """(ranks, OUT, what was printed)"""
    out = tmp_path_factory.mktemp("default") / "out"
    ended = train(request.param, "", out)
    assert ended.code == 0, ended.err
    return request.param or 1, out, ended


def loss_and_gradient(x):
    """f and grad f on the training images, one class at a time."""
    rows, labels, _, _ = digits()
    W = x.reshape(65, 10)
    logits = rows @ W
    logits -= logits.max(axis=1)[:, None]
    p = np.exp(logits) / np.exp(logits).sum(axis=1)[:, None]
    loss = np.mean([-math.log(p[i, label]) for i, label in enumerate(labels)])
    loss += LAMBDA * sum(w * w / (1 + w * w) for w in x)
    gradient = np.stack([((p[:, k] - (labels == k))[:, None] * rows).mean(axis=0) for k in range(10)], axis=1).ravel()
    return loss, gradient + LAMBDA * 2 * x / (1 + x * x) ** 2


def corollary_13(T, L, G, d, gap, epsilon, alpha, beta, theta):
    """The corrected bound (p. 13), from the statement."""
    gamma = beta**2 / (1 - theta / T)
    root = 1 - math.sqrt(gamma)
    C6 = (
        alpha * L / (math.sqrt(theta) * root**3)
        + 2 * G / root * (2 * beta / (1 - beta) / math.sqrt(1 - gamma) + 1) ** 2
    )
    sum_over_t = C6 * d * alpha / math.sqrt(theta) * math.log(
        1 + G**2 / (epsilon * d)
    ) + 4 * C6 * d * alpha * math.sqrt(theta)
    C5 = 2 * math.sqrt(G**2 + epsilon * d) / (alpha * (1 - beta)) * (gap + sum_over_t)
    return math.sqrt(C5 / math.sqrt(T))


def test_it_learns(job):
    _, out, _ = job
    with np.load(out / "history.npz") as history:
        assert sorted(history.files) == ["gradient_norm", "loss", "t"]
        assert history["t"].tolist() == list(range(1, 1001))
        assert history["loss"][0] == pytest.approx(math.log(10), rel=1e-12)
        assert history["loss"][-100:].mean() < 0.5 < history["loss"][:5].mean()
    assert result(out)["accuracy"] > 0.90
    assert result(out)["final_loss"] < 0.5
    assert (out / "history.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_the_result_has_the_promised_keys(job):
    ranks, out, _ = job
    found = result(out)
    assert set(found) == KEYS
    assert set(found["bound"]) == {"statement", "value", "vacuous", "nonvacuous_from", "reason"}
    assert set(found["sha256"]) == {"x", "m", "v"} and all(len(sha) == 64 for sha in found["sha256"].values())
    exact = {name: found[name] for name in ("problem", "steps", "workers", "ranks", "topology", "reduction", "seed")}
    assert exact == {
        "problem": "digits",
        "steps": 1000,
        "workers": ranks,
        "ranks": ranks,
        "topology": "parameter-server",
        "reduction": "tree",
        "seed": 0,
    }
    assert 0 < found["wall_seconds"] < 60


def test_the_summary_says_what_the_result_says(job):
    _, out, ended = job
    found = result(out)
    for sha in found["sha256"].values():
        assert sha in ended.out
    assert f"{found['final_loss']:.6f} (from 2.302585)" in ended.out
    assert f"{100 * found['accuracy']:.1f} %" in ended.out
    assert "vacuous" in ended.out and str(out) in ended.out
    assert "alpha_t = 3/sqrt(T) = 0.09487, beta_t = 0.9, theta_t = 1 - 1/T = 0.999" in ended.err


def test_a_summary_that_nobody_reads_is_no_error(tmp_path):
    job = quick(None, "--problem bump --steps 20", tmp_path / "out")
    job.process.stdout.close()
    job.process.stdout = None
    ended = job.end()
    assert ended.code == 0 and "Traceback" not in ended.err, ended.err
    assert set(result(tmp_path / "out")) == KEYS


def test_loss_and_accuracy_of_the_last_x(job):
    _, out, _ = job
    with np.load(out / "checkpoint" / manifest(out)["file"]) as state:
        x = state["x"]
    assert result(out)["final_loss"] == pytest.approx(loss_and_gradient(x)[0], rel=1e-12)
    _, _, rows, labels = digits()
    right = [int(np.argmax(row @ x.reshape(65, 10))) == label for row, label in zip(rows, labels, strict=True)]
    assert result(out)["accuracy"] == pytest.approx(np.mean(right), rel=1e-15)
    assert len(right) == 359


def test_the_average_is_over_the_full_gradients_of_every_step(job):
    _, out, _ = job
    with np.load(out / "history.npz") as history:
        norms = history["gradient_norm"]
    assert result(out)["average_gradient_norm"] == pytest.approx(math.fsum(norms) / 1000, rel=1e-13)
    assert norms[0] == pytest.approx(np.linalg.norm(loss_and_gradient(np.zeros(D))[1]), rel=1e-12)


def test_the_history_is_before_each_step(tmp_path):
    """Entry t is x_t, not x_{t+1}: after stopping at 3, x_4 is the checkpoint's and entry 4 the resumed run's first."""
    out = tmp_path / "out"
    assert alone("--steps 5 --stop-after 3", out).code == 0
    with np.load(out / "checkpoint" / manifest(out)["file"]) as state:
        loss, gradient = loss_and_gradient(state["x"])
    assert alone("--resume", out).code == 0
    with np.load(out / "history.npz") as history:
        assert history["loss"][3] == pytest.approx(loss, rel=1e-12)
        assert history["gradient_norm"][3] == pytest.approx(np.linalg.norm(gradient), rel=1e-12)


def test_the_bound(job):
    ranks, out, _ = job
    rows, _, _, _ = digits()
    G = math.sqrt(2) + 9 / (8 * math.sqrt(3)) * LAMBDA * math.sqrt(D)  # every row has norm 1
    L = np.linalg.svd(rows, compute_uv=False)[0] ** 2 / len(rows) / 2 + 2 * LAMBDA
    with np.load(out / "history.npz") as history:
        gap = float(history["loss"][0])  # f* >= 0
    given = (L, G, D, gap, 1 / (ranks * D), 3.0, 0.9, 1.0)
    bound = result(out)["bound"]
    assert bound["statement"] == "Corollary 13 (corrected)"
    assert bound["value"] == pytest.approx(corollary_13(1000, *given), rel=1e-10)
    assert bound["vacuous"] is True and f"G = {G:.4g}" in bound["reason"]
    T = bound["nonvacuous_from"]
    assert corollary_13(T * 0.9999, *given) > G > corollary_13(T * 1.0001, *given)


def test_the_bounds(job):
    """Of every statement of the registry that is about Adam, with the run's own T, epsilon and s; one line each."""
    ranks, out, ended = job
    given = 1000, Constants.of(problems.Digits(local_batch=8)), 1 / (ranks * D)
    family = families.practical(1000, 3.0, 0.9, 1.0)
    two, thirteen, seventeen = bounds = result(out)["bounds"]
    assert two["value"] == pytest.approx(theorem_2(family, *given).value, rel=1e-12)
    assert seventeen["value"] == pytest.approx(theorem_17(*given, family.practical, ranks).value, rel=1e-12)
    assert thirteen == {
        name: thirteen["metric"] if name == "metric" else result(out)["bound"][name] for name in thirteen
    }
    about_adam = [f"{one.title} (corrected)" for one in STATEMENTS.values() if "adam" in one.methods]
    assert [bound["statement"] for bound in bounds] == about_adam
    for bound in bounds:
        assert bound["metric"] == "mean norm" and bound["vacuous"] is True and "exceeds G = 1.416" in bound["reason"]
        words = f"bound {bound['value']:.3g} on the mean norm, vacuous: it {bound['reason']}"
        assert f"{bound['statement']:27}{words}" in ended.out.splitlines()
    T = result(out)["bound"]["nonvacuous_from"]
    assert f"{'':27}with these parameters Corollary 13's is below G from T = {T:.2g} steps on" in ended.out.splitlines()


def test_a_bound_that_says_something(tmp_path):
    """L = G = d = 1 and gap = 3/2 (tapered): the first T whose bound is at most G, and the one before it."""
    given = (1.0, 1.0, 1, 1.5, 1.0, 0.3, 0.0, 0.3)
    first = next(T for T in range(1, 10_000) if corollary_13(T, *given) <= 1)
    for T, vacuous in ((first, False), (first - 1, True)):
        options = f"--problem tapered --alpha 0.3 --beta 0 --theta 0.3 --epsilon 1 --steps {T}"
        ended = alone(options, tmp_path / str(T))
        assert ended.code == 0, ended.err
        found = result(tmp_path / str(T))
        assert found["bound"]["value"] == pytest.approx(corollary_13(T, *given), rel=1e-12)
        assert found["bound"]["vacuous"] is vacuous and found["bound"]["nonvacuous_from"] == first
        assert (found["bound"]["reason"] is None) is not vacuous
        (line,) = (line for line in ended.out.splitlines() if line.startswith("Corollary 13"))
        assert ("vacuous" in line) is ("is below G from" in ended.out) is vacuous
        assert line.endswith(found["bound"]["reason"] or f"bound {found['bound']['value']:.3g} on the mean norm")
        assert found["average_gradient_norm"] <= found["bound"]["value"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--problem bump --steps 4 --theta 3.5", "theta/T = 0.875"),
        ("--problem bump --steps 10 --theta 5", "beta^2 = 0.81 >= 1 - theta/T = 0.5"),
        ("--problem network --steps 3", "not known"),
        ("--problem quadratic --steps 3", "A4 fails"),
        ("--problem reddi-periodic --steps 3", "fails"),
        ("--problem counterexample --steps 3", "interval"),
    ],
)
def test_no_bound_and_why(tmp_path, options, reason):
    out = tmp_path / "out"
    ended = alone(options, out)
    assert ended.code == 0, ended.err
    bound = result(out)["bound"]
    assert reason in bound.pop("reason")
    assert bound == {"statement": "Corollary 13 (corrected)", "value": None, "vacuous": None, "nonvacuous_from": None}
    of_all = result(out)["bounds"]
    assert len(of_all) == 3 and reason in of_all[1]["reason"]
    none = {f"{one['statement']:27}no bound: {one['reason']}" for one in of_all if one["value"] is None}
    assert none == {line for line in ended.out.splitlines() if "no bound" in line}
    assert set(result(out)) == KEYS
    assert (result(out)["accuracy"] is None) is ("network" not in options)  # where nothing is held out


@pytest.mark.parametrize("problem", ["bump", "digits"])
def test_a_run_that_diverged_has_no_loss(tmp_path, problem):
    """x near 1e200, where f = inf/inf: null in strict JSON, and the summary says so."""
    ended = alone(f"--problem {problem} --alpha 1e200 --steps 5", tmp_path / "out")
    assert ended.code == 0 and "Traceback" not in ended.err, ended.err
    assert set(result(tmp_path / "out")) == KEYS and result(tmp_path / "out")["final_loss"] is None
    assert re.search("final loss +not finite", ended.out)


def test_a_bound_that_says_nothing_for_any_number_of_steps(tmp_path):
    ended = alone("--problem bump --alpha 1e-160 --steps 20", tmp_path / "out")
    assert ended.code == 0, ended.err
    bound = result(tmp_path / "out")["bound"]
    assert bound["vacuous"] is True and bound["nonvacuous_from"] is None and bound["value"] > 1e70
