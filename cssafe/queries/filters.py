"""Lessons chosen by class, subject, day and number: Filter, its SQL, and the values that a page offers.

Figures of a class rest on lessons of one formula and of the audience "class" only; `class_figures` chooses them, and
`describe_left_out` says what is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from cssafe.language import ngettext
from cssafe.store import Workspace

CHOSEN = """
    chosen AS (
        SELECT *, started AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, source = 'sample' AS synthetic
        FROM lessons
        WHERE (len($classes::VARCHAR[]) = 0 OR list_contains($classes::VARCHAR[], class_name))
            AND (len($subjects::VARCHAR[]) = 0 OR list_contains($subjects::VARCHAR[], subject))
            AND (len($numbers::INTEGER[]) = 0 OR list_contains($numbers::INTEGER[], lesson))
            AND ($synthetic OR NOT synthetic)
            AND ($formula = '' OR formula = $formula) AND ($audience = '' OR audience = $audience)
            AND CAST(local AS DATE) BETWEEN coalesce($since::DATE, '-infinity') AND coalesce($until::DATE, 'infinity'))
"""


@dataclass(frozen=True)
class Filter:
    """Selected lessons; an empty tuple or text stands for all. since, until: days by the lesson's own clock, both included.
    formula: name and version. audience: of labels.AUDIENCES."""

    classes: Sequence[str] = ()
    subjects: Sequence[str] = ()
    lessons: Sequence[int] = ()
    since: date | None = None
    until: date | None = None
    synthetic: bool = True
    formula: str = ""
    audience: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        lists = {"classes": list(self.classes), "subjects": list(self.subjects), "numbers": list(self.lessons)}
        days = {"since": self.since, "until": self.until}
        return lists | days | {"synthetic": self.synthetic, "formula": self.formula, "audience": self.audience}


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


def class_figures(workspace: Workspace, which: Filter) -> Filter:
    """The filter without lessons that may not be averaged for a class: scored by another formula than the one in force, or of
    one person alone."""
    return replace(which, formula=str(workspace.formula()), audience="class")


def describe_left_out(workspace: Workspace, which: Filter) -> list[str]:
    """A sentence for each reason why lessons with figures are not in those of `class_figures`; none where all are."""
    formula = str(workspace.formula())
    with workspace.cursor() as cursor:
        rows = cursor.execute(
            f"""WITH {CHOSEN}
            SELECT count(*) FILTER (audience = 'class' AND formula <> $current), count(*) FILTER (audience <> 'class')
            FROM chosen SEMI JOIN (FROM minutes WHERE concentration IS NOT NULL) USING (lesson)""",
            which.parameters | {"current": formula},
        ).fetchall()
    [(others, alone)] = rows
    words = [
        ngettext(
            "{n} lesson is not in these figures, because another formula than {formula} scored it. Rescore it on the page "
            "Formula.",
            "{n} lessons are not in these figures, because other formulas than {formula} scored them. Rescore them on the "
            "page Formula.",
            others,
        ).format(n=others, formula=formula),
        ngettext(
            "{n} lesson of “Only me” is not in these figures, because they are of classes. See it on the page Lessons.",
            "{n} lessons of “Only me” are not in these figures, because they are of classes. See them on the page Lessons.",
            alone,
        ).format(n=alone),
    ]
    return [sentence for sentence, number in zip(words, (others, alone), strict=True) if number]


def read_frame(workspace: Workspace, sql: str, parameters: Mapping[str, Any]) -> pd.DataFrame:
    """Result of one query."""
    with workspace.cursor() as cursor:
        return cursor.execute(sql, parameters).df()
