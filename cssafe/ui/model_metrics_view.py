"""Model: the measurements of the expression network."""

from typing import Any

import pandas as pd
import streamlit as st

from cssafe.charts import model
from cssafe.language import N_, _
from cssafe.ui import common

ACCURACY_COLUMNS = ["n", "accuracy", "accuracy_interval", "macro_f1", "macro_f1_interval"]

PUBLIC_TEST = N_(
    "Measured on FER2013's PublicTest: papers mostly report PrivateTest, which has other pictures, so the figures are not "
    "comparable."
)


def show_model_metrics(found: dict[str, Any]) -> None:
    """The measurements as charts. found: figures.json."""
    common.show_chart(
        model.accuracy(found),
        model.accuracy_caption(found),
        pd.DataFrame({name: found[key] for key, name in model.LABEL_SETS.items() if key in found}, ACCURACY_COLUMNS)
        .T.rename_axis("labels")
        .reset_index(),
        key="accuracy",
        how=_(
            "How to read it: the further right, the more answers are right; lines are 95 % intervals. FERPlus has ten "
            "votes for each face, FER2013 one; “no copies” leaves out faces with a copy among the training "
            "pictures. People name FER2013's labels rightly in 65 ± 5 % (Goodfellow et al. 2013)."
        )
        + (" " + _(PUBLIC_TEST) if found["data"]["file"] == "fer2013_valid.parquet" else ""),
    )
    sets = {name: title for name, title in model.LABEL_SETS.items() if name in found}
    labels = common.choose(_("By the labels of"), sets, "ferplus", "labels")
    metrics = found[labels]
    _show_emotions(metrics)
    _show_confidence(metrics)
    _show_robustness(metrics, found)
    _show_groups(metrics)


def _show_emotions(metrics: dict[str, Any]) -> None:
    """metrics: of one set of labels, here and below."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(_("Emotions that it finds"))
        table = pd.DataFrame(metrics["per_class"]).T.rename_axis("emotion").reset_index()
        how = _(
            "How to read it: the share of the faces with this emotion that get its name, and their number; "
            "lines are 95 % intervals, hollow points rest on fewer than {few} faces."
        ).format(few=model.MIN_FACES)
        common.show_chart(model.recall(metrics), model.recall_caption(metrics), table, key="recall", how=how)
    with right:
        st.subheader(_("Mistakes"))
        names = metrics["labels"]
        table = pd.DataFrame(metrics["confusion"], names, names).rename_axis("shown").reset_index()
        how = _(
            "How to read it: rows are the emotions shown, columns the names given, in percent of the row; dark cells off "
            "the diagonal are frequent mistakes."
        )
        common.show_chart(model.confusion(metrics), model.confusion_caption(metrics), table, key="confusion", how=how)


def _show_confidence(metrics: dict[str, Any]) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(_("Confidence"))
        table = pd.DataFrame(metrics["reliability"])
        how = _(
            "How to read it: on the dashed line, confidence and accuracy are equal; below it, the network is "
            "overconfident. Larger points stand for more faces, hollow ones for fewer than {few}."
        ).format(few=model.MIN_FACES_IN_BIN)
        chart, caption = model.reliability(metrics), model.reliability_caption(metrics)
        common.show_chart(chart, caption, table, key="reliability", how=how)
    with right:
        st.subheader(_("If it may leave faces unanswered"))
        table = pd.DataFrame(metrics["coverage"])
        how = _(
            "How to read it: further left, more of the least confident answers are left out, and more of the remaining "
            "answers are right."
        )
        common.show_chart(model.coverage(metrics), model.coverage_caption(metrics), table, key="coverage", how=how)


def _show_robustness(metrics: dict[str, Any], found: dict[str, Any]) -> None:
    st.subheader(_("On degraded pictures"))
    if not metrics.get("robustness"):
        st.info(_("Accuracy on degraded pictures was not measured."), icon=":material/info:")
        return
    with st.container(horizontal=True):
        for change, chart in model.robustness(metrics["robustness"]).items():
            rows = [one for one in metrics["robustness"] if one["change"] == change]
            with st.container(width=168):
                common.show_chart(chart, model.robustness_caption(rows), pd.DataFrame(rows), key=f"worse_{change}")
    beside = found.get("beside")
    st.caption(
        _(
            "How to read it: right answers in percent (upwards) by the strength of the change (to the right); the grey line is "
            "without any change."
        )
        + (
            " " + _("Blue is this network; orange and dashed is {other}, for comparison.").format(other=beside["name"])
            if beside
            else ""
        )
    )


def _show_groups(metrics: dict[str, Any]) -> None:
    st.subheader(_("For different groups of people"))
    if not metrics["groups"]:
        st.info(
            _(
                "Not measured: FER2013 does not say skin tone, age, gender, glasses or culture, so differences between groups "
                "are unknown. With data that say it, run `python -m cssafe evaluate --group`."
            ),
            icon=":material/group_off:",
        )
    for column, group in metrics["groups"].items():
        p = group["p_accuracy"]
        how = _(
            "How to read it: right answers by {column}, with the number of faces and 95 % intervals; groups under {least} "
            "faces are left out."
        ).format(column=column, least=group["smallest"])
        if p is not None:
            how += " " + _("Test of no difference between the groups: p = {p:.3f}.").format(p=p)
        common.show_chart(
            model.groups(group),
            model.groups_caption(group),
            pd.DataFrame(group["groups"]).T.rename_axis("group").reset_index(),
            key=f"people_{column}",
            how=how,
        )
