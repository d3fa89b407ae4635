"""A runout calls by itself: in working time, repaired by the sweep, over for a reason, and nobody's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from jitapp.outbox.models import Message
from jitapp.plant.models import Calendar, Loop
from jitapp.pull import actions
from jitapp.pull.models import AndonCall, Event, Runout
from jitapp.pull.reading.calls import one_call, reasons_of, waiting
from tests.floor import START, Floor
from tests.stories.shops import another_device, two_bins

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.fixture
def floor() -> Floor:
    return two_bins(cards=1)


def ran_dry(floor: Floor, card: int = 1) -> AndonCall:
    """The loop's last container is emptied, and the workers have seen it."""
    floor.scan("L", card, "empty")
    floor.propagate()
    return AndonCall.objects.get()


def events() -> list[Event]:
    return list(Event.objects.filter(type__startswith="andon.").order_by("id"))


def test_its_events_stand_in_the_loops_ledger_at_the_place_and_are_nobodys(floor: Floor) -> None:
    call = ran_dry(floor)
    floor.cycle("L", 1)
    floor.propagate()
    call.refresh_from_db()
    assert (call.called_by, call.device, call.owner, call.card) == (None, None, None, None)
    assert [(event.type, event.loop_id, event.station_id) for event in events()] == [
        ("andon.called", call.loop_id, call.station_id),
        ("andon.solved", call.loop_id, call.station_id),
    ]
    assert {(event.person_id, event.device_id, event.card_id) for event in events()} == {(None, None, None)}
    assert [event.data.get("note", event.data.get("reason")) for event in events()] == [
        "PART has run out",
        "material is there",
    ]
    assert events()[1].data["minutes"] == 4.0


def test_boards_of_the_area_are_told(floor: Floor) -> None:
    ran_dry(floor)
    told = Message.objects.filter(topic=actions.CALLS_TOPIC).values_list("key", "payload")
    assert list(told) == [(-floor.area.pk, {"area": floor.area.code})]
    assert waiting([floor.area.code], now=floor.now)[floor.area.code].count == 1


def test_the_sweep_makes_up_for_messages_that_were_lost(floor: Floor) -> None:
    floor.scan("L", 1, "empty")
    Message.objects.all().delete()
    actions.sweep(now=floor.now)
    assert AndonCall.objects.get().solved_at is None
    floor.cycle("L", 1)
    Message.objects.all().delete()
    actions.sweep(now=floor.now)
    assert AndonCall.objects.get().reason == "material is there"


def test_calls_that_are_over_are_solved_in_one_statement(floor: Floor) -> None:
    for code, part in (("M", "OTHER"), ("N", "THIRD")):
        loop = Loop.objects.get(code="L")
        floor.loop(code, part=part, supply=loop.supply.code, demand=loop.demand.code, cards=1)
    for code in ("L", "M", "N"):
        floor.scan(code, 1, "empty")
    floor.propagate()
    assert AndonCall.objects.filter(solved_at__isnull=True).count() == 3
    for code in ("L", "M", "N"):
        floor.cycle(code, 1)
    with CaptureQueriesContext(connection) as queries:
        floor.propagate()
    assert set(AndonCall.objects.values_list("reason", flat=True)) == {"material is there"}
    assert len([query for query in queries if query["sql"].startswith('UPDATE "pull_andoncall"')]) == 1


def test_a_runout_that_was_over_before_anybody_looked_calls_nobody(floor: Floor) -> None:
    floor.scan("L", 1, "empty")
    floor.cycle("L", 1)
    floor.propagate()
    actions.sweep(now=floor.now)
    assert Runout.objects.count() == 1
    assert events() == []


def test_one_that_never_was_is_taken_back() -> None:
    floor = two_bins(kind="PRODUCTION", quantity=1)
    floor.scan("L", 1, "empty")
    floor.now += timedelta(hours=1)
    call = ran_dry(floor, 2)
    # Card 1 had been received half an hour before, by a tablet without a network.
    earlier = floor.now - timedelta(minutes=30)
    answer = floor.scan("L", 1, "receive", occurred_at=earlier, source=another_device(floor))
    assert answer["outcome"] == "applied"
    floor.propagate()
    call.refresh_from_db()
    assert floor.open_runout("L") is None
    assert call.reason == "the buffer had not run out"


@pytest.mark.parametrize("retired", [False, True])
def test_a_loop_that_is_stopped_says_how(floor: Floor, retired: bool) -> None:
    call = ran_dry(floor)
    stop = actions.retire_loop if retired else actions.hold_loop
    assert call.loop_id is not None
    stop(loop_id=call.loop_id, reason="audit", now=floor.now, source=floor.leader())
    floor.propagate()
    call.refresh_from_db()
    assert call.reason == ("the loop was retired" if retired else "the loop was put on hold")
    assert call.solved_at == floor.now


def test_without_cards_nobody_waits_any_more(floor: Floor) -> None:
    call = ran_dry(floor)
    floor.scan("L", 1, "lost", source=floor.leader())
    floor.propagate()
    call.refresh_from_db()
    assert floor.open_runout("L") is None
    assert call.reason == "nobody waits for it any more"


def test_it_climbs_in_working_time_even_if_it_was_made_at_night(floor: Floor) -> None:
    shift = [{"days": ["mon", "tue"], "start": "10:00", "end": "12:00", "breaks": [["10:04", "10:30"]]}]
    Calendar.objects.create(plant=floor.plant, code="DAY", is_default=True, shifts=shift)
    call = ran_dry(floor)
    assert call.called_at == START + timedelta(minutes=1)  # Monday, 08:01: two hours too early
    ten = START + timedelta(hours=2)
    assert [actions.escalate_calls(now=ten + timedelta(minutes=m)) for m in (0, 1, 2, 4, 30, 31)] == [
        0,
        0,
        1,
        0,
        0,
        1,
    ]
    said = [event.data["who"] for event in events() if event.type == "andon.escalated"]
    assert said == ["team_leader", "area_leader"]
    facts = one_call(call.uuid, plant_ids=[floor.plant.pk], now=ten + timedelta(minutes=31))
    assert facts is not None
    assert facts.climbs_at == ten + timedelta(minutes=36)
    assert not waiting([floor.area.code], now=ten)[floor.area.code].red
    assert waiting([floor.area.code], now=ten + timedelta(minutes=2))[floor.area.code].red


def test_whoever_takes_it_keeps_it_until_it_is_over(floor: Floor) -> None:
    call = ran_dry(floor)
    mia = floor.person("mia", is_superuser=True)
    actions.take_call(call_id=call.uuid, person_id=mia.pk, now=floor.now, source=floor.source)
    assert actions.escalate_calls(now=floor.now + timedelta(hours=1)) == 0
    floor.cycle("L", 1)
    floor.propagate()
    call.refresh_from_db()
    assert (call.owner, call.reason) == (mia, "material is there")


def test_the_reasons_that_people_are_offered_are_those_of_people(floor: Floor) -> None:
    ran_dry(floor)
    floor.cycle("L", 1)
    floor.propagate()
    floor.scan("L", 1, "empty")
    floor.propagate()
    second = AndonCall.objects.get(solved_at__isnull=True)
    actions.solve_call(call_id=second.uuid, reason="truck late", now=floor.now, source=floor.source)
    assert reasons_of([floor.plant.pk]) == ["truck late"]


def test_the_database_keeps_a_second_call_of_a_runout_out(floor: Floor) -> None:
    call = ran_dry(floor)
    with pytest.raises(IntegrityError), transaction.atomic():
        AndonCall.objects.create(
            station=call.station, runout=call.runout, kind="material", called_at=floor.now
        )
