"""A shop's log becomes a shop and its scans: reading, routes, sizes, and the small model of the cards."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from jitapp.workshop.floor_cards import CUSTOMER_PERSON
from jitapp.workshop.floor_log import COLUMNS, LogError, Report, ReportKind, read_log
from jitapp.workshop.floor_routes import CUSTOMER, RAW, Link, find_routes
from jitapp.workshop.floor_shop import SHIPPING_STATION, Conversion, convert, slug
from jitapp.workshop.floor_sizes import container_sizes, loop_sizes, nice, wip_limits

SMALL = Path(__file__).parent.parent / "data" / "small-log.csv"
MONDAY = datetime(2024, 3, 4, 6, tzinfo=UTC)
HEADING = ",".join(COLUMNS)
LINE = "N-1,Lamp Foot,80,Sawing - Machine 1,Machine 1,W1,production,2024-03-04T06:00,2024-03-04T07:00,10,1"


def small() -> list[Report]:
    return read_log(SMALL.read_text().splitlines())


def report(
    operation: str,
    good: int,
    *,
    hour: float = 0,
    hours: float = 1,
    order: str = "N-1",
    rejected: int = 0,
    kind: ReportKind = ReportKind.PRODUCTION,
    size: int = 40,
) -> Report:
    """A report of lamp feet; `hour` counts from Monday, six o'clock, and gives the line its number."""
    started = MONDAY + timedelta(hours=hour)
    return Report(
        line=int(hour * 3600) + 2,
        order=order,
        part="Lamp Foot",
        order_quantity=size,
        operation=operation,
        machine=operation,
        worker="W1",
        kind=kind,
        started=started,
        completed=started + timedelta(hours=hours),
        good=good,
        rejected=rejected,
    )


def route_of(reports: list[Report]) -> tuple[str, ...]:
    return find_routes(reports)["Lamp Foot"].operations


# -- reading ---------------------------------------------------------------------------------------


def test_a_log_is_read_in_the_order_of_completion_with_times_in_utc() -> None:
    reports = small()
    assert len(reports) == 59
    assert [r.completed for r in reports] == sorted(r.completed for r in reports)
    assert reports[0].started == datetime(2024, 3, 4, 6, 0, tzinfo=UTC)
    assert sum(r.good for r in reports) == 1889


