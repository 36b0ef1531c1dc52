"""The report, and `python -m theory verify`."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.theory.experiments.test_figures import made_up
from theory import report
from theory.__main__ import main
from theory.commands import verify
from theory.experiments import EXPERIMENTS, load
from theory.report import Section, as_html, as_json, as_text
from theory.tools.statistics import Claim, Interval, within

ROOT = Path(__file__).parents[3]
VOID = {"meta", "link", "img", "path", "circle", "rect"}


class Page(HTMLParser):
    """What a page refers to, its ids, and its text; fails where tags do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.refers, self.ids, self.text, self.tags = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in ("href", "src", "srcset", "data", "action"):
                self.refers.append(value)
            if name == "id":
                self.ids.append(value)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def standing_alone(page, data):
    """Nothing comes from elsewhere: pictures are inside, links lead to the page itself or to the data beside it."""
    assert "script" not in page.tags
    assert {ref for ref in page.refers if not ref.startswith(("#", "data:"))} == set(data)
    assert {ref[1:] for ref in page.refers if ref.startswith("#")} <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)


def finding(verdict_of, low=0.0, high=1.0, claim="claim"):
    return within(claim, Interval(*verdict_of, 1e-6, 64, "every distribution"), low, high)


HOLDS, VIOLATED, OPEN = (0.5, 0.25, 0.75), (3.0, 2.0, 4.0), (0.5, -1.0, 2.0)


def section(*findings, name="rates"):
    return Section(
        load(name), made_up()[name], list(findings), f"{name}.npz", date(2022, 7, 1), f"python -m theory figure {name}"
    )


def test_the_report_says_what_was_found():
    sections = [
        section(replace(finding(HOLDS, claim="one"), vacuous=True), finding(VIOLATED, claim="two")),
        section(finding(OPEN, high=np.inf, claim="three"), name="4"),
    ]
    answer = as_json(sections, "quick")
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert (answer["violated"], answer["size"], answer["false_alarms"]) == (1, "quick", 1e-4)
    assert [claim["id"] for claim in answer["claims"]] == ["rates-1", "rates-2", "figure-4-1"]
    assert [claim["statement"] for claim in answer["claims"]] == ["one", "two", "three"]
    assert [claim["verdict"] for claim in answer["claims"]] == ["holds", "violated", "cannot tell"]
    assert [claim["measured"] for claim in answer["claims"]] == [0.5, 3.0, 0.5]
    assert [claim["interval"] for claim in answer["claims"]] == [[0.25, 0.75], [2.0, 4.0], [-1.0, 2.0]]
    assert [claim["expected"] for claim in answer["claims"]] == [[0.0, 1.0], [0.0, 1.0], [0.0, None]]
    assert [claim["data"] for claim in answer["claims"]] == ["rates.npz", "rates.npz", "4.npz"]

    text = as_text(sections)
    assert text.splitlines()[0].split() == ["holds", "rates-1", "one"]
    assert text.splitlines()[1].split() == ["violated", "rates-2", "two"]
    assert text.splitlines()[-1] == "3 claims: 1 hold (1 vacuous), 1 cannot tell, 1 violated"
    assert [claim["vacuous"] for claim in answer["claims"]] == [True, False, False]

    page = Page(as_html(sections, "quick"))
    standing_alone(page, ["rates.npz", "4.npz"])
    assert {"rates", "figure-4", "rates-1", "rates-2", "figure-4-1"} <= set(page.ids)
    assert page.tags.index("table") < page.tags.index("img")  # the verdicts first
    assert page.tags.count("img") == 4 + 2
    words = " ".join(" ".join(page.text).split())
    assert "3 claims: 1 hold (1 vacuous), 1 cannot tell, 1 violated." in words
    assert "2 claims: 1 hold (1 vacuous), 0 cannot tell, 1 violated. Data: rates.npz , 2022-07-01." in words
    for place in (f"{load('4').title} : 1 claim: 0 hold, 1 cannot tell", f"{load('4').title} 1 claim: 0 hold"):
        assert words.index(place) < words.index("The paper.")  # in the contents, and in the table
    for part in (load("rates").paper, load("4").title, "python -m theory figure rates", "64 runs", "0.25 … 0.75"):
        assert part in words
    rows = re.findall(r"<tr><td.*?</tr>", as_html(sections, "quick"), re.S)
    assert [re.findall(r"badge ([a-z-]+)", row) for row in rows] == [
        ["holds", "vacuous"],
        ["violated"],
        ["cannot-tell"],
    ]


def test_words_are_not_markup():
    shown = as_html([section(replace(finding(HOLDS), statement="a < b & <b>c</b>", reason="x > y"))], "full")
    assert "a &lt; b &amp; &lt;b&gt;c" in shown and "X &gt; y." in shown
    assert "<b>c" not in shown
    assert Page(shown).open == []


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(-np.inf, 0.5, "≤ 0.5"), (2.0, np.inf, "≥ 2"), (-1.0, 1.5, "\N{MINUS SIGN}1 … 1.5"), (3.0, 3.0, "3")],
)
def test_a_range_in_words(low, high, words):
    assert report._range(low, high) == words


@pytest.mark.parametrize(
    ("measured", "low", "high", "ends", "claimed"),
    [
        ((0.5, 0.25, 0.75), 0.0, 1.0, [0.25, 0.75], (0.0, 1.0)),
        ((3.0, 2.0, 4.0), 0.0, 1.0, [0.5, 1.0], (0.0, 0.25)),  # 0..4 is all there is
        ((0.5, -np.inf, 1.0), -np.inf, 2.0, [None, 0.5], (None, 1.0)),  # 0..2
        ((-0.5, -1.0, 0.0), -np.inf, 1.0, [0.0, 0.5], (None, 1.0)),  # -1..1
        ((0.5, 0.0, np.inf), 0.25, np.inf, [0.0, None], (0.5, None)),  # 0..0.5
    ],
)
def test_the_strip_is_to_scale(measured, low, high, ends, claimed):
    """Positions as fractions of what is finite; None is the edge."""
    drawn = report._strip(Claim("c", "holds", Interval(*measured, 0.1, 9), (low, high), ""))
    bar = re.search(r'd="M([\d.]+) 20H([\d.]+)', drawn)
    box = re.search(r'<rect x="([\d.]+)" y="8" width="([\d.]+)"', drawn)
    found = [float(bar[1]), float(bar[2]), float(box[1]), float(box[1]) + float(box[2])]
    inner = 576 / 1.16
    wanted = [
        {0: 12, 1: 588}[side] if end is None else 12 + 576 * 0.08 / 1.16 + inner * end
        for side, end in zip((0, 1, 0, 1), (*ends, *claimed), strict=True)
    ]
    assert found == pytest.approx(wanted, abs=0.2)
    assert report._strip(Claim("c", "holds", Interval(1.0, 1.0, 1.0, 0.0, 9), (1.0, 1.0), "")) == ""
    assert drawn.count(" 13V27") == sum(end is not None for end in ends)  # no cap at an open side


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
