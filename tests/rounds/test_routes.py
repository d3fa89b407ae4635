"""A milk run through a small shop: what is to be taken and left, in walking order; scans that know what they mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from jitapp.plant.models import Identifier, Membership
from jitapp.plant.routes import Route, RouteStop
from jitapp.pull.models import AndonCall, Receipt
from jitapp.pull.scan_request import Answer, ScanRequest, Source
from jitapp.rounds.load import Doing
from jitapp.rounds.models import Obstacle
from jitapp.rounds.routes import ObstacleRefused, report_obstacle, scan_on_route
from jitapp.rounds.vocabulary import Hindrance
from tests.floor import START
from tests.rounds.milk import Run, milk_run
from tests.stories.shops import supermarket

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    return milk_run()


def test_what_is_asked_of_the_store_and_what_is_made_is_taken(run: Run) -> None:
    assert run.errands() == []
    run.floor.scan("SCREWS", 1, "empty")
    run.floor.scan("LIDS", 1, "empty")
    assert run.errands() == [("STORE", "pick", "SCREWS/1")]  # the lid is not made yet
    run.floor.scan("LIDS", 1, "start")
    run.floor.scan("LIDS", 1, "complete")
    run.floor.now = START + timedelta(minutes=25)  # before the next departure
    assert run.errands() == [("STORE", "pick", "SCREWS/1"), ("PRESS", "pick", "LIDS/1")]


def test_a_scan_takes_at_one_end_and_leaves_at_the_other(run: Run) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    taken = run.scan("SCREWS", 1)
    assert (taken["code"], taken["card"]["supply_status"]) == ("loaded", "IN_TRANSIT")
    assert run.errands() == [("LINE", "drop", "SCREWS/1")]
    left = run.scan("SCREWS", 1)
    assert (left["code"], left["card"]["supply_status"]) == ("received", "FULL")
    # A third scan never empties what was just brought, also much later.
    run.floor.now += timedelta(hours=2)
    again = run.scan("SCREWS", 1)
    assert again["outcome"] == "already"
    assert run.floor.status("SCREWS") == ["FULL", "IN_USE", "FULL"]


def test_an_emptied_bin_that_is_collected_does_not_count_as_made(run: Run) -> None:
    run.floor.scan("LIDS", 1, "empty")
    assert run.scan("LIDS", 1)["outcome"] == "already"
    assert run.floor.status("LIDS") == ["EMPTY", "IN_USE"]


def test_a_card_of_another_route_is_recorded_and_changes_nothing(run: Run) -> None:
    run.floor.scan("FOIL", 1, "empty")
    answer, carried = run.scanned(run.floor.card("FOIL", 1).code)
    assert not carried
    assert answer.body["outcome"] == "refused"
    assert Receipt.objects.filter(scan_id=answer.body["id"]).exists()
    assert run.floor.status("FOIL") == ["EMPTY", "IN_USE"]
    unknown, carried = run.scanned("KB0000000000")
    assert carried
    assert unknown.body["outcome"] == "refused"


def test_what_became_ready_after_the_departure_waits_for_the_next_round(run: Run) -> None:
    run.floor.scan("SCREWS", 1, "empty")  # before 08:30
    run.floor.now = START + timedelta(minutes=31)
    run.floor.scan("OIL", 1, "empty")  # 08:32, two minutes after the departure
    sheet = run.sheet()
    assert sheet.round.departed_at == START + timedelta(minutes=30)
    assert run.errands() == [("STORE", "pick", "SCREWS/1")]
    assert (sheet.picks, sheet.later) == (1, 1)
    run.floor.now = START + timedelta(minutes=45)  # the round is over: all of it is the next one's
    assert {errand[2] for errand in run.errands()} == {"SCREWS/1", "OIL/1"}


def test_late_ones_come_first_with_their_lateness(run: Run) -> None:
    run.floor.scan("OIL", 1, "empty")
    run.floor.scan("SCREWS", 2, "empty")
    turn = run.floor.turn("SCREWS", 2)
    turn.due_at = run.floor.now + timedelta(minutes=5)
    turn.save()
    run.floor.now = START + timedelta(minutes=20)
    sheet = run.sheet()
    assert [errand.container.loop for errand in sheet.halts[0].picks] == ["SCREWS", "OIL"]
    assert [errand.container.code for errand in sheet.late] == [run.floor.card("SCREWS", 2).code]


def test_the_cart_is_counted_stop_by_stop(run: Run) -> None:
    for loop, number in (("SCREWS", 1), ("SCREWS", 2), ("OIL", 1)):
        run.floor.scan(loop, number, "empty")
    sheet = run.sheet()
    assert [halt.load for halt in sheet.halts] == [
        3,
        2,
        0,
    ]  # the oil is left at the press, the screws at the line
    assert (sheet.cart.peak, sheet.cart.percent, sheet.cart.over) == (3, 75, 0)
    run.floor.scan("SCREWS", 3, "empty")
    run.floor.scan("OIL", 2, "empty")
    crowded = run.sheet().cart
    assert (crowded.peak, crowded.over) == (5, 1)
    run.scan("SCREWS", 1)
    assert run.sheet().cart.now == 1


def test_only_named_loops_are_carried_where_a_route_names_them(run: Run) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    run.floor.scan("OIL", 1, "empty")
    Route.objects.update(loops=["OIL"])
    assert run.errands() == [("STORE", "pick", "OIL/1")]


def test_why_something_cannot_be_carried_is_kept_and_calls_the_leader(run: Run) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    card = run.floor.card("SCREWS", 1).code
    number = uuid4()

    def report(reason: str, **more: Any) -> Obstacle:
        return report_obstacle(
            run.route,
            card=card,
            reason=reason,
            note="shelf bare",
            words="Not there",
            report_id=more.get("id", number),
            source=run.source,
            now=run.floor.now,
        )

    for _ in range(2):
        kept = report("not_there")
    call = AndonCall.objects.get()
    assert (call.kind, call.station.code, call.card and call.card.code) == ("material", "STORE", card)
    assert "Milk run · Not there: shelf bare" in call.note
    assert (kept.call, kept.reason) == (call.uuid, Hindrance.NOT_THERE)
    assert run.sheet().hindered[card].reason == "not_there"
    run.scan("SCREWS", 1)
    rack = report("rack_full", id=uuid4())  # it is on the cart now: the place that has no room is asked
    assert rack.station.code == "LINE"
    with pytest.raises(ObstacleRefused, match="unknown_reason"):
        report("tired", id=uuid4())


def test_a_container_at_the_dock_is_put_away_on_the_round(run: Run) -> None:
    run.floor.station("ACME", "SUPPLIER")
    run.floor.loop("WIRE", part="WIRE", supply="ACME", demand="LINE", kind="SUPPLIER", gr_policy="SEPARATE")
    run.floor.scan("WIRE", 1, "empty")
    run.floor.scan("WIRE", 1, "ship", at="ACME")
    assert run.errands() == []
    assert run.floor.scan("WIRE", 1, "dock", source=run.floor.leader())["outcome"] == "applied"
    assert run.errands() == [("LINE", "drop", "WIRE/1")]
    assert run.scan("WIRE", 1)["code"] == "received"


def test_at_a_supermarket_the_second_code_of_a_swap_completes_it() -> None:
    floor = supermarket()
    route = Route.objects.create(plant=floor.plant, code="PULL", name="Withdrawals", every_minutes=30)
    for position, code in enumerate(["SM", "LINE"]):
        station = floor.plant.stations.get(code=code)
        RouteStop.objects.create(route=route, position=position, station=station)
    floor.scan("W", 1, "empty")

    def scanned(loop: str, number: int) -> tuple[str, bool]:
        floor.now += timedelta(seconds=20)
        code = floor.card(loop, number).code
        asked = ScanRequest(id=uuid4(), code=code)
        answer, carried = scan_on_route(route, asked, source=floor.source, now=floor.now)
        assert isinstance(answer, Answer)
        return answer.body["code"], carried

    assert scanned("W", 1) == ("swap_incomplete", True)
    assert scanned("P", 1) == ("swapped", True)
    assert (floor.status("W")[0], floor.status("P")) == ("IN_TRANSIT", ["EMPTY", "FULL"])
    assert scanned("W", 1) == ("received", True)


# -- two handlers, and one scanner that reads twice ------------------------------------------------------------


def test_two_handlers_who_take_the_same_container_take_it_once(run: Run) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    hugo, ida = run.source, another_handler(run)
    assert acted(run, "SCREWS", 1, "pick", hugo)["code"] == "loaded"
    late = acted(run, "SCREWS", 1, "pick", ida)  # her list still said: take it
    assert (late["outcome"], run.floor.status("SCREWS")[0]) == ("already", "IN_TRANSIT")
    assert acted(run, "SCREWS", 1, "drop", ida)["code"] == "received"
    assert acted(run, "SCREWS", 1, "drop", hugo)["outcome"] == "already"
    assert acted(run, "SCREWS", 1, "pick", hugo)["outcome"] in ("already", "refused")
    assert run.floor.status("SCREWS")[0] == "FULL"
    assert Receipt.objects.filter(outcome="applied", intent__in=["load", "receive"]).count() == 2


def test_a_double_read_takes_and_does_not_leave(run: Run) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    assert run.scan("SCREWS", 1)["code"] == "loaded"
    for seconds in (1, 4):
        run.floor.now += timedelta(seconds=seconds)
        again = acted(run, "SCREWS", 1, None, run.source)
        assert again["outcome"] in ("bounced", "already"), again
    assert run.floor.status("SCREWS")[0] == "IN_TRANSIT"
    assert run.scan("SCREWS", 1)["code"] == "received"


def test_a_pick_whose_answer_was_lost_is_answered_as_the_first_time(run: Run) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    asked = ScanRequest(id=uuid4(), code=run.floor.card("SCREWS", 1).code)
    for _ in range(2):
        run.floor.now += timedelta(minutes=1)
        answer, carried = scan_on_route(run.route, asked, source=run.source, now=run.floor.now)
        assert isinstance(answer, Answer)
        assert (answer.body["code"], carried) == ("loaded", True)
    assert run.floor.status("SCREWS")[0] == "IN_TRANSIT"


def test_the_code_of_a_bin_is_carried_like_its_card(run: Run) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    card = run.floor.card("SCREWS", 1)
    Identifier.objects.create(code="BIN-0815", kind="card", target_id=card.pk)
    at_the_line = replace(run.source, station_id=run.floor.plant.stations.get(code="LINE").pk)
    for expected in ("applied", "applied", "already"):
        run.floor.now += timedelta(minutes=1)
        asked = ScanRequest(id=uuid4(), code="BIN-0815")
        answer, _ = scan_on_route(run.route, asked, source=at_the_line, now=run.floor.now)
        assert isinstance(answer, Answer)
        assert answer.body["outcome"] == expected
    assert run.floor.status("SCREWS")[0] == "FULL"


def test_a_card_of_another_route_is_not_emptied_by_the_tablets_own_station(run: Run) -> None:
    at_the_line = replace(run.source, station_id=run.floor.plant.stations.get(code="LINE").pk)
    asked = ScanRequest(id=uuid4(), code=run.floor.card("FOIL", 1).code)
    answer, carried = scan_on_route(run.route, asked, source=at_the_line, now=run.floor.now)
    assert isinstance(answer, Answer)
    assert (answer.body["outcome"], carried) == ("refused", False)
    assert run.floor.status("FOIL") == ["FULL", "FULL"]


def another_handler(run: Run) -> Source:
    ida = run.floor.person("ida")
    Membership.objects.create(person=ida, plant=run.floor.plant, role="handler")
    return replace(run.source, person_id=ida.pk)


def acted(run: Run, loop: str, number: int, doing: Doing | None, source: Source) -> dict[str, Any]:
    if doing is not None:
        run.floor.now += timedelta(seconds=20)
    asked = ScanRequest(id=uuid4(), code=run.floor.card(loop, number).code)
    answer, _ = scan_on_route(run.route, asked, doing=doing, source=source, now=run.floor.now)
    assert isinstance(answer, Answer)
    return answer.body
