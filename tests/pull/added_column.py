"""Run as a program: one line is added to a card, a turn and a loop's counters, and a column to each of their tables.

Nothing else is changed, and all of it is rolled back. Prints what `verify` finds after a day, before and after a hand
in the database writes the new columns.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.floor import Floor

ADDED = (  # the member behind which a line is added, in the source of the rules' own types
    ("class Card(", "    label_stale: bool = False\n"),
    ("class Turn(", "    answer_late: bool = False"),
    ("class LoopCounters(", "    been_full: bool = False"),
)
TABLES = ("pull_card", "pull_turn", "pull_loopstate")
NAME = "jitapp.kanban.state"


class Longer(SourceFileLoader):
    """The module of the types, one member longer in three of them."""

    def get_data(self, path: str) -> bytes:
        """The source, changed; no compiled file stands in for it."""
        if not path.endswith(".py"):
            raise OSError(path)
        text = super().get_data(path).decode()
        for owner, member in ADDED:
            start = text.index(member, text.index(owner))
            line = text.index("\n", start) + 1
            text = f'{text[:line]}    colour: str = ""\n{text[line:]}'
        return text.encode()

    def set_data(self, path: str, data: object, *, _mode: int = 0o666) -> None:
        """Nothing compiled is kept."""


def load() -> None:
    """Before anything of the product is imported."""
    found = importlib.util.find_spec(NAME)
    assert found is not None
    assert found.origin is not None
    spec: ModuleSpec | None = importlib.util.spec_from_file_location(
        NAME, found.origin, loader=Longer(NAME, found.origin)
    )
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)


def a_day(floor: Floor) -> None:
    """A container is used up, made, brought, and another one is on its way."""
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("BOARDS", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    floor.scan("BOARDS", 1, "empty")
    floor.cycle("BOARDS", 1)
    floor.scan("BOARDS", 2, "empty")
    floor.scan("BOARDS", 2, "start")


def main() -> None:
    """Prints a line for each difference, and one between the two looks."""
    load()
    import django

    django.setup()
    from django.db import connection, transaction

    from jitapp.pull.proof.verify import verify
    from tests.floor import Floor as Shop

    with transaction.atomic():
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ADD COLUMN colour text NOT NULL DEFAULT ''")
        a_day(Shop())
        sys.stdout.write("\n".join(str(difference) for difference in verify().differences) + "\n")
        sys.stdout.write("--\n")
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"UPDATE {table} SET colour = 'red'")  # noqa: S608 - names of this file
        sys.stdout.write("\n".join(str(difference) for difference in verify().differences) + "\n")
        transaction.set_rollback(True)


if __name__ == "__main__":
    main()
