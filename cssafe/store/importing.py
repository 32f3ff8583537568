"""Atomic, validated import of the tables of an export file.

Lessons get new numbers. The tables that the charts read are derived from the observations, so that no file can bring a figure
of a group that is too small; lessons without observations keep the minutes of the file.

DuckDB finds the table `arriving` by its name in the calling function. A registered view would keep its rows in memory until the
transaction ends (measured: 450 bytes a row).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from cssafe.errors import StoreError
from cssafe.labels import ACTIVITIES, AUDIENCES, FORMER_MARKERS, MARKERS
from cssafe.language import N_, Sentence
from cssafe.names import clean_text
from cssafe.observations import EXPRESSION
from cssafe.scoring.formula import FORMER_NAMES
from cssafe.settings import PROFILES
from cssafe.store import statements, stored_settings, summaries
from cssafe.store.database_files import sql_string
from cssafe.store.lesson import MAX_EXPECTED, SOURCES

DERIVED_TABLES = ("tracks", "faces", "people")
"""Tables that are derived from observations and never imported."""

IDENTIFYING_COLUMNS = ("started", "ended", "class_name", "subject", "room", "audience")
"""Columns by which a lesson is recognised as one of this workspace."""

MAX_BATCH_LESSONS = 50
MAX_BATCH_ROWS = 60_000
"""Lessons, and their observations, of one batch: an observation takes 250 bytes meanwhile (measured), and a database in memory
has 128 MB."""

UNIT_COLUMNS = (*EXPRESSION, "score", "attention", "concentration", "quality", "low", "high", "lowest", "highest")
"""Columns with values in [0, 1]."""

MAX_NAME_CHARS = 200
"""Characters of a lesson's name, class, subject or room in a file: as many as a timetable may give them."""

CHOICES: dict[str, dict[str, tuple[str | int, ...]]] = {
    "lessons": {"profile": tuple(PROFILES), "source": SOURCES, "audience": AUDIENCES},
    "activities": {"activity": ACTIVITIES},
    "markers": {"kind": (*MARKERS, *FORMER_MARKERS)},
    "ratings": {"rating": (0, 1, 2)},
    "observations": {"level": (0, 1, 2)},
}
"""Table -> column -> its allowed values; null is always allowed."""

RULES = {
    "lessons": {
        "name <> ''": N_("the lesson has no name"),
        f"greatest(length(name), length(class_name), length(subject), length(room)) <= {MAX_NAME_CHARS}": N_(
            "a name has more than {most} characters"
        ),
        "ended IS NOT NULL AND ended >= started": N_("the lesson has no end, or ends before it starts"),
        "time_zone IN (SELECT name FROM pg_timezone_names())": N_("there is no such time zone"),
        f"coalesce(expected BETWEEN 0 AND {MAX_EXPECTED}, true)": N_("the number of people expected is not possible"),
    },
    "minutes": {
        "coalesce(valence BETWEEN -1 AND 1, true)": N_("the valence is not between -1 and 1"),
        "coalesce(least(present, known, on_task, off_task, unreadable, unseen, n_low, n_medium, n_high) >= 0, true)": N_(
            "a number of people is below 0"
        ),
    },
    "divisions": {
        '0 <= "left" AND "left" < "right" AND "right" <= 1 AND 0 <= top AND top < bottom AND bottom <= 1': N_(
            "the region is no rectangle inside the picture"
        )
    },
}
"""Table -> SQL condition of each row -> message where it does not hold."""


_PRESENT_NAME = (
    f"CASE formula {' '.join(f'WHEN {sql_string(old)} THEN {sql_string(new)}' for old, new in FORMER_NAMES.items())}"
    " ELSE formula END"
)
"""SQL of a lesson's formula under its present name."""


@dataclass(frozen=True)
class ImportResult:
    """lessons: numbers of the new ones. present: number of lessons that were here already and stayed as they are. ignored:
    number of settings that are unknown here, or bound to one computer."""

    lessons: list[int]
    present: int
    ignored: int = 0


def import_tables(
    connection: duckdb.DuckDBPyConnection,
    parts: Iterable[tuple[str, pa.Table]],
    expression: bool,
    progress: Callable[[float], object],
) -> ImportResult:
    """Insert the tables of a file. To be called inside a transaction.

    Args:
        parts: table and rows with the columns of that table here; `lessons` first and at once, any other in any number of
            pieces. expression: whether lessons with emotions are allowed. progress: called with the share of the lessons
            whose derived tables are made.

    Raises:
        StoreError: a row cannot be imported.
    """
    connection.execute("CREATE TEMP TABLE arrived (old INTEGER, lesson INTEGER)")
    ignored = _insert_parts(connection, parts, expression)
    new = _numbers(connection, "SELECT lesson FROM arrived WHERE lesson IS NOT NULL ORDER BY lesson")
    if _numbers(
        connection, "SELECT old FROM arrived WHERE lesson IS NOT NULL AND lesson NOT IN (SELECT lesson FROM activities)"
    ):
        raise StoreError(
            N_("The file has lessons without an activity: each needs one in the table activities, from its start on.")
        )
    _derive_tables(connection, progress)
    present = len(_numbers(connection, "SELECT old FROM arrived WHERE lesson IS NULL"))
    connection.execute("DROP TABLE arrived")
    return ImportResult(new, present, ignored)


