"""Translation of visible text.

The source has English sentences: `_("...")`, `ngettext("one", "several", n)`, and `N_("...")` for text that is translated
later, where it is shown. Variables stand in named braces: `_("{n} faces").format(n=3)`. Translations are
locale/<language>/LC_MESSAGES/cssafe.po, read when a page first asks for the language; `make words` adds new sentences to them.
A sentence without a translation is shown in English.
"""

import logging
from collections.abc import Callable
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

log = logging.getLogger(__name__)

LANGUAGES = {"en": "English", "hi": "हिन्दी"}
"""Code -> own name of the language. The first is that of the source."""

LOCALE = Path(__file__).resolve().parent / "locale"


COOKIE = "cssafe_language"
"""Cookie with the browser's language and nothing else, kept for a year."""


def cookie_script(language: str) -> str:
    """JavaScript that sets the cookie. The pages' security policy allows these scripts by their hashes."""
    return f"document.cookie = '{COOKIE}={language}; path=/; max-age=31536000; SameSite=Lax'"


def _english() -> str:
    return "en"


_current_language: Callable[[], str] = _english


def set_language_source(source: Callable[[], str]) -> None:
    """Use the language that this function returns: a key of LANGUAGES, for the page that is being drawn."""
    global _current_language
    _current_language = source


def _(words: str) -> str:
    """Translation into the current language; English where there is none."""
    return (
        _catalogue(_current_language()).gettext(words) if words else ""
    )  # gettext has the catalogue's header under no words


def ngettext(one: str, several: str, n: int) -> str:
    """Translation with the language's plural rule."""
    return _catalogue(_current_language()).ngettext(one, several, int(n))  # NumPy's integers are refused


def N_(words: str) -> str:
    """The words unchanged, marked for translation where they are shown."""
    return words


class Sentence:
    """Words that are translated when converted to text, which may be in another thread.

    Args:
        words: N_("..."). fields: values of its names in braces; without any, the words are taken as they are.
    """

    def __init__(self, words: str, /, **fields: object) -> None:
        self._words, self._fields = words, fields

    def __str__(self) -> str:
        words = _(self._words)
        return words.format(**self._fields) if self._fields else words


def catalogue_path(language: str) -> Path:
    """File with the translations of a language. English has none."""
    return LOCALE / language / "LC_MESSAGES" / "cssafe.po"


@cache
def _catalogue(language: str) -> NullTranslations:
    """Translations of a language, compiled in memory because Community Cloud runs no build step."""
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
    except Exception as error:  # of many kinds; a broken file must not break every page
        log.error("The translations %s cannot be read, so English is shown: %s", path, error)
        return NullTranslations()
