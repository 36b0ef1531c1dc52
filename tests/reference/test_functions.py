"""Problems from a caller's functions: their draws, what is known of them, and what the door refuses."""

from __future__ import annotations

import numpy as np
import pytest

from reference import MeanOfWorkers, families, run
from reference.problems import Bump, Gaussian, TwoPoint, from_functions
from reference.problems.bump import height, slope
from reference.sampling import Sampler
from theory.chen_2022.assumptions import GIVEN, PROOF, audit


def f(x):
    return height(x).sum(axis=-1)


def bump(**options):
    return from_functions(f, slope, np.ones(3), **options)


def two_draws(x, draws):
    return np.concatenate([draws.normals(2), draws.uniforms(1)], axis=-1)


@pytest.mark.parametrize("noise", [Gaussian(2.0), TwoPoint(3.0, 0.25), None])
@pytest.mark.parametrize("B", [1, 4])
def test_additive_noise_has_the_bits_of_the_problem_of_that_kind(noise, B):
    ours, theirs = bump(noise=noise, local_batch=B), Bump(3, noise, B)
    for x in (theirs.start, np.tile(theirs.start, (5, 1)), np.tile(theirs.start, (2, 5, 1)).astype(np.float32)):
        runs = [
            run(MeanOfWorkers(p, 3, 2), x, families.practical(9, 1, 0.9, 1), 9, epsilon=0.1) for p in (ours, theirs)
        ]
        assert runs[0].state.x.dtype == x.dtype
        assert runs[0].state.x.tobytes() == runs[1].state.x.tobytes()
    assert ours.variance(x).tolist() == theirs.variance(x).tolist()
    assert ours.constants.sigma2 == theirs.constants.sigma2
    assert ours.constants.sigma_i == theirs.constants.sigma_i


def test_a_sampler_s_first_call_reads_the_stream_of_every_problem():
    added = bump(sample=lambda x, draws: slope(x) + 2 * draws.normals(3))
    x = np.tile(added.start, (300, 1))
    np.testing.assert_allclose(
        added.samples(x, 4, Sampler(1), range(3)),
        Bump(3, Gaussian(2.0)).samples(x, 4, Sampler(1), range(3)),
        rtol=1e-14,
    )


def test_two_draws_in_one_step_are_independent():
    """Normals, words and indices: no call repeats another's words, nor those of a neighbouring worker or step."""
    seen = []

    def sample(x, draws):
        seen.append([draws.normals(3), draws.normals(3), draws.uniforms(3), draws.uniforms(3), draws.indices(2**31, 3)])
        return x

    problem = bump(sample=sample, local_batch=2)
    seen.clear()
    x = np.tile(problem.start, (500, 1))
    problem.samples(x, 1, Sampler(5), range(2))
    problem.samples(x, 2, Sampler(5), range(2))
    n = 2 * 500 * 2 * 3
    columns = [np.ravel(each).astype(float) for step in seen for each in step]
    assert {len(each) for each in columns} == {n}
    correlations = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(correlations).max() < 5 / np.sqrt(n)
    first_normals, first_uniforms = columns[0], columns[2]
    assert len(np.unique(np.concatenate([columns[0], columns[1], columns[5], columns[6]]))) == 4 * n
    assert len(np.unique(np.concatenate([columns[2], columns[3], columns[7], columns[8]]))) == 4 * n
    assert abs(first_normals.mean()) < 5 / np.sqrt(n) and abs(first_normals.std() - 1) < 0.05
    assert (
        abs(first_uniforms.mean() - 0.5) < 5 / np.sqrt(12 * n) and 0 <= first_uniforms.min() < first_uniforms.max() < 1
    )
    # within one call: the places of the local batch, the workers and the coordinates
    normals = seen[0][0]
    assert normals.shape == (2, 500, 2, 3)
    flat = normals.transpose(0, 2, 3, 1).reshape(12, 500)
    assert np.abs(np.corrcoef(flat) - np.eye(12)).max() < 5 / np.sqrt(500)


@pytest.mark.parametrize("B", [1, 3])
def test_who_asks_makes_no_difference_to_a_sampler(B):
    problem = bump(sample=two_draws, local_batch=B)
    x = np.broadcast_to(problem.start, (2, 300, 3))
    whole = problem.samples(x, 4, Sampler(9), range(5))
    assert whole.shape == (5, 2, 300, 3)
    assert whole[:, 0].tobytes() == whole[:, 1].tobytes() == problem.samples(x[0], 4, Sampler(9), range(5)).tobytes()
    for i in range(5):
        assert problem.samples(x[0, 0], 4, Sampler(9), range(i, i + 1))[0].tobytes() == whole[i, 0, 0].tobytes()
    later = problem.samples(x[0, :44], 4, Sampler(9, first_replica=256), range(5))
    assert later.tobytes() == whole[:, 0, 256:].tobytes()
    assert problem.samples(x.astype(np.float32), 4, Sampler(9), range(1)).dtype == np.float32


def test_a_local_batch_of_a_sampler_is_a_mean_of_draws():
    seen = []

    def sample(x, draws):
        seen.append(draws.normals(3))
        return seen[-1]

    problem = bump(sample=sample, local_batch=4)
    g = problem.samples(problem.start, 2, Sampler(1), range(2))
    assert seen[-1].shape == (2, 4, 3)
    np.testing.assert_allclose(g, sum(seen[-1][:, b] for b in range(4)) / 4, rtol=1e-14)


