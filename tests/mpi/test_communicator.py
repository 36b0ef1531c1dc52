"""The one file that communicates: on real ranks, and its twin for one process."""

from pathlib import Path

import numpy as np
import pytest
from mpirun import run

from mpi.communicator import Serial, communicator_of
from mpi.exits import Refusal

EXCHANGE = Path(__file__).parent / "exchange.py"


@pytest.mark.parallel
@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_every_call_on_every_rank(tmp_path, ranks):
    ended = run(ranks, EXCHANGE, cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert ended.out == f"agreed: {list(range(ranks))}\n"


def test_one_process_talks_to_itself():
    alone = communicator_of(None)
    assert type(alone) is Serial and (alone.rank, alone.size) == (0, 1)
    rows = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(alone.gather(rows, [2]), rows) and np.array_equal(alone.all_gather(rows, [2]), rows)
    alone.broadcast(rows)
    assert np.array_equal(rows, np.arange(6.0).reshape(2, 3))
    assert (alone.max(-3), alone.min(7), alone.share("told")) == (-3, 7, "told")
    assert alone.on_root(lambda: [1, 2]) == [1, 2]


def test_a_refusal_keeps_its_words_and_code():
    def refuse():
        raise Refusal("no", 17)

    with pytest.raises(Refusal) as raised:
        Serial().on_root(refuse)
    assert (str(raised.value), raised.value.code) == ("no", 17)
