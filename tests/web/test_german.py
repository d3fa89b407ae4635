"""The German pages: complete, compiled, and with the same facts in every sentence."""

from __future__ import annotations

import re

from tests.web.catalogue import FOLDER, compiled, lacking, of_answers, of_pages, pairs

_FACTS = re.compile(r"\{\w*\}|%\(\w+\)s")


def test_every_sentence_of_the_pages_has_a_german_text() -> None:
    assert lacking(of_pages()) == [], "add them to django.po, then: python -m tests.web.catalogue"


def test_every_answer_to_a_scan_has_a_german_text() -> None:
    assert lacking(of_answers()) == [], "add them to django.po, then: python -m tests.web.catalogue"


def test_the_compiled_catalogue_is_the_written_one() -> None:
    assert (FOLDER / "django.mo").read_bytes() == compiled(pairs()), "run: python -m tests.web.catalogue"


def test_no_translation_loses_or_invents_a_fact() -> None:
    for english, german in pairs().items():
        if english:
            assert sorted(_FACTS.findall(english)) == sorted(_FACTS.findall(german)), english


def test_the_catalogue_keeps_nothing_that_nobody_says() -> None:
    assert sorted(set(pairs()) - of_pages() - of_answers() - {""}) == []
