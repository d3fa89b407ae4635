"""Which words a site may rename, and what each language must know of a word to put it into sentences. Pure.

A word is kept as its forms by name: `{"gender": "m", "singular": "Korb", ...}`. The house's own words have the same
shape, so that what is ours and what is a site's is handled alike.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

TERMS = ("bin", "station", "part", "card")
LONGEST = 30

Forms = Mapping[str, str]
# language -> term -> forms
Words = Mapping[str, Mapping[str, Forms]]


@dataclass(frozen=True, slots=True)
class Form:
    """One form that a language needs of a word. `like`: the form that counts where this one is left empty."""

    name: str
    like: str = ""


GENDER = "gender"
GENDERS: Mapping[str, str] = MappingProxyType({"de": "mfn", "es": "mf", "fr": "mf", "pl": "mfn"})
FORMS: Mapping[str, tuple[Form, ...]] = MappingProxyType(
    {
        "en": (Form("singular"), Form("plural")),
        "de": (
            Form("singular"),
            Form("genitive"),
            Form("dative", like="singular"),
            Form("accusative", like="singular"),
            Form("plural"),
            Form("plural_dative"),
            Form("compound", like="singular"),
        ),
        "es": (Form("singular"), Form("plural")),
        "fr": (Form("singular"), Form("plural")),
        "pl": (
            Form("singular"),
            Form("genitive"),
            Form("dative"),
            Form("accusative"),
            Form("instrumental"),
            Form("locative"),
            Form("plural"),
            Form("plural_genitive"),
            Form("plural_dative"),
            Form("plural_instrumental"),
            Form("plural_locative"),
        ),
    }
)


def _forms(language: str, words: str, gender: str = "") -> Forms:
    found = dict(zip((form.name for form in FORMS[language]), words.split(), strict=True))
    return MappingProxyType({GENDER: gender, **found} if gender else found)


# Where two words are used for one thing, both become the site's.
HOUSE: Mapping[str, Mapping[str, tuple[Forms, ...]]] = MappingProxyType(
    {
        "en": {
            "bin": (_forms("en", "container containers"), _forms("en", "bin bins")),
            "station": (_forms("en", "station stations"),),
            "part": (_forms("en", "part parts"),),
            "card": (_forms("en", "card cards"),),
        },
        "de": {
            "bin": (_forms("de", "Behälter Behälters Behälter Behälter Behälter Behältern Behälter", "m"),),
            "station": (_forms("de", "Station Station Station Station Stationen Stationen Stations", "f"),),
            "part": (_forms("de", "Teil Teils Teil Teil Teile Teilen Teile", "n"),),
            "card": (_forms("de", "Karte Karte Karte Karte Karten Karten Karten", "f"),),
        },
        "es": {
            "bin": (_forms("es", "contenedor contenedores", "m"),),
            "station": (_forms("es", "puesto puestos", "m"),),
            "part": (_forms("es", "pieza piezas", "f"),),
            "card": (_forms("es", "tarjeta tarjetas", "f"),),
        },
        "fr": {
            "bin": (_forms("fr", "bac bacs", "m"),),
            "station": (_forms("fr", "poste postes", "m"),),
            "part": (_forms("fr", "pièce pièces", "f"),),
            "card": (_forms("fr", "carte cartes", "f"),),
        },
        "pl": {
            "bin": (
                _forms(
                    "pl",
                    "pojemnik pojemnika pojemnikowi pojemnik pojemnikiem pojemniku"
                    " pojemniki pojemników pojemnikom pojemnikami pojemnikach",
                    "m",
                ),
            ),
            "station": (
                _forms(
                    "pl",
                    "stanowisko stanowiska stanowisku stanowisko stanowiskiem stanowisku"
                    " stanowiska stanowisk stanowiskom stanowiskami stanowiskach",
                    "n",
                ),
            ),
            "part": (
                _forms(
                    "pl",
                    "część części części część częścią części części części częściom częściami częściach",
                    "f",
                ),
            ),
            "card": (
                _forms("pl", "karta karty karcie kartę kartą karcie karty kart kartom kartami kartach", "f"),
            ),
        },
    }
)


@dataclass(frozen=True, slots=True)
class WrongForm:
    """Why a word cannot be kept: `missing`, `long`, `letters`, `capital`, `gender` or `unknown`; `form` says where."""

    form: str
    why: str


def checked(language: str, typed: Mapping[str, str]) -> tuple[dict[str, str], list[WrongForm]]:
    """The forms as they are kept, and what is wrong with them. Empty forms that may be left out are."""
    kept: dict[str, str] = {}
    wrong: list[WrongForm] = []
    known = {form.name for form in FORMS[language]} | ({GENDER} if language in GENDERS else set())
    wrong += [WrongForm(name, "unknown") for name in sorted(set(typed) - known)]
    if language in GENDERS:
        gender = typed.get(GENDER, "").strip()
        if len(gender) == 1 and gender in GENDERS[language]:
            kept[GENDER] = gender
        else:
            wrong.append(WrongForm(GENDER, "gender"))
    for form in FORMS[language]:
        text = unicodedata.normalize("NFC", typed.get(form.name, "")).strip()
        why = _wrong(language, text, needed=not form.like)
        if why:
            wrong.append(WrongForm(form.name, why))
        elif text:
            kept[form.name] = text
    return kept, wrong


def _wrong(language: str, text: str, *, needed: bool) -> str:
    if not text:
        return "missing" if needed else ""
    if len(text) > LONGEST:
        return "long"
    if not all(letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN ") for letter in text):
        return "letters"
    if language == "de" and not text[0].isupper():
        return "capital"
    return ""


def same(language: str, term: str, forms: Forms) -> bool:
    """Whether these are the house's own forms."""
    kept = {name: text for name, text in forms.items() if text}
    return any(kept == {**own} or filled(language, kept) == {**own} for own in HOUSE[language][term])


def filled(language: str, forms: Forms) -> dict[str, str]:
    """All forms, those left out by those that count for them."""
    return {
        **forms,
        **{form.name: forms.get(form.name) or forms[form.like or form.name] for form in FORMS[language]},
    }
