"""The documents that draw themselves are up to date, and what they list is real: codes, events, settings, rules."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps

from jitapp.kanban.answers import ANSWERS
from jitapp.kanban.book import EVENT_TYPES, TYPES, decode_event, encode_event, members_of
from jitapp.kanban.kinds import KINDS
from jitapp.kanban.vocabulary import LoopKind, ScanClass, ScreenState
from jitapp.pull.proof.differences import RULES
from jitapp.workshop.rulebook.answers import CLASSES, SCREENS
from jitapp.workshop.rulebook.invariants import INVARIANTS
from jitapp.workshop.rulebook.pages import FOLDER, pages
from jitapp.workshop.rulebook.reading import ROOT, variables


@cache
def text_of(*rooms: str) -> str:
    """All tests of some rooms, as one text."""
    files = (file for room in rooms for file in sorted((ROOT / "tests" / room).rglob("test_*.py")))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def test_the_pages_of_the_rules_are_those_of_the_code() -> None:
    stale = [
        name
        for name, text in pages().items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run: make docs"


@pytest.mark.parametrize("code", ANSWERS)
def test_a_code_of_an_answer_is_told_by_a_test(code: str) -> None:
    assert f'"{code}"' in text_of("kanban", "pull", "api", "races"), "write a test that gets this answer"


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_an_event_type_has_a_sentence_and_a_shape(name: str) -> None:
    assert EVENT_TYPES[name].endswith(".")
    for each in TYPES[name]:
        assert each.type == name
        assert set(each.__struct_fields__) <= set(members_of(name))


def test_an_event_type_is_written_by_the_code() -> None:
    """Each type is made somewhere outside the file that defines it."""
    sources = "\n".join(
        file.read_text(encoding="utf-8")
        for room in ("kanban", "pull")
        for file in (ROOT / "jitapp" / room).rglob("*.py")
        if file.parent.name not in ("events", "migrations", "proof") and file.name != "audit.py"
    )
    named = {each.__name__ for types in TYPES.values() for each in types}
    spans = {"Changeover", "Breakdown", "NoOperator", "PlannedStop", "StationReport"}  # SPANS[kind](...)
    filling = {"Started", "Completed", "Loaded", "Shipped", "Received"}  # filling(Started, ...)
    made = {name for name in named if re.search(rf"\b{name}\(", sources)}
    assert named - made - spans - filling == set()


def test_an_event_that_is_read_back_is_the_same() -> None:
    event = decode_event("turn.received", b'{"quantity":"3","asked":"4","reason":"scrap"}')
    assert decode_event("turn.received", encode_event(event)) == event


def test_classes_screens_and_kinds_are_all_explained() -> None:
    assert (set(CLASSES), set(SCREENS), set(KINDS)) == (set(ScanClass), set(ScreenState), set(LoopKind))


@pytest.mark.parametrize("name", INVARIANTS)
def test_a_rule_is_kept_where_its_line_says(name: str) -> None:
    kept = INVARIANTS[name]
    constraints = {each.name for model in apps.get_models() for each in model._meta.constraints}
    migrations = "".join(file.read_text() for file in (ROOT / "jitapp" / "pull" / "migrations").glob("0*.py"))
    triggers = set(re.findall(r"CREATE TRIGGER (\w+)", migrations))
    assert set(kept.constraints) <= constraints | triggers
    for test in kept.tests:
        file, function = test.split("::")
        assert f"def {function}(" in (ROOT / "tests" / "kanban" / file).read_text(encoding="utf-8")
    assert name in RULES


def test_every_rule_of_the_book_has_a_line() -> None:
    assert list(INVARIANTS) == [f"C{number}" for number in range(1, 15)]


def test_every_variable_that_is_read_is_explained_to_people() -> None:
    told = "\n".join(file.read_text(encoding="utf-8") for file in [ROOT / "README.md", *_documents()])
    read_by_tests = set(
        re.findall(
            r"""environ(?:\.get\(|\.setdefault\(|\[)["']((?:JITAPP_|TEST_)?[A-Z][A-Z_]+)["']""",
            "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("*.py")),
        )
    )
    of_django = {"DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE", "PATH"}
    untold = {name for name in variables().keys() | read_by_tests - of_django if f"`{name}`" not in told}
    assert untold == set(), "add them to the tables in README.md or docs/operations.md"


def _documents() -> list[Path]:
    return sorted((ROOT / "docs").glob("*.md"))
