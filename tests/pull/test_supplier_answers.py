"""Where the supplier must answer (`ack_required`): nothing is sent before it, and its silence is an event, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jitapp.pull import actions
from jitapp.pull.models import Event, Receipt
from tests.stories.shops import supplied

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.mark.parametrize("intent", ["start", "ship"])
def test_nothing_is_made_or_sent_before_the_answer(intent: str) -> None:
    floor = supplied(ack_required=True)
    floor.scan("S", 1, "empty")
    said = floor.scan("S", 1, intent, at="ACME")
    assert (said["outcome"], said["code"]) == ("refused", "answer_missing")
    assert Receipt.objects.get(scan_id=said["id"]).outcome == "refused"
    assert floor.scan("S", 1, "acknowledge", at="ACME")["outcome"] == "applied"
    assert floor.scan("S", 1, "ship", at="ACME")["outcome"] == "applied"


def test_where_no_answer_is_asked_for_it_is_sent_at_once() -> None:
    floor = supplied(ack_required=False)
    floor.scan("S", 1, "empty")
    assert floor.scan("S", 1, "ship", at="ACME")["outcome"] == "applied"


@pytest.mark.parametrize(("required", "minutes", "events"), [(True, 61, 1), (True, 60, 0), (False, 61, 0)])
def test_silence_for_longer_than_the_loop_allows_is_an_event_once(
    required: bool, minutes: int, events: int
) -> None:
    floor = supplied(ack_required=required, ack_within_minutes=60)
    floor.scan("S", 1, "empty")
    for _ in range(2):
        actions.sweep(now=floor.now + timedelta(minutes=minutes))
    found = Event.objects.filter(type="turn.answer_late")
    assert list(found.values_list("card_id", flat=True)) == [floor.card("S", 1).pk] * events
    assert floor.turn("S", 1).answer_late is bool(events)
