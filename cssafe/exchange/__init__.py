"""Export and import of a workspace: a ZIP with each table as CSV, Parquet or JSON (docs/data.md)."""

from collections.abc import Callable

from cssafe.language import N_

FORMAT_NAMES = {"parquet": N_("Parquet"), "csv": "CSV", "json": "JSON"}
"""Format of a table -> its name on pages: Parquet; CSV with a header; one JSON object a line."""

FORMATS = tuple(FORMAT_NAMES)

ABOUT = "about.json"
"""Member with the format, the migrations and the numbers of rows."""

PROGRAM = "CSSAFE"

DERIVED = ("activity",)
"""Columns for other programs, taken from another table; the importer ignores them."""

Progress = Callable[[float], object]
"""Called with the share done, 0 to 1."""
