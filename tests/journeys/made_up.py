"""Languages that are made up from our own sentences: one is two fifths longer, one is written from right to left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import LazySettings

from jitapp.web import phrases
from tests.web.catalogue import PLURAL, compiled, of_answers, of_pages

_FACTS = re.compile(r"(\{\w*\}|%\(\w+\)s)")
LONGER = 0.4
# Languages that Django knows and that are none of ours: their catalogues are made here.
LONG, RTL = "sv", "ar"
LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyz", "".join(chr(0x0627 + place % 20) for place in range(26))
)


def longer(text: str) -> str:
    """The sentence with two fifths more letters, as words that may be broken between lines."""
    return text + " " + " ".join(["åäö" * 2] * max(1, round(len(text) * LONGER / 7)))


def from_the_right(text: str) -> str:
    """The sentence in letters that are written from right to left; facts stay as they are."""
    parts = _FACTS.split(text)
    return "".join(part if _FACTS.fullmatch(part) else part.lower().translate(LETTERS) for part in parts)


@contextmanager
def spoken_besides(folder: Path, settings: LazySettings) -> Iterator[None]:
    """The two languages are spoken beside ours; their catalogues lie in the folder."""
    said = of_pages() | of_answers()
    for language, change in ((LONG, longer), (RTL, from_the_right)):
        messages = folder / language / "LC_MESSAGES"
        messages.mkdir(parents=True)
        catalogue = {text: PLURAL.join(change(form) for form in text.split(PLURAL)) for text in said}
        head = {"": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"}
        (messages / "django.mo").write_bytes(compiled(head | catalogue))
    settings.LANGUAGES = [*settings.LANGUAGES, (LONG, "Long"), (RTL, "Right to left")]
    settings.LOCALE_PATHS = [folder, *settings.LOCALE_PATHS]
    phrases._words_of.cache_clear()
    try:
        yield
    finally:
        phrases._words_of.cache_clear()
