"""What the page Files shows of an analysed image or video."""

import numpy as np
import pandas as pd
import streamlit as st

from cssafe import media
from cssafe.frames import FrameResult, describe
from cssafe.labels import FIRST
from cssafe.language import N_, _
from cssafe.live.upload import Analysis, Upload
from cssafe.media import MediaError
from cssafe.names import escape_markdown, escape_sentence
from cssafe.privacy import individuals
from cssafe.recording import courses, timeline
from cssafe.scoring import explanation
from cssafe.scoring.formula import Formula
from cssafe.settings import Profile
from cssafe.ui import common

AGREE = N_("Everybody who is in these pictures, and for minors a parent, has agreed to being analysed like this.")


def image(upload: Upload, profile: Profile, audience: str, formula: Formula) -> None:
    """The picture with its faces drawn, and what was read from them."""
    st.markdown(f"**{escape_markdown(upload.name)}**")
    [(_seconds, result)] = upload.moments.values()
    st.image(upload.preview, width="stretch", alt=_("The picture, faces drawn: {n}").format(n=len(result)))
    tell(result, profile, audience, formula)


@st.fragment
def video(upload: Upload, analysis: Analysis, number: int) -> None:
    """Its course over the seconds, and one moment of it, decoded anew. number: of the file among its like."""
    from cssafe import charts
    from cssafe.charts import captions  # Altair takes half a second, which the form need not wait for

    st.markdown(f"**{escape_markdown(upload.name)}**")
    profile, audience, formula = analysis.profile, analysis.audience, analysis.formula
    moments = [(second, result) for second, (_seconds, result) in upload.moments.items()]
    table = timeline(moments, audience)
    chart, slider = f"seconds_{number}", f"moment_{number}"

    def pick() -> None:
        if points := st.session_state[chart].selection["moment"]:
            st.session_state[slider] = int(points[0]["second"])

    common.chart(
        charts.concentration_seconds(table, courses(moments, profile, audience), formula.bands),
        captions.concentration_seconds(table),
        table,
        key=chart,
        on_select=pick,
        selection_mode="moment",
        how=_(
            "How to read it: the blue line is the mean over the faces of one frame a second, the band its 95 % interval over "
            "faces, thin lines are single faces as far as they may be shown; dashed are the limits of low, medium and high. "
            "Gaps: no face that can be read, or too few for a mean. Click on a second to see it below."
        ),
    )
    common.chart(
        charts.faces_seconds(table), captions.faces_seconds(table), table[["second", "faces"]], key=f"faces_{number}"
    )
    seconds = list(upload.moments)
    if len(seconds) > 1:
        best = int(table["faces"].idxmax())
        second = st.select_slider(
            _("Moment"), seconds, seconds[best], format_func=lambda s: _("{n} s").format(n=s), key=slider
        )
    else:
        second = seconds[0]
    at, result = upload.moments[second]
    picture, words = st.columns([3, 2], gap="medium")
    with picture:
        try:
            still = next(media.frames(upload.file, 0, since=at)).image
            shown = analysis.draw_preview(still, result)
            st.image(shown, width="stretch", alt=_("This moment, faces drawn: {n}").format(n=len(result)))
        except MediaError as error:
            st.warning(escape_sentence(error), icon=":material/broken_image:")
    with words:
        tell(result, profile, audience, formula)


def tell(result: FrameResult, profile: Profile, audience: str, formula: Formula) -> None:
    """What was read from the faces of one frame, as far as it may be told."""
    [row] = timeline([(0, result)], audience).to_dict("records")
    if np.isnan(row["concentration"]):
        st.caption(row["emotion"])
    else:
        told = _("Concentration **{mean:.2f}** ({low:.2f} to {high:.2f})")
        if np.isnan(row["low"]):
            told = _("Concentration **{mean:.2f}**")
        told = told.format(mean=row["concentration"], low=row["low"], high=row["high"])
        if profile.expression:
            told = _("{concentration}, emotion {emotion}").format(concentration=told, emotion=row["emotion"])
        st.markdown(told)
        why = explanation.words(explanation.of_frame(result, formula, FIRST[audience]))
        st.caption(_("Why: {words}").format(words=why))
    if len(result) and individuals(profile, audience, len(result)):
        faces = describe(result)
        shares = [face.get("expression") or {} for face in faces]
        leading = [max(s, key=s.__getitem__, default="–") for s in shares]
        levels = [face["level"] or N_("no score") for face in faces]
        st.dataframe(
            pd.DataFrame(
                {
                    _("Face"): [face["track"] for face in faces],
                    _("Emotion"): [_(emotion) for emotion in leading],
                    _("Concentration"): [face["concentration"] for face in faces],
                    _("Level"): [_(level) for level in levels],
                }
            ).drop(columns=[] if profile.expression else [_("Emotion")]),
            hide_index=True,
            column_config={_("Concentration"): st.column_config.NumberColumn(format="%.2f")},
        )
