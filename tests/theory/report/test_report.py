"""The report: what it says, that each claim stands on it once, and that it needs nothing but itself."""

import json
import re
from dataclasses import replace
from datetime import date
from html import escape
from importlib.resources import files

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.theory.experiments.test_figures import made_up
from tests.theory.report.page_reader import Page, standing_alone
from theory.experiments import EXPERIMENTS, load, proposition_22
from theory.experiments.experiment import Panel, Table, draw_panel, legend_columns
from theory.report import WORDS, Section, as_html, as_json, as_text, pictures
from theory.report.axis import Scale, axis, between, number
from theory.report.cards import card
from theory.report.sections import Topic
from theory.tools.statistics import Claim, Interval, within

HOLDS, VIOLATED, OPEN = (0.5, 0.25, 0.75), (3.0, 2.0, 4.0), (0.5, -1.0, 2.0)
MINUS = "\N{MINUS SIGN}"


def judged(numbers, low=0.0, high=1.0, claim="claim", **more):
    return replace(within(claim, Interval(*numbers, 1e-6, 64, "every distribution"), low, high), **more)


def section(*claims, name="rates"):
    return Section(
        load(name), made_up()[name], list(claims), f"{name}.npz", date(2022, 7, 1), f"python -m theory figure {name}"
    )


@pytest.fixture(scope="module")
def mixed():
    """Every verdict: topics A (all hold), B (one is open), C (one is violated), D (vacuous alone)."""
    return [
        section(
            judged(HOLDS, claim="one", topic="Topic A"),
            judged(HOLDS, claim="two", topic="Topic A", vacuous=True),
            judged(HOLDS, claim="three", topic="Topic B"),
            judged(OPEN, high=np.inf, claim="four", topic="Topic B"),
            judged(HOLDS, claim="five", topic="Topic D", vacuous=True),
        ),
        section(
            judged(VIOLATED, claim="six", topic="Topic C"),
            judged(OPEN, claim="seven", topic="Topic C"),
            name="4",
        ),
    ]


@pytest.fixture(scope="module")
def page(mixed):
    return Page(as_html(mixed, "quick"))


def test_as_json(mixed):
    answer = as_json(mixed, "quick")
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert (answer["violated"], answer["size"], answer["false_alarms"]) == (1, "quick", 1e-4)
    claims = answer["claims"]
    assert [claim["id"] for claim in claims] == [f"rates-{i}" for i in range(1, 6)] + ["figure-4-1", "figure-4-2"]
    assert [claim["statement"] for claim in claims] == ["one", "two", "three", "four", "five", "six", "seven"]
    assert [claim["topic"][-1] for claim in claims] == list("AABBDCC")
    verdicts = ["holds"] * 3 + ["cannot tell", "holds", "violated", "cannot tell"]
    assert [claim["verdict"] for claim in claims] == verdicts
    assert [claim["measured"] for claim in claims] == [0.5, 0.5, 0.5, 0.5, 0.5, 3.0, 0.5]
    assert claims[5]["interval"] == [2.0, 4.0]
    assert [claim["expected"] for claim in claims[2:4]] == [[0.0, 1.0], [0.0, None]]
    assert [claim["vacuous"] for claim in claims] == [False, True, False, False, True, False, False]
    assert [claim["data"] for claim in claims] == ["rates.npz"] * 5 + ["4.npz"] * 2


def test_as_text(mixed):
    lines = as_text(mixed).splitlines()
    assert lines[0].split() == ["holds", "rates-1", "one"]
    assert lines[5].split() == ["violated", "figure-4-1", "six"]
    assert lines[-1] == "7 claims: 4 hold (2 vacuous), 2 cannot tell, 1 violated"
    assert "Topic B (1 of 2 claims holds, 1 cannot be told)." in lines


