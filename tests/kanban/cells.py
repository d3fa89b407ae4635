"""Cards brought to every status of every kind of loop by scans alone, and scanned there: for test_every_cell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from jitapp.kanban.events.cards import CardActivated, CardObsolete
from jitapp.kanban.ledger import Decision, Ledger
from jitapp.kanban.signals import fail, signal
from jitapp.kanban.state import exact
from jitapp.kanban.vocabulary import Intent, LoopKind, StationKind, SupplyStatus
from tests.kanban.loops import DEMAND, SUPPLY, Bench, make_loop, new_uuid

SOURCE = {LoopKind.SUPPLIER: StationKind.SUPPLIER, LoopKind.WITHDRAWAL: StationKind.SUPERMARKET}
AT_SUPPLY = frozenset({"start", "complete", "abort", "load", "ship", "acknowledge", "promise", "reject"})
# How a container that is FULL comes to a status; an order's container is EMPTY first, and FULL once it was filled.
WAY: dict[str, tuple[str, ...]] = {
    "FULL": (),
    "IN_USE": ("open",),
    "EMPTY": ("empty",),
    "WAIT": ("empty", "recall"),
    "ERROR": ("empty", "fail"),
    "IN_PROCESS": ("empty", "start"),
    "COMPLETED": ("empty", "start", "complete"),
    "IN_TRANSIT": ("empty", "start", "complete", "load"),
}
WAY_OF_AN_ORDER: dict[str, tuple[str, ...]] = {
    status: ("receive", *way) if status in ("FULL", "IN_USE") else way[1:] for status, way in WAY.items()
}
LIFE: dict[str, tuple[str, ...]] = {
    "NEW": (),
    "HELD": ("hold",),
    "SURPLUS": ("surplus due", "empty"),
    "OBSOLETE": ("obsolete",),
    "LOST": ("lost",),
    "REMOVED": ("remove",),
}


def bench_of(kind: LoopKind, first: str) -> Bench:
    """A loop of the kind with two cards; of an EVENT loop the first is an order that has been asked for."""
    loop = make_loop((first, "FULL"), kind=kind, supply_kind=SOURCE.get(kind, StationKind.PROCESS))
    if kind is LoopKind.EVENT and first != "NEW":
        loop = make_loop(("NEW", "FULL"), kind=kind)
        card = loop.cards[1]
        card.turns_left = 1
        ledger = Ledger(loop, at=Bench(loop).now)
        ledger.write(CardActivated(contents=exact(card.contents)), card)
        signal(ledger, card, new_uuid)
    return Bench(loop)


def brought(kind: LoopKind, status: str) -> Bench:
    """A bench whose first card stands at a supply status, or has one of the lives that are not circulation."""
    if status in LIFE:
        bench = bench_of(kind, "NEW" if status == "NEW" else "FULL")
        order = kind is LoopKind.EVENT and status not in ("NEW", "REMOVED", "LOST")
        way = (("receive",) if order else ()) + LIFE[status]
    else:
        bench = bench_of(kind, "FULL")
        way = WAY_OF_AN_ORDER[status] if kind is LoopKind.EVENT else WAY[status]
    for step in way:
        _take(bench, step)
    card = bench.loop.cards[1]
    found = card.card_status if status in LIFE else card.supply_status
    assert found == status, (kind, status, found)
    return bench


def _take(bench: Bench, step: str) -> None:
    card = bench.loop.cards[1]
    if step == "fail":
        bench.now += timedelta(minutes=1)
        fail(Ledger(bench.loop, at=bench.now), card, "4500017 was closed")
    elif step == "obsolete":
        Ledger(bench.loop, at=bench.now).write(CardObsolete(reason="retired"), card)
    elif step == "surplus due":
        bench.loop.surplus_due = 1
        card.turns_left = None
    else:
        assert scanned(bench, step).outcome == "applied", step


def scanned(bench: Bench, intent: str, **facts: Any) -> Decision:
    """A scan of the first card by a leader at the end of the loop where it is done, with all that it may need."""
    given: dict[str, Any] = {"is_leader": True, "reason": "a reason", "roles": frozenset({"leader"})}
    given["promised_at"] = bench.now + timedelta(days=1)
    if intent == "count":
        given["quantity"] = 4
    if intent == "correct":
        given["target"] = SupplyStatus.FULL
    at = SUPPLY if intent in AT_SUPPLY else DEMAND
    return bench.scan(1, Intent(intent), at=at, minutes=1 if intent == "undo" else 10, **(given | facts))
