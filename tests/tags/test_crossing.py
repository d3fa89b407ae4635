"""A tag that two portals read: one signal and an alarm, and none is lost where the tag really goes on to the other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jitapp.accounts.models import Device
from jitapp.pull.models import Receipt
from jitapp.tags import watching
from jitapp.tags.models import Alarm
from jitapp.tags.words import AlarmKind, Why
from tests.tags.portal import Portal

pytestmark = pytest.mark.django_db


def two_portals(**settings: object) -> tuple[Portal, Device]:
    """DOCK-1, where a tag means that its container was emptied, and DOCK-2 beside it, where it is acknowledged."""
    portal = Portal()
    other, _ = portal.reader("DOCK-2")
    portal.point("one")
    portal.point("two", device=other, **({"intent": "count"} | settings))
    return portal, other


def why(portal: Portal) -> list[str]:
    return [visit.why for visit in portal.visits(1)]


def test_a_tag_that_a_neighbour_hears_too_is_one_signal_and_an_alarm() -> None:
    portal, other = two_portals()
    assert len(portal.see(1, rssi=-50).shown) == 1
    for _ in range(20):
        assert portal.see(1, after=0.2, rssi=-62, device=other).shown == []
        assert portal.see(1, after=0.2, rssi=-50).shown == []
    assert why(portal) == [Why.NOTHING, Why.CROSSED]
    assert Receipt.objects.count() == 1
    assert Alarm.objects.get().kind == AlarmKind.CROSS_READ


def test_readers_that_tell_no_strength_give_one_signal_too() -> None:
    portal, other = two_portals()
    portal.see(1, rssi=None)
    portal.see(1, after=0.1, rssi=None, device=other)
    assert Receipt.objects.count() == 1


def test_a_stray_presence_that_ends_is_no_signal() -> None:
    portal, other = two_portals()
    portal.see(1, rssi=-50)
    portal.see(1, after=0.2, rssi=-65, device=other)
    for _ in range(12):
        portal.see(1, after=0.5, rssi=-50)
    assert watching.sweep(now=portal.now) == []
    (stray,) = [visit for visit in portal.visits(1) if visit.why == Why.CROSSED]
    assert stray.left_at is not None
    assert Receipt.objects.count() == 1


def test_both_fall_silent_at_once_and_the_stray_one_is_no_signal() -> None:
    portal, other = two_portals()
    portal.see(1, rssi=-50)
    portal.see(1, after=0.1, rssi=-60, device=other)
    portal.floor.now += timedelta(seconds=6)
    assert watching.sweep(now=portal.now) == []
    assert Receipt.objects.count() == 1


def test_a_tag_that_is_carried_on_to_the_neighbour_signals_there() -> None:
    portal, other = two_portals()
    portal.see(1, rssi=-50)
    assert portal.see(1, after=0.3, rssi=-60, device=other).shown == []
    shown = [each for _ in range(12) for each in portal.see(1, after=0.2, rssi=-55, device=other).shown]
    assert len(shown) == 1
    assert (shown[0].reader, shown[0].zone) == ("DOCK-2", "two")
    assert why(portal) == [Why.NOTHING, Why.NOTHING]


def test_a_weak_neighbour_has_it_once_the_other_has_not_heard_it_for_a_second_and_a_half() -> None:
    portal, other = two_portals()
    portal.see(1, rssi=-50)
    assert portal.see(1, after=1.0, rssi=-52, device=other).shown == []
    assert len(portal.see(1, after=0.8, rssi=-52, device=other).shown) == 1


def test_a_held_tag_that_was_taken_off_its_card_signals_nothing() -> None:
    portal, other = two_portals()
    portal.see(1, rssi=-50)
    portal.see(1, after=0.3, rssi=-60, device=other)
    portal.bind(1, 2)
    for _ in range(12):
        assert portal.see(1, after=0.2, rssi=-55, device=other).shown == []
    assert why(portal)[-1] == Why.UNKNOWN


def test_a_neighbour_that_hears_it_much_stronger_has_it() -> None:
    portal, other = two_portals()
    portal.see(1, rssi=-66)
    assert len(portal.see(1, after=0.2, rssi=-45, device=other).shown) == 1
    assert Alarm.objects.get().kind == AlarmKind.CROSS_READ


def test_a_zone_that_only_watches_holds_nothing_back() -> None:
    portal, _ = two_portals()
    hall, _ = portal.reader("HALL")
    portal.point("hall", device=hall, purpose="watch")
    portal.see(1, rssi=-40, device=hall)
    assert len(portal.see(1, after=0.1, rssi=-60).shown) == 1


def test_a_zone_that_waits_for_the_going_is_held_back_in_the_same_way() -> None:
    portal, other = two_portals(moment="leave")
    portal.see(1, rssi=-50)
    portal.see(1, after=0.2, rssi=-62, device=other)
    for _ in range(10):
        portal.see(1, after=0.5, rssi=-50)
    assert watching.sweep(now=portal.now) == []
    for _ in range(12):
        portal.see(1, after=0.3, rssi=-45, device=other)
    assert portal.visits(1)[-1].why == Why.LATER
    portal.floor.now += timedelta(seconds=6)
    assert len(watching.sweep(now=portal.now)) == 1
