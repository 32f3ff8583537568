"""What can go wrong with the database, in words for the person in front of it."""

import re
from pathlib import Path


class StoreError(Exception):
    """The database cannot be opened, written or read; the message says what was wrong and what to do."""


def first_line(error: BaseException) -> str:
    """What the database says, without the hints for programmers below it."""
    return str(error).strip().split("\n")[0].rstrip(".") + "."


def why_not_open(path: Path | None, error: Exception) -> str:
    """The message for a database that could not be opened. path: None in memory."""
    text = str(error)
    if _("lock on file") in text or _("used by another process") in text:
        process = re.search(r"PID (\d+)", text)
        who = f" (process {process[1]})" if process else ""
        return (
            f"The database {path} is in use by another program{who}, probably a second CSSAFE. Only one at a time "
            "can open it: close the other one, or choose another folder with CSSAFE_DATA."
        )
    if "not a valid DuckDB database" in text:
        return (
            f"The file {path} is not a CSSAFE database. It was left as it is. Move it away, or choose another folder "
            "with CSSAFE_DATA."
        )
    return f"The database {path or 'in memory'} could not be opened: {first_line(error)} Check the folder CSSAFE_DATA."


def why_not_used(path: Path | None, error: BaseException) -> str:
    """The message for a database that was open and then refused."""
    advice = (
        _("Delete lessons that are no longer needed, or reload the page to begin anew.")
        if path is None
        else _("Check that the disk is not full and the folder can be written, then try again.")
    )
    return (
        f"The database ({path or 'memory'}) could not be used, and the newest observations may be missing: "
        f"{first_line(error)} {advice}"
    )


def why_traces(path: Path, error: BaseException) -> str:
    """The message for a file that could not be written anew after lessons were deleted from it."""
    return (
        f"The lessons are deleted, but the file {path} could not be written anew, so that traces of them can still be read in "
        f"it: {first_line(error)} Make room for a second file of its size and close CSSAFE: it then tries again."
    )
