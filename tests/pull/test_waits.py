"""Every interval in which an open turn does not move is one wait, with reason, owner and clock: none is left out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jitapp.kanban.vocabulary import Party, Role
from jitapp.outbox.models import Message
from jitapp.plant.models import Calendar
from jitapp.pull import actions
from jitapp.pull.models import Event, StationState, Turn, Wait
from jitapp.pull.reading import board, lists, waits
from jitapp.pull.scan_request import Source
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]

MOVING = ("IN_PROCESS", "IN_TRANSIT")


def shop(**more: Any) -> Floor:
    """MILL (supplier) -> CUT -> SHIP."""
    floor = Floor()
    floor.station("MILL", "SUPPLIER")
    floor.station("CUT")
    floor.station("SHIP", "SHIPPING")
    floor.bill("FRAME", SHEET=1)
    floor.loop("FRAMES", part="FRAME", supply="CUT", demand="SHIP", cards=2, **more)
    floor.loop("SHEETS", part="SHEET", supply="MILL", demand="CUT", kind="SUPPLIER", cards=2)
    floor.propagate()
    return floor


def stands_still(turn: Turn) -> bool:
    """Whether an open turn stands still, computed from its row alone."""
    if turn.failed or turn.docked_at is not None or turn.owner == Party.PERSON:
        return True
    return turn.step not in MOVING


def followed(floor: Floor) -> None:
    """After each step: open turns that stand still are exactly those with an open wait, whose owner is the turn's."""
    floor.propagate()
    still = {
        turn.pk: turn.owner for turn in Turn.objects.filter(closed_at__isnull=True) if stands_still(turn)
    }
    waiting = {
        wait.turn_id: wait.owner
        for wait in Wait.objects.filter(closed_at__isnull=True).exclude(reason="receiver_not_ready")
    }
    refused = set(
        Wait.objects.filter(closed_at__isnull=True, reason="receiver_not_ready").values_list(
            "turn_id", flat=True
        )
    )
    assert waiting == {turn: owner for turn, owner in still.items() if turn not in refused}
    told = Event.objects.filter(type__startswith="wait.").values_list("type", flat=True)
    assert list(told).count("wait.opened") == Wait.objects.count()
    assert list(told).count("wait.closed") == Wait.objects.filter(closed_at__isnull=False).count()


def reasons(floor: Floor, loop: str, number: int) -> list[str]:
    return list(
        Wait.objects.filter(turn__card=floor.card(loop, number))
        .order_by("pk")
        .values_list("reason", flat=True)
    )


def quality(floor: Floor) -> Source:
    person = floor.person("vera")
    return Source(
        person_id=person.pk,
        plant_ids=frozenset({floor.plant.pk}),
        roles={floor.plant.pk: frozenset({Role.QUALITY})},
        name="vera",
    )


def test_a_story_of_all_kinds_leaves_no_minute_unexplained() -> None:
    floor = shop()
    leader = floor.leader()
    buyer = Source(
        person_id=leader.person_id,
        plant_ids=frozenset({floor.plant.pk}),
        roles={floor.plant.pk: frozenset({Role.BUYER, Role.LEADER})},
    )
    supplier: list[tuple[str, str, int, dict[str, Any]]] = [
        ("SHEETS", "empty", 1, {}),
        ("SHEETS", "reject", 1, {"reason": "no steel", "source": buyer}),
        ("SHEETS", "release", 1, {"reason": "ask again", "source": buyer}),
        ("SHEETS", "acknowledge", 1, {"at": "MILL"}),
        ("SHEETS", "load", 1, {}),
        ("SHEETS", "dock", 1, {"at": "CUT"}),
        ("SHEETS", "receive", 1, {}),
    ]
    floor_story: list[tuple[str, str, int, dict[str, Any]]] = [
        ("FRAMES", "empty", 1, {}),
        ("FRAMES", "hold", 1, {"reason": "look", "source": leader}),
        ("FRAMES", "release", 1, {"reason": "fine", "source": leader}),
        ("FRAMES", "start", 1, {}),
        ("FRAMES", "abort", 1, {"reason": "tool"}),
        ("FRAMES", "start", 1, {}),
        ("FRAMES", "hold", 1, {"reason": "crack", "source": leader}),
        ("FRAMES", "release", 1, {"reason": "fine", "source": leader}),
        ("FRAMES", "complete", 1, {}),
        ("FRAMES", "undo", 1, {"after": 0.5, "at": "CUT"}),
        ("FRAMES", "complete", 1, {}),
        ("FRAMES", "hold", 1, {"reason": "scratch", "source": leader}),
        ("FRAMES", "release", 1, {"reason": "fine", "source": leader}),
        ("FRAMES", "load", 1, {}),
        ("FRAMES", "receive", 1, {}),
        ("FRAMES", "empty", 2, {}),
        ("FRAMES", "undo", 2, {"after": 0.5, "at": "SHIP"}),
    ]
    for loop, intent, number, more in supplier + floor_story:
        answer = floor.scan(loop, number, intent, **more)
        assert answer["outcome"] == "applied", (loop, intent, answer)
        followed(floor)
    assert reasons(floor, "SHEETS", 1) == ["ack", "rejected", "ack", "supplier", "put_away"]
    assert reasons(floor, "FRAMES", 1) == [
        "queue",
        "held",
        "queue",
        "queue",
        "held",
        "collect",
        "collect",
        "held",
        "collect",
    ]
    everything = waits.summary(
        plant_ids=[floor.plant.pk], begin=floor.now - timedelta(days=1), end=floor.now, now=floor.now
    )
    counted = sum(
        ((wait.closed_at or floor.now) - wait.opened_at).total_seconds() / 60 for wait in Wait.objects.all()
    )
    assert everything.minutes == pytest.approx(counted)
    assert sum(everything.reasons.values()) == pytest.approx(everything.minutes)


