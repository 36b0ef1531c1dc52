"""Random numbers against Philox written again with Python's integers; who asks makes no difference."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from reference.sampling import NOISE, REPLICAS_PER_BLOCK, START, Sampler

MASK = 2**64 - 1


def philox4x64_10(counter, key):
    """Salmon, Moraes, Dror and Shaw (2011): ten rounds of Philox4x64, words from the least significant up."""
    c, k = list(counter), list(key)
    for _ in range(10):
        first, second = 0xD2E7470EE14C6C93 * c[0], 0xCA5A826395121157 * c[2]
        c = [second >> 64 ^ c[1] ^ k[0], second & MASK, first >> 64 ^ c[3] ^ k[1], first & MASK]
        k = [k[0] + 0x9E3779B97F4A7C15 & MASK, k[1] + 0xBB67AE8584CAA73B & MASK]
    return c


def test_philox_as_its_authors_publish_it():
    """Known answers of Random123 (kat_vectors, philox4x64 10)."""
    assert philox4x64_10([0] * 4, [0] * 2) == [
        0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B,
    ]  # fmt: skip
    assert philox4x64_10([MASK] * 4, [MASK] * 2) == [
        0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0,
    ]  # fmt: skip


def words_by_hand(seed, t, worker, replicas, size, stream):
    """Counter (n, block of 256 replicas, worker, stream) with n = 1, 2, ..., key (seed, t)."""
    rows = []
    for block in range(0, replicas, 256):
        wanted = min(256, replicas - block) * size
        numbers = []
        for n in itertools.count(1):
            if len(numbers) >= wanted:
                break
            numbers += philox4x64_10([n, block // 256, worker, stream], [seed, t])
        rows += [numbers[i * size : (i + 1) * size] for i in range(wanted // size)]
    return rows


@pytest.mark.parametrize(
    ("seed", "t", "workers", "replicas", "size", "stream"),
    [
        (0, 1, range(1), 1, 1, NOISE),
        (3, 7, range(2, 5), 3, 5, NOISE),
        (2**64 - 1, 10**6, range(1000, 1001), 600, 3, START),
        (2**63, 2**40, range(3), 257, 2, NOISE),
    ],
)
def test_words(seed, t, workers, replicas, size, stream):
    words = Sampler(seed, stream).words(t, workers, replicas, (size,))
    assert words.dtype == np.uint64
    assert words.tolist() == [words_by_hand(seed, t, i, replicas, size, stream) for i in workers]


def test_the_streams_and_the_block():
    assert (NOISE, START, REPLICAS_PER_BLOCK) == (0, 1, 256)
    assert Sampler(3).words(1, range(1), 1, (2,)).tolist() == Sampler(3, NOISE).words(1, range(1), 1, (2,)).tolist()


def test_normals_are_numpy_s_own_from_these_words():
    """Through the bit generator's constructor, where the sampler sets its state."""
    normals = Sampler(11, START).normals(5, range(2, 4), 300, (4,))
    for i in (2, 3):
        for block, replicas in ((0, 256), (1, 44)):
            bits = np.random.Philox(counter=[0, block, i, START], key=[11, 5])
            expected = np.random.Generator(bits).standard_normal((replicas, 4))
            assert normals[i - 2, 256 * block : 256 * block + replicas].tobytes() == expected.tobytes()


VERBS = {
    "words": lambda s, t, w, r, shape: s.words(t, w, r, shape),
    "normals": lambda s, t, w, r, shape: s.normals(t, w, r, shape),
    "indices": lambda s, t, w, r, shape: s.indices(t, w, r, shape, 1437),
}
EVERY_VERB = pytest.mark.parametrize("draw", VERBS.values(), ids=VERBS)


@EVERY_VERB
def test_fewer_replicas_are_the_first_of_many(draw):
    many = draw(Sampler(4), 9, range(2), 1000, (3,))
    for replicas in (1, 2, 100, 255, 256, 257, 511, 513, 999):
        assert draw(Sampler(4), 9, range(2), replicas, (3,)).tobytes() == many[:, :replicas].tobytes()


@EVERY_VERB
def test_later_replicas_alone(draw):
    """first_replica = 512 draws what replicas 512, 513, ... of all have."""
    many = draw(Sampler(4), 9, range(2), 1000, (3,))
    for first in (0, 256, 512, np.int64(768)):
        assert draw(Sampler(4, first_replica=first), 9, range(2), 100, (3,)).tobytes() == (
            many[:, first : first + 100].tobytes()
        )


@pytest.mark.parametrize("first", [-256, -1, 1, 100, 255, 257])
def test_the_first_replica_is_the_first_of_a_block(first):
    with pytest.raises(ValueError, match=f"first_replica must be a multiple of 256; got {first}"):
        Sampler(0, first_replica=first)


