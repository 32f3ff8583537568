"""Settings stored in a workspace: validation, and which ones are exported."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from cssafe.labels import WEEKDAYS
from cssafe.language import N_
from cssafe.names import is_text
from cssafe.privacy import Anonymization
from cssafe.school import periods, room_timetable
from cssafe.settings import MAX_IMPORT_SETTING_BYTES
from cssafe.store.lesson import MAX_EXPECTED

Check = Callable[[Any], bool]

MAX_TEXT_CHARS = 2000
"""Characters of a text: a camera's address with parameters; names on pages have at most 80."""

MAX_ROWS = 3000
"""Rows of a list: the lessons of a week in a school of 80 classes."""

YEARS = range(1971, 2200)
"""Years in which a lesson can be: pages calculate with days, which end in the years 1 and 9999."""

CONNECTIONS = ("automatic", "websocket", "webrtc", "snapshot")


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT_CHARS and is_text(value)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _number(low: float, high: float) -> Check:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _whole(low: int, high: int) -> Check:
    return lambda value: isinstance(value, int) and _number(low, high)(value)


def _one_of(*choices: str) -> Check:
    return lambda value: isinstance(value, str) and value in choices


def _list(check: Check) -> Check:
    return lambda value: isinstance(value, list) and len(value) <= MAX_ROWS and all(map(check, value))


def _map(key: Check, check: Check) -> Check:
    return lambda value: (
        isinstance(value, dict) and len(value) <= MAX_ROWS and all(key(k) and check(v) for k, v in value.items())
    )


def _record(needed: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """A dictionary with all needed keys, any optional ones, and no other."""
    checks = {**needed, **(optional or {})}
    return lambda value: (
        isinstance(value, dict)
        and needed.keys() <= value.keys() <= checks.keys()
        and all(checks[name](part) for name, part in value.items())
    )


def _readable(read: Callable[[str], Any]) -> Check:
    """A text that `read` accepts."""

    def check(value: Any) -> bool:
        try:
            return _text(value) and read(value) is not None
        except (ValueError, OSError, KeyError):  # a time zone that is unknown is a KeyError
            return False

    return check


def _clock(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 5 and _readable(time.fromisoformat)(value)


def _aware(value: str) -> datetime | None:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo and moment.year in YEARS else None


def _day(value: str) -> date | None:
    day = date.fromisoformat(value)
    return day if day.year in YEARS else None


def _no_clash(rows: Check, read: Callable[[list], list]) -> Check:
    """Rows that `read`, the parser of their page, accepts unchanged."""

    def check(value: Any) -> bool:
        try:
            return rows(value) and len(read(value)) == len(value)
        except ValueError:
            return False

    return check


def _read_periods(rows: list[dict[str, str]]) -> list:
    return periods.parse_periods(row | {end: time.fromisoformat(row[end]) for end in ("start", "end")} for row in rows)


def _region(value: Any) -> bool:
    edge = _number(0, 1)
    shape = _record({"name": _text, "left": edge, "top": edge, "right": edge, "bottom": edge})
    return shape(value) and value["left"] < value["right"] and value["top"] < value["bottom"]


_zone = _readable(ZoneInfo)
_maybe_day: Check = lambda value: value is None or _readable(_day)(value)  # noqa: E731
_place = {"class_name": _text, "subject": _text, "room": _text}
_hours = {"start": _clock, "end": _clock}
_weekday = _one_of(*WEEKDAYS)
_days: Check = lambda value: _list(_weekday)(value) and len(value) > 0  # noqa: E731
_lesson = _record(
    {"day": _weekday, "period": _text, "class_name": _text, "subject": _text},
    {"teacher": _text, "room": _text, "length": _whole(1, 24), "fixed": _flag},
)
_away = _record({"who": _text, "name": _text, "day": _weekday, "period": _text})


@dataclass(frozen=True)
class StoredSetting:
    """valid: check of a value. shape: description of a valid value. travels: exported and imported; settings that act on one
    computer, or were agreed there, are not."""

    valid: Check
    shape: str
    travels: bool = False


STORED_SETTINGS = {
    "agreed": StoredSetting(_flag, N_("true or false")),
    "hints": StoredSetting(_flag, N_("true or false")),
    "anonymous": StoredSetting(
        _map(_one_of("self", "class"), _one_of(*tuple(Anonymization))), N_("how faces appear to self and class")
    ),
    "room": StoredSetting(
        _record({"source": _text, "time_zone": _zone}), N_("source (a camera) and time_zone (such as Europe/Berlin)")
    ),
    "room_rests": StoredSetting(_readable(_aware), N_("a time with its zone")),
    "timetable": StoredSetting(
        _no_clash(_list(_record({"days": _days, **_hours, **_place})), room_timetable.parse_timetable),
        N_("a list of lessons that do not overlap, with days, start, end, class_name, subject, room"),
    ),
    "live": StoredSetting(
        _record(
            {},
            {**_place, "time_zone": _zone, "audience": _one_of("self", "class"), "connection": _one_of(*CONNECTIONS)},
        ),
        N_("what was last entered on the page Live: class_name, subject, room, time_zone, audience, connection"),
        travels=True,
    ),
    "expected": StoredSetting(
        _map(_text, _whole(0, MAX_EXPECTED)), N_("for each class the number of people expected"), travels=True
    ),
    "filters": StoredSetting(
        _record(
            {},
            {
                "class": _list(_text),
                "subject": _list(_text),
                "from": _maybe_day,
                "until": _maybe_day,
                "synthetic": _flag,
            },
        ),
        N_("class and subject (lists), from and until (such as 2026-11-29), synthetic (true or false)"),
        travels=True,
    ),
    "formula": StoredSetting(_text, N_("name and version of a formula"), travels=True),
    "periods": StoredSetting(
        _no_clash(_list(_record({"name": _text, **_hours})), _read_periods),
        N_("a list of periods that do not overlap, with name, start, end (such as 08:45)"),
        travels=True,
    ),
    "school": StoredSetting(
        _record(
            {},
            {
                "days": _days,
                "lessons": _list(_lesson),
                "away": _list(_away),
                "focus": _map(_text, _number(0, 9)),
                "most": _whole(1, 200),
            },
        ),
        N_("a school's week: days, lessons, away, focus (0 to 9 for each subject), most (1 to 200)"),
        travels=True,
    ),
    "seats": StoredSetting(
        _map(_text, _list(_region)),
        N_("for each room a list of regions with name, left, top, right, bottom (0 to 1)"),
        travels=True,
    ),
}
"""Every key that pages and commands use."""

EXPORTED_SETTINGS = [key for key, setting in STORED_SETTINGS.items() if setting.travels]


@lru_cache(maxsize=32)
def is_usable(key: str, text: str) -> bool:
    """Whether the JSON is valid under that key."""
    if len(text) > MAX_IMPORT_SETTING_BYTES:
        return False
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return STORED_SETTINGS[key].valid(value)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
