"""The pictures of an experiment inside the page, each with its caption and, in words, what it is found to show."""

from __future__ import annotations

import base64
from html import escape

from matplotlib.figure import Figure

from theory.experiments.experiment import Panel, Table, draw_panel, house_style, legend_columns, rendered
from theory.report.sections import Section

HEAVY = 150_000  # bytes of a vector picture, above which it becomes pixels


def lead(section: Section) -> str:
    """The one picture, or the table, that stands for the section."""
    if section.experiment.table is not None:
        return as_table(section.experiment.table(section.parts))
    return picture(_panels(section)[0], section)


def others(section: Section) -> list[str]:
    """The rest of the pictures."""
    return [] if section.experiment.table is not None else [picture(each, section) for each in _panels(section)[1:]]


def _panels(section: Section) -> list[Panel]:
    """The leading one first."""
    every = [panel for row in section.experiment.panels(section.parts) for panel in row]
    return sorted(every, key=lambda panel: not panel.lead)


def picture(panel: Panel, section: Section) -> str:
    """A panel with its caption; the alternative text adds what its topics are found to show."""
    shown = [str(topic) for topic in section.topics if topic.words in panel.topics]
    alternative = " ".join([panel.caption, *(["Found:"] if shown else []), *shown])
    return (
        f'<figure><img src="{_source(panel)}" alt="{escape(alternative)}">'
        f"<figcaption>{escape(panel.caption)}</figcaption></figure>\n"
    )


def _source(panel: Panel) -> str:
    """Transparent, so that a dark page shows through."""
    with house_style():
        drawn = Figure(figsize=(5.8, 4.2), layout="constrained", dpi=170)
        labels = draw_panel(drawn, panel).get_legend_handles_labels()[1]
        lines = -(-len(labels) // legend_columns(labels)) if labels else 0
        drawn.set_size_inches(5.8, 3.9 + 0.2 * lines)
        vector = rendered(drawn, "svg", transparent=True)
        kind, data = ("svg+xml", vector) if len(vector) < HEAVY else ("png", rendered(drawn, "png", transparent=True))
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def as_table(table: Table) -> str:
    """An HTML table; a narrow screen scrolls it sideways."""
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>\n"
        for row in table.rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(table.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>\n"
    )