def test_a_time_with_an_offset_is_taken_at_its_word() -> None:
    (read,) = read_log([HEADING, LINE.replace("2024-03-04T06:00", "2024-03-04T06:00+01:00")])
    assert read.started == datetime(2024, 3, 4, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("2024-03-04T07:00", "2024-03-04T05:00", "completed_at lies before started_at"),
        ("2024-03-04T06:00", "yesterday", "started_at is 'yesterday'"),
        ("production", "party", "report is 'party'"),
        (",10,1", ",-3,1", "good_qty is '-3'"),
        (",10,1", ",²,1", "good_qty is '²'"),
        ("Lamp Foot", " ", "part is empty"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_with_what_to_do(old: str, new: str, says: str) -> None:
    with pytest.raises(LogError, match=f"Line 2: {re.escape(says)}"):
        read_log([HEADING, LINE.replace(old, new)])


def test_a_log_without_its_columns_or_without_reports_is_refused() -> None:
    with pytest.raises(LogError, match="no column work_order"):
        read_log(["a,b", "1,2"])
    with pytest.raises(LogError, match="holds no report"):
        read_log([HEADING])
    with pytest.raises(LogError, match="reject_qty is empty"):
        read_log([HEADING, LINE.rsplit(",", 1)[0]])


# -- routes ----------------------------------------------------------------------------------------


def test_operations_stand_in_the_order_of_their_mean_first_visit() -> None:
    reports = [
        report("Saw", 5, hour=0),
        report("Turn", 5, hour=1),
        report("Pack", 5, hour=2),
        report("Turn", 5, hour=3, order="N-2"),
        report("Pack", 5, hour=4, order="N-2"),
        report("Saw", 5, hour=5, order="N-3"),
        report("Pack", 5, hour=6, order="N-3"),
    ]
    # Saw 0, 0; Turn 1, 0; Pack 2, 1, 1.
    assert route_of(reports) == ("Saw", "Turn", "Pack")


def test_moves_against_the_route_are_left_out_and_counted() -> None:
    reports = [
        report("Turn", 5, hour=0),
        report("Inspect", 5, hour=1),
        report("Turn", 5, hour=2),
        report("Inspect", 5, hour=3),
    ]
    route = find_routes(reports)["Lamp Foot"]
    assert (route.moves, route.moves_against) == (3, 1)
    assert route.links == (
        Link("Lamp Foot", RAW, "Turn"),
        Link("Lamp Foot", "Turn", "Inspect"),
        Link("Lamp Foot", "Inspect", CUSTOMER),
    )


def test_an_operation_that_makes_nothing_has_no_place_on_the_route() -> None:
    reports = [report("Turn", 5), report("Rework", 0, hour=1), report("Pack", 5, hour=2)]
    assert route_of(reports) == ("Turn", "Pack")


def test_orders_made_on_different_machines_give_a_route_with_branches() -> None:
    reports = [
        report("Turn 2", 5, hour=0),
        report("Pack", 5, hour=2),
        report("Turn 3", 5, hour=0, order="N-2"),
        report("Pack", 5, hour=2, order="N-2"),
    ]
    links = {(link.before, link.after) for link in find_routes(reports)["Lamp Foot"].links}
    assert links == {
        (RAW, "Turn 2"),
        (RAW, "Turn 3"),
        ("Turn 2", "Pack"),
        ("Turn 3", "Pack"),
        ("Pack", CUSTOMER),
    }


def test_an_unfinished_order_waits_where_its_operation_sends_most_pieces() -> None:
    reports = [
        report("Turn", 5, hour=0),
        report("Pack", 5, hour=2),
        report("Turn", 3, hour=4, order="N-2"),
    ]
    route = find_routes(reports)["Lamp Foot"]
    assert route.feeds("N-2", "Turn") == Link("Lamp Foot", "Turn", "Pack")
    assert route.unfinished() == 1


# -- sizes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "expected"), [(0.25, 1), (1, 1), (1.4, 1), (1.5, 2), (7, 5), (7.5, 10), (30, 20), (40, 50)]
)
def test_a_container_size_is_the_nearest_round_number_by_ratio(pieces: float, expected: int) -> None:
    assert nice(pieces) == expected


def test_a_container_holds_a_quarter_of_the_median_order_unless_it_is_given() -> None:
    reports = [report("Turn", 1, order=f"N-{size}", size=size) for size in (40, 80, 400)]
    assert container_sizes(reports, None) == {"Lamp Foot": 20}
    assert container_sizes(reports, 7) == {"Lamp Foot": 7}


def test_the_cards_of_a_loop_follow_what_lay_between_the_operations() -> None:
    # 40 pieces lie 4 hours until half is taken, the other half 2 hours more: (40 * 4 + 20 * 2) / 6 = 33 1/3.
    reports = [
        report("Turn", 40, hour=0, hours=1),
        report("Pack", 20, hour=4, hours=1),
        report("Pack", 20, hour=6, hours=1),
    ]
    sizes = loop_sizes(find_routes(reports), reports, {"Lamp Foot": 10})
    between = sizes[Link("Lamp Foot", "Turn", "Pack")]
    assert between.in_need == Fraction(100, 3)
    assert between.cards == 6  # ceil(33.3 * 1.25 / 10) + 1
    assert between.lead_minutes == 15  # 60 minutes for 40 pieces
    assert sizes[Link("Lamp Foot", "Pack", CUSTOMER)].cards == 4  # ceil(20 * 1.25 / 10) + 1
    assert sizes[Link("Lamp Foot", RAW, "Turn")].cards == 6  # ceil(40 * 1.25 / 10) + 1


def test_a_wip_limit_is_the_most_reports_that_ran_at_once_and_never_less_than_one() -> None:
    reports = [
        report("Saw", 5, hour=0, hours=2),
        report("Saw", 5, hour=1, hours=2, order="N-2"),
        report("Saw", 5, hour=3, hours=1, order="N-3"),  # begins as the second ends: no overlap
        report("Saw", 0, hour=1, hours=1, order="N-4"),  # makes nothing
        report("Rework", 0, hour=1),
    ]
    assert wip_limits(reports) == {"Saw": 2, "Rework": 1}


# -- scans -----------------------------------------------------------------------------------------


def scans_of(conversion: Conversion, loop: str) -> list[tuple[str, str, int]]:
    """(minutes after Monday six o'clock, intent, card) of one loop."""
    return [
        (
            str((datetime.fromisoformat(line["at"]) - MONDAY) // timedelta(minutes=1)),
            line["intent"],
            line["card"],
        )
        for line in conversion.lines
        if line.get("loop") == loop
    ]


def test_a_container_is_started_filled_carried_and_emptied() -> None:
    conversion = convert(
        [report("Turn", 10, hour=0, hours=1, size=10), report("Pack", 10, hour=4, hours=1, size=10)], 10
    )
    assert scans_of(conversion, "L-LAMP-FOOT-010-020") == [
        ("0", "start", 1),
        ("60", "complete", 1),
        ("65", "receive", 1),
        ("294", "empty", 1),  # the last of ten pieces is taken six minutes before the hour ends
    ]


def test_what_nobody_asked_for_is_refused_once_and_handed_over_when_it_is_asked_for() -> None:
    reports = [
        report("Turn", 10, hour=0, size=40),
        report("Pack", 10, hour=2, size=40),
        report("Turn", 60, hour=10, order="N-2", size=40),  # nobody ever packs these
        report("Turn", 10, hour=20, order="N-3", size=40),
        report("Pack", 10, hour=22, order="N-3", size=40),
    ]
    conversion = convert(reports, 10)
    loop = next(
        loop for loop in conversion.shop["plants"][0]["loops"] if loop["code"] == "L-LAMP-FOOT-010-020"
    )
    assert loop["cards"] == 3  # ceil(10 * 1.25 / 10) + 1
    late = [scan for scan in scans_of(conversion, "L-LAMP-FOOT-010-020") if int(scan[0]) >= 600]
    assert late == [
        ("600", "start", 2),
        ("610", "complete", 2),
        ("610", "start", 3),
        ("615", "receive", 2),
        ("620", "complete", 3),
        ("620", "start", 1),
        ("625", "receive", 3),
        ("630", "complete", 1),
        ("630", "start", 2),  # all three are full: overproduction, and 30 pieces will lie loose
        ("635", "receive", 1),
        ("1200", "start", 2),  # the same for the third order
        ("1374", "empty", 2),
        ("1375", "start", 2),  # what lies loose answers the signal
        ("1376", "complete", 2),
        ("1381", "receive", 2),
    ]
    assert conversion.figures["overproduction"] == 2
    assert conversion.figures["pieces left loose"] == 30


def test_the_customer_draws_what_the_last_operation_is_about_to_report() -> None:
    conversion = convert([report("Pack", 25, hour=0, hours=1, size=40)], 10)
    pulls = [
        line
        for line in conversion.lines
        if line.get("station") == SHIPPING_STATION and line["intent"] == "empty"
    ]
    assert [line["at"] for line in pulls] == [MONDAY.isoformat()] * 2
    assert {line["by"] for line in pulls} == {CUSTOMER_PERSON}


def test_the_last_report_of_an_order_completes_its_container_short_with_the_reason() -> None:
    conversion = convert([report("Turn", 13, size=40), report("Pack", 13, hour=3, size=40)], 10)
    short = [line for line in conversion.lines if "quantity" in line]
    assert [(line["quantity"], line["reason"]) for line in short] == [("3", "last of N-1")] * 2


def test_no_order_takes_more_than_was_ever_made_for_it() -> None:
    conversion = convert([report("Turn", 10), report("Pack", 30, hour=3)], 10)
    assert conversion.figures["pieces without origin"] == 20


def test_set_ups_and_breakdowns_become_station_events() -> None:
    reports = [
        report("Turn", 0, hour=0, hours=0.5, kind=ReportKind.SETUP),
        report("Turn", 5, hour=1),
        report("Turn", 0, hour=2, kind=ReportKind.BREAKDOWN),
    ]
    events = [line for line in convert(reports).lines if "event" in line]
    assert [event["event"] for event in events] == ["changeover", "report", "breakdown"]
    assert UUID(events[0].pop("id")).version == 7
    assert events[0] == {
        "at": "2024-03-04T06:30:00+00:00",
        "station": "TURN",
        "event": "changeover",
        "started_at": "2024-03-04T06:00:00+00:00",
        "ended_at": "2024-03-04T06:30:00+00:00",
        "part": "LAMP-FOOT-010",
        "by": "worker-001",
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Turning & Milling - Machine 4", "TURNING-MILLING-M4"),
        ("Final Inspection Q.C.", "FINAL-INSPECTION-QC"),
        ("Round Grinding - Manual", "ROUND-GRINDING-MANUAL"),
        ("Схема", "X"),
    ],
)
def test_a_code_is_made_from_a_name(name: str, code: str) -> None:
    assert slug(name) == code


# -- what must hold for any log --------------------------------------------------------------------


@st.composite
def logs(draw: st.DrawFn) -> list[Report]:
    """Reports of two parts, few orders, few operations, in any order, with everything that goes wrong."""
    reports = []
    for line in range(2, draw(st.integers(3, 25))):
        started = MONDAY + timedelta(minutes=draw(st.integers(0, 3000)))
        order = draw(st.integers(1, 4))
        kind = draw(st.sampled_from(list(ReportKind)))
        operation = draw(st.sampled_from(["Saw - Machine 1", "Turn", "Drill", "Q.C.", "Pack", "other"]))
        reports.append(
            Report(
                line=line,
                order=f"N-{order}",
                part="Latch" if order % 2 else "other",
                order_quantity=draw(st.integers(0, 90)),
                operation=operation,
                machine=operation,
                worker=draw(st.sampled_from(["A", "B", "other"])),
                kind=kind,
                started=started,
                completed=started + timedelta(minutes=draw(st.integers(0, 400))),
                good=draw(st.integers(0, 40)),
                rejected=draw(st.integers(0, 3)),
            )
        )
    return reports


containers = st.none() | st.integers(1, 30)


@given(logs())
def test_every_route_is_acyclic_and_every_way_goes_forward(reports: list[Report]) -> None:
    for route in find_routes(reports).values():
        for way in route.ways.values():
            places = [route.place(operation) for operation in (RAW, *way, route.onward[way[-1]])]
            assert places == sorted(set(places))
        assert all(route.place(link.before) < route.place(link.after) for link in route.links)
        assert {link.part for link in route.links} == {route.part}


def firsts(loop: dict[str, Any]) -> list[str]:
    first: str | list[str] = loop["first"]
    return [first] * loop["cards"] if isinstance(first, str) else first


def outcomes_by_the_book(conversion: Conversion) -> Counter[str]:
    """The scans judged by the rules alone, written down a second time."""
    (plant,) = conversion.shop["plants"]
    loops = {loop["code"]: loop for loop in plant["loops"]}
    limits = {station["code"]: station.get("wip_limit") for station in plant["stations"]}
    states = {
        (code, number): state for code, loop in loops.items() for number, state in enumerate(firsts(loop), 1)
    }
    running: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    for line in conversion.lines:
        if "event" in line:
            continue
        loop, key, intent = loops[line["loop"]], (line["loop"], line["card"]), line["intent"]
        supply = loop["supply"]
        assert line["station"] == (supply if intent in ("start", "complete") else loop["demand"])
        state = states[key]
        if intent == "start" and state != "EMPTY":
            judged["overproduction"] += 1
        elif intent == "start" and running[supply] >= limits[supply]:
            judged["wip"] += 1
        else:
            filled = "EMPTY" if loop["kind"] == "SUPPLIER" else "COMPLETED"
            before, after = {
                "start": ("EMPTY", "IN_PROCESS"),
                "complete": ("IN_PROCESS", "COMPLETED"),
                "receive": (filled, "FULL"),
                "empty": ("FULL", "EMPTY"),
            }[intent]
            assert state == before, line
            states[key] = after
            running[supply] += {"start": 1, "complete": -1}.get(intent, 0)
            judged["applied"] += 1
    return judged


@given(logs(), containers)
@settings(deadline=None)
def test_only_overproduction_and_a_full_station_break_the_rules(
    reports: list[Report], container: int | None
) -> None:
    conversion = convert(reports, container)
    judged = outcomes_by_the_book(conversion)
    assert judged["overproduction"] == conversion.figures["overproduction"]
    assert judged["wip"] == conversion.figures["wip refusals"]
    assert judged.total() == conversion.figures["scans"]


@given(logs(), containers)
@settings(deadline=None)
def test_every_good_piece_is_in_a_container_or_lies_loose(
    reports: list[Report], container: int | None
) -> None:
    conversion = convert(reports, container)
    (plant,) = conversion.shop["plants"]
    quantity = {loop["code"]: int(loop["quantity"]) for loop in plant["loops"]}
    contained = sum(
        int(line.get("quantity", quantity[line["loop"]]))
        for line in conversion.lines
        if line.get("intent") == "complete"
    )
    assert contained + conversion.figures["pieces left loose"] == sum(r.good for r in reports)


@given(logs(), containers, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_same_log_gives_the_same_files_in_whatever_order_its_lines_stand(
    reports: list[Report], container: int | None, dice: Any
) -> None:
    shuffled = list(reports)
    dice.shuffle(shuffled)
    assert convert(shuffled, container) == convert(reports, container)


@given(logs(), containers)
@settings(deadline=None)
def test_shop_and_scans_fit_together(reports: list[Report], container: int | None) -> None:
    conversion = convert(reports, container)
    (plant,) = conversion.shop["plants"]
    codes = [
        thing[key]
        for things, key in (("areas", "code"), ("stations", "code"), ("parts", "number"), ("loops", "code"))
        for thing in plant[things]
    ]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", code) for code in codes)
    stations = {station["code"] for station in plant["stations"]}
    people = {person["username"] for person in plant["people"]}
    cards = {loop["code"]: loop["cards"] for loop in plant["loops"]}
    for loop in plant["loops"]:
        assert {loop["demand"], loop["supply"]} <= stations
        assert loop["demand"] != loop["supply"]
        assert len(firsts(loop)) == loop["cards"] >= 2
    for line in conversion.lines:
        assert line["station"] in stations
        assert line["by"] in people
        if "loop" in line:
            assert 1 <= line["card"] <= cards[line["loop"]]
    for bill in plant["bills"]:
        assert sum(Decimal(component["quantity"]) for component in bill["components"]) == 1
        assert all(Decimal(component["quantity"]) > 0 for component in bill["components"])


@given(logs())
@settings(deadline=None)
def test_ids_are_unique_version_seven_and_ordered_like_the_log(reports: list[Report]) -> None:
    lines = convert(reports).lines
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    ids = [UUID(line["id"]) for line in lines]
    assert len(set(ids)) == len(ids)
    assert all(scan_id.version == 7 and scan_id.variant == "specified in RFC 4122" for scan_id in ids)
    assert [scan_id.int >> 80 for scan_id in ids] == sorted(scan_id.int >> 80 for scan_id in ids)


# -- the small log and the command -----------------------------------------------------------------


def test_the_small_log_gives_refusals_short_containers_and_moves_against_the_route() -> None:
    figures = convert(small()).figures
    assert figures["overproduction"] > 0
    assert figures["short containers"] > 0
    assert figures["moves against the route, left out"] == 3
    assert figures["unfinished work orders"] == 1
    assert figures["scans"] - figures["overproduction"] - figures["wip refusals"] >= 0.8 * figures["scans"]


def test_the_pull_of_the_small_log_reaches_from_the_customer_to_raw_material() -> None:
    (plant,) = convert(small()).shop["plants"]
    supplied_by: defaultdict[str, set[str]] = defaultdict(set)
    for loop in plant["loops"]:
        supplied_by[loop["demand"]].add(loop["supply"])
    reached, frontier = set(), {SHIPPING_STATION}
    while frontier:
        reached |= frontier
        frontier = {supply for station in frontier for supply in supplied_by[station]} - reached
    assert "RAW-SUPPLIER" in reached


def test_the_command_writes_both_files_and_says_what_it_counted(tmp_path: Path, capsys: Any) -> None:
    shop, scans = tmp_path / "shop.yaml", tmp_path / "scans.jsonl"
    call_command("convert_log", str(SMALL), shop=shop, scans=scans, container=None)
    expected = convert(small())
    assert yaml.safe_load(shop.read_text()) == expected.shop
    assert [json.loads(line) for line in scans.read_text().splitlines()] == expected.lines
    assert "moves against the route, left out" in capsys.readouterr().out


def test_the_command_names_the_line_it_cannot_read_and_the_file_it_cannot_open(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(f"{HEADING}\n{LINE.replace('production', 'party')}\n")
    where = {"shop": tmp_path / "shop.yaml", "scans": tmp_path / "scans.jsonl"}
    with pytest.raises(CommandError, match="Line 2: report is 'party'"):
        call_command("convert_log", str(log), **where)
    with pytest.raises(CommandError, match=r"nowhere\.csv: No such file"):
        call_command("convert_log", str(tmp_path / "nowhere.csv"), **where)


def test_people_are_numbered_in_the_order_in_which_the_log_first_names_them() -> None:
    first, second = report("Turn", 5), replace(report("Pack", 5, hour=2), worker="W2")
    events = [line["by"] for line in convert([second, first]).lines if "event" in line]
    assert events == ["worker-001", "worker-002"]
