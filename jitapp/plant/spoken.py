"""In which language, and with whose words, this thread speaks: the one place where that is set.

A site may rename the words bin, station, part and card (jitapp/plant/wording). That is done on what gettext gives, not
on finished pages, so that nothing that people typed is ever altered: a wording is a translation of its own, made of the
language's, which Django's functions and templates use like any other. Each sentence is rewritten once and kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.utils.translation import deactivate, get_language, trans_real

from jitapp.plant.wording.kept import HOUSE_WORDS, Wording
from jitapp.plant.wording.rewriting import Rewrite, rewriter

_ALL_TEXTS = "de"  # the language whose catalogue has every sentence of ours
_CONTEXT = trans_real.CONTEXT_SEPARATOR
_django: Any = trans_real  # its stubs leave out what a translation is made of


class Worded:
    """A language with a site's words, for Django in place of the language's own translation."""

    def __init__(self, language: str, wording: Wording) -> None:
        self.wording = wording
        self._own: Any = _django.translation(language)
        self._catalogue: Any = self._own._catalog
        self._texts: Any = _django.translation(_ALL_TEXTS)._catalog
        base = language.partition("-")[0]
        self._rewrite = _rewriter(base, wording.words.get(base, {}))
        # What a language lacks is said in English.
        self._english = _rewriter("en", wording.words.get("en", {}))
        self._said: dict[str, str] = {}
        self._said_of_many: dict[tuple[str, str], str] = {}

    def gettext(self, message: str) -> str:
        """The text of a message; one that is none of ours stays as it is, so that it never fills the memory either."""
        said = self._said.get(message)
        if said is None:
            said = self._text_of(message)
            if message in self._texts:
                self._said[message] = said
        return said

    def _text_of(self, message: str) -> str:
        english = message.rpartition(_CONTEXT)[2]
        if message in self._catalogue:
            return self._rewrite(english, self._own.gettext(message))
        return self._english(english, english) if message in self._texts else self._own.gettext(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """The same for a message with a number."""
        try:
            text, rewrite = self._catalogue.plural(singular, number), self._rewrite
        except KeyError:
            text, rewrite = singular if number == 1 else plural, self._english
            if (singular, 0) not in self._texts:
                return str(self._own.ngettext(singular, plural, number))
        english = singular if number == 1 else plural
        said = self._said_of_many.get((english, text))
        if said is None:
            said = self._said_of_many[english, text] = rewrite(english, text)
        return said

    def language(self) -> str:
        """As Django names it."""
        return str(self._own.language())

    def to_language(self) -> str:
        """The language of pages: a wording is none of its own."""
        return str(self._own.to_language())


def _rewriter(language: str, words: Mapping[str, Any]) -> Rewrite:
    return rewriter(language, words) if words else lambda _english, text: text


@lru_cache(maxsize=128)
def _worded(language: str, wording: Wording) -> Worded:
    return Worded(language, wording)


def current_wording() -> Wording:
    """The words that are spoken now."""
    wording = getattr(getattr(_django._active, "value", None), "wording", HOUSE_WORDS)
    return wording if isinstance(wording, Wording) else HOUSE_WORDS


def speak(language: str | None = None, wording: Wording | None = None) -> None:
    """From now on in this thread; what is left out stays as it is. Whoever can uses `spoken`, which ends."""
    named = language or get_language() or "en"
    words = current_wording() if wording is None else wording
    _django._active.value = _worded(named, words) if words else _django.translation(named)


@contextmanager
def spoken(language: str | None = None, wording: Wording | None = None) -> Iterator[None]:
    """Speaks so within the block; what is left out stays as it is."""
    before = getattr(_django._active, "value", None)
    speak(language, wording)
    try:
        yield
    finally:
        if before is None:
            deactivate()
        else:
            _django._active.value = before
