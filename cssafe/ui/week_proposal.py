"""Timetable: the search for a better week, and its result."""

import time
from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pandas as pd
import streamlit as st

from cssafe.language import _
from cssafe.names import escape_sentence
from cssafe.school.week import School, lesson_title
from cssafe.store import Workspace
from cssafe.timetable.proposal import MIN_CHANGE, Proposal, conclude, propose, search_task, why_no_search
from cssafe.timetable.slot_effects import SlotEffects
from cssafe.timetable.week_search import LOADS, PEOPLE, Search, week_loads
from cssafe.ui import common, filters, slot_differences, week_editor

WATCH_INTERVAL_S = 0.3
"""Time between two looks at a running search."""

MAX_EXTRA = 20
"""Periods by which a limit can be raised: more than a week of a class or teacher has of any load."""

PROVEN_WITHIN = 0.0005
"""Difference of the index between the gain and its bound that is not shown."""


def show_week_proposal(workspace: Workspace, school: School) -> None:
    """The subjects that need focus, the limits, the search, and its result."""
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
        extra = _edit_limits()
    total = len(school.lessons)
    moves = int(right.number_input(_("Lessons that may move at most"), 1, total, min(10, total), key="moves"))
    asked = School(school.days, school.periods, school.lessons, school.away, weights, school.most)
    key = (str(asked.to_dict()), asked.periods, moves, str(extra), which, common.current_language())  # of the reasons
    if right.button(_("Look for a better week"), type="primary", icon=":material/search:", width="stretch"):
        workspace.set("school", asked.to_dict())
        _start(key, asked, found, moves, extra)
    st.caption(
        _(
            "This improves a week that a school has. It makes none from nothing, and does not replace a timetable program such "
            "as FET or Untis."
        )
    )
    made = _result(key, asked, found)
    if made is None:
        st.caption(_("Choose which subjects need focus and how many lessons may move, then look for a better week."))
        return
    _show_result(workspace, asked, made, found.synthetic)


def _start(key: tuple, school: School, found: SlotEffects, moves: int, extra: Mapping[tuple[str, str], int]) -> None:
    """Start a search in its own thread, or say at once why there is nothing to search."""
    if "search" in st.session_state:
        st.session_state["search"][1].stop()
    if why_no_search(school, found):
        st.session_state["proposal"] = key, propose(school, found, moves)
        return
    search = Search(search_task(school, found, moves, extra))
    search.start()
    st.session_state["search"] = key, search


def _result(key: tuple, school: School, found: SlotEffects) -> Proposal | None:
    """The proposal of these inputs, after their search has ended; None where none was asked for."""
    of, search = st.session_state.get("search", (None, None))
    if search is not None and of != key:
        search.stop()
        del st.session_state["search"]
    elif search is not None:
        _watch(search)
        st.session_state["proposal"] = key, conclude(school, found, search)
        del st.session_state["search"]
    of, made = st.session_state.get("proposal", (None, None))
    return made if of == key else None


def _watch(search: Search) -> None:
    """Progress of a search until it ends. "Stop" runs the page again, which then waits only for the best week so far."""
    with (place := st.empty()).container():
        bar = st.progress(0.0, _("Preparing the search …"))
        st.button(_("Stop and use the best week so far"), icon=":material/stop:", on_click=search.stop)
        started = time.monotonic()
        while not search.wait(WATCH_INTERVAL_S):
            share = max(0.0, min(1.0, search.gain / search.bound)) if 0 < search.bound < np.inf else 0.0
            words = _(
                "Searching for {seconds:.0f} s: the best week so far has {share:.0%} of the gain that may be possible."
            )
            bar.progress(share, words.format(seconds=time.monotonic() - started, share=share))
    place.empty()


def _edit_limits() -> dict[tuple[str, str], int]:
    """(of PEOPLE, of LOADS) -> periods more than today."""
    with st.expander(_("Limits for classes and teachers"), icon=":material/tune:"):
        table = pd.DataFrame(0, index=range(len(PEOPLE)), columns=list(LOADS))
        table.insert(0, "who", [_("Classes"), _("Teachers")])
        column = st.column_config.NumberColumn
        edited = common.edit_table(
            table,
            disabled=["who"],
            key="limits",
            column_config={"who": ""}
            | {load: column(_(title), min_value=0, max_value=MAX_EXTRA, step=1) for load, title in LOADS.items()},
        )
        st.caption(
            _(
                "By how much each week may exceed today's, in periods. 0: no class and no teacher gets more gaps in the week, "
                "longer days or more lessons in a row than today."
            )
        )
    return {
        (who, load): int(row[load])
        for who, row in zip(PEOPLE, edited.fillna(0).to_dict("records"), strict=True)
        for load in LOADS
    }


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


def _show_result(workspace: Workspace, school: School, made: Proposal, synthetic: bool) -> None:
    """The moves with their reasons, or why there are none."""
    if made.reason:
        st.info(escape_sentence(made.reason), icon=":material/balance:")
        if PROVEN_WITHIN < made.most - made.gain < np.inf:
            st.caption(_bound_text(made))
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
    st.caption(f"{_bound_text(made)} {_loads_text(school, made.week)}")
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


def _bound_text(made: Proposal) -> str:
    if made.most - made.gain > PROVEN_WITHIN:
        words = _(
            "The search ended before its best week was proven: another may be better by at most {more:.3f}, where each lesson "
            "that moves counts as a loss of {least:.2f}."
        )
        return words.format(more=made.most - made.gain, least=MIN_CHANGE)
    words = _(
        "Proven: within these limits no week is better, where each lesson that moves has to gain at least {least:.2f}."
    )
    return words.format(least=MIN_CHANGE)


def _loads_text(before: School, after: School) -> str:
    """Gaps in the weeks of classes and teachers, before and after."""

    def gaps(school: School, who: str) -> int:
        return sum(load["gaps"] for (one, _name), load in week_loads(school).items() if one == who)

    words = _(
        "Gaps in classes' weeks: {now} today, {then} then; in teachers' weeks: {now_teachers} today, {then_teachers} then."
    )
    class_gaps, teacher_gaps = ((gaps(before, who), gaps(after, who)) for who in PEOPLE)
    return words.format(
        now=class_gaps[0], then=class_gaps[1], now_teachers=teacher_gaps[0], then_teachers=teacher_gaps[1]
    )


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
