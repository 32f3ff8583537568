"""Shared by pages with figures of lessons: the guard against an empty workspace, filters, and the note on validity."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from cssafe import queries, sample
from cssafe.language import N_, _, ngettext
from cssafe.names import clean_text, escape_sentence
from cssafe.presence.figure_text import TOO_SMALL
from cssafe.settings import MINIMUM_GROUP, ROOT
from cssafe.store import Workspace
from cssafe.ui import common

VALIDITY = N_(
    "A weak hint, never a mark: observers agree on two levels of engagement but hardly on four, scores of this kind "
    "tell attentive from inattentive only moderately well in real classrooms (AUC 0.62 to 0.72), and a scowl often "
    "means something other than anger. [How the score is made, and its limits](concentration)"
)
WITHHELD = N_(
    "No score is shown here: it was made from emotions, which this profile does not show. Choose a formula on the page "
    "[Formula](formulas): it rescores past lessons by attention alone."
)
_TOO_FEW = N_(
    "No figures here. To protect individuals, figures need at least {least} faces measured at the same time. In a lesson of "
    "“Only me”, seconds with a second face in the picture are left out."
)

NO_FILTER: dict[str, Any] = {"class": [], "subject": [], "from": None, "until": None, "synthetic": False}
"""Filter in the address -> value that keeps all lessons."""


def why_no_figures(lessons: pd.DataFrame) -> str:
    """Why these lessons have no figures. lessons: rows of queries.lessons."""
    if lessons["withheld"].any():
        return _(WITHHELD)
    return _(TOO_SMALL) if lessons["too_small"].any() else _(_TOO_FEW).format(least=MINIMUM_GROUP)


def require_lessons(workspace: Workspace) -> queries.Choices:
    """The choices for filters; in a workspace without lessons, the page says what to do and ends."""
    choices = queries.choices(workspace)
    if not choices.real and not choices.synthetic:
        profile = common.settings().profile
        weeks = 12 if profile.stored else 4  # twenty visits with their own workspaces must fit in memory
        st.info(
            _(
                "There is no lesson yet. Record one on the page Live, or look at a synthetic term first: {weeks} weeks of "
                "three classes, marked as synthetic everywhere, and removed with one click on the page Lessons."
            ).format(weeks=weeks),
            icon=":material/info:",
        )
        with st.container(horizontal=True):
            st.page_link(ROOT / "pages/live.py", label=_("Live"), icon=":material/videocam:")
            if st.button(_("Fill with a synthetic term"), type="primary", icon=":material/science:"):
                bar = st.progress(0.0, _("Making lessons …"))
                sample.add_term(workspace, profile, weeks=weeks, progress=bar.progress)
                st.rerun()
        st.stop()
    return choices


def choose_filter(choices: queries.Choices) -> queries.Filter:
    """The filters: in the page's address, equal on all pages, and restored at the next visit."""
    workspace = common.workspace()
    _restore(workspace, choices)
    with st.expander(_("Filter"), icon=":material/filter_list:"):
        classes, subjects, since, until = st.columns([2, 2, 1, 1])
        options: dict[str, Any] = {"placeholder": _("All"), "bind": "query-params", "format_func": clean_text}
        chosen = queries.Filter(
            classes=classes.multiselect(_("Class"), choices.classes, key="class", **options),
            subjects=subjects.multiselect(_("Subject"), choices.subjects, key="subject", **options),
            since=since.date_input(_("From"), None, key="from", bind="query-params"),
            until=until.date_input(_("Until"), None, key="until", bind="query-params"),
            synthetic=not choices.real
            or (
                bool(choices.synthetic)
                and st.toggle(_("Include the synthetic lessons"), key="synthetic", bind="query-params")
            ),
        )
    _save(workspace)
    _show_filter(chosen)
    if chosen.since and chosen.until and chosen.since > chosen.until:
        st.warning(_("“From” is later than “Until”. Change one of them."), icon=":material/date_range:")
        st.stop()
    return chosen


