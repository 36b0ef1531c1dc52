"""A run's state on disk, from which it continues to the last bit on any number of ranks.

A checkpoint is a folder with `manifest.json` (step, options, environment, the sha256 of every array and of itself) and
the arrays, `state-<t>-<hash>.npz`. The manifest is written last and names its file, and a file is never replaced by
another of its name, so a crash at any moment leaves the old checkpoint or the new one. Nothing in it depends on ranks;
random numbers need nothing stored (`reference.sampling`).
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
from numpy.typing import NDArray

from reference.files import UNREADABLE, npz_bytes, write_bytes, write_json

FORMAT = 1
Arrays = dict[str, NDArray]


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, or is not what it says it is."""


class NoCheckpointError(CheckpointError):
    """There is none."""


def sha256(array: NDArray) -> str:
    """Of the array's bytes, C order, little endian."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(np.ascontiguousarray(little).tobytes()).hexdigest()


def _sha256_of(manifest: dict[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != "manifest_sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def environment() -> dict[str, Any]:
    """What the last bits depend on besides the run itself: NumPy's build and the CPU kernels it picked."""
    blas = sorted(
        f"{library['internal_api']} {library['version']} {library.get('architecture', '')}".strip()
        for library in threadpoolctl.threadpool_info()
        if library["user_api"] == "blas"
    )
    return {"numpy": np.__version__, "blas": sorted(set(blas)), "machine": platform.machine()}


def save(folder: Path, t: int, arrays: Arrays, options: dict[str, Any]) -> None:
    """Replaces the folder's checkpoint by this one."""
    folder.mkdir(parents=True, exist_ok=True)
    content = npz_bytes(arrays)
    name = f"state-{t:09d}-{hashlib.sha256(content).hexdigest()[:12]}.npz"
    write_bytes(folder / name, content)
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "t": t,
        "file": name,
        "options": options,
        "environment": environment(),
        "sha256": {key: sha256(array) for key, array in arrays.items()},
    }
    manifest["manifest_sha256"] = _sha256_of(manifest)
    write_json(folder / "manifest.json", manifest)
    for old in (*folder.glob("state-*.npz"), *folder.glob(".*.part")):  # a killed process leaves its part
        if old.name != name:
            old.unlink()


def load(folder: Path) -> tuple[Arrays, dict[str, Any]]:
    """(arrays, manifest). CheckpointError, in one line, where there is none, or it is damaged."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise NoCheckpointError(f"no checkpoint in {folder}: manifest.json is not there") from None
    except (ValueError, OSError) as error:
        raise CheckpointError(f"{folder / 'manifest.json'} cannot be read: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise CheckpointError(f"{folder / 'manifest.json'} is not a checkpoint of format {FORMAT}")
    if manifest.get("manifest_sha256") != _sha256_of(manifest):
        raise CheckpointError(f"{folder / 'manifest.json'} is damaged: its sha256 is not the one it carries")
    try:
        path = folder / Path(manifest["file"]).name
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        expected = manifest["sha256"]
    except FileNotFoundError:
        raise CheckpointError(f"{path} is not there, though the manifest names it") from None
    except UNREADABLE as error:
        raise CheckpointError(f"the checkpoint in {folder} is truncated or damaged: {error}") from None
    if {key: sha256(array) for key, array in arrays.items()} != expected:
        raise CheckpointError(f"{path} is damaged: the sha256 of its arrays are not the manifest's")
    return arrays, manifest
