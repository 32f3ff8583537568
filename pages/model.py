"""Model: what the expression network is, what it looks at, how often it is right."""

from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from cssafe.charts import model, model_captions
from cssafe.errors import ConfigurationError
from cssafe.expression import model_metrics, read_card
from cssafe.language import _
from cssafe.live import services
from cssafe.names import escape_markdown, escape_sentence
from cssafe.ui import common, try_picture

ACCURACIES = ["n", "accuracy", "accuracy_interval", "macro_f1", "macro_f1_interval"]

PRECISIONS = {"bf16": "bfloat16", "f32": "float32"}  # not a text below it: Streamlit would show that

CANNOT = _(
    "It names what a face shows, not what anybody feels: a scowl often means something other than anger. It learned from "
    "pictures found by web search, in which posed, adult and Western faces prevail, so it may do worse on others. "
    "Not for grading, ranking or watching single people."
)
NOT_PRIVATE = _(
    "Measured on FER2013's PublicTest: papers mostly publish figures of PrivateTest, other pictures, so these are not "
    "comparable with theirs."
)

common.heading(_("Model"))
settings = common.settings()


def about(card: dict[str, Any], found: dict[str, Any] | None) -> None:
    """What the network is. card: model.json. found: figures.json, None where there is none."""
    network = services.current().network()
    weights = str((card.get("sha256") or {}).get("expression.bin", ""))
    told = {
        _("Network"): escape_markdown(card.get("name", "")),
        _("kind"): card.get("network"),
        _("parameters"): _("{n:.2f} million").format(n=card["parameters"] / 1e6) if card.get("parameters") else None,
        _("made"): day(card.get("date")),
        _("measured"): day(found["date"]) if found else None,
        "SHA-256": weights[:12],
        _("runs here in"): PRECISIONS.get(network.precision, network.precision) if network else None,
    }
    st.markdown(" · ".join(f"{name} **{value}**" for name, value in told.items() if value))


def day(text: str | None) -> str | None:
    """An ISO date in words."""
    try:
        return date.fromisoformat(text or "").strftime(_("%d %b %Y"))
    except ValueError:
        return None


def measured(found: dict[str, Any]) -> None:
    """How often it is right, as plots."""
    common.chart(
        model.accuracy(found),
        model_captions.accuracy(found),
        pd.DataFrame({name: found[key] for key, name in model.NAMES.items() if key in found}, ACCURACIES)
        .T.rename_axis("labels")
        .reset_index(),
        key="accuracy",
        how=_(
            "How to read it: the further right, the more answers are right; lines are 95 % intervals. FERPlus has ten "
            "votes for each face, FER2013 one; “no copies” leaves out faces of which a copy is among the pictures "
            "learned from. People name FER2013's labels rightly in 65 ± 5 % (Goodfellow et al. 2013)."
        )
        + (" " + NOT_PRIVATE if found["data"]["file"] == "fer2013_valid.parquet" else ""),
    )
    labels = st.segmented_control(
        _("By the labels of"),
        [name for name in model.NAMES if name in found],
        default="ferplus",
        required=True,
        format_func=model.NAMES.get,
        key="labels",
        bind="query-params",
    )
    told = found[labels]
    by_class(told)
    how_sure(told)
    worse(told, found)
    people(told)


def by_class(told: dict[str, Any]) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(_("Which emotions it finds"))
        common.chart(
            model.recall(told),
            model_captions.recall(told),
            pd.DataFrame(told["per_class"]).T.rename_axis("emotion").reset_index(),
            key="recall",
            how=_(
                "How to read it: of the faces that show the emotion (their number stands beside it), how many are named so; "
                "lines are 95 % intervals, hollow points rest on fewer than {few} faces."
            ).format(few=model.FEW),
        )
    with right:
        st.subheader(_("What it takes them for"))
        common.chart(
            model.confusion(told),
            model_captions.confusion(told),
            pd.DataFrame(told["confusion"], told["labels"], told["labels"]).rename_axis("shown").reset_index(),
            key="confusion",
            how=_(
                "How to read it: a row is what faces show, a column what the network names, in percent of the row; dark cells "
                "off the diagonal are its usual mistakes."
            ),
        )


