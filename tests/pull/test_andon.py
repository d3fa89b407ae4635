"""Jidoka and SMED: calls with owner and clock, stopped lines, quality holds with a decision, changeovers with times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from jitapp.accounts.models import Person
from jitapp.kanban.andon import NOT_NEEDED
from jitapp.kanban.vocabulary import Role
from jitapp.outbox.models import Message
from jitapp.plant.configs import configs
from jitapp.plant.models import Area, Calendar, Membership, Plant, Station
from jitapp.pull import actions
from jitapp.pull.models import AndonCall, Event, QualityHold
from jitapp.pull.reading.calls import call_facts, one_call, open_calls, open_holds, reasons_of, waiting
from jitapp.pull.reading.changeovers import Changeover, changeovers_of, times_of
from jitapp.pull.scan_request import Answer, Source
from tests.floor import START, Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=3, quantity=4, kind="PRODUCTION")
    return floor


def member(floor: Floor, username: str, role: Role = Role.LEADER) -> Source:
    person = floor.person(username)
    Membership.objects.create(person=person, plant=floor.plant, role=role)
    return Source(
        person_id=person.pk,
        plant_ids=frozenset({floor.plant.pk}),
        roles={floor.plant.pk: frozenset({role})},
        name=username,
    )


def call(floor: Floor, kind: str = "machine", **more: Any) -> AndonCall:
    more.setdefault("source", floor.source)
    return actions.call_for_help(station=more.pop("station", "SMT"), kind=kind, now=floor.now, **more)


def take(floor: Floor, made: AndonCall, source: Source) -> AndonCall:
    return actions.take_call(call_id=made.uuid, person_id=source.person_id, now=floor.now, source=source)


def test_b06_whoever_presses_again_is_told_of_the_open_call(floor: Floor) -> None:
    first, press = call(floor), uuid4()
    floor.now += timedelta(seconds=3)
    again = call(floor, id=press, note="still smoking")
    assert again.uuid == first.uuid
    assert call(floor, id=press).uuid == first.uuid  # the same press, sent twice
    assert types() == ["andon.called", "andon.repeated"]
    facts = one_call(press, plant_ids=[floor.plant.pk], now=floor.now)  # its own id is a name of the call
    assert facts is not None
    assert (facts.id, facts.times, facts.last_called_at) == (first.uuid, 2, floor.now)
    assert facts.note == "still smoking"  # what is said with a repeat reaches whoever comes
    assert actions.was_called(press)
    assert Event.objects.get(type="andon.repeated").data["note"] == "still smoking"
    mia = member(floor, "mia")
    assert actions.take_call(call_id=press, person_id=mia.person_id, now=floor.now, source=mia).pk == first.pk
    with pytest.raises(actions.CallRefused, match="call_id_reused"):
        call(floor, "quality", id=press)


def test_b06_another_kind_card_or_station_and_a_line_that_stops_are_calls_of_their_own(floor: Floor) -> None:
    first = call(floor)
    others = [
        call(floor, "quality"),
        call(floor, station="TEST"),
        call(floor, card=floor.card("L1", 1).code),
        call(floor, stops_line=True),
    ]
    assert len({first.pk, *(each.pk for each in others)}) == 5
    assert call(floor, stops_line=True).pk == others[-1].pk
    actions.solve_call(call_id=first.uuid, reason="belt torn", now=floor.now, source=floor.source)
    actions.solve_call(call_id=others[-1].uuid, reason="belt torn", now=floor.now, source=floor.source)
    assert call(floor).pk not in {first.pk, *(each.pk for each in others)}


def test_a_call_that_is_not_needed_any_more_is_no_reason_to_offer(floor: Floor) -> None:
    made = call(floor)
    actions.solve_call(call_id=made.uuid, reason=NOT_NEEDED, now=floor.now, source=member(floor, "mia"))
    assert reasons_of([floor.plant.pk]) == []


def types() -> list[str]:
    return list(Event.objects.filter(type__startswith="andon.").order_by("id").values_list("type", flat=True))


def test_a_call_goes_from_called_over_answered_to_solved(floor: Floor) -> None:
    mia = member(floor, "mia")
    made = call(floor, note="spindle hot")
    floor.now += timedelta(minutes=3)
    owned = take(floor, made, mia)
    assert (owned.owner_id, owned.owned_at, owned.level) == (mia.person_id, floor.now, 1)
    floor.now += timedelta(minutes=4)
    solved = actions.solve_call(
        call_id=made.uuid,
        reason="bearing dry",
        countermeasure="grease every Monday",
        countermeasure_due=date(2026, 11, 20),
        now=floor.now,
        source=mia,
    )
    assert (solved.solved_at, solved.reason) == (floor.now, "bearing dry")
    assert types() == ["andon.called", "andon.answered", "andon.solved"]
    event = Event.objects.get(type="andon.solved")
    assert (event.loop_id, event.station_id, event.person_id) == (None, made.station_id, mia.person_id)
    assert event.data == {
        "call": str(made.uuid),
        "reason": "bearing dry",
        "countermeasure": "grease every Monday",
        "countermeasure_due": "2026-11-20",
        "minutes": 7.0,
        "stops_line": False,
    }
    assert open_calls(plant_ids=[floor.plant.pk], now=floor.now) == []
    assert reasons_of([floor.plant.pk]) == ["bearing dry"]


def test_a_call_about_a_card_stands_in_its_loops_own_ledger(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    made = call(floor, "material", card=floor.card("L1", 1).code)
    event = Event.objects.get(type="andon.called")
    assert (event.loop_id, event.card_id, event.loop_seq) == (
        made.loop_id,
        floor.card("L1", 1).pk,
        Event.objects.filter(loop__code="L1").count(),
    )
    take(floor, made, member(floor, "mia"))
    assert floor.scan("L1", 2, "empty")["outcome"] == "applied"
    assert floor.scan("L1", 1, "undo")["code"] in ("undone", "undo_too_late")


def test_nobody_comes_and_the_call_climbs_once_per_step_however_often_it_is_looked_at(floor: Floor) -> None:
    made = call(floor)
    for minutes in (1, 2, 2.5, 3, 5, 7, 12, 30):
        assert actions.escalate_calls(now=START + timedelta(minutes=minutes)) == (minutes in (2, 5, 12))
    made.refresh_from_db()
    assert made.level == 3
    said = Event.objects.filter(type="andon.escalated").order_by("id").values_list("data", flat=True)
    assert [(data["level"], data["who"]) for data in said] == [
        (1, "team_leader"),
        (2, "area_leader"),
        (3, "plant_leader"),
    ]


def test_an_area_has_its_own_steps_which_climb_to_a_person_in_working_time(floor: Floor) -> None:
    ines = floor.person("ines")
    Area.objects.update(escalation=[{"after": 0, "who": "area_leader"}, {"after": 30, "who": "ines"}])
    day = [{"days": ["mon"], "start": "06:00", "end": "22:00", "breaks": [["08:10", "08:40"]]}]
    Calendar.objects.create(plant=floor.plant, code="DAY", is_default=True, shifts=day)
    made = call(floor)
    assert made.called_at == START  # Monday, 08:00
    assert [actions.escalate_calls(now=START + timedelta(minutes=m)) for m in (20, 59, 60, 90)] == [
        0,
        0,
        1,
        0,
    ]
    data = Event.objects.get(type="andon.escalated").data
    assert (data["level"], data["who"], data["person"]) == (1, "person", str(ines.uuid))
    facts = one_call(made.uuid, plant_ids=[floor.plant.pk], now=START + timedelta(minutes=61))
    assert facts is not None
    assert (facts.level, facts.top, facts.red, facts.climbs_at) == (1, 1, True, None)
    assert (facts.must_come, facts.must_come_name) == ("person", "Ines")
    early = one_call(made.uuid, plant_ids=[floor.plant.pk], now=START)
    assert early is not None
    assert early.climbs_at == START + timedelta(minutes=60)
    assert waiting([floor.area.code], now=START + timedelta(minutes=61))[floor.area.code].red


def test_a_missed_round_is_made_up_in_one_step(floor: Floor) -> None:
    call(floor)
    assert actions.escalate_calls(now=START + timedelta(hours=1)) == 1
    assert types() == ["andon.called", "andon.escalated"]


def test_a_taken_or_solved_call_climbs_no_more(floor: Floor) -> None:
    mia = member(floor, "mia")
    take(floor, call(floor), mia)
    done = call(floor, "help")
    actions.solve_call(call_id=done.uuid, reason="asked", now=floor.now, source=mia)
    assert actions.escalate_calls(now=START + timedelta(hours=1)) == 0


def test_who_solves_a_call_that_nobody_took_has_taken_it(floor: Floor) -> None:
    mia = member(floor, "mia")
    made = call(floor)
    actions.solve_call(call_id=made.uuid, reason="jam", now=floor.now, source=mia)
    made.refresh_from_db()
    assert (made.owner_id, types()) == (mia.person_id, ["andon.called", "andon.answered", "andon.solved"])


def test_every_step_again_changes_nothing(floor: Floor) -> None:
    mia = member(floor, "mia")
    number = uuid4()
    made = call(floor, id=number)
    assert call(floor, id=number).pk == made.pk
    for _ in range(2):
        take(floor, made, mia)
    for _ in range(2):
        actions.solve_call(call_id=made.uuid, reason="jam", now=floor.now, source=mia)
    assert types() == ["andon.called", "andon.answered", "andon.solved"]


def refused(floor: Floor, **more: Any) -> str:
    with pytest.raises(actions.CallRefused) as caught:
        call(floor, **more)
    return caught.value.code


def test_what_does_not_fit_is_refused_by_name(floor: Floor) -> None:
    mia, ben = member(floor, "mia"), member(floor, "ben")
    number = uuid4()
    made = call(floor, id=number)
    assert refused(floor, id=number, kind="quality") == "call_id_reused"
    assert refused(floor, station="NOWHERE") == "unknown_station"
    assert refused(floor, kind="weather") == "unknown_kind"
    assert refused(floor, card="KB000000000") == "unknown_card"
    other = Plant.objects.create(code="OTHER", name="Other")
    foreign = Source(plant_ids=frozenset({other.pk}))
    assert refused(floor, source=foreign) == "unknown_station"
    take(floor, made, mia)
    codes = []
    steps: list[Callable[[], object]] = [
        lambda: take(floor, made, ben),
        lambda: actions.solve_call(call_id=made.uuid, reason="  ", now=floor.now, source=mia),
        lambda: actions.solve_call(call_id=made.uuid, reason="x", now=floor.now, source=foreign),
        lambda: actions.solve_call(call_id=uuid4(), reason="x", now=floor.now, source=mia),
    ]
    for step in steps:
        with pytest.raises(actions.CallRefused) as caught:
            step()
        codes.append(caught.value.code)
    actions.solve_call(call_id=made.uuid, reason="x", now=floor.now, source=mia)
    with pytest.raises(actions.CallRefused) as caught:
        take(floor, made, mia)
    assert [*codes, caught.value.code] == [
        "call_taken",
        "reason_missing",
        "unknown_call",
        "unknown_call",
        "call_solved",
    ]


def test_a_call_is_taken_by_people_of_the_plant_only(floor: Floor) -> None:
    made = call(floor)
    stranger = replace(
        member(floor, "sue", Role.SUPPLIER), roles={floor.plant.pk: frozenset({Role.SUPPLIER})}
    )
    nobody = Source(plant_ids=frozenset({floor.plant.pk}))
    for source in (stranger, nobody):
        with pytest.raises(actions.CallRefused, match="person_unknown"):
            take(floor, made, source)
    assert types() == ["andon.called"]


def test_a_stopped_line_starts_nothing_until_its_call_is_solved(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    made = call(floor, "quality", stops_line=True, note="crack in the frame")
    call(floor, "help", note="only a question")
    answer = floor.scan("L1", 1, "start")
    assert (answer["code"], answer["message"]) == (
        "line_stopped",
        "The line of Smt stands still: crack in the frame.",
    )
    take(floor, made, member(floor, "mia"))
    assert floor.scan("L1", 1, "start")["code"] == "line_stopped"
    actions.solve_call(call_id=made.uuid, reason="frame", now=floor.now, source=floor.source)
    assert floor.scan("L1", 1, "start")["code"] == "started"


def test_boards_are_told_of_every_step_and_count_what_is_open(floor: Floor) -> None:
    mia = member(floor, "mia")
    first, second = call(floor), call(floor, "help", station="TEST")
    take(floor, first, mia)
    told = Message.objects.filter(topic=actions.CALLS_TOPIC)
    assert [(message.key, message.payload) for message in told] == [
        (-floor.area.pk, {"area": floor.area.code})
    ] * 3
    empty = Area.objects.create(plant=floor.plant, code="EMPTY", name="Empty")
    found = waiting([floor.area.code, empty.code], now=START + timedelta(minutes=3))
    assert (found[floor.area.code].count, found[floor.area.code].oldest, found[floor.area.code].red) == (
        2,
        START,
        True,
    )
    assert (found["EMPTY"].count, found["EMPTY"].oldest) == (0, None)
    take(floor, second, mia)
    assert not waiting([floor.area.code], now=START + timedelta(minutes=3))[floor.area.code].red
    floor.propagate()


def test_stopped_lines_come_first_then_what_nobody_has(floor: Floor) -> None:
    mia = member(floor, "mia")
    taken = call(floor)
    take(floor, taken, mia)
    floor.now += timedelta(minutes=1)
    waits = call(floor, "material")
    floor.now += timedelta(minutes=1)
    stops = call(floor, "quality", stops_line=True)
    found = open_calls(plant_ids=[floor.plant.pk], now=floor.now)
    assert [fact.id for fact in found] == [stops.uuid, waits.uuid, taken.uuid]
    Area.objects.filter(pk=floor.area.pk).update(leader=Person.objects.get(username="mia"))
    made = AndonCall.objects.select_related("station__area__leader").get(pk=waits.pk)
    late = call_facts(made, floor.now + timedelta(minutes=5))
    assert (late.level, late.red, late.must_come, late.must_come_name) == (2, True, "area_leader", "Mia")


def test_a_page_of_calls_asks_once_for_the_people_that_its_steps_name(floor: Floor) -> None:
    member(floor, "ines")
    Area.objects.update(escalation=[{"after": 0, "who": "ines"}, {"after": 600, "who": "nobody"}])
    asked = []
    configs()  # the settings, which are read with everybody's names, are none of the page's questions
    for stations in (1, 3):
        for kind in ("machine", "quality", "help")[AndonCall.objects.count() : stations]:
            call(floor, kind)
        with CaptureQueriesContext(connection) as queries:
            found = open_calls(plant_ids=[floor.plant.pk], now=floor.now)
        assert [(fact.must_come, fact.must_come_name) for fact in found] == [("person", "Ines")] * stations
        asked.append(len([query for query in queries if "accounts_person" in query["sql"]]))
    assert asked[0] == asked[1]


# -- quality holds ---------------------------------------------------------------------------------------
def applied(answer: object) -> dict[str, Any]:
    assert isinstance(answer, Answer)
    assert answer.body["outcome"] == "applied", answer.body
    return answer.body


def hold(floor: Floor, number: int, source: Source, reason: str = "scratched") -> str:
    code = floor.card("L1", number).code
    floor.now += timedelta(minutes=1)
    applied(actions.hold_card(id=uuid4(), code=code, reason=reason, now=floor.now, source=source))
    return code


def decide(floor: Floor, code: str, decision: actions.Decision, source: Source) -> dict[str, Any]:
    floor.now += timedelta(minutes=1)
    return applied(
        actions.release_card(
            id=uuid4(), code=code, decision=decision, reason="measured", now=floor.now, source=source
        )
    )


def test_a_held_container_has_its_hold_beside_it_whichever_door_held_it(floor: Floor) -> None:
    quality = member(floor, "quinn", Role.QUALITY)
    code = hold(floor, 1, quality)
    floor.scan("L1", 2, "hold", source=quality, reason="by a scan")
    rows = QualityHold.objects.order_by("id").values_list("card__number", "reason", "held_by__username")
    assert list(rows) == [(1, "scratched", "quinn"), (2, "by a scan", "quinn")]
    assert [fact.card for fact in open_holds([floor.plant.pk])] == [code, floor.card("L1", 2).code]
    assert floor.scan("L1", 1, "open")["code"] == "card_held"
    floor.scan("L1", 2, "release", source=quality)
    assert [fact.card for fact in open_holds([floor.plant.pk])] == [code]


def test_used_after_all_the_container_is_full_as_before(floor: Floor) -> None:
    quality = member(floor, "quinn", Role.QUALITY)
    code = hold(floor, 1, quality)
    decide(floor, code, "use", quality)
    row = QualityHold.objects.get()
    assert (row.decision, row.released_at, row.released_by_id) == ("use", floor.now, quality.person_id)
    assert floor.status("L1")[0] == "FULL"
    assert floor.scan("L1", 1, "empty")["outcome"] == "applied"


@pytest.mark.parametrize("decision", ["scrap", "rework"])
def test_what_is_scrapped_or_reworked_is_written_off_and_asked_for_again(
    floor: Floor, decision: actions.Decision
) -> None:
    quality = member(floor, "quinn", Role.QUALITY)
    code = hold(floor, 1, quality)
    decide(floor, code, decision, quality)
    card = floor.card("L1", 1)
    assert (card.card_status, card.supply_status, card.contents) == ("IN_CIRCULATION", "EMPTY", 0)
    assert floor.turn("L1", 1).signal_state == "RELEASED"
    assert QualityHold.objects.get().decision == decision
    counted = Event.objects.filter(type="scan.applied", data__intent="count").get()
    assert (counted.data["difference"], counted.data["reason"]) == ("-4", f"{decision}: measured")


def test_scrapped_on_its_way_it_is_to_be_filled_again_under_the_same_signal(floor: Floor) -> None:
    quality = member(floor, "quinn", Role.QUALITY)
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 1, "start")
    floor.scan("L1", 1, "complete")
    code = hold(floor, 1, quality)
    decide(floor, code, "scrap", quality)
    assert floor.status("L1")[0] == "EMPTY"
    assert (floor.turn("L1", 1).number, floor.turn("L1", 1).step) == (1, "")
    floor.cycle("L1", 1)


def test_a_decision_sent_again_is_taken_once(floor: Floor) -> None:
    quality = member(floor, "quinn", Role.QUALITY)
    code = hold(floor, 1, quality)
    number = uuid4()
    replayed = []
    for _ in range(2):
        answer = actions.release_card(
            id=number, code=code, decision="scrap", reason="", now=floor.now, source=quality
        )
        assert isinstance(answer, Answer)
        replayed.append(answer.replayed)
    assert replayed == [False, True]
    assert Event.objects.filter(data__intent="count").count() == 1


def test_who_may_not_release_decides_nothing(floor: Floor) -> None:
    code = hold(floor, 1, member(floor, "quinn", Role.QUALITY))
    operator = member(floor, "otto", Role.OPERATOR)
    answer = actions.release_card(
        id=uuid4(), code=code, decision="scrap", reason="", now=floor.now, source=operator
    )
    assert isinstance(answer, Answer)
    assert (answer.body["outcome"], floor.card("L1", 1).card_status) == ("refused", "HELD")
    assert QualityHold.objects.get().released_at is None


def test_a_hold_ends_with_the_card_that_is_lost_or_removed(floor: Floor) -> None:
    quality, leader = member(floor, "quinn", Role.QUALITY), member(floor, "lea")
    hold(floor, 1, quality)
    hold(floor, 2, quality)
    floor.scan("L1", 1, "lost", source=leader)
    floor.scan("L1", 2, "remove", source=leader)
    assert open_holds([floor.plant.pk]) == []


def test_a_card_has_one_open_hold(floor: Floor) -> None:
    hold(floor, 1, member(floor, "quinn", Role.QUALITY))
    with pytest.raises(IntegrityError), transaction.atomic():
        QualityHold.objects.create(card=floor.card("L1", 1), reason="again", held_at=floor.now)


# -- changeovers -----------------------------------------------------------------------------------------
def test_a_changeover_is_recorded_with_its_minutes_and_families(floor: Floor) -> None:
    station = Station.objects.get(code="SMT")
    for family, minutes in (("A", 30), ("B", 12), ("A", 20), ("B", 10), ("A", 22)):
        actions.begin_changeover(
            station="SMT",
            from_family=changeovers_of(station.pk).newest,
            to_family=family,
            now=floor.now,
            source=floor.source,
        )
        under_way = changeovers_of(station.pk).running
        assert under_way is not None
        assert under_way.to_family == family
        floor.now += timedelta(minutes=minutes)
        actions.finish_changeover(station="SMT", now=floor.now, source=floor.source)
        floor.now += timedelta(hours=2)
    found = changeovers_of(station.pk)
    assert (found.running, found.newest) == (None, "A")
    assert [(times.family, times.count, times.last, times.median) for times in found.families] == [
        ("A", 3, 22.0, 22.0),
        ("B", 2, 10.0, 11.0),
    ]
    event = Event.objects.filter(type="station.changeover").order_by("id").last()
    assert event is not None
    assert (event.data["from_family"], event.data["to_family"], event.data["minutes"]) == ("B", "A", 22.0)
    assert changeovers_of(Station.objects.get(code="TEST").pk).families == []


def test_one_changeover_at_a_time(floor: Floor) -> None:
    begun = actions.begin_changeover(station="SMT", to_family="A", now=floor.now, source=floor.source)
    again = actions.begin_changeover(station="SMT", to_family="A", now=floor.now, source=floor.source)
    assert again.pk == begun.pk
    codes = []
    steps: list[Callable[[], object]] = [
        lambda: actions.begin_changeover(station="SMT", to_family="B", now=floor.now, source=floor.source),
        lambda: actions.begin_changeover(station="TEST", to_family=" ", now=floor.now, source=floor.source),
        lambda: actions.finish_changeover(station="TEST", now=floor.now, source=floor.source),
        lambda: actions.finish_changeover(station="SMT", now=floor.now, source=Source()),
    ]
    for step in steps:
        with pytest.raises(actions.ChangeoverRefused) as caught:
            step()
        codes.append(caught.value.code)
    assert codes == ["changeover_running", "family_missing", "changeover_not_running", "unknown_station"]


def test_the_median_of_times_is_the_middle_one_and_the_last_the_newest() -> None:
    done = [
        Changeover("", "A", START + timedelta(hours=n), minutes) for n, minutes in enumerate([50, 5, 9, 7])
    ]
    assert [(times.count, times.last, times.median) for times in times_of(done)] == [(4, 7, 8.0)]
    assert times_of([Changeover("", "A", START, None)]) == []
