"""Formula: the choice of a formula, its numbers with their sources, and rescoring of past lessons."""

import pandas as pd
import streamlit as st

from cssafe.language import _, ngettext
from cssafe.names import escape_markdown, escape_sentence
from cssafe.scoring.formula import Formula, list_formulas, list_sources, read_formula
from cssafe.store import Workspace
from cssafe.ui import common


def select_formula(current: Formula) -> Formula:
    """The formula to show, of those that this profile may use. current: the one of lessons to come."""
    found, problems = list_formulas()
    for problem in problems:
        st.warning(escape_sentence(problem), icon=":material/broken_image:")
    expression = common.settings().profile.expression
    usable = {name: path for name, path in found.items() if expression or read_formula(path).emotion is None}
    name = st.selectbox(_("Formula"), list(usable), list(usable).index(str(current)), key="formula")
    formula = read_formula(usable[name])
    st.markdown(escape_sentence(formula.title and _(formula.title)))
    with st.expander(_("Every number and its source"), icon=":material/format_list_numbered:"):
        common.show_table(
            pd.DataFrame(list_sources(usable[name])),
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


def offer_rescoring(workspace: Workspace, formula: Formula, current: Formula) -> None:
    """Use the formula for lessons to come and rescore past ones by it. current: the one of lessons to come."""
    if done := st.session_state.pop("rescored", ""):
        st.success(done, icon=":material/check_circle:")
    past = workspace.rescorable_lessons(formula)
    _show_unscorable(workspace.unscorable_lessons(formula), formula)
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
        bar = st.progress(0.0, _("Rescoring past lessons …"))
        number = workspace.rescore(formula, bar.progress)
        st.session_state["rescored"] = ngettext(
            "Lessons to come are scored by {formula}; {n} past one was rescored.",
            "Lessons to come are scored by {formula}; {n} past ones were rescored.",
            number,
        ).format(formula=escape_markdown(formula), n=number)
        st.rerun()
    st.caption(
        _(
            "Rescoring uses the means stored once a second, a running lesson is scored from each picture: the two differ "
            "slightly where faces move. Running lessons keep their scores."
        )
    )


def _show_unscorable(number: int, formula: Formula) -> None:
    """Say how many past lessons cannot be scored by the formula."""
    if not number:
        return
    words = ngettext(
        "{n} past lesson cannot be scored by {formula}: signals or emotions that it needs were not stored. It keeps its "
        "score and stays out of the figures of its class.",
        "{n} past lessons cannot be scored by {formula}: signals or emotions that it needs were not stored. They keep "
        "their scores and stay out of the figures of their classes.",
        number,
    )
    st.info(words.format(n=number, formula=escape_markdown(formula)), icon=":material/block:")
