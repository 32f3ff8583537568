"""About the score: docs/concentration.md, readable without internet."""

import streamlit as st

from cssafe.language import _
from cssafe.settings import ROOT
from cssafe.ui import common

common.show_heading(_("About the score"))
st.markdown((ROOT / "docs" / "concentration.md").read_text(encoding="utf-8").partition("\n")[2])
