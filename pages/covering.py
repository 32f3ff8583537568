"""How faces appear in the pictures of Live, Room, Files and Model: the choice, remembered for each audience."""

import streamlit as st

from cssafe import ui
from cssafe.privacy import BLUR, MASK, MOSAIC, SHOWN, WAYS, way

TITLES = {SHOWN: "As they are", BLUR: "Blurred", MOSAIC: "Mosaic", MASK: "Plain mask"}
FOUND = (
    "Only faces that are found can be covered. Blur and mosaic hide them from people; a program made for it may still tell "
    "some of them apart. The plain mask leaves nothing of a face."
)


def way_for(audience: str) -> str:
    """How faces appear to that audience, "self" or "class"; one of privacy.WAYS."""
    return way(ui.workspace().get("anonymous", {}), audience)


def covering(audience: str) -> str:
    """The same, to be chosen on the page."""
    key = f"faces_{audience}"

    def keep() -> None:
        workspace = ui.workspace()
        workspace.set("anonymous", workspace.get("anonymous", {}) | {audience: st.session_state[key]})

    st.segmented_control(
        "Faces in pictures",
        WAYS,
        default=way_for(audience),
        required=True,
        format_func=TITLES.__getitem__,
        key=key,
        on_change=keep,
        help=FOUND,
    )
    return way_for(audience)
