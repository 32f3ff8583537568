"""A school's periods: when its lessons begin and end. Plain dictionaries, so that a workspace can keep them."""

from collections.abc import Iterable, Mapping
from datetime import time
from itertools import pairwise
from typing import Any

from cssafe.language import _

HOURS = [{"name": f"{h:02}:00", "start": f"{h:02}:00", "end": f"{h + 1:02}:00"} for h in range(24)]
"""The periods of a school that has entered none."""


def parse_periods(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Periods out of a filled-in table, in the order of the day: name, start, end as "08:45", start included, end not.

    rows: name (text), start and end (datetime.time); rows without anything in them are passed over.

    Raises:
        ValueError: something is missing, ends before it starts, overlaps or is there twice; the user is told.
    """
    periods: list[dict[str, str]] = []
    for row in rows:
        name = str(row.get("name") or "").strip()
        times = [row.get("start"), row.get("end")]
        if not name and not any(isinstance(value, time) for value in times):
            continue
        if not name:
            raise ValueError(_("A period has no name. Give each one a name, such as 1 or Morning."))
        if not all(isinstance(value, time) for value in times):
            raise ValueError(_("Period {name} needs a start and an end, such as 08:00 and 08:45.").format(name=name))
        start, end = (f"{value:%H:%M}" for value in times)
        if start >= end:
            raise ValueError(
                _("Period {name} ends at {end}, but starts at {start}. The end must be later.").format(
                    name=name, end=end, start=start
                )
            )
        periods.append({"name": name, "start": start, "end": end})
    periods.sort(key=lambda period: period["start"])
    for before, after in pairwise(periods):
        if after["start"] < before["end"]:
            raise ValueError(
                _("Periods {one} and {other} overlap. Change one of their times.").format(
                    one=before["name"], other=after["name"]
                )
            )
    names = [period["name"] for period in periods]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(_("Two periods are called {name}. Give each one a name of its own.").format(name=min(twice)))
    return periods
