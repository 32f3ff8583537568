"""Histograms: emotions and concentration of classes, subjects or lessons, side by side."""

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.charts import histograms
from cssafe.colours import COLOURS
from cssafe.language import _
from cssafe.names import clean_text
from cssafe.settings import MINIMUM_GROUP
from cssafe.ui import common, filters


def keep_groups(table: pd.DataFrame, groups: pd.Index) -> pd.DataFrame:
    """The rows of these groups, with display names."""
    table = table[table["group"].isin(groups)]
    return table.assign(group=[clean_text(name) for name in table["group"]])


common.start_page(_("Histograms"))
workspace = common.workspace()
choices = filters.require_lessons(workspace)
which = filters.choose_filter(choices)

left, right = st.columns(2)
with left:
    groups = {"class": _("School classes"), "subject": _("Subjects"), "lesson": _("Lessons")}
    by = common.choose(_("Side by side"), groups, "class", "by")
with right:
    measure = common.choose(_("Show"), {"share": _("Shares"), "count": _("Counts")}, "share", "show")
lessons = queries.lessons(workspace, which)
if lessons.empty:
    filters.stop_without_match()
if by == "lesson":
    names = {row.lesson: f"{clean_text(row.name)}, {row.local:%d %b %H:%M}" for row in lessons.itertuples(index=False)}
    picked = st.multiselect(
        _("Lessons (up to {most})").format(most=len(COLOURS)),
        names,
        list(names)[:3],
        format_func=names.__getitem__,
        max_selections=len(COLOURS),
    )
    if not picked:
        st.info(_("Choose at least one lesson."), icon=":material/info:")
        st.stop()
    which = queries.Filter(lessons=picked)
    lessons = lessons[lessons["lesson"].isin(picked)]
filters.show_withheld(lessons)
if by != "lesson":
    filters.show_left_out(workspace, which)

concentration = queries.distribution(workspace, by, which)
if concentration.empty:
    filters.stop_without_figures(workspace, which, lessons)
most = concentration.groupby("group")["observations"].first().nlargest(len(COLOURS)).index
if len(most) < concentration["group"].nunique():
    st.caption(_("Only the {n} with most observations are shown; choose others with the filter.").format(n=len(most)))
concentration = keep_groups(concentration, most)
synthetic = concentration["synthetic"].any()

st.subheader(_("Emotions (synthetic)") if synthetic else _("Emotions"))
emotions = queries.emotions(workspace, by, which)
emotions = keep_groups(emotions, most)
if emotions.empty:
    reason = _(
        "There are no emotions here: these lessons were recorded in the profile attention-only, which computes and stores "
        "none."
    )
    if not workspace.expression:
        reason = _(
            "There are no emotions here: the profile attention-only computes and shows none, also for earlier lessons."
        )
    st.info(reason, icon=":material/visibility:")
else:
    longer = _("How to read it: a longer bar means more time in that emotion, as the network names it.")
    lines = {
        "share": _(
            "Grey lines are 95 % intervals over lessons (over faces where there is one lesson): where they overlap, a "
            "difference may be chance."
        ),
        "count": _(
            "A count is one face over one second, for its leading emotion; long lessons and large classes count more. Emotions "
            "that led in fewer than {least} faces of a lesson are not counted, nor is the rarest other one of that lesson."
        ).format(least=MINIMUM_GROUP),
    }
    common.show_chart(
        histograms.emotions(emotions, measure),
        histograms.emotions_caption(emotions, measure),
        emotions.assign(emotion=[_(emotion) for emotion in emotions["emotion"]]),
        key="emotions",
        how=f"{longer} {lines[measure]}",
    )

st.subheader(_("Concentration (synthetic)") if synthetic else _("Concentration"))
ends = _(
    "How to read it: longer bars at the top mean more faces and seconds of high concentration, at the bottom of low. Where "
    "fewer than {least} faces of a lesson reached a tenth, they are counted in the nearest tenth with enough faces."
).format(least=MINIMUM_GROUP)
common.show_chart(
    histograms.distribution(concentration, measure),
    histograms.distribution_caption(concentration, measure),
    concentration,
    key="distribution",
    how=f"{ends} {_(filters.VALIDITY)}",
)
