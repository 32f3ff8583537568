"""Files as another program writes them, with the columns of docs/data.md: lessons, activities and observations."""

import io
import json
from collections.abc import Mapping
from zipfile import ZipFile

import pandas as pd

from cssafe.exchange import ABOUT, PROGRAM
from cssafe.store.lesson import Lesson
from tests.support.lessons import LESSON


def program_file(
    observations: pd.DataFrame,
    form: str = "parquet",
    lesson: Lesson = LESSON,
    tables: Mapping[str, pd.DataFrame] | None = None,
    **columns,
) -> io.BytesIO:
    """One lesson of 45 minutes. form: parquet or csv. tables: further ones. columns: further ones of the table lessons."""
    started = pd.Timestamp(lesson.started.replace(tzinfo=None))
    about = {name: getattr(lesson, name) for name in ("name", "class_name", "subject", "room", "time_zone", "profile")}
    about |= {name: getattr(lesson, name) for name in ("formula", "source", "audience")}
    about |= {"lesson": 1, "started": started, "ended": started + pd.Timedelta(minutes=45)}
    members = {
        "lessons": pd.DataFrame([about | columns]),
        "activities": pd.DataFrame({"lesson": [1], "time": [started], "activity": [lesson.activity]}),
        "observations": observations.assign(lesson=1),
        **(tables or {}),
    }
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name, table in members.items():
            archive.writestr(f"{name}.{form}", table.to_csv(index=False) if form == "csv" else table.to_parquet())
        rows = {name: len(table) for name, table in members.items()}
        archive.writestr(ABOUT, json.dumps({"program": PROGRAM, "format": form, "database": [], "rows": rows}))
    return file
