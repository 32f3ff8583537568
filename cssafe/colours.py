"""Every colour that has a meaning, once: charts, boxes on pictures and the camera's page take theirs from here.

Different things have colours that differ with each of the three kinds of colour blindness (simulated as by Machado et al.
2009); emotions and levels differ in lightness, too, for grey prints. tests/test_colours.py has the distances.
"""

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7")
"""Groups side by side (Okabe and Ito 2008), as many as can be told apart at a glance. Two are alike in grey: what has them also
stands in the order of its legend, or has a shape or a dash of its own."""

GREY = "#808080"
"""No group: intervals, limits, counts. As far from white as from black."""

EMOTIONS = {
    "neutral": "#A0A4A0",
    "happy": "#EBE94E",
    "surprise": "#E2AE78",
    "sad": "#1E53A0",
    "angry": "#BD380B",
    "disgust": "#038C62",
    "fear": "#DC55E1",
    "contempt": "#1BE4DA",
}
"""Found by search: lightness in eight equal steps from 36 to 90 (CIELAB), and the hues that lie furthest apart for all eyes."""

LEVELS = {"low": "#D55E00", "medium": "#E69F00", "high": "#A6DDF7"}
"""Of concentration, the higher the lighter; black writing is readable on each."""

STATES = {"on_task": "#0072B2", "off_task": "#E69F00", "unreadable": "#D9D9D9", "unseen": "#505050"}
"""Of the people present, in the order in which they are stacked."""

UNREAD = "#56B4E9"
"""A face without readings that may be shown. No grey: in grey boxes a detector found a face that was covered."""

LOST = ("#3F4347", "#E69F00", "#009E73", "#EBC3DA")
"""Losses of a score to people not visible, looking away, eyes and emotions, stacked upon COLOURS[0], the score."""

LOW, MIDDLE, HIGH = "#F5D08A", "#A9B0B6", "#2F8FD0"
"""Ends and middle of a heatmap, the higher the darker. Not the levels' colours: a heatmap goes from its own least to its own
most, which may both be the same level. Black writing is readable on each."""
