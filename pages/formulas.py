"""Formula: which one scores lessons, every number in it with its source, and how far a lesson's verdict hangs on each."""

import pandas as pd
import streamlit as st

from cssafe import evidence, formula_charts, queries, sensitivity, ui
from cssafe.formula import Formula, chosen, files, read_formula, sources
from cssafe.frames import LEVELS
from cssafe.settings import PROFILES, ROOT
from pages.filters import VALIDITY

ui.page("Formula")
workspace, profile = ui.workspace(), ui.settings().profile
current = chosen(workspace.get("formula"), profile.expression)


def choose() -> Formula:
    """The formula that is looked at, from those that this profile may use."""
    found, problems = files()
    for problem in problems:
        st.warning(problem, icon=":material/broken_image:")
    usable = {name: path for name, path in found.items() if profile.expression or read_formula(path).emotion is None}
    name = st.selectbox("Formula", list(usable), list(usable).index(str(current)), key="formula")
    formula = read_formula(usable[name])
    st.markdown(formula.title)
    with st.expander("Every number and where it comes from", icon=":material/format_list_numbered:"):
        st.dataframe(
            pd.DataFrame(sources(usable[name])),
            hide_index=True,
            column_order=["part", "name", "value", "unit", "source"],
            column_config={
                "part": "Part",
                "name": "Number",
                "value": st.column_config.NumberColumn("Value", format="%g"),
                "unit": "Unit",
                "source": st.column_config.TextColumn("Source", width="large"),
            },
        )
    st.caption(
        f"Further formulas are files in the folder {ui.settings().data / 'formulas'}; `python -m cssafe fit` makes one from "
        "labelled lessons."
        if not ui.settings().hosted
        else "Where CSSAFE runs on your own computer, formulas can be added: `python -m cssafe fit` makes one."
    )
    return formula


def use(formula: Formula) -> None:
    """Take the formula for lessons to come, and score the past ones by it."""
    if told := st.session_state.pop("rescored", ""):
        st.success(told, icon=":material/check_circle:")
    past = workspace.rescorable(formula)
    if str(formula) == str(current) and not past:
        st.info("Lessons are scored by this formula.", icon=":material/check:")
        return
    st.markdown(
        f"Lessons are scored by **{current}** now. "
        f"{len(past)} past {'lesson has' if len(past) == 1 else 'lessons have'} scores by another formula than {formula}."
    )
    if st.button(f"Score all lessons by {formula}", type="primary", icon=":material/function:"):
        workspace.set("formula", str(formula))
        bar = st.progress(0.0, "Scoring past lessons anew …")
        number = workspace.rescore(formula, bar.progress)
        st.session_state["rescored"] = (
            f"Lessons to come are scored by {formula}; {number} past {'one was' if number == 1 else 'ones were'} scored anew."
        )
        st.rerun()
    st.caption(
        "Scores made anew come from what was stored once a second, those of a running lesson from each picture: the two "
        "differ somewhat where faces move. Running lessons and, where the formula weighs emotions, lessons without emotions "
        "keep their scores."
    )


def sensitive(formula: Formula) -> None:
    """How a lesson's verdict moves when each number moves by a fifth."""
    st.subheader("How far a verdict hangs on each number")
    expressive = [name for name, one in PROFILES.items() if one.expression]
    lessons = queries.lessons(workspace)
    scored = lessons[lessons["concentration"].notna()]
    if formula.emotion is not None:
        scored = scored[scored["profile"].isin(expressive)]
    if scored.empty:
        st.info(
            "There is no lesson with figures yet for this. Record one on the page Live.",
            icon=":material/info:",
        )
        st.page_link(ROOT / "pages/live.py", label="Live", icon=":material/videocam:")
        return
    names = {row.lesson: f"{row.name}, {row.local:%d %b %Y, %H:%M}" for row in scored.itertuples(index=False)}
    number = st.selectbox("Lesson", list(names), key="lesson", format_func=names.get)
    rows, activities = evidence.counted(workspace, number), evidence.activities(workspace, number)
    bar = st.progress(0.0, "Scoring the lesson with each number moved …")
    table = sensitivity.verdicts(rows, activities, formula, bar.progress)
    bar.empty()
    [lesson] = scored[scored["lesson"] == number].to_dict("records")
    known = lesson["formula"] == str(formula) and pd.notna(lesson["low"])
    interval = (lesson["low"], lesson["high"]) if known else None
    base = table.iloc[0]
    changed = table[table["level"] != base["level"]]
    moves = ", ".join(map(move, changed.to_dict("records")))
    ends = f", 95 % interval {interval[0]:.2f} to {interval[1]:.2f}" if interval else ""
    said = f"By {formula} this lesson is {LEVELS[int(base['level'])]} (mean {base['concentration']:.2f}{ends}). " + (
        "No single number changes that when it is moved by a fifth."
        if changed.empty
        else f"That changes with {len(changed)} of {len(table) - 1} moves: {moves}."
    )
    shown = table[1:].sort_values("concentration")
    ui.chart(
        formula_charts.sensitivity(table, interval, formula.bands),
        said,
        pd.DataFrame(
            {
                "Number": shown["number"],
                "Moved": ["a fifth less" if factor < 1 else "a fifth more" for factor in shown["factor"]],
                "Mean": shown["concentration"],
                "Verdict": [LEVELS[level] for level in shown["level"]],
            }
            | {f"{name.capitalize()} (%)": 100 * shown[name] for name in LEVELS}
        ),
        key="sensitivity",
        how="How to read it: each bar goes from the lesson's mean to what it becomes when one number of the formula is a fifth "
        "less or more and all others stay. The grey band is the 95 % interval over the lesson's faces: what stays in it, "
        "nobody could see. Dashed: limits of low, medium and high.",
    )
    st.caption(
        f"As it is, {', '.join(f'{100 * base[name]:.0f} % {name}' for name in LEVELS)} of the faces' seconds, each by itself "
        "and without hysteresis."
    )


def move(row: dict) -> str:
    """One change of one number."""
    return f"“{row['number']}” a fifth {'less' if row['factor'] < 1 else 'more'} ({LEVELS[row['level']]})"


formula = choose()
use(formula)
sensitive(formula)
st.caption(VALIDITY)
