"""The one rule by which a workspace of a profile without emotions holds back those that were stored before.

In each cursor for reading, temporary views of the same names stand before the tables: whatever a page, a report or an export
reads, emotions and movements of the face are empty. So are the scores that a formula made of emotions, for attention stands
beside them, and the quotient of the two is the emotion's weight.
"""

import duckdb

from cssafe.frames import MOVEMENTS
from cssafe.observations import EXPRESSION
from cssafe.scoring.formula import find
from cssafe.settings import PROFILES
from cssafe.store.database import sql_string
from cssafe.store.summaries import BINS, EMOTION_COUNTS

EXPRESSIVE = [profile.name for profile in PROFILES.values() if profile.expression]
"""Profiles in which emotions are computed."""

WITHHELD = {
    "observations": {name: "NULL::FLOAT" for name in (*EXPRESSION, *MOVEMENTS)},
    "tracks": {name: "NULL::DOUBLE" for name in EXPRESSION} | {name: "0" for name in ("expressed", *EMOTION_COUNTS)},
    "minutes": {},
}
"""Table -> column -> what is read of it."""

SCORES = {
    "observations": ("concentration", "level"),
    "tracks": ("concentration", *BINS),
    "minutes": ("concentration",),
}
"""Table -> columns that are read as null of lessons whose formula weighs emotions."""


def withhold_expression(cursor: duckdb.DuckDBPyConnection) -> None:
    """Hide emotions, movements and the scores that rest on emotions from this cursor."""
    (database,) = cursor.execute("SELECT current_database()").fetchone() or ("",)
    formulas = ", ".join(map(sql_string, _formulas_without_emotions(cursor)))
    scored = f"""lesson IN (
        SELECT lesson FROM "{database}".main.lessons
        WHERE list_contains({EXPRESSIVE}, profile) AND NOT list_contains([{formulas}]::VARCHAR[], formula))"""
    for table, columns in WITHHELD.items():
        scores = {name: f"CASE WHEN NOT {scored} THEN {name} END" for name in SCORES[table]}
        replaced = ", ".join(f"{value} AS {name}" for name, value in (columns | scores).items())
        cursor.execute(f'CREATE TEMP VIEW {table} AS SELECT * REPLACE ({replaced}) FROM "{database}".main.{table}')


def _formulas_without_emotions(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """Those of the stored lessons. One whose file is gone is not among them: what it weighed cannot be known."""
    names = cursor.execute("SELECT DISTINCT formula FROM lessons WHERE list_contains(?, profile)", [EXPRESSIVE])
    formulas = {name: find(name) for (name,) in names.fetchall()}
    return [name for name, formula in formulas.items() if formula is not None and formula.emotion is None]
