"""Rate: the teacher says how minutes of a lesson were without seeing their scores; then both are compared."""

import numpy as np
import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.charts import captions, formulas, intervals
from cssafe.language import _, ngettext
from cssafe.names import clean_text, escape_markdown
from cssafe.queries import scored_observations
from cssafe.scoring.concentration import levels
from cssafe.scoring.formula import PUBLISHED, find
from cssafe.settings import ROOT
from cssafe.stats.agreement import MEASURES, agreement
from cssafe.ui import common
from cssafe.ui.filters import VALIDITY, WITHHELD

NAMES = (_("Low"), _("Medium"), _("High"))

common.page(_("Rate"))
workspace = common.workspace()


def answer(number: int, minute: pd.Timestamp, rating: int | None) -> None:
    common.workspace().rate(number, minute.tz_localize("UTC").to_pydatetime(), rating)


def ask(number: int, moments: pd.DataFrame, audience: str) -> None:
    """The next minute without an answer."""
    answered = int(moments["answered"].sum())
    if answered == len(moments):
        st.success(_("All moments of this lesson are rated. The agreement is below."), icon=":material/check_circle:")
        return
    st.progress(answered / len(moments), _("{n} of {all} moments rated").format(n=answered, all=len(moments)))
    moment = moments[~moments["answered"].astype(bool)].iloc[0]
    timeline, markers = queries.timeline(workspace, number), queries.markers(workspace, number)
    [minute] = timeline.loc[timeline["local"] == moment["local"], "minute"]
    told = [
        _("{marker} at {time}").format(marker=escape_markdown(_(marker.kind)), time=f"{marker.local:%H:%M:%S}")
        for marker in markers.itertuples()
        if int(marker.minute) == minute
    ]
    heading = _("Minute {n}: {start} to {end}").format(
        n=minute + 1, start=f"{moment['local']:%H:%M}", end=f"{moment['local'] + pd.Timedelta(minutes=1):%H:%M}"
    )
    faces = _("Faces in view: {n:.0f}.").format(n=moment["faces"])
    yours = _("Your markers: {markers}.").format(markers=", ".join(told)) if told else _("No marker of yours.")
    st.markdown(f"### {heading}\n\n{faces} {yours}")
    st.markdown(
        _("How concentrated were you, as you remember it?")
        if audience == "self"
        else _("How concentrated was the class, as you remember it?")
    )
    with st.container(horizontal=True):
        for rating, name in enumerate(NAMES):
            st.button(name, key=f"rate_{rating}", on_click=answer, args=(number, moment["time"], rating))
        st.button(_("I cannot say"), key="rate_none", on_click=answer, args=(number, moment["time"], None))
    st.caption(
        _("An answer stays as it was given first, so that no score can lead it. Scores appear when all are answered.")
    )


def compare(rated: pd.DataFrame) -> None:
    """How far ratings and scores agree."""
    st.subheader(_("Agreement"))
    if rated.empty:
        st.info(
            _("Once all moments of a lesson are rated, this shows how far the scores agree."), icon=":material/info:"
        )
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
    common.show_table(
        key="agreement",
        table=pd.DataFrame(
            {
                _("Measure"): [_(MEASURES[measure]) for measure in table["measure"]],
                _("Value"): [_("not known") if pd.isna(value) else f"{value:.2f}" for value in table["value"]],
                _("95 % interval"): intervals(table["low"], table["high"]),
            }
        ),
    )
    over = (
        ngettext("over {n} lesson", "over {n} lessons", lessons).format(n=lessons)
        if lessons > 1
        else _("over the moments of one lesson, which is too kind: rate more lessons")
    )
    common.chart(
        formulas.ratings(rated, NAMES),
        captions.ratings(rated),
        rated,
        key="ratings",
        how=_(
            "How to read it: {n} moments. Recall is the mean share of each of your ratings that the score's level matches "
            "(one in three by chance). Kappa is 0 by chance and 1 in full agreement; two trained observers reach about 0.56 "
            "on four levels. AUC is 0.5 by chance: how often a moment that you called high has the higher score. Intervals "
            "are {over}. “Not known”: your ratings are all alike, or all in one half. A memory is no proof either."
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
        help=_("As python -m cssafe validate and fit read them"),
    )


lessons = queries.lessons(workspace)
real = lessons[~lessons["synthetic"].astype(bool) & lessons["ended"].notna() & (lessons["minutes"] > 0)]
if real.empty:
    st.info(
        _(
            "There is no lesson to rate yet. Record one on the page Live and end it; a synthetic lesson was given by "
            "nobody and cannot be rated."
        ),
        icon=":material/info:",
    )
    st.page_link(ROOT / "pages/live.py", label=_("Live"), icon=":material/videocam:")
else:
    day = _("%d %b %Y, %H:%M")
    names = {row.lesson: f"{clean_text(row.name)}, {row.local.strftime(day)}" for row in real.itertuples(index=False)}
    chosen = st.selectbox(_("Lesson"), list(names), key="lesson", format_func=names.get)
    st.caption(_("Rate a lesson soon after it, and before you look at its scores on the page Lessons."))
    ask(chosen, scored_observations.rating_moments(workspace, chosen), real.set_index("lesson").loc[chosen, "audience"])
    if real["withheld"].any():
        st.info(_(WITHHELD), icon=":material/visibility_off:")
    compare(scored_observations.rated_minutes(workspace))
st.caption(_(VALIDITY))
