"""Timetable: how the slots of the week differ with all else taken out, a better week, and the week itself."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from cssafe import queries, readings, ui
from cssafe.schedule import charts
from cssafe.schedule.effects import LEAST_LESSONS, Effects, effects, lessons_in_slots
from cssafe.schedule.proposal import SECONDS, Proposal, propose
from cssafe.schedule.school import School, called, teachers
from pages import filters
from pages.week import download, keep, saved, week

HIGHEST = (
    "Concentration is highest on **{day} {period}**: {effect:+z.2f} against the mean slot (95 % interval {low:+z.2f} to "
    "{high:+z.2f}, {lessons} lessons)."
)
LOWEST = (
    "Concentration is lowest on **{day} {period}**: {effect:+z.2f} against the mean slot (95 % interval {low:+z.2f} to "
    "{high:+z.2f}, {lessons} lessons)."
)

ui.page("Timetable")
workspace = ui.workspace()
known = bool(workspace.get("periods", []))

part = st.segmented_control(
    "Part",
    ["slots", "proposal", "week"],
    default="slots" if known else "week",
    required=True,
    format_func={"slots": "How slots differ", "proposal": "A better week", "week": "The school's week"}.get,
    key="part",
    bind="query-params",
)

# Kept by what was recorded, so that it is not worked out anew at every click.
compare = st.cache_data(effects, show_spinner="Comparing the slots of the week …", max_entries=4)


def slots(school: School) -> tuple[Effects, queries.Filter]:
    """What the filtered lessons tell of the week's slots; nothing to tell ends the page."""
    which = filters.which(filters.guard(workspace))
    lessons = lessons_in_slots(workspace, school.periods, which)
    if lessons.empty:
        if queries.lessons(workspace, which).empty:
            filters.nothing()
        st.info(
            filters.too_few()
            + " Or all of it lies outside the school's periods and days, or was recorded of one person alone.",
            icon=":material/group_off:",
        )
        st.stop()
    who = teachers(school)
    pairs = zip(lessons["class_name"], lessons["subject"], strict=True)
    return compare(lessons.assign(teacher=[who.get(pair, "") for pair in pairs]), school.days, school.periods), which


def told(found: Effects) -> None:
    """What may be concluded, in words."""
    if found.reason:
        st.info(found.reason, icon=":material/balance:")
        return
    clear = found.slots[(found.slots["low"] > 0) | (found.slots["high"] < 0)].sort_values("effect")
    if clear.empty:
        st.info(
            "The slots differ by more than chance makes slots differ, but of no single one can it be told yet whether it is "
            "better or worse than the mean slot.",
            icon=":material/balance:",
        )
    for row in clear[clear["effect"] > 0].tail(1).to_dict("records"):
        st.markdown(HIGHEST.format(day=charts.WEEKDAYS[row["weekday"] - 1], **row))
    for row in clear[clear["effect"] < 0].head(1).to_dict("records"):
        st.markdown(LOWEST.format(day=charts.WEEKDAYS[row["weekday"] - 1], **row))


def differences(school: School) -> None:
    """Both heatmaps, their sentence and their table."""
    found, _ = slots(school)
    mark = " (synthetic)" if found.synthetic else ""
    told(found)
    known = found.slots[found.slots["evidence"]]
    places = [
        f"{charts.WEEKDAYS[day - 1]}, {period}" for day, period in zip(known["weekday"], known["period"], strict=True)
    ]
    left, right = st.columns(2)
    with left:
        st.subheader("As recorded" + mark)
        ui.chart(
            charts.raw(found.slots),
            readings.extremes(known["raw"], known["raw_low"], known["raw_high"], places),
            found.slots[["weekday", "period", "lessons", "raw", "raw_low", "raw_high"]],
            key="raw",
        )
    with right:
        st.subheader("All else taken out" + mark)
        ui.chart(
            charts.effects(found.slots),
            readings.extremes(known["effect"], known["low"], known["high"], places),
            found.slots[["weekday", "period", "lessons", "effect", "low", "high"]],
            key="effects",
        )
    st.caption(
        "How to read it: left is the mean of each slot's lessons, right by how much the slot itself is better or worse than "
        "the mean slot, with class, subject, teacher, room and activity taken out; the less is known, the nearer to zero. "
        "Blue is higher, orange lower. Hollow: the 95 % interval holds zero. Grey, with a dash: fewer than "
        f"{LEAST_LESSONS} lessons, so no evidence. "
        f"From {found.lessons} lessons in {found.weeks} weeks. " + filters.VALIDITY
    )


