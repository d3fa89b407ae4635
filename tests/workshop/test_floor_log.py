"""A shop's log becomes a shop: reading, routes and sizes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from jitapp.workshop.floor_log import LogError, read_log
from jitapp.workshop.floor_routes import CUSTOMER, RAW, Link, find_routes
from jitapp.workshop.floor_sizes import container_sizes, loop_sizes, nice, wip_limits
from tests.workshop.floor_logs import HEADING, LINE, report, route_of, small

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