def test_every_claim_stands_on_the_page_once(mixed, page):
    articles = page.all("article")
    assert [given["id"] for given in articles] != []
    assert sorted(given["id"] for given in articles) == sorted(id for each in mixed for id, _ in each.named)
    for each in mixed:
        for id, found in each.named:
            assert page.text.count(id) == 1  # its own link
            assert sum(f" {found.statement} " == text for text in page.text) == 1
            assert f"#{id}" in page.refers
    standing_alone(page, ["rates.npz", "4.npz"])


def test_the_first_screen_says_what_holds_what_does_not_and_what_cannot_be_told(page):
    head = page.source[: page.source.index("<main>")]
    columns = re.findall(r'<div class="(holds|violated|cannot-tell)"><h2>(.*?)</h2>(.*?)</div>', head, re.S)
    assert [title for _, title, _ in columns] == ["What holds", "What does not hold", "What cannot be told"]
    named = [re.findall(r"Topic [A-D]", body) for _, _, body in columns]
    assert named == [["Topic A"], ["Topic C"], ["Topic B", "Topic D"]]
    for words in (
        "7 claims about Adam were measured: 2 of them hold where a measurement could have said otherwise, "
        "2 hold whatever is measured (vacuous), 2 cannot be told, and 1 is violated.",
        'Topic A <a href="#rates">(the one claim holds; 1 more is vacuous)</a>',
        'Topic B <a href="#rates">(1 of 2 claims holds, 1 cannot be told)</a>',
        'Topic C <a href="#figure-4">(0 of 2 claims hold, 1 is violated, 1 cannot be told)</a>',
        'Topic D <a href="#rates">(1 claim, vacuous: true whatever is measured)</a>',
    ):
        assert words in head
    for name in ("rates", "4"):
        assert f'<li><a href="#{load(name).id}">{escape(load(name).title)}</a></li>' in head
    assert "<img" not in head


def test_where_all_is_well_the_page_says_so():
    shown = Page(as_html([section(judged(HOLDS, topic="Topic A"))], "quick")).words
    assert "1 claim about Adam was measured: 1 of them hold" in shown and "and none is violated." in shown
    assert "no interval lies outside the range that its claim allows" in shown
    assert "Nothing is left open." in shown
    assert "Contradicted by at least one" not in shown and "Confirmed in part at most" not in shown
    shown = Page(as_html([section(judged(OPEN, topic="Topic A"))], "quick")).words
    assert "no topic holds in all of its claims" in shown


@pytest.mark.parametrize(
    ("verdicts", "verdict", "tally"),
    [
        ([HOLDS, HOLDS], "holds", "all 2 claims hold"),
        ([HOLDS], "holds", "the one claim holds"),
        ([HOLDS, HOLDS, OPEN], "cannot tell", "2 of 3 claims hold, 1 cannot be told"),
        ([HOLDS, OPEN, OPEN], "cannot tell", "1 of 3 claims holds, 2 cannot be told"),
        ([OPEN, VIOLATED, VIOLATED], "violated", "0 of 3 claims hold, 2 are violated, 1 cannot be told"),
    ],
)
def test_a_topic_has_the_worst_verdict_of_its_claims(verdicts, verdict, tally):
    for them in (verdicts, verdicts[::-1]):
        topic = Topic("T", [judged(each) for each in them])
        assert (topic.verdict, topic.tally) == (verdict, tally)
    vacuous = [judged(HOLDS, vacuous=True)] * 2
    assert Topic("T", [*topic.claims, *vacuous]).tally == f"{tally}; 2 more are vacuous"
    assert Topic("T", vacuous).verdict is None


def test_claims_that_nothing_could_violate_are_marked_and_counted():
    shown = Page(
        as_html([section(judged(HOLDS, refutable=False), judged(OPEN, refutable=False), judged(HOLDS))], "quick")
    )
    marked = [places[-2] for tag, given, places in shown.elements if given.get("class") == "badge mark"]
    assert marked.count("article.holds") == marked.count("article.cannot-tell") == 1
    assert "So it is with 2 claims here." in shown.words


