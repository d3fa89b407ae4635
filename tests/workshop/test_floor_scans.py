"""A shop's log becomes scans: the small model of the cards, and the command that writes the files."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from django.core.management import CommandError, call_command

from jitapp.workshop.floor_cards import CUSTOMER_PERSON
from jitapp.workshop.floor_log import ReportKind
from jitapp.workshop.floor_names import SHIPPING_STATION, slug
from jitapp.workshop.floor_shop import Conversion, convert
from tests.workshop.floor_logs import HEADING, LINE, MONDAY, SMALL, report, small


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
    assert UUID(events[0]["id"]).version == 7
    assert events[0] == {
        "id": events[0]["id"],
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
