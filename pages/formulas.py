"""Formula: the formula that scores lessons, the source of every number in it, and the sensitivity of a lesson's result."""

import streamlit as st

from cssafe.language import _
from cssafe.scoring.formula import choose_formula
from cssafe.ui import common
from cssafe.ui.filters import VALIDITY
from cssafe.ui.formula_panel import offer_rescoring, select_formula
from cssafe.ui.sensitivity_view import show_sensitivity

common.start_page(_("Formula"))
workspace = common.workspace()
current = choose_formula(workspace.get("formula"), common.settings().profile.expression)
formula = select_formula(current)
offer_rescoring(workspace, formula, current)
show_sensitivity(workspace, formula)
st.caption(_(VALIDITY))
