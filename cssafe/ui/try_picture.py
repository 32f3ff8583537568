"""Model: a picture of the visitor, with its faces, their emotions and the evidence of the network."""

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cssafe import media
from cssafe.charts import model
from cssafe.colours import GREY
from cssafe.errors import ConfigurationError
from cssafe.labels import FERPLUS
from cssafe.language import N_, _, ngettext
from cssafe.live import services
from cssafe.live.picture_analysis import MAX_FACES_SHOWN, PictureAnalysis, analyze_picture
from cssafe.media import MediaError
from cssafe.names import escape_sentence
from cssafe.privacy import individuals
from cssafe.scoring.affect import AFFECT_NAMES, affect
from cssafe.settings import MIN_FACE_PX, Profile
from cssafe.ui import common, picture_cards
from cssafe.ui.anonymization_choice import choose_anonymization
from cssafe.vision.anonymize import anonymize_whole
from cssafe.vision.evidence_map import AGAINST, FOR, PART_COLOURS, draw_evidence, draw_parts, relative_evidence
from cssafe.vision.occlusion import ERROR

FACE_WIDTH_PX = 150
"""Two faces fit side by side on a phone."""

NO_MAP = N_(
    "This network gives no map of what it looks at, only probabilities: it was exported by an older CSSAFE; a network made "
    "with `python -m cssafe train` gives one."
)
NETWORK_INPUT = N_(
    "The left picture is the whole input of the network; the probabilities are of this picture alone. They describe what a "
    "face shows, not what the person feels."
)
AFFECT = N_(
    "Valence (unpleasant to pleasant) and arousal (calm to excited) are means over the eight emotions, weighted by their "
    "probabilities, of the positions that raters gave their names (Russell & Mehrabian 1977). Liking and disliking are the "
    "pleasant and the unpleasant part of valence; ambivalence is high where both are present. The bars are one standard "
    "deviation of uncertainty about the emotion. They do not say how well a face shows liking."
)
NO_FACE = N_(
    "No face was found. Choose a picture in which a face is upright, well lit and at least {least} pixels high."
)


