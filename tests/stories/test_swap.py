"""R1: at a supermarket with hand detaching a production card is emptied by the swap, or by a correction, and by nothing
else; a refused half leaves the other half waiting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from jitapp.plant.models import Station
from jitapp.pull import actions, store
from jitapp.pull.models import Turn, TurnLink
from jitapp.pull.scan_request import Answer
from tests.floor import Floor
from tests.stories.shops import another_device, supermarket

SOON = 0.3  # minutes between two scans of one pair
INTENTS = [None, "load", "empty"]


def at_market(floor: Floor, loop: str, number: int, intent: str | None = None, **more: Any) -> dict[str, Any]:
    """A scan in front of the supermarket's shelf."""
    more.setdefault("after", SOON)
    return floor.scan(loop, number, intent, at="SM", **more)


def refused(answer: dict[str, Any], code: str) -> None:
    assert (answer["outcome"], answer["code"]) == ("refused", code), answer


def nothing_was_asked_of_the_cell(floor: Floor) -> None:
    assert not Turn.objects.filter(loop__code="P").exists()


@pytest.mark.parametrize("intent", INTENTS)
def test_r01_a_production_card_is_emptied_only_by_the_swap(intent: str | None) -> None:
    floor = supermarket()
    answer = at_market(floor, "P", 1, intent)
    refused(answer, "swap_needs_withdrawal")
    assert "withdrawal card" in f"{answer['message']} {answer['next']}".lower()
    assert floor.status("P") == ["FULL", "FULL"]
    nothing_was_asked_of_the_cell(floor)


@pytest.mark.parametrize("intent", INTENTS)
def test_r01_the_younger_container_is_refused_and_the_oldest_then_completes_the_pair(
    intent: str | None,
) -> None:
    floor = supermarket()
    floor.scan("W", 1, "empty")
    refused(at_market(floor, "W", 1), "swap_incomplete")
    refused(at_market(floor, "P", 2), "swap_not_oldest")
    assert at_market(floor, "P", 1, intent)["code"] == "swapped"
    assert (floor.status("W")[0], floor.status("P")) == ("IN_TRANSIT", ["EMPTY", "FULL"])
    assert Turn.objects.filter(loop__code="P").count() == 1


def test_r01_two_refusals_in_a_row_leave_the_pair_open() -> None:
    floor = supermarket(productions=3)
    floor.scan("W", 1, "empty")
    at_market(floor, "W", 1)
    refused(at_market(floor, "P", 3), "swap_not_oldest")
    refused(at_market(floor, "P", 2), "swap_not_oldest")
    assert at_market(floor, "P", 1)["code"] == "swapped"
    assert floor.status("P") == ["EMPTY", "FULL", "FULL"]


def test_r01_an_empty_container_is_refused_and_a_full_one_then_completes_the_pair() -> None:
    floor = supermarket()
    for number in (1, 2):
        floor.scan("W", number, "empty")
    at_market(floor, "W", 1)
    assert at_market(floor, "P", 1)["code"] == "swapped"
    at_market(floor, "W", 2)
    refused(at_market(floor, "P", 1), "swap_not_full")
    assert at_market(floor, "P", 2)["code"] == "swapped"
    assert floor.status("W") == ["IN_TRANSIT", "IN_TRANSIT"]


def test_r01_a_container_of_another_part_is_refused_and_the_right_one_then_completes_the_pair() -> None:
    floor = supermarket()
    floor.loop("Q", part="LID", supply="CELL", demand="SM", kind="PRODUCTION", quantity=4)
    floor.loop("V", part="LID", supply="SM", demand="LINE", kind="WITHDRAWAL", quantity=4)
    floor.scan("W", 1, "empty")
    at_market(floor, "W", 1)
    refused(at_market(floor, "Q", 1), "swap_other_part")
    assert floor.status("Q") == ["FULL", "FULL"]
    assert at_market(floor, "P", 1)["code"] == "swapped"


def test_r01_a_line_without_room_is_refused_and_the_pair_completes_when_there_is_some() -> None:
    floor = supermarket()
    Station.objects.filter(code="LINE").update(receiving_limit=1)
    floor.scan("W", 1, "empty")
    assert at_market(floor, "W", 1)["code"] in ("swap_incomplete", "receiver_not_ready")
    refused(at_market(floor, "P", 1), "receiver_not_ready")
    refused(at_market(floor, "P", 1, after=0.1), "receiver_not_ready")
    assert floor.status("P") == ["FULL", "FULL"]
    nothing_was_asked_of_the_cell(floor)
    assert floor.scan("W", 2, "empty", source=another_device(floor), after=0.1)["outcome"] == "applied"
    assert at_market(floor, "P", 1, after=0.1)["code"] == "swapped"


