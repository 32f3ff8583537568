"""Limits of an export file, counted while it is decoded, and the refusal of a file that exceeds one."""

from collections import Counter
from typing import IO

import pyarrow as pa
import pyarrow.csv
import pyarrow.json

from cssafe import settings
from cssafe.language import N_
from cssafe.settings import ImportLimits


class Refusal(Exception):
    """A file that cannot be imported, as it leaves the decoder's process. words: N_("..."). places: its fields."""

    def __init__(self, words: str, **places: object) -> None:
        super().__init__(words)
        self.words, self.places = words, places


TOO_MANY_BYTES = N_(
    "The file's {member} unpacks to more than {most} MB. Import a smaller file, or import it on your own computer."
)

TOO_MANY_ROWS = N_(
    "The file has more than {most} rows, in {member}. Import a smaller file, or import it on your own computer."
)

TOO_MUCH_MEMORY = N_(
    "Reading the file's {member} takes more than {most} MB of memory. Import a smaller file, or import it on your own computer."
)


class Budget:
    """Counters of unpacked bytes, rows and decoded bytes against their limits."""

    def __init__(self, limits: ImportLimits) -> None:
        self._limits = limits
        self._unpacked: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._decoded = 0

    def unpack(self, member: str, size: int) -> None:
        """Count the unpacked bytes of a member, which may be read more than once; raises Refusal."""
        self._unpacked[member] = max(self._unpacked[member], size)
        if self._unpacked.total() > self._limits.unpacked:
            raise Refusal(TOO_MANY_BYTES, member=member, most=millions(self._limits.unpacked))

    def decode(self, member: str, batch: pa.Table) -> None:
        """Count decoded rows; raises Refusal."""
        self._rows[member] += batch.num_rows
        self._decoded += batch.nbytes
        if member.startswith("lessons.") and self._rows[member] > settings.MAX_IMPORT_LESSONS:
            raise Refusal(TOO_MANY_ROWS, member=member, most=f"{settings.MAX_IMPORT_LESSONS:,}")
        if self._rows.total() > self._limits.rows:
            raise Refusal(TOO_MANY_ROWS, member=member, most=f"{self._limits.rows:,}")
        if self._decoded > self._limits.decoded:
            raise Refusal(TOO_MANY_BYTES, member=member, most=millions(self._limits.decoded))


class CountedMember:
    """A member of the ZIP as a readable file that counts its bytes."""

    closed = False

    def __init__(self, file: IO[bytes], member: str, budget: Budget) -> None:
        self._file, self._member, self._budget = file, member, budget
        self._read = 0

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._read += len(content)
        self._budget.unpack(self._member, self._read)
        return content

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()


def millions(size: int) -> str:
    return f"{size // 1_000_000:,}"


def first_line(error: BaseException) -> str:
    return (str(error).strip().split("\n")[0] or type(error).__name__)[:150].rstrip(".") + "."