def picture_tool(profile: Profile) -> None:
    """The choice of a picture and its faces; where no emotion is computed, the reason."""
    if not profile.expression:
        st.info(
            _("In the profile attention-only the expression network is not loaded, so it cannot analyse a picture."),
            icon=":material/visibility:",
        )
        return
    if problem := services.current().problem():
        st.error(escape_sentence(problem), icon=":material/error:")
        return
    st.caption(
        _(
            ":material/visibility_off: The picture is analysed in memory on the computer that runs CSSAFE and seen by "
            "you alone; it is not stored or logged, and forgotten when you remove it or close this tab."
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
    """The chosen picture, None while there is none."""
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
    """Ask once for the consent of everybody in the picture."""
    st.markdown(_(picture_cards.CONSENT))
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
                    analyze_picture(services.current().engine(), media.decode_image(chosen.getvalue())),
                )
    except (MediaError, TimeoutError, ConfigurationError) as error:
        st.warning(escape_sentence(error), icon=":material/broken_image:")
        return
    seen: PictureAnalysis = st.session_state["looked"][1]
    if not seen.found:
        st.info(_(NO_FACE).format(least=MIN_FACE_PX), icon=":material/person_off:")
    elif not seen.readable:
        words = (
            _(
                "A face was found, but it is too small, too blurred or turned too far away to be read. Choose another picture."
            )
            if seen.found == 1
            else _(
                "{n} faces were found, but they are too small, too blurred or turned too far away to be read. Choose another "
                "picture."
            ).format(n=seen.found)
        )
        st.info(words, icon=":material/blur_on:")
    elif not individuals(profile, "class", seen.found):
        st.info(_("This profile shows no figures of single faces."), icon=":material/visibility_off:")
    else:
        _show_faces(seen, chosen.file_id)


def _show_faces(seen: PictureAnalysis, picture: str) -> None:
    """A card for each face. picture: an id for the keys of its widgets."""
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
    way = choose_anonymization("self")
    for number in range(len(seen)):
        with st.container(border=True):
            _show_card(seen, number, picture, way)
    if seen.evidence is not None:
        _show_evidence_key(*seen.evidence.shape[1:3])
    _show_parts_key()
    for words in (NETWORK_INPUT, AFFECT):
        st.caption(_(words))


def _show_evidence_key(rows: int, columns: int) -> None:
    against, speaking = _("against"), _("for the emotion")
    st.html(
        "<div style='display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; font-size: .875rem'>"
        f"<span>{against}</span><span style='width: 9rem; height: .8rem; border: 1px solid {GREY}; "
        f"border-radius: .2rem; background: linear-gradient(90deg, {AGAINST}, transparent, {FOR})'></span>"
        f"<span>{speaking}</span></div>"
    )
    st.caption(
        _(
            "How to read it: orange parts of the face speak for the chosen emotion, blue ones against it, compared with the "
            "other emotions; the full colour is the strongest evidence in that face. The network gives the map itself, on a "
            "grid of {rows} x {columns} places, drawn smoothly: it shows in which part it looks, not which line or wrinkle "
            "decides."
        ).format(rows=rows, columns=columns)
    )


def _show_parts_key() -> None:
    keys = "".join(
        f"<span><span style='display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; background: {colour}'>"
        f"</span> {_(part)}</span>"
        for part, colour in PART_COLOURS.items()
    )
    st.html(f"<div style='display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .875rem'>{keys}</div>")
    st.caption(_("How to read the parts: they are the polygons of the face's mesh, also where something covers them."))


@st.fragment
def _show_card(seen: PictureAnalysis, number: int, picture: str, way: str) -> None:
    """One face: its pictures on the left, its figures on the right. way: anonymization of the pictures."""
    shares = dict(zip(FERPLUS, seen.probabilities[number].tolist(), strict=True))
    leading = max(shares, key=shares.__getitem__)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        st.markdown(f"**{leading}**, {100 * shares[leading]:.0f} %")
        chosen = leading
        if seen.evidence is not None:
            chosen = st.selectbox(
                _("Evidence for"), FERPLUS, FERPLUS.index(leading), format_func=_, key=f"emotion {picture} {number}"
            )
        _show_pictures(seen, number, chosen, way)
    with right:
        _show_face_figures(seen, number, shares, chosen, f"{picture} {number}")


def _show_pictures(seen: PictureAnalysis, number: int, chosen: str, way: str) -> None:
    """The network's input, its evidence for the chosen emotion, and the parts of the face."""
    enlarged = np.kron(seen.crops[number], np.ones((5, 5), np.uint8))  # a browser's enlargement would blur it
    small, face = (anonymize_whole(np.dstack([grey] * 3), way) for grey in (enlarged, seen.faces[number]))
    with st.container(horizontal=True):
        st.image(
            small,
            width=FACE_WIDTH_PX,
            caption=_("Input of the network"),
            alt=_("The face as the network gets it, grey and small"),
        )
        if seen.evidence is not None:
            evidence = relative_evidence(seen.evidence[number])
            st.image(
                draw_evidence(face, evidence[..., FERPLUS.index(chosen)], np.abs(evidence).max()),
                width=FACE_WIDTH_PX,
                channels="BGR",
                caption=_("For and against {emotion}").format(emotion=_(chosen)),
                alt=_("The face, orange where it speaks for {emotion}, blue where against it").format(
                    emotion=_(chosen)
                ),
            )
        st.image(
            draw_parts(face, seen.parts[number]),
            width=FACE_WIDTH_PX,
            channels="BGR",
            caption=_("Parts of the face"),
            alt=_("The face, each part in its own colour"),
        )


def _show_face_figures(seen: PictureAnalysis, number: int, shares: dict[str, float], chosen: str, key: str) -> None:
    """Occlusion, probabilities and affect. shares: emotion -> probability. key: of the face's widgets."""
    st.caption(
        _("About {share:.0f} % of the face seems hidden (± {error:.0f}).").format(
            share=100 * seen.hidden[number], error=100 * ERROR
        )
    )
    common.show_chart(
        model.probabilities(shares, chosen),
        model.probabilities_caption(shares),
        pd.DataFrame({"emotion": [_(emotion) for emotion in shares], "share": shares.values()}),
        key=f"probabilities {key}",
    )
    found = affect(seen.probabilities[[number]])
    values, spreads = found.values[0], found.spreads[0]
    common.show_chart(
        model.affect(values, spreads),
        model.affect_caption(values, spreads),
        pd.DataFrame({"": [_(name) for name in AFFECT_NAMES], _("value"): values, "±": spreads}),
        key=f"affect {key}",
    )
