"""Rows of a database file that cannot be read, and the lessons that they belong to."""

import itertools
from collections.abc import Iterable, Iterator

import duckdb

VECTOR_ROWS = 2048
"""Minimum of rows that DuckDB reads together."""

MAX_SEARCHED_SPANS = 200
"""Unreadable spans, some 400,000 rows, whose lessons are searched while a page waits: 20 ms a span (measured on two busy
cores)."""


def damaged_lessons(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names and days of the lessons with unreadable observations; none if they cannot be determined, or of more than
    MAX_SEARCHED_SPANS. Reads the table once."""
    try:
        spans = list(itertools.islice(unreadable_spans(connection, "observations"), MAX_SEARCHED_SPANS + 1))
        if not 1 <= len(spans) <= MAX_SEARCHED_SPANS:
            return []
        inside = " OR ".join(f"rowid >= {first} AND rowid < {end}" for first, end in spans)
        try:
            rows = connection.execute(f"SELECT DISTINCT lesson FROM observations WHERE {inside}").fetchall()
            lessons = {lesson for (lesson,) in rows}
        except duckdb.Error:  # the lessons' numbers are damaged, too
            lessons = incomplete_lessons(connection, f"NOT ({inside})")
        return names_and_days(connection, lessons)
    except duckdb.Error:
        return []


def incomplete_lessons(connection: duckdb.DuckDBPyConnection, readable: str = "true") -> set[int]:
    """Lessons with fewer observations than summarised. readable: SQL condition of the rows that can be read."""
    rows = connection.execute(
        f"""SELECT lesson FROM (SELECT lesson, sum(measured) AS n FROM tracks GROUP BY lesson)
        LEFT JOIN (SELECT lesson, count(*) AS here FROM observations WHERE {readable} GROUP BY lesson) USING (lesson)
        WHERE n > coalesce(here, 0)"""
    ).fetchall()
    return {lesson for (lesson,) in rows}


def names_and_days(connection: duckdb.DuckDBPyConnection, lessons: Iterable[int]) -> list[str]:
    """Name and day of each of these lessons, by time."""
    rows = connection.execute(
        "SELECT name, started FROM lessons WHERE list_contains($1::INTEGER[], lesson) ORDER BY started, lesson",
        [list(lessons)],
    ).fetchall()
    return [f'"{name}" ({started:%Y-%m-%d})' for name, started in rows]


def unreadable_spans(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[tuple[int, int]]:
    """Spans of rows with an unreadable column, as first row id and the one after the last, ascending; spans may touch."""
    (end,) = connection.execute(f"SELECT coalesce(max(rowid) + 1, 0) FROM {table}").fetchone() or (0,)

    def readable(first: int, end: int) -> bool:
        try:
            connection.execute(
                f"SELECT bit_xor(hash(t)) FROM {table} t WHERE rowid >= {first} AND rowid < {end}"
            ).fetchall()
        except duckdb.Error:
            return False
        return True

    def search(first: int, end: int) -> Iterator[tuple[int, int]]:
        if readable(first, end):
            return
        if end - first <= VECTOR_ROWS and not readable(first, first + 1) and not readable(end - 1, end):
            yield first, end
        else:
            yield from search(first, (first + end) // 2)
            yield from search((first + end) // 2, end)

    yield from search(0, end)