def test_pairs_of_a_batch_are_looked_up_at_once_and_each_swaps_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    floor = supermarket()
    for number in (1, 2):
        floor.scan("W", number, "empty")
    requests = [
        floor.request("W", 1, "load", at="SM", pair=floor.card("P", 1).code),
        floor.request("W", 1, "receive"),
        floor.request("W", 2, "load", at="SM", pair=floor.card("P", 2).code),
    ]
    floor.now += timedelta(minutes=1)
    asked: list[Sequence[str]] = []
    resolve = store.resolve

    def counted(codes: Sequence[str]) -> dict[str, store.Target]:
        asked.append(codes)
        return resolve(codes)

    monkeypatch.setattr(store, "resolve", counted)
    answers = actions.scan_batch(requests, source=floor.source, now=floor.now)
    codes = [answer.body["code"] for answer in answers if isinstance(answer, Answer)]
    assert (codes[0], codes[2]) == ("swapped", "swapped")
    links = TurnLink.objects.filter(kind="SWAP").order_by("downstream__card__number")
    assert [(link.downstream.card.number, link.upstream_card.number) for link in links] == [(1, 1), (2, 2)]
    # The scans' own cards were read before; those of their pairs are asked for together.
    assert asked == [[floor.card("P", 1).code, floor.card("P", 2).code]]


def test_r01_both_codes_in_one_scan_refused_for_want_of_room_leave_the_pair_open() -> None:
    floor = supermarket()
    Station.objects.filter(code="LINE").update(receiving_limit=1)
    floor.scan("W", 1, "empty")
    pair = floor.card("P", 1).code
    refused(at_market(floor, "W", 1, "load", pair=pair), "receiver_not_ready")
    refused(at_market(floor, "P", 1), "receiver_not_ready")
    assert floor.status("P") == ["FULL", "FULL"]
    nothing_was_asked_of_the_cell(floor)


def test_r01_the_container_first_and_then_its_withdrawal_card_also_works() -> None:
    floor = supermarket()
    floor.scan("W", 1, "empty")
    refused(at_market(floor, "P", 1), "swap_needs_withdrawal")
    refused(at_market(floor, "W", 1), "swap_incomplete")
    assert floor.status("P") == ["FULL", "FULL"]
    assert at_market(floor, "P", 1)["code"] == "swapped"
    assert (floor.status("W")[0], floor.status("P")) == ("IN_TRANSIT", ["EMPTY", "FULL"])


def test_r01_nobody_is_told_that_the_shelf_is_empty_while_a_full_container_stands_there() -> None:
    floor = supermarket(withdrawals=3)
    for number in (1, 2, 3):
        floor.scan("W", number, "empty")
    at_market(floor, "P", 2)
    at_market(floor, "P", 1, "empty")
    refused(at_market(floor, "W", 1), "swap_incomplete")
    assert at_market(floor, "P", 1)["code"] == "swapped"
    refused(at_market(floor, "W", 2), "swap_incomplete")
    assert at_market(floor, "P", 2)["code"] == "swapped"
    answer = at_market(floor, "W", 3)
    assert (answer["outcome"], answer["code"]) == ("applied", "supply_short")


def test_r01_a_pair_is_open_for_sixty_seconds() -> None:
    floor = supermarket()
    floor.scan("W", 1, "empty")
    at_market(floor, "W", 1)
    refused(at_market(floor, "P", 1, after=1.1), "swap_needs_withdrawal")
    assert (floor.status("W")[0], floor.status("P")) == ("EMPTY", ["FULL", "FULL"])
    nothing_was_asked_of_the_cell(floor)


def test_r01_a_pair_is_completed_by_the_device_that_began_it() -> None:
    floor = supermarket()
    floor.scan("W", 1, "empty")
    at_market(floor, "W", 1)
    refused(at_market(floor, "P", 1, source=another_device(floor)), "swap_needs_withdrawal")
    assert floor.status("P") == ["FULL", "FULL"]
    assert at_market(floor, "P", 1)["code"] == "swapped"


def test_r01_a_pair_sent_in_one_batch_is_a_swap_or_nothing() -> None:
    floor = supermarket()
    floor.scan("W", 1, "empty")
    floor.now += timedelta(seconds=30)
    requests = [floor.request("W", 1, None, at="SM"), floor.request("P", 1, None, at="SM")]
    answers = actions.scan_batch(requests, source=floor.source, now=floor.now)
    assert all(isinstance(answer, Answer) for answer in answers)
    assert (floor.status("W")[0], floor.status("P")[0]) in [("IN_TRANSIT", "EMPTY"), ("EMPTY", "FULL")]


def test_r01_a_correction_by_a_leader_empties_a_production_card() -> None:
    floor = supermarket()
    answer = floor.scan("P", 1, "correct", status="EMPTY", reason="spilt", source=floor.leader())
    assert answer["code"] == "corrected"
    assert floor.status("P") == ["EMPTY", "FULL"]
    assert floor.turn("P", 1).signal_state == "RELEASED"


def test_r01_where_software_detaches_no_withdrawal_card_is_asked_for() -> None:
    floor = supermarket(auto_detach=True)
    assert at_market(floor, "P", 1, "empty")["code"] == "emptied"


def test_r01_a_swap_is_not_undone_because_it_moved_two_cards() -> None:
    floor = supermarket()
    floor.scan("W", 1, "empty")
    floor.scan("W", 1, "load", at="SM", pair=floor.card("P", 1).code)
    refused(at_market(floor, "W", 1, "undo"), "undo_swapped")
    assert (floor.status("W")[0], floor.status("P")) == ("IN_TRANSIT", ["EMPTY", "FULL"])
    assert floor.turn("W", 1).signal_state == floor.turn("P", 1).signal_state == "RELEASED"
