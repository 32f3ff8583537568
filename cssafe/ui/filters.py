"""What pages with figures of lessons share: the guard against an empty workspace, filters, the word on validity."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from cssafe import queries, sample
from cssafe.language import N_, _, ngettext
from cssafe.names import clean_text
from cssafe.settings import MINIMUM_GROUP, ROOT
from cssafe.store import Workspace
from cssafe.ui import common

VALIDITY = N_(
    "A weak hint, never a mark: observers agree on two levels of engagement but hardly on four, scores of this kind "
    "tell attentive from inattentive only moderately well in real classrooms (AUC 0.62 to 0.72), and a scowl often "
    "means something other than anger. [How the score comes about, and how far to trust it](concentration)"
)
WITHHELD = N_(
    "No score is shown here: it was made from emotions, which this profile does not show. Choose a formula on the page "
    "[Formula](formulas): it scores past lessons anew, by attention alone."
)
_TOO_FEW = N_(
    "No figures here: fewer than {least} faces were measured at the same time, and with so few one student could be read "
    "out of a mean. Of a lesson of “Only me”, the seconds with a second face in the picture are left out."
)

CLEAR: dict[str, Any] = {"class": [], "subject": [], "from": None, "until": None, "synthetic": False}
"""Filter, as the address calls it -> what lets everything through."""


def no_figures(lessons: pd.DataFrame) -> str:
    """Why these lessons have no figures. lessons: rows of queries.lessons."""
    return _(WITHHELD) if lessons["withheld"].any() else _(_TOO_FEW).format(least=MINIMUM_GROUP)


def guard(workspace: Workspace) -> queries.Choices:
    """What there is to choose from; a workspace without lessons says what to do next and ends the page."""
    choices = queries.choices(workspace)
    if not choices.real and not choices.synthetic:
        profile = common.settings().profile
        weeks = 12 if profile.stored else 4  # where each visit has its own in memory, twenty must find room
        st.info(
            _(
                "There is no lesson yet. Record one on the page Live, or have a look at an invented term first: {weeks} "
                "weeks of three classes, marked synthetic wherever they show, and removed with one click on the page "
                "Lessons."
            ).format(weeks=weeks),
            icon=":material/info:",
        )
        with st.container(horizontal=True):
            st.page_link(ROOT / "pages/live.py", label=_("Live"), icon=":material/videocam:")
            if st.button(_("Fill with a synthetic term"), type="primary", icon=":material/science:"):
                bar = st.progress(0.0, _("Inventing lessons …"))
                sample.add_term(workspace, profile, weeks=weeks, progress=bar.progress)
                st.rerun()
        st.stop()
    return choices


def which(choices: queries.Choices) -> queries.Filter:
    """The filters: in the page's address, the same on every page, and those of the last visit at the start of the next."""
    workspace = common.workspace()
    _recall(workspace, choices)
    with st.expander(_("Filter"), icon=":material/filter_list:"):
        classes, subjects, since, until = st.columns([2, 2, 1, 1])
        everything = _("All")
        chosen = queries.Filter(
            classes=classes.multiselect(
                _("Class"),
                choices.classes,
                key="class",
                placeholder=everything,
                bind="query-params",
                format_func=clean_text,
            ),
            subjects=subjects.multiselect(
                _("Subject"),
                choices.subjects,
                key="subject",
                placeholder=everything,
                bind="query-params",
                format_func=clean_text,
            ),
            since=since.date_input(_("From"), None, key="from", bind="query-params"),
            until=until.date_input(_("Until"), None, key="until", bind="query-params"),
            synthetic=not choices.real
            or (
                bool(choices.synthetic)
                and st.toggle(_("Include the synthetic lessons"), key="synthetic", bind="query-params")
            ),
        )
    _remember(workspace)
    only = [clean_text(name) for name in (*chosen.classes, *chosen.subjects)]
    only += [_("from {day}").format(day=chosen.since)] if chosen.since else []
    only += [_("until {day}").format(day=chosen.until)] if chosen.until else []
    if only:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(_("Only: {filters}").format(filters=" · ".join(only)), width="content")
            st.button(_("Clear filters"), type="tertiary", icon=":material/filter_list_off:", on_click=_clear)
    if chosen.since and chosen.until and chosen.since > chosen.until:
        st.warning(_("“From” is later than “Until”: no day is left. Change one of them."), icon=":material/date_range:")
        st.stop()
    return chosen


def measured(workspace: Workspace, chosen: queries.Filter) -> pd.DataFrame:
    """The chosen lessons, as queries.lessons has them. Where there is none, or none with figures, the page says so and ends."""
    lessons = queries.lessons(workspace, chosen)
    if lessons.empty:
        nothing()
    left_out(lessons)
    if lessons["concentration"].isna().all():
        st.info(no_figures(lessons), icon=":material/group_off:")
        st.stop()
    return lessons


def left_out(lessons: pd.DataFrame) -> None:
    """Say how many of these lessons no figure rests on, where others have figures. lessons: rows of queries.lessons."""
    if (number := int(lessons["withheld"].sum())) and not lessons["withheld"].all():
        words = ngettext(
            "{n} lesson is not in these figures: it was scored with emotions, which this profile does not show. Choose a "
            "formula on the page [Formula](formulas): it scores past lessons anew, by attention alone.",
            "{n} lessons are not in these figures: they were scored with emotions, which this profile does not show. Choose "
            "a formula on the page [Formula](formulas): it scores past lessons anew, by attention alone.",
            number,
        )
        st.info(words.format(n=number), icon=":material/visibility_off:")


def nothing() -> None:
    """Say that the filters leave nothing, and end the page."""
    st.info(_("No lesson matches these filters. Widen them, or clear them all."), icon=":material/filter_list_off:")
    st.stop()


def _clear() -> None:
    st.session_state.update(CLEAR)


def _recall(workspace: Workspace, choices: queries.Choices) -> None:
    """The filters of the last visit, unless the address names some, or one lesson, or this visit has had its own."""
    had, st.session_state["recalled"] = st.session_state.get("recalled", False), True
    if had or {*CLEAR, "lesson"} & {*st.query_params}:
        return
    kept = CLEAR | workspace.get("filters", {})
    for name, there in (("class", choices.classes), ("subject", choices.subjects)):
        kept[name] = [value for value in kept[name] if value in there]
    for name in ("from", "until"):
        kept[name] = kept[name] and date.fromisoformat(kept[name])
    st.session_state.update({name: value for name, value in kept.items() if value != CLEAR[name]})


def _remember(workspace: Workspace) -> None:
    """Keep the filters for the next visit. A day is kept as text."""
    chosen = {name: st.session_state.get(name, CLEAR[name]) for name in CLEAR}
    told = {name: value.isoformat() if isinstance(value, date) else value for name, value in chosen.items()}
    if told != CLEAR | workspace.get("filters", {}):
        workspace.set("filters", told)