def _show_filter(chosen: queries.Filter) -> None:
    """The filter in words, with a button that clears it; nothing without one."""
    only = [clean_text(name) for name in (*chosen.classes, *chosen.subjects)]
    only += [_("from {day}").format(day=chosen.since)] if chosen.since else []
    only += [_("until {day}").format(day=chosen.until)] if chosen.until else []
    if only:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(_("Only: {filters}").format(filters=" · ".join(only)), width="content")
            st.button(
                _("Clear filters"),
                type="tertiary",
                icon=":material/filter_list_off:",
                on_click=st.session_state.update,
                args=(NO_FILTER,),
            )


def require_figures(workspace: Workspace, chosen: queries.Filter) -> pd.DataFrame:
    """Rows of queries.lessons by the filter that may be averaged for a class; where there is none, or none with figures, the
    page says so and ends."""
    lessons = queries.lessons(workspace, chosen)
    if lessons.empty:
        stop_without_match()
    show_withheld(lessons)
    show_left_out(workspace, chosen)
    averaged = queries.lessons(workspace, queries.class_figures(workspace, chosen))
    if averaged["concentration"].isna().all():
        stop_without_figures(workspace, chosen, lessons)
    return averaged


def show_withheld(lessons: pd.DataFrame) -> None:
    """Say how many lessons are withheld from the figures, unless all are. lessons: rows of queries.lessons."""
    if (number := int(lessons["withheld"].sum())) and not lessons["withheld"].all():
        words = ngettext(
            "{n} lesson is not in these figures: it was scored with emotions, which this profile does not show. Choose a "
            "formula on the page [Formula](formulas): it rescores past lessons by attention alone.",
            "{n} lessons are not in these figures: they were scored with emotions, which this profile does not show. Choose "
            "a formula on the page [Formula](formulas): it rescores past lessons by attention alone.",
            number,
        )
        st.info(words.format(n=number), icon=":material/visibility_off:")


def show_left_out(workspace: Workspace, chosen: queries.Filter) -> None:
    """Say how many lessons are not in a class's figures because of their formula or audience."""
    sentences = queries.describe_left_out(workspace, chosen)
    for sentence in sentences:
        st.info(escape_sentence(sentence), icon=":material/function:")
    if sentences:
        st.page_link(ROOT / "pages/formulas.py", label=_("Formula"), icon=":material/function:")


def stop_without_figures(workspace: Workspace, chosen: queries.Filter, lessons: pd.DataFrame, more: str = "") -> None:
    """End a page without figures; say why, unless `show_left_out` did. more: a further sentence."""
    if not queries.describe_left_out(workspace, chosen):
        st.info(f"{why_no_figures(lessons)} {more}", icon=":material/group_off:")
    st.stop()


def stop_without_match() -> None:
    """Say that no lesson matches the filters, and end the page."""
    st.info(_("No lesson matches these filters. Widen them, or clear them all."), icon=":material/filter_list_off:")
    st.stop()


def _restore(workspace: Workspace, choices: queries.Choices) -> None:
    """Restore the last visit's filters once, unless the address names filters or a lesson."""
    recalled, st.session_state["recalled"] = st.session_state.get("recalled", False), True
    if recalled or {*NO_FILTER, "lesson"} & {*st.query_params}:
        return
    kept = NO_FILTER | workspace.get("filters", {})
    for name, there in (("class", choices.classes), ("subject", choices.subjects)):
        kept[name] = [value for value in kept[name] if value in there]
    for name in ("from", "until"):
        kept[name] = kept[name] and date.fromisoformat(kept[name])
    st.session_state.update({name: value for name, value in kept.items() if value != NO_FILTER[name]})


def _save(workspace: Workspace) -> None:
    """Save the filters for the next visit, days as text."""
    chosen = {name: st.session_state.get(name, NO_FILTER[name]) for name in NO_FILTER}
    saved = {name: value.isoformat() if isinstance(value, date) else value for name, value in chosen.items()}
    if saved != NO_FILTER | workspace.get("filters", {}):
        workspace.set("filters", saved)
