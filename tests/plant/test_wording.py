"""A site's words in the product's sentences: every sentence of every language has them, and what is beside agrees."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping

import pytest

from jitapp.plant.wording.english import article
from jitapp.plant.wording.kept import cleaned, sound, wording
from jitapp.plant.wording.nouns import noun_of
from jitapp.plant.wording.rewriting import rewriter
from jitapp.plant.wording.senses import OTHER_SENSE
from jitapp.plant.wording.terms import FORMS, HOUSE, LONGEST, TERMS, Forms, checked
from tests.plant.words import OTHERS, of_the_demonstration
from tests.web.catalogue import PLURAL, pairs

LANGUAGES = tuple(FORMS)
WORDINGS = {"demonstration": of_the_demonstration(), "other genders": OTHERS}
CASES = [(language, name) for language in LANGUAGES for name in WORDINGS]


def sentences(language: str) -> Iterator[tuple[str, str]]:
    """English and its text, each form of a plural by itself."""
    for english, text in pairs("de" if language == "en" else language).items():
        singular, _, plural = english.partition(PLURAL)
        forms = (english if language == "en" else text).split(PLURAL)
        for place, form in enumerate(forms):
            yield (plural if plural and place else singular), form


def rewritten(language: str, words: Mapping[str, Forms]) -> Iterator[tuple[str, str]]:
    rewrite = rewriter(language, words)
    for english, text in sentences(language):
        yield text, rewrite(english, text)


@pytest.mark.parametrize(("language", "name"), CASES)
def test_no_sentence_keeps_a_house_word(language: str, name: str) -> None:
    words = WORDINGS[name][language]
    ours = {
        form
        for term in words
        for own in HOUSE[language][term]
        for form in noun_of(language, own).forms.values()
    }
    theirs = {form for forms in words.values() for form in noun_of(language, forms).forms.values()}
    pattern = re.compile(
        rf"(?<![\w{{(]){'' if language == 'de' else '(?i:'}(?:{'|'.join(sorted(ours - theirs, key=len, reverse=True))})"
        rf"{'' if language == 'de' else ')'}(?![\w}})])"
    )
    left = []
    for text, said in rewritten(language, words):
        plain = re.sub(r"\{[^{}]*\}|%\(\w+\)s|<[^<>]*>|`[^`]*`", "", said)
        for phrase in OTHER_SENSE.get(language, ()):
            plain = re.sub(re.escape(phrase), "", plain, flags=re.IGNORECASE)
        if pattern.search(plain) and not _pieces(language, text):
            left.append((text, said))
    assert left == []


def _pieces(language: str, text: str) -> bool:
    """Spanish and French have one word for parts and for pieces; a piece is none of the words that are renamed."""
    english = [source for source, said in sentences(language) if said == text]
    return language in ("es", "fr") and not any(re.search(r"(?<!{)\bparts?\b(?!})", each) for each in english)


@pytest.mark.parametrize(("language", "name"), CASES)
def test_placeholders_and_everything_else_stay(language: str, name: str) -> None:
    held = re.compile(r"\{[^{}]*\}|%\(\w+\)s|<[^<>]*>|`[^`]*`|\d+|[.:;!?…]")
    for text, said in rewritten(language, WORDINGS[name][language]):
        assert held.findall(text) == held.findall(said), (text, said)
        assert "\ue000" not in said


def test_the_house_s_own_words_change_nothing() -> None:
    for language in LANGUAGES:
        own = {term: HOUSE[language][term][0] for term in TERMS}
        for text, said in rewritten(language, own):
            if language != "en":  # "bin" and "container" become one word
                assert said == text


ARTICLES = {
    "m": {"de": "der den dem des ein einen einem eines", "es": "el un del al este ese", "fr": "le l' un du au ce cet"},
    "f": {"de": "die der eine einer", "es": "la una esta esa", "fr": "la l' une cette"},
    "n": {"de": "das dem des ein einem eines"},
}  # fmt: skip
ALL = {
    language: {word for by in ARTICLES.values() for word in by.get(language, "").split()}
    for language in ("de", "es", "fr")
}
PLURAL_TOO = {"de": {"die", "der", "den"}}


@pytest.mark.parametrize(("language", "name"), [case for case in CASES if case[0] in ALL])
def test_articles_agree_with_the_new_word(language: str, name: str) -> None:
    wrong = []
    for term, forms in WORDINGS[name][language].items():
        noun = noun_of(language, forms)
        singular = forms["singular"]
        allowed = set(ARTICLES[noun.gender][language].split())
        for text, said in rewritten(language, {term: forms}):
            for found in re.finditer(rf"(?:\b([\w]+) |\b(l'))({singular})(?!\w)", said, re.IGNORECASE):
                before = (found[1] or found[2]).lower()
                if before in ALL[language] - allowed and not (
                    forms["plural"] == singular and before in PLURAL_TOO.get(language, ())
                ):
                    wrong.append((before, singular, text, said))
    assert wrong == []


def test_french_elides_before_a_vowel_and_nowhere_else() -> None:
    words = WORDINGS["other genders"]["fr"]
    starts = "|".join(forms["singular"] for forms in words.values())
    for text, said in rewritten("fr", words):
        assert not re.search(rf"\b(?:le|la|de|que|ce|du|au|sa|ma) (?:{starts})\b", said, re.IGNORECASE), (
            text,
            said,
        )
    plain = {"bin": {"gender": "m", "singular": "panier", "plural": "paniers"}}
    assert not [said for _, said in rewritten("fr", plain) if re.search(r"['’]paniers?\b", said)]
    say = rewriter("fr", words)
    assert say("The container", "Le bac du poste, la pièce de la carte d'un bac.") == (
        "L'urne de l'armoire, la pièce de l'écriteau d'une urne."
    )


@pytest.mark.parametrize(
    ("noun", "before"),
    [("tray", "a"), ("item", "an"), ("urn", "an"), ("unit", "a"), ("utensil", "a"), ("hour", "an"), ("one", "a"),
     ("alcove", "an")],
)  # fmt: skip
def test_english_says_a_or_an(noun: str, before: str) -> None:
    assert article(noun) == before
    say = rewriter("en", {"part": {"singular": noun, "plural": f"{noun}s"}})
    assert say("A part is moved.", "A part is moved.") == f"{before.title()} {noun} is moved."


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("de", "Diese Station gibt es nicht.", "Diesen Schrank gibt es nicht."),
        ("de", "Wählen Sie Ihre Station.", "Wählen Sie Ihren Schrank."),
        ("de", "Jemand steht an der Station.", "Jemand steht an dem Schrank."),
        ("de", "Kein voller Behälter an dieser Station.", "Keine volle Schublade an diesem Schrank."),
        ("de", "Der Kartencode der Befehlskarte", "Der Etikettencode des Befehlsetiketts"),
        ("de", "Eine Station, die Sie wählen", "Ein Schrank, den Sie wählen"),
        (
            "es",
            "Pon la tarjeta perdida en el contenedor lleno.",
            "Pon el rótulo perdido en la bandeja llena.",
        ),
        ("es", "El código de la tarjeta del puesto", "El código del rótulo de la vitrina"),
        ("fr", "La carte est retenue au poste.", "L'écriteau est retenu à l'armoire."),
        ("pl", "Połóż kartę na pełnym pojemniku.", "Połóż znacznik na pełnej szufladzie."),
        ("pl", "Nie ma takiej części.", "Nie ma takiego artykułu."),
    ],
)
def test_what_stands_beside_a_word_agrees(language: str, text: str, said: str) -> None:
    english = "Put the card of a part in the container at the station."
    assert rewriter(language, OTHERS[language])(english, text) == said


def test_longer_words() -> None:
    say = rewriter("de", OTHERS["de"])
    assert say("card", "Kartencode") == "Etikettencode"
    assert say("card", "Befehlskarten") == "Befehlsetiketten"
    assert say("part", "Teilefamilie, Teilenummer") == "Warenfamilie, Warennummer"
    assert (
        say("map", "Flusskarte, Scheckkarte, Bruchteil, Anteil")
        == "Flusskarte, Scheckkarte, Bruchteil, Anteil"
    )
    assert say("takes part", "nimmt wieder teil") == "nimmt wieder teil"


def test_capitals_stay() -> None:
    say = rewriter("en", {"bin": {"singular": "tray", "plural": "trays"}})
    assert say("CONTAINER Container container", "CONTAINER Container container") == "TRAY Tray tray"


def test_what_cannot_be_a_word_is_named() -> None:
    good = {"singular": "tray", "plural": "trays"}
    assert checked("en", good) == (good, [])
    for text, why in (
        ("", "missing"),
        ("t" * (LONGEST + 1), "long"),
        ("<b>", "letters"),
        ("two trays", "letters"),
        ("tray{x}", "letters"),
        ("tray%", "letters"),
        ("tr4y", "letters"),
        ("тray", "letters"),  # a Cyrillic letter that looks like a Latin one
        ("tray\u202e", "letters"),
    ):
        _, wrong = checked("en", good | {"singular": text})
        assert [(fault.form, fault.why) for fault in wrong] == [("singular", why)], text
    assert [fault.why for fault in checked("de", OTHERS["de"]["bin"] | {"singular": "schublade"})[1]] == [
        "capital"
    ]
    assert [fault.why for fault in checked("de", OTHERS["de"]["bin"] | {"gender": "x"})[1]] == ["gender"]
    assert [fault.why for fault in checked("en", good | {"gender": "m"})[1]] == ["unknown"]
    kept, faults = cleaned({"en": {"bin": good, "box": good}, "tlh": {"bin": good}, "de": []})
    assert kept == {"en": {"bin": good}}
    assert [fault.why for fault in faults] == ["term", "language", "language"]
    assert cleaned({"en": {"bin": {"singular": "container", "plural": "containers"}}}) == ({}, [])


def test_saved_words_that_are_none_any_more_are_the_house_s() -> None:
    assert not sound(None)
    assert not sound({"en": {"bin": {"singular": 5}}})
    assert sound(
        {"en": {"bin": {"singular": "tray", "plural": "trays"}, "part": {"singular": "<"}}}
    ).words == {"en": {"bin": {"singular": "tray", "plural": "trays"}}}


def test_an_area_s_word_stands_over_the_plant_s() -> None:
    plant = wording(
        {
            "en": {
                "bin": {"singular": "tray", "plural": "trays"},
                "part": {"singular": "item", "plural": "items"},
            }
        }
    )
    area = wording({"en": {"bin": {"singular": "box", "plural": "boxes"}}})
    both = area.over(plant).words["en"]
    assert (both["bin"]["singular"], both["part"]["singular"]) == ("box", "item")
    assert area.over(wording({})) == area
    assert wording({}).over(plant) == plant


def test_a_whole_catalogue_is_rewritten_fast() -> None:
    """Each sentence is rewritten once and kept; all of them together must not be felt at a start."""
    began = time.process_time()
    for language in LANGUAGES:
        list(rewritten(language, OTHERS[language]))
    assert time.process_time() - began < 20