def test_claims_are_sorted_by_verdict_and_the_vacuous_ones_folded(page):
    ids = [given["id"] for given in page.all("article")]
    assert ids == ["rates-4", "rates-1", "rates-3", "rates-2", "rates-5", "figure-4-1", "figure-4-2"]
    inside = {given["id"]: places for tag, given, places in page.elements if tag == "article"}
    assert [id for id, places in inside.items() if "details.more" in places] == ["rates-2", "rates-5"]
    assert not any("open" in given for given in page.all("details"))
    for title in (
        "2 vacuous claims, true whatever is measured",
        "What cannot be told: 1 claim",
        "What holds: 2 claims",
    ):
        assert title in page.words


def test_a_section_begins_with_what_was_learnt_and_one_picture(page):
    for name, numbers in (("rates", 4), ("4", 2)):
        start = page.source.index(f'<section id="{load(name).id}">')
        body = page.source[start : page.source.index("</section>", start)]
        opening, rest = body.split("<article", 1)[0].split('<details class="more">', 1)
        assert opening.count("<img") == 1
        assert rest.count("<img") == numbers - 1
        assert escape(load(name).title) in opening and escape(load(name).paper) in opening
        assert f"python -m theory figure {name}" in opening and "2022-07-01" in opening
        assert re.search(r'class="lesson">Topic', opening) and opening.index("lesson") < opening.index("The paper.")


def test_alternative_texts_give_the_finding():
    topic = load("4").panels(made_up()["4"])[0][0].topics[0]
    for numbers, tally in ((HOLDS, "all 2 claims hold"), (VIOLATED, "0 of 2 claims hold, 2 are violated")):
        shown = Page(as_html([section(*[judged(numbers, topic=topic)] * 2, name="4")], "quick"))
        first, second = (given["alt"] for given in shown.all("img"))
        assert first.endswith(f"Found: {topic} ({tally}).")
        assert "Found:" not in second
    labels = [given["aria-label"] for given in shown.all("svg")]
    assert labels == ["Axis: claimed 0 … 1, measured 2 … 4: violated"] * 2


@pytest.mark.parametrize("name", ["1", "4", "rates", "speedup"])
def test_topics_of_pictures_are_topics_of_claims(name):
    """So no picture is left without what it is found to show, and one stands for the experiment."""
    parts = made_up()[name]
    panels = [panel for row in load(name).panels(parts) for panel in row]
    topics = {found.topic for found in load(name).claims(parts, 1e-4)}
    assert "" not in topics and all(topic == topic.strip().rstrip(".") for topic in topics)
    assert {topic for panel in panels for topic in panel.topics} <= topics
    assert [panel.lead for panel in panels].count(True) == 1
    assert all(panel.caption.endswith(".") for panel in panels)


def test_words_are_not_markup():
    shown = as_html([section(judged(HOLDS, claim="a < b & <b>c</b>", topic="<i>T", reason="x > y"))], "full")
    assert "a &lt; b &amp; &lt;b&gt;c" in shown and "X &gt; y." in shown and "&lt;i&gt;T" in shown
    assert "<b>c" not in shown and "<i>T" not in shown
    assert Page(shown).open == []


def test_words_are_explained_on_the_page(page):
    for word, meaning in WORDS.items():
        assert word in page.text and meaning in page.text
        assert meaning.endswith(".") and meaning[0].isupper()


# --------------------------------------------------------------------------------------------------------- style


def test_the_style_is_package_data_with_dark_and_print(page):
    style = files("theory.report").joinpath("style.css").read_text()
    assert style in page.source
    assert style.count("{") == style.count("}")
    colours = set(re.findall(r"(--[a-z-]+):", style[: style.index("@media")]))
    for block in ("@media (prefers-color-scheme: dark)", "@media print"):
        assert set(re.findall(r"(--[a-z-]+):", style.split(block)[1].split("}")[0])) == colours, block
    assert set(re.findall(r"var\((--[a-z-]+)\)", style)) == colours
    named = set(re.findall(r"\.([a-z][a-z-]+)", re.sub(r"\{[^}]*\}", "{}", style)))
    used = {each for _, given, _ in page.elements for each in given.get("class", "").split()}
    assert named - {"wide"} <= used  # of a table alone
    printed = style.split("@media print")[1]
    assert re.search(r"\.back, nav, article details \{ display: none", printed)
    assert "break-inside: avoid" in printed


