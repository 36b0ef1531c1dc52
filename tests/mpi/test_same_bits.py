"""One run, to the last bit, on any number of ranks, on both topologies, and however often it was interrupted."""

import hashlib

import numpy as np
import pytest
from mpirun import alone, contents, manifest, one_after_the_other, outcome, quick, result
from threadpoolctl import threadpool_limits

from reference import MeanOfWorkers, families, problems
from reference import run as reference_run

DIGITS = "--workers 12 --steps 40 --seed 3"
FEW = "--workers 2 --steps 40 --seed 5"
TOPOLOGIES = ("parameter-server", "allreduce")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    out = tmp_path_factory.mktemp("digits") / "out"
    assert alone(DIGITS, out).code == 0
    return out


def test_it_is_mini_batch_adam_with_s_samples(digits):
    """Proposition 22 (p. 17) by hashes: the run is the reference loop with the mean of 12 workers as its source."""
    problem = problems.Digits(local_batch=8)
    source = MeanOfWorkers(problem, seed=3, workers=12)
    family = families.practical(40, 3.0, 0.9, 1.0)
    with threadpool_limits(1):  # as every rank has
        expected = reference_run(source, problem.start, family, 40, epsilon=1 / (12 * 650), record=["f"])
    hashes = {name: hashlib.sha256(getattr(expected.state, name).tobytes()).hexdigest() for name in "xmv"}
    assert result(digits)["sha256"] == hashes
    with np.load(digits / "history.npz") as history:
        assert np.array_equal(history["loss"], expected.history["f"])


def test_the_hashes_are_those_of_the_stored_arrays(digits):
    with np.load(digits / "checkpoint" / manifest(digits)["file"]) as state:
        for name, printed in result(digits)["sha256"].items():
            assert hashlib.sha256(state[name].astype("<f8").tobytes()).hexdigest() == printed


def test_allreduce_in_one_process(digits, tmp_path):
    assert alone(f"{DIGITS} --topology allreduce", tmp_path / "out").code == 0
    assert outcome(tmp_path / "out") == outcome(digits)


@pytest.mark.parallel
@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_any_number_of_ranks(digits, tmp_path, ranks):
    """More ranks than workers, too."""
    assert alone(FEW, tmp_path / "few").code == 0
    runs = [
        (f"{options} --topology {topology}", tmp_path / f"{name}-{topology}", expected)
        for name, options, expected in (("digits", DIGITS, digits), ("few-on-many", FEW, tmp_path / "few"))
        for topology in TOPOLOGIES
    ]
    one_after_the_other(ranks, [(options, out) for options, out, _ in runs])
    for options, out, expected in runs:
        assert outcome(out) == outcome(expected), options
        assert (result(out)["ranks"], result(out)["topology"]) == (ranks, options.split()[-1])


@pytest.mark.parallel
def test_interrupted_and_resumed_on_other_ranks(digits, tmp_path):
    """Of every kind of problem, on both topologies."""
    large = "--steps 30 --seed 18446744073709551615"
    cases = [
        *(f"{DIGITS} --topology {topology}" for topology in TOPOLOGIES),
        f"{large} --problem bump --workers 7 --local-batch 1 --topology allreduce",
        f"{large} --problem network --workers 5 --local-batch 3",
        f"{large} --problem reddi-stochastic --workers 9",  # projected
        f"{large} --problem counterexample --workers 6 --topology allreduce --beta 0 --epsilon 0.01 --alpha 1",  # too
    ]
    runs = [(options, tmp_path / str(number)) for number, options in enumerate(cases)]
    one_after_the_other(2, [(f"{options} --stop-after 11", out) for options, out in runs])
    for _, out in runs:
        assert sorted(path.name for path in out.glob("[!.]*")) == ["checkpoint", "history.npz", "history.png"]
        assert manifest(out)["t"] == 11
    with np.load(runs[0][1] / "history.npz") as history, np.load(digits / "history.npz") as whole:
        for name in ("t", "loss", "gradient_norm"):
            assert np.array_equal(history[name], whole[name][:11])
    one_after_the_other(3, [("--resume", out) for _, out in runs])
    for options, out in runs:
        serial = tmp_path / f"serial-{out.name}"
        assert alone(options, serial).code == 0
        assert outcome(out) == outcome(serial), options


@pytest.mark.parallel
def test_the_default_number_of_workers_is_the_number_of_ranks(tmp_path):
    """Then two numbers of ranks are two runs, and the log says so."""
    three = quick(3, "--problem bump --steps 20", tmp_path / "three").end()
    assert "s = 3 workers on 3 ranks" in three.err and "s = P" in three.err
    given = alone("--problem bump --steps 20 --workers 3", tmp_path / "given")
    assert "s = 3 workers on 1 rank," in given.err and "s = P" not in given.err
    one = alone("--problem bump --steps 20", tmp_path / "one")
    assert "s = 1 worker on 1 rank," in one.err
    assert outcome(tmp_path / "three") == outcome(tmp_path / "given") != outcome(tmp_path / "one")


def test_two_seeds_are_two_runs(tmp_path):
    runs = []
    for seed in (0, 1):
        assert alone(f"--problem bump --steps 20 --seed {seed}", tmp_path / str(seed)).code == 0
        runs.append(result(tmp_path / str(seed))["sha256"])
    assert all(runs[0][name] != runs[1][name] for name in "xmv")


def test_a_finished_run_is_left_alone(digits, tmp_path):
    before = contents(digits)
    ended = alone("--resume", digits)
    assert ended.code == 0 and "nothing to do" in ended.err
    assert contents(digits) == before
