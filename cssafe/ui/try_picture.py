"""What the page Model shows of a picture that the visitor chooses: its faces, their emotions, and what the network looks at."""

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cssafe import media
from cssafe.charts import model, model_captions
from cssafe.colours import GREY
from cssafe.errors import ConfigurationError
from cssafe.labels import FERPLUS
from cssafe.language import N_, _, ngettext
from cssafe.live import services
from cssafe.live.picture_analysis import MAX_FACES_SHOWN, PictureAnalysis, analyze_picture
from cssafe.media import MediaError
from cssafe.names import escape_sentence
from cssafe.privacy import individuals
from cssafe.scoring.affect import NAMES, affect
from cssafe.settings import MIN_FACE_PX, Profile
from cssafe.ui import common, picture_cards
from cssafe.ui.anonymization_choice import covering
from cssafe.vision.anonymize import cover_all
from cssafe.vision.occlusion import ERROR
from cssafe.vision.overlay import AGAINST, FOR, PART_COLOURS, compared, overlay, parts

WIDTH = 150
"""Pixels of a face on the page: two stand side by side on a phone."""

NO_MAP = N_(
    "This network gives no map of what it looks at, only probabilities: it was exported by an older CSSAFE; a network made "
    "with `python -m cssafe train` gives one."
)
NOBODY = N_(
    "No face was found. Choose a picture in which a face is upright, well lit and at least {least} pixels high."
)


def tool(profile: Profile) -> None:
    """Choose a picture, and look at its faces. Where no emotion is computed there is nothing to choose."""
    if not profile.expression:
        st.info(
            _(
                "In the profile attention-only the expression network is not loaded, so it cannot be asked about a picture."
            ),
            icon=":material/visibility:",
        )
        return
    if problem := services.current().problem():
        st.error(escape_sentence(problem), icon=":material/error:")
        return
    st.caption(
        _(
            ":material/visibility_off: The picture is analysed in memory on the computer that runs CSSAFE and seen by "
            "you alone; it is not stored or logged, and gone when you take it out or close this tab."
        )
    )
    agreed = not profile.agreement or common.workspace().get("agreed", False)
    network = services.current().network()
    if network is not None and not network.mapped:
        st.info(_(NO_MAP), icon=":material/info:")
    chosen = _choose()
    if chosen is None:
        st.session_state.pop("looked", None)
    elif agreed or _agree():
        _show(chosen, profile)


def _choose() -> UploadedFile | None:
    """The picture as an uploaded file, None while there is none."""
    names = {"file": _("From a file"), "camera": _("From the camera")}
    source = st.segmented_control(
        _("Picture"),
        list(names),
        default="file",
        required=True,
        format_func=names.__getitem__,
        label_visibility="collapsed",
    )
    if source == "camera":
        return st.camera_input(_("Take a picture"), label_visibility="collapsed", width=480)
    return st.file_uploader(_("A picture with faces (JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF)"))


def _agree() -> bool:
    """Ask, once, whether everybody in the picture has agreed to being analysed."""
    st.markdown(_(picture_cards.AGREE))
    if not st.checkbox(_("Yes, they have agreed")):
        return False
    common.workspace().set("agreed", True)
    return True


def _show(chosen: UploadedFile, profile: Profile) -> None:
    try:
        if st.session_state.get("looked", ("", None))[0] != chosen.file_id:
            with st.spinner(_("The picture is being analysed …"), show_time=True):
                st.session_state["looked"] = (
                    chosen.file_id,
                    analyze_picture(services.current().engine(), media.decode(chosen.getvalue())),
                )
    except (MediaError, TimeoutError, ConfigurationError) as error:
        st.warning(escape_sentence(error), icon=":material/broken_image:")
        return
    seen: PictureAnalysis = st.session_state["looked"][1]
    if not seen.found:
        st.info(_(NOBODY).format(least=MIN_FACE_PX), icon=":material/person_off:")
    elif not seen.readable:
        told = (
            _(
                "A face was found, but it is too small, too blurred or turned too far away to be read. Choose another picture."
            )
            if seen.found == 1
            else _(
                "{n} faces were found, but they are too small, too blurred or turned too far away to be read. Choose another "
                "picture."
            ).format(n=seen.found)
        )
        st.info(told, icon=":material/blur_on:")
    elif not individuals(profile, "class", seen.found):
        st.info(_("In this profile nothing is told of single faces."), icon=":material/visibility_off:")
    else:
        _faces(seen, chosen.file_id)