def _insert_parts(
    connection: duckdb.DuckDBPyConnection, parts: Iterable[tuple[str, pa.Table]], expression: bool
) -> int:
    """Check and insert all rows; the number of ignored settings."""
    ignored, before = 0, Counter[str]()
    for table, rows in parts:
        if table == "settings":
            importable = _importable_settings(rows)
            ignored += rows.num_rows - importable.num_rows
            rows = importable
        _check(connection, table, rows, before[table])
        before[table] += rows.num_rows
        if table == "lessons":
            _insert_lessons(connection, rows, expression)
        else:
            _insert_rows(connection, table, rows)
    return ignored


def _derive_tables(connection: duckdb.DuckDBPyConnection, progress: Callable[[float], object]) -> None:
    """Make DERIVED_TABLES of the new lessons, in batches."""
    observed = connection.execute(
        "SELECT lesson, count(*) FROM observations SEMI JOIN arrived USING (lesson) GROUP BY lesson ORDER BY lesson"
    ).fetchall()
    done = 0
    for batch in _batches(observed):
        _summarise(connection, batch)
        done += len(batch)
        progress(done / len(observed))


def _batches(sizes: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Batches of lessons, from lessons with their numbers of observations."""
    batch: list[int] = []
    total = 0
    for lesson, size in sizes:
        if batch and (len(batch) == MAX_BATCH_LESSONS or total + size > MAX_BATCH_ROWS):
            yield batch
            batch, total = [], 0
        batch.append(lesson)
        total += size
    if batch:
        yield batch


def _importable_settings(rows: pa.Table) -> pa.Table:
    """Settings that are known here and not bound to one computer. Raises StoreError: one of them cannot be used."""
    pairs = [row for row in rows.to_pylist() if row["key"] in stored_settings.EXPORTED_SETTINGS]
    for row in pairs:
        if row["value"] is None or not stored_settings.is_usable(row["key"], row["value"]):
            raise StoreError(
                N_("The file's setting {key} cannot be taken. Expected is {shape}."),
                key=row["key"],
                shape=Sentence(stored_settings.STORED_SETTINGS[row["key"]].shape),
            )
    return pa.Table.from_pylist(pairs, rows.schema)


def _insert_lessons(connection: duckdb.DuckDBPyConnection, arriving: pa.Table, expression: bool) -> None:
    """Insert new lessons with numbers of this workspace."""
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
    same = " AND ".join(f"here.{name} = arriving.{name}" for name in IDENTIFYING_COLUMNS)
    connection.execute(f"""
        INSERT INTO arrived SELECT lesson, CASE WHEN known THEN NULL ELSE nextval('lesson_numbers') END FROM (
            SELECT lesson, EXISTS (FROM lessons here WHERE {same}) AS known FROM arriving ORDER BY started, lesson);
        INSERT INTO lessons BY NAME SELECT arriving.* REPLACE (arrived.lesson AS lesson, {_PRESENT_NAME} AS formula)
        FROM arriving JOIN arrived ON arriving.lesson = old WHERE arrived.lesson IS NOT NULL ORDER BY arrived.lesson;
    """)


def _insert_rows(connection: duckdb.DuckDBPyConnection, table: str, arriving: pa.Table) -> None:
    """Insert rows of any other table."""
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
        if table in DERIVED_TABLES:
            return
        numbered = (
            "SELECT arriving.* REPLACE (arrived.lesson AS lesson) FROM arriving JOIN arrived ON arriving.lesson = old"
            " WHERE arrived.lesson IS NOT NULL"
        )
        if table == "observations":
            statements.insert_observations(connection, connection.execute(numbered).to_arrow_table())
        else:
            connection.execute(f"INSERT INTO {table} BY NAME {numbered}")
    elif table == "settings":  # what is set here stays
        connection.execute(
            "INSERT INTO settings BY NAME SELECT DISTINCT ON (key) arriving.* FROM arriving ANTI JOIN settings USING (key)"
        )
    else:  # belongs to the whole workspace: what is here stays, and comes in only where there is nothing
        connection.execute(f"INSERT INTO {table} BY NAME FROM arriving WHERE NOT EXISTS (FROM {table})")


def _check(connection: duckdb.DuckDBPyConnection, table: str, arriving: pa.Table, before: int) -> None:
    """Refuse rows that CSSAFE never writes. before: rows of the table in earlier pieces."""
    needed = _names(connection, table, "NOT is_nullable")
    rules = {f'"{name}" IS NOT NULL': Sentence(N_("{column} is empty"), column=name) for name in needed}
    for field in arriving.schema:
        if pa.types.is_timestamp(field.type):
            holds, words = "{} BETWEEN '1970-01-01' AND '2200-01-01'", N_("{column} is not between 1970 and 2200")
        elif field.name in UNIT_COLUMNS:
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
    """Refuse a cell outside CHOICES. before: as in _check."""
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
                cell=clean_text(cells[strange].as_py(), 40),
                choices=", ".join(map(str, choices)),
            )


def _summarise(connection: duckdb.DuckDBPyConnection, lessons: list[int]) -> None:
    """Make the derived tables. A face that is in a second twice is refused: it would make a group look larger than it is."""
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
    summaries.summarise(connection, lessons)


def _names(connection: duckdb.DuckDBPyConnection, table: str, which: str) -> Sequence[str]:
    rows = connection.execute(
        f"SELECT column_name FROM duckdb_columns() WHERE table_name = $1 AND database_name = current_database() AND {which}",
        [table],
    ).fetchall()
    return [name for (name,) in rows]


def _numbers(connection: duckdb.DuckDBPyConnection, sql: str, arriving: pa.Table | None = None) -> list[int]:
    return [number for (number,) in connection.execute(sql).fetchall()]
