"""Periods of a school day, as plain dictionaries that a workspace can keep."""

from collections.abc import Iterable, Mapping
from datetime import time
from itertools import pairwise
from typing import Any

from cssafe.errors import DataError
from cssafe.language import N_

HOURS = [{"name": f"{h:02}:00", "start": f"{h:02}:00", "end": f"{h + 1:02}:00"} for h in range(24)]
"""Default periods: the hours of the day."""


def parse_periods(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Periods from the rows of a table, in the order of the day: name, start (included) and end (excluded) as "08:45".

    rows: name (text), start and end (datetime.time); empty rows are skipped.

    Raises:
        DataError: a value is missing, a period ends before it starts, two overlap or have the same name.
    """
    parsed = (_parse_period(row) for row in rows)
    periods = sorted((period for period in parsed if period), key=lambda period: period["start"])
    for before, after in pairwise(periods):
        if after["start"] < before["end"]:
            raise DataError(
                N_("Periods {one} and {other} overlap. Change one of their times."),
                one=before["name"],
                other=after["name"],
            )
    names = [period["name"] for period in periods]
    if twice := {name for name in names if names.count(name) > 1}:
        raise DataError(N_("Two periods are called {name}. Give each one a name of its own."), name=min(twice))
    return periods


def _parse_period(row: Mapping[str, Any]) -> dict[str, str] | None:
    """One period; None for an empty row."""
    name = str(row.get("name") or "").strip()
    times = [row.get("start"), row.get("end")]
    if not name and not any(isinstance(value, time) for value in times):
        return None
    if not name:
        raise DataError(N_("A period has no name. Give each one a name, such as 1 or Morning."))
    if not all(isinstance(value, time) for value in times):
        raise DataError(N_("Period {name} needs a start and an end, such as 08:00 and 08:45."), name=name)
    start, end = (f"{value:%H:%M}" for value in times)
    if start >= end:
        raise DataError(
            N_("Period {name} ends at {end}, but starts at {start}. The end must be later."),
            name=name,
            end=end,
            start=start,
        )
    return {"name": name, "start": start, "end": end}
