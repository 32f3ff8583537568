"""Timetable: how the slots of the week differ with all else taken out, a better week, and the week itself."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.charts import captions, timetable
from cssafe.language import _
from cssafe.names import escape_emphasized, escape_sentence
from cssafe.school.week import School, lesson_title, with_teachers
from cssafe.timetable.proposal import MAX_SEARCH_S, Proposal, propose
from cssafe.timetable.slot_effects import MIN_SLOT_LESSONS, SlotEffects, describe_effects, lessons_in_slots
from cssafe.ui import common, filters
from cssafe.ui.week_editor import compare, download, keep, saved, week

common.page(_("Timetable"))
workspace = common.workspace()
known = bool(workspace.get("periods", []))

part = st.segmented_control(
    _("Part"),
    ["slots", "proposal", "week"],
    default="slots" if known else "week",
    required=True,
    format_func={"slots": _("How slots differ"), "proposal": _("A better week"), "week": _("The school's week")}.get,
    key="part",
    bind="query-params",
)


def slots(school: School) -> tuple[SlotEffects, queries.Filter]:
    """What the filtered lessons tell of the week's slots; nothing to tell ends the page."""
    which = filters.which(filters.guard(workspace))
    lessons, chosen = lessons_in_slots(workspace, school.periods, which), queries.lessons(workspace, which)
    filters.left_out(chosen)
    lessons = lessons.dropna(subset="concentration")
    if lessons.empty:
        if chosen.empty:
            filters.nothing()
        outside = _("Or all of it lies outside the school's periods and days, or was recorded of one person alone.")
        st.info(f"{filters.no_figures(chosen)} {outside}", icon=":material/group_off:")
        st.stop()
    return compare(with_teachers(lessons, school), school.days, school.periods), which


def told(found: SlotEffects) -> None:
    """What may be concluded, in words."""
    for words in describe_effects(found):
        if found.clear.empty:
            st.info(escape_emphasized(words), icon=":material/balance:")
        else:
            st.markdown(escape_emphasized(words))


def differences(school: School) -> None:
    """Both heatmaps, their sentence and their table."""
    found = slots(school)[0]
    told(found)
    known = found.slots[found.slots["evidence"]]
    places = [
        f"{_(timetable.WEEKDAYS[day - 1])}, {period}"
        for day, period in zip(known["weekday"], known["period"], strict=True)
    ]
    table = found.slots.assign(weekday=[_(timetable.WEEKDAYS[day - 1]) for day in found.slots["weekday"]])
    left, right = st.columns(2)
    with left:
        st.subheader(_("As recorded (synthetic)") if found.synthetic else _("As recorded"))
        common.chart(
            timetable.raw(found.slots),
            captions.extremes(known["raw"], known["raw_low"], known["raw_high"], places),
            table[["weekday", "period", "lessons", "raw", "raw_low", "raw_high"]],
            key="raw",
        )
    with right:
        st.subheader(_("All else taken out (synthetic)") if found.synthetic else _("All else taken out"))
        common.chart(
            timetable.effects(found.slots),
            captions.extremes(known["effect"], known["low"], known["high"], places),
            table[["weekday", "period", "lessons", "effect", "low", "high"]],
            key="effects",
        )
    how = _(
        "How to read it: left is the mean of each slot's lessons, right by how much the slot itself is better or worse than "
        "the mean slot, with class, subject, teacher, room and activity taken out; the less is known, the nearer to zero. "
        "Blue is higher, yellow lower. Hollow: the 95 % interval holds zero. Grey, with a dash: fewer than {least} lessons, so "
        "no evidence. From {lessons} lessons in {weeks} weeks."
    ).format(least=MIN_SLOT_LESSONS, lessons=found.lessons, weeks=found.weeks)
    st.caption(f"{how} {_(filters.VALIDITY)}")


def better(school: School) -> None:
    """What matters, a search, and what it found."""
    found, which = slots(school)
    if school.lessons.empty:
        st.info(
            _("Enter or import the school's lessons first, under “The school's week”."),
            icon=":material/edit_calendar:",
        )
        return
    if found.reason:
        st.info(escape_sentence(found.reason), icon=":material/balance:")
        return
    subjects = sorted(school.lessons["subject"].unique())
    left, right = st.columns([2, 1])
    with left:
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
                    help=_("0: it does not matter when. 2 matters twice as much as 1."),
                ),
            },
        )
    total = len(school.lessons)
    moves = int(right.number_input(_("Lessons that may move at most"), 1, total, min(10, total), key="moves"))
    weights = {row.subject: float(row.weight) for row in focus.itertuples() if row.weight > 0}
    asked = School(school.days, school.periods, school.lessons, school.away, weights, school.most)
    key = (str(asked.plain()), asked.periods, moves, which, common.spoken())  # its reasons are told in that language
    if right.button(_("Look for a better week"), type="primary", icon=":material/search:", width="stretch"):
        workspace.set("school", asked.plain())
        with st.spinner(
            _("Trying weeks, for {seconds:.0f} seconds at most …").format(seconds=MAX_SEARCH_S), show_time=True
        ):
            st.session_state["proposal"] = key, propose(asked, found, moves)
    if "proposal" not in st.session_state or st.session_state["proposal"][0] != key:
        st.caption(_("Say which subjects need focus and how many lessons may move, then look for a better week."))
        return
    outcome(st.session_state["proposal"][1], found.synthetic)


def outcome(made: Proposal, synthetic: bool) -> None:
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
        st.caption(
            _("The search ran out of time: a still better week is not ruled out, of {most:+z.3f} at most.").format(
                most=made.most
            )
        )
    st.markdown("\n".join(f"- {escape_sentence(why)}" for why in made.moves["why"]))
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
    tried = _(
        "A proposal, from how lessons went so far: look through it with those whom it concerns. Whether it works shows when it "
        "is tried."
    )
    st.caption(f"{tried} {_(filters.VALIDITY)}")
    zone = workspace.get("live", {}).get("time_zone") or st.context.timezone or "UTC"
    with st.container(horizontal=True):
        download("proposed-week", made.week, date.today() + timedelta(days=7 - date.today().weekday()), zone)
        if st.button(_("Make it the school's week"), icon=":material/event_available:"):
            keep(common.workspace(), made.week)
            st.rerun()


if part == "week":
    week(workspace)
elif not known:
    st.info(
        _("Enter or import the school's periods first, under “The school's week”."), icon=":material/edit_calendar:"
    )
elif (school := saved(workspace)) is not None:
    show = differences if part == "slots" else better
    show(school)
