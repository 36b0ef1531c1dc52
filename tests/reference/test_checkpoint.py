"""What is saved comes back to the last bit, or a clear error; a crash at any moment leaves one whole checkpoint."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from reference import checkpoint, files
from reference.checkpoint import CheckpointError, load, save, sha256

ARRAYS = {
    "x": np.array([[1.5, -0.0, np.nan], [np.inf, 5e-324, 1 / 3]]),
    "m": np.array([0.1, 0.2], np.float32),
    "t": np.array(7),
    "sum": np.array(0.1 + 0.2),
    "steps": np.arange(3),
    "none": np.zeros((0, 4)),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
}
OPTIONS = {"alpha": 0.1, "problem": "bump", "workers": 3, "nothing": None}


def test_everything_comes_back(tmp_path):
    save(tmp_path / "new" / "folder", 7, ARRAYS, OPTIONS)
    arrays, manifest = load(tmp_path / "new" / "folder")
    assert list(arrays) == list(ARRAYS)
    for key, array in ARRAYS.items():
        assert (arrays[key].dtype, arrays[key].shape) == (array.dtype, array.shape)
        assert arrays[key].tobytes() == array.tobytes()
    assert (manifest["t"], manifest["options"], manifest["format"]) == (7, OPTIONS, 1)


def test_the_manifest(tmp_path):
    save(tmp_path, 7, ARRAYS, OPTIONS)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (tmp_path / manifest["file"]).is_file()
    assert manifest["file"].startswith("state-000000007")
    assert manifest["environment"] == checkpoint.environment()
    assert manifest["sha256"] == {key: sha256(array) for key, array in ARRAYS.items()}
    assert not any("rank" in line for line in json.dumps(manifest).split(","))


def test_sha256_of_bytes_made_by_hand():
    assert sha256(np.array([1.5, -2.0])) == hashlib.sha256(struct.pack("<dd", 1.5, -2.0)).hexdigest()
    assert sha256(np.array([1, 2], np.float32)) == hashlib.sha256(struct.pack("<ff", 1, 2)).hexdigest()
    assert sha256(np.array([3], np.int64)) == hashlib.sha256(struct.pack("<q", 3)).hexdigest()
    matrix = np.arange(6.0).reshape(2, 3)
    assert sha256(matrix.astype(">f8")) == sha256(matrix) == sha256(np.asfortranarray(matrix))
    assert sha256(matrix[:, ::2]) == sha256(matrix[:, ::2].copy()) != sha256(matrix)
    assert sha256(np.array([0.0])) != sha256(np.array([-0.0]))


def test_the_environment():
    environment = checkpoint.environment()
    assert environment["numpy"] == np.__version__
    assert environment["machine"] == platform.machine()
    assert len(environment["blas"]) == len(set(environment["blas"])) >= 1
    assert all(isinstance(name, str) and name == name.strip() != "" for name in environment["blas"])


def test_only_the_last_checkpoint_is_kept(tmp_path):
    (tmp_path / "other.npz").write_text("")
    for t in (1, 2, 10, 3):
        save(tmp_path, t, {"x": np.full(3, float(t))}, {})
        assert load(tmp_path)[0]["x"].tolist() == [t] * 3
    assert len(list(tmp_path.iterdir())) == 3
    assert (tmp_path / "other.npz").exists()


def test_the_same_arrays_give_the_same_bytes(tmp_path, monkeypatch):
    save(tmp_path / "a", 1, ARRAYS, OPTIONS)
    later = time.time() + 10**6
    monkeypatch.setattr(time, "time", lambda: later)
    save(tmp_path / "b", 1, ARRAYS, OPTIONS)
    first, second = ({f.name: f.read_bytes() for f in (tmp_path / name).iterdir()} for name in "ab")
    assert first == second


class PowerCut(Exception):
    pass


class FailsAt:
    """The fatal-th call of a function fails."""

    def __init__(self, fatal, function):
        self.fatal, self.function, self.calls = fatal, function, 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        if self.calls == self.fatal:
            raise PowerCut
        return self.function(*args, **kwargs)


@pytest.mark.parametrize("t", [2, 1])
@pytest.mark.parametrize("call", ["open", "fsync", "replace", "unlink"])
def test_a_crash_at_any_moment_leaves_the_old_checkpoint_or_the_new(tmp_path, monkeypatch, call, t):
    """The n-th call of the operating system's `call` fails, n = 1, 2, ...; also for a second save at the same step."""
    old, new = {"x": np.zeros(5)}, {"x": np.ones(5)}
    outcomes = []
    for fatal in range(1, 20):
        folder = tmp_path / str(fatal)
        save(folder, 1, old, {"which": "old"})
        failing = FailsAt(fatal, getattr(os, call))
        with monkeypatch.context() as patch, contextlib.suppress(PowerCut):
            patch.setattr(os, call, failing)
            save(folder, t, new, {"which": "new"})
        arrays, manifest = load(folder)
        assert arrays["x"].tolist() == (old if manifest["options"]["which"] == "old" else new)["x"].tolist()
        outcomes.append(manifest["options"]["which"])
        if failing.calls < fatal:
            break
        save(folder, 3, old, {})  # and it can be used again
        assert load(folder)[1]["t"] == 3
    assert outcomes[0] == "old" or call == "unlink"
    assert outcomes[-1] == "new"
    assert outcomes == sorted(outcomes, reverse=True)


