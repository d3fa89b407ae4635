"""R3: nothing usable is nothing usable, whatever the reason; and whoever starts without components is told so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Station
from jitapp.pull import actions
from jitapp.pull.scan_request import Source
from tests.floor import Floor
from tests.stories.shops import counted_station, dry_spells, last_runout, two_bins, with_roles


def hold(floor: Floor, vera: Source, loop: str, *numbers: int) -> None:
    for number in numbers:
        assert floor.scan(loop, number, "hold", reason="crack", source=vera)["outcome"] == "applied"


def test_r03_a_loop_whose_containers_are_all_held_is_in_runout() -> None:
    floor = two_bins()
    vera = with_roles(floor, "vera", Role.QUALITY)
    hold(floor, vera, "L", 1)
    assert floor.open_runout("L") is None
    hold(floor, vera, "L", 2)
    began = floor.now
    runout = floor.open_runout("L")
    assert runout is not None
    assert (runout.opened_at, runout.cause, runout.owner) == (began, "quality", "person")
    floor.now += timedelta(hours=1)
    actions.sweep(now=floor.now)
    runout = floor.open_runout("L")
    assert runout is not None
    assert (runout.cause, runout.owner) == ("quality", "person")
    floor.scan("L", 1, "release", reason="fine", source=vera)
    assert dry_spells("L") == [(began, floor.now)]
    assert (last_runout("L").cause, last_runout("L").owner) == ("quality", "person")


def test_r03_one_card_of_a_loop_of_one_held_is_a_runout() -> None:
    floor = two_bins(cards=1)
    vera = with_roles(floor, "vera", Role.QUALITY)
    hold(floor, vera, "L", 1)
    assert floor.open_runout("L") is not None
    floor.scan("L", 1, "release", reason="fine", source=vera)
    assert floor.open_runout("L") is None


def test_r03_the_last_usable_container_held_while_another_is_being_filled_is_a_runout_of_that_turn() -> None:
    floor = two_bins()
    vera = with_roles(floor, "vera", Role.QUALITY)
    floor.scan("L", 1, "empty")
    floor.now += timedelta(minutes=50)
    hold(floor, vera, "L", 2)
    began = floor.now
    runout = floor.open_runout("L")
    assert runout is not None
    assert (runout.opened_at, runout.cause, runout.owner) == (began, "queue", "station")


def test_r03_held_containers_that_are_written_off_leave_the_runout_open() -> None:
    floor = two_bins(cards=1)
    vera = with_roles(floor, "vera", Role.QUALITY)
    hold(floor, vera, "L", 1)
    began = floor.now
    floor.now += timedelta(minutes=5)
    code = floor.card("L", 1).code
    released = floor.request("L", 1, "release")
    actions.release_card(
        id=released.id, code=code, decision="scrap", reason="cracked", now=floor.now, source=vera
    )
    assert floor.status("L") == ["EMPTY"]
    assert floor.open_runout("L") is not None
    assert dry_spells("L") == [(began, None)]


@pytest.mark.parametrize("why", ["held", "empty"])
def test_r03_a_start_without_its_component_is_applied_with_a_warning_that_names_it(why: str) -> None:
    floor = counted_station()
    missing(floor, why)
    floor.scan("B", 1, "empty")
    answer = floor.scan("B", 1, "start")
    assert (answer["outcome"], answer["code"], answer["state"]) == ("applied", "started", "flagged")
    assert "BLANK" in answer["message"]


def test_r03_a_completion_where_components_are_drawn_then_warns_too() -> None:
    floor = counted_station(consume_at="COMPLETE")
    floor.scan("B", 1, "empty")
    assert floor.scan("B", 1, "start")["state"] == "applied"
    missing(floor, "held")
    answer = floor.scan("B", 1, "complete")
    assert (answer["outcome"], answer["state"]) == ("applied", "flagged")
    assert "BLANK" in answer["message"]


def test_r03_a_completion_without_a_start_warns_too() -> None:
    floor = counted_station()
    missing(floor, "held")
    floor.scan("B", 1, "empty")
    answer = floor.scan("B", 1, "complete")
    assert (answer["outcome"], answer["state"]) == ("applied", "flagged")
    assert "BLANK" in answer["message"]


def test_r03_with_its_component_there_a_start_is_not_flagged() -> None:
    floor = counted_station()
    vera = with_roles(floor, "vera", Role.QUALITY)
    hold(floor, vera, "A", 1)
    floor.scan("B", 1, "empty")
    assert floor.scan("B", 1, "start")["state"] == "applied"


def test_r03_where_the_station_says_so_a_start_without_its_component_is_refused() -> None:
    floor = counted_station()
    Station.objects.filter(code="SMT").update(refuses_without_components=True)
    missing(floor, "held")
    floor.scan("B", 1, "empty")
    answer = floor.scan("B", 1, "start")
    assert (answer["outcome"], answer["code"]) == ("refused", "components_missing")
    assert "BLANK" in answer["message"]
    assert floor.status("B")[0] == "EMPTY"
    floor.scan("A", 1, "release", reason="fine", source=floor.leader())
    assert floor.scan("B", 1, "start")["code"] == "started"


def missing(floor: Floor, why: str) -> None:
    """No blank can be used any more."""
    if why == "held":
        hold(floor, with_roles(floor, "vera", Role.QUALITY), "A", 1, 2)
    else:
        for number in (1, 2):
            floor.scan("A", number, "empty")
        assert floor.open_runout("A") is not None
