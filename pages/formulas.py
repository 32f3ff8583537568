"""Formula: which one scores lessons, every number in it with its source, and how far a lesson's verdict hangs on each."""

import pandas as pd
import streamlit as st

from cssafe import queries
from cssafe.charts import between, formulas
from cssafe.frames import LEVELS
from cssafe.language import _, ngettext
from cssafe.names import clean_text, escape_markdown, escape_sentence
from cssafe.queries import scored_observations
from cssafe.scoring import sensitivity
from cssafe.scoring.formula import Formula, chosen, files, read_formula, sources
from cssafe.settings import PROFILES, ROOT
from cssafe.ui import common
from cssafe.ui.filters import VALIDITY, WITHHELD

common.page(_("Formula"))
workspace, profile = common.workspace(), common.settings().profile
current = chosen(workspace.get("formula"), profile.expression)


def choose() -> Formula:
    """The formula that is looked at, from those that this profile may use."""
    found, problems = files()
    for problem in problems:
        st.warning(escape_sentence(problem), icon=":material/broken_image:")
    usable = {name: path for name, path in found.items() if profile.expression or read_formula(path).emotion is None}
    name = st.selectbox(_("Formula"), list(usable), list(usable).index(str(current)), key="formula")
    formula = read_formula(usable[name])
    st.markdown(escape_sentence(formula.title and _(formula.title)))
    with st.expander(_("Every number and where it comes from"), icon=":material/format_list_numbered:"):
        common.show_table(
            pd.DataFrame(sources(usable[name])),
            key="sources",
            column_order=["part", "name", "value", "unit", "source"],
            column_config={
                "part": _("Part"),
                "name": _("Number"),
                "value": st.column_config.NumberColumn(_("Value"), format="%g"),
                "unit": _("Unit"),
                "source": st.column_config.TextColumn(_("Source"), width="large"),
            },
        )
    st.caption(
        _(
            "Further formulas are files in the folder {folder}; `python -m cssafe fit` makes one from labelled lessons."
        ).format(folder=escape_sentence(common.settings().data / "formulas"))
        if not common.settings().hosted
        else _("Where CSSAFE runs on your own computer, formulas can be added: `python -m cssafe fit` makes one.")
    )
    return formula


def use(formula: Formula) -> None:
    """Take the formula for lessons to come, and score the past ones by it."""
    if told := st.session_state.pop("rescored", ""):
        st.success(told, icon=":material/check_circle:")
    past = workspace.rescorable(formula)
    if str(formula) == str(current) and not past:
        st.info(_("Lessons are scored by this formula."), icon=":material/check:")
        return
    st.markdown(
        _("Lessons are scored by **{formula}** now.").format(formula=escape_markdown(current))
        + " "
        + ngettext(
            "{n} past lesson has scores by another formula than {formula}.",
            "{n} past lessons have scores by another formula than {formula}.",
            len(past),
        ).format(n=len(past), formula=escape_markdown(formula))
    )
    if st.button(
        _("Score all lessons by {formula}").format(formula=escape_markdown(formula)),
        type="primary",
        icon=":material/function:",
    ):
        workspace.set("formula", str(formula))
        bar = st.progress(0.0, _("Scoring past lessons anew …"))
        number = workspace.rescore(formula, bar.progress)
        st.session_state["rescored"] = ngettext(
            "Lessons to come are scored by {formula}; {n} past one was scored anew.",
            "Lessons to come are scored by {formula}; {n} past ones were scored anew.",
            number,
        ).format(formula=escape_markdown(formula), n=number)
        st.rerun()
    st.caption(
        _(
            "Scores made anew come from what was stored once a second, those of a running lesson from each picture: the "
            "two differ somewhat where faces move. Running lessons and, where the formula weighs emotions, lessons "
            "without emotions keep their scores."
        )
    )


def sensitive(formula: Formula) -> None:
    """How a lesson's verdict moves when each number moves by a fifth."""
    st.subheader(_("How far a verdict hangs on each number"))
    expressive = [name for name, one in PROFILES.items() if one.expression]
    lessons = queries.lessons(workspace)
    scored = lessons[lessons["concentration"].notna()]
    if formula.emotion is not None:
        scored = scored[scored["profile"].isin(expressive)]
    if scored.empty:
        st.info(
            _(WITHHELD)
            if lessons["withheld"].any()
            else _("There is no lesson with figures yet for this. Record one on the page Live."),
            icon=":material/info:",
        )
        st.page_link(ROOT / "pages/live.py", label=_("Live"), icon=":material/videocam:")
        return
    day = _("%d %b %Y, %H:%M")
    names = {row.lesson: f"{clean_text(row.name)}, {row.local.strftime(day)}" for row in scored.itertuples(index=False)}
    number = st.selectbox(_("Lesson"), list(names), key="lesson", format_func=names.get)
    rows, activities = (
        scored_observations.counted_observations(workspace, number),
        scored_observations.activities(workspace, number),
    )
    bar = st.progress(0.0, _("Scoring the lesson with each number moved …"))
    table = sensitivity.verdicts(rows, activities, formula, bar.progress)
    bar.empty()
    [lesson] = scored[scored["lesson"] == number].to_dict("records")
    known = lesson["formula"] == str(formula) and pd.notna(lesson["low"])
    interval = (lesson["low"], lesson["high"]) if known else None
    base = table.iloc[0]
    changed = table[table["level"] != base["level"]]
    moves = ", ".join(map(move, changed.to_dict("records")))
    level = LEVELS[int(base["level"])]
    verdict = (
        _("By {formula} this lesson is {level} (mean {mean:.2f}, 95 % interval {interval}).")
        if interval
        else _("By {formula} this lesson is {level} (mean {mean:.2f}).")
    ).format(
        formula=formula,
        level=_(level),
        mean=base["concentration"],
        interval=between(*interval) if interval else "",
    )
    hangs = (
        _("No single number changes that when it is moved by a fifth.")
        if changed.empty
        else _("That changes with {n} of {all} moves: {moves}.").format(n=len(changed), all=len(table) - 1, moves=moves)
    )
    moved = table[1:].sort_values("concentration")
    common.chart(
        formulas.sensitivity(table, interval, formula.bands),
        f"{verdict} {hangs}",
        pd.DataFrame(
            {
                _("Number"): moved["number"],
                _("Moved"): [_("a fifth less") if factor < 1 else _("a fifth more") for factor in moved["factor"]],
                _("Mean"): moved["concentration"],
                _("Verdict"): [_(LEVELS[level]) for level in moved["level"]],
            }
            | {
                _("Low (%)"): 100 * moved["low"],
                _("Medium (%)"): 100 * moved["medium"],
                _("High (%)"): 100 * moved["high"],
            }
        ),
        key="sensitivity",
        how=_(
            "How to read it: each bar goes from the lesson's mean to what it becomes when one number of the formula is a fifth "
            "less or more and all others stay. The grey band is the 95 % interval over the lesson's faces: what stays in it, "
            "nobody could see. Dashed: limits of low, medium and high."
        ),
    )
    st.caption(
        _(
            "As it is, {low:.0f} % low, {medium:.0f} % medium, {high:.0f} % high of the faces' seconds, each by itself and "
            "without hysteresis."
        ).format(**{name: 100 * base[name] for name in LEVELS})
    )


def move(row: dict) -> str:
    """One change of one number."""
    told = _("“{number}” a fifth less ({level})") if row["factor"] < 1 else _("“{number}” a fifth more ({level})")
    level = LEVELS[row["level"]]
    return told.format(number=row["number"], level=_(level))


formula = choose()
use(formula)
sensitive(formula)
st.caption(_(VALIDITY))
