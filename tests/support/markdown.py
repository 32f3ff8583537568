"""What a page says, as tests read it."""

import re

from cssafe.names import WORD_JOINER


def as_read(markdown: str) -> str:
    """What a person reads of Markdown in which names are escaped; a temporary folder's may have an underscore."""
    return re.sub(r"\\([\W_])", r"\1", markdown).replace(WORD_JOINER, "")
