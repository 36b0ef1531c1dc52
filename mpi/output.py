"""OUT, the folder of a run: result.json, history.npz, history.png, checkpoint/. Rank 0 alone touches it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi import picture
from mpi.exits import ERROR, USAGE, Refusal
from mpi.options import Options
from reference.adam import AdamState
from reference.checkpoint import CheckpointError, NoCheckpointError, load, save
from reference.files import npz_bytes, write_bytes, write_json
from reference.iterate import Recorder

_HOLDS_A_RUN = ("result.json", "history.npz", "checkpoint/manifest.json")


def new_folder(out: Path | None, problem: str) -> Path:
    """The folder of a new run, made where it is not there: `out`, or the next free runs/PROBLEM-001, -002, ...

    Refusal where it cannot be made or holds a run.
    """
    try:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            held = [name for name in _HOLDS_A_RUN if (out / name).exists()]
            if held:
                raise Refusal(
                    f"--out {out} already holds a run ({', '.join(held)}); "
                    "give --resume to continue it, or choose another folder",
                    USAGE,
                )
            return out
        number = 1
        Path("runs").mkdir(exist_ok=True)
        while True:
            folder = Path("runs") / f"{problem}-{number:03d}"
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                number += 1
    except (FileExistsError, NotADirectoryError):
        raise Refusal(f"--out {out or 'runs'} must be a folder, and a regular file is in its way", USAGE) from None
    except OSError as error:
        raise Refusal(f"--out {out or 'runs'} cannot be made: {error.strerror}", USAGE) from None


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keeps other processes out of the folder; a process that is killed lets go. Refusal where another one has it."""
    try:
        file = os.open(out / ".lock", os.O_WRONLY | os.O_CREAT, 0o666)
    except OSError as error:
        raise Refusal(f"--out {out} cannot be written: {error.strerror}", USAGE) from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(f"--out {out} is in use: another process is running in this folder", USAGE) from None
        except OSError:
            pass  # a file system without locks, as some clusters have: go on without
        yield
    finally:
        os.close(file)


def save_checkpoint(out: Path, options: dict[str, Any], state: AdamState, recorder: Recorder, seconds: float) -> None:
    """Replaces OUT/checkpoint by the state, what is on record, and the seconds that the run has taken."""
    arrays: dict[str, NDArray] = {"x": state.x, "m": state.m, "v": state.v, **recorder.arrays}
    save(out / "checkpoint", state.t, arrays | {"seconds": np.array(seconds)}, options)


def load_checkpoint(out: Path) -> tuple[dict[str, NDArray], dict[str, Any]]:
    """(arrays, manifest); Refusal where there is none or it is damaged."""
    try:
        return load(out / "checkpoint")
    except CheckpointError as error:
        raise Refusal(str(error), USAGE if isinstance(error, NoCheckpointError) else ERROR) from None


def write_history(out: Path, options: Options, recorder: Recorder, bound: dict[str, Any]) -> None:
    """OUT/history.npz and its picture."""
    history = recorder.history
    kept = {"t": history["t"], "loss": history["f"], "gradient_norm": history["gradient_norm"]}
    write_bytes(out / "history.npz", npz_bytes(kept))
    write_bytes(out / "history.png", picture.drawn(history, options, bound))


def write_result(out: Path, result: dict[str, Any]) -> None:
    """OUT/result.json, which says that the run has ended."""
    write_json(out / "result.json", result)
