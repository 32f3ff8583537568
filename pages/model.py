"""Model: the expression network, what it looks at, and its measured accuracy."""

from datetime import date
from typing import Any

import streamlit as st

from cssafe.errors import ConfigurationError
from cssafe.expression import model_metrics, read_card
from cssafe.language import _
from cssafe.live import services
from cssafe.names import escape_markdown, escape_sentence
from cssafe.ui import common, try_picture
from cssafe.ui.model_metrics_view import show_model_metrics

PRECISIONS = {"bf16": "bfloat16", "f32": "float32"}

LIMITS = _(
    "It names what a face shows, not what anybody feels: a scowl often means something other than anger. It was "
    "trained on pictures from web search, mostly posed, adult and Western faces, so it may do worse on others. "
    "Not for grading, ranking or watching single people."
)
common.show_heading(_("Model"))
settings = common.settings()


def show_card(card: dict[str, Any], found: dict[str, Any] | None) -> None:
    """Facts about the network. card: model.json. found: figures.json, None where there is none."""
    network = services.current().network()
    weights = str((card.get("sha256") or {}).get("expression.bin", ""))
    facts = {
        _("Network"): escape_markdown(card.get("name", "")),
        _("kind"): card.get("network"),
        _("parameters"): _("{n:.2f} million").format(n=card["parameters"] / 1e6) if card.get("parameters") else None,
        _("made"): format_day(card.get("date")),
        _("measured"): format_day(found["date"]) if found else None,
        "SHA-256": weights[:12],
        _("runs here in"): PRECISIONS.get(network.precision, network.precision) if network else None,
    }
    st.markdown(" · ".join(f"{name} **{value}**" for name, value in facts.items() if value))


def format_day(text: str | None) -> str | None:
    """An ISO date in words."""
    try:
        return date.fromisoformat(text or "").strftime(_("%d %b %Y"))
    except ValueError:
        return None


try:
    card = read_card(settings.model)
except ConfigurationError as error:
    st.error(escape_sentence(error), icon=":material/error:")
    st.stop()
problem, found = "", None
try:
    found = model_metrics.read_metrics(settings.model)
except ConfigurationError as error:
    problem = str(error)

show_card(card, found)
st.caption(LIMITS)

st.header(_("What it looks at"))
picture = st.container()

st.header(_("How often it is right"))
if problem:
    st.warning(escape_sentence(problem), icon=":material/warning:")
elif found is None:
    st.info(
        _(
            "This network was not measured: there is no figures.json in its folder. `python -m cssafe evaluate "
            "fer2013_valid.parquet --model FOLDER --card` makes one; data/README.md names the source of the data."
        ),
        icon=":material/query_stats:",
    )
else:
    show_model_metrics(found)

with (
    picture
):  # last, because a database that cannot be opened ends the page here, and the analysis of a picture takes time
    try_picture.picture_tool(settings.profile)
