"""What happened is told in sentences: no page names an event type, a setting or a status as programs do."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.conf import LazySettings
from django.test import Client

from jitapp.kanban.events.base import Event, subclasses
from jitapp.kanban.vocabulary import LoopKind
from jitapp.web.happenings import KINDS, SENTENCES
from tests.floor import Floor
from tests.web.shop import every_state

pytestmark = pytest.mark.django_db
# An identifier of a program: words joined by an underscore, or by a dot without a blank.
MACHINE_WORD = re.compile(r"\b[A-Za-z]+_[A-Za-z_]+\b|\b[a-z]{3,}\.[a-z]{3,}\b")


def test_every_type_of_event_has_its_sentence() -> None:
    types = {each.type for each in subclasses(Event) if each.type}
    assert types == set(SENTENCES)


def test_every_kind_of_loop_has_its_word() -> None:
    assert set(KINDS) == set(LoopKind)


def text_of(html: str) -> str:
    shown = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", shown[shown.index("<main") :]))


@pytest.mark.parametrize("language", ["en", "de"])
def test_b05_a_loop_and_its_cards_speak_as_people_do(
    client: Client, settings: LazySettings, language: str
) -> None:
    shop = every_state()
    floor = Floor()
    client.force_login(floor.person("root", is_superuser=True))
    client.cookies["django_language"] = language
    settings.LANGUAGE_CODE = language
    floor.station("CELL")
    floor.station("LINE")
    loop = floor.loop("L1", part="GEAR", supply="CELL", demand="LINE", cards=2)
    for intent in ("empty", "start", "complete", "receive"):
        floor.scan("L1", 1, intent)
    floor.propagate()
    found = {}
    for path in (f"/l/{loop.pk}", f"/k/{floor.card('L1', 1).code}", f"/l/{shop.loops['L-OUT'].pk}"):
        page = client.get(path)
        assert page.status_code == 200, path
        found[path] = MACHINE_WORD.findall(text_of(page.content.decode()))
    assert found == {path: [] for path in found}


def test_the_log_says_what_happened_and_why(client: Client) -> None:
    floor = Floor()
    floor.station("CELL")
    floor.station("LINE")
    loop = floor.loop("L1", part="GEAR", supply="CELL", demand="LINE", cards=1)
    floor.scan("L1", 1, "empty")
    floor.propagate()
    client.force_login(floor.person("root", is_superuser=True))
    page = text_of(client.get(f"/l/{loop.pk}").content.decode())
    for sentence in ("Container is empty", "The signal went out", "Nothing was left: ", "Two bins"):
        assert sentence in " ".join(page.split())
