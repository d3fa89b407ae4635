"""A noun with its forms by number and case, and what a language does to the words around one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from jitapp.plant.wording.terms import FORMS, GENDER, Forms, filled

SINGULAR, PLURAL = "s", "p"
NOMINATIVE, GENITIVE, DATIVE, ACCUSATIVE, INSTRUMENTAL, LOCATIVE = "nom", "gen", "dat", "acc", "ins", "loc"

Slot = tuple[str, str]  # number and case

_CASES = {
    "genitive": GENITIVE,
    "dative": DATIVE,
    "accusative": ACCUSATIVE,
    "instrumental": INSTRUMENTAL,
    "locative": LOCATIVE,
}


@dataclass(frozen=True, slots=True)
class Noun:
    """`forms` has every slot of the language; `compound` is how the word begins a longer one."""

    gender: str
    forms: Mapping[Slot, str]
    compound: str = ""

    def slots(self, text: str) -> list[Slot]:
        """The slots that have this form, whatever its case of letters."""
        low = text.lower()
        return [slot for slot, form in self.forms.items() if form.lower() == low]


def noun_of(language: str, forms: Forms) -> Noun:
    """The noun of forms as they are kept."""
    whole = filled(language, forms)
    found: dict[Slot, str] = {}
    for form in FORMS[language]:
        if form.name == "compound":
            continue
        number, _, case = form.name.rpartition("_")
        named = case if number == "plural" else form.name
        place = PLURAL if form.name.startswith("plural") else SINGULAR
        found[place, _CASES.get(named, NOMINATIVE)] = whole[form.name]
    if language in ("de", "pl"):
        found[PLURAL, ACCUSATIVE] = found[PLURAL, NOMINATIVE]
    if language == "de":
        found[PLURAL, GENITIVE] = found[PLURAL, NOMINATIVE]
    return Noun(whole.get(GENDER, ""), found, whole.get("compound", ""))


class Grammar(Protocol):
    """What a language does around a noun that is replaced."""

    @property
    def reach(self) -> int:
        """How many words before the noun may belong to it."""

    def narrowed(self, before: Sequence[str], old: Noun, slots: Sequence[Slot], after: str) -> list[Slot]:
        """The slots that the words before the noun leave open, likeliest first."""

    def agreed(
        self, before: Sequence[str], old: Noun, new: Noun, slot: Slot, text: str
    ) -> tuple[int, list[str], bool]:
        """How many of the words before the noun change, into what, and whether the last one joins the noun."""

    def follows(self, after: str, old: Noun, new: Noun, slot: Slot) -> str:
        """The text after the noun, with what agrees with it there."""


def like(model: str, text: str) -> str:
    """`text` with the capitals of `model`."""
    if len(model) > 1 and model.isupper():
        return text.upper()
    return text[:1].upper() + text[1:] if model[:1].isupper() else text
