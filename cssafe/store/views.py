"""Views that withhold stored emotions from a workspace whose profile reads none.

Each reading cursor has temporary views with the names of the tables, in which emotions and movements of the face are null. So
are the scores of a formula with emotions: score and attention together would reveal the emotion's weight.
"""

import duckdb

from cssafe.frames import MOVEMENTS
from cssafe.observations import EXPRESSION
from cssafe.scoring.formula import find_formula
from cssafe.settings import PROFILES
from cssafe.store.database_files import sql_string
from cssafe.store.summaries import BINS, EMOTION_COUNTS

EXPRESSIVE = [profile.name for profile in PROFILES.values() if profile.expression]
"""Profiles in which emotions are computed."""

WITHHELD = {
    "observations": {name: "NULL::FLOAT" for name in (*EXPRESSION, *MOVEMENTS)},
    "tracks": {name: "NULL::DOUBLE" for name in EXPRESSION} | {name: "0" for name in ("expressed", *EMOTION_COUNTS)},
    "minutes": {},
}
"""Table -> column -> SQL of its value in the view."""

SCORES = {"observations": ("concentration", "level"), "tracks": ("concentration", *BINS), "minutes": ("concentration",)}
"""Table -> columns that are null for lessons whose formula weighs emotions."""


def withhold_expression(cursor: duckdb.DuckDBPyConnection) -> None:
    """Withhold emotions, movements and scores from emotions from this cursor."""
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
    """Formulas of the stored lessons without emotions. A missing formula is not among them: its weights are unknown."""
    names = cursor.execute("SELECT DISTINCT formula FROM lessons WHERE list_contains(?, profile)", [EXPRESSIVE])
    formulas = {name: find_formula(name) for (name,) in names.fetchall()}
    return [name for name, formula in formulas.items() if formula is not None and formula.emotion is None]
