"""Rate: the teacher says how minutes of a lesson were without seeing their scores; then both are compared."""

import numpy as np
import pandas as pd
import streamlit as st

from cssafe import evidence, formula_charts, queries, readings, ui
from cssafe.agreement import MEASURES, agreement
from cssafe.concentration import levels
from cssafe.formula import PUBLISHED, find
from cssafe.frames import LEVELS
from cssafe.settings import ROOT
from pages.filters import VALIDITY

NAMES = tuple(level.capitalize() for level in LEVELS)

ui.page("Rate")
workspace = ui.workspace()


def answer(number: int, minute: pd.Timestamp, rating: int | None) -> None:
    ui.workspace().rate(number, minute.tz_localize("UTC").to_pydatetime(), rating)


def ask(number: int, moments: pd.DataFrame, audience: str) -> None:
    """The next minute without an answer."""
    answered = int(moments["answered"].sum())
    if answered == len(moments):
        st.success("All moments of this lesson are rated. The agreement is below.", icon=":material/check_circle:")
        return
    st.progress(answered / len(moments), f"{answered} of {len(moments)} moments rated")
    moment = moments[~moments["answered"].astype(bool)].iloc[0]
    timeline, markers = queries.timeline(workspace, number), queries.markers(workspace, number)
    [minute] = timeline.loc[timeline["local"] == moment["local"], "minute"]
    told = [
        f"{marker.kind} at {marker.local:%H:%M:%S}" for marker in markers.itertuples() if int(marker.minute) == minute
    ]
    st.markdown(
        f"### Minute {minute + 1}: {moment['local']:%H:%M} to {moment['local'] + pd.Timedelta(minutes=1):%H:%M}\n\n"
        f"Faces in view: {moment['faces']:.0f}. "
        + (f"Your markers: {', '.join(told)}." if told else "No marker of yours.")
    )
    who = "were you" if audience == "self" else "was the class"
    st.markdown(f"How concentrated {who}, as you remember it?")
    with st.container(horizontal=True):
        for rating, name in enumerate(NAMES):
            st.button(name, key=f"rate_{rating}", on_click=answer, args=(number, moment["time"], rating))
        st.button("I cannot say", key="rate_none", on_click=answer, args=(number, moment["time"], None))
    st.caption(
        "An answer stays as it was given first, so that no score can lead it. Scores appear when all are answered."
    )


def compare(rated: pd.DataFrame) -> None:
    """How far ratings and scores agree."""
    st.subheader("Agreement")
    if rated.empty:
        st.info("Once all moments of a lesson are rated, this shows how far the scores agree.", icon=":material/info:")
        return
    fresh = np.full(1, -1, np.int8)
    level = np.concatenate(
        [
            # A formula that is gone has no limits any more: those of the published one stand in.
            levels(np.array([row.concentration]), fresh, find(row.formula) or PUBLISHED)
            for row in rated.itertuples()
        ]
    )
    lessons = rated["lesson"].nunique()
    group = rated["lesson"].to_numpy() if lessons > 1 else np.arange(len(rated))
    table = agreement(rated["concentration"].to_numpy(), level, rated["rating"].to_numpy(int), len(NAMES), group)
    ends = zip(table["low"], table["high"], strict=True)
    st.dataframe(
        pd.DataFrame(
            {
                "Measure": [MEASURES[measure] for measure in table["measure"]],
                "Value": ["not known" if pd.isna(value) else f"{value:.2f}" for value in table["value"]],
                "95 % interval": ["not known" if pd.isna(low) else f"{low:.2f} to {high:.2f}" for low, high in ends],
            }
        ),
        hide_index=True,
    )
    over = (
        f"over {lessons} lessons"
        if lessons > 1
        else "over the moments of one lesson, which is too kind: rate more lessons"
    )
    ui.chart(
        formula_charts.ratings(rated, NAMES),
        readings.ratings(rated),
        rated,
        key="ratings",
        how=f"How to read it: {len(rated)} moments. Recall is the mean share of each of your ratings that the score's level "
        "matches (one in three by chance). Kappa is 0 by chance and 1 in full agreement; two trained observers reach about "
        f"0.56 on four levels. AUC is 0.5 by chance: how often a moment that you called high has the higher score. "
        f"Intervals are {over}. "
        "“Not known”: your ratings are all alike, or all in one half. A memory is no proof either.",
    )
    rows = rated.assign(time=rated["local"].dt.strftime("%Y-%m-%d %H:%M:%S"), label=rated["rating"])
    st.download_button(
        "Ratings as CSV",
        rows[["lesson", "time", "label"]].to_csv(index=False).encode(),
        "ratings.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
        help="As python -m cssafe validate and fit read them",
    )


lessons = queries.lessons(workspace)
real = lessons[~lessons["synthetic"].astype(bool) & lessons["ended"].notna() & (lessons["minutes"] > 0)]
if real.empty:
    st.info(
        "There is no lesson to rate yet. Record one on the page Live and end it; a synthetic lesson was given by "
        "nobody and cannot be rated.",
        icon=":material/info:",
    )
    st.page_link(ROOT / "pages/live.py", label="Live", icon=":material/videocam:")
else:
    names = {row.lesson: f"{row.name}, {row.local:%d %b %Y, %H:%M}" for row in real.itertuples(index=False)}
    chosen = st.selectbox("Lesson", list(names), key="lesson", format_func=names.get)
    st.caption("Rate a lesson soon after it, and before you look at its scores on the page Lessons.")
    ask(chosen, evidence.moments(workspace, chosen), real.set_index("lesson").loc[chosen, "audience"])
    compare(evidence.rated(workspace))
st.caption(VALIDITY)
