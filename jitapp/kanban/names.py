"""The one way to match a name with what people write: badges, user names, codes, part numbers."""

from __future__ import annotations

import unicodedata
from typing import Generic, TypeVar

T = TypeVar("T")
LONGEST_NUMBER = 60
A_NUMBER = (
    f"A part number has 1 to {LONGEST_NUMBER} printable characters, a letter or a digit among them, and no part of it"
    " between slashes is . or .."
)


def tidy(text: str) -> str:
    """The name as it is kept: composed (NFC), without control and invisible characters, blanks around it, or more
    than one blank inside."""
    if text.isascii() and text.isprintable() and " " not in text:
        return text  # most codes and badges
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        text = "".join(" " if char.isspace() else char for char in text if char.isspace() or _is_seen(char))
    return " ".join(text.split())


def _is_seen(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf")


def folded(text: str) -> str:
    """The same for all spellings of a name that differ in case, or in what `tidy` takes away."""
    return unicodedata.normalize("NFC", tidy(text).casefold())


def is_part_number(text: str) -> bool:
    """Whether the text, once tidy, can be a part number. Makers write slashes, blanks, commas and brackets; dots alone
    between slashes would lead elsewhere in an address."""
    number = tidy(text)
    return (
        0 < len(number) <= LONGEST_NUMBER
        and number.isprintable()
        and any(char.isalnum() for char in number)
        and not {".", ".."} & set(number.split("/"))
    )


class Names(Generic[T]):
    """Things by their names. What is written exactly so is found first; twins that differ only in case, from before
    they were refused, are found by their exact names alone."""

    __slots__ = ("_exact", "_folded")

    def __init__(self) -> None:
        self._exact: dict[str, T] = {}
        self._folded: dict[str, T | None] = {}

    def add(self, name: str, thing: T) -> None:
        """One more name; the first thing of a name keeps it."""
        self._exact.setdefault(name, thing)
        alike = folded(name)
        self._folded[alike] = thing if self._folded.get(alike, thing) == thing else None

    def find(self, text: str) -> T | None:
        """What somebody means by `text`, None for nothing or for one of several."""
        found = self._exact.get(text)
        return found if found is not None else self._folded.get(folded(text))