def test_indices_choose_examples_evenly():
    counts = np.zeros(5)

    def sample(x, draws):
        chosen = draws.indices(5, 3)
        counts.__iadd__(np.bincount(chosen.ravel(), minlength=5))
        return x

    problem = bump(sample=sample)
    counts[:] = 0
    problem.samples(np.tile(problem.start, (1000, 1)), 1, Sampler(0), range(1))
    assert counts.sum() == 3000 and np.abs(counts - 600).max() < 5 * np.sqrt(600 * 0.8)


def test_what_is_given_is_called_given():
    problem = bump(noise=Gaussian(0.5), L=2.0, f_star=0.0)
    assert problem.constants.L.kind == problem.constants.f_star.kind == "given"
    assert problem.constants.L.why == "given by the caller"
    assert problem.constants.sigma2.value == pytest.approx(0.75)
    assert problem.constants.G.value is None and problem.largest_gradient_norm() is None
    assert problem.constants.G.why == "not given; from_functions(..., G=...) takes it"
    assert bump(noise=Gaussian(0.5), G=2.0).largest_gradient_norm() == pytest.approx(np.sqrt(4 - 0.75))
    assert bump(sample=two_draws, G=2.0).largest_gradient_norm() == 2.0
    with pytest.raises(ValueError, match=r"your own: E_t g\^2 needs the variance of a sample"):
        bump(sample=two_draws).second_moment(np.ones(3))


def verdicts(problem):
    return {each.assumption: (each.verdict, each.scope) for each in audit(problem)}


def test_the_audit_proves_nothing_on_the_caller_s_word():
    found = verdicts(bump(noise=Gaussian(0.5), L=2.0, G=3.0, f_star=0.0))
    given = ("cannot tell", GIVEN)
    assert found == {"A1": given, "A2": given, "A3": given, "A4": given, "A5": ("holds", PROOF)}
    assert verdicts(bump(noise=Gaussian(0.5), L=1.9))["A2"][0] == "fails"
    assert verdicts(bump(noise=Gaussian(0.5), G=1.2))["A4"][0] == "fails"
    assert verdicts(bump(noise=Gaussian(0.5), f_star=0.1))["A1"][0] == "fails"
    assert verdicts(bump(noise=Gaussian(0.5), sigma2=0.7))["A5"][0] == "fails"


def test_the_audit_finds_a_gradient_of_another_function_and_a_biased_sampler():
    wrong = from_functions(f, lambda x: 1.001 * slope(x), np.ones(3), noise=Gaussian(0.5))
    assert verdicts(wrong)["A3"] == ("fails", "at one point")
    biased = bump(sample=lambda x, draws: slope(x) + 0.1 * draws.normals(3) + 0.02)
    assert verdicts(biased)["A3"] == ("fails", "at one point")
    fair = bump(sample=lambda x, draws: slope(x) + 0.1 * draws.normals(3), sigma2=0.03)
    assert {name: verdict for name, (verdict, _) in verdicts(fair).items()} == dict.fromkeys(
        ("A1", "A2", "A3", "A4", "A5"), "cannot tell"
    )


def test_two_are_equal_where_their_functions_agree():
    assert bump() == bump() and hash(bump()) == hash(bump())
    others = [
        bump(name="mine"), bump(L=2.0), bump(noise=Gaussian(1.0)), bump(local_batch=2), bump().starting_at([0, 0, 0]),
        bump(sample=two_draws), from_functions(f, lambda x: 1.1 * slope(x), np.ones(3)),
        from_functions(lambda x: f(x) + 1, slope, np.ones(3)), Bump(3),
    ]  # fmt: skip
    assert all(bump() != other for other in others)


def test_what_the_door_refuses():
    for options, error, message in (
        ({"l": 2.0}, TypeError, "the constants of a problem are L, G, sigma2, f_star, sup_norm, sigma_i; got l"),
        ({"L": -1.0}, ValueError, "L must be at least 0; got -1.0"),
        ({"f_star": np.nan}, ValueError, "f_star must be a number; got nan"),
        ({"noise": 0.5}, TypeError, r"noise must be a Noise such as problems.Gaussian\(0.5\)"),
        ({"noise": Gaussian(1.0), "sample": two_draws}, TypeError, "either noise, .*, or sample"),
        ({"noise": Gaussian(2.0), "G": 3.0}, ValueError, r"G\^2 must be at least E\|\|noise\|\|\^2 = 12"),
        ({"sample": lambda x, draws: x[..., 0]}, ValueError, "sample must give shape"),
        ({"local_batch": 0}, ValueError, "local_batch must be at least 1; got 0"),
    ):
        with pytest.raises(error, match=message):
            bump(**options)
    for wrong_f, wrong_gradient, message in (
        (lambda x: height(x).sum(), slope, r"f must give shape \(2, 3\) for such an x"),
        (f, lambda x: slope(x)[..., :1], r"gradient must give shape"),
        (lambda x: f(x) + x.sum(), slope, "f must work on each row of x by itself"),
        (f, lambda x: slope(x) - x.mean(), "gradient must work on each row"),
    ):
        with pytest.raises(ValueError, match=message):
            from_functions(wrong_f, wrong_gradient, np.ones(3))
