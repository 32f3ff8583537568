"""What every error of the app is, in words for the user."""

from cssafe.language import _


class CssafeError(Exception):
    """Something that cannot be done; the message says what was wrong, what was expected and what to do.

    It is often raised in another thread than the one that shows it, so it is translated where it becomes text.

    Args:
        words: N_("..."). fields: what its names in braces stand for; without any, the words are taken as they are.
    """

    def __init__(self, words: str, /, **fields: object) -> None:
        super().__init__(words)
        self._fields = fields

    def __str__(self) -> str:
        words = _(self.args[0])
        return words.format(**self._fields) if self._fields else words
