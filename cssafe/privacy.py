"""Disclosure rules by profile, audience and group size; anonymization of faces."""

from enum import StrEnum

from cssafe.language import N_, _
from cssafe.settings import MINIMUM_GROUP, Profile


class Anonymization(StrEnum):
    """How faces appear in a picture that is shown: as they are, or covered in one of three ways."""

    SHOWN = "shown"
    BLUR = "blur"
    MOSAIC = "mosaic"
    MASK = "mask"


WITHHELD = {
    "no_face": N_("No face in view."),
    "not_alone": N_("More than one face: nothing is shown, for this lesson is about one person alone."),
    "face_unread": N_("The face cannot be read: too small, blurred or turned away."),
    "too_few_faces": N_("Too few faces for a figure about the class: {measured} of {least}."),
}
"""Why a figure is withheld: code -> sentence."""


def chosen_anonymization(chosen: dict[str, str], audience: str) -> Anonymization:
    """The anonymization for an audience, "self" or "class": the chosen one, otherwise a mosaic of a class."""
    default = Anonymization.MOSAIC if audience == "class" else Anonymization.SHOWN
    return Anonymization(chosen.get(audience, default))


def individuals(profile: Profile, audience: str, faces: int) -> bool:
    """Whether a single face's reading may be shown on a picture with that many faces: to a person alone in it, or of a
    class where the profile says so. audience: "self" or "class"."""
    return faces == 1 if audience == "self" else profile.individuals


def withheld_code(audience: str, faces: int, measured: int) -> str:
    """Why a picture with `faces` faces, `measured` of them readable, shows no figure: a key of WITHHELD, empty
    where a figure may be shown."""
    if faces == 0:
        return "no_face"
    if audience == "self":
        if faces > 1:
            return "not_alone"
        return "" if measured else "face_unread"
    return "too_few_faces" if measured < MINIMUM_GROUP else ""


def withheld(audience: str, faces: int, measured: int) -> str:
    """The sentence of `withheld_code`, empty where a figure may be shown."""
    code = withheld_code(audience, faces, measured)
    return _(WITHHELD[code]).format(measured=measured, least=MINIMUM_GROUP) if code else ""
