"""The documents that draw themselves are up to date, and what they list is real: codes, events, settings, rules."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps

from jitapp.kanban.answers import ANSWERS
from jitapp.kanban.events import EVENT_TYPES
from jitapp.kanban.vocabulary import LoopKind, ScanClass, ScreenState
from jitapp.pull.proof.differences import RULES
from jitapp.workshop.rulebook.answers import CLASSES, SCREENS
from jitapp.workshop.rulebook.invariants import INVARIANTS
from jitapp.workshop.rulebook.pages import FOLDER, pages
from jitapp.workshop.rulebook.reading import ROOT, said_by, types_written, variables, written
from jitapp.workshop.rulebook.states import HEADINGS


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
def test_a_code_of_an_answer_is_said_by_the_code_and_told_by_a_test(code: str) -> None:
    assert said_by([code])[code], "nobody answers this; take it out of ANSWERS"
    assert f'"{code}"' in text_of("kanban", "pull", "api", "races"), "write a test that gets this answer"


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_an_event_type_is_written_by_the_code(name: str) -> None:
    assert written([name])[name].modules


def test_what_is_written_to_the_ledger_is_listed() -> None:
    assert types_written() - EVENT_TYPES.keys() == set()


def test_classes_screens_and_kinds_are_all_explained() -> None:
    assert (set(CLASSES), set(SCREENS), set(HEADINGS)) == (set(ScanClass), set(ScreenState), set(LoopKind))


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
