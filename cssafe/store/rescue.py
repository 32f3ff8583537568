"""Rescue: copy everything readable of a damaged database file into a new one.

DuckDB checks a checksum for each block of 256 KiB and refuses rows of a damaged block, which holds a piece of one column, or
small pieces of several. Rows are kept without their lost columns, except where these cannot be null.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from cssafe.errors import StoreError
from cssafe.labels import DEFAULT_ACTIVITY
from cssafe.language import N_
from cssafe.store import backups, damaged_blocks, database, errors, migrations, summaries, write_ahead_log
from cssafe.store.lesson import NO_CLASS, NO_SUBJECT
from cssafe.store.workspace import Workspace

COPY_ROWS = 122_880
"""Rows copied at a time: a row group of DuckDB, some 20 MB of observations."""

HEADER_BYTES = 4096
"""A DuckDB file begins with three headers: of the file, and of the newest two checkpoints in turn."""

Progress = Callable[[str], None]


@dataclass
class RescuedTable:
    """Result of one table. whole: complete rows. partly: rows without their lost columns. lost: rows. lessons: those with any
    of the last two, as far as their numbers can be read."""

    table: str
    whole: int = 0
    partly: int = 0
    lost: int = 0
    lessons: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class RescueReport:
    """tables: by name. lessons: names of incomplete ones. renamed: number of lessons with a new name because their own was
    lost. behind: the newest changes are missing because a header or the log is damaged."""

    tables: list[RescuedTable]
    lessons: list[str]
    renamed: int
    behind: bool

    @property
    def complete(self) -> bool:
        return not self.behind and not any(table.lost or table.partly for table in self.tables)


def rescue(path: Path, out: Path, progress: Progress = lambda line: None) -> RescueReport:
    """Copy the readable rows of the file and its write-ahead log into a new database. The file is only read: the work is done
    on a copy beside `out`.

    Raises:
        StoreError: there is no such file, `out` is there already, or nothing at all can be opened.
        OSError: the disk refuses.
    """
    if not path.is_file():
        raise StoreError(N_("There is no file {path}. Name the database, such as data/cssafe.duckdb."), path=path)
    if out.exists():
        raise StoreError(N_("The file {path} is there already. Choose another name with --out."), path=out)
    with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=database.RESCUE_PREFIX) as folder:
        copy, new = Path(folder) / "old.duckdb", Path(folder) / "new.duckdb"
        shutil.copyfile(path, copy)
        if write_ahead_log.log_path(path).is_file():
            shutil.copyfile(write_ahead_log.log_path(path), write_ahead_log.log_path(copy))
        old, behind = _opened(copy, path)
        with old:
            with duckdb.connect(str(new), config=database.FILE_CONFIG) as target:
                tables = _copy(old, target, progress)
                if any(table.lost for table in tables) and not any(table.whole or table.partly for table in tables):
                    raise _why_nothing(path, EOFError("no row can be read"))
                _complete_migrations(target, tables)
                target.execute("UPDATE lessons SET ended = NULL WHERE ended = started")  # their ends could not be read
        Workspace.open(new).close()  # missing migrations, and the ends of lessons
        with duckdb.connect(str(new), config=database.FILE_CONFIG) as target:
            renamed = _name_lessons(target)
            touched = sorted(damaged_blocks.incomplete_lessons(target).union(*(table.lessons for table in tables)))
            _summarise(target, tables, touched)
            names = damaged_blocks.names_and_days(target, touched)
        new.rename(out)
    return RescueReport(tables, names, renamed, behind)


def _opened(copy: Path, path: Path) -> tuple[duckdb.DuckDBPyConnection, bool]:
    """Open the copy, with another header for a damaged one. True: newer changes are missing."""
    with copy.open("rb") as file:
        whole = file.read(3 * HEADER_BYTES)
    problem: BaseException = EOFError("too short")
    for headers in _headers(whole, copy.parent):
        with copy.open("r+b") as file:
            file.write(headers)
        try:
            old, log = write_ahead_log.connect(copy, database.FILE_CONFIG)
            old.execute("PRAGMA disable_checkpoint_on_shutdown")
            if _has_lessons(old, "lessons"):
                return old, log is not None or headers[HEADER_BYTES:] != whole[HEADER_BYTES:]
            old.close()
        except duckdb.Error as error:
            problem = error
    raise _why_nothing(path, problem) from problem


def _why_nothing(path: Path, problem: BaseException) -> StoreError:
    words = N_("Nothing in the file {path} can be opened: {problem} Restore a backup, if there is one.")
    return errors.with_backup(
        StoreError(words, path=path, problem=errors.first_line(problem)), backups.newest_backup(path)
    )


def _headers(own: bytes, folder: Path) -> Iterator[bytes]:
    """The file's headers, then each in place of the other, then the same with the first header of a new file."""
    first, one, two = (own[i * HEADER_BYTES : (i + 1) * HEADER_BYTES] for i in range(3))
    firsts = [first]
    for version in ("v1.0.0", "v1.4.0"):
        fresh = folder / f"{version}.duckdb"
        duckdb.connect(str(fresh), config={"storage_compatibility_version": version}).close()
        firsts.append(fresh.read_bytes()[:HEADER_BYTES])
    for header in firsts:
        yield from (header + one + two, header + one + one, header + two + two)


