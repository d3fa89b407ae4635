"""From reads to scans, with the tables: how many visits, how many scans, what the cards say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jitapp.accounts.models import Person
from jitapp.plant.models import Membership
from jitapp.pull.models import Receipt
from jitapp.tags import watching
from jitapp.tags.binding import unbind
from jitapp.tags.models import Alarm, Reader, ReadPoint, Sighting, Tag
from jitapp.tags.reads import Read
from jitapp.tags.taking import UnknownReader
from jitapp.tags.words import AlarmKind, Signal, Why
from tests.tags.portal import LOOP, Portal, epc

pytestmark = pytest.mark.django_db


def test_a_tag_that_comes_to_the_gate_is_one_scan_however_often_it_is_read() -> None:
    portal = Portal()
    portal.point()
    first = portal.see(1)
    assert [each.answer["code"] for each in first.shown] == ["emptied"]
    for _ in range(19):
        assert portal.see(1, after=0.5).shown == []
    assert portal.floor.card(LOOP, 1).supply_status == "EMPTY"
    (visit,) = portal.visits(1)
    assert (visit.signal, visit.outcome, visit.code) == (Signal.DONE, "applied", "emptied")
    assert visit.scan_id is not None
    assert Receipt.objects.get(scan_id=visit.scan_id).device_id == portal.device.pk
    assert Sighting.objects.get(tag=visit.tag).reads == 20


def test_three_seconds_of_silence_end_a_presence_and_half_a_second_does_not() -> None:
    portal = Portal()
    portal.point(refire_minutes=0)
    for after in (0.0, 0.2, 0.5, 2.9):
        portal.see(1, after=after)
    assert len(portal.visits(1)) == 1
    assert portal.see(1, after=3.0).taken.left == 1
    assert [visit.number for visit in portal.visits(1)] == [1, 2]
    assert portal.visits(1)[0].left_at == portal.now - timedelta(seconds=3)


def test_a_card_gives_no_second_signal_within_the_refire_time_also_by_its_other_tag() -> None:
    portal = Portal()
    portal.bind(7, 1)
    portal.point(refire_minutes=10)
    portal.see(1)
    portal.see(7, after=30)
    portal.see(1, after=60)
    assert [visit.why for visit in (*portal.visits(7), *portal.visits(1)[1:])] == [Why.LOCKED, Why.LOCKED]
    portal.see(1, after=600)
    assert portal.visits(1)[-1].outcome == "already"
    assert Receipt.objects.count() == 2


def test_two_tags_of_one_card_in_one_body_are_one_scan() -> None:
    portal = Portal()
    portal.bind(7, 1)
    portal.point()
    assert len(portal.see(1, 7).shown) == 1


def test_what_was_refused_may_be_tried_again_at_once() -> None:
    portal = Portal()
    point = portal.point(intent="complete")
    assert portal.see(1).shown[0].answer["outcome"] == "refused"
    point.intent = "empty"
    point.save()
    assert portal.see(1, after=5).shown[0].answer["outcome"] == "applied"


def test_the_scan_comes_when_the_tag_goes_where_the_zone_says_so() -> None:
    portal = Portal()
    portal.point(moment="leave")
    assert portal.see(1).shown == []
    portal.see(1, after=2)
    left = portal.now
    portal.floor.now += timedelta(seconds=4)
    assert watching.sweep(now=portal.now) == [], "a read may be on its way for two seconds"
    portal.floor.now += timedelta(seconds=1)
    (shown,) = watching.sweep(now=portal.now)
    assert shown.answer["code"] == "emptied"
    (visit,) = portal.visits(1)
    assert (visit.left_at, visit.scan_at, visit.reads) == (left, left, 2)
    assert watching.sweep(now=portal.now) == []


def test_a_tag_that_was_taken_off_its_card_meanwhile_signals_nothing_when_it_goes() -> None:
    portal = Portal()
    portal.point(moment="leave")
    portal.see(1)
    plants = frozenset({portal.floor.plant.pk})
    unbind(tag=epc(1), reason="torn off", plant_ids=plants, now=portal.now)
    portal.floor.now += timedelta(seconds=6)
    assert watching.sweep(now=portal.now) == []
    assert portal.visits(1)[0].why == Why.UNKNOWN


@pytest.mark.parametrize("change", [{"active": False}, {"purpose": "watch"}])
def test_a_zone_that_is_switched_off_makes_no_tag_go(change: dict[str, object]) -> None:
    portal = Portal()
    portal.point(moment="leave")
    portal.see(1, 2)
    ReadPoint.objects.update(**change)
    portal.floor.now += timedelta(seconds=6)
    assert watching.sweep(now=portal.now) == []
    assert {visit.why for tag in (1, 2) for visit in portal.visits(tag)} == {Why.REVOKED}
    assert not Receipt.objects.exists()


def test_a_reader_that_was_revoked_is_not_heard_and_its_silence_says_nothing() -> None:
    """Also where no token is asked: connections that we keep ourselves."""
    portal = Portal()
    portal.point(moment="leave")
    portal.see(1)
    portal.device.__class__.objects.filter(pk=portal.device.pk).update(active=False)
    with pytest.raises(UnknownReader):
        portal.see(1, 2, after=1)
    portal.floor.now += timedelta(seconds=6)
    assert watching.sweep(now=portal.now) == []
    assert portal.visits(1)[0].why == Why.REVOKED
    assert portal.visits(2) == []


def test_a_read_that_was_on_its_way_continues_the_visit_that_seemed_over() -> None:
    portal = Portal()
    portal.point(refire_minutes=0)
    portal.see(1)
    read_at = portal.now + timedelta(seconds=2.5)
    portal.floor.now += timedelta(seconds=6)
    watching.sweep(now=portal.now)
    assert portal.visits(1)[0].left_at is not None
    assert portal.send(Read(epc(1), 1, read_at, -50)).shown == []
    assert len(portal.visits(1)) == 1


def test_several_antennas_are_one_zone_and_another_zone_must_be_stronger() -> None:
    portal = Portal()
    portal.point("in", antennas=[1, 2], purpose="watch")
    portal.point("out", antennas=[3], purpose="watch")
    for antenna, rssi in ((1, -50), (2, -52), (3, -51), (1, -50), (3, -52), (2, -51), (3, -50)):
        portal.see(1, after=0.1, antenna=antenna, rssi=rssi)
    assert [visit.point.name for visit in portal.visits(1)] == ["in"]
    for _ in range(4):
        portal.see(1, after=0.1, antenna=3, rssi=-40)
    assert [visit.point.name for visit in portal.visits(1)] == ["in", "out"]


def test_weak_reads_and_too_few_reads_are_no_arrival() -> None:
    portal = Portal()
    portal.point(enter_reads=3, enter_rssi=-45, floor_rssi=-70)
    assert portal.see(1, rssi=-75).taken.weak_or_late == 1
    for _ in range(2):
        assert portal.see(1, after=0.3, rssi=-60).taken.arrived == []
    assert len(portal.see(1, after=0.3, rssi=-60).taken.arrived) == 1
    assert len(portal.see(2, rssi=-44).taken.arrived) == 1


def test_an_antenna_without_a_zone_is_counted_where_somebody_sees_it() -> None:
    portal = Portal()
    portal.point(antennas=[1])
    assert portal.see(1, antenna=4).taken.without_zone == 1
    assert Reader.objects.get(pk=portal.device.pk).zoneless == {"4": 1}
    assert portal.visits(1) == []


def test_a_reader_without_zones_gets_one_at_its_station() -> None:
    portal = Portal()
    answer = portal.see(1).shown[0].answer
    assert answer["outcome"] == "applied", answer
    lonely, _ = portal.reader("GATE", station=None)
    assert portal.see(2, device=lonely).shown == []
    assert portal.visits(2)[0].why == Why.WATCHED


def test_a_device_of_no_plant_sends_nothing() -> None:
    portal = Portal()
    with pytest.raises(UnknownReader):
        portal.send(
            Read(epc(1)), device=portal.floor.device.__class__.objects.create(name="x", kind="reader")
        )


def test_a_tag_between_two_readers_raises_an_alarm_once() -> None:
    portal = Portal()
    other, _ = portal.reader("DOCK-2")
    portal.point("one", purpose="watch")
    portal.point("two", device=other, purpose="watch")
    portal.see(1)
    portal.see(2)
    portal.see(1, after=1, device=other)
    portal.see(2, after=10, device=other)
    alarm = Alarm.objects.get(kind=AlarmKind.CROSS_READ)
    assert (alarm.tag_id, alarm.count) == (portal.visits(1)[0].tag_id, 1)
    assert {alarm.point_id, alarm.other_id} == {visit.point_id for visit in portal.visits(1)}


def test_a_silent_reader_raises_an_alarm_that_closes_when_it_is_heard() -> None:
    portal = Portal()
    portal.see(1)
    Reader.objects.update(silent_minutes=5)
    watching.sweep(now=portal.now + timedelta(minutes=4))
    assert not Alarm.objects.exists()
    for minutes in (6, 7):
        watching.sweep(now=portal.now + timedelta(minutes=minutes))
    assert Alarm.objects.get().closed_at is None
    portal.floor.now += timedelta(minutes=8)
    portal.send()
    watching.sweep(now=portal.now)
    assert Alarm.objects.get().closed_at is not None


def test_a_reader_whose_clock_is_wrong_is_corrected_and_a_backlog_is_not() -> None:
    portal = Portal()
    portal.point(refire_minutes=0)
    slow = timedelta(minutes=7)
    portal.send(Read(epc(1), 1, portal.now - slow, -50))
    assert portal.visits(1)[0].arrived_at == portal.now
    assert Reader.objects.get().clock_error_ms == -420_000
    portal.floor.now += timedelta(minutes=5)
    portal.send(Read(epc(2), 1, portal.now, -50))  # somebody has set it
    assert portal.visits(2)[0].arrived_at == portal.now
    portal.floor.now += timedelta(hours=1)
    happened = portal.now - timedelta(minutes=30)
    portal.send(Read(epc(2), 1, happened, -50))  # kept while the network was away
    assert portal.visits(2)[-1].arrived_at == happened


def test_a_clock_that_runs_ahead_reads_nothing_in_the_future() -> None:
    portal = Portal()
    portal.point()
    portal.send(Read(epc(1), 1, portal.now + timedelta(hours=2), -50))
    assert portal.visits(1)[0].arrived_at == portal.now


def test_reads_in_any_order_and_twice_are_the_same_visit() -> None:
    portal = Portal()
    portal.point()
    times = [portal.now - timedelta(seconds=second) for second in (0, 2, 1, 3, 2)]
    reads = [Read(epc(1), 1, at, -50) for at in times]
    portal.send(*reads)
    portal.send(*reads)
    (visit,) = portal.visits(1)
    assert visit.arrived_at == min(times)
    assert portal.send(Read(epc(1), 1, portal.now - timedelta(minutes=5), -50)).taken.weak_or_late == 1


def test_a_scan_that_nobody_came_to_make_is_made_by_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    portal = Portal()
    portal.point()
    with monkeypatch.context() as patch:
        patch.setattr("jitapp.tags.intake.fire", lambda due, now: [])
        portal.see(1)
    assert portal.visits(1)[0].signal == Signal.DUE
    assert len(watching.sweep(now=portal.now + timedelta(days=1))) == 1
    assert portal.visits(1)[0].outcome == "applied"


def test_a_station_is_told_in_the_language_of_whoever_leads_it() -> None:
    """A reader has no language of its own, unless somebody gives it one."""
    portal = Portal(cards=4)
    portal.point(refire_minutes=0)
    for name, language in (("Jo", "fr"), ("Al", "fr"), ("Bo", "de")):
        person = Person.objects.create(username=name, name=name, language=language)
        Membership.objects.create(person=person, plant=portal.floor.plant, role="operator")
    assert "carte 1 sur 4" in told(portal, 1), "what most people of the plant speak"
    lea = Person.objects.create(username="lea", name="Lea", language="de")
    portal.floor.area.leader = lea
    portal.floor.area.save()
    assert "Karte 2 von 4" in told(portal, 2)
    Reader.objects.update(language="en")
    assert "card 3 of 4" in told(portal, 3)


def told(portal: Portal, tag: int) -> str:
    return str(portal.see(tag).shown[0].answer["message"])


def test_unknown_tags_wait_for_somebody_and_the_station_is_told() -> None:
    portal = Portal()
    portal.point()
    (shown,) = portal.see(9).shown
    assert (shown.station, shown.answer["code"]) == ("TEST", "tag_unknown")
    tag = Tag.objects.get(hex=epc(9))
    assert (tag.identity, tag.card_id, tag.visits) == ("urn:epc:id:sgtin:0614141.812345.9", None, 1)
    assert portal.see(9, after=1).shown == []


def test_the_inbox_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jitapp.tags.known.MOST_UNKNOWN", 2)
    portal = Portal()
    taken = portal.see(11, 12, 13).taken
    assert [each.code for each in taken.refused] == ["inbox_full"]
    assert taken.used == 2


def test_another_filter_value_is_the_same_tag_and_a_blank_one_is_none() -> None:
    portal = Portal()
    portal.point()
    portal.see(1)
    again = portal.send(
        Read("3054257BF7194E4000000001", 1, portal.now, -50), Read("00" * 12, 1, portal.now, -50)
    )
    assert [each.code for each in again.taken.refused] == ["epc_blank"]
    assert Tag.objects.filter(identity__endswith=".1").count() == 1


def test_old_visits_and_forgotten_tags_go() -> None:
    portal = Portal()
    portal.see(1, 9)
    portal.floor.now += timedelta(days=91)
    watching.prune(now=portal.now)
    assert portal.visits(1) == []
    assert not Tag.objects.filter(hex=epc(9)).exists()
    assert Tag.objects.filter(hex=epc(1)).exists()
