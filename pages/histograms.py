"""Histograms: emotions and concentration of classes, subjects or lessons, side by side."""

import streamlit as st

from cssafe import charts, queries, ui
from pages import filters

ui.page("Histograms")
workspace = ui.workspace()
choices = filters.guard(workspace)

left, right = st.columns(2)
by = left.segmented_control(
    "Side by side",
    ["class", "subject", "lesson"],
    default="class",
    required=True,
    format_func={"class": "School classes", "subject": "Subjects", "lesson": "Lessons"}.get,
    key="by",
    bind="query-params",
)
measure = right.segmented_control(
    "Show",
    ["share", "count"],
    default="share",
    required=True,
    format_func={"share": "Shares", "count": "Counts"}.get,
    key="show",
    bind="query-params",
)
which = filters.which(choices)
lessons = queries.lessons(workspace, which)
if lessons.empty:
    filters.nothing()
if by == "lesson":
    names = {row.lesson: f"{row.name}, {row.local:%d %b %H:%M}" for row in lessons.itertuples(index=False)}
    picked = st.multiselect(
        f"Lessons (up to {len(charts.COLOURS)})",
        names,
        list(names)[:3],
        format_func=names.get,
        max_selections=len(charts.COLOURS),
    )
    if not picked:
        st.info("Choose at least one lesson.", icon=":material/info:")
        st.stop()
    which = queries.Filter(lessons=picked)

concentration = queries.distribution(workspace, by, which)
if concentration.empty:
    st.info(filters.TOO_FEW, icon=":material/group_off:")
    st.stop()
most = concentration.groupby("group")["observations"].first().nlargest(len(charts.COLOURS)).index
if len(most) < concentration["group"].nunique():
    st.caption(f"Shown are the {len(most)} with most observations; choose others with the filter.")
mark = " (synthetic)" if concentration["synthetic"].any() else ""

st.subheader(f"Emotions{mark}")
emotions = queries.emotions(workspace, by, which)
emotions = emotions[emotions["group"].isin(most)]
if emotions.empty:
    st.info(
        "There are no emotions here: these lessons were recorded in the profile attention-only, in which none are "
        "computed or stored.",
        icon=":material/visibility:",
    )
else:
    st.altair_chart(charts.emotions(emotions, measure), alt="Bars of eight emotions, side by side for each group")
    st.caption(
        "How to read it: a longer bar means more of the time in that emotion, as the network names it. "
        + (
            "Grey lines are 95 % intervals over lessons (over faces where there is one lesson): where they overlap, a "
            "difference may be chance."
            if measure == "share"
            else "Counted is one face over one second, under the emotion that leads in it; long lessons and large "
            "classes count more."
        )
    )

st.subheader(f"Concentration{mark}")
st.altair_chart(
    charts.distribution(concentration[concentration["group"].isin(most)], measure),
    alt="Bars of the concentration index in tenths, side by side for each group",
)
st.caption(
    "How to read it: longer bars at the top mean more faces and seconds of high concentration, at the bottom of low. "
    + filters.VALIDITY
)
