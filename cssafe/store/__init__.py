"""The one writer: lessons, observations, markers and settings in an embedded DuckDB database."""

from cssafe.errors import StoreError
from cssafe.store.lesson import NO_CLASS, NO_SUBJECT, Lesson
from cssafe.store.workspace import Workspace, restore_file

__all__ = ["NO_CLASS", "NO_SUBJECT", "Lesson", "StoreError", "Workspace", "restore_file"]
