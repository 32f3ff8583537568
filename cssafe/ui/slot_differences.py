"""Timetable: differences between the slots of the week, as recorded and adjusted."""

import streamlit as st

from cssafe import queries
from cssafe.charts import heatmaps
from cssafe.labels import WEEKDAYS
from cssafe.language import _
from cssafe.names import escape_sentence
from cssafe.school.week import School, with_teachers
from cssafe.store import Workspace
from cssafe.timetable.slot_effects import MIN_SLOT_LESSONS, SlotEffects, describe_effects, lessons_in_slots
from cssafe.ui import common, filters
from cssafe.ui.week_editor import cached_effects


def filtered_effects(workspace: Workspace, school: School) -> tuple[SlotEffects, queries.Filter]:
    """Slot effects of the filtered lessons, and the filter; without figures, the page says why and ends."""
    which = filters.choose_filter(filters.require_lessons(workspace))
    lessons = lessons_in_slots(workspace, school.periods, queries.class_figures(workspace, which))
    chosen = queries.lessons(workspace, which)
    filters.show_withheld(chosen)
    filters.show_left_out(workspace, which)
    lessons = lessons.dropna(subset="concentration")
    if lessons.empty:
        if chosen.empty:
            filters.stop_without_match()
        outside = _("Or all lessons are outside the school's periods and days, or of one person alone.")
        st.info(f"{filters.why_no_figures(chosen)} {outside}", icon=":material/group_off:")
        st.stop()
    return cached_effects(with_teachers(lessons, school), school.days, school.periods), which


def show_slot_differences(workspace: Workspace, school: School) -> None:
    """Both heatmaps, the conclusions and how to read them."""
    found = filtered_effects(workspace, school)[0]
    for words in describe_effects(found):
        if found.clear.empty:
            st.info(escape_sentence(words), icon=":material/balance:")
        else:
            st.markdown(escape_sentence(words))
    table = found.slots.assign(weekday=[_(WEEKDAYS[day - 1]) for day in found.slots["weekday"]])
    left, right = st.columns(2)
    with left:
        st.subheader(_("As recorded (synthetic)") if found.synthetic else _("As recorded"))
        shown = table[["weekday", "period", "lessons", "raw", "raw_low", "raw_high"]]
        chart, caption = heatmaps.recorded_slots(found.slots), heatmaps.recorded_slots_caption(found.slots)
        common.show_chart(chart, caption, shown, key="raw")
    with right:
        st.subheader(_("Adjusted difference (synthetic)") if found.synthetic else _("Adjusted difference"))
        shown = table[["weekday", "period", "lessons", "effect", "low", "high"]]
        chart, caption = heatmaps.slot_effects(found.slots), heatmaps.slot_effects_caption(found.slots)
        common.show_chart(chart, caption, shown, key="effects")
    how = _(
        "How to read it: on the left is the mean of each slot's lessons. On the right is the difference of the slot from the "
        "mean slot, adjusted for class, subject, teacher, room and activity; the fewer data, the nearer to zero. Blue is "
        "higher, yellow lower. Hollow: may differ from the mean slot by chance. Grey, with a dash: fewer than {least} "
        "lessons, so no evidence. From {lessons} lessons in {weeks} weeks."
    ).format(least=MIN_SLOT_LESSONS, lessons=found.lessons, weeks=found.weeks)
    st.caption(f"{how} {_(filters.VALIDITY)}")
