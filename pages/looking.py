"""What the page Model shows of a picture that the visitor chooses: its faces, their emotions, and what the network looks at."""

import numpy as np
import pandas as pd
import streamlit as st

from cssafe import media, model_charts, model_readings, services, ui
from cssafe.affect import NAMES, affect
from cssafe.colours import GREY
from cssafe.labels import FERPLUS
from cssafe.live.look import SHOWN, Seen, look
from cssafe.media import MediaError
from cssafe.privacy import individuals
from cssafe.settings import SMALLEST_FACE, ConfigurationError, Profile
from cssafe.vision.anonymous import cover_all
from cssafe.vision.hidden import ERROR
from cssafe.vision.overlay import AGAINST, FOR, PART_COLOURS, compared, overlay, parts
from pages import pictures
from pages.covering import covering

WIDTH = 150
"""Pixels of a face on the page: two stand side by side on a phone."""

NO_MAP = (
    "This network gives no map of what it looks at, only probabilities: it was exported by an older CSSAFE; a network made "
    "with `python -m cssafe train` gives one."
)
NOBODY = f"No face was found. Choose a picture in which a face is upright, well lit and at least {SMALLEST_FACE} pixels high."
UNREADABLE = "too small, too blurred or turned too far away to be read"


def tool(profile: Profile) -> None:
    """Choose a picture, and look at its faces. Where no emotion is computed there is nothing to choose."""
    if not profile.expression:
        st.info(
            "In the profile attention-only the expression network is not loaded, so it cannot be asked about a picture.",
            icon=":material/visibility:",
        )
        return
    if problem := services.problem():
        st.error(problem, icon=":material/error:")
        return
    st.caption(
        ":material/visibility_off: The picture is analysed in memory on the computer that runs CSSAFE and seen by you alone; "
        "it is not stored or logged, and gone when you take it out or close this tab."
    )
    agreed = profile.name != "consent" or ui.workspace().get("agreed", False)
    network = services.network()
    if network is not None and not network.mapped:
        st.info(NO_MAP, icon=":material/info:")
    chosen = _choose()
    if chosen is None:
        st.session_state.pop("looked", None)
    elif agreed or _agree():
        _show(chosen, profile)


def _choose():
    """The picture as an uploaded file, None while there is none."""
    source = st.segmented_control(
        "Picture",
        ["file", "camera"],
        default="file",
        required=True,
        format_func={"file": "From a file", "camera": "From the camera"}.get,
        label_visibility="collapsed",
    )
    if source == "camera":
        return st.camera_input("Take a picture", label_visibility="collapsed", width=480)
    return st.file_uploader("A picture with faces (JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF)")


def _agree() -> bool:
    """Ask, once, whether everybody in the picture has agreed to being analysed."""
    st.markdown(pictures.AGREE)
    if not st.checkbox("Yes, they have agreed"):
        return False
    ui.workspace().set("agreed", True)
    return True


def _show(chosen, profile: Profile) -> None:
    try:
        if st.session_state.get("looked", ("", None))[0] != chosen.file_id:
            with st.spinner("The picture is being analysed …", show_time=True):
                st.session_state["looked"] = chosen.file_id, look(services.engine(), media.decode(chosen.getvalue()))
    except (MediaError, TimeoutError, ConfigurationError) as error:
        st.warning(str(error), icon=":material/broken_image:")
        return
    seen: Seen = st.session_state["looked"][1]
    if not seen.found:
        st.info(NOBODY, icon=":material/person_off:")
    elif not seen.readable:
        one = seen.found == 1
        faces = "A face was found, but it is" if one else f"{seen.found} faces were found, but they are"
        st.info(f"{faces} {UNREADABLE}. Choose another picture.", icon=":material/blur_on:")
    elif not individuals(profile, "class", seen.found):
        st.info("In this profile nothing is told of single faces.", icon=":material/visibility_off:")
    else:
        _faces(seen, chosen.file_id)


