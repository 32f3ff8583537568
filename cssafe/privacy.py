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


NOBODY = N_("No face in view.")
NOT_ALONE = N_("More than one face: nothing is shown, for this lesson is about one person alone.")
UNREAD = N_("The face cannot be read: too small, blurred or turned away.")
TOO_FEW = N_("Too few faces for a figure about the class: {measured} of {least}.")


def chosen_anonymization(chosen: dict[str, str], audience: str) -> Anonymization:
    """The anonymization for an audience, "self" or "class": the chosen one, otherwise a mosaic of a class."""
    default = Anonymization.MOSAIC if audience == "class" else Anonymization.SHOWN
    return Anonymization(chosen.get(audience, default))


def individuals(profile: Profile, audience: str, faces: int) -> bool:
    """Whether a single face's reading may be shown on a picture with that many faces: to a person alone in it, or of a
    class where the profile says so. audience: "self" or "class"."""
    return faces == 1 if audience == "self" else profile.individuals


def withheld(audience: str, faces: int, measured: int) -> str:
    """Why no figure is told of a picture with that many faces, of which so many could be read; empty where one may be."""
    if faces == 0:
        return _(NOBODY)
    if audience == "self":
        if faces > 1:
            return _(NOT_ALONE)
        return "" if measured else _(UNREAD)
    if measured < MINIMUM_GROUP:
        return _(TOO_FEW).format(measured=measured, least=MINIMUM_GROUP)
    return ""


def told() -> dict[str, str]:
    """All that `withheld` can say: as a thread says it that draws no page -> as the page does that shows it."""
    counts = [{"measured": measured, "least": MINIMUM_GROUP} for measured in range(MINIMUM_GROUP)]
    few = {TOO_FEW.format(**count): _(TOO_FEW).format(**count) for count in counts}
    return {words: _(words) for words in (NOBODY, NOT_ALONE, UNREAD)} | few
