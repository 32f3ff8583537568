"""Timetable: the search for a better week, and its result."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from cssafe.language import _
from cssafe.names import escape_sentence
from cssafe.school.week import School, lesson_title
from cssafe.store import Workspace
from cssafe.timetable.proposal import MAX_SEARCH_S, Proposal, propose
from cssafe.ui import common, filters, slot_differences, week_editor


def show_week_proposal(workspace: Workspace, school: School) -> None:
    """The subjects that need focus, the search, and its result."""
    found, which = slot_differences.filtered_effects(workspace, school)
    if school.lessons.empty:
        st.info(
            _("Enter or import the school's lessons first, under “The school's week”."), icon=":material/edit_calendar:"
        )
        return
    if found.reason:
        st.info(escape_sentence(found.reason), icon=":material/balance:")
        return
    left, right = st.columns([2, 1])
    with left:
        weights = _edit_focus(school)
    total = len(school.lessons)
    moves = int(right.number_input(_("Lessons that may move at most"), 1, total, min(10, total), key="moves"))
    asked = School(school.days, school.periods, school.lessons, school.away, weights, school.most)
    key = (str(asked.to_dict()), asked.periods, moves, which, common.current_language())  # reasons are in that language
    if right.button(_("Look for a better week"), type="primary", icon=":material/search:", width="stretch"):
        workspace.set("school", asked.to_dict())
        with st.spinner(
            _("Trying weeks, for {seconds:.0f} seconds at most …").format(seconds=MAX_SEARCH_S), show_time=True
        ):
            st.session_state["proposal"] = key, propose(asked, found, moves)
    if "proposal" not in st.session_state or st.session_state["proposal"][0] != key:
        st.caption(_("Choose which subjects need focus and how many lessons may move, then look for a better week."))
        return
    _show_result(workspace, st.session_state["proposal"][1], found.synthetic)


def _edit_focus(school: School) -> dict[str, float]:
    """Subject -> its weight, of those above 0."""
    subjects = sorted(school.lessons["subject"].unique())
    focus = common.edit_table(
        pd.DataFrame({"subject": subjects, "weight": [school.focus.get(subject, 0.0) for subject in subjects]}),
        disabled=["subject"],
        key="focus",
        column_config={
            "subject": _("Subject"),
            "weight": st.column_config.NumberColumn(
                _("Needs focus"),
                min_value=0.0,
                max_value=9.0,
                help=_("0: its time does not matter. 2 matters twice as much as 1."),
            ),
        },
    )
    return {row.subject: float(row.weight) for row in focus.itertuples() if row.weight > 0}


def _show_result(workspace: Workspace, made: Proposal, synthetic: bool) -> None:
    """The moves with their reasons, or why there are none."""
    if made.reason:
        st.info(escape_sentence(made.reason), icon=":material/balance:")
        return
    gain, number = st.columns(2)
    title = _("Expected gain in concentration (synthetic)") if synthetic else _("Expected gain in concentration")
    gain.metric(title, f"{made.gain:+z.3f}", help=_("Over the lessons that need focus"))
    number.metric(_("Lessons that move"), len(made.moves))
    words = _(
        "In the lessons of the subjects that need focus, weighted, mean concentration is expected to change by {gain:+z.3f} "
        "(95 % interval {low:+z.3f} to {high:+z.3f}, on the index from 0 to 1)."
    )
    st.markdown(words.format(gain=made.gain, low=made.low, high=made.high))
    if made.most - made.gain > 0.0005:
        unfinished = _("The search ran out of time: a better week may exist, of {most:+z.3f} at most.")
        st.caption(unfinished.format(most=made.most))
    st.markdown("\n".join(f"- {escape_sentence(why)}" for why in made.moves["why"]))
    _show_moves(made)
    trial = _(
        "A proposal based on past lessons: discuss it with the people concerned. Only a trial shows whether it works."
    )
    st.caption(f"{trial} {_(filters.VALIDITY)}")
    zone = workspace.get("live", {}).get("time_zone") or st.context.timezone or "UTC"
    with st.container(horizontal=True):
        next_monday = date.today() + timedelta(days=7 - date.today().weekday())
        week_editor.offer_files("proposed-week", made.week, next_monday, zone)
        if st.button(_("Make it the school's week"), icon=":material/event_available:"):
            week_editor.save_week(common.workspace(), made.week)
            st.rerun()


def _show_moves(made: Proposal) -> None:
    with st.expander(_("Table"), icon=":material/table:"):
        common.show_table(
            key="moves",
            table=made.moves.assign(
                lesson=[lesson_title(row) for row in made.moves.to_dict("records")],
                from_day=made.moves["from_day"].map(_),
                to_day=made.moves["to_day"].map(_),
            ),
            column_order=[
                "lesson", "from_day", "from_period", "to_day", "to_period", "change", "low", "high", "teacher", "room",
            ],
            column_config={
                "lesson": _("Lesson"), "teacher": _("Teacher"), "room": _("Room"), "from_day": _("From"),
                "from_period": _("Period"), "to_day": _("To"), "to_period": _("Period"),
                "change": st.column_config.NumberColumn(_("Slot better by"), format="%+.3f"),
                "low": st.column_config.NumberColumn(_("from"), format="%+.3f"),
                "high": st.column_config.NumberColumn(_("to (95 %)"), format="%+.3f"),
            },
        )  # fmt: skip
