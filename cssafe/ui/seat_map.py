"""Lessons: attention in the regions of a room, and the division of the room."""

import numpy as np
import pandas as pd
import streamlit as st

from cssafe.charts import classes
from cssafe.language import N_, _
from cssafe.queries import seats
from cssafe.queries.seats import EDGES, MAX_GRID_LINES
from cssafe.settings import MINIMUM_GROUP
from cssafe.store import Workspace
from cssafe.ui import common

HOW_TO_READ = N_(
    "How to read it: the room as the camera sees it; each region shows the mean attention of the faces in it, with its 95 % "
    "interval over faces. A region counts only in seconds with at least {least} measured faces, and not where it would reveal "
    "a group of fewer than {least} others. The place alone is no cause: light, distance and angle to the camera differ, too."
)
DIVIDE_FIRST = N_(
    "First divide the room. Once figures are shown, this lesson keeps its regions, because two divisions of one lesson could "
    "reveal single students."
)
FIXED = N_(
    "This lesson keeps the regions for which its figures were first shown. Another division applies to lessons whose figures "
    "were not shown yet."
)
EDGE_TITLES = {"left": N_("Left"), "top": N_("Top"), "right": N_("Right"), "bottom": N_("Bottom")}


@st.fragment
def show_seats(workspace: Workspace, lesson: int, room: str) -> None:
    """The room's regions with their attention; they can be changed until figures are shown. Made when it is opened.

    lesson: an ended one. room: its name, may be empty.
    """
    panel = st.expander(_("Seats"), icon=":material/event_seat:", key="seating", on_change="rerun")
    if not panel.open:
        return
    with panel:
        if not seats.has_positions(workspace, lesson):
            st.info(
                _(
                    "The places of faces are not known for this lesson: it is of one person alone, shows nobody, or was "
                    "recorded by an earlier version. Record a lesson of a class."
                ),
                icon=":material/event_seat:",
            )
            return
        if seats.division(workspace, lesson):
            _figures(seats.seat_attention(workspace, lesson, []))
            st.caption(_(FIXED))
            with st.popover(_("Divide the room"), icon=":material/grid_on:", width="content"):
                _divide(workspace, room, _regions(workspace, room))
        else:
            _plan(workspace, lesson, room)


def _regions(workspace: Workspace, room: str) -> list[seats.Region]:
    return workspace.get("seats", {}).get(room) or seats.grid(2, 2)


def _figures(table: pd.DataFrame) -> None:
    """The division with its figures. table: seats.seat_attention."""
    common.show_chart(
        classes.regions(table, _("too few")),
        classes.regions_caption(table),
        table[["name", "attention", "low", "high", "faces", "seconds"]],
        key="seats",
    )
    st.caption(_(HOW_TO_READ).format(least=MINIMUM_GROUP))


def _plan(workspace: Workspace, lesson: int, room: str) -> None:
    """The planned division without figures, and the button that shows them."""
    regions = _regions(workspace, room)
    planned = pd.DataFrame(regions, columns=["name", *EDGES]).assign(attention=np.nan, low=np.nan, high=np.nan)
    picked = common.show_chart(
        classes.regions(planned.assign(faces=np.nan, seconds=0), ""),
        _("The room is divided into {n} regions; no figure is shown yet.").format(n=len(regions)),
        planned[["name", *EDGES]],
        on_select="rerun",
        key=f"seats_{lesson}_{hash(str(regions))}",
    )
    st.caption(_(DIVIDE_FIRST))
    if st.button(_("Show the figures of these regions"), type="primary", icon=":material/event_seat:"):
        if seats.seat_attention(workspace, lesson, regions)["attention"].notna().any():
            st.rerun()
        st.info(
            _("No region ever held {least} measured faces. Divide the room into fewer or larger regions.").format(
                least=MINIMUM_GROUP
            ),
            icon=":material/group_off:",
        )
    drawn = picked.selection.get("drawn", {})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.popover(_("Divide the room"), icon=":material/grid_on:", width="content"):
            _divide(workspace, room, regions)
        if drawn.get("left") and drawn.get("top"):
            _draw(workspace, room, workspace.get("seats", {}).get(room, []), drawn)
        else:
            st.caption(_("Or draw a rectangle in the picture above."))


def _divide(workspace: Workspace, room: str, regions: list[seats.Region]) -> None:
    """The forms for a grid and for every rectangle by its edges."""
    rows, columns = st.columns(2)
    down = rows.number_input(_("Rows"), 1, MAX_GRID_LINES, 2, key="seat_rows")
    across = columns.number_input(_("Columns"), 1, MAX_GRID_LINES, 2, key="seat_columns")
    if st.button(_("Use this grid"), icon=":material/grid_on:"):
        _save(workspace, room, seats.grid(int(down), int(across)))
        st.rerun()
    percent = [region | {edge: 100 * region[edge] for edge in EDGES} for region in regions]
    edges = {
        edge: st.column_config.NumberColumn(
            _(EDGE_TITLES[edge]), min_value=0, max_value=100, format="%.0f %%", width="small"
        )
        for edge in EDGES
    }
    edited = common.edit_table(
        pd.DataFrame(percent, columns=["name", *EDGES]),
        num_rows="dynamic",
        key=f"seat_table_{hash(str(regions))}",  # what was edited belongs to these regions
        column_config={"name": st.column_config.TextColumn(_("Region"), max_chars=20, width="small"), **edges},
    )
    if st.button(_("Save regions"), icon=":material/save:"):
        with common.saving(ValueError):
            _save(workspace, room, seats.parse_regions(edited.to_dict("records")))


def _draw(workspace: Workspace, room: str, regions: list[seats.Region], drawn: dict) -> None:
    """The form that adds a drawn rectangle; it replaces the regions that it overlaps."""
    with st.form("seat_drawn", border=False):
        name = st.text_input(_("Name of the region drawn"), max_chars=20, key="seat_name", placeholder=_("Window"))
        if st.form_submit_button(
            _("Add region"), icon=":material/add:", help=_("It replaces the regions that it overlaps.")
        ):
            edges = zip(EDGES, (drawn["left"], drawn["top"]) * 2, (min, min, max, max), strict=True)
            with common.saving(ValueError):
                drawn = {"name": name or _("Drawn")} | {edge: pick(ends) for edge, ends, pick in edges}
                _save(workspace, room, seats.add_region(regions, *seats.parse_regions([drawn])))


def _save(workspace: Workspace, room: str, regions: list[seats.Region]) -> None:
    workspace.set("seats", workspace.get("seats", {}) | {room: regions})