def _copy(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection, progress: Progress) -> list[RescuedTable]:
    """Create and fill the tables of the new database; the result of each."""
    tables = []
    for name, sql in old.execute("SELECT table_name, sql FROM duckdb_tables() ORDER BY table_name").fetchall():
        progress(name)
        new.execute(sql)
        rescued = RescuedTable(name)
        columns = old.execute(
            "SELECT column_name, is_nullable FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [name]
        ).fetchall()
        for piece in _pieces(old, rescued, columns):
            new.register("piece", piece)
            new.execute(f"INSERT INTO {name} BY NAME FROM piece")
            new.unregister("piece")
        tables.append(rescued)
    (given,) = old.execute("SELECT coalesce(max(last_value), 0) FROM duckdb_sequences()").fetchone() or (0,)
    for name in (table.table for table in tables if _has_lessons(new, table.table)):
        (used,) = new.execute(f"SELECT coalesce(max(lesson), 0) FROM {name}").fetchone() or (0,)
        given = max(given, used)
    new.execute(f"CREATE SEQUENCE lesson_numbers START {given + 1}")
    return tables


def _pieces(
    old: duckdb.DuckDBPyConnection, rescued: RescuedTable, columns: Sequence[tuple[str, bool]]
) -> Iterator[pa.Table]:
    """Readable rows of the table."""
    (end,) = old.execute(f"SELECT coalesce(max(rowid) + 1, 0) FROM {rescued.table}").fetchone() or (0,)
    after = 0
    for first, last in (*damaged_blocks.unreadable_spans(old, rescued.table), (end, end)):
        for start in range(after, first, COPY_ROWS):
            piece = _read(old, rescued.table, [name for name, _ in columns], start, min(start + COPY_ROWS, first))
            rescued.whole += piece.num_rows
            yield piece
        if first < last:
            yield from _columns(old, rescued, columns, first, last)
        after = last


def _columns(
    old: duckdb.DuckDBPyConnection, rescued: RescuedTable, columns: Sequence[tuple[str, bool]], first: int, end: int
) -> Iterator[pa.Table]:
    """Readable columns of the rows [first, end); no rows if a column is lost that cannot be null."""
    parts: dict[str, pa.Table] = {}
    for name, nullable in columns:
        try:
            parts[name] = _read(old, rescued.table, [name], first, end)
        except duckdb.Error:
            if not nullable:
                inside = f"SELECT count(*) FROM {rescued.table} WHERE rowid >= {first} AND rowid < {end}"
                rescued.lost += (old.execute(inside).fetchone() or (0,))[0]
                return
        if name == "lesson":
            rescued.lessons |= set(parts[name]["lesson"].to_pylist())
    piece = pa.table({name: part[name] for name, part in parts.items()})
    rescued.partly += piece.num_rows
    yield piece


def _read(old: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], first: int, end: int) -> pa.Table:
    query = f"SELECT {', '.join(columns)} FROM {table} WHERE rowid >= {first} AND rowid < {end}"
    return old.execute(query).to_arrow_table()


def _complete_migrations(new: duckdb.DuckDBPyConnection, tables: Sequence[RescuedTable]) -> None:
    """If the list of migrations is damaged, assume a file of this version."""
    if any(table.table == "migrations" and table.lost for table in tables):
        rows = [[step.__name__] for step in migrations.MIGRATIONS]
        new.executemany(
            "INSERT INTO migrations SELECT $1, now()::TIMESTAMP WHERE $1 NOT IN (SELECT name FROM migrations)", rows
        )


def _name_lessons(new: duckdb.DuckDBPyConnection) -> int:
    """Add lessons that have observations or minutes but no row of their own; their number."""
    made = new.execute(
        """INSERT INTO lessons BY NAME
        SELECT lesson, 'Lesson ' || lesson AS name, $none AS class_name, $subject AS subject, '' AS room, 'UTC' AS time_zone,
            CASE WHEN lesson IN (SELECT lesson FROM tracks WHERE expressed > 0
                    UNION SELECT lesson FROM observations WHERE p_neutral IS NOT NULL)
                THEN 'consent' ELSE 'attention-only' END AS profile,
            'unknown' AS formula, 'camera' AS source, 'class' AS audience,
            min(time) AS started, max(time) + INTERVAL 1 SECOND AS ended
        FROM (SELECT lesson, time FROM observations UNION ALL SELECT lesson, time FROM minutes) ANTI JOIN lessons USING (lesson)
        GROUP BY lesson RETURNING lesson""",
        {"none": NO_CLASS, "subject": NO_SUBJECT},
    ).fetchall()
    new.execute(
        "INSERT INTO activities SELECT lesson, started, ? FROM lessons ANTI JOIN activities USING (lesson)",
        [DEFAULT_ACTIVITY["class"]],
    )
    return len(made)


def _summarise(new: duckdb.DuckDBPyConnection, tables: Sequence[RescuedTable], touched: Sequence[int]) -> None:
    """Derive the charts' tables from the remaining observations, if rows of these tables were lost."""
    lost = {table.table for table in tables if table.lost}
    if not lost & {"minutes", "tracks", "faces"}:
        return
    numbers = new.execute(
        "SELECT DISTINCT lesson FROM observations WHERE list_contains($1::INTEGER[], lesson) OR lesson NOT IN "
        "(SELECT lesson FROM tracks) OR lesson NOT IN (SELECT lesson FROM minutes) ORDER BY lesson",
        [list(touched)],
    ).fetchall()
    new.begin()
    summaries.summarise(new, [lesson for (lesson,) in numbers])
    new.commit()


def _has_lessons(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether the table has a column with numbers of lessons."""
    columns = "SELECT count(*) FROM duckdb_columns() WHERE table_name = ? AND column_name = 'lesson'"
    return connection.execute(columns, [table]).fetchone() != (0,)