@pytest.mark.parametrize(
    ("more", "reason", "owner"),
    [
        ({"kind": "PRODUCTION", "accumulate": "CARDS", "accumulate_cards": 2}, "accumulate", "planner"),
        ({"doc_policy": "WAIT_FOR_DOC_NUMBER"}, "doc", "buyer"),
        ({"independent_supply": True}, "withheld", "station"),
        ({}, "queue", "station"),
    ],
)
def test_a_signal_that_stays_waits_for_its_reason(more: dict[str, Any], reason: str, owner: str) -> None:
    floor = shop(**more)
    floor.scan("FRAMES", 1, "empty")
    followed(floor)
    wait = Wait.objects.get()
    assert (wait.reason, wait.owner, wait.opened_at) == (reason, owner, floor.now)
    event = Event.objects.get(type="wait.opened")
    assert (event.card_id, event.turn, event.data["reason"]) == (
        wait.turn.card_id,
        wait.turn.uuid,
        reason,
    )


def test_a_wait_ends_with_its_minutes_by_the_clock_and_by_the_calendar() -> None:
    floor = Floor()
    Calendar.objects.create(
        plant=floor.plant,
        code="DAY",
        is_default=True,
        shifts=[{"days": ["mon"], "start": "08:00", "end": "16:00", "breaks": [["08:10", "08:40"]]}],
    )
    floor.station("CUT")
    floor.station("SHIP", "SHIPPING")
    floor.loop("FRAMES", part="FRAME", supply="CUT", demand="SHIP", cards=2)
    floor.scan("FRAMES", 1, "empty")
    floor.scan("FRAMES", 1, "start", after=60)
    followed(floor)
    ended = Event.objects.get(type="wait.closed")
    assert (ended.data["minutes"], ended.data["working_minutes"]) == (60.0, 30.0)
    wait = Wait.objects.get()
    assert (ended.data["wait"], ended.occurred_at) == (str(wait.uuid), wait.closed_at)
    fact = lists.waits(plant_ids=[floor.plant.pk], open_only=False, after=0, limit=9, now=floor.now).rows[0]
    assert [(part.reason, part.minutes) for part in fact.segments] == [
        ("queue", 9.0),
        ("closed", 30.0),
        ("queue", 21.0),
    ]
    assert (fact.minutes, fact.working_minutes, fact.present_reason) == (60.0, 30.0, "")


def test_drained_again_every_wait_is_told_once() -> None:
    floor = shop()
    for intent in ("empty", "start", "complete"):
        floor.scan("FRAMES", 1, intent)
    followed(floor)
    before = list(Event.objects.order_by("pk").values_list("uuid", flat=True))
    kept = list(Wait.objects.order_by("pk").values_list("uuid", "closed_at"))
    waiting = Message.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE outbox_message SET done_at = NULL")
    assert floor.propagate() == waiting
    assert list(Event.objects.order_by("pk").values_list("uuid", flat=True)) == before
    assert list(Wait.objects.order_by("pk").values_list("uuid", "closed_at")) == kept


def test_waits_send_no_messages_and_take_one_writing_statement() -> None:
    floor = shop()
    floor.scan("FRAMES", 1, "empty")
    floor.propagate()
    floor.scan("SHEETS", 1, "empty")
    messages = Message.objects.count()
    floor.propagate()
    assert Message.objects.count() == messages
    assert Event.objects.filter(type="wait.opened").count() == 2


# -- cut among the station's states --------------------------------------------------------------------
def queueing(floor: Floor) -> datetime:
    """A card of FRAMES waits at CUT; returns since when."""
    floor.scan("FRAMES", 1, "empty")
    floor.propagate()
    return floor.now


