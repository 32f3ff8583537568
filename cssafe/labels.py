"""Closed lists of words, once: emotions, activities, markers, levels, audiences, weekdays, reasons.

Packages of this field order emotions differently, so labels travel by name, never by position.
"""

from cssafe.language import N_

FERPLUS = (
    N_("neutral"), N_("happy"), N_("surprise"), N_("sad"), N_("angry"), N_("disgust"), N_("fear"), N_("contempt"),
)  # fmt: skip
"""The eight words CSSAFE shows and stores, in FERPlus' order (Barsoum et al. 2016)."""

FER2013 = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven words of the original FER2013 labels, in the order of fer2013.csv (Goodfellow et al. 2013)."""

FERPLUS_VOTES = dict(
    zip(FERPLUS, ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"), strict=True)
)
"""Our word -> the word in FERPlus' own vote columns (`fp_<word>` in the parquet files)."""

ACTIVITIES = (N_("front"), N_("screen"), N_("desk work"), N_("group work"), N_("break"))
"""Activities of a class: look to the front of the room, at one's own screen, or at the desk; or not scored, for nobody can
tell from a face whether it talks to its group or about something else."""

MARKERS = {
    N_("question"): N_("Question"),
    N_("instruction"): N_("Instruction"),
    N_("demonstration"): N_("Demonstration"),
    N_("quiz"): N_("Quiz"),
    N_("joke"): N_("Joke"),
}
"""Kind of marker -> title of its button. The position, from 1, is the key on the keyboard."""

FORMER_MARKERS = (N_("group work"), N_("break"))
"""Kinds of markers in older lessons; they are activities today."""

LEVELS = (N_("low"), N_("medium"), N_("high"))
"""Levels of concentration, by index; -1 stands for: not measurable."""

AUDIENCES = ("self", "class")
"""Who is in the picture: one person alone, or a class."""

WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
"""Days of the week, Monday first."""

WEEKDAY_NAMES = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip

REASONS = {
    "too_small": N_("The face is too small to be measured. Come closer, or zoom in."),
    "blurred": N_("The face is blurred. Hold still, or add light."),
    "mesh_unsure": N_("Eyes, nose and mouth were not found: the face is covered, or turned too far away."),
    "turned_away": N_("The face is turned too far to the side."),
    "not_scored": N_("This activity is not scored."),
    "not_refreshed": N_("The eyes are read when this face has its next turn."),
    "eyes_unread": N_(
        "The eyes are too small to be read: the direction of the head alone counts. Come closer, or zoom in."
    ),
}
"""Code -> why a face has no score, or why its eyes were not read. Of several the first counts, in this order: small and blurred
faces also leave the mesh unsure, and yaw is read from the mesh."""

DEFAULT_ACTIVITY = {"self": "screen", "class": "front"}
"""Audience -> activity at the start of a lesson."""
