"""The run in words and numbers: what it is, before it starts; result.json and the table, when it has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mpi.options import Options
from reference.adam import AdamState, Array
from reference.checkpoint import sha256
from reference.problems import Problem


def introduction(options: Options, problem: Problem, ranks: int) -> list[str]:
    """Two lines that say what will run."""
    o, T = options, options.steps
    return [
        f"{o.problem}, d = {problem.dimension}: s = {_counted(o.workers, 'worker')} on {_counted(ranks, 'rank')}, "
        f"{o.topology}",
        f"T = {T}, alpha_t = {o.alpha:g}/sqrt(T) = {o.alpha / np.sqrt(T):.4g}, beta_t = {o.beta:g}, "
        f"theta_t = 1 - {o.theta:g}/T = {1 - o.theta / T:.6g}, v_0 = {o.epsilon:.3g}, "
        f"local batch {o.local_batch}, seed {o.seed}",
    ]


def result(
    options: Options,
    problem: Problem,
    state: AdamState,
    *,
    ranks: int,
    average_gradient_norm: Array,
    bound: dict[str, Any],
    bounds: list[dict[str, Any]],
    seconds: float,
) -> dict[str, Any]:
    """What result.json says, where the run has ended in this state.

    Parameters
    ----------
    average_gradient_norm : array ()
        (1/T) sum over every t of ||grad f(x_t)||.
    bound : dict
        Corollary 13's, as `mpi.bound.bound_of` gives it.
    bounds : list of dict
        Every statement's, as `mpi.bound.bounds_of` gives them.
    seconds : float
        What the run has taken, earlier stretches included.
    """
    return {
        "problem": options.problem,
        "steps": options.steps,
        "workers": options.workers,
        "ranks": ranks,
        "topology": options.topology,
        "reduction": options.reduction,
        "seed": options.seed,
        "final_loss": _finite_or_none(problem.value(state.x)),
        "accuracy": problem.accuracy(state.x),
        "average_gradient_norm": _finite_or_none(average_gradient_norm),
        "bound": bound,
        "bounds": bounds,
        "sha256": {"x": sha256(state.x), "m": sha256(state.m), "v": sha256(state.v)},
        "wall_seconds": round(seconds, 3),
    }


def text(result: dict[str, Any], problem: Problem, out: Path) -> str:
    """The table that a finished run prints."""
    rows = [
        ("final loss", f"{_shown(result['final_loss'])} (from {float(problem.value(problem.start)):.6f})"),
        ("accuracy (held out)", "-" if result["accuracy"] is None else f"{100 * result['accuracy']:.1f} %"),
        ("average gradient norm", f"{_shown(result['average_gradient_norm'])} over {result['steps']} steps"),
        *((bound["statement"], _verdict(bound)) for bound in result["bounds"]),
        *([("", _from_when(result["bound"]["nonvacuous_from"]))] if result["bound"]["vacuous"] else []),
        *((f"sha256 of {name}", value) for name, value in result["sha256"].items()),
        ("time", f"{result['wall_seconds']:.1f} s on {_counted(result['ranks'], 'rank')}"),
        ("files", f"{out}/result.json, history.npz, history.png, checkpoint/"),
    ]
    return "\n" + "".join(f"{name:27}{value}\n" for name, value in rows)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _verdict(bound: dict[str, Any]) -> str:
    if bound["value"] is None:
        return f"no bound: {bound['reason']}"
    told = f"bound {bound['value']:.3g} on the {bound['metric']}"
    return f"{told}, vacuous: it {bound['reason']}" if bound["vacuous"] else told


def _from_when(T: int | None) -> str:
    if T is None:
        return "with these parameters Corollary 13's exceeds G for every T that a float can hold"
    return f"with these parameters Corollary 13's is below G from T = {T:.2g} steps on"


def _shown(number: float | None) -> str:
    return "not finite" if number is None else f"{number:.6f}"


def _finite_or_none(number: Any) -> float | None:
    """For JSON, which has no infinity and no NaN: a run may diverge."""
    return float(number) if np.isfinite(number) else None
