"""Histograms: emotions and concentration of classes, subjects or lessons, side by side."""

import pandas as pd
import streamlit as st

from cssafe import charts, queries
from cssafe.charts import captions
from cssafe.language import _
from cssafe.names import clean_text
from cssafe.settings import MINIMUM_GROUP
from cssafe.ui import common, filters


def contained(table: pd.DataFrame, groups: pd.Index) -> pd.DataFrame:
    """The rows of these groups, with their names as they are shown."""
    table = table[table["group"].isin(groups)]
    return table.assign(group=[clean_text(name) for name in table["group"]])


common.page(_("Histograms"))
workspace = common.workspace()
choices = filters.guard(workspace)
which = filters.which(choices)

left, right = st.columns(2)
by = left.segmented_control(
    _("Side by side"),
    ["class", "subject", "lesson"],
    default="class",
    required=True,
    format_func={"class": _("School classes"), "subject": _("Subjects"), "lesson": _("Lessons")}.get,
    key="by",
    bind="query-params",
)
measure = right.segmented_control(
    _("Show"),
    ["share", "count"],
    default="share",
    required=True,
    format_func={"share": _("Shares"), "count": _("Counts")}.get,
    key="show",
    bind="query-params",
)
lessons = queries.lessons(workspace, which)
if lessons.empty:
    filters.nothing()
if by == "lesson":
    names = {row.lesson: f"{clean_text(row.name)}, {row.local:%d %b %H:%M}" for row in lessons.itertuples(index=False)}
    picked = st.multiselect(
        _("Lessons (up to {most})").format(most=len(charts.COLOURS)),
        names,
        list(names)[:3],
        format_func=names.get,
        max_selections=len(charts.COLOURS),
    )
    if not picked:
        st.info(_("Choose at least one lesson."), icon=":material/info:")
        st.stop()
    which = queries.Filter(lessons=picked)
    lessons = lessons[lessons["lesson"].isin(picked)]
filters.left_out(lessons)

concentration = queries.distribution(workspace, by, which)
if concentration.empty:
    st.info(filters.no_figures(lessons), icon=":material/group_off:")
    st.stop()
most = concentration.groupby("group")["observations"].first().nlargest(len(charts.COLOURS)).index
if len(most) < concentration["group"].nunique():
    st.caption(_("Shown are the {n} with most observations; choose others with the filter.").format(n=len(most)))
concentration = contained(concentration, most)
synthetic = concentration["synthetic"].any()

st.subheader(_("Emotions (synthetic)") if synthetic else _("Emotions"))
emotions = queries.emotions(workspace, by, which)
emotions = contained(emotions, most)
if emotions.empty:
    reason = _(
        "There are no emotions here: these lessons were recorded in the profile attention-only, in which none are "
        "computed or stored."
    )
    if not workspace.expression:
        reason = _(
            "There are no emotions here: in the profile attention-only none are computed or shown, also of lessons recorded "
            "before."
        )
    st.info(reason, icon=":material/visibility:")
else:
    longer = _("How to read it: a longer bar means more of the time in that emotion, as the network names it.")
    lines = {
        "share": _(
            "Grey lines are 95 % intervals over lessons (over faces where there is one lesson): where they overlap, a "
            "difference may be chance."
        ),
        "count": _(
            "Counted is one face over one second, under the emotion that leads in it; long lessons and large classes count "
            "more. Not counted are emotions that led in fewer than {least} faces of a lesson, and with them its rarest other "
            "one."
        ).format(least=MINIMUM_GROUP),
    }
    common.chart(
        charts.emotions(emotions, measure),
        captions.emotions(emotions, measure),
        emotions.assign(emotion=[_(emotion) for emotion in emotions["emotion"]]),
        key="emotions",
        how=f"{longer} {lines[measure]}",
    )

st.subheader(_("Concentration (synthetic)") if synthetic else _("Concentration"))
ends = _(
    "How to read it: longer bars at the top mean more faces and seconds of high concentration, at the bottom of low. What "
    "fewer than {least} faces of a lesson reached is counted in the nearest tenth that enough did."
).format(least=MINIMUM_GROUP)
common.chart(
    charts.distribution(concentration, measure),
    captions.distribution(concentration, measure),
    concentration,
    key="distribution",
    how=f"{ends} {_(filters.VALIDITY)}",
)
