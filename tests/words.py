"""Take the words of the source into the translations, and make of these what the app reads: `make words`.

Works on cssafe/locale: what is new comes in empty, to be filled in by somebody who speaks the language; what the source does
not have any more goes out. Run it again when the words are filled in.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from cssafe.language import DOMAIN, LANGUAGES, LOCALE
from cssafe.settings import ROOT

FOLDERS = ("cssafe", "pages")
TRANSLATIONS = tuple(LANGUAGES)[1:]


def source() -> Catalog:
    """All words of the source."""
    found = Catalog()
    keywords = {"_": None, "N_": None, "ngettext": (1, 2)}
    for folder in FOLDERS:
        for _file, _line, words, *_more in extract_from_dir(ROOT / folder, [("**.py", "python")], keywords=keywords):
            found.add(words)
    return found


def path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: str) -> Catalog:
    """The words of a language as they are in its file."""
    with path(language).open("rb") as file:
        return read_po(file, language)


def compiled(catalogue: Catalog) -> bytes:
    """The same as the app reads them."""
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def main() -> None:
    for language in TRANSLATIONS:
        catalogue = read(language) if path(language).exists() else Catalog(language)
        catalogue.update(source(), no_fuzzy_matching=True, update_creation_date=False)
        catalogue.header_comment = f"# CSSAFE in {LANGUAGES[language]}. `make words` takes new sentences in."
        catalogue.project, catalogue.version, catalogue.language_team = "CSSAFE", "", LANGUAGES[language]
        catalogue.msgid_bugs_address = catalogue.last_translator = ""
        for message in catalogue:
            message.flags.discard("python-format")  # "95 % interval" is no format
        path(language).parent.mkdir(parents=True, exist_ok=True)
        with path(language).open("wb") as file:
            write_po(file, catalogue, width=100, no_location=True, ignore_obsolete=True)
        path(language).with_suffix(".mo").write_bytes(compiled(read(language)))
        empty = sum(not any(m.string if isinstance(m.string, tuple) else (m.string,)) for m in catalogue)
        print(f"{LANGUAGES[language]}: {len(catalogue)} sentences, {empty} to be translated in {path(language)}")


if __name__ == "__main__":
    main()