def test_files_are_on_disk_before_they_are_named(tmp_path, monkeypatch):
    """Written beside, flushed, renamed, the folder flushed: in this order."""
    done = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor):
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        assert path.is_dir() or path.read_bytes() == b"abc"  # out of Python's buffer
        done.append(("fsync", path.name))
        real_fsync(descriptor)

    def replace(a, b):
        done.append(("replace", Path(a).name, Path(b).name))
        assert Path(a).parent == Path(b).parent
        real_replace(a, b)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    files.write_bytes(tmp_path / "result", b"abc")
    beside = done[0][1]
    assert done == [("fsync", beside), ("replace", beside, "result"), ("fsync", tmp_path.name)]
    assert [f.name for f in tmp_path.iterdir()] == ["result"]
    assert (tmp_path / "result").read_bytes() == b"abc"


def test_nothing_is_left_open(tmp_path):
    before = os.listdir("/proc/self/fd")
    for _ in range(5):
        save(tmp_path, 1, ARRAYS, OPTIONS)
        load(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_nothing_beside(tmp_path, monkeypatch, call):
    """No room on the disk: the error is the caller's, the old file stays, the new one's beginning does not."""
    files.write_bytes(tmp_path / "result", b"old")

    def full(*args):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(os, call, full)
        files.write_bytes(tmp_path / "result", b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("result", b"old")]


def test_json_is_strict(tmp_path):
    files.write_json(tmp_path / "a.json", {"b": [1, None, 0.1]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"b": [1, None, 0.1]}
    for value in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match="JSON"):
            files.write_json(tmp_path / "a.json", {"b": value})
    assert json.loads((tmp_path / "a.json").read_text()) == {"b": [1, None, 0.1]}


def test_no_pickle(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        save(tmp_path, 1, {"x": np.array([None])}, {})
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load(tmp_path)


@pytest.fixture
def small(tmp_path):
    save(tmp_path, 1, {"x": np.array([1.0, 2.0]), "m": np.array([3.0], np.float32)}, {"a": 1})
    return tmp_path


def state_file(folder):
    return folder / json.loads((folder / "manifest.json").read_text())["file"]


def loads_as_saved_or_refuses(folder):
    try:
        arrays, manifest = load(folder)
    except CheckpointError as error:
        assert "\n" not in str(error)
        assert str(folder) in str(error)
        return False
    assert {key: array.tolist() for key, array in arrays.items()} == {"x": [1, 2], "m": [3]}
    assert (manifest["t"], manifest["options"]) == (1, {"a": 1})
    return True


@pytest.mark.parametrize("which", ["state", "manifest"])
def test_a_flipped_bit(small, which):
    """One bit of every byte of the file: CheckpointError, or the very same contents where the bit does not matter."""
    path = state_file(small) if which == "state" else small / "manifest.json"
    content = path.read_bytes()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << (5 * place + 3) % 8
        path.write_bytes(damaged)
        loads_as_saved_or_refuses(small)
    path.write_bytes(content)
    assert loads_as_saved_or_refuses(small)


@pytest.mark.parametrize("which", ["state", "manifest"])
def test_any_truncation(small, which):
    path = state_file(small) if which == "state" else small / "manifest.json"
    content = path.read_bytes()
    for length in range(len(content) - 1):
        path.write_bytes(content[:length])
        assert not loads_as_saved_or_refuses(small)
    path.write_bytes(b"")
    assert not loads_as_saved_or_refuses(small)


def test_another_state_under_the_right_name(small, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    save(other, 1, {"x": np.array([1.0, 2.5]), "m": np.array([3.0], np.float32)}, {"a": 1})
    state_file(small).write_bytes(state_file(other).read_bytes())
    with pytest.raises(CheckpointError, match="damaged"):
        load(small)


def test_arrays_other_than_the_manifest_says(tmp_path, monkeypatch):
    """A checkpoint that is consistent but for the hashes of its arrays."""
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "sha256", lambda array: "0" * 64)
        save(tmp_path, 1, {"x": np.zeros(2)}, {})
    with pytest.raises(CheckpointError, match="the sha256 of its arrays are not the manifest's"):
        load(tmp_path)


def test_no_checkpoint(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CheckpointError, match=f"no checkpoint in {folder}: manifest.json is not there"):
            load(folder)
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="no checkpoint in"):
        load(tmp_path / "file")
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(CheckpointError, match="cannot be read"):
        load(tmp_path)


def test_the_state_is_gone(small):
    state_file(small).unlink()
    with pytest.raises(CheckpointError, match="is not there, though the manifest names it"):
        load(small)


@pytest.mark.parametrize("content", ["", "{", "[]", "7", "null", "{}", '{"format": 2}', '{"format": "1"}', "\x00"])
def test_a_manifest_of_another_kind(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"manifest\.json (cannot be read|is not a checkpoint of format 1)"):
        load(tmp_path)


def test_the_manifest_cannot_point_elsewhere(small, tmp_path_factory):
    """A file is looked for in the checkpoint's own folder, whatever path the manifest gives."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    save(elsewhere, 1, {"x": np.zeros(2)}, {})
    for path in (str(state_file(elsewhere)), f"../{elsewhere.name}/{state_file(elsewhere).name}"):
        manifest = json.loads((small / "manifest.json").read_text()) | {"file": path}
        (small / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(CheckpointError):
            load(small)
