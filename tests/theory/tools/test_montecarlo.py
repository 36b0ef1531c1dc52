import json

import numpy as np
import pytest

from reference import METHODS, MeanOfWorkers, families, problems, run
from reference.sampling import Sampler
from theory.tools import montecarlo
from theory.tools.montecarlo import Measured, Sample, simulate

BUMP = problems.Bump(3, problems.Gaussian(2.0))
T = 20
FAMILY = families.practical(T, 1.0, 0.9, 1.0)
NORMS = {"gradient_norm": None}


def measure(replicas, problem=BUMP, family=FAMILY, **options):
    return simulate(
        problem, family, T, replicas, **{"epsilon": 0.1, "workers": 3, "seed": 5, "record": NORMS} | options
    )


def same(a: Measured, b: Measured, replicas=None) -> bool:
    cut = slice(replicas)
    return (
        a.t.tobytes() == b.t.tobytes()
        and a.x[..., cut, :].tobytes() == b.x[..., cut, :].tobytes()
        and all(a.history[k].values[..., cut].tobytes() == b.history[k].values[..., cut].tobytes() for k in a.history)
        and all(
            a.averages[k].values[..., cut].tobytes() == b.averages[k].values[..., cut].tobytes() for k in a.averages
        )
    )


@pytest.mark.parametrize("problem", [BUMP, problems.Counterexample(), problems.Digits(local_batch=2)], ids=str)
def test_every_replica_is_the_run_of_the_reference(problem):
    measured = measure(3, problem, average=["f", "gradient_norm"])
    reference = run(
        MeanOfWorkers(problem, 5, 3), np.tile(problem.start, (3, 1)), FAMILY, T, epsilon=0.1,
        record=["gradient_norm"], average=["f", "gradient_norm"],
    )  # fmt: skip
    assert measured.x.tobytes() == reference.state.x.tobytes()
    assert measured.history["gradient_norm"].values.tobytes() == reference.history["gradient_norm"].tobytes()
    assert measured.averages["f"].values.tobytes() == reference.averages["f"].tobytes()
    assert measured.t.tolist() == list(range(1, T + 1))
    one = run(MeanOfWorkers(problem, 5, 3), problem.start, FAMILY, T, epsilon=0.1)
    assert measured.x[0].tobytes() == one.state.x.tobytes()


def test_the_first_replicas_do_not_depend_on_how_many_there_are(monkeypatch):
    thousand = measure(1000)
    assert same(measure(100), thousand, 100)
    assert same(measure(256), thousand, 256)
    monkeypatch.setattr(montecarlo, "_ENTRIES_AT_A_TIME", 1)  # blocks of 256, one after the other
    assert same(measure(1000), thousand)
    assert len(np.unique(thousand.x[:, 0])) == 1000


def test_configurations_are_separate_simulations_on_the_same_draws():
    alpha, theta = np.array([[0.5], [2.0]]), np.array([[1.0], [3.0]])
    both = measure(40, family=families.practical(T, alpha, 0.9, theta))
    assert both.x.shape == (2, 40, 3)
    assert both.averages["gradient_norm"].mean.shape == (2,)
    for i in range(2):
        alone = measure(40, family=families.practical(T, alpha[i, 0], 0.9, theta[i, 0]))
        np.testing.assert_array_equal(both.x[i], alone.x)
        np.testing.assert_array_equal(both.averages["gradient_norm"].values[i], alone.averages["gradient_norm"].values)


