"""Teachers' notes and tags of lessons, read-only."""

import pandas as pd

from cssafe.store import Workspace


def note(workspace: Workspace, lesson: int) -> str:
    """Note on the lesson, empty if there is none."""
    with workspace.cursor() as cursor:
        row = cursor.execute("SELECT note FROM notes WHERE lesson = ?", [lesson]).fetchone()
    return "" if row is None else row[0]


def tags(workspace: Workspace) -> pd.DataFrame:
    """One row for each lesson and tag, sorted by both. Columns: lesson, tag."""
    with workspace.cursor() as cursor:
        return cursor.execute("SELECT lesson, tag FROM tags ORDER BY lesson, tag").df()
