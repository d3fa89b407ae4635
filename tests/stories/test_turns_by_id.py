"""R9: an act on a turn by its id is an act on that turn, or on none."""

from __future__ import annotations

from typing import Any

import pytest

from jitapp.pull.models import Event, Turn
from tests.floor import Floor
from tests.stories.shops import as_erp, post, supplied

ACTS: dict[str, dict[str, Any]] = {
    "acknowledge": {},
    "promise": {"promised_at": "2030-01-01T10:00:00Z"},
    "reject": {"reason": "no steel"},
    "start": {},
    "complete": {},
    "ship": {},
    "dock": {},
    "receive": {},
    "cancel": {"reason": "not needed"},
    "release": {"reason": "ask again"},
    "retry": {"reason": "opened again"},
}


def second_turn() -> tuple[Floor, Turn, Turn]:
    """Card 1 has closed its first turn; its second is open."""
    floor = supplied(cards=2)
    floor.scan("S", 1, "empty")
    first = floor.turn("S", 1)
    floor.cycle("S", 1)
    floor.scan("S", 1, "empty")
    as_erp(floor)
    first.refresh_from_db()
    return floor, first, floor.turn("S", 1)


@pytest.mark.parametrize("verb", ACTS)
def test_r09_an_act_on_a_closed_turn_never_acts_on_the_open_one(verb: str) -> None:
    floor, first, second = second_turn()
    before = (Event.objects.count(), second.signal_state, second.step)
    answer = post(floor, f"/turns/{first.uuid}/{verb}", ACTS[verb])
    assert (answer.status_code, answer.json()["code"]) == (409, "turn_closed"), answer.content
    second.refresh_from_db()
    assert (Event.objects.count(), second.signal_state, second.step) == before
    assert second.promised_at is None


@pytest.mark.parametrize("verb", ["receive", "ship", "cancel", "promise"])
def test_r09_a_closed_turn_of_a_card_without_an_open_one_is_closed_too(verb: str) -> None:
    floor = supplied(cards=2)
    floor.scan("S", 1, "empty")
    first = floor.turn("S", 1)
    floor.cycle("S", 1)
    as_erp(floor)
    answer = post(floor, f"/turns/{first.uuid}/{verb}", ACTS[verb])
    assert (answer.status_code, answer.json()["code"]) == (409, "turn_closed"), answer.content


def test_r09_the_open_turn_is_acted_on_by_its_own_id() -> None:
    floor, _, second = second_turn()
    assert post(floor, f"/turns/{second.uuid}/ship").json()["code"] == "loaded"
    assert post(floor, f"/turns/{second.uuid}/receive").json()["code"] == "received"


def test_r09_the_first_answer_to_a_key_stands_after_its_turn_was_closed() -> None:
    floor = supplied(cards=2)
    floor.scan("S", 1, "empty")
    turn = floor.turn("S", 1)
    as_erp(floor)
    first = post(floor, f"/turns/{turn.uuid}/receive", key="receipt 4711")
    assert first.json()["code"] == "received"
    again = post(floor, f"/turns/{turn.uuid}/receive", key="receipt 4711")
    assert (again.status_code, again.json()) == (200, first.json() | {"replayed": True})
    other = post(floor, f"/turns/{turn.uuid}/receive", key="receipt 4712")
    assert (other.status_code, other.json()["code"]) == (409, "turn_closed")
