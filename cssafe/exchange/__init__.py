"""Everything of a workspace as one file, and back: a ZIP with a table each as CSV, Parquet or JSON (docs/data.md)."""

from collections.abc import Callable

FORMATS = ("parquet", "csv", "json")
"""A table each: Parquet; CSV with a line of names; one JSON object a line."""

ABOUT = "about.json"
"""The member that says what a file is."""

PROGRAM = "CSSAFE"

DERIVED = ("activity",)
"""Columns that are written for those who read the file elsewhere, and come from another table."""

Progress = Callable[[float], object]
"""Called now and then with the share done, 0 to 1."""
