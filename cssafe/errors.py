"""Errors whose message is written for the user.

    CssafeError
    ├── ConfigurationError   a setting, a profile, a formula or a network's file
    ├── DataError            a table, a file or labelled data of the wrong shape (also a ValueError)
    ├── MediaError           an image, a video or a camera
    ├── ReportError          a report that could not be made
    └── StoreError           the database, a backup, an export or an import
        └── StillRead        others go on reading the file (store/database.py)

Each message says what was wrong, what was expected and what to do. It is a Sentence, translated where it is shown. Commands
print it on one line and end with status 2; any other exception is a fault in CSSAFE.
"""

from cssafe.language import Sentence


class CssafeError(Exception):
    """Something that cannot be done. words: N_("..."). fields: values of the names in braces, as of language.Sentence."""

    def __init__(self, words: str, /, **fields: object) -> None:
        super().__init__(words)
        self._sentence = Sentence(words, **fields)

    def __str__(self) -> str:
        return str(self._sentence)


class ConfigurationError(CssafeError):
    """A setting, a profile, a formula or a network's file that cannot be used."""


class DataError(CssafeError, ValueError):
    """A table, a file or labelled data that cannot be used."""


class MediaError(CssafeError):
    """An image, a video or a camera that cannot be read."""


class ReportError(CssafeError):
    """A report that could not be made."""


class StoreError(CssafeError):
    """The database cannot be opened, written or read, or a file does not fit it."""
