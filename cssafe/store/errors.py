"""What can go wrong with the database, in words for the person in front of it."""

import re
from pathlib import Path

from cssafe.errors import CssafeError
from cssafe.language import N_


class StoreError(CssafeError):
    """The database cannot be opened, written or read."""


def first_line(error: BaseException) -> str:
    """What the database says, without the hints for programmers below it."""
    return str(error).strip().split("\n")[0].rstrip(".") + "."


def why_not_open(path: Path | None, error: Exception) -> StoreError:
    """The error for a database that could not be opened. path: None in memory."""
    text = str(error)
    if "lock on file" in text or "used by another process" in text:
        if process := re.search(r"PID (\d+)", text):
            return StoreError(
                N_(
                    "The database {path} is in use by another program (process {process}), probably a second CSSAFE. Only one "
                    "at a time can open it: close the other one, or choose another folder with CSSAFE_DATA."
                ),
                path=path,
                process=process[1],
            )
        return StoreError(
            N_(
                "The database {path} is in use by another program, probably a second CSSAFE. Only one at a time can open it: "
                "close the other one, or choose another folder with CSSAFE_DATA."
            ),
            path=path,
        )
    if "not a valid DuckDB database" in text:
        return StoreError(
            N_(
                "The file {path} is not a CSSAFE database. It was left as it is. Move it away, or choose another folder with "
                "CSSAFE_DATA."
            ),
            path=path,
        )
    words = (
        N_("The database {path} could not be opened: {problem} Check the folder CSSAFE_DATA.")
        if path
        else N_("The database in memory could not be opened: {problem} Check the folder CSSAFE_DATA.")
    )
    return StoreError(words, path=path, problem=first_line(error))


def why_not_used(path: Path | None, error: BaseException) -> StoreError:
    """The error for a database that was open and then refused."""
    words = (
        N_(
            "The database (memory) could not be used, and the newest observations may be missing: {problem} Delete lessons "
            "that are no longer needed, or reload the page to begin anew."
        )
        if path is None
        else N_(
            "The database ({path}) could not be used, and the newest observations may be missing: {problem} Check that the "
            "disk is not full and the folder can be written, then try again."
        )
    )
    return StoreError(words, path=path, problem=first_line(error))


def why_waiting(path: Path | None, error: BaseException, minutes: int) -> StoreError:
    """The error while what lessons record waits in memory. minutes: how long it can wait."""
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
    """The error for a database that was closed while that many seconds of lessons waited to be written."""
    return StoreError(
        N_("{problem} Seconds of lessons that could not be written and are lost: {seconds}."),
        problem=error,
        seconds=seconds,
    )


def why_traces(path: Path, error: BaseException) -> StoreError:
    """The error for a file that could not be written anew after lessons were deleted from it."""
    return StoreError(
        N_(
            "The lessons are deleted, but the file {path} could not be written anew, so that traces of them can still be read "
            "in it: {problem} Make room for a second file of its size and close CSSAFE: it then tries again."
        ),
        path=path,
        problem=first_line(error),
    )
