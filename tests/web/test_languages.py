"""The pages in other languages: complete, compiled, with the same facts in every sentence, and short where room is."""

from __future__ import annotations

import gettext
import re
from io import BytesIO
from typing import get_args, get_type_hints

import pytest
from django.conf import settings

from jitapp.accounts.models import Person
from jitapp.plant.masters.people import PersonRow
from jitapp.web.devices import DEVICE_WORDS
from jitapp.web.phrases import STATE_WORDS
from tests.web.catalogue import (
    LANGUAGES,
    PLURAL,
    compiled,
    folder,
    lacking,
    of_answers,
    of_pages,
    pairs,
)

_FACTS = re.compile(r"\{\w*\}|%\(\w+\)s")
ADD = "add them to django.po, then: python -m tests.web.catalogue"
LONGEST_STATE = 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_pages_has_a_text(language: str) -> None:
    assert lacking(of_pages(), language) == [], ADD


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_to_a_scan_has_a_text(language: str) -> None:
    assert lacking(of_answers(), language) == [], ADD


def test_the_sentences_of_every_room_are_found() -> None:
    found = of_pages()
    assert {"Ready. Scan a card.", "Who is here", "OUT", "Needs a look"} < found  # operators
    assert {"Is it us, or the network?", "No devices yet", "Ignored tags"} < found  # leaders, administrators
    assert {"{} scan waits on the device." + PLURAL + "{} scans wait on the device."} < found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_the_written_one(language: str) -> None:
    made = (folder(language) / "django.mo").read_bytes()
    assert made == compiled(pairs(language)), "run: python -m tests.web.catalogue"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_loses_or_invents_a_fact(language: str) -> None:
    for english, text in pairs(language).items():
        if english:
            facts = [sorted(_FACTS.findall(form)) for form in english.split(PLURAL)]
            for form in text.split(PLURAL):
                assert sorted(_FACTS.findall(form)) in facts, english


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_keeps_nothing_that_nobody_says(language: str) -> None:
    assert sorted(set(pairs(language)) - of_pages() - of_answers() - {""}) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_with_a_plural_has_every_form_of_its_language(language: str) -> None:
    known = gettext.GNUTranslations(BytesIO(compiled(pairs(language))))
    for english, text in pairs(language).items():
        if PLURAL not in english:
            continue
        one, many = english.split(PLURAL)
        forms = text.split(PLURAL)
        used = {known.ngettext(one, many, number) for number in range(200)}
        assert used == set(forms), english


def test_german_says_one_scan_and_two_scans() -> None:
    known = gettext.GNUTranslations(BytesIO(compiled(pairs("de"))))
    one, many = "{} scan waits on the device.", "{} scans wait on the device."
    assert known.ngettext(one, many, 1) == "{} Scan wartet auf dem Gerät."
    assert known.ngettext(one, many, 2) == "{} Scans warten auf dem Gerät."


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_the_words_of_states_are_short(language: str) -> None:
    known = pairs(language) if language != "en" else {}
    for word in (*STATE_WORDS.values(), *DEVICE_WORDS.values()):
        text = known.get(word, word)
        assert 0 < len(text) <= LONGEST_STATE, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_states_are_told_apart(language: str) -> None:
    known = pairs(language)
    words = [known[word] for word in STATE_WORDS.values()]
    assert len(set(words)) == len(words)


def test_a_person_may_have_every_language_of_the_pages() -> None:
    offered = [code for code, _name in settings.LANGUAGES]
    assert offered == ["en", *LANGUAGES]
    assert [code for code, _name in Person._meta.get_field("language").choices or ()] == offered
    row = get_args(get_type_hints(PersonRow)["language"])
    assert list(get_args(row[0])) == offered
