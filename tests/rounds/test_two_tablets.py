"""Two tablets at the dock read the same package, or two packages of one card, at the same moment."""

from __future__ import annotations

from collections import Counter
from uuid import uuid4

import pytest
from django.db import connections

from jitapp.rounds.models import ReadLabel
from jitapp.rounds.receiving import Receipt, TakenIn, take_in
from tests.races.crowd import at_once
from tests.rounds.dock import Dock, a_dock, gtl

pytestmark = pytest.mark.django_db(transaction=True)
TABLETS = 6


@pytest.fixture
def dock() -> Dock:
    made = a_dock()
    made.asked("WIRE", 1)
    return made


def all_at_once(dock: Dock, labels: list[str], rest: str = "") -> Counter[str]:
    """What became of labels that were read at one moment."""

    def reading(raw: str) -> TakenIn:
        try:
            receipt = Receipt(uuid4(), raw, rest="follows" if rest else "")
            return take_in(receipt, source=dock.source, now=dock.floor.now)
        finally:
            connections.close_all()

    found = at_once(*(lambda raw=raw: reading(raw) for raw in labels))
    return Counter(str(each.kept.outcome) if isinstance(each, TakenIn) else repr(each) for each in found)


def test_a_package_comes_in_once(dock: Dock) -> None:
    label = gtl("1JUN1", "PWIRE-07", "Q100", f"15K{dock.code('WIRE', 1)}")
    assert all_at_once(dock, [label] * TABLETS) == {"taken": 1, "repeated": TABLETS - 1}
    assert dock.floor.turn("WIRE", 1).received == 100


def test_packages_of_one_card_are_added_up_and_the_last_closes_it(dock: Dock) -> None:
    labels = [gtl(f"1JUN{number}", "PWIRE-07", "Q25", f"15K{dock.code('WIRE', 1)}") for number in range(4)]
    assert all_at_once(dock, labels, "follows") == {"part": 3, "taken": 1}
    assert dock.floor.turn("WIRE", 1).received == 100
    assert ReadLabel.objects.filter(outcome__in=["taken", "part"]).count() == 4
