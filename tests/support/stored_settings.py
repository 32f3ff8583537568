"""Settings that a workspace keeps: good ones of every key."""

from cssafe.school.week import parse_week
from cssafe.store import Workspace

PERIOD = {"name": "1", "start": "08:00", "end": "08:45"}
LESSON = {"day": "Mon", "period": "1", "class_name": "7b", "subject": "Maths"}
ENTRY = {"days": ["Mon"], "start": "08:00", "end": "08:45", "class_name": "7b", "subject": "Maths", "room": ""}
REGION = {"name": "A1", "left": 0, "top": 0.0, "right": 0.5, "bottom": 1}

GOOD = {
    "agreed": [True],
    "hints": [False],
    "anonymous": [{}, {"class": "mosaic", "self": "shown"}],
    "room": [{"source": "rtsp://me:password@camera", "time_zone": "Asia/Kolkata"}],
    "room_rests": ["2026-11-29T08:00:00+00:00"],
    "timetable": [[], [ENTRY]],
    "live": [{}, {"class_name": "7b", "subject": "", "room": "", "time_zone": "UTC", "audience": "class"}],
    "expected": [{}, {"7b": 25, "9c": 0}],
    "filters": [{}, {"class": ["7b"], "subject": [], "from": "2026-11-29", "until": None, "synthetic": False}],
    "formula": ["published 2"],
    "periods": [[], [PERIOD]],
    "school": [{}, parse_week([PERIOD], [LESSON], focus={"Maths": 2.0}).to_dict()],
    "seats": [{}, {"": [REGION], "12": []}],
}


def put(workspace: Workspace, key: str, text: str) -> None:
    """Write into the table as an older version, or a hand, might have."""
    workspace._queue.run(lambda: workspace._connection.execute("INSERT INTO settings VALUES (?, ?)", [key, text]))
