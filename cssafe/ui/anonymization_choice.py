"""The choice of anonymization in the pictures of Live, Room, Files and Model, saved for each audience."""

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
LIMITS = N_(
    "Only faces that are found can be covered. Blur and mosaic hide them from people; special programs may still recognize "
    "some of them. The plain mask leaves nothing of a face."
)


def saved_anonymization(audience: str) -> Anonymization:
    """The anonymization for an audience, "self" or "class"."""
    return chosen_anonymization(common.workspace().get("anonymous", {}), audience)


def choose_anonymization(audience: str) -> Anonymization:
    """The control that chooses and saves the anonymization; its value."""
    key = f"faces_{audience}"

    def keep() -> None:
        workspace = common.workspace()
        workspace.set("anonymous", workspace.get("anonymous", {}) | {audience: st.session_state[key]})

    st.segmented_control(
        _("Faces in pictures"),
        tuple(Anonymization),
        default=saved_anonymization(audience),
        required=True,
        format_func=lambda anonymization: _(TITLES[anonymization]),
        key=key,
        on_change=keep,
        help=_(LIMITS),
    )
    return saved_anonymization(audience)
