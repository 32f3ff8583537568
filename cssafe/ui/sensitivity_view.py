"""Formula: sensitivity of a lesson's result to each number of the formula."""

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.charts import scores, text
from cssafe.labels import LEVELS
from cssafe.language import _
from cssafe.names import clean_text
from cssafe.queries import scored_observations
from cssafe.scoring import sensitivity
from cssafe.scoring.formula import Formula
from cssafe.settings import PROFILES, ROOT
from cssafe.store import Workspace
from cssafe.ui import common, filters


def show_sensitivity(workspace: Workspace, formula: Formula) -> None:
    """The result of a lesson with each number of the formula changed by a fifth."""
    st.subheader(_("Sensitivity of the result"))
    scored = _lessons_with_figures(workspace, formula)
    if scored.empty:
        return
    form = _("%d %b %Y, %H:%M")
    names = {
        row.lesson: f"{clean_text(row.name)}, {row.local.strftime(form)}" for row in scored.itertuples(index=False)
    }
    number = st.selectbox(_("Lesson"), list(names), key="lesson", format_func=names.__getitem__)
    rows = scored_observations.counted_observations(workspace, number)
    activities = scored_observations.activities(workspace, number)
    bar = st.progress(0.0, _("Scoring the lesson with each number changed …"))
    table = sensitivity.rescore_variants(rows, activities, formula, bar.progress)
    bar.empty()
    [lesson] = scored[scored["lesson"] == number].to_dict("records")
    known = lesson["formula"] == str(formula) and pd.notna(lesson["low"])
    interval = (lesson["low"], lesson["high"]) if known else None
    common.show_chart(
        scores.sensitivity(table, interval, formula.bands),
        f"{_result_sentence(formula, table.iloc[0], interval)} {_changes_sentence(table)}",
        _variants_table(table),
        key="sensitivity",
        how=_(
            "How to read it: each bar goes from the lesson's mean to its mean with one number of the formula changed by a "
            "fifth and all others kept. The grey band is the 95 % interval over the lesson's faces: a change within it is "
            "not noticeable. Dashed: limits of low, medium and high."
        ),
    )
    st.caption(
        _(
            "By the formula as it is, {low:.0f} % of the observations are low, {medium:.0f} % medium and {high:.0f} % high, "
            "each by itself and without hysteresis."
        ).format(**{name: 100 * table.iloc[0][name] for name in LEVELS})
    )


def _lessons_with_figures(workspace: Workspace, formula: Formula) -> pd.DataFrame:
    """Rows of queries.lessons that the formula can score; without any, the page says what to do."""
    lessons = queries.lessons(workspace)
    scored = lessons[lessons["concentration"].notna()]
    if formula.emotion is not None:
        scored = scored[scored["profile"].isin([name for name, one in PROFILES.items() if one.expression])]
    if scored.empty:
        st.info(
            _(filters.WITHHELD)
            if lessons["withheld"].any()
            else _("There is no lesson with figures yet. Record one on the page Live."),
            icon=":material/info:",
        )
        st.page_link(ROOT / "pages/live.py", label=_("Live"), icon=":material/videocam:")
    return scored


def _result_sentence(formula: Formula, base: pd.Series, interval: tuple[float, float] | None) -> str:
    """base: the row of sensitivity.rescore_variants of the formula as it is."""
    words = (
        _("By {formula} this lesson is {level} (mean {mean:.0f} of 100, 95 % interval {interval}).")
        if interval
        else _("By {formula} this lesson is {level} (mean {mean:.0f} of 100).")
    )
    level = LEVELS[int(base["level"])]
    return words.format(
        formula=formula,
        level=_(level),
        mean=100 * base["concentration"],
        interval=text.format_interval(100 * interval[0], 100 * interval[1], 0) if interval else "",
    )


def _changes_sentence(table: pd.DataFrame) -> str:
    """The changes of numbers that change the level. table: of sensitivity.rescore_variants."""
    changed = table[table["level"] != table["level"].iloc[0]]
    if changed.empty:
        return _("No single number changes the level when it is changed by a fifth.")
    moves = []
    for row in changed.to_dict("records"):
        words = _("“{number}” a fifth less ({level})") if row["factor"] < 1 else _("“{number}” a fifth more ({level})")
        level = LEVELS[row["level"]]
        moves.append(words.format(number=row["number"], level=_(level)))
    sentence = _("{n} of {all} changes of a number change the level: {moves}.")
    return sentence.format(n=len(changed), all=len(table) - 1, moves=", ".join(moves))


def _variants_table(table: pd.DataFrame) -> pd.DataFrame:
    moved = table[1:].sort_values("concentration")
    return pd.DataFrame(
        {
            _("Number"): moved["number"],
            _("Change"): [_("a fifth less") if factor < 1 else _("a fifth more") for factor in moved["factor"]],
            _("Mean"): 100 * moved["concentration"],
            _("Level"): [_(LEVELS[level]) for level in moved["level"]],
            _("Low (%)"): 100 * moved["low"],
            _("Medium (%)"): 100 * moved["medium"],
            _("High (%)"): 100 * moved["high"],
        }
    )
