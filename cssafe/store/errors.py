"""Errors of DuckDB and the disk: their classification, and messages for users."""

import os
import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import duckdb

from cssafe.errors import StoreError
from cssafe.language import N_, Sentence

NEWEST = N_("The newest backup is {backup}.")

IN_USE_BY = N_(
    "The database {path} is in use by another program (process {process}), probably a second CSSAFE. Only one "
    "at a time can open it: close the other one, or choose another folder with CSSAFE_DATA."
)

IN_USE = N_(
    "The database {path} is in use by another program, probably a second CSSAFE. Only one at a time can open it: "
    "close the other one, or choose another folder with CSSAFE_DATA."
)

NO_DATABASE = N_(
    "The file {path} is not a CSSAFE database, or its beginning is damaged. It was left as it is. If it was one, the command "
    "python -m cssafe rescue {path} copies what can be read into a new file. Otherwise move it away, or choose another folder "
    "with CSSAFE_DATA."
)

NEWER = N_(
    "The database {path} was made by a newer version of CSSAFE. It was left as it is. Update CSSAFE, or choose "
    "another folder with CSSAFE_DATA."
)

DAMAGED = N_(
    "The database {path} is damaged and could not be opened: {problem} It was left as it is. The command python -m "
    "cssafe rescue {path} copies what can be read into a new file. To begin with an empty database, choose another "
    "folder with CSSAFE_DATA."
)

NO_FILE_HANDLE = N_(
    "The database could not be opened, because CSSAFE has too many files and connections open. Close pages of CSSAFE that "
    "nobody needs, wait a minute and reload this page. If it comes again, let CSSAFE open more files (ulimit -n)."
)

FREE_FILE_HANDLES = 8
"""File handles needed to open a database: file, log, temporary file and folder, twice for other threads."""

MAX_NAMED_LESSONS = 5
"""Lessons named in one message."""

_DAMAGE = re.compile(r"corrupt|checksum|could not read enough bytes", re.IGNORECASE)
"""DuckDB's words for damaged or truncated content."""


def check_file_handles() -> None:
    """Check for free file handles: without them, DuckDB aborts the process when it connects.

    Raises:
        StoreError: there are too few.
    """
    try:
        with ExitStack() as stack:
            for _ in range(FREE_FILE_HANDLES):
                stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        raise StoreError(NO_FILE_HANDLE) from error


def first_line(error: BaseException) -> str:
    """First line of the message, without DuckDB's hints for programmers."""
    return str(error).strip().split("\n")[0].rstrip(".") + "."


def is_damage(error: BaseException) -> bool:
    """Whether the content of the file is damaged."""
    return isinstance(error, duckdb.SerializationException) or (
        isinstance(error, duckdb.Error) and bool(_DAMAGE.search(str(error)))
    )


def is_broken(error: BaseException) -> bool:
    """Whether the database must be opened again."""
    return isinstance(error, (duckdb.FatalException, duckdb.ConnectionException))


def is_in_use(error: BaseException | None) -> bool:
    """Whether another process has the file open."""
    return "lock on file" in str(error) or "used by another process" in str(error)


def is_newer(error: BaseException) -> bool:
    """Whether a newer DuckDB made the file. Its version counts, not that of its log, which one damaged byte changes."""
    return "can only read version" in str(error) and "read WAL of version" not in str(error)


def _is_no_database(error: BaseException) -> bool:
    """Whether the file is no DuckDB database; for known other kinds DuckDB looks for an extension."""
    return "not a valid DuckDB database" in str(error) or bool(re.search(r'Extension ".*" not found', str(error)))


def why_not_open(path: Path | None, error: Exception, backup: Path | None = None) -> StoreError:
    """The error for a database that could not be opened. path: None in memory. error: a StoreError keeps its message. backup:
    the newest one, named where it helps."""
    problem = error if isinstance(error, StoreError) else _why_not_open(path, error)
    cause = (error.__cause__ or error) if isinstance(error, StoreError) else error
    return with_backup(problem, backup) if is_damage(cause) or _is_no_database(cause) else problem


def with_backup(problem: StoreError, backup: Path | None) -> StoreError:
    """The error with the newest backup appended, if there is one that it does not name already."""
    if backup is None or str(backup) in str(problem):
        return problem
    return StoreError("{problem} {help}", problem=problem, help=Sentence(NEWEST, backup=backup))


