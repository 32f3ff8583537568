"""Everything of a workspace as one file, and back: a ZIP with a table each as CSV, Parquet or JSON (docs/data.md)."""

from collections.abc import Callable

FORMATS = ("parquet", "csv", "json")
"""A table each: Parquet; CSV with a line of names; one JSON object a line."""

ABOUT = "about.json"
"""The member that says what a file is."""

PROGRAM = "CSSAFE"

HERE = ("agreed", "room", "room_rests", "erasing")
"""Settings that stay on this computer: that its people have agreed, its camera, whose address may hold a password, and the
deletions that are not finished."""

Progress = Callable[[float], None]
"""Called now and then with the share done, 0 to 1."""
