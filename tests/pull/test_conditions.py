"""Usable, taking part, ready to fetch and dry mean the same in the rules and in the database's views."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from django.db import connection

from jitapp.kanban import conditions
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, SupplyStatus
from jitapp.plant.models import Loop
from jitapp.pull import store
from jitapp.pull.models import Card, LoopState, Turn
from tests.floor import Floor
from tests.superuser import TAKE_OFF

pytestmark = pytest.mark.django_db

CONTAINERS = tuple(product(CardStatus, SupplyStatus, (False, True)))


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    return floor


def in_any_state() -> None:
    """What the constraints forbid must be read alike as well: a view does not know them."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_OFF)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL session_replication_role = replica")
        for table in ("pull_card", "pull_turn"):
            cursor.execute(
                "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass", [table]
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


def test_a_container_is_judged_alike(floor: Floor) -> None:
    loop = floor.loop("L", part="BOARD", supply="SMT", demand="TEST", cards=len(CONTAINERS), quantity=4)
    in_any_state()
    cards = list(Card.objects.filter(loop=loop).order_by("number"))
    for card, (status, supply, blocked) in zip(cards, CONTAINERS, strict=True):
        card.card_status, card.supply_status, card.blocked = status, supply, blocked
        card.save()
    rules = {
        card.id: (conditions.usable(card), conditions.ready_to_fetch(card), conditions.participates(card))
        for card in store.load([loop.pk]).loops[loop.pk].cards.values()
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, usable, ready_to_fetch, participates FROM pull_container")
        views = {row[0]: row[1:] for row in cursor.fetchall()}
    # Cards out of the loop for good are not read for the rules; the view must not count them.
    assert views == dict.fromkeys(views, (False, False, False)) | rules
    assert {len(set(column)) for column in zip(*rules.values(), strict=True)} == {2}


@pytest.mark.parametrize("kind", ["PRODUCTION", "EVENT"])
def test_a_loop_is_dry_alike(floor: Floor, kind: str) -> None:
    """Two containers, the loop's status, whether it was ever full, and an order that is due, or not yet, or absent."""
    at = floor.now
    first = (
        (CardStatus.IN_CIRCULATION, SupplyStatus.FULL),
        (CardStatus.IN_CIRCULATION, SupplyStatus.EMPTY),
        (CardStatus.HELD, SupplyStatus.FULL),
        (CardStatus.LOST, SupplyStatus.EMPTY),
    )
    orders = (None, timedelta(0), timedelta(minutes=-1), timedelta(minutes=1))
    cases = list(
        product(first, (False, True), (LoopStatus.ACTIVE, LoopStatus.ON_HOLD), (True, False), orders)
    )
    loops = []
    for number, ((status, supply), blocked, loop_status, been_full, due) in enumerate(cases):
        loop = floor.loop(
            f"L{number}", part="BOARD", supply="SMT", demand="TEST", kind=kind, cards=2, quantity=4
        )
        loops.append(loop.pk)
        if due is not None:
            one = Card.objects.get(loop=loop, number=1)
            Turn.objects.create(
                card=one,
                loop=loop,
                supply=loop.supply,
                number=1,
                asked=4,
                opened_at=at,
                due_at=at + due,
                owner="station",
                owner_since=at,
            )
        LoopState.objects.filter(loop=loop).update(been_full=been_full)
        Loop.objects.filter(pk=loop.pk).update(status=loop_status)
        Card.objects.filter(loop=loop).update(supply_status="EMPTY", card_status="IN_CIRCULATION")
        Card.objects.filter(loop=loop, number=1).update(
            card_status=status, supply_status=supply, blocked=blocked
        )
    rules = {loop.config.id for loop in store.load(loops).loops.values() if conditions.is_dry(loop, at)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM pull_dry(%s)", [at])
        assert {row[0] for row in cursor.fetchall()} == rules
    assert 0 < len(rules) < len(loops)