def test_means_standard_errors_and_quantiles_of_replicas():
    sample = Sample(np.array([[1.0, 2.0, 3.0, 6.0], [5.0, 5.0, 5.0, 5.0]]))
    assert sample.mean.tolist() == [3.0, 5.0]
    np.testing.assert_allclose(sample.standard_error, [(14 / 3 / 4) ** 0.5, 0.0], rtol=1e-15)
    assert sample.quantile([0.0, 0.5, 1.0]).tolist() == [[1.0, 5.0], [2.5, 5.0], [6.0, 5.0]]


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("stop", [2, 13, T + 7, 2 * T + 1])
def test_an_interrupted_simulation_resumes_to_the_same_bits(tmp_path, monkeypatch, stop):
    monkeypatch.setattr(montecarlo, "_ENTRIES_AT_A_TIME", 1)
    monkeypatch.setattr(montecarlo, "_SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    steps = []

    def counted(norm):
        if len(norm) > 2:  # the description's own two replicas do not count
            steps.append(norm)
            if len(steps) == stop:
                raise KeyboardInterrupt
        return norm

    whole = measure(600, record={"gradient_norm": lambda norm: norm})
    with pytest.raises(KeyboardInterrupt):
        measure(600, record={"gradient_norm": counted}, folder=tmp_path)
    assert not (tmp_path / "results.json").exists()
    resumed = measure(600, record={"gradient_norm": counted}, folder=tmp_path)
    assert len(steps) == 3 * T + 1  # 3 blocks; the step that was interrupted twice, no other
    assert same(resumed, whole)
    assert same(Measured.load(tmp_path), whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "results.npz"]


def test_a_finished_simulation_is_read_and_another_one_refused(tmp_path):
    first = measure(10, folder=tmp_path)
    before = (tmp_path / "results.npz").stat().st_mtime_ns
    assert same(measure(10, folder=tmp_path), first)
    assert (tmp_path / "results.npz").stat().st_mtime_ns == before
    summary = json.loads((tmp_path / "results.json").read_text())
    norms = first.averages["gradient_norm"]
    assert summary["averages"]["gradient_norm"]["mean"] == norms.mean
    assert summary["averages"]["gradient_norm"]["quantiles"]["0.5"] == np.median(norms.values)
    for changed, named in (
        ({"seed": 6}, "seed"),
        ({"workers": 2}, "workers"),
        ({"epsilon": 0.2}, "sha256"),
        ({"family": families.practical(T, 1.0, 0.9, 1.1)}, "sha256"),
        ({"problem": problems.Bump(3, problems.Gaussian(2.1))}, "problem"),
        ({"problem": BUMP.starting_at([0.0, 1.0, 2.0])}, "problem"),
        ({"problem": problems.Bump(3, problems.TwoPoint(2.0))}, "problem"),
        ({"method": METHODS["amsgrad"]}, "method"),
    ):
        with pytest.raises(ValueError, match=f"holds another simulation: .*{named}.*; take another folder"):
            measure(10, folder=tmp_path, **changed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"problem": problems.TaperedLinear(1.0, 1.0)}, {"problem": problems.TaperedLinear(1.0, 2.0)}),
        ({"problem": problems.Counterexample()}, {"problem": problems.Counterexample(5.0)}),
        ({"problem": problems.Digits(8, 1e-4)}, {"problem": problems.Digits(8, 1.0)}),
        ({"problem": problems.ReddiStochastic(10.0)}, {"problem": problems.ReddiStochastic(11.0)}),
        ({"record": {"x": lambda x: x[..., 0]}}, {"record": {"x": lambda x: x[..., 1]}}),
        ({"record": {"f": None}}, {"record": {"f": lambda f: 2 * f}}),
    ],
    ids=["taper", "interval", "regularisation", "C", "reduction", "reduction or none"],
)
def test_a_folder_is_not_read_as_another_simulations(one, other, tmp_path):
    """All of these agree in their names, at x_1 or in their first sample."""
    measure(3, folder=tmp_path, **one)
    with pytest.raises(ValueError, match="holds another simulation: "):
        measure(3, folder=tmp_path, **other)
    measure(3, folder=tmp_path, **one)


