"""The pull goes upstream by itself: what a station uses is asked for again, tier by tier, exactly once."""

from __future__ import annotations

from typing import Any

import pytest

from jitapp.kanban.vocabulary import ConsumeAt, Consumption
from jitapp.outbox.models import Message
from jitapp.pull import actions
from jitapp.pull.models import Draw, Event, Runout, Turn, TurnLink, Wait
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


def chain(
    consume_at: str, consumption: str = Consumption.BACKFLUSH, quantity: int = 1, cards: int = 2
) -> Floor:
    """RAW supplier -> CUT -> WELD -> SHIP, a bill of one piece each."""
    floor = Floor()
    floor.station("MILL", "SUPPLIER")
    floor.station("CUT", consumption=consumption)
    floor.station("WELD", consumption=consumption)
    floor.station("SHIP", "SHIPPING")
    floor.bill("FRAME", PLATE=1)
    floor.bill("PLATE", SHEET=1)
    same: dict[str, Any] = {"cards": cards, "quantity": quantity, "consume_at": consume_at}
    floor.loop("FRAMES", part="FRAME", supply="WELD", demand="SHIP", **same)
    floor.loop("PLATES", part="PLATE", supply="CUT", demand="WELD", **same)
    floor.loop("SHEETS", part="SHEET", supply="MILL", demand="CUT", kind="SUPPLIER", **same)
    floor.propagate()
    return floor


def test_a_start_draws_the_components_and_their_turns_open_upstream() -> None:
    floor = chain(ConsumeAt.START)
    floor.scan("FRAMES", 1, "empty")
    floor.propagate()
    assert floor.status("PLATES") == ["FULL", "FULL"]  # nothing is used before the start
    floor.scan("FRAMES", 1, "start")
    floor.propagate()
    assert floor.status("PLATES") == ["EMPTY", "FULL"]
    assert floor.turn("PLATES", 1).signal_state == "RELEASED"
    assert floor.status("SHEETS") == ["FULL", "FULL"]
    link = TurnLink.objects.get()
    assert link.downstream == floor.turn("FRAMES", 1)
    assert (link.upstream_card, link.upstream_number) == (floor.card("PLATES", 1), 1)


def test_one_pull_reaches_every_tier_at_once_when_consumption_is_booked_at_release() -> None:
    floor = chain(ConsumeAt.RELEASE)
    floor.scan("FRAMES", 1, "empty")
    floor.propagate()
    assert floor.turn("PLATES", 1).signal_state == "RELEASED"
    assert floor.turn("SHEETS", 1).signal_state == "RELEASED"
    assert floor.status("PLATES") == ["IN_USE", "FULL"]  # the pieces are still there
    assert floor.card("PLATES", 1).booked == 1


def test_a_booked_container_falls_empty_when_the_turn_starts() -> None:
    floor = chain(ConsumeAt.RELEASE)
    floor.scan("FRAMES", 1, "empty")
    floor.propagate()
    floor.scan("FRAMES", 1, "start")
    floor.propagate()
    card = floor.card("PLATES", 1)
    assert (card.supply_status, card.contents, card.booked) == ("EMPTY", 0, 0)
    assert Turn.objects.filter(loop__code="PLATES").count() == 1  # its turn was open already


def test_progress_made_while_the_container_was_in_use_shows_once_it_is_empty() -> None:
    floor = chain(ConsumeAt.RELEASE)
    floor.scan("FRAMES", 1, "empty")
    floor.propagate()
    floor.scan("PLATES", 1, "start")
    floor.scan("PLATES", 1, "complete")
    assert floor.status("PLATES")[0] == "IN_USE"
    floor.scan("FRAMES", 1, "start")
    floor.propagate()
    assert floor.status("PLATES")[0] == "COMPLETED"
    answer = floor.scan("PLATES", 1, "receive")
    assert answer["code"] == "received", answer
    assert floor.status("PLATES")[0] == "FULL"


def test_complete_draws_what_was_really_made() -> None:
    floor = chain(ConsumeAt.COMPLETE, quantity=4)
    floor.scan("FRAMES", 1, "empty")
    floor.scan("FRAMES", 1, "start")
    floor.propagate()
    assert floor.card("PLATES", 1).contents == 4
    floor.scan("FRAMES", 1, "complete", quantity=3, reason="scrap")
    floor.propagate()
    assert floor.card("PLATES", 1).contents == 1


