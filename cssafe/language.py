"""Visible words in the language of whoever reads them.

The source has them in English, each as a whole sentence: `_("...")`, `ngettext("one", "several", n)`, and `N_("...")` where a
word is only named and translated later, where it is shown. What changes stands in named braces and is put in afterwards:
`_("{n} faces").format(n=3)`. The other languages are locale/<language>/LC_MESSAGES/cssafe.po, read when a page first asks for
one; `make words` adds new sentences to them. A sentence without a translation is shown in English.
"""

import logging
from collections.abc import Callable
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

log = logging.getLogger(__name__)

LANGUAGES = {"en": "English", "hi": "हिन्दी"}
"""Code -> name in that language. The first is that of the source."""

LOCALE = Path(__file__).resolve().parent / "locale"


COOKIE = "cssafe_language"
"""Cookie in which a browser keeps its language, and nothing else, for a year."""


def cookie_script(language: str) -> str:
    """JavaScript that sets the cookie. The pages' security policy knows these scripts, one a language, by their hashes."""
    return f"document.cookie = '{COOKIE}={language}; path=/; max-age=31536000; SameSite=Lax'"


def _english() -> str:
    return "en"


_asked: Callable[[], str] = _english


def set_language_source(whose: Callable[[], str]) -> None:
    """From now on the language is what this function returns: a key of LANGUAGES, by whoever's page is drawn."""
    global _asked
    _asked = whose


def _(words: str) -> str:
    """The words in the language asked for; in English where they are not translated."""
    return _catalogue(_asked()).gettext(words) if words else ""  # gettext has the catalogue's header under no words


def ngettext(one: str, several: str, n: int) -> str:
    """The same for words that go with a number, by the language's own rule for it."""
    return _catalogue(_asked()).ngettext(one, several, int(n))  # NumPy's integers are refused


def N_(words: str) -> str:
    """The words as they are, marked to be translated where they are shown."""
    return words


class Sentence:
    """Words that are translated where they become text, which may be in another thread than the one that knew them.

    Args:
        words: N_("..."). fields: what its names in braces stand for; without any, the words are taken as they are.
    """

    def __init__(self, words: str, /, **fields: object) -> None:
        self._words, self._fields = words, fields

    def __str__(self) -> str:
        words = _(self._words)
        return words.format(**self._fields) if self._fields else words


def catalogue_path(language: str) -> Path:
    """The file with the translations of a language. There is none for English."""
    return LOCALE / language / "LC_MESSAGES" / "cssafe.po"


@cache
def _catalogue(language: str) -> NullTranslations:
    """The translations of a language, compiled in memory: hosts like Community Cloud run no build step."""
    path = catalogue_path(language)
    if not path.is_file():
        return NullTranslations()
    from babel.messages.mofile import write_mo  # 40 ms and 4 MB that an English server never needs
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    try:
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, language))  # leaves fuzzy and empty translations out
        compiled.seek(0)
        translations = GNUTranslations(compiled)
        translations.ngettext("", "", 2)  # the rule for plurals
        return translations
    except Exception as error:  # Babel and gettext raise many kinds, and a broken file must not take every page with it
        log.error("The translations %s cannot be read, so English is shown: %s", path, error)
        return NullTranslations()