def test_a_way_back_to_the_top(page):
    assert ("a", {"class": "back", "href": "#top"}, ["html", "body"]) in page.elements
    assert "top" in page.ids


# --------------------------------------------------------------------------------------------------------- axes


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(-np.inf, 0.5, "≤ 0.5"), (2.0, np.inf, "≥ 2"), (-1.0, 1.5, f"{MINUS}1 … 1.5"), (3.0, 3.0, "3")],
)
def test_a_range_in_words(low, high, words):
    assert between(low, high) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1234.5, "1234"),
        (1e5, "1e5"),
        (2.5e-7, "2.5e-7".replace("-", MINUS)),
        (-0.0, "0"),
        (1e16, "1e16"),
        (1e10, "1e10"),
    ],
)
def test_a_number_in_words(value, words):
    assert number(value) == words


@pytest.mark.parametrize(
    ("measured", "low", "high", "ends", "claimed"),
    [
        ((0.5, 0.25, 0.75), 0.0, 1.0, [0.25, 0.75], (0.0, 1.0)),
        ((3.0, 2.0, 4.0), 0.0, 1.0, [0.5, 1.0], (0.0, 0.25)),  # 0..4 is all there is
        ((0.5, -np.inf, 1.0), -np.inf, 2.0, [None, 0.5], (None, 1.0)),  # 0..2
        ((-0.5, -1.0, 0.0), -np.inf, 1.0, [0.0, 0.5], (None, 1.0)),  # -1..1
        ((0.5, 0.0, np.inf), 0.25, np.inf, [0.0, None], (0.5, None)),  # 0..0.5
        ((-2.0, -3.0, -1.0), -4.0, -2.0, [0.25, 0.75], (0.0, 0.5)),  # -4..0
        ((10.0, 1.0, 100.0), -np.inf, 1e4, [0.0, 0.5], (None, 1.0)),  # logarithmic, 1..10^4
    ],
)
def test_the_axis_is_to_scale(measured, low, high, ends, claimed):
    """Positions as fractions of what is finite; None is the edge."""
    drawn = axis(Claim("c", "holds", Interval(*measured, 0.1, 9), (low, high), ""))
    bar = re.search(r'class="measured" d="M([\d.]+) 19H([\d.]+)', drawn)
    box = re.search(r'<rect class="claimed" x="([\d.]+)" y="6" width="([\d.]+)"', drawn)
    found = [float(bar[1]), float(bar[2]), float(box[1]), float(box[1]) + float(box[2])]
    inner = 328 / 1.16
    wanted = [
        {0: 16, 1: 344}[side] if end is None else 16 + inner * (0.08 + end)
        for side, end in zip((0, 1, 0, 1), (*ends, *claimed), strict=True)
    ]
    assert found == pytest.approx(wanted, abs=0.2)
    assert drawn.count(" 12v14") == sum(end is not None for end in ends)  # no cap at an open side
    assert drawn.count('class="limit"') == np.isfinite([low, high]).sum()


@pytest.mark.parametrize(
    "values", [[0.0, 1.0], [-1420.0, 3.0], [0.1137, 53.9], [2e-7, 3e-5], [-0.0198, 0.0155], [0.7, 2763.0], [5.0]]
)
def test_the_numbers_on_an_axis_are_where_they_say(values):
    scale = Scale(values)
    ticks = scale.ticks
    assert 2 <= len(ticks) <= 8
    places = [scale.at(tick) for tick in ticks]
    assert all(16 <= place <= 344 for place in places) and min(np.diff(places)) > 30
    share = (np.array(places) - places[0]) / (places[-1] - places[0])
    of = np.log(ticks) if scale.logarithmic else np.array(ticks)
    np.testing.assert_allclose(share, (of - of[0]) / (of[-1] - of[0]), atol=2e-3)
    low = min(values)
    drawn = axis(Claim("c", "holds", Interval(max(values), low, max(values), 0.1, 9), (low, np.inf), ""))
    for tick, place in zip(ticks, places, strict=True):
        assert f'x="{place}" y="53">{number(tick)}</text>' in drawn or len(set(values)) == 1


