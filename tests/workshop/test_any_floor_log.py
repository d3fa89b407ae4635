"""What must hold for the conversion of any log."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from jitapp.workshop.floor_log import Report, ReportKind
from jitapp.workshop.floor_routes import RAW, find_routes
from jitapp.workshop.floor_shop import Conversion, convert
from tests.workshop.floor_logs import MONDAY


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
def test_only_overproduction_and_a_full_station_break_the_rules(
    reports: list[Report], container: int | None
) -> None:
    conversion = convert(reports, container)
    judged = outcomes_by_the_book(conversion)
    assert judged["overproduction"] == conversion.figures["overproduction"]
    assert judged["wip"] == conversion.figures["wip refusals"]
    assert judged.total() == conversion.figures["scans"]


@given(logs(), containers)
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
def test_the_same_log_gives_the_same_files_in_whatever_order_its_lines_stand(
    reports: list[Report], container: int | None, chance: Any
) -> None:
    shuffled = list(reports)
    chance.shuffle(shuffled)
    assert convert(shuffled, container) == convert(reports, container)


@given(logs(), containers)
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
def test_ids_are_unique_version_seven_and_ordered_like_the_log(reports: list[Report]) -> None:
    lines = convert(reports).lines
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    ids = [UUID(line["id"]) for line in lines]
    assert len(set(ids)) == len(ids)
    assert all(scan_id.version == 7 and scan_id.variant == "specified in RFC 4122" for scan_id in ids)
    assert [scan_id.int >> 80 for scan_id in ids] == sorted(scan_id.int >> 80 for scan_id in ids)
