"""Lessons: the parts of a lesson's scores, minute by minute, and the correction of its activities."""

from functools import partial

import pandas as pd
import streamlit as st

from cssafe.charts import scores, timelines
from cssafe.charts.text import format_intervals
from cssafe.labels import ACTIVITIES
from cssafe.language import N_, _
from cssafe.names import escape_markdown
from cssafe.queries import scored_observations
from cssafe.scoring import explanation
from cssafe.scoring.formula import Formula, find_formula
from cssafe.settings import ROOT
from cssafe.store import Workspace
from cssafe.ui import common

PART_TITLES = {
    "index": N_("score"),
    "unseen": N_("people not visible"),
    "looking": N_("looking away"),
    "eyes": N_("eyes not open"),
}
"""Part -> title; other parts are emotions."""


def show_explanation(workspace: Workspace, lesson: pd.Series, course: pd.DataFrame) -> None:
    """The parts of each minute's score and their shares. lesson: a row of queries.lessons with figures. course:
    queries.timeline."""
    st.subheader(_("Why these scores"))
    formula = find_formula(lesson["formula"])
    if formula is None:
        st.info(
            _(
                "The formula “{formula}” of this lesson no longer exists, so its scores cannot be explained. Choose a formula "
                "on the page Formula: it rescores past lessons."
            ).format(formula=escape_markdown(lesson["formula"])),
            icon=":material/function:",
        )
        st.page_link(ROOT / "pages/formulas.py", label=_("Formula"), icon=":material/function:")
        return
    _show_parts(workspace, lesson, course, formula)


def _show_parts(workspace: Workspace, lesson: pd.Series, course: pd.DataFrame, formula: Formula) -> None:
    """The chart of the minutes, and one of them."""
    number = int(lesson["lesson"])
    rows = scored_observations.counted_observations(workspace, number)
    activities = scored_observations.activities(workspace, number)
    parts = explanation.minute_parts(rows, activities, formula)
    difference = largest_difference(rows, parts)
    if lesson["audience"] == "class" and course["present"].notna().any():
        parts = explanation.class_minutes(parts, course, activities, formula)
    minutes = parts["minute"].unique().tolist()
    slider = f"why_{number}"
    how = _(
        "How to read it: the best score is 100. Losses are subtracted one after the other: first for where faces look, then "
        "for their eyes, then for their emotions. The activities set what counts as attentive: {activities}. The parts are "
        "computed from one-second means; they differ from the line above by {difference:.1f} or less. Click on a minute, or "
        "choose it, to see its parts."
    ).format(activities=timelines.activities_caption(activities), difference=100 * difference)
    common.show_chart(
        scores.parts_minutes(parts),
        scores.parts_minutes_caption(parts),
        parts,
        key="parts",
        on_select=partial(_pick_minute, slider),
        selection_mode="minute",
        how=how,
    )
    if (unread := rows["eyes_open"].isna().mean()) >= 0.005:
        st.caption(
            _(
                "In {share:.0%} of these seconds the eyes of a face could not be read, mostly because it is small: there the "
                "direction of the head alone counts."
            ).format(share=unread)
        )
    minute = st.select_slider(_("Minute"), minutes, key=slider) if len(minutes) > 1 else minutes[0]
    _show_minute(parts[parts["minute"] == minute])


def _pick_minute(slider: str) -> None:
    """Set the slider to the minute clicked on in the chart."""
    if points := st.session_state["parts"].selection["minute"]:
        st.session_state[slider] = int(points[0]["minute"])


def _show_minute(parts: pd.DataFrame) -> None:
    """parts: of explanation.minute_parts, of one minute."""
    st.markdown(explanation.describe_parts(parts))
    shown = parts[(parts["points"] >= 0.005) | (parts["part"] == "index")]
    common.show_table(
        key="parts_minute",
        table=pd.DataFrame(
            {
                _("Part"): [_(PART_TITLES.get(part, part)) for part in shown["part"]],
                _("Points"): 100 * shown["points"],
                _("95 % interval"): format_intervals(100 * shown["low"], 100 * shown["high"], 0),
                _("Share of the losses (%)"): 100 * shown["share"],
            }
        ),
        placeholder="",
        column_config={
            _("Points"): st.column_config.NumberColumn(format="%.0f"),
            _("95 % interval"): st.column_config.TextColumn(help=_("Over the faces of this minute")),
            _("Share of the losses (%)"): st.column_config.NumberColumn(format="%.0f"),
        },
    )


def correct_activities(workspace: Workspace, lesson: pd.Series) -> None:
    """The form that changes the activities of an ended lesson, as of a recording, and rescores it."""
    formula, number = find_formula(lesson["formula"]), int(lesson["lesson"])
    if formula is None or pd.isna(lesson["ended"]) or (formula.emotion is not None and not workspace.expression):
        return
    activities = scored_observations.activities(workspace, number)
    with st.popover(_("Correct the activities"), icon=":material/edit:"), st.form("activities", border=False):
        rows = activities.assign(minute=activities["minute"].round().astype(int))[["minute", "activity"]]
        edited = common.edit_table(
            rows,
            num_rows="dynamic",
            key=f"activities_{number}",
            column_config={
                "minute": st.column_config.NumberColumn(_("From minute"), min_value=0, step=1),
                "activity": st.column_config.SelectboxColumn(
                    _("Activity"), options=ACTIVITIES, format_func=lambda a: _(str(a))
                ),
            },
        )
        if st.form_submit_button(_("Save and rescore the lesson")):
            if complaint := activities_problem(edited):
                st.error(complaint, icon=":material/error:")
                return
            start = activities["time"].iloc[0].tz_localize("UTC")
            first = start.floor("min")
            rows = [
                (max(start, first + pd.Timedelta(minutes=int(row.minute))).to_pydatetime(), row.activity)
                for row in edited.sort_values("minute").itertuples()
            ]
            workspace.correct_activities(number, rows, formula)
            st.rerun()


def activities_problem(edited: pd.DataFrame) -> str:
    """Why these activities cannot be saved; empty if they can."""
    if edited.isna().any(axis=None):
        return _("Each row needs a minute and an activity. Fill in what is missing, or delete the row.")
    if 0 not in set(edited["minute"]):
        return _("The first activity is missing. Add a row for minute 0.")
    if edited["minute"].duplicated().any():
        return _("Two rows have the same minute. Change one of them, or delete it.")
    return ""


def largest_difference(rows: pd.DataFrame, parts: pd.DataFrame) -> float:
    """Largest distance in a minute between the scores as stored and as explained."""
    stored = rows.groupby("minute")["concentration"].mean()
    explained = parts[parts["part"] == "index"].set_index("minute")["points"]
    return float((stored - explained).abs().max())
