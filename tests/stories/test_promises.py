"""R10 and R11: a promise is checked like an acknowledgement and is seen; and what says something new is no bounce."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from jitapp.plant.models import Loop
from tests.floor import Floor
from tests.stories.shops import as_erp, get, leading_device, listed, post, supplied, two_bins

LATE_WORDS = "later than the due date"


def asked() -> tuple[Floor, datetime]:
    """A signal has gone out to ACME; when it is due."""
    floor = supplied()
    floor.scan("S", 1, "empty")
    due_at = floor.turn("S", 1).due_at
    assert due_at is not None
    return floor, due_at


def says(floor: Floor, intent: str, promised_at: datetime, **more: Any) -> dict[str, Any]:
    return floor.scan("S", 1, intent, at="ACME", promised_at=promised_at, **more)


@pytest.mark.parametrize("intent", ["promise", "acknowledge"])
def test_r10_a_promise_after_the_due_date_is_taken_with_a_warning(intent: str) -> None:
    floor, due_at = asked()
    answer = says(floor, intent, due_at + timedelta(hours=1))
    assert (answer["outcome"], answer["state"]) == ("applied", "flagged")
    assert LATE_WORDS in answer["message"]


@pytest.mark.parametrize("intent", ["promise", "acknowledge"])
def test_r10_a_promise_in_time_is_taken_without_one(intent: str) -> None:
    floor, due_at = asked()
    answer = says(floor, intent, due_at - timedelta(minutes=5))
    assert (answer["outcome"], answer["state"]) == ("applied", "applied")
    assert floor.turn("S", 1).promised_at == due_at - timedelta(minutes=5)


@pytest.mark.parametrize("intent", ["promise", "acknowledge"])
def test_r10_a_promise_in_the_past_is_refused(intent: str) -> None:
    floor, _ = asked()
    answer = says(floor, intent, floor.now - timedelta(minutes=5))
    assert (answer["outcome"], answer["code"]) == ("refused", "promise_past")
    turn = floor.turn("S", 1)
    assert (turn.promised_at, turn.signal_state) == (None, "RELEASED")


def test_r10_a_promise_over_http_is_checked_alike() -> None:
    floor, _ = asked()
    as_erp(floor)
    turn = floor.turn("S", 1)
    path = f"/turns/{turn.uuid}/promise"
    assert post(floor, path, {"promised_at": "2020-01-01T10:00:00Z"}).json()["code"] == "promise_past"
    answer = post(floor, path, {"promised_at": "2040-01-01T10:00:00Z"}).json()
    assert (answer["outcome"], answer["state"]) == ("applied", "flagged")


def test_r10_a_promise_is_seen_in_lists_on_the_loops_page_and_on_the_board() -> None:
    floor, _ = asked()
    as_erp(floor)
    turn = floor.turn("S", 1)
    # Far ahead, so that today's clock (the pages have it) is before it.
    promised = datetime.fromisoformat("2040-03-04T13:37:00+00:00")
    post(floor, f"/turns/{turn.uuid}/promise", {"promised_at": promised.isoformat()})
    for facts in (get(floor, f"/turns/{turn.uuid}"), listed(floor, "/turns?open=1")[0]):
        assert datetime.fromisoformat(facts["promised_at"]) == promised
    client = Client()
    client.force_login(floor.person("root", is_superuser=True))
    for page in (f"/l/{Loop.objects.get().pk}", f"/b/{floor.area.code}"):
        shown = client.get(page).content.decode()
        assert "13:37" in shown, page


def test_r10_a_turn_without_a_promise_says_none() -> None:
    floor, _ = asked()
    assert get(floor, f"/turns/{floor.turn('S', 1).uuid}")["promised_at"] is None


# -- R11 -----------------------------------------------------------------------------------------------
QUICK = 0.01  # minutes: within the bounce time


def test_r11_a_second_count_within_the_bounce_time_is_a_count() -> None:
    floor = two_bins(quantity=200)
    assert floor.scan("L", 1, "count", quantity=150)["code"] == "counted"
    assert floor.scan("L", 1, "count", quantity=100, after=QUICK)["code"] == "counted"
    assert floor.card("L", 1).contents == 100


def test_r11_the_same_count_read_twice_is_a_bounce() -> None:
    floor = two_bins(quantity=200)
    floor.scan("L", 1, "count", quantity=150)
    assert floor.scan("L", 1, "count", quantity=150, after=QUICK)["outcome"] == "bounced"
    assert floor.scan("L", 1, "count", quantity="150.0", after=QUICK)["outcome"] == "bounced"


def test_r11_a_label_read_twice_is_a_bounce() -> None:
    floor = two_bins()
    floor.scan("L", 1, "empty")
    assert floor.scan("L", 1, "empty", after=QUICK)["outcome"] == "bounced"
    assert floor.scan("L", 1, None, after=QUICK)["outcome"] == "bounced"


def test_r11_a_corrected_promise_within_the_bounce_time_is_a_promise() -> None:
    floor, due_at = asked()
    says(floor, "promise", due_at - timedelta(hours=1))
    answer = says(floor, "promise", due_at - timedelta(minutes=30), after=QUICK)
    assert answer["outcome"] == "applied"
    assert floor.turn("S", 1).promised_at == due_at - timedelta(minutes=30)
    assert says(floor, "promise", due_at - timedelta(minutes=30), after=QUICK)["outcome"] == "bounced"


def test_r11_another_status_within_the_bounce_time_is_another_correction() -> None:
    floor = two_bins()
    leader = leading_device(floor)
    floor.scan("L", 1, "correct", status="IN_USE", reason="opened", source=leader)
    answer = floor.scan("L", 1, "correct", status="EMPTY", reason="opened", source=leader, after=QUICK)
    assert answer["code"] == "corrected"
    assert floor.status("L")[0] == "EMPTY"


def test_r11_another_reason_within_the_bounce_time_is_a_new_scan() -> None:
    floor = two_bins(quantity=200)
    floor.scan("L", 1, "count", quantity=150, reason="lost")
    answer = floor.scan("L", 1, "count", quantity=150, reason="broken", after=QUICK)
    assert answer["outcome"] != "bounced"


def test_r11_a_quantity_added_to_a_refused_step_is_no_bounce() -> None:
    floor = two_bins(quantity=20)
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "start")
    floor.scan("L", 1, "complete")
    answer = floor.scan("L", 1, "complete", quantity=19, reason="scrap", after=QUICK)
    assert answer["outcome"] != "bounced"
