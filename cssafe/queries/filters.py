"""Lessons chosen by class, subject, day and number: Filter, its SQL, and the values that a page offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from cssafe.store import Workspace

CHOSEN = """
    chosen AS (
        SELECT *, started AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, source = 'sample' AS synthetic
        FROM lessons
        WHERE (len($classes::VARCHAR[]) = 0 OR list_contains($classes::VARCHAR[], class_name))
            AND (len($subjects::VARCHAR[]) = 0 OR list_contains($subjects::VARCHAR[], subject))
            AND (len($numbers::INTEGER[]) = 0 OR list_contains($numbers::INTEGER[], lesson))
            AND ($synthetic OR NOT synthetic)
            AND CAST(local AS DATE) BETWEEN coalesce($since::DATE, '-infinity') AND coalesce($until::DATE, 'infinity'))
"""


@dataclass(frozen=True)
class Filter:
    """Selected lessons; an empty tuple stands for all. since, until: days by the lesson's own clock, both included."""

    classes: Sequence[str] = ()
    subjects: Sequence[str] = ()
    lessons: Sequence[int] = ()
    since: date | None = None
    until: date | None = None
    synthetic: bool = True

    @property
    def parameters(self) -> dict[str, Any]:
        lists = {"classes": list(self.classes), "subjects": list(self.subjects), "numbers": list(self.lessons)}
        return lists | {"since": self.since, "until": self.until, "synthetic": self.synthetic}


ALL = Filter()


@dataclass(frozen=True)
class Choices:
    """Values of the filters. first, last: days of the first and last lesson, None if there is none. real, synthetic: numbers
    of lessons. observations: of all lessons."""

    classes: list[str]
    subjects: list[str]
    first: date | None
    last: date | None
    real: int
    synthetic: int
    observations: int


def choices(workspace: Workspace) -> Choices:
    """Values for the filters of a page, with the numbers of lessons and observations."""
    with workspace.cursor() as cursor:
        row = cursor.execute(
            f"""WITH {CHOSEN}
            SELECT coalesce(list(DISTINCT class_name ORDER BY class_name), []),
                coalesce(list(DISTINCT subject ORDER BY subject), []),
                CAST(min(local) AS DATE), CAST(max(local) AS DATE),
                count(*) FILTER (NOT synthetic), count(*) FILTER (synthetic), (SELECT count(*) FROM observations)
            FROM chosen""",
            ALL.parameters,
        ).fetchone()
    assert row is not None, "an aggregate without groups has one row"
    return Choices(*row)


def read_frame(workspace: Workspace, sql: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
    """Result of one query."""
    with workspace.cursor() as cursor:
        return cursor.execute(sql, parameters).df()
