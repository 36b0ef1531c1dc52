"""`python -m theory.bench`: replica-steps per second of the Monte-Carlo engine, against the same computation in JAX.

Mini-batch Adam on |x|^2/2 with Gaussian noise 8 per coordinate, Corollary 13's family, the average gradient norm over
every t on record: R replicas in d dimensions, the mean of s samples each. Ours is `theory.tools.montecarlo.simulate`,
with all it does for a real run. JAX's is one jitted function: vmap over replicas, scan over steps, float64 and its
default generator, compiled before the clock starts; its float32 is shown beside. One thread each. The contenders take
turns, and a ratio is the median of the ratios within a turn, so a drift of the machine's speed cancels.
"""

from __future__ import annotations

import os

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read when the libraries load
    os.environ[_threads] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["NPROC"] = "1"  # the size of JAX's thread pool, which no flag of XLA's sets

import argparse
import importlib.util
import math
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from reference import families
from reference.problems import Gaussian, NoisyQuadratic
from theory.tools.montecarlo import simulate

ALPHA, BETA, THETA, NOISE = 1.0, 0.9, 1.0, 8.0
SIZES = ((64, 10, 1, 4000), (256, 10, 1, 2000), (64, 10, 64, 300), (64, 1000, 1, 200))  # R, d, s, T


def ours(R: int, d: int, s: int, T: int) -> Callable[[], float]:
    """One turn of this project's engine: R runs of T steps; the mean of their average gradient norms."""
    problem, family = NoisyQuadratic.scaled(d, Gaussian(NOISE)), families.practical(T, ALPHA, BETA, THETA)

    def turn() -> float:
        measured = simulate(problem, family, T, R, epsilon=1 / (s * d), workers=s)
        return float(measured.averages["gradient_norm"].mean)

    return turn


def in_jax(R: int, d: int, s: int, T: int, dtype: str) -> Callable[[], float]:
    """The same as one jitted function of JAX, compiled before it is returned."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    alpha, theta = ALPHA / math.sqrt(T), 1 - THETA / T

    def run(key: Any) -> Any:
        def step(carry: tuple[Any, ...], key: Any) -> tuple[tuple[Any, ...], None]:
            x, m, v, total = carry
            total = total + jnp.sqrt((x * x).sum())
            g = (x + NOISE * jax.random.normal(key, (s, d), dtype)).mean(axis=0)
            v = theta * v + (1 - theta) * g * g
            m = BETA * m + (1 - BETA) * g
            return (x - alpha * m / jnp.sqrt(v), m, v, total), None

        start = jnp.ones(d, dtype), jnp.zeros(d, dtype), jnp.full(d, 1 / (s * d), dtype), jnp.zeros((), dtype)
        (_, _, _, total), _ = jax.lax.scan(step, start, jax.random.split(key, T))
        return total / T

    replicas = jax.jit(jax.vmap(run))

    def turn() -> float:
        return float(np.mean(replicas(jax.random.split(jax.random.key(0), R))))

    turn()
    return turn


def measure(size: tuple[int, int, int, int], turns: int) -> dict[str, list[float]]:
    """Seconds a turn of every contender. All must agree on the mean within 5 %: they compute the same."""
    contenders = {"ours": ours(*size)}
    if importlib.util.find_spec("jax"):
        contenders |= {"float64": in_jax(*size, dtype="float64"), "float32": in_jax(*size, dtype="float32")}
    means = {name: turn() for name, turn in contenders.items()}
    if max(means.values()) > 1.05 * min(means.values()):
        raise SystemExit(f"the contenders disagree on the average gradient norm: {means}")
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(turns):
        for name, turn in contenders.items():
            begin = time.perf_counter()
            turn()
            seconds[name].append(time.perf_counter() - begin)
    return seconds


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(prog="python -m theory.bench", description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=7, help="turns per row (default 7)")
    turns = parser.parse_args().turns
    if turns < 1:
        parser.error(f"--turns {turns}: at least 1")
    print(f"NumPy {np.__version__}, {platform.machine()}, one thread, median of {turns} turns")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores (trust the ratios where no core is shared)")
    if importlib.util.find_spec("jax"):
        print("ratio: time of JAX / time of ours, median over turns; above 1 ours is ahead\n")
    else:
        print("JAX is not installed here, so ours is timed alone; the extra `bench` brings it\n")
    print(
        f"{'R':>4} {'d':>5} {'s':>3} | {'replica-steps/s':>15} {'us/step':>8} | "
        f"{'JAX float64':>17} | {'JAX float32':>17}"
    )
    ratios = []
    for size in SIZES:
        seconds = measure(size, turns)
        R, d, s, T = size
        own = statistics.median(seconds["ours"])
        cells = [f"{R:4} {d:5} {s:3}", f"{R * T / own:15.3g} {1e6 * own / T:8.1f}"]
        for name in ("float64", "float32"):
            if name in seconds:
                ratio = statistics.median(b / a for a, b in zip(seconds["ours"], seconds[name], strict=True))
                cells.append(f"{1e6 * statistics.median(seconds[name]) / T:8.1f} (x{ratio:5.2f})")
                if name == "float64":
                    ratios.append(ratio)
            else:
                cells.append(f"{'-':>17}")
        print(" | ".join(cells), flush=True)
    if ratios:
        print(f"\ngeometric mean of the ratios to float64: {statistics.geometric_mean(ratios):.2f}")


if __name__ == "__main__":
    main()
