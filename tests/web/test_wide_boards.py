"""Areas with more loops than stand on one page: their order and numbers are remembered, what is shown is measured."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jitapp import switchboard
from jitapp.plant.models import Loop
from jitapp.pull import actions
from jitapp.pull.models import BoardLine, Card, LoopState, Turn
from jitapp.pull.reading import window as windows
from jitapp.pull.reading.board import board, board_rows
from jitapp.pull.reading.board_row import STATES
from jitapp.pull.reading.window import Asked, window
from tests.web.crowd import crowd
from tests.web.shop import NOW, Shop, a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Forty loops, where ten stand on one page and more are paged by eight."""
    monkeypatch.setattr(windows, "WHOLE", 10)
    monkeypatch.setattr(windows, "PAGE", 8)
    return crowd(40, NOW, busy=4, dry=13)


def remember(shop: Shop, *, later: int = 0) -> None:
    rows = board_rows([loop.pk for loop in shop.loops.values()], now=NOW + timedelta(minutes=later))
    actions.keep_lines(rows, now=NOW + timedelta(minutes=later))


def codes(asked: Asked = Asked(), *, later: int = 0) -> list[str]:  # noqa: B008 (frozen)
    return [row.loop for row in window("SMT", asked, now=NOW + timedelta(minutes=later)).rows]


def test_the_pages_of_a_wide_board_are_the_whole_board_in_its_order(wide: Shop) -> None:
    remember(wide)
    whole = [row.loop for row in board("SMT", now=NOW).rows]
    pages = [window("SMT", Asked(page=page), now=NOW) for page in range(1, 6)]
    assert [row.loop for page in pages for row in page.rows] == whole
    assert {(page.pages, page.total, page.fitting, page.unmeasured) for page in pages} == {(5, 40, 40, 0)}
    assert [len(page.rows) for page in pages] == [8] * 5
    assert window("SMT", Asked(page=77), now=NOW).page == 5


def test_the_order_does_not_depend_on_when_each_loop_was_measured(wide: Shop) -> None:
    half = [loop.pk for number, loop in enumerate(wide.loops.values()) if number % 2]
    remember(wide)
    actions.keep_lines(board_rows(half, now=NOW + timedelta(minutes=50)), now=NOW + timedelta(minutes=50))
    BoardLine.objects.update(moves=False)  # nothing is measured again because it is old
    later = NOW + timedelta(minutes=50)
    dry = [row.loop for row in board("SMT", now=later).rows if row.state == "out"]
    assert [row.loop for row in window("SMT", Asked(), now=later).rows][: len(dry)] == dry


