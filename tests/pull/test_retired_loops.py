"""A loop taken out of use for good: its signals are cancelled, its cards go into the red box, and it stays so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from jitapp.plant.models import Loop, LoopRevision
from jitapp.pull import actions, setup
from jitapp.pull.models import Card, Event, QualityHold, Receipt
from jitapp.pull.reading import sheets
from tests.floor import Floor
from tests.stories.shops import two_bins

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.fixture
def floor() -> Floor:
    return two_bins()


def loop_id() -> int:
    return Loop.objects.get(code="L").pk


def retire(floor: Floor, reason: str = "the part is no longer made") -> None:
    actions.retire_loop(loop_id=loop_id(), reason=reason, now=floor.now, source=floor.leader())


def events(kind: str) -> list[Event]:
    return list(Event.objects.filter(type=kind).order_by("loop_seq"))


def test_signals_that_nobody_acted_on_are_cancelled_and_the_cards_are_obsolete(floor: Floor) -> None:
    floor.scan("L", 1, "empty")
    retire(floor)
    turn = floor.turn("L", 1)
    assert (turn.signal_state, turn.closed_at) == ("CANCELLED", floor.now)
    assert (
        list(Card.objects.values_list("card_status", "note"))
        == [("OBSOLETE", "the part is no longer made")] * 2
    )
    assert [(event.card_id, event.data["reason"]) for event in events("card.obsolete")] == [
        (floor.card("L", number).pk, "the part is no longer made") for number in (1, 2)
    ]
    assert len(events("turn.cancelled")) == 1
    assert floor.open_runout("L") is None


@pytest.mark.parametrize("intent", [None, "empty", "receive", "activate", "start"])
def test_a_scan_of_an_obsolete_card_is_refused_by_name_and_recorded(floor: Floor, intent: str | None) -> None:
    retire(floor)
    said = floor.scan("L", 1, intent)
    assert (said["outcome"], said["code"]) == ("refused", "card_retired")
    assert "red box" in said["next"]
    receipt = Receipt.objects.get(scan_id=said["id"])
    assert (receipt.outcome, receipt.card) == ("refused", floor.card("L", 1))
    assert floor.card("L", 1).card_status == "OBSOLETE"


def test_a_card_that_was_removed_before_stays_removed(floor: Floor) -> None:
    floor.scan("L", 1, "remove", reason="torn", source=floor.leader())
    retire(floor)
    assert [floor.card("L", number).card_status for number in (1, 2)] == ["REMOVED", "OBSOLETE"]
    assert len(events("card.obsolete")) == 1


def test_a_hold_of_a_card_ends_with_its_loop(floor: Floor) -> None:
    source = floor.leader()
    floor.scan("L", 1, "hold", reason="scratched", source=source)
    assert QualityHold.objects.get().released_at is None
    floor.now += timedelta(minutes=5)
    retire(floor)
    hold = QualityHold.objects.get()
    assert (hold.released_at, hold.released_by_id) == (floor.now, source.person_id)


def test_what_is_under_way_must_come_in_first(floor: Floor) -> None:
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "start")
    with pytest.raises(actions.Refused, match=r"Card 1 is under way. Receive it"):
        retire(floor)
    assert Loop.objects.get().status == "ACTIVE"
    assert events("card.obsolete") == []
    for intent in ("complete", "load", "receive"):
        floor.scan("L", 1, intent)
    retire(floor)
    assert Loop.objects.get().status == "RETIRED"


def test_without_a_reason_it_is_refused(floor: Floor) -> None:
    with pytest.raises(actions.Refused, match="needs a reason"):
        retire(floor, "  ")
    assert Loop.objects.get().status == "ACTIVE"


CHANGES: list[Callable[[Floor], object]] = [
    retire,
    lambda floor: actions.hold_loop(loop_id=loop_id(), reason="audit", now=floor.now),
    lambda floor: actions.resume_loop(loop_id=loop_id(), now=floor.now),
    lambda floor: actions.resize_loop(loop_id=loop_id(), cards=3, now=floor.now),
    lambda floor: actions.resize_loop(loop_id=loop_id(), quantity=Decimal(9), now=floor.now),
    lambda floor: actions.add_cards(loop_id=loop_id(), count=1, first="FULL", now=floor.now),
    lambda floor: actions.add_extra_card(loop_id=loop_id(), turns=1, now=floor.now),
    lambda floor: floor.replace_lost("L", 1),
    lambda floor: actions.plan_revision(
        loop_id=loop_id(), effective_at=floor.now + timedelta(days=1), values={"cards": 3}, now=floor.now
    ),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_retired_loop_takes_no_other_change(floor: Floor, change: Callable[[Floor], object]) -> None:
    retire(floor)
    before = (Event.objects.count(), Card.objects.count(), Loop.objects.values().get())
    with pytest.raises(actions.Refused, match=r"Loop L was retired, for good. Make a new loop"):
        change(floor)
    assert (Event.objects.count(), Card.objects.count(), Loop.objects.values().get()) == before


def test_a_revision_planned_before_is_not_applied_and_stops_no_other(floor: Floor) -> None:
    floor.loop("M", part="OTHER", supply="CELL", demand="LINE")
    due = floor.now + timedelta(hours=1)
    for loop in Loop.objects.order_by("code"):
        actions.plan_revision(loop_id=loop.pk, effective_at=due, values={"cards": 3}, now=floor.now)
    retire(floor)
    refused = LoopRevision.objects.get(loop__code="L")
    assert (refused.refused_at, refused.refusal) == (
        floor.now,
        "The loop was retired: the part is no longer made",
    )
    assert actions.apply_due_revisions(now=due) == {Loop.objects.get(code="M").pk}
    assert LoopRevision.objects.get(loop__code="M").refused_at is None
    assert Card.objects.filter(loop__code="L").count() == 2


def test_labels_of_obsolete_cards_are_neither_listed_nor_printed(floor: Floor) -> None:
    actions.resize_loop(loop_id=loop_id(), quantity=Decimal(6), now=floor.now)
    assert len(sheets.stale_labels_of(loop_id())) == 2
    retire(floor)
    assert sheets.stale_labels_of(loop_id()) == []
    assert actions.mark_printed(loop_id=loop_id(), now=floor.now) == 0


def test_labels_printed_again_are_no_longer_stale_with_an_event_each(floor: Floor) -> None:
    actions.resize_loop(loop_id=loop_id(), quantity=Decimal(6), now=floor.now)
    before = len(events("card.relabelled"))
    source = floor.leader()
    assert actions.mark_printed(loop_id=loop_id(), now=floor.now, source=source) == 2
    assert not Card.objects.filter(label_stale=True).exists()
    said = events("card.relabelled")[before:]
    assert [(event.card_id, event.data["stale"], event.person_id) for event in said] == [
        (floor.card("L", number).pk, False, source.person_id) for number in (1, 2)
    ]
    assert actions.mark_printed(loop_id=loop_id(), now=floor.now) == 0
    assert len(events("card.relabelled")) == before + 2


def test_a_loop_that_is_retired_while_it_is_loaded_is_said_and_costs_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    floor = Floor()
    floor.station("SMT")
    floor.station("SHIP", "SHIPPING")
    floor.loop("L1", part="BOARD", supply="SMT", demand="SHIP", cards=2, quantity=4)
    floor.part("LAMP")

    def retired_meanwhile(*args: Any, **more: Any) -> None:
        actions.note_settings(*args, **more)
        for loop in Loop.objects.filter(code__in=("L1", "L2")):
            actions.retire_loop(loop_id=loop.pk, reason="old", now=floor.now)

    monkeypatch.setattr(setup, "note_settings", retired_meanwhile)
    new = {"demand": "SHIP", "supply": "SMT", "kind": "TWO_BIN", "quantity": "4", "cards": "2"}
    loops = [
        {"code": "L1", "quantity": "5"},
        *({"code": code, "part": "LAMP"} | new for code in ("L2", "L3")),
    ]
    done = setup.set_up_shop({"shop": 1, "plants": [{"code": "PLANT", "loops": loops}]}, now=floor.now)
    assert (done.report.errors, done.cards) == ([], 2)
    assert [str(said).split(" was retired")[0] for said in done.refused] == [
        "Loop L1 keeps its cards as they are. Loop L1",
        "Loop L2 has got no cards. Loop L2",
    ]
    assert {str(said) for said in done.refused} <= set(done.report.notes)
    assert Loop.objects.get(code="L1").quantity == 4
    assert Card.objects.filter(loop__code="L3").count() == 2