def _why_not_open(path: Path | None, error: Exception) -> StoreError:
    process = re.search(r"PID (\d+)", str(error))
    words = _words_not_open(path, error, known=process is not None)
    return StoreError(words, path=path, problem=first_line(error), process=process and process[1])


def _words_not_open(path: Path | None, error: Exception, known: bool) -> str:
    """known: whether the error has the number of the process that has the database open."""
    if is_in_use(error):
        return IN_USE_BY if known else IN_USE
    if _is_no_database(error):
        return NO_DATABASE
    if is_newer(error):
        return NEWER
    if path is None:
        return N_("The database in memory could not be opened: {problem} Check the folder CSSAFE_DATA.")
    if is_damage(error):
        return DAMAGED
    return N_("The database {path} could not be opened: {problem} Check the folder CSSAFE_DATA.")


def why_damaged(
    path: Path, error: BaseException, lessons: Sequence[str] = (), backup: Path | None = None
) -> StoreError:
    """The error for a damaged block. lessons: names of those with rows in it, if known. backup: the newest one, named where no
    lesson is."""
    named, more = ", ".join(lessons[:MAX_NAMED_LESSONS]), len(lessons) - MAX_NAMED_LESSONS
    words = (
        N_(
            "A part of the database {path} is damaged and cannot be read: {problem} It belongs to: {lessons}. While CSSAFE is "
            "closed, the command python -m cssafe rescue {path} copies all that can be read into a new file."
        )
        if lessons
        else N_(
            "A part of the database {path} is damaged and cannot be read: {problem} While CSSAFE is closed, the command python "
            "-m cssafe rescue {path} copies all that can be read into a new file, and names the lessons."
        )
    )
    several = Sentence(N_("{lessons} and {more} more"), lessons=named, more=more) if more > 0 else named
    problem = StoreError(words, path=path, problem=first_line(error), lessons=several)
    return problem if lessons else with_backup(problem, backup)


def why_not_used(path: Path | None, error: BaseException) -> StoreError:
    """The error for a refusal of an open database."""
    words = (
        N_(
            "The database (memory) could not be used, and the newest observations may be missing: {problem} Delete lessons "
            "that are no longer needed, or reload the page to start again."
        )
        if path is None
        else N_(
            "The database ({path}) could not be used, and the newest observations may be missing: {problem} Check that the "
            "disk is not full and the folder can be written, then try again."
        )
    )
    return StoreError(words, path=path, problem=first_line(error))


def why_not_imported(path: Path | None) -> StoreError:
    """The error for an import that does not fit the memory of the database, which is as it was."""
    words = (
        N_(
            "The file is too large for this server: the memory of a visit has no room for all of it. Export fewer lessons into "
            "one file, delete lessons here that are no longer needed, or import the file on your own computer."
        )
        if path is None
        else N_(
            "The file is too large to be imported at once: the memory that the database ({path}) may take has no room for all "
            "of it. Nothing was imported. Export fewer lessons into one file and import the files one by one."
        )
    )
    return StoreError(words, path=path)


def why_waiting(path: Path | None, error: BaseException, minutes: int) -> StoreError:
    """The error while recorded seconds wait in memory. minutes: maximum of recording that can wait."""
    words = (
        N_(
            "The database (memory) cannot be written: {problem} The newest {minutes} minutes are kept and written as soon as "
            "there is room. Delete lessons that are no longer needed."
        )
        if path is None
        else N_(
            "The database ({path}) cannot be written: {problem} The newest {minutes} minutes are kept in memory and written as "
            "soon as that is possible. Make room on the disk; CSSAFE tries again by itself."
        )
    )
    return StoreError(words, path=path, problem=first_line(error), minutes=minutes)


def why_unwritten(error: StoreError, seconds: int) -> StoreError:
    """The error for a database that was closed with so many unwritten seconds of lessons."""
    return StoreError(
        N_("{problem} Seconds of lessons that could not be written and are lost: {seconds}."),
        problem=error,
        seconds=seconds,
    )


def why_traces(path: Path, error: BaseException) -> StoreError:
    """The error for a file that could not be rewritten after a deletion."""
    return StoreError(
        N_(
            "The lessons are deleted, but the file {path} could not be rewritten, so that traces of them can still be read "
            "in it: {problem} Make room for a second file of its size and close CSSAFE: it then tries again."
        ),
        path=path,
        problem=first_line(error),
    )
