"""What Lessons shows of a lesson's scores: what they are made of, minute by minute."""

import pandas as pd
import streamlit as st

from cssafe.charts import captions, formulas, intervals
from cssafe.labels import ACTIVITIES
from cssafe.language import N_, _
from cssafe.names import escape_markdown
from cssafe.queries import scored_observations
from cssafe.scoring import explanation
from cssafe.scoring.formula import find
from cssafe.settings import ROOT
from cssafe.store import Workspace
from cssafe.ui import common

PARTS = {"index": N_("score"), "looking": N_("looking away"), "eyes": N_("eyes not open")}
"""What is not in it is an emotion."""


def explain(workspace: Workspace, lesson: pd.Series) -> None:
    """The parts of each minute's score and their shares. lesson: a row of queries.lessons with figures."""
    st.subheader(_("Why these scores"))
    formula = find(lesson["formula"])
    if formula is None:
        st.info(
            _(
                "The formula “{formula}” of this lesson is not here any more, so its scores cannot be explained. Choose a "
                "formula on the page Formula: it scores past lessons anew."
            ).format(formula=escape_markdown(lesson["formula"])),
            icon=":material/function:",
        )
        st.page_link(ROOT / "pages/formulas.py", label=_("Formula"), icon=":material/function:")
        return
    number = int(lesson["lesson"])
    rows, activities = (
        scored_observations.counted_observations(workspace, number),
        scored_observations.activities(workspace, number),
    )
    parts = explanation.minutes(rows, activities, formula)
    minutes = parts["minute"].unique().tolist()
    slider = f"why_{number}"

    def pick() -> None:
        if points := st.session_state["parts"].selection["minute"]:
            st.session_state[slider] = int(points[0]["minute"])

    common.chart(
        formulas.parts_minutes(parts),
        captions.parts_minutes(parts),
        parts,
        key="parts",
        on_select=pick,
        selection_mode="minute",
        how=_(
            "How to read it: the best score is 1. What is lost is taken off one after the other: first where faces look, "
            "then their eyes, then their emotions. What is asked of them: {activities}. The parts are computed from "
            "one-second means; they differ from the line above by {difference:.2f} or less. Click on a minute, or choose it, "
            "to see its parts."
        ).format(activities=captions.activities(activities), difference=difference(rows, parts)),
    )
    minute = minutes[0]
    if len(minutes) > 1:
        minute = st.select_slider(_("Minute"), minutes, key=slider)
    those = parts[parts["minute"] == minute]
    st.markdown(explanation.words(those))
    shown = those[(those["points"] >= 0.0005) | (those["part"] == "index")]
    common.show_table(
        key="parts_minute",
        table=pd.DataFrame(
            {
                _("Part"): [_(PARTS.get(part, part)) for part in shown["part"]],
                _("Points"): shown["points"],
                _("95 % interval"): intervals(shown["low"], shown["high"]),
                _("Share of what is lost (%)"): 100 * shown["share"],
            }
        ),
        placeholder="",
        column_config={
            _("Points"): st.column_config.NumberColumn(format="%.2f"),
            _("95 % interval"): st.column_config.TextColumn(help=_("Over the faces of this minute")),
            _("Share of what is lost (%)"): st.column_config.NumberColumn(format="%.0f"),
        },
    )


def correct(workspace: Workspace, lesson: pd.Series) -> None:
    """Say afterwards what the class did, as a recording or a lesson of the timetable needs."""
    formula, number = find(lesson["formula"]), int(lesson["lesson"])
    if formula is None or pd.isna(lesson["ended"]) or (formula.emotion is not None and not workspace.expression):
        return
    activities = scored_observations.activities(workspace, number)
    with st.popover(_("Correct what the class did"), icon=":material/edit:"), st.form("activities", border=False):
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
        if st.form_submit_button(_("Save and score the lesson anew")):
            if complaint := wrong(edited):
                st.error(complaint, icon=":material/error:")
                return
            start = activities["time"].iloc[0].tz_localize("UTC")
            first = start.floor("min")
            rows = [
                (max(start, first + pd.Timedelta(minutes=int(row.minute))).to_pydatetime(), row.activity)
                for row in edited.sort_values("minute").itertuples()
            ]
            workspace.correct(number, rows, formula)
            st.rerun()


def wrong(edited: pd.DataFrame) -> str:
    """Why these activities cannot be taken, in words for the user; empty if they can."""
    if edited.isna().any(axis=None):
        return _("Each row needs a minute and an activity. Fill in what is missing, or take the row out.")
    if 0 not in set(edited["minute"]):
        return _("What did the class do at first? Add a row for minute 0.")
    if edited["minute"].duplicated().any():
        return _("Two rows have the same minute. Change one of them, or take it out.")
    return ""


def difference(rows: pd.DataFrame, parts: pd.DataFrame) -> float:
    """Largest distance in a minute between the scores as stored and as explained."""
    stored = rows.groupby("minute")["concentration"].mean()
    explained = parts[parts["part"] == "index"].set_index("minute")["points"]
    return float((stored - explained).abs().max())
