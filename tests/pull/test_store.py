"""The read of a scan makes cards and turns out of arrays: their order is the order of the members, and stays it."""

from __future__ import annotations

import re

from msgspec.structs import fields

from jitapp.kanban.state import Card, Turn
from jitapp.pull.store import PREPARED


def _read(table: str) -> list[str]:
    """The columns of a table in the array of the read, in order."""
    (members,) = re.findall(rf"json_build_array\(\s*({table}\.[^()]*)[()]", PREPARED["pull_read"])
    return re.findall(rf"{table}\.(\w+)", members)


def test_the_read_names_the_members_of_a_card_in_their_order() -> None:
    assert [*_read("c"), "turn"] == [member.name for member in fields(Card)]


def test_the_read_names_the_members_of_a_turn_in_their_order() -> None:
    assert _read("t") == [member.name for member in fields(Turn)]
