"""Messages from the server to the camera in the browser, and their JSON form.

A message names a `Notice` by its code; the browser has the sentences of all codes in its page's language. An unknown code
shows nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cssafe.language import N_, _
from cssafe.privacy import WITHHELD

SENTENCES = {
    **WITHHELD,
    "front_not_scored": N_("Front is not scored."),
    "screen_not_scored": N_("Screen is not scored."),
    "desk_work_not_scored": N_("Desk work is not scored."),
    "group_work_not_scored": N_("Group work is not scored."),
    "break_not_scored": N_("Break is not scored."),
    "no_picture": N_("No picture is coming from the camera."),
    "unchanged": N_("The picture does not change: nothing is recorded until it does."),
    "not_written": N_("The database cannot be written now. This page says why."),
    "not_analysed": N_("This picture could not be analysed; the next one is tried."),
    "server_busy": N_(
        "The server is busy: for now it analyses {rate} pictures of yours a second, more when there is less to do."
    ),
    "empty": N_("A picture (JPEG) was expected, and text or nothing came."),
    "no_jpeg": N_("A camera's picture must be a baseline JPEG, and this is none."),
    "too_wide": N_("A camera's picture may have {width} x {height} pixels at most, and this one has more."),
    "too_large": N_("A picture may have {limit} bytes, and this one has {size}."),
    "too_fast": N_("Pictures came faster than they can be answered. Wait for the answers."),
    "wrong_origin": N_("This page's address may not send pictures here. Add it to CSSAFE_ORIGINS."),
    "no_token": N_("The connection must name the lesson's token. Reload the page."),
    "lesson_over": N_("This lesson is over. Start a new one."),
    "taken_over": N_("This lesson is over, or another page has taken over its camera."),
}
"""Code of a notice -> its sentence, with the notice's fields in braces."""


@dataclass(frozen=True)
class Notice:
    """A sentence for the person before the camera: a code of SENTENCES and the values of its fields.

    JSON: `{"code": "server_busy", "fields": {"rate": "2.0"}}`.
    """

    code: str
    fields: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        """The sentence in the language of the page that asks."""
        return _(SENTENCES[self.code]).format(**self.fields)


@dataclass(frozen=True)
class Overlay:
    """What is drawn over one analysed frame, in plain values.

    size: width and height of the frame, pixels. covers: polygons that hide the faces, [x, y] in pixels, also of faces lost a
    moment ago. faces: as frames.describe. concentration: mean of the class or person in [0, 1], two decimals; None where it
    is withheld or not measurable. level: its level, of frames.LEVELS, or None. notice: why there is no figure, or None.

    JSON: an object with these names.
    """

    size: tuple[int, int]
    covers: list[list[list[int]]]
    faces: list[dict[str, Any]]
    concentration: float | None
    level: str | None
    notice: Notice | None


@dataclass(frozen=True)
class NetworksState:
    """The first message of a connection, and the next one if the networks were loading. state: loading, ready or failed.
    rate: frames a second that the machine carries of this camera. notice: None or server_busy."""

    state: str
    rate: float
    notice: Notice | None = None


@dataclass(frozen=True)
class FrameAnswer:
    """The answer to one frame. number: of the frame, from 0 in each connection. overlay: None where the frame was not
    analysed; without a notice it was skipped for a newer one. notice: what went wrong, or server_busy. took: milliseconds
    from the frame's arrival to this answer. rate: as in NetworksState."""

    number: int
    overlay: Overlay | None
    notice: Notice | None
    took: int
    rate: float


def to_json(message: NetworksState | FrameAnswer | Notice) -> dict[str, Any]:
    """Plain values for JSON: an object with the names of the dataclass's fields."""
    return asdict(message)
