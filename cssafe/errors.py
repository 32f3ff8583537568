"""What every error of the app is, in words for the user."""

from cssafe.language import Sentence


class CssafeError(Exception):
    """Something that cannot be done; the message says what was wrong, what was expected and what to do.

    Args:
        words, fields: as of language.Sentence.
    """

    def __init__(self, words: str, /, **fields: object) -> None:
        super().__init__(words)
        self._sentence = Sentence(words, **fields)

    def __str__(self) -> str:
        return str(self._sentence)