@EVERY_VERB
def test_who_asks_makes_no_difference(draw):
    """Any range of workers, any order of steps, an old sampler or a new one."""
    sampler = Sampler(4)
    whole = {t: draw(sampler, t, range(9), 5, (2, 3)) for t in (1, 2, 3)}
    assert whole[1].shape == (9, 5, 2, 3)
    for t in (3, 1, 2):
        parts = [draw(sampler, t, range(a, b), 5, (2, 3)) for a, b in ((0, 2), (2, 3), (3, 3), (3, 9))]
        assert np.concatenate(parts).tobytes() == whole[t].tobytes()
        assert draw(Sampler(np.int64(4)), t, range(8, 9), 5, (2, 3)).tobytes() == whole[t][8:].tobytes()


def test_no_number_is_drawn_twice():
    """Over seeds, steps, workers, replicas, coordinates and streams: 38,400 words, no two alike."""
    seen = [
        Sampler(seed, stream).words(t, range(4), 300, (2,)).ravel()
        for seed in (0, 1, 2**32)
        for stream in (NOISE, START)
        for t in (1, 2)
    ]
    assert len(np.unique(np.concatenate(seen))) == 12 * 4 * 300 * 2


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1437, 2**31, 2**32 - 1])
def test_indices_are_the_words_multiplied_high(n):
    words = Sampler(5).words(2, range(3), 300, (4,))
    indices = Sampler(5).indices(2, range(3), 300, (4,), n)
    assert indices.dtype == np.int64
    assert indices.ravel().tolist() == [word * n // 2**64 for word in words.ravel().tolist()]


@pytest.mark.parametrize("n", [2, 3, 1437, 2**32 - 1])
def test_indices_at_the_edges_of_every_interval(n, monkeypatch):
    """floor(word n / 2^64) at the words where it changes, with Python's integers."""
    edges = {-(-k * 2**64 // n) + e for k in (0, 1, 2, n // 2, n - 1, n) for e in (-2, -1, 0, 1)}
    words = sorted({word for word in edges | {0, MASK, 2**32 - 1, 2**32} if 0 <= word <= MASK})
    sampler = Sampler(0)
    monkeypatch.setattr(sampler, "words", lambda *_: np.array(words, np.uint64))
    assert sampler.indices(1, range(1), 1, (1,), n).tolist() == [word * n // 2**64 for word in words]


def test_indices_are_uniform():
    """Chi-square over 1,437 cells; false alarm 1e-5 (two-sided: too even is wrong too)."""
    indices = Sampler(6).indices(1, range(10), 1000, (20,), 1437)
    statistic, _ = stats.chisquare(np.bincount(indices.ravel(), minlength=1437))
    assert stats.chi2(1436).ppf(5e-6) < statistic < stats.chi2(1436).ppf(1 - 5e-6)


def test_indices_are_independent_between_neighbours():
    """Chi-square of pairs (next coordinate, next replica, next worker, next step); false alarm 4e-6 in all."""
    drawn = np.array([Sampler(7).indices(t, range(20), 50, (40,), 10) for t in range(1, 6)])
    for axis in range(4):
        first, second = drawn.take(range(drawn.shape[axis] - 1), axis), drawn.take(range(1, drawn.shape[axis]), axis)
        statistic, _ = stats.chisquare(np.bincount((10 * first + second).ravel(), minlength=100))
        # neighbouring pairs share entries; with the exact marginals as expectation the statistic's law is still close
        assert stats.chi2(99).ppf(5e-7) < statistic < stats.chi2(99).ppf(1 - 5e-7)


def test_normals_are_standard_normal():
    """Mean, variance, kurtosis and Kolmogorov-Smirnov; false alarm 1e-5 each."""
    sample = Sampler(8).normals(1, range(10), 1000, (20,)).ravel()
    n, z = sample.size, stats.norm.isf(5e-6)
    assert abs(sample.mean()) < z / n**0.5
    assert abs((sample**2).mean() - 1) < z * (2 / n) ** 0.5
    assert abs((sample**4).mean() - 3) < z * (96 / n) ** 0.5
    assert stats.kstest(sample, "norm").pvalue > 1e-5


@pytest.mark.parametrize("seed", [1.0, "1", None, True, np.float64(3), [1]])
def test_a_seed_is_an_integer(seed):
    with pytest.raises(TypeError, match="seed must be an integer; got "):
        Sampler(seed)


@pytest.mark.parametrize("seed", [-1, 2**64, np.int64(-5)])
def test_a_seed_is_half_of_a_key(seed):
    with pytest.raises(ValueError, match=r"seed must be .*below 2\^64, as it is half of a Philox key\)?; got "):
        Sampler(seed)


def test_the_largest_seed_is_taken():
    assert Sampler(2**64 - 1).seed == 2**64 - 1
    assert type(Sampler(np.uint8(3)).seed) is int
