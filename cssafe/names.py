"""Escaping of names and other foreign text for display: no Markdown, HTML, formula or link, one line, limited length, and an
isolated writing direction.
"""

import re
import unicodedata

MAX_NAME_CHARS = 80
"""Shown characters of a name: as many as a lesson's name may have. Files can bring longer ones."""

MAX_SENTENCE_CHARS = 2000
"""Shown characters of a sentence with names in it: as many as a note may have."""

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
WORD_JOINER = "\u2060"

JOINERS = "\u200c\u200d"
"""Invisible, but part of the spelling of Hindi and Persian."""

MAX_LIST_DIGITS = 9
"""Digits of the number that begins a list in Markdown (CommonMark 0.31, section 5.2)."""

_LIST_MARKS = "|".join(rf"(?<=^\d{{{digits}}})[.)]" for digits in range(1, MAX_LIST_DIGITS + 1))

PUNCTUATION = re.compile(rf"[\\`*_\[\]<>#|$~&!^{{}}]|^[-+=]|{_LIST_MARKS}")
"""Markdown that a backslash escapes."""

SHORTCUT = re.compile(
    r"(?<=:)(?=\S)(?!(?<=\d\d:)\d\d(?!\d))"  # an icon, an emoji, an address; not a time of the day
    r"|(?<=@)(?=\S)|(?<=www)(?=\.)|(?<=[-<>~=])(?=[-<>=])",
    re.IGNORECASE,
)
"""Positions where Streamlit makes a link, an icon or an arrow even of escaped text."""


def is_text(value: str) -> bool:
    """Whether UTF-8 can encode it: JSON can bring half of a surrogate pair."""
    return not any(unicodedata.category(c) == "Cs" for c in value)


def clean_text(text: object, limit: int = MAX_NAME_CHARS) -> str:
    """Text for places without Markdown: charts, tables, options, reports."""
    spaced = " ".join(str(text).split())
    visible = "".join(
        c for c in spaced if c in JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    short = visible if len(visible) <= limit else visible[: limit - 1] + "…"
    if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in short):
        return f"{FIRST_STRONG_ISOLATE}{short}{POP_ISOLATE}"
    return short


def escape_markdown(text: object, limit: int = MAX_NAME_CHARS) -> str:
    """clean_text as Markdown for Streamlit, all escaped."""
    return PUNCTUATION.sub(r"\\\g<0>", SHORTCUT.sub(WORD_JOINER, clean_text(text, limit)))


def escape_sentence(text: object) -> str:
    """escape_markdown of a sentence that may hold names, such as an error's."""
    return escape_markdown(text, MAX_SENTENCE_CHARS)


def escape_emphasized(text: str) -> str:
    """escape_sentence, except for one pair of ** around what it emphasizes."""
    before, mark, rest = text.partition("**")
    stressed, _mark, after = rest.rpartition("**")
    return (
        f"{escape_sentence(before)} **{escape_sentence(stressed)}**{escape_sentence(after)}".lstrip()
        if mark and stressed
        else escape_sentence(text)
    )