def parts(floor: Floor, minutes: float) -> list[tuple[str, str, float]]:
    """The segments of the wait at CUT, so many minutes of the clock later."""
    now = floor.now + timedelta(minutes=minutes)
    rows = lists.waits(plant_ids=[floor.plant.pk], open_only=False, after=0, limit=50, now=now).rows
    found = next(row for row in rows if row.loop == "FRAMES" and row.reason == "queue")
    assert sum(part.minutes for part in found.segments) == pytest.approx(found.minutes)
    return [(part.reason, part.owner, part.minutes) for part in found.segments]


def test_what_a_station_stands_still_for_is_no_queue_also_when_it_is_told_late() -> None:
    floor = shop()
    since = queueing(floor)
    at = {minute: since + timedelta(minutes=minute) for minute in range(0, 70, 5)}
    late = since + timedelta(minutes=60)
    same: dict[str, Any] = {"station": "CUT", "source": floor.source}
    assert parts(floor, 60) == [("queue", "station", 60.0)]
    actions.record_state(kind="down", began_at=at[5], ended_at=at[15], now=late, **same)
    actions.record_state(kind="no_operator", began_at=at[10], ended_at=at[20], now=late, **same)
    actions.begin_changeover(to_family="B", now=at[25], **same)
    actions.finish_changeover(now=at[30], **same)
    actions.begin_state(kind="planned_stop", now=at[40], note="meeting", **same)
    actions.begin_state(kind="planned_stop", now=at[45], **same)  # again changes nothing
    actions.end_state(kind="planned_stop", now=at[50], **same)
    assert parts(floor, 60) == [
        ("queue", "station", 5.0),
        ("down", "maintainer", 10.0),
        ("no_operator", "leader", 5.0),
        ("queue", "station", 5.0),
        ("setup", "station", 5.0),
        ("queue", "station", 10.0),
        ("planned_stop", "planner", 10.0),
        ("queue", "station", 10.0),
    ]
    assert StationState.objects.filter(ended_at__isnull=True).count() == 0
    types = set(Event.objects.filter(loop__isnull=True).values_list("type", flat=True))
    assert types == {
        "station.breakdown",
        "station.no_operator",
        "station.changeover_began",
        "station.changeover",
        "station.stands_still",
        "station.planned_stop",
    }


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("unknown_station", {"station": "NOWHERE", "kind": "down"}),
        ("unknown_kind", {"station": "CUT", "kind": "setup"}),
        ("state_not_running", {"station": "CUT", "kind": "down"}),
    ],
)
def test_a_state_that_cannot_end_says_why(code: str, more: dict[str, Any]) -> None:
    floor = shop()
    with pytest.raises(actions.StateRefused) as refused:
        actions.end_state(now=floor.now, source=floor.source, **more)
    assert refused.value.code == code


def test_a_stopped_line_is_down_until_somebody_has_the_call_and_then_theirs() -> None:
    floor = shop()
    since = queueing(floor)
    mia = floor.person("mia", is_superuser=True)
    source = Source(device_id=floor.device.pk, plant_ids=frozenset({floor.plant.pk}))
    call = actions.call_for_help(
        station="CUT", kind="machine", stops_line=True, now=since + timedelta(minutes=10), source=source
    )
    actions.take_call(call_id=call.uuid, person_id=mia.pk, now=since + timedelta(minutes=15), source=source)
    assert parts(floor, 30) == [
        ("queue", "station", 10.0),
        ("down", "maintainer", 5.0),
        ("down", "person", 15.0),
    ]
    actions.solve_call(call_id=call.uuid, reason="belt", now=since + timedelta(minutes=20), source=source)
    assert parts(floor, 30)[-1] == ("queue", "station", 10.0)


def test_a_station_without_parts_is_starved_and_the_owner_upstream_must_act() -> None:
    floor = shop()
    since = queueing(floor)
    floor.scan("SHEETS", 1, "empty", after=5)
    floor.scan("SHEETS", 2, "empty", after=5)
    floor.propagate()
    assert (floor.now - since) == timedelta(minutes=10)
    assert parts(floor, 20) == [("queue", "station", 10.0), ("starved", "supplier", 20.0)]
    row = next(row for row in board.board("PLANT-AREA", now=floor.now).rows if row.loop == "FRAMES")
    assert (row.why_code, row.owner_party, row.why_since) == ("starved", "supplier", floor.now)


