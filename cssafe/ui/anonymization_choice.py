"""How faces appear in the pictures of Live, Room, Files and Model: the choice, remembered for each audience."""

import streamlit as st

from cssafe.language import N_, _
from cssafe.privacy import Anonymization, chosen_anonymization
from cssafe.ui import common

TITLES = {
    Anonymization.SHOWN: N_("As they are"),
    Anonymization.BLUR: N_("Blurred"),
    Anonymization.MOSAIC: N_("Mosaic"),
    Anonymization.MASK: N_("Plain mask"),
}
FOUND = N_(
    "Only faces that are found can be covered. Blur and mosaic hide them from people; a program made for it may still tell "
    "some of them apart. The plain mask leaves nothing of a face."
)


def way_for(audience: str) -> str:
    """How faces appear to that audience, "self" or "class"; one of privacy.Anonymization."""
    return chosen_anonymization(common.workspace().get("anonymous", {}), audience)


def covering(audience: str) -> str:
    """The same, to be chosen on the page."""
    key = f"faces_{audience}"

    def keep() -> None:
        workspace = common.workspace()
        workspace.set("anonymous", workspace.get("anonymous", {}) | {audience: st.session_state[key]})

    st.segmented_control(
        _("Faces in pictures"),
        tuple(Anonymization),
        default=way_for(audience),
        required=True,
        format_func=lambda way: _(TITLES[way]),
        key=key,
        on_change=keep,
        help=_(FOUND),
    )
    return way_for(audience)