def _faces(seen: PictureAnalysis, picture: str) -> None:
    """A card for each face. picture: a name of its own for the widgets of each picture."""
    if seen.readable > MAX_FACES_SHOWN:
        st.caption(_("Shown are the {n} largest of {all} faces.").format(n=MAX_FACES_SHOWN, all=seen.readable))
    if left := seen.found - seen.readable:
        st.caption(
            ngettext(
                "{n} more face is too small, too blurred or turned too far away to be read.",
                "{n} more faces are too small, too blurred or turned too far away to be read.",
                left,
            ).format(n=left)
        )
    way = covering("self")
    for number in range(len(seen)):
        with st.container(border=True):
            _card(seen, number, picture, way)
    if seen.evidence is not None:
        against, speaking = _("against"), _("for the emotion")
        st.html(
            "<div style='display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; font-size: .875rem'>"
            f"<span>{against}</span><span style='width: 9rem; height: .8rem; border: 1px solid {GREY}; "
            f"border-radius: .2rem; background: linear-gradient(90deg, {AGAINST}, transparent, {FOR})'></span>"
            f"<span>{speaking}</span></div>"
        )
        st.caption(
            _(
                "How to read it: orange parts of the face speak for the chosen emotion, blue ones against it, compared "
                "with the other emotions; the full colour is the strongest evidence in that face. The network gives the "
                "map itself, on a grid of {rows} x {columns} places, drawn smoothly: it tells in which part it looks, "
                "not which line or wrinkle decides."
            ).format(rows=seen.evidence.shape[1], columns=seen.evidence.shape[2])
        )
    keys = "".join(
        f"<span><span style='display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; background: {colour}'>"
        f"</span> {_(part)}</span>"
        for part, colour in PART_COLOURS.items()
    )
    st.html(f"<div style='display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .875rem'>{keys}</div>")
    st.caption(
        _(
            "How to read the parts: the polygons of the face's mesh, as far as the mesh reaches, whether something lies before "
            "them or not."
        )
    )
    st.caption(
        _(
            "The left picture is all that the network gets; the probabilities are of this picture alone. They say what a face "
            "shows, not what the person feels."
        )
    )
    st.caption(
        _(
            "Valence (unpleasant to pleasant) and arousal (calm to excited) are the mean over the eight emotions of "
            "where raters put their names (Russell & Mehrabian 1977). Liking and disliking are the pleasant and the "
            "unpleasant part of valence; ambivalence tells how far both are there at once. The bars show the uncertainty "
            "(one standard deviation) for not knowing which of the eight it is; how far a face tells a liking at all is "
            "not in them."
        )
    )


@st.fragment
def _card(seen: PictureAnalysis, number: int, picture: str, way: str) -> None:
    """One face: as the network gets it, with what speaks for the chosen emotion, its parts, and the probabilities of all eight.

    way: how the face appears, of privacy.WAYS."""
    shares = dict(zip(FERPLUS, seen.probabilities[number].tolist(), strict=True))
    leading = max(shares, key=shares.__getitem__)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        st.markdown(f"**{leading}**, {100 * shares[leading]:.0f} %")
        chosen = leading
        if seen.evidence is not None:
            chosen = st.selectbox(
                _("What speaks for"),
                FERPLUS,
                FERPLUS.index(leading),
                format_func=_,
                key=f"emotion {picture} {number}",
            )
        with st.container(horizontal=True):
            small = np.kron(seen.crops[number], np.ones((5, 5), np.uint8))  # enlarged, for a browser would blur it
            small, face = (cover_all(np.dstack([grey] * 3), way) for grey in (small, seen.faces[number]))
            st.image(
                small, width=WIDTH, caption=_("What it gets"), alt=_("The face as the network gets it, grey and small")
            )
            if seen.evidence is not None:
                evidence = compared(seen.evidence[number])
                laid = overlay(face, evidence[..., FERPLUS.index(chosen)], np.abs(evidence).max())
                st.image(
                    laid,
                    width=WIDTH,
                    channels="BGR",
                    caption=_("For and against {emotion}").format(emotion=_(chosen)),
                    alt=_("The face, orange where it speaks for {emotion}, blue where against it").format(
                        emotion=_(chosen)
                    ),
                )
            st.image(
                parts(face, seen.parts[number]),
                width=WIDTH,
                channels="BGR",
                caption=_("Its parts"),
                alt=_("The face, each of its parts in a colour of its own"),
            )
    felt = affect(seen.probabilities[[number]])
    with right:
        st.caption(
            _("About {share:.0f} % of the face seems hidden (± {error:.0f}).").format(
                share=100 * seen.hidden[number], error=100 * ERROR
            )
        )
        common.chart(
            model.probabilities(shares, chosen),
            model_captions.probabilities(shares),
            pd.DataFrame({"emotion": [_(emotion) for emotion in shares], "share": shares.values()}),
            key=f"probabilities {picture} {number}",
        )
        common.chart(
            model.affect(felt.values[0], felt.spreads[0]),
            model_captions.affect(felt.values[0], felt.spreads[0]),
            pd.DataFrame({"": [_(name) for name in NAMES], _("value"): felt.values[0], "±": felt.spreads[0]}),
            key=f"affect {picture} {number}",
        )
