"""Taking in what another workspace gave: all of it is looked at, and all of it comes in, or nothing.

Lessons get numbers of their own here. What the charts read is made anew from the observations, so that no file can bring a
figure of a group that is too small; of lessons that come without observations, the minutes are taken as they are.

DuckDB finds the table `arriving` by its name in the function that runs the query. Registered, it would be a view, and its rows
would stay in memory until the transaction ends, as DuckDB keeps views that were dropped in it (measured: 450 bytes a row).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from cssafe.labels import ACTIVITIES, AUDIENCES, MARKERS
from cssafe.language import N_, Sentence
from cssafe.names import shown
from cssafe.observations import EXPRESSION
from cssafe.settings import PROFILES
from cssafe.store.errors import StoreError
from cssafe.store.lesson import SOURCES
from cssafe.store.statements import insert_observations
from cssafe.store.stored_settings import STORED_SETTINGS, TRAVELLING, usable
from cssafe.store.summaries import summarise

MADE = ("tracks", "faces")
"""Tables that are always made anew."""

SAME = ("started", "ended", "class_name", "subject", "room", "audience")
"""A lesson that agrees with one here in all of these is that lesson."""

LESSONS_TOGETHER = 50
ROWS_TOGETHER = 60_000
"""Lessons, and observations of them, of which tables are made at a time: an observation takes 250 bytes meanwhile (measured),
and a database in memory has 128 MB."""

SHARES = (*EXPRESSION, "score", "attention", "concentration", "quality")
"""Columns that lie in [0, 1]."""

MAX_NAME_CHARS = 200
"""Characters of a lesson's name, class, subject or room in a file: as many as a timetable may give them."""

CHOICES: dict[str, dict[str, tuple[str | int, ...]]] = {
    "lessons": {"profile": tuple(PROFILES), "source": SOURCES, "audience": AUDIENCES},
    "activities": {"activity": ACTIVITIES},
    "markers": {"kind": MARKERS},
    "ratings": {"rating": (0, 1, 2)},
    "observations": {"level": (0, 1, 2)},
}
"""Table -> column -> all that may stand in it, where it is not empty."""

RULES = {
    "lessons": {
        "name <> ''": N_("the lesson has no name"),
        f"greatest(length(name), length(class_name), length(subject), length(room)) <= {MAX_NAME_CHARS}": N_(
            "a name has more than {most} characters"
        ),
        "ended IS NOT NULL AND ended >= started": N_("the lesson has no end, or ends before it starts"),
        "time_zone IN (SELECT name FROM pg_timezone_names())": N_("there is no such time zone"),
    },
    "divisions": {
        '0 <= "left" AND "left" < "right" AND "right" <= 1 AND 0 <= top AND top < bottom AND bottom <= 1': N_(
            "the region is no rectangle inside the picture"
        )
    },
}
"""Table -> condition for each row in SQL -> what is wrong where it does not hold."""


@dataclass(frozen=True)
class Taken:
    """lessons: numbers of the new ones. present: how many were here before and stayed as they are. ignored: settings that are
    unknown here, or stay on the computer on which they were made."""

    lessons: list[int]
    present: int
    ignored: int = 0


def take(
    connection: duckdb.DuckDBPyConnection,
    parts: Iterable[tuple[str, pa.Table]],
    expression: bool,
    progress: Callable[[float], None],
) -> Taken:
    """Add what a file holds. To be called inside a transaction.

    Args:
        parts: table and rows with the columns of that table here; `lessons` first and at once, any other in any number of
            pieces. expression: whether lessons with emotions may come in. progress: called with the share of the lessons
            whose tables are made.

    Raises:
        StoreError: a row cannot be taken; the message says which and why.
    """
    connection.execute("CREATE TEMP TABLE arrived (old INTEGER, lesson INTEGER)")
    ignored, before = 0, Counter[str]()
    for table, rows in parts:
        if table == "settings":
            travelling = _travelling(rows)
            ignored += rows.num_rows - travelling.num_rows
            rows = travelling
        _check(connection, table, rows, before[table])
        before[table] += rows.num_rows
        if table == "lessons":
            _lessons(connection, rows, expression)
        else:
            _rows(connection, table, rows)
    new = _numbers(connection, "SELECT lesson FROM arrived WHERE lesson IS NOT NULL ORDER BY lesson")
    if _numbers(
        connection, "SELECT old FROM arrived WHERE lesson IS NOT NULL AND lesson NOT IN (SELECT lesson FROM activities)"
    ):
        raise StoreError(
            N_("The file has lessons without an activity: each needs one in the table activities, from its start on.")
        )
    observed = connection.execute(
        "SELECT lesson, count(*) FROM observations SEMI JOIN arrived USING (lesson) GROUP BY lesson ORDER BY lesson"
    ).fetchall()
    done = 0
    for group in _groups(observed):
        _summarise(connection, group)
        done += len(group)
        progress(done / len(observed))
    present = len(_numbers(connection, "SELECT old FROM arrived WHERE lesson IS NULL"))
    connection.execute("DROP TABLE arrived")
    return Taken(new, present, ignored)