def test_one_number_needs_no_axis():
    same = Claim("c", "holds", Interval(0.0, 0.0, 0.0, 0.0, 9), (0.0, 0.0), "")
    assert axis(same) == ""
    assert "Measured 0; claimed 0." in card("a-1", same)


def test_a_card_has_its_numbers_and_how_it_was_decided():
    shown = Page(card("a-1", judged(HOLDS, claim="c", reason="the reason"))).words
    for words in ("holds c a-1", "Measured 0.5 (interval 0.25 … 0.75); claimed 0 … 1.", "The reason. 64 runs."):
        assert words in shown


# ------------------------------------------------------------------------------------------------------ pictures


@pytest.mark.parametrize("name", ["4", "rates", "speedup"])
def test_no_legend_lies_over_the_data(name):
    for panel in [panel for row in load(name).panels(made_up()[name]) for panel in row]:
        drawn = Figure(figsize=(5.8, 5.0), layout="constrained")
        ax = draw_panel(drawn, panel)
        drawn.draw_without_rendering()
        assert ax.get_legend() is None
        (legend,) = drawn.legends
        assert legend.get_window_extent().y1 <= ax.get_tightbbox().y0 + 1
        assert legend.get_window_extent().width <= drawn.bbox.width
        assert [text.get_text() for text in legend.get_texts()] == ax.get_legend_handles_labels()[1]


def test_a_legend_has_as_many_columns_as_fit():
    assert [legend_columns(["a" * n]) for n in (5, 13, 20, 34, 80)] == [4, 4, 3, 2, 1]


def test_a_heavy_picture_becomes_pixels(monkeypatch):
    panel = Panel("c.", lambda ax: ax.plot([0, 1], [0, 1], label="line"))
    shown = pictures.picture(panel, section(judged(HOLDS)))
    assert "data:image/svg+xml;base64," in shown and 'alt="c."' in shown
    monkeypatch.setattr(pictures, "HEAVY", 10)
    assert "data:image/png;base64,iVBOR" in pictures.picture(panel, section(judged(HOLDS)))


def test_proposition_22_is_a_table():
    pairs = proposition_22.Pairs(
        np.array(["a & b", "c", "d"]),
        np.array(["process", "process", "ranks"]),
        np.array([["1" * 64] * 3, ["2" * 64] * 3, ["3" * 64] * 3]),
        np.array([["1" * 64] * 3, ["2" * 64, "2" * 64, "4" * 64], [""] * 3]),
        np.array(["", "", "no mpirun"]),
    )
    experiment = load("proposition-22")
    parts = {"pairs": pairs}
    found = experiment.claims(parts, 1e-4)
    shown = Page(as_html([Section(experiment, parts, found, "p.npz", date(2022, 7, 1), "command")], "quick"))
    rows = re.findall(r"<tr>(.*?)</tr>", shown.source, re.S)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    assert cells == [
        ["run", "x, samples", "x, workers", "x, m, v"],
        ["a &amp; b", "11111111", "11111111", "same"],
        ["c", "22222222", "22222222", "DIFFERENT"],
        ["d", "33333333", "-", "not run"],
    ]
    assert shown.tags.count("table") == shown.tags.count("caption") == 1 and "img" not in shown.tags
    assert [given["scope"] for given in shown.all("th")] == ["col"] * 4 + ["row"] * 3
    standing_alone(shown, ["p.npz"])


def test_a_table_takes_the_place_of_pictures_only_where_there_is_one():
    assert [name for name in EXPERIMENTS if load(name).table is not None] == ["proposition-22"]
    assert pictures.as_table(Table("c", ("a",), [("<",)])).count("&lt;") == 1