def better(school: School) -> None:
    """What matters, a search, and what it found."""
    found, which = slots(school)
    if school.lessons.empty:
        st.info(
            "Enter or import the school's lessons first, under “The school's week”.", icon=":material/edit_calendar:"
        )
        return
    if found.reason:
        st.info(found.reason, icon=":material/balance:")
        return
    subjects = sorted(school.lessons["subject"].unique())
    left, right = st.columns([2, 1])
    focus = left.data_editor(
        pd.DataFrame({"subject": subjects, "weight": [school.focus.get(subject, 0.0) for subject in subjects]}),
        hide_index=True,
        disabled=["subject"],
        key="focus",
        column_config={
            "subject": "Subject",
            "weight": st.column_config.NumberColumn(
                "Needs focus",
                min_value=0.0,
                max_value=9.0,
                help="0: it does not matter when. 2 matters twice as much as 1.",
            ),
        },
    )
    total = len(school.lessons)
    moves = int(right.number_input("Lessons that may move at most", 1, total, min(10, total), key="moves"))
    weights = {row.subject: float(row.weight) for row in focus.itertuples() if row.weight > 0}
    asked = School(school.days, school.periods, school.lessons, school.away, weights, school.most)
    key = (str(asked.plain()), asked.periods, moves, which)
    if right.button("Look for a better week", type="primary", icon=":material/search:", width="stretch"):
        workspace.set("school", asked.plain())
        with st.spinner(f"Trying weeks, for {SECONDS:.0f} seconds at most …", show_time=True):
            st.session_state["proposal"] = key, propose(asked, found, moves)
    if "proposal" not in st.session_state or st.session_state["proposal"][0] != key:
        st.caption("Say which subjects need focus and how many lessons may move, then look for a better week.")
        return
    outcome(st.session_state["proposal"][1], found.synthetic)


def outcome(made: Proposal, synthetic: bool) -> None:
    """The moves with their reasons, or why there are none."""
    if made.reason:
        st.info(made.reason, icon=":material/balance:")
        return
    gain, number = st.columns(2)
    mark = " (synthetic)" if synthetic else ""
    gain.metric("Expected gain in concentration" + mark, f"{made.gain:+z.3f}", help="Over the lessons that need focus")
    number.metric("Lessons that move", len(made.moves))
    sentence = (
        "In the lessons of the subjects that need focus, weighted, mean concentration is expected to change by {gain:+z.3f} "
        "(95 % interval {low:+z.3f} to {high:+z.3f}, on the index from 0 to 1)."
    )
    st.markdown(sentence.format(gain=made.gain, low=made.low, high=made.high))
    if made.most - made.gain > 0.0005:
        st.caption(f"The search ran out of time: a still better week is not ruled out, of {made.most:+z.3f} at most.")
    st.markdown("\n".join(f"- {why}" for why in made.moves["why"]))
    with st.expander("Table", icon=":material/table:"):
        st.dataframe(
            made.moves.assign(lesson=[called(row) for row in made.moves.to_dict("records")]),
            hide_index=True,
            column_order=[
                "lesson", "from_day", "from_period", "to_day", "to_period", "change", "low", "high", "teacher", "room",
            ],
            column_config={
                "lesson": "Lesson", "teacher": "Teacher", "room": "Room", "from_day": "From", "from_period": "Period",
                "to_day": "To", "to_period": "Period",
                "change": st.column_config.NumberColumn("Slot better by", format="%+.3f"),
                "low": st.column_config.NumberColumn("from", format="%+.3f"),
                "high": st.column_config.NumberColumn("to (95 %)", format="%+.3f"),
            },
        )  # fmt: skip
    st.caption(
        "A proposal, from how lessons went so far: look through it with those whom it concerns. Whether it works shows when it "
        "is tried. " + filters.VALIDITY
    )
    zone = workspace.get("live", {}).get("time_zone") or st.context.timezone or "UTC"
    with st.container(horizontal=True):
        download("proposed-week", made.week, date.today() + timedelta(days=7 - date.today().weekday()), zone)
        if st.button("Make it the school's week", icon=":material/event_available:"):
            keep(ui.workspace(), made.week)
            st.rerun()


if part == "week":
    week(workspace)
elif not known:
    st.info("Enter or import the school's periods first, under “The school's week”.", icon=":material/edit_calendar:")
elif (school := saved(workspace)) is not None:
    show = differences if part == "slots" else better
    show(school)
