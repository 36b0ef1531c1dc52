"""OUT, the folder of a run: result.json, history.npz, history.png, checkpoint/. Rank 0 alone touches it."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mpi.launch import ERROR, USAGE, Refusal
from mpi.options import Options
from reference.adam import AdamState
from reference.checkpoint import CheckpointError, NoCheckpointError, load, save
from reference.files import npz_bytes, write_bytes, write_json
from reference.iterate import Recorder

_HOLDS_A_RUN = ("result.json", "history.npz", "checkpoint/manifest.json")


def new_folder(out: Path | None, problem: str) -> Path:
    """Made, or found empty of runs. Refusal where it cannot be made or holds a run."""
    try:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            held = [name for name in _HOLDS_A_RUN if (out / name).exists()]
            if held:
                raise Refusal(
                    f"--out {out} already holds a run ({', '.join(held)}): "
                    "give --resume to continue it, or another folder",
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
        raise Refusal(f"--out {out or 'runs'}: it, or a folder above it, is a regular file", USAGE) from None
    except OSError as error:
        raise Refusal(f"--out {out or 'runs'}: {error.strerror}", USAGE) from None


def lock(out: Path) -> IO[bytes]:
    """Keeps a second process out of the folder until this one ends, however it ends."""
    try:
        file = open(out / ".lock", "ab")  # noqa: SIM115
    except OSError as error:
        raise Refusal(f"--out {out}: {error.strerror}", USAGE) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refusal(f"--out {out}: another process is running in this folder", USAGE) from None
    except OSError:
        pass  # a file system without locks, as some clusters have: go on without
    return file


def save_checkpoint(out: Path, options: dict[str, Any], state: AdamState, recorder: Recorder, seconds: float) -> None:
    arrays: dict[str, NDArray] = {"x": state.x, "m": state.m, "v": state.v}
    arrays |= {f"history.{name}": kept for name, kept in recorder.history.items()}
    arrays |= {f"sum.{name}": total for name, total in recorder.sums.items()}
    arrays["summed"] = np.array(recorder.summed)
    arrays["seconds"] = np.array(seconds)
    save(out / "checkpoint", state.t, arrays, options)


def load_checkpoint(out: Path) -> tuple[dict[str, NDArray], dict[str, Any]]:
    try:
        return load(out / "checkpoint")
    except CheckpointError as error:
        raise Refusal(str(error), USAGE if isinstance(error, NoCheckpointError) else ERROR) from None


def restore(recorder: Recorder, arrays: dict[str, NDArray]) -> None:
    recorder.steps = arrays["history.t"].tolist()
    recorder.entries = {name: list(arrays[f"history.{name}"]) for name in recorder.entries}
    recorder.sums = {
        name: arrays[f"sum.{name}"] for name in recorder.average if f"sum.{name}" in arrays
    }  # none at t = 0
    recorder.summed = int(arrays["summed"])


def write_history(out: Path, options: Options, recorder: Recorder, bound: dict[str, Any]) -> None:
    history = recorder.history
    kept = {"t": history["t"], "loss": history["f"], "gradient_norm": history["gradient_norm"]}
    write_bytes(out / "history.npz", npz_bytes(kept))
    write_bytes(out / "history.png", _picture(history, options, bound))


def write_result(out: Path, result: dict[str, Any]) -> None:
    write_json(out / "result.json", result)


def _picture(history: dict[str, NDArray], options: Options, bound: dict[str, Any]) -> bytes:
    import io

    from matplotlib.figure import Figure

    t, loss, norm = history["t"], history["f"], history["gradient_norm"]
    figure = Figure(figsize=(9, 4), layout="constrained", dpi=120)
    left, right = figure.subplots(1, 2)
    figure.suptitle(
        f"Distributed Adam on {options.problem}: s = {options.workers} workers, local batch {options.local_batch}, "
        f"T = {options.steps}"
    )
    left.plot(t, loss, color="C0")
    left.set(xlabel="step t", ylabel="loss f(x$_t$) on all training data", title="Loss")
    right.plot(t, norm, color="C0", linewidth=0.8, label="‖∇f(x$_t$)‖")
    running = np.cumsum(norm) / np.arange(1, len(norm) + 1)
    right.plot(t, running, color="C1", label="its average over steps 1..t")
    if bound["value"] is not None and not bound["vacuous"]:
        right.axhline(bound["value"], color="black", linestyle="--", label="bound of Corollary 13 on the average")
    right.set(xlabel="step t", ylabel="gradient norm", title="Norm of the full gradient")
    if np.all(norm > 0):
        right.set_yscale("log")
    right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.set_xlim(0, options.steps)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