def test_what_no_line_knows_is_measured_and_what_is_too_much_is_said(
    wide: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert codes() == [row.loop for row in board("SMT", now=NOW).rows][:8]
    monkeypatch.setattr(windows, "MOST_MEASURED", 15)
    shown = window("SMT", Asked(), now=NOW)
    assert (shown.total, shown.unmeasured, shown.fitting) == (40, 25, 15)
    assert sum(shown.counts[state] for state in STATES) == 15


def test_a_loop_that_changed_since_it_was_measured_is_measured_again(wide: Shop) -> None:
    remember(wide)
    calm = next(row for row in board("SMT", now=NOW).rows if row.state == "ok")
    assert calm.loop not in codes()
    Card.objects.filter(loop_id=calm.loop_id).update(supply_status="EMPTY", contents=0)
    LoopState.objects.filter(loop_id=calm.loop_id).update(seq=21)
    wide.runout(Loop.objects.get(pk=calm.loop_id), minutes_ago=300)
    shown = window("SMT", Asked(), now=NOW)
    assert shown.rows[0].loop == calm.loop
    assert shown.counts["out"] == sum(row.state == "out" for row in board("SMT", now=NOW).rows)
    Loop.objects.filter(pk=calm.loop_id).update(status="ON_HOLD")  # a planner's change raises no seq
    assert window("SMT", Asked(state="held"), now=NOW).rows[0].loop == calm.loop
    Loop.objects.filter(pk=calm.loop_id).update(status="RETIRED")
    assert window("SMT", Asked(), now=NOW).total == 39


def test_rows_are_found_by_state_and_by_what_names_them(wide: Shop) -> None:
    remember(wide)
    whole = board("SMT", now=NOW).rows
    assert codes(Asked(state="out")) == [row.loop for row in whole if row.state == "out"]
    assert codes(Asked(state="late"))[:8] == [row.loop for row in whole if row.late][:8]
    assert (
        codes(Asked(text="part-0003")) == [row.loop for row in whole if row.part.startswith("PART-0003")][:8]
    )
    assert codes(Asked(text="Make 1")) == [row.loop for row in whole if row.supply_name == "Make 1"][:8]
    assert codes(Asked(text="100% of _")) == []  # no pattern, a text


def test_lines_are_written_for_wide_areas_and_for_no_other(
    wide: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = next(iter(wide.loops.values()))
    monkeypatch.setattr(windows, "WHOLE", 40)
    switchboard.tell_boards([first.pk])
    switchboard.look_again()
    assert not BoardLine.objects.exists()
    monkeypatch.setattr(windows, "WHOLE", 39)
    switchboard.tell_boards([first.pk])
    assert list(BoardLine.objects.values_list("loop_id", flat=True)) == [first.pk]


def test_an_older_measuring_never_replaces_a_newer_one(wide: Shop) -> None:
    loop = wide.loops["LOOP-00004"]
    old = board_rows([loop.pk], now=NOW)
    LoopState.objects.filter(loop=loop).update(seq=30)
    actions.keep_lines(board_rows([loop.pk], now=NOW), now=NOW)
    actions.keep_lines(old, now=NOW + timedelta(seconds=5))
    assert BoardLine.objects.get(loop=loop).seq == 30


def test_what_time_alone_changes_is_measured_once_a_minute_and_told(
    wide: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(switchboard, "_show", lambda rows, *_: told.extend(row.loop_id for row in rows))
    remember(wide)
    moving = set(BoardLine.objects.filter(moves=True).values_list("loop_id", flat=True))
    assert moving == set(Turn.objects.filter(closed_at=None).values_list("loop_id", flat=True))
    assert windows.due_lines(["SMT"], now=NOW + timedelta(seconds=59)) == {}
    late = NOW + timedelta(hours=6)  # all that is under way is late
    monkeypatch.setattr("jitapp.switchboard.timezone.now", lambda: late)
    assert set(windows.due_lines(["SMT"], now=late)) == moving
    before = {line.loop_id: (line.state, line.late) for line in BoardLine.objects.all()}
    switchboard.look_again()
    after = {line.loop_id: (line.state, line.late) for line in BoardLine.objects.all()}
    assert set(told) == {loop for loop in moving if before[loop] != after[loop]} != set()
    assert windows.due_lines(["SMT"], now=late) == {}


def test_the_numbers_of_a_wide_area_are_those_of_its_loops(wide: Shop) -> None:
    assert windows.counts_of(["SMT"]) == {}  # nothing is known: no number is better than a wrong one
    remember(wide)
    rows = board("SMT", now=NOW).rows
    counted = windows.counts_of(["SMT"])["SMT"]
    assert counted == {
        **{state: sum(row.state == state for row in rows) for state in STATES},
        "late": sum(int(row.late) for row in rows),
    }
    assert window("SMT", Asked(), now=NOW).counts == counted


# -- the pages ----------------------------------------------------------------------------------------


@pytest.fixture
def planner(wide: Shop, client: Client) -> Client:
    client.force_login(a_person(wide))
    return client


def _about(html: str) -> dict[str, Any]:
    found = re.search(r'data-about="([^"]*)"', html)
    assert found is not None
    about: dict[str, Any] = json.loads(found[1].replace("&quot;", '"'))
    return about


def test_a_wide_board_has_ways_to_its_other_pages_and_numbers_that_lead_to_their_rows(
    planner: Client,
) -> None:
    first = planner.get("/b/SMT").content.decode()
    assert first.count("<tr id=") == 8
    assert 'data-part="top"' in first
    assert "Rows 1 to 8 of 40" in first
    assert 'rel="next" href="?page=2"' in first
    assert 'rel="prev"' not in first
    assert 'href="?state=out"' in first
    second = planner.get("/b/SMT?page=2").content.decode()
    assert 'data-part="part"' in second
    assert "Rows 9 to 16 of 40" in second
    assert 'rel="prev" href="?"' in second
    out = planner.get("/b/SMT?state=out&q=part").content.decode()
    assert 'href="?q=part" data-state="out"' in out
    assert 'aria-current="true"' in out
    assert out.count("<tr id=") == 4
    nothing = planner.get("/b/SMT", {"q": "<script>"}).content.decode()
    assert "No row fits what you look for." in nothing
    assert 'value="&lt;script&gt;"' in nothing


@pytest.mark.parametrize("asked", ["page=0", "page=-3", "page=x", "page=9999999999", "state=' or", "page=²"])
def test_what_an_address_asks_wrongly_is_the_board(planner: Client, asked: str) -> None:
    assert planner.get(f"/b/SMT?{asked}").content.count(b"<tr id=") == 8


def test_the_rows_alone_say_what_stands_elsewhere_and_cost_nothing_unchanged(
    planner: Client, wide: Shop
) -> None:
    answer = planner.get("/b/SMT/rows?page=2")
    about = _about(answer.content.decode())
    assert (about["first"], about["fitting"], about["total"]) == (9, 40, 40)
    assert sum(about["counts"][state] for state in STATES) == 40
    again = planner.get("/b/SMT/rows?page=2", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_wide_board_costs_as_many_statements_as_a_small_one(planner: Client, wide: Shop) -> None:
    remember(wide)
    planner.get("/b/SMT")  # the words of places are read once after a change of master data
    with CaptureQueriesContext(
        connection,
    ) as spoken:
        planner.get("/b/SMT")
    assert len(spoken) <= 16
