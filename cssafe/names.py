"""Text that somebody typed or a file brought, as it is shown: never as Markdown, HTML, a formula or a link, in one line, no
longer than a limit, and with its direction of writing kept to itself.
"""

import re
import unicodedata

MAX_NAME_CHARS = 80
"""Characters of a name that are shown: as many as a lesson's name may have. Longer ones come with files."""

MAX_SENTENCE_CHARS = 2000
"""Characters of a sentence with names in it that are shown: as many as a note may have."""

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
WORD_JOINER = "\u2060"

JOINERS = "\u200c\u200d"
"""Invisible, but Hindi and Persian are spelled with them."""

MAX_LIST_DIGITS = 9
"""Digits of the number that begins a list in Markdown (CommonMark 0.31, section 5.2)."""

_LIST_MARKS = "|".join(rf"(?<=^\d{{{digits}}})[.)]" for digits in range(1, MAX_LIST_DIGITS + 1))

PUNCTUATION = re.compile(rf"[\\`*_\[\]<>#|$~&!^{{}}]|^[-+=]|{_LIST_MARKS}")
"""What Markdown reads as a mark, where a backslash before it helps."""

SHORTCUT = re.compile(
    r"(?<=:)(?=\S)(?!(?<=\d\d:)\d\d(?!\d))"  # an icon, an emoji, an address; not a time of the day
    r"|(?<=@)(?=\S)|(?<=www)(?=\.)|(?<=[-<>~=])(?=[-<>=])",
    re.IGNORECASE,
)
"""Where Streamlit and its Markdown make a link, an icon or an arrow of plain text, whether escaped or not."""


def is_text(value: str) -> bool:
    """Whether it can be sent to a browser: JSON can bring half of a surrogate pair, which UTF-8 has no bytes for."""
    return not any(unicodedata.category(c) == "Cs" for c in value)


def clean_text(text: object, limit: int = MAX_NAME_CHARS) -> str:
    """The text for where Markdown is not read: a chart, a table, an option, a report."""
    spaced = " ".join(str(text).split())
    visible = "".join(
        c for c in spaced if c in JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    short = visible if len(visible) <= limit else visible[: limit - 1] + "…"
    if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in short):
        return f"{FIRST_STRONG_ISOLATE}{short}{POP_ISOLATE}"
    return short


def escape_markdown(text: object, limit: int = MAX_NAME_CHARS) -> str:
    """The same as Markdown for Streamlit, of which nothing takes effect."""
    return PUNCTUATION.sub(r"\\\g<0>", SHORTCUT.sub(WORD_JOINER, clean_text(text, limit)))


def escape_sentence(text: object) -> str:
    """`literal` of a sentence that may hold names, such as an error's."""
    return escape_markdown(text, MAX_SENTENCE_CHARS)


def escape_emphasized(text: str) -> str:
    """`sentence`, but for the pair of ** around the one thing that it stresses."""
    before, mark, rest = text.partition("**")
    stressed, _mark, after = rest.rpartition("**")
    return (
        f"{escape_sentence(before)} **{escape_sentence(stressed)}**{escape_sentence(after)}".lstrip()
        if mark and stressed
        else escape_sentence(text)
    )
