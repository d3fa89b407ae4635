"""The words that plants and areas have of their own, as they are kept: language -> term -> forms. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jitapp.plant.wording.terms import FORMS, TERMS, Forms, Words, WrongForm, checked, same

Saved = dict[str, dict[str, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class WrongWord:
    """Where a word stands that cannot be kept, and why; `why` also: language, term."""

    language: str
    term: str
    form: str
    why: str

    @property
    def path(self) -> tuple[str, ...]:
        """From the member that holds all words."""
        return tuple(step for step in (self.language, self.term, self.form) if step)


@dataclass(frozen=True, slots=True)
class Wording:
    """What is spoken somewhere; equal to another one with the same words. `key` is empty for the house's own."""

    key: str = ""
    words: Words = field(default_factory=dict, compare=False)

    def __bool__(self) -> bool:
        return bool(self.key)

    def over(self, below: Wording) -> Wording:
        """These words, and those of `below` for what is not renamed here."""
        if not below or not self:
            return self or below
        languages = {*below.words, *self.words}
        return wording(
            {each: {**below.words.get(each, {}), **self.words.get(each, {})} for each in languages}
        )


HOUSE_WORDS = Wording()


def wording(words: Mapping[str, Mapping[str, Forms]]) -> Wording:
    """The wording of these words."""
    kept = {language: dict(terms) for language, terms in words.items() if terms}
    if not kept:
        return HOUSE_WORDS
    return Wording(json.dumps(kept, sort_keys=True, ensure_ascii=False), kept)


def cleaned(words: Mapping[str, object]) -> tuple[Saved, list[WrongWord]]:
    """The words as they are kept, and what is wrong with others. The house's own words are none of a site's."""
    kept: Saved = {}
    wrong: list[WrongWord] = []
    for language, terms in words.items():
        if language not in FORMS or not isinstance(terms, Mapping):
            wrong.append(WrongWord(str(language)[:20], "", "", "language"))
            continue
        for term, forms in terms.items():
            if term not in TERMS or not isinstance(forms, Mapping):
                wrong.append(WrongWord(language, str(term)[:20], "", "term"))
                continue
            found, faults = checked(language, {str(name): str(text) for name, text in forms.items()})
            wrong += [_at(language, term, fault) for fault in faults]
            if not faults and not same(language, term, found):
                kept.setdefault(language, {})[term] = found
    return kept, wrong


def _at(language: str, term: str, fault: WrongForm) -> WrongWord:
    return WrongWord(language, term, fault.form[:20], fault.why)


def sound(saved: object) -> Wording:
    """What of saved words can be spoken; what cannot is the house's, so that a page never fails of a word."""
    return wording(cleaned(saved)[0]) if isinstance(saved, Mapping) else HOUSE_WORDS


def spoken_words(wording: Wording) -> Iterator[tuple[str, str, Forms]]:
    """Language, term and forms of every word."""
    for language, terms in wording.words.items():
        for term, forms in terms.items():
            yield language, term, forms
