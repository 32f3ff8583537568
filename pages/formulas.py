"""Formula: the formula that scores lessons, the source of every number in it, and the sensitivity of a lesson's result."""

import streamlit as st

from cssafe.language import _
from cssafe.scoring.formula import choose_formula
from cssafe.ui import common, filters, formula_panel, sensitivity_view

common.start_page(_("Formula"))
workspace = common.workspace()
current = choose_formula(workspace.get("formula"), common.settings().profile.expression)
formula = formula_panel.select_formula(current)
formula_panel.offer_rescoring(workspace, formula, current)
sensitivity_view.show_sensitivity(workspace, formula)
st.caption(_(filters.VALIDITY))
