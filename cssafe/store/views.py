"""The one rule by which a workspace of a profile without emotions holds back those that were stored before.

In each cursor for reading, temporary views of the same names stand before the tables: whatever a page, a report or an export
reads, emotions and movements of the face are empty.
"""

import duckdb

from cssafe.frames import MOVEMENTS
from cssafe.observations import EXPRESSION
from cssafe.store.summaries import COMMONEST

WITHHELD = {
    "observations": {name: "NULL::FLOAT" for name in (*EXPRESSION, *MOVEMENTS)},
    "tracks": {name: "NULL::DOUBLE" for name in EXPRESSION} | {name: "0" for name in ("expressed", *COMMONEST)},
}
"""Table -> column -> what is read of it."""


def withhold_expression(cursor: duckdb.DuckDBPyConnection) -> None:
    """Hide emotions and movements from this cursor."""
    (database,) = cursor.execute("SELECT current_database()").fetchone() or ("",)
    for table, columns in WITHHELD.items():
        replaced = ", ".join(f"{value} AS {name}" for name, value in columns.items())
        cursor.execute(f'CREATE TEMP VIEW {table} AS SELECT * REPLACE ({replaced}) FROM "{database}".main.{table}')
