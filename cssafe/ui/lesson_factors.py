"""Lessons: the factors of one lesson side by side, and the responsiveness of its class."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.charts import factors
from cssafe.language import _
from cssafe.queries import Filter, presence
from cssafe.queries.responsiveness import AFTER_S, marked_moments, responsiveness
from cssafe.queries.suggestions import MAX_AGE_DAYS
from cssafe.store import Workspace
from cssafe.ui import common


def show_factors(workspace: Workspace, lesson: int) -> None:
    """Bars of the factors of a class, with the people present and expected; nothing of one person alone."""
    for _index, row in queries.factors(workspace, Filter(lessons=[lesson])).iterrows():
        table = presence.side_by_side(row)
        people = ""
        if pd.notna(row["person_minutes"]):
            people = _("{present:.0f} of {expected:.0f} expected person-minutes were spent there.").format(
                present=row["person_minutes"], expected=row["expected_minutes"]
            )
        meanings = [_(factors.FACTOR_MEANINGS[factor]) for factor in table["factor"]]
        common.show_chart(
            factors.side_by_side(table),
            factors.factors_caption(table),
            table.assign(factor=[_(factors.FACTOR_TITLES[factor]) for factor in table["factor"]]),
            key="factors",
            how=" ".join([people, *meanings, _("Lines are 95 % intervals over people.")]).strip(),
        )
        since = row["local"].date() - timedelta(days=MAX_AGE_DAYS)
        show_responsiveness(workspace, Filter([row["class_name"]], since=since, synthetic=bool(row["synthetic"])))


def show_responsiveness(workspace: Workspace, which: Filter) -> None:
    """Changes of attention after each kind of marker, over these lessons; nothing without markers."""
    table = cached_responsiveness(workspace, which)
    if table.empty:
        return
    how = _(factors.RESPONSIVENESS_MEANING).format(window=AFTER_S)
    sentences = factors.describe_responsiveness(table)
    if table["low"].notna().any():
        shown = table[["kind", "change", "low", "high", "markers", "lessons"]]
        common.show_chart(factors.responsiveness(table), " ".join(sentences), shown, key="responsiveness", how=how)
    else:
        st.text(" ".join(sentences))


def cached_responsiveness(workspace: Workspace, which: Filter) -> pd.DataFrame:
    """responsiveness.responsiveness, computed again when these lessons or their markers have changed: it takes a second for a
    dozen lessons. Kept for this visitor only."""
    marked = marked_moments(workspace, which)
    known = st.session_state.get("known_responsiveness")
    if known is None or not known[0].equals(marked):
        known = st.session_state["known_responsiveness"] = marked, responsiveness(workspace, which)
    return known[1]
