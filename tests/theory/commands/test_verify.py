"""`python -m theory verify`; its report itself is tested in tests/theory/report."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.theory.experiments.test_figures import made_up
from tests.theory.report.page_reader import Page, standing_alone
from theory.__main__ import main
from theory.commands import verify
from theory.experiments import EXPERIMENTS, load

ROOT = Path(__file__).parents[3]
# -------------------------------------------------------------------------------------------------------- command


@pytest.fixture
def few(monkeypatch):
    """Two experiments with made-up data, which `measure` writes; a list of what it was asked for."""
    names = {"rates": "rates", "4": "figure_4"}
    asked = []

    def measure(wanted, size, folder):
        asked.append(list(wanted))
        for name in wanted:
            if not (folder / f"{name}.npz").exists():
                load(name).save(made_up()[name], size, folder / f"{name}.npz")
            (folder / f"{name}.png").touch()

    monkeypatch.setattr(verify, "EXPERIMENTS", names)
    monkeypatch.setattr(verify, "measure", measure)
    return asked


def test_everything_is_measured_and_written(few, tmp_path, capsys):
    out = tmp_path / "deep" / "report"
    assert main(["verify", "--quick", "--out", str(out)]) == 0
    assert few == [["rates", "4"]]
    assert sorted(path.name for path in out.iterdir()) == [
        "4.npz",
        "4.png",
        "rates.npz",
        "rates.png",
        "report.html",
        "report.json",
    ]
    answer = json.loads((out / "report.json").read_text())
    assert answer["violated"] == 0
    assert len(answer["claims"]) == 6 + 9  # a slope for each of 3 points on both problems, a bound on the bump
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == str(out / "report.html")
    for claim in answer["claims"]:
        assert f"{claim['verdict']:11}  {claim['id']:8}" in printed.out
        assert claim["statement"] in printed.out
        assert (
            claim["command"]
            == f"python -m theory figure {claim['id'].split('-')[-2]} --quick --out {claim['data'][:-4]}.png"
        )
    standing_alone(Page((out / "report.html").read_text()), ["rates.npz", "4.npz"])


def test_a_violated_claim_exits_with_1_and_json_is_the_report(few, tmp_path, capsys, monkeypatch):
    wrong = made_up()
    wrong["rates"] = {"bump": replace(wrong["rates"]["bump"], values=1e9 * wrong["rates"]["bump"].values)}
    load("rates").save(wrong["rates"], "full", tmp_path / "rates.npz")
    assert main(["verify", "--full", "--out", str(tmp_path), "--json"]) == 1
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert answer == json.loads((tmp_path / "report.json").read_text())
    assert answer["violated"] == 3  # Theorem 2's bound at each point
    assert [claim["verdict"] for claim in answer["claims"]].count("violated") == 3


def test_what_is_there_is_not_measured_again(few, tmp_path, capsys):
    load("4").save(made_up()["4"], "standard", tmp_path / "4.npz")
    (tmp_path / "4.png").touch()
    assert main(["verify", "--out", str(tmp_path)]) == 0
    assert few == [["rates"]]
    assert "measured before" in capsys.readouterr().err
    (tmp_path / "4.png").unlink()
    assert main(["verify", "--out", str(tmp_path)]) == 0
    assert few[1:] == [["4"]]  # its picture is drawn again
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "--quick", "--out", str(tmp_path)])
    assert stopped.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "rates.npz" in error and "standard size" in error and len(few) == 2


def test_the_default_folder_is_new(few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert main(["verify"]) == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["verify-001", "verify-002"]


def test_a_folder_that_cannot_be_is_one_line(few, tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "--out", str(tmp_path / "file")])
    assert stopped.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and f"--out {tmp_path / 'file'}" in err


def test_a_measurement_that_fails_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(verify, "EXPERIMENTS", {"4": "figure_4"})
    monkeypatch.setattr(verify, "_command", lambda *_: ["python", "-c", "import sys; sys.exit('first\\nno memory')"])
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == "python -m theory verify: 4: exit 1: no memory"


@pytest.mark.parametrize("name", ["report.html", "report.json"])
def test_a_report_that_cannot_be_written_is_one_line(name, few, tmp_path, capsys):
    (tmp_path / name).mkdir()
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert name in capsys.readouterr().err.splitlines()[-1]


def start(*arguments, **options):
    command = [sys.executable, "-m", "theory", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, text=True, **options)


def children_of(marker):
    """Processes that have the marker in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            found += [path.parent.name] if marker.encode() in path.read_bytes() else []
    return found


@pytest.mark.parametrize(
    ("sent", "interrupt"),
    [(signal.SIGTERM, signal.SIG_DFL), (signal.SIGINT, signal.SIG_DFL), (signal.SIGTERM, signal.SIG_IGN)],
)
def test_stopped_it_takes_its_children_along(sent, interrupt, tmp_path):
    """Also where a shell started it in the background, so that it and its children ignore SIGINT."""
    process = start(
        "verify", "--quick", "--out", tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, interrupt),
    )  # fmt: skip
    while len(children_of(str(tmp_path))) < 2:
        time.sleep(0.05)
    time.sleep(1)
    measured = sorted(tmp_path.glob("*.npz"))
    process.send_signal(sent)
    out, err = process.communicate(timeout=30)
    assert sorted(tmp_path.glob("*.npz")) == measured  # its children were ended, not waited for
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "python -m theory verify: interrupted; the same command goes on"
    assert not children_of(str(tmp_path))


@pytest.mark.parametrize("how", ["ascii", "closed", "unread"])
def test_standard_output_of_any_kind(how):
    given = ["condition", "--adam"]
    if how == "ascii":
        process = start(*given, stdout=subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": "ascii"})
        assert "SC4  fails" in process.communicate(timeout=60)[0]
    elif how == "closed":
        process = start(*given, stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))
        assert process.communicate(timeout=60)[1] == ""
    else:
        read, write = os.pipe()
        os.close(read)
        process = start(*given, stdout=write, stderr=subprocess.PIPE)
        os.close(write)
        assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 0


def test_letters_that_the_terminal_has_not_are_replaced(monkeypatch):
    from theory.__main__ import _write

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    _write("β = 1\n")
    assert raw.getvalue() == b"? = 1\n"


def test_all_of_it_quickly(tmp_path):
    """The command itself, every experiment really measured."""
    command = [sys.executable, "-m", "theory", "verify", "--quick", "--out", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    answer = json.loads((tmp_path / "report.json").read_text())
    assert answer["violated"] == 0
    prefixes = {claim["id"].rpartition("-")[0] for claim in answer["claims"]}
    assert prefixes == {load(name).id for name in EXPERIMENTS}
    assert {claim["verdict"] for claim in answer["claims"]} == {"holds", "cannot tell"}
    data = {f"{name}.npz" for name in EXPERIMENTS}
    assert data | {name.replace(".npz", ".png") for name in data} | {"report.html", "report.json"} == {
        path.name for path in tmp_path.iterdir()
    }
    standing_alone(Page((tmp_path / "report.html").read_text()), data)
    assert ended.stderr.count(" s  (") == len(EXPERIMENTS)  # progress
