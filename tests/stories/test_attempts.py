"""R20: attempts to make what nobody asked for are listed and counted, and a runout calls for help by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jitapp.pull import actions
from jitapp.pull.models import AndonCall, Runout
from tests.floor import Floor
from tests.stories.shops import as_erp, get, listed, post, two_bins


def overproduced() -> Floor:
    """Within the last half hour Mia started a full card at CELL, and somebody one that waits for its signal."""
    half_an_hour_ago = timezone.now() - timedelta(minutes=30)
    floor = two_bins(now=half_an_hour_ago, cards=3, kind="PRODUCTION", accumulate="CARDS", accumulate_cards=2)
    mia = floor.person("mia", badge="B-7")
    assert floor.scan("L", 1, "start", by=mia.username)["code"] == "overproduction"
    floor.scan("L", 2, "empty")
    assert floor.scan("L", 2, "start")["code"] == "not_released"
    return floor


def test_r20_attempts_to_overproduce_are_listed() -> None:
    floor = overproduced()
    rows = listed(floor, "/attempts")
    assert [(row["code"], row["station"], row["card"], row["part"]) for row in rows] == [
        ("overproduction", "CELL", floor.card("L", 1).code, "PART"),
        ("not_released", "CELL", floor.card("L", 2).code, "PART"),
    ]
    assert [row["by"] for row in rows] == ["Mia", "PLANT scanner"]
    assert [datetime.fromisoformat(row["at"]) for row in rows] == [
        floor.now - timedelta(minutes=2),
        floor.now,
    ]


def test_r20_other_refusals_are_no_attempts() -> None:
    floor = two_bins()
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "start", at="LINE")
    floor.scan("L", 1, "load", quantity=400)
    assert listed(floor, "/attempts") == []


def test_r20_attempts_of_another_plant_are_not_shown() -> None:
    overproduced()
    assert listed(Floor("OTHER"), "/attempts") == []


def test_r20_attempts_are_listed_page_by_page() -> None:
    floor = overproduced()
    first = get(floor, "/attempts?limit=1")
    assert len(first["results"]) == 1
    assert first["next"]
    path = first["next"].split("/api/v1")[1]
    assert [row["code"] for row in get(floor, path)["results"]] == ["not_released"]


def test_r20_attempts_are_listed_for_a_station() -> None:
    floor = overproduced()
    assert len(listed(floor, "/attempts?station=CELL")) == 2
    assert listed(floor, "/attempts?station=LINE") == []


def test_r20_a_station_sees_how_many_attempts_there_were() -> None:
    floor = overproduced()
    assert get(floor, "/boards/CELL")["attempts"] == 2
    assert get(floor, "/boards/LINE")["attempts"] == 0


def test_r20_the_count_is_of_the_last_day_and_the_list_is_of_all() -> None:
    floor = two_bins(now=timezone.now() - timedelta(days=2))
    floor.scan("L", 1, "start")
    assert len(listed(floor, "/attempts")) == 1
    assert get(floor, "/boards/CELL")["attempts"] == 0


def test_r20_the_stations_page_says_so() -> None:
    floor = overproduced()
    client = Client()
    client.force_login(floor.person("root", is_superuser=True))
    assert "nobody had asked for it: 2" in client.get("/b/supply/CELL").content.decode()
    assert "nobody had asked for" not in client.get("/b/supply/LINE").content.decode()


def test_r20_attempts_are_a_figure_for_machines() -> None:
    overproduced()
    lines = Client().get("/metrics").content.decode().splitlines()
    figures = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}
    assert figures["jitapp_overproduction_attempts"] == 2


# -- runouts call --------------------------------------------------------------------------------------
def dry() -> tuple[Floor, Runout]:
    """LINE has used its last container, and the workers have had their round."""
    floor = two_bins(cards=1)
    floor.scan("L", 1, "empty")
    looked(floor)
    runout = floor.open_runout("L")
    assert runout is not None
    return floor, runout


def looked(floor: Floor) -> None:
    floor.propagate()
    actions.sweep(now=floor.now)
    floor.propagate()


def calls() -> list[AndonCall]:
    return list(AndonCall.objects.filter(loop__code="L").order_by("pk"))


def test_r20_a_runout_calls_for_help_at_the_place_that_lacks() -> None:
    _, runout = dry()
    (call,) = calls()
    assert (call.kind, call.station.code, call.stops_line) == ("material", "LINE", False)
    assert call.called_at >= runout.opened_at
    assert call.solved_at is None


def test_r20_it_calls_once() -> None:
    floor, _ = dry()
    floor.now += timedelta(minutes=3)
    looked(floor)
    looked(floor)
    assert len(calls()) == 1


def test_r20_it_climbs_by_the_steps_of_its_area() -> None:
    floor, _ = dry()
    floor.area.escalation = [{"after": 0, "who": "team_leader"}, {"after": 7, "who": "plant_leader"}]
    floor.area.save()
    actions.escalate_calls(now=floor.now + timedelta(minutes=6))
    assert calls()[0].level == 0
    actions.escalate_calls(now=floor.now + timedelta(minutes=8))
    assert calls()[0].level == 1


def test_r20_it_is_solved_by_itself_when_material_is_there() -> None:
    floor, _ = dry()
    floor.cycle("L", 1)
    received = floor.now
    looked(floor)
    (call,) = calls()
    assert call.solved_at is not None
    assert call.solved_at >= received
    assert call.reason != ""


@pytest.mark.parametrize("taken", [False, True])
def test_r20_the_next_runout_calls_again(taken: bool) -> None:
    floor, _ = dry()
    if taken:
        mia = floor.person("mia", is_superuser=True)
        actions.take_call(call_id=calls()[0].uuid, person_id=mia.pk, now=floor.now, source=floor.source)
    floor.cycle("L", 1)
    looked(floor)
    floor.scan("L", 1, "empty")
    looked(floor)
    assert [call.solved_at is None for call in calls()] == [False, True]


def test_r20_a_call_that_a_person_solved_is_not_made_again_for_the_same_runout() -> None:
    floor, _ = dry()
    actions.solve_call(call_id=calls()[0].uuid, reason="carried over", now=floor.now, source=floor.source)
    floor.now += timedelta(minutes=5)
    looked(floor)
    assert [call.solved_at is None for call in calls()] == [False]
    floor.cycle("L", 1)
    looked(floor)
    assert calls()[0].reason == "carried over"


def test_r20_a_loop_put_on_hold_calls_no_longer() -> None:
    floor, _ = dry()
    as_erp(floor)
    assert post(floor, "/loops/L/hold", {"reason": "audit"}).status_code == 200
    looked(floor)
    assert calls()[0].solved_at is not None


def test_r20_a_call_of_a_runout_is_no_persons_and_names_the_part() -> None:
    floor, _ = dry()
    (row,) = listed(floor, "/calls?open=1")
    assert (row["kind"], row["station"], row["part"]) == ("material", "LINE", "PART")
