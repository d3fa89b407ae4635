"""A loop takes the place of another at a date: its cards go out when they are empty, nothing under way is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jitapp.plant.models import Loop, LoopRevision
from jitapp.pull import actions
from jitapp.pull.models import Event
from jitapp.pull.proof.verify import verify
from jitapp.pull.reading.plans import changes_of, revisions_of, state_of
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    made = Floor()
    made.station("SMT", "PROCESS")
    made.station("SHIP", "SHIPPING")
    made.loop("OLD", part="BOARD-A", supply="SMT", demand="SHIP", cards=3, quantity=4)
    made.loop(
        "NEW", part="BOARD-B", supply="SMT", demand="SHIP", cards=2, quantity=4, first=None, status="DRAFT"
    )
    return made


def plan(floor: Floor, days: int = 1) -> LoopRevision:
    return actions.plan_successor(
        loop_id=Loop.objects.get(code="OLD").pk,
        successor_id=Loop.objects.get(code="NEW").pk,
        effective_at=floor.now + timedelta(days=days),
        reason="version B",
        now=floor.now,
    )


def test_at_its_date_the_old_cards_go_out_as_they_become_empty_and_the_new_loop_begins(floor: Floor) -> None:
    old, new = Loop.objects.get(code="OLD"), Loop.objects.get(code="NEW")
    plan(floor)
    floor.scan("OLD", 1, "empty")  # on its way on the day
    assert actions.apply_due_revisions(now=floor.now) == set()
    floor.now += timedelta(days=1, minutes=5)
    assert actions.apply_due_revisions(now=floor.now) == {old.pk}
    new.refresh_from_db()
    assert new.status == "ACTIVE"
    assert state_of(old.pk).due == 3
    floor.scan("OLD", 2, "empty")
    assert [card.number for card in state_of(old.pk).collect] == [2]
    came = floor.scan("OLD", 1, "receive")  # what was asked for still comes
    assert came["outcome"] == "applied"
    floor.scan("OLD", 1, "empty")
    floor.scan("OLD", 3, "empty")
    assert {card.number for card in state_of(old.pk).collect} == {1, 2, 3}
    assert floor.open_runout("OLD") is None
    assert floor.scan("NEW", 1, "activate")["outcome"] == "applied"
    assert changes_of(old.pk)[0].changed == {"successor": ("", "NEW")}
    assert verify().differences == []


def test_a_loop_that_cannot_follow_is_refused_at_once_and_on_the_day(floor: Floor) -> None:
    floor.station("TEST", "PROCESS")
    floor.loop("ELSEWHERE", part="BOARD-C", supply="SMT", demand="TEST")
    with pytest.raises(actions.Refused, match="same station"):
        actions.plan_successor(
            loop_id=Loop.objects.get(code="OLD").pk,
            successor_id=Loop.objects.get(code="ELSEWHERE").pk,
            effective_at=floor.now + timedelta(days=1),
            now=floor.now,
        )
    plan(floor)
    actions.retire_loop(loop_id=Loop.objects.get(code="NEW").pk, reason="not built", now=floor.now)
    floor.now += timedelta(days=2)
    assert actions.apply_due_revisions(now=floor.now) == set()
    assert "retired" in revisions_of(Loop.objects.get(code="OLD").pk)[0].refusal
    assert state_of(Loop.objects.get(code="OLD").pk).due == 0


def test_what_was_planned_can_be_withdrawn_once(floor: Floor) -> None:
    number, old = plan(floor).number, Loop.objects.get(code="OLD").pk
    before = Event.objects.count()
    assert actions.withdraw_revision(loop_id=old, number=number, by="Eva", now=floor.now)
    assert not actions.withdraw_revision(loop_id=old, number=number, by="Eva", now=floor.now)
    floor.now += timedelta(days=2)
    assert actions.apply_due_revisions(now=floor.now) == set()
    assert revisions_of(old)[0].refusal == "Withdrawn by Eva."
    assert Event.objects.count() == before