def test_a_message_handled_again_changes_nothing() -> None:
    floor = chain(ConsumeAt.START)
    floor.scan("FRAMES", 1, "empty")
    floor.scan("FRAMES", 1, "start")
    floor.propagate()
    events = Event.objects.count()
    messages = [(message.key, message.payload) for message in Message.objects.order_by("pk")]
    actions.propagate(messages, now=floor.now)
    assert Event.objects.count() == events
    assert Draw.objects.count() == 1


def test_a_restart_after_an_abort_draws_nothing() -> None:
    floor = chain(ConsumeAt.START)
    floor.scan("FRAMES", 1, "empty")
    floor.scan("FRAMES", 1, "start")
    floor.propagate()
    floor.scan("FRAMES", 1, "abort", reason="wrong tool")
    floor.scan("FRAMES", 1, "start")
    floor.propagate()
    assert floor.status("PLATES") == ["EMPTY", "FULL"]
    assert Draw.objects.get().drawn == 1


def test_what_is_missing_is_a_recorded_shortage_and_never_an_error() -> None:
    floor = chain(ConsumeAt.START, cards=1)
    floor.scan("FRAMES", 1, "empty")
    floor.scan("FRAMES", 1, "start")
    floor.propagate()
    floor.scan("FRAMES", 1, "complete")
    floor.scan("FRAMES", 1, "receive")
    floor.scan("FRAMES", 1, "empty")
    floor.scan("FRAMES", 1, "start")
    floor.propagate()
    assert Draw.objects.get(turn=floor.turn("FRAMES", 1)).short == 1
    assert Event.objects.filter(type="draw.short").count() == 1


def test_undoing_a_pull_frees_its_bookings_and_cancels_what_nobody_has_begun() -> None:
    floor = chain(ConsumeAt.RELEASE)
    floor.scan("FRAMES", 1, "empty")
    floor.propagate()
    floor.scan("FRAMES", 1, "undo")
    floor.propagate()
    assert floor.turn("PLATES", 1).signal_state == "CANCELLED"
    assert floor.turn("SHEETS", 1).signal_state == "CANCELLED"
    assert floor.card("PLATES", 1).booked == 0


def test_a_cancelled_pull_leaves_a_turn_that_somebody_has_begun() -> None:
    floor = chain(ConsumeAt.RELEASE)
    floor.scan("FRAMES", 1, "empty")
    floor.propagate()
    floor.scan("PLATES", 1, "start", after=0.2)
    floor.scan("FRAMES", 1, "undo", after=0.2)
    floor.propagate()
    assert floor.turn("PLATES", 1).signal_state == "RELEASED"
    assert floor.turn("PLATES", 1).step == "IN_PROCESS"


def test_under_scan_an_emptied_bin_is_tied_to_the_turns_in_process() -> None:
    floor = chain(ConsumeAt.START, consumption=Consumption.SCAN)
    floor.scan("FRAMES", 1, "empty")
    floor.scan("FRAMES", 1, "start")
    floor.propagate()
    assert floor.status("PLATES") == ["FULL", "FULL"]
    floor.scan("PLATES", 1, "empty")
    floor.propagate()
    link = TurnLink.objects.get()
    assert (link.kind, link.downstream) == ("SCAN", floor.turn("FRAMES", 1))


def test_a_dry_buffer_is_tied_to_the_dry_buffer_upstream_that_starves_it() -> None:
    floor = chain(ConsumeAt.START, cards=1)
    floor.scan("FRAMES", 1, "empty")
    floor.scan("FRAMES", 1, "start")
    floor.propagate()
    plates = Runout.objects.get(loop__code="PLATES")
    assert plates.opened_at == floor.now
    frames = Runout.objects.get(loop__code="FRAMES")
    assert frames.upstream == plates


def test_a_turn_that_does_not_move_is_a_wait_with_reason_and_owner() -> None:
    floor = chain(ConsumeAt.START)
    floor.scan("FRAMES", 1, "empty")
    floor.propagate()
    wait = Wait.objects.get()
    assert (wait.reason, wait.owner, wait.closed_at) == ("queue", "station", None)
    floor.scan("FRAMES", 1, "start", after=15)
    floor.propagate()
    wait.refresh_from_db()
    assert wait.closed_at == floor.now
    floor.scan("FRAMES", 1, "complete")
    floor.propagate()
    assert Wait.objects.get(closed_at__isnull=True, loop__code="FRAMES").reason == "collect"
