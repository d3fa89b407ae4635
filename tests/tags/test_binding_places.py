"""Tag and card put together by holding one to a reader and scanning the other."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from jitapp.plant.models import Identifier
from jitapp.tags import watching
from jitapp.tags.binding import TagRefused, bind, unbind
from jitapp.tags.models import Alarm, Binding, ReadPoint, Tag
from jitapp.tags.words import AlarmKind, How, Why
from tests.tags.portal import LOOP, Portal, epc

pytestmark = pytest.mark.django_db


@pytest.fixture
def portal() -> Portal:
    portal = Portal(cards=3)
    portal.floor.station("TAGGING")
    device, _ = portal.reader("BENCH", station="TAGGING")
    portal.device = device
    portal.point("bench", purpose="bind", station=portal.floor.station("BENCH-PLACE"), intent="")
    portal.floor.now += timedelta(minutes=10)
    return portal


def scan(portal: Portal, number: int) -> None:
    """The card is scanned at the bench; a station at neither end of the loop moves nothing."""
    answer = portal.floor.scan(LOOP, number, None, at="BENCH-PLACE", after=1 / 60)
    assert answer["outcome"] == "refused"


def card_of(tag: int) -> int | None:
    found = Tag.objects.select_related("card").get(hex=epc(tag)).card
    return found.number if found else None


def sweep(portal: Portal) -> list[str]:
    return [str(each.answer["code"]) for each in watching.sweep(now=portal.now)]


def test_the_tag_first_then_the_card(portal: Portal) -> None:
    assert portal.see(9).shown == []
    scan(portal, 2)
    assert sweep(portal) == ["tag_bound"]
    binding = Binding.objects.get(tag__hex=epc(9))
    assert (binding.how, binding.device_id, card_of(9)) == (How.PLACE, portal.device.pk, 2)
    assert sweep(portal) == []


def test_the_card_first_then_the_tag(portal: Portal) -> None:
    scan(portal, 2)
    (shown,) = portal.see(9, after=20).shown
    assert (shown.answer["code"], shown.reader, shown.station) == ("tag_bound", "BENCH", "BENCH-PLACE")
    assert card_of(9) == 2


def test_a_minute_apart_they_do_not_belong_together(portal: Portal) -> None:
    scan(portal, 2)
    portal.see(9, after=70)
    assert sweep(portal) == []
    assert card_of(9) is None


def test_one_scan_of_a_card_binds_one_tag(portal: Portal) -> None:
    scan(portal, 2)
    portal.see(9, after=1)
    portal.see(10, after=5)
    assert sweep(portal) == []
    assert (card_of(9), card_of(10)) == (2, None)
    scan(portal, 2)
    assert sweep(portal) == ["tag_bound"]
    assert card_of(10) == 2


def test_two_tags_or_two_cards_at_once_are_not_guessed_about(portal: Portal) -> None:
    portal.see(9, 10)
    scan(portal, 2)
    assert sweep(portal) == []
    assert (card_of(9), card_of(10)) == (None, None)
    assert Alarm.objects.get().kind == AlarmKind.UNCLEAR


def test_a_tag_that_is_on_a_card_stays_there(portal: Portal) -> None:
    scan(portal, 2)
    portal.see(1, after=1)
    assert (sweep(portal), card_of(1)) == ([], 1)
    assert portal.visits(1)[0].why == Why.BINDING


def test_a_bound_tag_is_found_by_scanners_that_read_its_number(portal: Portal) -> None:
    tag = Tag.objects.get(hex=epc(1))
    answer = portal.floor.scan(LOOP, 1, "empty", code=tag.identity)
    assert answer["code"] == "emptied"
    unbind(tag=epc(1), reason="torn", plant_ids=frozenset({portal.floor.plant.pk}), now=portal.now)
    assert portal.floor.scan(LOOP, 1, "empty", code=tag.identity)["code"] == "not_a_card"


def test_a_tag_whose_number_was_a_code_of_the_card_is_on_it_at_once(portal: Portal) -> None:
    ReadPoint.objects.update(purpose="watch")
    Identifier.objects.create(code="AABB", kind="card", target_id=portal.floor.card(LOOP, 3).pk)
    from jitapp.tags.reads import Read

    portal.send(Read("AABB", 1, portal.now, -50))
    assert Binding.objects.get(tag__identity="AABB").how == How.CODE


def test_a_tag_of_another_plants_card_is_not_taken_away(portal: Portal) -> None:
    from tests.floor import Floor

    away = Floor("AWAY")
    away.station("A1")
    away.station("A2")
    away.loop("L9", part="X", supply="A1", demand="A2")
    with pytest.raises(TagRefused) as refused:
        bind(
            tag=epc(1),
            card=away.card("L9", 1).code,
            how=How.FORM,
            plant_ids=frozenset({away.plant.pk}),
            now=datetime.now(portal.now.tzinfo),
            move=True,
        )
    assert refused.value.code == "other_plant"
    assert card_of(1) == 1
