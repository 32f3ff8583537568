"""Add new sentences of the source to the translations and count those still to be translated: `make words`.

Works on cssafe/locale. New sentences come in empty, to be filled in by a speaker of the language, and are shown in English
until then; sentences that the source no longer has are dropped.
"""

from io import BytesIO

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from cssafe.language import LANGUAGES, catalogue_path
from cssafe.settings import ROOT

FOLDERS = ("cssafe", "pages")
TRANSLATIONS = tuple(LANGUAGES)[1:]


def source() -> Catalog:
    """All sentences of the source."""
    found = Catalog()
    keywords = {"_": None, "N_": None, "ngettext": (1, 2)}
    for folder in FOLDERS:
        for _file, _line, words, *_more in extract_from_dir(ROOT / folder, [("**.py", "python")], keywords=keywords):
            found.add(words)
    return found


def read(language: str) -> Catalog:
    """The translations in the file of a language; none if there is no file yet."""
    path = catalogue_path(language)
    if not path.exists():
        return Catalog(language)
    with path.open("rb") as file:
        return read_po(file, language)


def update(catalogue: Catalog, sentences: Catalog) -> None:
    """Give the catalogue exactly these sentences; it keeps the translations it has."""
    catalogue.update(sentences, no_fuzzy_matching=True, update_creation_date=False)
    for message in catalogue:
        message.flags.discard("python-format")  # "95 % interval" is no format


def strings(message: Message) -> tuple[str, ...]:
    """The translation of a sentence, in each of its numbers."""
    return message.string if isinstance(message.string, tuple) else (message.string,)


def missing(catalogue: Catalog) -> list[Message]:
    """The sentences without a complete translation."""
    return [message for message in catalogue if message.id and (message.fuzzy or not all(strings(message)))]


def written(catalogue: Catalog) -> bytes:
    """The text of the catalogue's file. Babel's version is left out: the same words make the same file."""
    file = BytesIO()
    write_po(file, catalogue, width=100, no_location=True, ignore_obsolete=True)
    return b"".join(line for line in file.getvalue().splitlines(True) if not line.startswith(b'"Generated-By'))


def main() -> None:
    for language in TRANSLATIONS:
        path, catalogue = catalogue_path(language), read(language)
        update(catalogue, source())
        catalogue.header_comment = f"# CSSAFE in {LANGUAGES[language]}. `make words` takes new sentences in."
        catalogue.project, catalogue.version, catalogue.language_team = "CSSAFE", "", LANGUAGES[language]
        catalogue.msgid_bugs_address = catalogue.last_translator = ""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written(catalogue))
        print(f"{LANGUAGES[language]}: {len(missing(catalogue))} of {len(catalogue)} sentences untranslated in {path}")


if __name__ == "__main__":
    main()
