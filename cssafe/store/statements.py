"""SQL statements that write lessons, observations, scores, notes and settings. To be called on the writer thread."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd

from cssafe.errors import StoreError
from cssafe.frames import MOVEMENTS
from cssafe.labels import ACTIVITIES
from cssafe.language import N_
from cssafe.observations import COLUMNS, EXPRESSION
from cssafe.scoring.formula import Formula
from cssafe.scoring.rescoring import score_observations
from cssafe.store import migrations, summaries, views
from cssafe.store.lesson import Lesson, naive_utc

STORED_DECIMALS = 4
"""Decimals of stored measurements: finer than their accuracy, and DuckDB compresses such floats to half (measured on random
digits; three decimals would gain little more)."""

ROUNDED_COLUMNS = {*COLUMNS} - {"time", "track", "frames", "level"}
"""Columns rounded to STORED_DECIMALS."""


def insert_lessons(
    connection: duckdb.DuckDBPyConnection, lessons: Sequence[Lesson], ended: Sequence[datetime | None]
) -> list[int]:
    """Insert lessons, each with its first activity; their numbers.

    Raises:
        StoreError: a time zone is unknown.
    """
    for zone in {lesson.time_zone for lesson in lessons}:
        known = connection.execute("SELECT count(*) FROM pg_timezone_names() WHERE name = ?", [zone]).fetchone()
        if known == (0,):
            raise StoreError(
                N_('There is no time zone {zone!r}. Use a name such as "Europe/Berlin" or "Asia/Kolkata".'), zone=zone
            )
    numbers: list[int] = []
    for lesson, end in zip(lessons, ended, strict=True):
        values = asdict(lesson) | {
            "started": naive_utc(lesson.started),
            "ended": end,
            "expected": lesson.expected or None,
        }
        activity = values.pop("activity")
        [(number,)] = connection.execute(
            f"INSERT INTO lessons (lesson, {', '.join(values)}) VALUES (nextval('lesson_numbers')"
            f"{', ?' * len(values)}) RETURNING lesson",
            list(values.values()),
        ).fetchall()
        add_activities(connection, number, [(values["started"], activity)])
        numbers.append(number)
    return numbers


def add_activities(
    connection: duckdb.DuckDBPyConnection, lesson: int, activities: Sequence[tuple[datetime, str]]
) -> None:
    """Insert activities of the lesson, each from a time on (naive UTC)."""
    for time, activity in activities:
        if activity not in ACTIVITIES:
            raise ValueError(f"A lesson's activity is one of {ACTIVITIES}; this one is {activity!r}.")
        connection.execute("INSERT INTO activities VALUES (?, ?, ?)", [lesson, time, activity])


def insert_observations(connection: duckdb.DuckDBPyConnection, batch: pd.DataFrame) -> None:
    """Insert observations (COLUMNS and `lesson`), without those of deleted lessons, and without emotions and movements where
    the lesson's profile has none.

    DuckDB finds `batch` by its name; a registered view would keep its rows until the transaction ends (importing.py).
    """
    kept = {name: f"round({name}::FLOAT, {STORED_DECIMALS})" if name in ROUNDED_COLUMNS else name for name in COLUMNS}
    for name in (*EXPRESSION, *MOVEMENTS):
        kept[name] = f"CASE WHEN list_contains($expressive::VARCHAR[], profile) THEN {kept[name]} END"
    columns = ", ".join(f"{value} AS {name}" for name, value in kept.items())
    connection.execute(
        f"INSERT INTO observations BY NAME SELECT lesson, {columns} FROM batch JOIN lessons USING (lesson)"
        " ORDER BY lesson, time, track",
        {"expressive": views.EXPRESSIVE},
    )


def insert_empty_seconds(connection: duckdb.DuckDBPyConnection, batch: pd.DataFrame) -> None:
    """Insert seconds in which nobody was found, `lesson` and `time` (naive UTC), of lessons of a class that are not deleted. Of
    one person alone only seconds with her face count."""
    connection.execute(
        """INSERT INTO empty_seconds BY NAME SELECT lesson, time FROM batch JOIN lessons USING (lesson)
        WHERE audience = 'class' ORDER BY lesson, time"""
    )


def open_lessons(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """Lessons that a crash left open, and those that end before they start, which earlier versions wrote when the clock was set
    back. Reads no observations."""
    rows = connection.execute("SELECT lesson FROM lessons WHERE ended IS NULL OR ended < started ORDER BY lesson")
    return [lesson for (lesson,) in rows.fetchall()]


def end_open_lesson(connection: duckdb.DuckDBPyConnection, lesson: int) -> None:
    """End the lesson at its last observed second and derive the charts' tables. To be called inside a transaction."""
    connection.execute(
        """UPDATE lessons SET ended = greatest(started, coalesce((
            SELECT max(time) + INTERVAL 1 SECOND FROM (
                SELECT lesson, time FROM observations UNION ALL FROM empty_seconds) WHERE lesson = $1), started))
        WHERE lesson = $1""",
        [lesson],
    )
    summaries.summarise(connection, [lesson])


def end_at_start(connection: duckdb.DuckDBPyConnection, lesson: int) -> None:
    """End a lesson whose observations cannot be read when it started; `rescue` ends it at its last readable one."""
    connection.execute("UPDATE lessons SET ended = started WHERE lesson = ?", [lesson])


