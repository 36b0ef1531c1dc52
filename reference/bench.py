"""`python -m reference.bench`: the in-place step against the textbook expression and other libraries.

One table, measured in one run on one thread: the contenders of a row take turns (A B C A B C ...), the median of
all turns is shown, and the ratios are medians of ratios within a turn, so a drift of the machine's speed cancels.

The floor is the memory traffic no update can avoid: x, m, v and g are read and x, m and v are written, 7 d itemsize
bytes moved. It is measured as a copy that moves as much (3.5 d elements read, 3.5 d written) between warm arrays.
torch.optim.Adam and jitted optax.adam compute Kingma-Ba Adam (two more operations a step: the bias corrections);
they are timed where they are installed.
"""

from __future__ import annotations

import os

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read when the libraries load
    os.environ[_threads] = "1"

import argparse
import importlib.util
import itertools
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from reference import families
from reference.adam import initial_state
from reference.checks import checked_gradient
from reference.coefficients import for_steps
from reference.in_place import adam_update_in_place
from reference.methods import ADAM

ALPHA, BETA, THETA, EPSILON = 1e-3, 0.9, 0.999, 1e-8
STRETCH = 4096  # steps whose coefficients are evaluated together
DIMENSIONS = (1_000, 10_000, 1_000_000, 10_000_000)
Contenders = dict[str, Callable[[], object]]


def floor(d: int, dtype: DTypeLike) -> Callable[[], object]:
    """A copy that moves 7 d itemsize bytes."""
    source, target = np.ones(7 * d // 2, dtype), np.ones(7 * d // 2, dtype)
    return lambda: np.copyto(target, source)


def in_place(gradient: np.ndarray) -> Callable[[], object]:
    """A step as the loop takes it: the coefficients of a stretch of steps at once, the gradient checked each time."""

    def steps() -> Iterator[None]:
        state = initial_state(np.ones_like(gradient), EPSILON)
        update, family = adam_update_in_place(state), families.constant(ALPHA, BETA, THETA)
        for first in itertools.count(1, STRETCH):
            values = family.at(np.arange(first, first + STRETCH))
            for coefficients in for_steps(state.x, dict(zip(ADAM.coefficients, values, strict=True))):
                state = update(state, checked_gradient(state, gradient), *coefficients)
                yield

    return steps().__next__


def textbook(g: np.ndarray) -> Callable[[], object]:
    """The three lines as they are usually typed."""
    x, m, v = np.ones_like(g), np.zeros_like(g), np.full_like(g, EPSILON)

    def step() -> None:
        nonlocal x, m, v
        m = BETA * m + (1 - BETA) * g
        v = THETA * v + (1 - THETA) * g**2
        x = x - ALPHA * m / np.sqrt(v)

    return step


def torch_steps(gradient: np.ndarray) -> Contenders:
    """torch.optim.Adam: its loop, foreach and fused paths."""
    import torch

    torch.set_num_threads(1)
    contenders: Contenders = {}
    for name, options in (("torch", {}), ("torch foreach", {"foreach": True}), ("torch fused", {"fused": True})):
        x = torch.ones(gradient.shape, dtype=torch.from_numpy(gradient).dtype, requires_grad=True)
        x.grad = torch.from_numpy(gradient)
        contenders[name] = torch.optim.Adam([x], lr=ALPHA, betas=(BETA, THETA), eps=EPSILON, **options).step
    return contenders


def optax_step(gradient: np.ndarray) -> Contenders:
    """optax.adam, jitted, with its buffers donated."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    method = optax.adam(ALPHA, b1=BETA, b2=THETA, eps=EPSILON)
    g = jax.numpy.asarray(gradient)
    x = jax.numpy.ones_like(g)

    def update(x: Any, state: Any) -> tuple[Any, Any]:
        change, state = method.update(g, state, x)
        return optax.apply_updates(x, change), state

    jitted = jax.jit(update, donate_argnums=(0, 1))
    carry = [x, method.init(x)]

    def step() -> None:
        carry[:] = jitted(*carry)
        jax.block_until_ready(carry)

    return {"optax jitted": step}


def contenders_for(d: int, dtype: DTypeLike) -> Contenders:
    """All that are installed, each a function that takes one step."""
    gradient = np.random.default_rng(0).standard_normal(d).astype(dtype)
    contenders: Contenders = {"in place": in_place(gradient), "floor": floor(d, dtype), "textbook": textbook(gradient)}
    if importlib.util.find_spec("torch"):
        contenders |= torch_steps(gradient)
    if importlib.util.find_spec("jax") and importlib.util.find_spec("optax"):
        contenders |= optax_step(gradient)
    return contenders


def measure(contenders: Contenders, turns: int) -> dict[str, list[float]]:
    """Seconds per step of every contender, one entry a turn."""
    for step in contenders.values():
        for _ in range(3):
            step()
    repeats = {}
    for name, step in contenders.items():  # enough steps a turn for the clock: 5 ms, or one step
        begin = time.perf_counter()
        step()
        repeats[name] = max(1, int(5e-3 / (time.perf_counter() - begin)))
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, step in contenders.items():
            begin = time.perf_counter()
            for _ in range(repeats[name]):
                step()
            seconds[name].append((time.perf_counter() - begin) / repeats[name])
    return seconds


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(prog="python -m reference.bench", description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=21, help="turns per row (default 21)")
    turns = parser.parse_args().turns
    if turns < 1:
        parser.error(f"--turns {turns}: at least 1")
    print(f"NumPy {np.__version__}, {platform.machine()}, one thread, median of {turns} turns; microseconds a step")
    print("in brackets: time of the contender / time of the in-place step, median over turns\n")
    header: list[str] = []
    for dtype in (np.float32, np.float64):
        for d in DIMENSIONS:
            seconds = measure(contenders_for(d, dtype), turns)
            if not header:
                header = ["dtype", "d", *seconds]
                print(" | ".join([f"{header[0]:7}", f"{header[1]:>8}", *(f"{name:>19}" for name in header[2:])]))
            cells = [f"{dtype.__name__:7}", f"{d:8}"]
            for times in seconds.values():
                ratio = statistics.median(a / b for a, b in zip(times, seconds["in place"], strict=True))
                cells.append(f"{1e6 * statistics.median(times):11.1f} ({ratio:5.2f})")
            print(" | ".join(cells), flush=True)


if __name__ == "__main__":
    main()
