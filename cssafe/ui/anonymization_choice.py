"""How faces appear in the pictures of Live, Room, Files and Model: the choice, remembered for each audience."""

import streamlit as st

from cssafe.language import N_, _
from cssafe.privacy import BLUR, MASK, MOSAIC, SHOWN, WAYS, way
from cssafe.ui import common

TITLES = {SHOWN: N_("As they are"), BLUR: N_("Blurred"), MOSAIC: N_("Mosaic"), MASK: N_("Plain mask")}
FOUND = N_(
    "Only faces that are found can be covered. Blur and mosaic hide them from people; a program made for it may still tell "
    "some of them apart. The plain mask leaves nothing of a face."
)


def saved_anonymization(audience: str) -> str:
    """How faces appear to that audience, "self" or "class"; one of privacy.WAYS."""
    return way(common.workspace().get("anonymous", {}), audience)


def choose_anonymization(audience: str) -> str:
    """The same, to be chosen on the page."""
    key = f"faces_{audience}"

    def keep() -> None:
        workspace = common.workspace()
        workspace.set("anonymous", workspace.get("anonymous", {}) | {audience: st.session_state[key]})

    st.segmented_control(
        _("Faces in pictures"),
        WAYS,
        default=saved_anonymization(audience),
        required=True,
        format_func=lambda way: _(TITLES[way]),
        key=key,
        on_change=keep,
        help=_(FOUND),
    )
    return saved_anonymization(audience)