def test_a_checkpoint_cut_into_other_blocks_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(montecarlo, "_SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(montecarlo, "_ENTRIES_AT_A_TIME", 1)

    def stopped(norm):
        if len(norm) == 2 or not (tmp_path / "checkpoint").exists():
            return norm
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(600, record={"gradient_norm": stopped}, folder=tmp_path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="replicas at a time"):
        measure(600, record={"gradient_norm": lambda norm: norm}, folder=tmp_path)


def test_a_name_given_twice_is_averaged_once():
    assert same(measure(5, average=("gradient_norm", "gradient_norm")), measure(5))


def test_what_is_not_finite_is_null_in_the_summary(tmp_path):
    class Overflowing(problems.Bump):
        def value(self, x):
            return np.full(x.shape[:-1], np.inf)

    measured = measure(3, problem=Overflowing(3), average=("f",), folder=tmp_path)
    assert np.isinf(measured.averages["f"].values).all()
    assert json.loads((tmp_path / "results.json").read_text())["averages"]["f"]["mean"] is None


def test_refusals(tmp_path):
    for steps in (0, -1):
        with pytest.raises(ValueError, match=f"^steps must be at least 1; got {steps}$"):
            simulate(problems.Bump(3), families.practical(T, 1, 0.9, 1), steps, 4, epsilon=0.1)
    for name, given in (("steps", "60"), ("replicas", 2.5)):
        with pytest.raises(TypeError, match=f"^{name} must be an integer; got {given!r}$"):
            numbers = {"steps": 60, "replicas": 4} | {name: given}
            simulate(problems.Bump(3), families.practical(T, 1, 0.9, 1), epsilon=0.1, **numbers)
    with pytest.raises(ValueError, match=r"replicas must be at least 2 \(for a standard error\); got 1"):
        measure(1)
    with pytest.raises(ValueError, match=r"parameters must have shape \(C, 1\), .*; got \(2,\)"):
        measure(4, family=families.practical(T, np.array([1.0, 2.0]), 0.9, 1.0))
    with pytest.raises(ValueError, match=r"x must be reduced to one number a replica, shape \(4,\); got \(4, 3\)"):
        measure(4, record=["x"])
    with pytest.raises(ValueError, match="holds no results"):
        Measured.load(tmp_path)
    (tmp_path / "results.npz").write_bytes(b"PK no zip")
    with pytest.raises(ValueError, match="holds no results"):
        Measured.load(tmp_path)


def test_a_sampler_may_start_at_a_later_block():
    whole = Sampler(3).normals(7, range(2), 700, (2,))
    np.testing.assert_array_equal(Sampler(3, first_replica=512).normals(7, range(2), 188, (2,)), whole[:, 512:])
    for wrong in (-256, 100):
        with pytest.raises(ValueError, match="multiple of 256"):
            Sampler(3, first_replica=wrong)


def test_the_record_and_the_samples_share_one_gradient(monkeypatch):
    calls = []
    gradient = problems.Bump.gradient
    monkeypatch.setattr(problems.Bump, "gradient", lambda self, x: calls.append(1) or gradient(self, x))
    x1 = np.tile(BUMP.start, (4, 1))
    monkeypatch.setattr("reference.sources._BYTES_AT_A_TIME", 1)  # one worker at a time
    source = MeanOfWorkers(BUMP, 5, 8)
    bare = run(source, x1, FAMILY, T, epsilon=0.1)
    assert len(calls) == T
    calls.clear()
    recorded = run(source, x1, FAMILY, T, epsilon=0.1, record=["gradient", "x"], average=["gradient_norm"])
    assert len(calls) == T
    assert recorded.state.x.tobytes() == bare.state.x.tobytes()
    np.testing.assert_array_equal(recorded.history["gradient"], gradient(BUMP, recorded.history["x"]))
    norms = np.sqrt((recorded.history["gradient"] ** 2).sum(axis=-1))
    np.testing.assert_allclose(recorded.averages["gradient_norm"], norms.mean(axis=0), rtol=1e-14)


def test_a_class_with_samples_of_its_own_keeps_them():
    class Shifted(problems.Bump):
        def samples(self, x, t, sampler, workers, gradient=None):
            return super().samples(x, t, sampler, workers, gradient) + 1

    quiet = Shifted(3)
    g = MeanOfWorkers(quiet, 0, 4)(quiet.start, 1)
    np.testing.assert_array_equal(g, quiet.gradient(quiet.start) + 1)


def test_the_benchmark_runs_and_says_what_it_compares_with(monkeypatch, capsys):
    from theory import bench

    monkeypatch.setattr(bench, "SIZES", ((4, 2, 3, 50), (2, 3, 1, 40)))
    monkeypatch.setattr("sys.argv", ["bench", "--turns", "1"])
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda name: None)
    bench.main()
    printed = capsys.readouterr().out
    assert "JAX is not installed here" in printed
    assert [line.split()[:3] for line in printed.splitlines()[-2:]] == [["4", "2", "3"], ["2", "3", "1"]]
    monkeypatch.setattr("sys.argv", ["bench", "--turns", "0"])
    with pytest.raises(SystemExit):
        bench.main()
