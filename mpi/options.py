"""The options of `python -m mpi.train`, their defaults and their limits."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from mpi.exits import ERROR, USAGE, Refusal
from mpi.topologies import BY_NAME as TOPOLOGIES
from reference import families, initial_state, problems
from reference.sampling import Sampler
from reference.sources import checked_workers

REDUCTIONS = ("tree",)


@dataclass(frozen=True)
class Options:
    """What the run is: two runs with equal options have equal bits, whatever the ranks. Stored in the checkpoint.

    Attributes are named as the options of the command line, whose help says what they mean.
    """

    problem: str
    steps: int
    workers: int
    local_batch: int
    alpha: float
    beta: float
    theta: float
    epsilon: float
    topology: str
    reduction: str
    seed: int


@dataclass(frozen=True)
class Request:
    """What to do with it this time.

    Attributes
    ----------
    out : Path or None
        The folder of a new run; None for one of the next free name under runs/.
    checkpoint_every : int
        Steps between checkpoints.
    stop_after : int or None
        The step to end after, before T.
    resume : Path or None
        The folder of the run to continue; None for a new run.
    """

    out: Path | None
    checkpoint_every: int
    stop_after: int | None
    resume: Path | None


DEFAULTS: dict[str, Any] = {
    "problem": "digits",
    "steps": 1000,
    "local_batch": 8,
    "alpha": 3.0,
    "beta": 0.9,
    "theta": 1.0,
    "topology": "parameter-server",
    "reduction": "tree",
    "seed": 0,
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refusal(f"{message}; see python -m mpi.train --help", USAGE)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:  # --help, on rank 0 alone
        raise Refusal(message or "", status)


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("must name a folder; got an empty name")
    return Path(text)


def parser() -> argparse.ArgumentParser:
    """The command line. It raises a Refusal where argparse would exit, so that every rank ends alike."""
    p = _Parser(
        prog="python -m mpi.train",
        allow_abbrev=False,
        description="Distributed Adam (Algorithm 3 of Chen, Shen, Zou and Liu, JMLR 23(229), 2022, whose pages the "
        "messages cite) with the schedules of Corollary 13 (p. 13): alpha_t = alpha/sqrt(T), "
        "beta_t = beta, theta_t = 1 - theta/T, v_0 = epsilon. Start it with mpirun -n P, or alone for one process. "
        "With --workers S the run is the same run on any P, to the last bit.",
        epilog="Exit codes: 0 done, 1 error, 2 usage, 3 a gradient that is not finite, 128 + n stopped by signal n "
        "after a checkpoint (SIGINT 130, SIGTERM 143, SIGUSR1 138).",
    )
    run = p.add_argument_group("the run")
    add = run.add_argument
    add("--problem", choices=sorted(problems.BY_NAME), help="the function to minimize (default digits)")
    add("--steps", type=int, metavar="T", help="the number of steps, T, on which the schedules depend (default 1000)")
    add("--workers", type=int, metavar="S", help="the number of workers, s, spread over the P ranks (default P)")
    add("--local-batch", type=int, metavar="B", help="samples that each worker averages in a step (default 8)")
    add("--alpha", type=float, metavar="A", help="alpha, the numerator of alpha_t = A/sqrt(T) (default 3)")
    add("--beta", type=float, metavar="B", help="beta_t = B in every step (default 0.9)")
    add("--theta", type=float, metavar="H", help="theta, the numerator of 1 - theta_t = H/T (default 1)")
    add("--epsilon", type=float, metavar="E", help="v_0, where every coordinate of v starts (default 1/(s d))")
    add(
        "--topology",
        choices=sorted(TOPOLOGIES),
        help="parameter-server (default): rank 0 forms the mean and updates x; allreduce: every rank does",
    )
    add("--reduction", choices=REDUCTIONS, help="the order in which the samples are added (default tree)")
    add("--seed", type=int, metavar="N", help="seed of the random draws, 0 <= N < 2^64 (default 0)")
    files = p.add_argument_group("files")
    add = files.add_argument
    add(
        "--out",
        type=_folder,
        metavar="DIR",
        help="the folder of result.json, history.npz, history.png and checkpoint/ (default: a new one under runs/)",
    )
    add(
        "--checkpoint-every",
        type=int,
        metavar="N",
        default=100,
        help="steps between checkpoints (default 100)",
    )
    add(
        "--stop-after",
        type=int,
        metavar="N",
        help="end after step N < T with a checkpoint, to be resumed",
    )
    add("--resume", action="store_true", help="continue the run in DIR with the options it has, on any number of ranks")
    return p


def parse(argv: list[str] | None) -> tuple[dict[str, Any], Request]:
    """(the run's options that were given, the request). Refusal for what cannot be meant."""
    arguments = vars(parser().parse_args(argv))
    out, resume = arguments.pop("out"), arguments.pop("resume")
    every, stop_after = arguments.pop("checkpoint_every"), arguments.pop("stop_after")
    if every < 1:
        raise Refusal(f"--checkpoint-every must be at least 1 step; got {every}", USAGE)
    if stop_after is not None and stop_after < 1:
        raise Refusal(f"--stop-after must be at least 1 step; got {stop_after}", USAGE)
    if resume and out is None:
        raise Refusal("--resume must come with --out DIR, the folder of the run to continue", USAGE)
    request = Request(out, every, stop_after, out if resume else None)
    return {name: value for name, value in arguments.items() if value is not None}, request


def complete(given: dict[str, Any], ranks: int) -> Options:
    """The given options and the defaults for the rest, within their limits."""
    chosen: dict[str, Any] = DEFAULTS | {"workers": ranks} | given
    if chosen["steps"] == 1 and "theta" not in given:
        raise Refusal(
            "--theta must be below T = 1, so that theta_t = 1 - theta/T is positive (R2, p. 7); got the default, 1",
            USAGE,
        )
    try:
        checked_workers(chosen["workers"])
        dimension = build_problem(chosen["problem"], chosen["local_batch"]).dimension
        chosen.setdefault("epsilon", 1 / (chosen["workers"] * dimension))
        options = Options(**chosen)
        check(options)
    except (ValueError, TypeError) as error:
        raise Refusal(str(error), USAGE) from None
    return options


def stored(options: dict[str, Any], given: dict[str, Any], where: Path) -> Options:
    """A checkpoint's options; a given one that differs is refused."""
    if isinstance(options, dict) and options.get("problem") not in problems.BY_NAME:
        raise Refusal(
            f"the checkpoint in {where} belongs to a problem that is not known here: {options.get('problem')!r}", ERROR
        )
    try:
        found = Options(**options)
        check(found)
    except (ValueError, TypeError, KeyError) as error:
        raise Refusal(f"the checkpoint in {where} has no usable options: {error}", ERROR) from None
    for name, value in given.items():
        if value != options[name]:
            flag = "--" + name.replace("_", "-")
            raise Refusal(
                f"{flag} must be {options[name]}, as in the run in {where} that --resume continues; got {value}",
                USAGE,
            )
    return found


def check(options: Options) -> None:
    """ValueError or TypeError where the run cannot be started."""
    problem = build_problem(options.problem, options.local_batch)
    family_of(options).at(1)
    TOPOLOGIES[options.topology]
    initial_state(problem.start, options.epsilon)
    Sampler(options.seed)
    checked_workers(options.workers)


def build_problem(name: str, local_batch: int) -> problems.Problem:
    """The problem of --problem NAME, whose samples are means of B = local_batch draws."""
    return problems.BY_NAME[name](local_batch)


def family_of(options: Options) -> families.Family:
    """The schedules of Corollary 13 (Chen et al. 2022, p. 13) with the run's parameters."""
    return families.practical(options.steps, options.alpha, options.beta, options.theta)


def warnings_about(options: Options) -> list[str]:
    """What is allowed and may not be what was meant."""
    if 0.9 < options.theta < 1:
        decay = 1 - options.theta
        return [
            f"--theta {options.theta:g} is the numerator in 1 - theta/T = {1 - options.theta / options.steps:g}; "
            f"for theta_t = {options.theta:g} give --theta {decay * options.steps:g}"
        ]
    return []


def as_dict(options: Options) -> dict[str, Any]:
    """As a checkpoint keeps them, and `Options(**...)` takes them back."""
    return asdict(options)
