"""Who is there: states of the people over the minutes of a lesson, and their levels in every five minutes."""

import altair as alt
import numpy as np
import pandas as pd

from cssafe.charts.text import no_figure
from cssafe.colours import LEVELS, STATES
from cssafe.language import N_, _
from cssafe.presence.minutes import LEVEL_COUNTS

STATE_NAMES = {
    "on_task": N_("on task"),
    "off_task": N_("off task"),
    "unreadable": N_("not readable"),
    "unseen": N_("not visible"),
}

BLOCK_MINUTES = 5
"""Minutes of a bar of levels: single minutes are too many bars to compare."""


def composition(table: pd.DataFrame) -> alt.Chart:
    """People on task, off task, not readable and not visible in each minute, stacked; a gap where there is no figure.

    table: queries.timeline.
    """
    names = {name: _(title) for name, title in STATE_NAMES.items()}
    return _stacked(_people_by(table, list(STATES)), 1, names, STATES)


def composition_caption(table: pd.DataFrame) -> str:
    """Mean shares of the states, and the minute with the smallest share on task. table: queries.timeline."""
    rows = table.dropna(subset=["present", *STATES]).query("present > 0")
    if rows.empty:
        return no_figure()
    shares = 100 * rows[list(STATES)].sum() / rows["present"].sum()
    on_task = 100 * rows["on_task"] / rows["present"]
    least = on_task.idxmin()
    return _(
        "Of the people present, on average {on_task:.0f} % are on task, {off_task:.0f} % off task, {unreadable:.0f} % not "
        "readable and {unseen:.0f} % not visible. Fewest are seen on task in minute {minute}, {least:.0f} %."
    ).format(**shares, minute=rows["minute"][least] + 1, least=on_task[least])


def level_blocks(table: pd.DataFrame) -> pd.DataFrame:
    """Mean numbers of readable people at each level in every BLOCK_MINUTES. table: queries.timeline.

    Columns: minute (the first one), n_low, n_medium, n_high.
    """
    rows = table.dropna(subset=list(LEVEL_COUNTS))
    return rows.groupby(rows["minute"] // BLOCK_MINUTES * BLOCK_MINUTES)[list(LEVEL_COUNTS)].mean().reset_index()


def levels(blocks: pd.DataFrame) -> alt.Chart:
    """Readable people at each level in every BLOCK_MINUTES, stacked. blocks: of `level_blocks`."""
    names = {f"n_{level}": _(level) for level in LEVELS}
    colours = {f"n_{level}": colour for level, colour in LEVELS.items()}
    return _stacked(_people_by(blocks, list(colours)), BLOCK_MINUTES, names, colours)


def levels_caption(blocks: pd.DataFrame) -> str:
    """The levels of the first and of the last bar. blocks: of `level_blocks`."""
    if blocks.empty:
        return no_figure()
    sentence = _("Minutes {first} to {last}: {high:.0f} high, {medium:.0f} medium, {low:.0f} low.")
    ends = blocks.iloc[[0, -1]] if len(blocks) > 1 else blocks
    return " ".join(
        sentence.format(
            first=row["minute"],
            last=row["minute"] + BLOCK_MINUTES,
            high=row["n_high"],
            medium=row["n_medium"],
            low=row["n_low"],
        )
        for row in ends.to_dict("records")
    )


def _people_by(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Columns: minute, what (of `columns`), people, share (of all in that row, percent), order."""
    rows = table.dropna(subset=columns)[["minute", *columns]].melt("minute", var_name="what", value_name="people")
    rows = rows.astype({"people": float})
    total = rows.groupby("minute")["people"].transform("sum")
    order = rows["what"].map({name: i for i, name in enumerate(columns)})
    return rows.assign(share=100 * rows["people"] / np.maximum(total, 1e-9), order=order)


def _stacked(rows: pd.DataFrame, width: int, names: dict[str, str], colours: dict[str, str]) -> alt.Chart:
    """Bars without gaps between them. width: minutes of a bar."""
    end = max([5, *(rows["minute"] + width)])
    rows = rows.assign(what=rows["what"].map(names), until=rows["minute"] + width)
    return (
        alt.Chart(rows)
        .mark_bar(binSpacing=0 if width == 1 else 2, clip=True)
        .encode(
            x=alt.X("minute:Q")
            .bin("binned")
            .scale(domain=[0, end])
            .title(_("Minutes from the start"))
            .axis(tickMinStep=1, grid=False),
            x2=alt.X2("until:Q"),
            y=alt.Y("people:Q").stack("zero").title(_("People")).axis(tickMinStep=1),
            color=alt.Color("what:N")
            .scale(domain=list(names.values()), range=list(colours.values()))
            .legend(orient="bottom", title=None),
            order=alt.Order("order:O"),
            tooltip=[
                alt.Tooltip("minute:Q").title(_("From minute")),
                alt.Tooltip("what:N").title(_("State")),
                alt.Tooltip("people:Q", format=".1f").title(_("People")),
                alt.Tooltip("share:Q", format=".0f").title(_("Share (%)")),
            ],
        )
        .properties(height=200)
    )
