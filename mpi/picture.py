"""history.png: the loss and the gradient norm of a run, step by step."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpi.options import Options


def drawn(history: dict[str, NDArray], options: Options, bound: dict[str, Any]) -> bytes:
    """The PNG: the loss, and the norm of the gradient with its average and the bound on it, step by step."""
    from matplotlib.figure import Figure  # slow to import, and needed once, at the end

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
