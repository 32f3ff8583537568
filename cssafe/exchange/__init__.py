"""Export and import of a workspace: a ZIP with each table as CSV, Parquet or JSON (docs/data.md)."""

from collections.abc import Callable

FORMATS = ("parquet", "csv", "json")
"""Formats of a table: Parquet; CSV with a header; one JSON object a line."""

ABOUT = "about.json"
"""Member with the format, the migrations and the numbers of rows."""

PROGRAM = "CSSAFE"

DERIVED = ("activity",)
"""Columns for other programs, taken from another table; the importer ignores them."""

Progress = Callable[[float], object]
"""Called with the share done, 0 to 1."""