def _groups(sizes: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Lessons with their numbers of observations -> lessons of which tables are made together."""
    group: list[int] = []
    total = 0
    for lesson, size in sizes:
        if group and (len(group) == LESSONS_TOGETHER or total + size > ROWS_TOGETHER):
            yield group
            group, total = [], 0
        group.append(lesson)
        total += size
    if group:
        yield group


def _travelling(rows: pa.Table) -> pa.Table:
    """The settings that may come in.

    Raises:
        StoreError: one of them cannot be used.
    """
    pairs = [row for row in rows.to_pylist() if row["key"] in TRAVELLING]
    for row in pairs:
        if row["value"] is None or not usable(row["key"], row["value"]):
            raise StoreError(
                N_("The file's setting {key} cannot be taken. Expected is {shape}."),
                key=row["key"],
                shape=Sentence(STORED_SETTINGS[row["key"]].shape),
            )
    return pa.Table.from_pylist(pairs, rows.schema)


def _lessons(connection: duckdb.DuckDBPyConnection, arriving: pa.Table, expression: bool) -> None:
    """Give numbers to the new ones and insert them."""
    if _numbers(connection, "SELECT lesson FROM arriving GROUP BY lesson HAVING count(*) > 1", arriving):
        raise StoreError(N_("The file's table lessons has a number twice. Each lesson needs a number of its own."))
    without = [profile.name for profile in PROFILES.values() if not profile.expression]
    if not expression and _numbers(
        connection, f"SELECT lesson FROM arriving WHERE NOT list_contains({without}, profile)", arriving
    ):
        raise StoreError(
            N_(
                "The file has lessons in which emotions were computed, and here they may not be kept (attention-only). Import "
                "it where CSSAFE_PROFILE is consent."
            )
        )
    same = " AND ".join(f"here.{name} = arriving.{name}" for name in SAME)
    connection.execute(f"""
        INSERT INTO arrived SELECT lesson, CASE WHEN known THEN NULL ELSE nextval('lesson_numbers') END FROM (
            SELECT lesson, EXISTS (FROM lessons here WHERE {same}) AS known FROM arriving ORDER BY started, lesson);
        INSERT INTO lessons BY NAME SELECT arriving.* REPLACE (arrived.lesson AS lesson)
        FROM arriving JOIN arrived ON arriving.lesson = old WHERE arrived.lesson IS NOT NULL ORDER BY arrived.lesson;
    """)


def _rows(connection: duckdb.DuckDBPyConnection, table: str, arriving: pa.Table) -> None:
    """Insert a piece of another table than `lessons`."""
    if "lesson" in arriving.schema.names:
        strange = _numbers(
            connection, "SELECT DISTINCT lesson FROM arriving WHERE lesson NOT IN (SELECT old FROM arrived)", arriving
        )
        if strange:
            raise StoreError(
                N_("The file's table {table} has rows of lesson {lesson}, which its table lessons lacks."),
                table=table,
                lesson=min(strange),
            )
        if table in MADE:
            return
        numbered = (
            "SELECT arriving.* REPLACE (arrived.lesson AS lesson) FROM arriving JOIN arrived ON arriving.lesson = old"
            " WHERE arrived.lesson IS NOT NULL"
        )
        if table == "observations":
            insert_observations(connection, connection.execute(numbered).to_arrow_table())
        else:
            connection.execute(f"INSERT INTO {table} BY NAME {numbered}")
    elif table == "settings":  # what is set here stays
        connection.execute(
            "INSERT INTO settings BY NAME SELECT DISTINCT ON (key) arriving.* FROM arriving ANTI JOIN settings USING (key)"
        )
    else:  # belongs to the whole workspace: what is here stays, and comes in only where there is nothing
        connection.execute(f"INSERT INTO {table} BY NAME FROM arriving WHERE NOT EXISTS (FROM {table})")


def _check(connection: duckdb.DuckDBPyConnection, table: str, arriving: pa.Table, before: int) -> None:
    """Refuse rows that this database would never have written itself. before: rows of the table in earlier pieces."""
    needed = _names(connection, table, "NOT is_nullable")
    rules = {f'"{name}" IS NOT NULL': Sentence(N_("{column} is empty"), column=name) for name in needed}
    for field in arriving.schema:
        if pa.types.is_timestamp(field.type):
            holds, words = "{} BETWEEN '1970-01-01' AND '2200-01-01'", N_("{column} is not between 1970 and 2200")
        elif field.name in SHARES:
            holds, words = "{} BETWEEN 0 AND 1", N_("{column} is not between 0 and 1")
        elif pa.types.is_floating(field.type):
            holds, words = "isfinite({})", N_("{column} is not finite")
        else:
            continue
        quoted = f'"{field.name}"'
        rules[f"coalesce({holds.format(quoted)}, true)"] = Sentence(words, column=field.name)
    rules |= {rule: Sentence(words, most=MAX_NAME_CHARS) for rule, words in RULES.get(table, {}).items()}
    wrong = ", ".join(f"count(*) FILTER (({rule}) IS NOT TRUE)" for rule in rules)
    counts = connection.execute(f"SELECT {wrong or 'NULL'} FROM arriving").fetchone() or ()
    for count, wrong_with in zip(counts, rules.values(), strict=False):
        if count:
            sentence = (
                N_("The file's table {table} has {n} row that cannot be taken: {words}.")
                if count == 1
                else N_("The file's table {table} has {n} rows that cannot be taken: {words}.")
            )
            raise StoreError(sentence, table=table, n=count, words=wrong_with)
    _check_choices(table, arriving, before)


def _check_choices(table: str, arriving: pa.Table, before: int) -> None:
    """Refuse a cell that is none of CHOICES. before: as in _check."""
    for column, choices in CHOICES.get(table, {}).items():
        cells = arriving.column(column)
        strange = pc.index(pc.is_in(cells, value_set=pa.array([*choices, None], cells.type)), False).as_py()
        if strange >= 0:
            raise StoreError(
                N_(
                    "The file's table {table}, row {row}, column {column}, has “{cell}”, where one of these is expected: "
                    "{choices}."
                ),
                table=table,
                row=before + strange + 2,  # the first row is that of the names
                column=column,
                cell=shown(cells[strange].as_py(), 40),
                choices=", ".join(map(str, choices)),
            )


def _summarise(connection: duckdb.DuckDBPyConnection, lessons: list[int]) -> None:
    """Make the tables that the charts read; a face that is in a second twice would make a group look larger than it is."""
    twice = connection.execute(
        """SELECT old FROM observations JOIN arrived USING (lesson) WHERE lesson IN (SELECT unnest($1::INTEGER[]))
        GROUP BY old, lesson, time, track HAVING count(*) > 1 LIMIT 1""",
        [lessons],
    ).fetchone()
    if twice:
        raise StoreError(
            N_(
                "The file's table observations has a face of lesson {lesson} twice in one second. A spreadsheet may have cut "
                "off the seconds."
            ),
            lesson=twice[0],
        )
    summarise(connection, lessons)


def _names(connection: duckdb.DuckDBPyConnection, table: str, which: str) -> Sequence[str]:
    rows = connection.execute(
        f"SELECT column_name FROM duckdb_columns() WHERE table_name = $1 AND database_name = current_database() AND {which}",
        [table],
    ).fetchall()
    return [name for (name,) in rows]


def _numbers(connection: duckdb.DuckDBPyConnection, sql: str, arriving: pa.Table | None = None) -> list[int]:
    return [number for (number,) in connection.execute(sql).fetchall()]
