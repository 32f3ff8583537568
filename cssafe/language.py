"""Visible words in the language of whoever reads them.

The source has them in English, each as a whole sentence: `_("...")`, `ngettext("one", "several", n)`, and `N_("...")` where a
word is only named and translated later, where it is shown. What changes stands in named braces and is put in afterwards:
`_("{n} faces").format(n=3)`. The other languages are locale/<language>/LC_MESSAGES/cssafe.po; `make words` takes new sentences
into them and makes the .mo files, which are all that a running app reads.
"""

from collections.abc import Callable
from functools import cache
from gettext import NullTranslations, translation

from cssafe.settings import ROOT

LANGUAGES = {"en": "English", "hi": "हिन्दी"}
"""Code -> name in that language. The first is that of the source."""

LOCALE = ROOT / "cssafe" / "locale"
DOMAIN = "cssafe"


def _english() -> str:
    return "en"


_asked: Callable[[], str] = _english


def asked_by(whose: Callable[[], str]) -> None:
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


@cache
def _catalogue(language: str) -> NullTranslations:
    return translation(DOMAIN, LOCALE, [language], fallback=True)