def _faces(seen: Seen, picture: str) -> None:
    """A card for each face. picture: a name of its own for the widgets of each picture."""
    if seen.readable > SHOWN:
        st.caption(f"Shown are the {SHOWN} largest of {seen.readable} faces.")
    if left := seen.found - seen.readable:
        st.caption(f"{left} more {'face is' if left == 1 else 'faces are'} {UNREADABLE}.")
    way = covering("self")
    for number in range(len(seen)):
        with st.container(border=True):
            _card(seen, number, picture, way)
    if seen.evidence is not None:
        st.html(
            "<div style='display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; font-size: .875rem'>"
            f"<span>against</span><span style='width: 9rem; height: .8rem; border: 1px solid {GREY}; "
            f"border-radius: .2rem; background: linear-gradient(to right, {AGAINST}, transparent, {FOR})'></span>"
            "<span>for the emotion</span></div>"
        )
        st.caption(
            "How to read it: orange parts of the face speak for the chosen emotion, blue ones against it, compared with the "
            "other emotions; the full colour is the strongest evidence in that face. The network gives the map itself, on a "
            f"grid of {seen.evidence.shape[1]} x {seen.evidence.shape[2]} places, drawn smoothly: it tells in which part it "
            "looks, not which line or wrinkle decides."
        )
    keys = "".join(
        f"<span><span style='display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; background: {colour}'>"
        f"</span> {part}</span>"
        for part, colour in PART_COLOURS.items()
    )
    st.html(f"<div style='display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .875rem'>{keys}</div>")
    st.caption(
        "How to read the parts: the polygons of the face's mesh, as far as the mesh reaches, whether something lies before "
        "them or not."
    )
    st.caption(
        "The left picture is all that the network gets; the probabilities are of this picture alone. They say what a face "
        "shows, not what the person feels."
    )
    st.caption(
        "Valence (unpleasant to pleasant) and arousal (calm to excited) are the mean over the eight emotions of where raters "
        "put their names (Russell & Mehrabian 1977). Liking and disliking are the pleasant and the unpleasant part of valence; "
        "ambivalence tells how far both are there at once. The bars show the uncertainty (one standard deviation) for not "
        "knowing which of the eight it is; how far a face tells a liking at all is not in them."
    )


@st.fragment
def _card(seen: Seen, number: int, picture: str, way: str) -> None:
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
                "What speaks for",
                FERPLUS,
                FERPLUS.index(leading),
                key=f"emotion {picture} {number}",
            )
        with st.container(horizontal=True):
            small = np.kron(seen.crops[number], np.ones((5, 5), np.uint8))  # enlarged, for a browser would blur it
            small, face = (cover_all(np.dstack([grey] * 3), way) for grey in (small, seen.faces[number]))
            st.image(small, width=WIDTH, caption="What it gets", alt="The face as the network gets it, grey and small")
            if seen.evidence is not None:
                evidence = compared(seen.evidence[number])
                laid = overlay(face, evidence[..., FERPLUS.index(chosen)], np.abs(evidence).max())
                st.image(
                    laid,
                    width=WIDTH,
                    channels="BGR",
                    caption=f"For and against {chosen}",
                    alt=f"The face, orange where it speaks for {chosen}, blue where against it",
                )
            st.image(
                parts(face, seen.parts[number]),
                width=WIDTH,
                channels="BGR",
                caption="Its parts",
                alt="The face, each of its parts in a colour of its own",
            )
    felt = affect(seen.probabilities[[number]])
    with right:
        st.caption(f"About {100 * seen.hidden[number]:.0f} % of the face seems hidden (± {100 * ERROR:.0f}).")
        ui.chart(
            model_charts.probabilities(shares, chosen),
            model_readings.probabilities(shares),
            pd.DataFrame({"emotion": shares.keys(), "share": shares.values()}),
            key=f"probabilities {picture} {number}",
        )
        ui.chart(
            model_charts.affect(felt.values[0], felt.spreads[0]),
            model_readings.affect(felt.values[0], felt.spreads[0]),
            pd.DataFrame({"": NAMES, "value": felt.values[0], "±": felt.spreads[0]}),
            key=f"affect {picture} {number}",
        )
