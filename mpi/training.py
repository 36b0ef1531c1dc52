"""The main job: distributed Adam on every rank, with history, checkpoints, signals and a summary on rank 0.

A rank that updates runs the loop of `reference.iterate` with its topology as the source; the other ranks of a parameter
server run the worker's side. After every step all ranks agree on one integer: go on, stop for a signal, or look for the
worker whose gradient was not finite.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO, Any

import numpy as np

from mpi import options as opts
from mpi import output
from mpi.communicator import Serial
from mpi.launch import DONE, ERROR, NON_FINITE, SIGNALS, USAGE, Failure, Refusal
from mpi.options import Options
from mpi.topologies import BY_NAME as TOPOLOGIES
from mpi.topologies import NON_FINITE_STEP, ParameterServer, Topology
from reference.adam import AdamState, NonFiniteError, initial_state
from reference.checkpoint import environment, sha256
from reference.iterate import Recorder, iterate
from reference.problems import Problem
from theory.chen_2022.corollary_13 import ConditionError, corollary_13, nonvacuous_from

log = logging.getLogger("mpi.train")

_KEPT = 100_000  # history entries at most; the average runs over every step all the same


class Progress:
    """A bar on a terminal; a line every 2 seconds elsewhere (launchers pass lines on, not carriage returns)."""

    def __init__(self, first: int, last: int):
        self.first, self.last = first, last
        self.begin = self.shown = time.monotonic()
        self.bar = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=last, initial=first, unit="step", leave=False)

    def step(self, t: int) -> None:
        now = time.monotonic()
        if self.bar is not None:
            self.bar.update(1)
        elif now - self.shown >= 2:
            self.shown = now
            rate = (t - self.first) / (now - self.begin)
            log.info("step %d of %d, %.0f steps/s, %.0f s left", t, self.last, rate, (self.last - t) / rate)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def main(communicator: Serial, argv: list[str] | None) -> int:
    root = communicator.rank == 0
    log.setLevel(logging.INFO if root else logging.WARNING)
    log.addHandler(logging.StreamHandler(sys.stderr))
    arrays: dict[str, Any] = {}
    held: list[IO[bytes]] = []

    def prepare() -> dict[str, Any] | None:
        """On rank 0: the command line, the folder and the checkpoint, before anything is computed."""
        given, request = opts.parse(argv)
        t = 0
        if request.resume:
            assert request.out is not None
            if (request.out / "checkpoint").is_dir():
                held.append(output.lock(request.out))
            found, manifest = output.load_checkpoint(request.out)
            arrays.update(found)
            options, out, t = opts.stored(manifest["options"], given, request.out), request.out, manifest["t"]
            if (out / "result.json").exists():
                log.info("%s holds the finished run (step %d of %d): nothing to do", out, t, options.steps)
                return None
            written, here = manifest["environment"], environment()
            if written != here:
                log.warning("warning: the checkpoint was written with %s, this is %s: bits may differ", written, here)
        else:
            options = opts.complete(given, communicator.size)
        if request.stop_after is not None and not t < request.stop_after < options.steps:
            raise Refusal(
                f"--stop-after {request.stop_after}: must lie after step {t} and before T = {options.steps}", USAGE
            )
        if not request.resume:
            out = output.new_folder(request.out, options.problem)
            held.append(output.lock(out))
        return {
            "options": opts.as_dict(options),
            "t": t,
            "last": request.stop_after or options.steps,
            "every": request.checkpoint_every,
            "out": str(out),
            "workers_given": "workers" in given or request.resume,
        }

    plan = communicator.on_root(prepare)
    here = environment()
    if communicator.max(int(communicator.share(here) != here)) and root:
        log.warning("warning: the ranks differ in NumPy's build or the CPU's kernels: the bits are this mixture's own")
    if plan is None:
        return DONE
    return Job(communicator, plan, arrays).run()


class Job:
    """One stretch of a run: from a start or a checkpoint to T, to --stop-after, or to a signal."""

    def __init__(self, communicator: Serial, plan: dict[str, Any], arrays: dict[str, Any]):
        self.communicator, self.plan = communicator, plan
        self.options = options = Options(**plan["options"])
        self.out = Path(plan["out"])
        self.root = communicator.rank == 0
        self.problem: Problem = opts.build_problem(options.problem, options.local_batch)
        self.source: Topology = TOPOLOGIES[options.topology](self.problem, options.seed, options.workers, communicator)
        state = initial_state(self.problem.start, options.epsilon)
        if plan["t"]:
            if self.root:
                state = AdamState(plan["t"], arrays["x"], arrays["m"], arrays["v"])
            if options.topology != ParameterServer.name:
                for array in state[1:]:
                    communicator.broadcast(array)
        self.state = state._replace(t=plan["t"])
        self.recorder = Recorder(["f", "gradient_norm"], -(-options.steps // _KEPT), ["gradient_norm"])
        self.earlier = 0.0
        if self.root and arrays:
            output.restore(self.recorder, arrays)
            self.earlier = float(arrays["seconds"])
        self.begin = time.monotonic()

    def run(self) -> int:
        if self.root:
            self.introduce()
        self.communicator.on_root(self.save_first)
        try:
            stopped_by = self.step_to(self.plan["last"]) if self.source.updates else self.serve_to(self.plan["last"])
        except NonFiniteError as error:
            if self.root:
                self.save()
                output.write_history(self.out, self.options, self.recorder, self.bound())
                done = self.state.t
                log.info("the state after step %d is in %s", done, self.out / "checkpoint")
            raise Refusal(str(error), NON_FINITE) from None
        if self.root:
            try:
                self.conclude(stopped_by)
            except OSError as error:
                raise Failure(
                    f"the results cannot be written to {self.out}: {error.strerror}; --resume tries again"
                ) from None
        return 128 + stopped_by if stopped_by else DONE

    def step_to(self, last: int) -> int:
        """The updating side; the number of the signal that stopped it, or 0."""
        recorder = self.recorder if self.root else None
        projection = self.problem.project if self.problem.interval else None
        progress = Progress(self.state.t, self.options.steps) if self.root else None
        try:
            for state in iterate(
                self.source, self.state, opts.family_of(self.options), last, recorder=recorder, projection=projection
            ):
                self.state = state
                stop = self.communicator.max(SIGNALS.received)
                if progress is not None:
                    progress.step(self.state.t)
                    if self.state.t % self.plan["every"] == 0:
                        self.save()
                if stop:
                    return stop if self.state.t < last else 0
            return 0
        finally:
            if progress is not None:
                progress.close()

    def serve_to(self, last: int) -> int:
        """A parameter server's other ranks."""
        assert isinstance(self.source, ParameterServer)
        x = np.empty_like(self.state.x)
        for t in range(self.state.t + 1, last + 1):
            self.source.serve(x, t)
            stop = self.communicator.max(SIGNALS.received)
            if stop == NON_FINITE_STEP:
                raise self.source.search(x, t) or NonFiniteError(t, 0, float("nan"))
            if stop:
                return stop if t < last else 0
        return 0

    def seconds(self) -> float:
        return self.earlier + time.monotonic() - self.begin

    def save(self) -> None:
        try:
            output.save_checkpoint(self.out, self.plan["options"], self.state, self.recorder, self.seconds())
        except OSError as error:
            raise Failure(
                f"the checkpoint of step {self.state.t} cannot be written to {self.out}: {error.strerror}"
            ) from None

    def save_first(self) -> None:
        """Before anything is computed: a folder that cannot be written is found out now."""
        try:
            self.save()
        except Failure as failure:
            raise Refusal(str(failure), ERROR) from None

    def introduce(self) -> None:
        o, T = self.options, self.options.steps
        for warning in opts.warnings_about(o):
            log.warning("warning: %s", warning)
        fixed = (
            ""
            if self.plan["workers_given"]
            else " (s = P, the number of ranks; with --workers S the run is the same on any P)"
        )
        ranks = self.communicator.size
        log.info(
            "%s, d = %d: s = %d worker%s on %d rank%s, %s%s", o.problem, self.problem.dimension, o.workers,
            "s" if o.workers > 1 else "", ranks,
            "s" if ranks > 1 else "", o.topology, fixed,
        )  # fmt: skip
        log.info(
            "T = %d, alpha_t = %g/sqrt(T) = %.4g, beta_t = %g, theta_t = 1 - %g/T = %.6g, v_0 = %.3g, "
            "local batch %d, seed %d",
            T, o.alpha, o.alpha / np.sqrt(T), o.beta, o.theta, 1 - o.theta / T, o.epsilon, o.local_batch, o.seed,
        )  # fmt: skip
        if self.state.t:
            log.info("resuming after step %d", self.state.t)

    def conclude(self, stopped_by: int) -> None:
        self.save()
        bound = self.bound()
        output.write_history(self.out, self.options, self.recorder, bound)
        if self.state.t < self.options.steps:
            reason = f"stopped by {signal.Signals(stopped_by).name}" if stopped_by else "stopped as asked"
            log.info(
                "%s after step %d of %d; continue with --resume --out %s",
                reason,
                self.state.t,
                self.options.steps,
                self.out,
            )
            return
        result = self.result(bound)
        output.write_result(self.out, result)
        try:
            sys.stdout.write(summary(result, self.problem, self.out))
            sys.stdout.flush()
        except BrokenPipeError:  # nobody reads; the run is complete all the same
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def result(self, bound: dict[str, Any]) -> dict[str, Any]:
        o, x = self.options, self.state.x
        return {
            "problem": o.problem,
            "steps": o.steps,
            "workers": o.workers,
            "ranks": self.communicator.size,
            "topology": o.topology,
            "reduction": o.reduction,
            "seed": o.seed,
            "final_loss": _finite_or_none(self.problem.value(x)),
            "accuracy": self.problem.accuracy(x),
            "average_gradient_norm": _finite_or_none(self.recorder.averages["gradient_norm"]),
            "bound": bound,
            "sha256": {"x": sha256(x), "m": sha256(self.state.m), "v": sha256(self.state.v)},
            "wall_seconds": round(self.seconds(), 3),
        }

    def bound(self) -> dict[str, Any]:
        """Corollary 13's bound on the average gradient norm, or why there is none."""
        o, problem, constants = self.options, self.problem, self.problem.constants
        answer: dict[str, Any] = {
            "statement": "Corollary 13 (corrected)",
            "value": None,
            "vacuous": None,
            "nonvacuous_from": None,
            "reason": None,
        }
        L, G, f_star = constants.L.value, constants.G.value, constants.f_star.value
        if L is None or G is None or f_star is None:
            return answer | {"reason": "L, G or f* is not known for this problem"}
        if problem.violated:
            assumption, why = next(iter(problem.violated.items()))
            return answer | {"reason": f"{assumption} fails: {why}"}
        if problem.interval:
            return answer | {"reason": "the run projects onto an interval, which is outside Algorithm 1"}
        gap = float(problem.value(problem.start)) - f_star
        given = (L, G, problem.dimension, gap, o.epsilon, o.alpha, o.beta, o.theta)
        try:
            bound = corollary_13(o.steps, *given)
        except ConditionError as error:
            return answer | {"reason": str(error)}
        if not np.isfinite(bound.value):
            return answer | {"reason": "the bound overflows"}
        reason = f"exceeds G = {G:.4g}, which bounds E||grad f|| anyway" if bound.vacuous else None
        return answer | {
            "value": bound.value,
            "vacuous": bool(bound.vacuous),
            "nonvacuous_from": nonvacuous_from(*given),
            "reason": reason,
        }