def start_times(connection: duckdb.DuckDBPyConnection, lessons: Sequence[int]) -> list[str]:
    """Starts of lessons, ISO 8601 in naive UTC."""
    rows = connection.execute("SELECT started FROM lessons WHERE list_contains($1::INTEGER[], lesson)", [list(lessons)])
    return [started.isoformat() for (started,) in rows.fetchall()]


def get_value(connection: duckdb.DuckDBPyConnection, key: str) -> str | None:
    """JSON of a setting; None if there is none."""
    row = connection.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
    return None if row is None else row[0]


def set_value(connection: duckdb.DuckDBPyConnection, key: str, value: Any) -> None:
    """Replace a setting's value (any JSON). To be called inside a transaction."""
    connection.execute("DELETE FROM settings WHERE key = ?", [key])
    connection.execute("INSERT INTO settings VALUES (?, ?)", [key, json.dumps(value)])


def delete_lessons(connection: duckdb.DuckDBPyConnection, lessons: Sequence[int]) -> None:
    """Delete lessons and all their rows from every table. To be called inside a transaction."""
    for table in migrations.lesson_tables(connection):
        connection.execute(f"DELETE FROM {table} WHERE list_contains($1::INTEGER[], lesson)", [list(lessons)])


def rescorable_lessons(connection: duckdb.DuckDBPyConnection, formula: Formula) -> list[int]:
    """Lessons that are over, have another formula, and have the signals of this one: emotions where it weighs them, and the
    direction of a head if anything has a score. Lessons of other programs, or exported without rows of faces, may have none."""
    rows = connection.execute(
        """SELECT lesson FROM lessons
        WHERE ended IS NOT NULL AND formula <> $formula
            AND (NOT $weighs OR list_contains($expressive::VARCHAR[], profile))
            AND (lesson IN (SELECT lesson FROM observations WHERE yaw IS NOT NULL)
                OR lesson NOT IN (SELECT lesson FROM minutes WHERE concentration IS NOT NULL))
        ORDER BY started, lesson""",
        {"formula": str(formula), "weighs": formula.emotion is not None, "expressive": views.EXPRESSIVE},
    ).fetchall()
    return [lesson for (lesson,) in rows]


def rescore_lesson(connection: duckdb.DuckDBPyConnection, lesson: int, formula: Formula) -> None:
    """Score the lesson's observations by the formula and derive the charts' tables. To be called inside a transaction."""
    rows = connection.execute("SELECT * FROM observations WHERE lesson = ?", [lesson]).df()
    activities = connection.execute(
        "SELECT time, activity FROM activities WHERE lesson = ? ORDER BY time", [lesson]
    ).df()
    scores = score_observations(rows, activities, formula)[["time", "track", "attention", "concentration", "level"]]
    connection.register("scores", scores)
    try:
        connection.execute(
            f"""UPDATE observations SET attention = round(scores.attention, {STORED_DECIMALS}),
                concentration = round(scores.concentration, {STORED_DECIMALS}), level = scores.level
            FROM scores
            WHERE observations.lesson = $lesson AND observations.time = scores.time
                AND observations.track = scores.track""",
            {"lesson": lesson},
        )
    finally:
        connection.unregister("scores")
    connection.execute("UPDATE lessons SET formula = ? WHERE lesson = ?", [str(formula), lesson])
    summaries.summarise(connection, [lesson])


def correct_activities(
    connection: duckdb.DuckDBPyConnection, lesson: int, activities: Sequence[tuple[datetime, str]], formula: Formula
) -> None:
    """Replace the lesson's activities, as in add_activities, and rescore it. To be called inside a transaction."""
    connection.execute("DELETE FROM activities WHERE lesson = ?", [lesson])
    add_activities(connection, lesson, activities)
    rescore_lesson(connection, lesson, formula)


def set_expected(connection: duckdb.DuckDBPyConnection, lesson: int, expected: int) -> None:
    """Set the number of people expected in the lesson, 0 if unknown, and derive the charts' tables. To be called inside a
    transaction."""
    connection.execute("UPDATE lessons SET expected = ? WHERE lesson = ?", [expected or None, lesson])
    summaries.summarise(connection, [lesson])


def insert_regions(connection: duckdb.DuckDBPyConnection, lesson: int, regions: Sequence[Mapping[str, Any]]) -> None:
    """Insert the lesson's regions, unless it has some. To be called inside a transaction."""
    connection.execute(
        """INSERT INTO divisions BY NAME SELECT $lesson AS lesson, unnest($regions, recursive := true)
        WHERE NOT EXISTS (FROM divisions WHERE lesson = $lesson)""",
        {"lesson": lesson, "regions": list(regions)},
    )


def replace_note(connection: duckdb.DuckDBPyConnection, lesson: int, note: str, tags: Sequence[str]) -> None:
    """Replace the lesson's note and tags, stripped, without empty and double ones. To be called inside a transaction."""
    for table in ("notes", "tags"):
        connection.execute(f"DELETE FROM {table} WHERE lesson = ?", [lesson])
    if note.strip():
        connection.execute("INSERT INTO notes VALUES (?, ?)", [lesson, note.strip()])
    for tag in sorted({tag.strip() for tag in tags} - {""}):
        connection.execute("INSERT INTO tags VALUES (?, ?)", [lesson, tag])


def check_columns(observations: pd.DataFrame, expected: Sequence[str]) -> None:
    if set(observations.columns) != set(expected):
        raise ValueError(f"Observations have the columns {list(expected)}; these have {list(observations.columns)}.")
