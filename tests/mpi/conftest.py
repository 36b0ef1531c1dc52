"""Tests marked `parallel` start several ranks. Where that is impossible they are left out, and the report says why."""

import mpirun
import pytest

from reference import problems

LEFT_OUT = pytest.StashKey[int]()


def pytest_configure(config):
    config.addinivalue_line("markers", "parallel: starts several ranks with mpirun")


def pytest_collection_modifyitems(config, items):
    parallel = [item for item in items if item.get_closest_marker("parallel")]
    if mpirun.missing() and parallel:
        items[:] = [item for item in items if item not in parallel]
        config.hook.pytest_deselected(items=parallel)
        config.stash[LEFT_OUT] = len(parallel)


def pytest_terminal_summary(terminalreporter, config):
    if config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(
            f"NOT RUN: {config.stash[LEFT_OUT]} tests of mpi on several ranks ({mpirun.missing()})", red=True
        )


@pytest.fixture(scope="module")
def sound():
    """--problem faulty in this process, as faults.py has it where there is no fault."""

    class Sound(problems.Bump):
        name = "faulty"

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(problems.BY_NAME, "faulty", lambda B: Sound(4, problems.Gaussian(1.0), B))
        yield