def how_sure(told: dict[str, Any]) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(_("Whether it knows how sure it is"))
        common.chart(
            model.reliability(told),
            model_captions.reliability(told),
            pd.DataFrame(told["reliability"]),
            key="reliability",
            how=_(
                "How to read it: on the dashed line it is right exactly as often as it says; below, it is too sure of itself. "
                "Larger points stand for more faces, hollow ones for fewer than {few}."
            ).format(few=model.FEW_IN_BIN),
        )
    with right:
        st.subheader(_("If it may say nothing"))
        common.chart(
            model.coverage(told),
            model_captions.coverage(told),
            pd.DataFrame(told["coverage"]),
            key="coverage",
            how=_(
                "How to read it: the further left, the more of the faces it is least sure of are left unanswered, and the more "
                "of the other answers are right."
            ),
        )


def worse(told: dict[str, Any], found: dict[str, Any]) -> None:
    st.subheader(_("On worse pictures"))
    if not told.get("robustness"):
        st.info(_("How it does on worse pictures was not measured."), icon=":material/info:")
        return
    with st.container(horizontal=True):
        for change, chart in model.robustness(told["robustness"]).items():
            rows = [one for one in told["robustness"] if one["change"] == change]
            with st.container(width=168):
                common.chart(chart, model_captions.robustness(rows), pd.DataFrame(rows), key=f"worse_{change}")
    beside = found.get("beside")
    st.caption(
        _(
            "How to read it: right answers in percent (upwards) when each face is changed by so much (to the right); the grey "
            "line is without any change; the lower a line falls, the more it takes from the network."
        )
        + (
            " " + _("Blue is this network; orange and dashed is {other}, for comparison.").format(other=beside["name"])
            if beside
            else ""
        )
    )


def people(told: dict[str, Any]) -> None:
    st.subheader(_("For different people"))
    if not told["groups"]:
        st.info(
            _(
                "Not measured: FER2013 says nothing of skin tone, age, gender, glasses or culture, so nobody knows how "
                "much worse it does for some people than for others. Data that say so: `python -m cssafe evaluate "
                "--group`."
            ),
            icon=":material/group_off:",
        )
    for column, group in told["groups"].items():
        p = group["p_accuracy"]
        how = _(
            "How to read it: right answers by {column}, with the number of faces and 95 % intervals; groups under {least} "
            "faces are left out."
        ).format(column=column, least=group["smallest"])
        if p is not None:
            how += " " + _("If they did not differ, chance alone would look like this with p = {p:.3f}.").format(p=p)
        common.chart(
            model.groups(group),
            model_captions.groups(group),
            pd.DataFrame(group["groups"]).T.rename_axis("group").reset_index(),
            key=f"people_{column}",
            how=how,
        )


try:
    card = read_card(settings.model)
except ConfigurationError as error:
    st.error(escape_sentence(error), icon=":material/error:")
    st.stop()
problem, found = "", None
try:
    found = model_metrics.read(settings.model)
except ConfigurationError as error:
    problem = str(error)

about(card, found)
st.caption(CANNOT)

st.header(_("What it looks at"))
picture = st.container()

st.header(_("How often it is right"))
if problem:
    st.warning(escape_sentence(problem), icon=":material/warning:")
elif found is None:
    st.info(
        _(
            "This network was not measured: there is no figures.json in its folder. `python -m cssafe evaluate "
            "fer2013_valid.parquet --model FOLDER --card` makes one; data/README.md says where the data come from."
        ),
        icon=":material/query_stats:",
    )
else:
    measured(found)

with picture:  # last, for a database that cannot be opened ends the page here, and figures need not wait for a picture
    try_picture.tool(settings.profile)
