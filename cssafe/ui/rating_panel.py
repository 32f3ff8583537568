"""Rate: ratings of a lesson's minutes by the teacher, and their agreement with the scores."""

import numpy as np
import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.charts import scores
from cssafe.charts.text import format_intervals
from cssafe.language import N_, _, ngettext
from cssafe.names import escape_markdown
from cssafe.scoring.concentration import levels
from cssafe.scoring.formula import CONCENTRATION, find_formula
from cssafe.stats.agreement import MEASURES, MIN_GROUPS, agreement
from cssafe.store import Workspace
from cssafe.ui import common

RATINGS = (N_("Low"), N_("Medium"), N_("High"))


def _save_answer(number: int, minute: pd.Timestamp, rating: int | None) -> None:
    common.workspace().save_rating(number, minute.tz_localize("UTC").to_pydatetime(), rating)


def ask_next_minute(workspace: Workspace, number: int, moments: pd.DataFrame, audience: str) -> None:
    """The next minute without a rating. moments: scored_observations.moments of the lesson."""
    answered = int(moments["answered"].sum())
    if answered == len(moments):
        st.success(_("All moments of this lesson are rated. The agreement is below."), icon=":material/check_circle:")
        return
    st.progress(answered / len(moments), _("{n} of {all} moments rated").format(n=answered, all=len(moments)))
    moment = moments[~moments["answered"].astype(bool)].iloc[0]
    timeline, markers = queries.timeline(workspace, number), queries.markers(workspace, number)
    [minute] = timeline.loc[timeline["local"] == moment["local"], "minute"]
    marks = [
        _("{marker} at {time}").format(marker=escape_markdown(_(marker.kind)), time=f"{marker.local:%H:%M:%S}")
        for marker in markers.itertuples()
        if int(marker.minute) == minute
    ]
    heading = _("Minute {n}: {start} to {end}").format(
        n=minute + 1, start=f"{moment['local']:%H:%M}", end=f"{moment['local'] + pd.Timedelta(minutes=1):%H:%M}"
    )
    faces = _("Faces in view: {n:.0f}.").format(n=moment["faces"])
    yours = _("Your markers: {markers}.").format(markers=", ".join(marks)) if marks else _("No marker of yours.")
    st.markdown(f"### {heading}\n\n{faces} {yours}")
    st.markdown(
        _("How concentrated were you, as you remember it?")
        if audience == "self"
        else _("How concentrated was the class, as you remember it?")
    )
    with st.container(horizontal=True):
        for rating, name in enumerate(RATINGS):
            st.button(_(name), key=f"rate_{rating}", on_click=_save_answer, args=(number, moment["time"], rating))
        st.button(_("I cannot say"), key="rate_none", on_click=_save_answer, args=(number, moment["time"], None))
    st.caption(
        _("An answer cannot be changed, so that no score can influence it. Scores appear when all moments are rated.")
    )


def show_agreement(rated: pd.DataFrame) -> None:
    """Agreement of ratings and scores. rated: scored_observations.rated."""
    st.subheader(_("Agreement"))
    if rated.empty:
        st.info(
            _("Rate all moments of a lesson to see how well the scores agree with your ratings."),
            icon=":material/info:",
        )
        return
    lessons = rated["lesson"].nunique()
    _show_measures(rated)
    over = (
        ngettext("over {n} lesson", "over {n} lessons", lessons).format(n=lessons)
        if lessons >= MIN_GROUPS
        else _("not shown for fewer than {least} lessons: rate more").format(least=MIN_GROUPS)
    )
    common.show_chart(
        scores.ratings(rated, tuple(map(_, RATINGS))),
        scores.ratings_caption(rated),
        rated,
        key="ratings",
        how=_(
            "How to read it: {n} moments. Recall is the mean share of each of your ratings that the score's level matches "
            "(one in three by chance). Kappa is 0 by chance and 1 in full agreement; two trained observers reach about 0.56 "
            "on four levels. AUC is 0.5 by chance: how often a moment that you rated high has the higher score. Intervals "
            "are {over}. “Not known”: your ratings are all equal, or all in one half. Your memory may be wrong, too."
        ).format(n=len(rated), over=over),
    )
    rows = rated.assign(time=rated["local"].dt.strftime("%Y-%m-%d %H:%M:%S"), label=rated["rating"])
    st.download_button(
        _("Ratings as CSV"),
        rows[["lesson", "time", "label"]].to_csv(index=False).encode(),
        "ratings.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
        help=_("The input of python -m cssafe validate and fit"),
    )


def _show_measures(rated: pd.DataFrame) -> None:
    fresh = np.full(1, -1, np.int8)
    level = np.concatenate(
        [
            # The limits of the default formula stand in for those of a deleted one.
            levels(np.array([row.concentration]), fresh, find_formula(row.formula) or CONCENTRATION)
            for row in rated.itertuples()
        ]
    )
    score, rating, lesson = (rated[name].to_numpy() for name in ("concentration", "rating", "lesson"))
    table = agreement(score, level, rating.astype(int), len(RATINGS), lesson)
    common.show_table(
        key="agreement",
        table=pd.DataFrame(
            {
                _("Measure"): [_(MEASURES[measure]) for measure in table["measure"]],
                _("Value"): [_("not known") if pd.isna(value) else f"{value:.2f}" for value in table["value"]],
                _("95 % interval"): format_intervals(table["low"], table["high"]),
            }
        ),
    )
