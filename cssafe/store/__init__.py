"""The one writer: lessons, observations, markers and settings in an embedded DuckDB database."""

from cssafe.store.errors import StoreError
from cssafe.store.lesson import Lesson
from cssafe.store.workspace import Workspace

__all__ = ["Lesson", "StoreError", "Workspace"]
