"""Files: the results of an analysed image or video."""

import numpy as np
import pandas as pd
import streamlit as st

from cssafe import media
from cssafe.frames import FrameResult, describe
from cssafe.labels import DEFAULT_ACTIVITY, REASONS
from cssafe.language import N_, _
from cssafe.live.upload import Analysis, Upload
from cssafe.media import MediaError
from cssafe.names import escape_markdown, escape_sentence
from cssafe.privacy import individuals
from cssafe.recording import faces_table, seconds_table
from cssafe.scoring import explanation
from cssafe.scoring.formula import Formula
from cssafe.settings import Profile
from cssafe.ui import common

CONSENT = N_("Everybody who is in these pictures, and for minors a parent, has agreed to being analysed like this.")


def show_image(upload: Upload, profile: Profile, audience: str, formula: Formula) -> None:
    """The picture with its faces drawn, and their readings."""
    st.markdown(f"**{escape_markdown(upload.name)}**")
    [(_seconds, result)] = upload.moments.values()
    st.image(upload.preview, width="stretch", alt=_("The picture, faces drawn: {n}").format(n=len(result)))
    show_readings(result, profile, audience, formula)


@st.fragment
def show_video(upload: Upload, analysis: Analysis, number: int) -> None:
    """Its course over the seconds, and one moment of it, decoded again. number: of the file among the videos."""
    from cssafe.charts import timelines  # Altair takes half a second, which the form need not wait for

    st.markdown(f"**{escape_markdown(upload.name)}**")
    moments = [(second, result) for second, (_seconds, result) in upload.moments.items()]
    table = seconds_table(moments, analysis.audience)
    faces = faces_table(moments, analysis.profile, analysis.audience)
    chart, slider = f"seconds_{number}", f"moment_{number}"

    def pick() -> None:
        if points := st.session_state[chart].selection["moment"]:
            st.session_state[slider] = int(points[0]["second"])

    common.show_chart(
        timelines.concentration_seconds(table, faces, analysis.formula.bands),
        timelines.concentration_seconds_caption(table),
        table,
        key=chart,
        on_select=pick,
        selection_mode="moment",
        how=_(
            "How to read it: the blue line is the mean over the faces of one frame a second, the band its 95 % interval over "
            "faces. Thin lines are single faces, where the profile shows them; dashed are the limits of low, medium and high. "
            "Gaps: no face that can be read, or too few for a mean. Click on a second to see it below."
        ),
    )
    common.show_chart(
        timelines.faces_seconds(table),
        timelines.faces_seconds_caption(table),
        table[["second", "faces"]],
        key=f"faces_{number}",
    )
    _show_moment(upload, analysis, int(table["faces"].idxmax()), slider)


def _show_moment(upload: Upload, analysis: Analysis, best: int, slider: str) -> None:
    """One second of a video. best: index of the one shown first. slider: its key."""
    seconds = list(upload.moments)
    second = seconds[0]
    if len(seconds) > 1:
        second = st.select_slider(
            _("Moment"), seconds, seconds[best], format_func=lambda s: _("{n} s").format(n=s), key=slider
        )
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
        show_readings(result, analysis.profile, analysis.audience, analysis.formula)


def show_readings(result: FrameResult, profile: Profile, audience: str, formula: Formula) -> None:
    """Readings of one frame: its mean, and single faces where the profile shows them."""
    [row] = seconds_table([(0, result)], audience).to_dict("records")
    if np.isnan(row["concentration"]):
        st.caption(row["emotion"])
    else:
        words = _("Concentration **{mean:.0f}** of 100 ({low:.0f} to {high:.0f})")
        if np.isnan(row["low"]):
            words = _("Concentration **{mean:.0f}** of 100")
        words = words.format(mean=100 * row["concentration"], low=100 * row["low"], high=100 * row["high"])
        if profile.expression:
            words = _("{concentration}, emotion {emotion}").format(concentration=words, emotion=row["emotion"])
        st.markdown(words)
        why = explanation.describe_parts(explanation.frame_parts(result, formula, DEFAULT_ACTIVITY[audience]))
        st.caption(_("Why: {words}").format(words=why))
    if len(result) and individuals(profile, audience, len(result)):
        faces = describe(result)
        shares = [face.get("expression") or {} for face in faces]
        leading = [max(s, key=s.__getitem__, default="–") for s in shares]
        levels = [face["level"] or N_("no score") for face in faces]
        reasons = [_(REASONS[reason]) if reason else "" for reason in result.reasons]
        columns = {_("Emotion"): profile.expression, _("Why not measured"): any(reasons)}
        st.dataframe(
            pd.DataFrame(
                {
                    _("Face"): [face["track"] for face in faces],
                    _("Emotion"): [_(emotion) for emotion in leading],
                    _("Concentration"): [face["concentration"] and 100 * face["concentration"] for face in faces],
                    _("Level"): [_(level) for level in levels],
                    _("Why not measured"): reasons,
                }
            ).drop(columns=[name for name, shown in columns.items() if not shown]),
            hide_index=True,
            column_config={_("Concentration"): st.column_config.NumberColumn(format="%.0f")},
        )