def test_the_board_names_what_keeps_the_station_and_who_must_act() -> None:
    floor = shop()
    since = queueing(floor)
    later = since + timedelta(minutes=5)

    def shown() -> tuple[str, str, datetime | None]:
        row = next(row for row in board.board("PLANT-AREA", now=later).rows if row.loop == "FRAMES")
        return row.why_code, row.owner_party, row.why_since

    assert shown() == ("queue", "station", since)
    same: dict[str, Any] = {"station": "CUT", "source": floor.source}
    actions.begin_state(kind="no_operator", now=later, **same)
    assert shown() == ("no_operator", "leader", later)
    actions.begin_changeover(to_family="B", now=later, **same)
    assert shown()[:2] == ("setup", "station")
    actions.begin_state(kind="down", now=later, **same)
    with CaptureQueriesContext(connection) as asked:
        assert shown() == ("down", "maintainer", later)
    assert len(asked) == 5
    actions.end_state(kind="down", now=later, **same)
    assert shown()[0] == "setup"


def test_a_held_card_waits_for_whoever_held_it_by_name() -> None:
    floor = shop()
    queueing(floor)
    vera = quality(floor)
    floor.scan("FRAMES", 1, "hold", reason="look", source=vera)
    followed(floor)
    assert floor.turn("FRAMES", 1).owner == Party.PERSON
    row = lists.waits(plant_ids=[floor.plant.pk], open_only=True, after=0, limit=9, now=floor.now).rows[0]
    assert (row.reason, row.owner, row.who, row.present_reason, row.present_who) == (
        "held",
        "person",
        "Vera",
        "held",
        "Vera",
    )
    drawn = next(row for row in board.board("PLANT-AREA", now=floor.now).rows if row.loop == "FRAMES")
    assert (drawn.owner_party, drawn.owner_name) == ("person", "Vera")
    floor.scan("FRAMES", 2, "empty")
    floor.scan("FRAMES", 2, "hold", reason="look", source=vera)
    floor.scan("FRAMES", 2, "lost", source=floor.leader())
    floor.scan("FRAMES", 1, "release", source=vera)
    followed(floor)
    assert floor.turn("FRAMES", 1).owner == Party.STATION


def test_a_card_that_is_released_into_a_loop_on_hold_waits_for_the_loop_and_no_longer_for_a_person() -> None:
    floor = shop()
    queueing(floor)
    vera = quality(floor)
    floor.scan("FRAMES", 1, "hold", reason="look", source=vera)
    followed(floor)
    actions.hold_loop(loop_id=floor.turn("FRAMES", 1).loop_id, reason="counted", now=floor.now)
    floor.scan("FRAMES", 1, "release", source=vera)
    followed(floor)
    assert reasons(floor, "FRAMES", 1)[-2:] == ["held", "withheld"]
    assert floor.turn("FRAMES", 1).owner == Party.STATION


def test_a_card_emptied_while_it_is_held_waits_for_whoever_held_it() -> None:
    floor = shop()
    floor.scan("FRAMES", 1, "hold", reason="look", source=quality(floor))
    assert floor.scan("FRAMES", 1, "empty")["outcome"] in ("applied", "refused")
    followed(floor)


def test_the_summary_of_a_window_counts_each_wait_with_its_part() -> None:
    floor = shop()
    since = queueing(floor)
    floor.scan("SHEETS", 1, "empty", after=10)
    floor.propagate()
    same: dict[str, Any] = {"plant_ids": [floor.plant.pk], "now": since + timedelta(minutes=40)}
    window: dict[str, Any] = {"begin": since + timedelta(minutes=5), "end": since + timedelta(minutes=30)}
    actions.record_state(
        station="CUT",
        kind="down",
        began_at=since,
        ended_at=since + timedelta(minutes=15),
        now=same["now"],
        source=floor.source,
    )
    found = waits.summary(**same, **window)
    assert (found.waits, found.minutes) == (2, 45.0)
    assert found.reasons == {"ack": 20.0, "queue": 15.0, "down": 10.0}
    assert [(one.station, one.area, one.minutes) for one in found.stations] == [
        ("CUT", "PLANT-AREA", 25.0),
        ("MILL", "PLANT-AREA", 20.0),
    ]
    assert waits.summary(**same, **window, station="MILL").reasons == {"ack": 20.0}
    assert waits.summary(**same, **window, area="NONE").minutes == 0.0


def test_news_told_late_open_no_wait_that_overlaps_one_on_record() -> None:
    """The wait in the queue was over at the start; that the card was put on hold before is told a while later."""
    floor = shop()
    floor.scan("FRAMES", 1, "empty")
    floor.propagate()
    before = floor.now + timedelta(minutes=5)
    floor.scan("FRAMES", 1, "start", after=20)
    floor.propagate()
    started = floor.now
    floor.scan("FRAMES", 1, "hold", occurred_at=before, reason="cracked", source=floor.leader())
    floor.propagate()
    waits = Wait.objects.filter(turn__card__loop__code="FRAMES").order_by("pk")
    assert [(wait.reason, wait.opened_at, wait.closed_at) for wait in waits] == [
        ("queue", started - timedelta(minutes=20), started),
        ("held", started, None),
    ]