def _from_when(T: int | None) -> str:
    if T is None:
        return "with these parameters it is for every T that a float can hold"
    return f"with these parameters it says something from T = {T:.2g} steps on"


def _shown(number: float | None) -> str:
    return "not finite" if number is None else f"{number:.6f}"


def _finite_or_none(number: Any) -> float | None:
    """For JSON, which has no infinity and no NaN: a run may diverge."""
    return float(number) if np.isfinite(number) else None


def summary(result: dict[str, Any], problem: Problem, out: Path) -> str:
    bound = result["bound"]
    if bound["value"] is None:
        verdict = f"no bound: {bound['reason']}"
    elif bound["vacuous"]:
        verdict = (
            f"bound {bound['value']:.3g}, vacuous: it {bound['reason']}\n"
            f"{'':27}({_from_when(bound['nonvacuous_from'])})"
        )
    else:
        verdict = f"bound {bound['value']:.3g}"
    rows = [
        ("final loss", f"{_shown(result['final_loss'])} (from {float(problem.value(problem.start)):.6f})"),
        ("accuracy (held out)", "-" if result["accuracy"] is None else f"{100 * result['accuracy']:.1f} %"),
        ("average gradient norm", f"{_shown(result['average_gradient_norm'])} over {result['steps']} steps"),
        (bound["statement"], verdict),
        *((f"sha256 of {name}", value) for name, value in result["sha256"].items()),
        ("time", f"{result['wall_seconds']:.1f} s on {result['ranks']} rank{'s' if result['ranks'] > 1 else ''}"),
        ("files", f"{out}/result.json, history.npz, history.png, checkpoint/"),
    ]
    return "\n" + "".join(f"{name:27}{value}\n" for name, value in rows)
