"""What the board knows of a loop: its state, who must act, when it runs out and when it is full again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jitapp.plant.models import Calendar
from jitapp.pull import actions
from jitapp.pull.models import Turn
from jitapp.pull.reading.board import UnknownArea, board, board_rows
from jitapp.pull.reading.board_row import BoardRow, place_of
from jitapp.web.board import counts, margin_bar, render_row, render_rows
from tests.floor import Floor
from tests.web.shop import NOW, Shop, every_state, make_shop

pytestmark = pytest.mark.django_db


def rows_of(shop: Shop) -> dict[str, BoardRow]:
    return {row.loop: row for row in board("SMT", now=shop.now).rows}


def test_the_worst_comes_first_and_every_state_has_its_rank() -> None:
    every_state()
    shown = board("SMT", now=NOW)
    assert [row.loop for row in shown.rows] == ["L-OUT", "L-ACT", "L-LATE", "L-MOVE", "L-OK", "L-HELD"]
    assert [row.state for row in shown.rows] == ["out", "act", "soon", "move", "ok", "held"]
    assert counts(shown.rows) == {"out": 1, "act": 1, "soon": 1, "move": 1, "ok": 1, "held": 1, "late": 2}


def test_of_rows_that_wait_for_nothing_the_one_that_runs_dry_first_stands_first() -> None:
    shop = make_shop()
    for name, every in (("A-UNUSED", 0), ("B-SLOW", 480), ("C-QUICK", 60), ("D-MIDDLE", 240)):
        loop = shop.loop(name, name, "PASTE", "REFLOW")
        shop.card(loop, 1, "FULL")
        shop.card(loop, 2, "FULL")
        if every:
            shop.history(loop, every=every, taken=10)
    rows = board("SMT", now=NOW).rows
    assert {row.state for row in rows} == {"ok"}
    assert [row.loop for row in rows] == ["C-QUICK", "D-MIDDLE", "B-SLOW", "A-UNUSED"]


def test_every_row_that_is_not_ok_names_who_must_act_since_when_and_why() -> None:
    rows = rows_of(every_state())
    assert (rows["L-OUT"].owner_name, rows["L-OUT"].why_code) == ("Solder paste", "queue")
    assert rows["L-OUT"].owner_since == NOW - timedelta(minutes=95)
    assert rows["L-OUT"].runout_since == NOW - timedelta(minutes=12)
    assert (rows["L-ACT"].owner, rows["L-ACT"].why_code) == ("station Reflow oven", "process")
    assert b"being made" in render_row(rows["L-ACT"], NOW, "en")
    assert (rows["L-LATE"].owner_party, rows["L-LATE"].why_code, rows["L-LATE"].late) == (
        "handler",
        "transit",
        1,
    )
    assert (rows["L-MOVE"].owner_party, rows["L-MOVE"].why_code) == ("handler", "collect")
    assert (rows["L-OK"].owner, rows["L-OK"].why_code) == ("", "")
    assert (rows["L-HELD"].owner_party, rows["L-HELD"].hold_reason) == ("planner", "pins bent, lot 4711")


def test_when_a_loop_runs_out_and_is_refilled_is_learned_from_its_last_turns() -> None:
    shop = make_shop()
    loop = shop.loop("L", "P", "PASTE", "REFLOW")
    shop.card(loop, 1, "FULL")
    shop.turn(shop.card(loop, 2, "EMPTY"), minutes_ago=30, due_in=200)
    shop.history(loop, every=60, taken=40, newest=90)
    row = board_rows([loop.pk], now=NOW)[0]
    # One container an hour; one is left since the last emptying 30 minutes ago; a refill takes 40 minutes.
    assert row.runs_out_at == NOW + timedelta(minutes=30)
    assert row.refill_at == NOW + timedelta(minutes=10)
    assert row.state == "move"


def test_the_margin_is_one_bar_to_the_left_where_the_loop_is_dry_first() -> None:
    shop = make_shop()
    shown = {}
    for code, taken in (("LATE", 80), ("EARLY", 40)):
        loop = shop.loop(code, code, "PASTE", "REFLOW")
        shop.card(loop, 1, "FULL")
        shop.turn(shop.card(loop, 2, "EMPTY"), minutes_ago=30, due_in=200)
        shop.history(loop, every=60, taken=taken, newest=90)
        shown[code] = render_row(board_rows([loop.pk], now=NOW)[0], NOW, "en").decode()
    # Dry in 30 minutes; the refill comes in 50 or in 10.
    assert 'class="short" x="-49.3"' in shown["LATE"]
    assert "20 min too late" in shown["LATE"]
    assert 'class="ahead" x="0.0"' in shown["EARLY"]
    assert "20 min to spare" in shown["EARLY"]


@pytest.mark.parametrize(
    ("margin", "length"), [(0.0, 0.0), (-60.0, 11.2), (8 * 3600.0, 100.0), (-90_000.0, 100.0)]
)
def test_a_margin_is_drawn_by_the_logarithm_of_its_minutes(margin: float, length: float) -> None:
    assert f'width="{length:.1f}"' in margin_bar(margin)
    assert "ahead" not in margin_bar(None)


def test_a_refill_that_should_be_there_counts_from_now() -> None:
    row = rows_of(every_state())["L-OUT"]
    assert row.refill_at == NOW - timedelta(minutes=12)
    html = render_row(row, NOW, "en").decode()
    assert "12 min late" in html
    assert 'class="short" x="-' in html  # dry for 12 minutes by now


def test_a_refill_that_comes_too_late_asks_for_action() -> None:
    shop = make_shop()
    loop = shop.loop("L", "P", "PASTE", "REFLOW")
    shop.card(loop, 1, "FULL")
    shop.turn(shop.card(loop, 2, "EMPTY"), minutes_ago=30, due_in=200)
    shop.history(loop, every=60, taken=80, newest=90)
    row = board_rows([loop.pk], now=NOW)[0]
    assert row.refill_at == NOW + timedelta(minutes=50)
    assert row.state == "act"


def test_b01_a_refill_is_foreseen_from_the_step_that_its_turn_has_reached() -> None:
    shop = make_shop()
    loop = shop.loop("L", "P", "PASTE", "REFLOW")
    shop.card(loop, 1, "FULL")
    shop.turn(
        shop.card(loop, 2, "COMPLETED"), minutes_ago=30, due_in=200, completed_at=NOW - timedelta(minutes=2)
    )
    shop.history(loop, every=60, taken=80, newest=90)
    for past in Turn.objects.filter(loop=loop, closed_at__isnull=False):
        assert past.closed_at is not None
        Turn.objects.filter(pk=past.pk).update(completed_at=past.closed_at - timedelta(minutes=6))
    # Of a whole turn 50 minutes would be left; but what is made is brought within 6 minutes.
    assert board_rows([loop.pk], now=NOW)[0].refill_at == NOW + timedelta(minutes=4)


def test_b01_a_turn_that_takes_longer_than_most_is_compared_with_the_slow_ones() -> None:
    shop = make_shop()
    loop = shop.loop("L", "P", "PASTE", "REFLOW")
    shop.card(loop, 1, "FULL")
    turn = shop.turn(shop.card(loop, 2, "EMPTY"), minutes_ago=30, due_in=200)
    shop.history(loop, every=60, taken=20, newest=90)
    slowest = Turn.objects.filter(loop=loop, closed_at__isnull=False).latest("released_at")
    assert slowest.released_at is not None
    Turn.objects.filter(pk=slowest.pk).update(closed_at=slowest.released_at + timedelta(minutes=45))
    assert board_rows([loop.pk], now=NOW)[0].refill_at == NOW + timedelta(minutes=15)
    # Slower than all: only the due time is known; and where the supplier has promised, it is the promise.
    Turn.objects.filter(pk=turn.pk).update(released_at=NOW - timedelta(minutes=50))
    assert board_rows([loop.pk], now=NOW)[0].refill_at == NOW + timedelta(minutes=200)
    Turn.objects.filter(pk=turn.pk).update(promised_at=NOW + timedelta(minutes=70))
    assert board_rows([loop.pk], now=NOW)[0].refill_at == NOW + timedelta(minutes=70)


def test_b01_how_much_time_is_little_depends_on_the_loop() -> None:
    shop = make_shop()
    states = {}
    for code, lead in (("SLOW", 600), ("QUICK", 20)):
        loop = shop.loop(code, code, "PASTE", "REFLOW", lead_time_minutes=lead)
        shop.card(loop, 1, "FULL")
        shop.turn(shop.card(loop, 2, "EMPTY"), minutes_ago=10, due_in=200)
        shop.history(loop, every=20, taken=15, newest=30)
        row = board_rows([loop.pk], now=NOW)[0]
        assert row.runs_out_at == NOW + timedelta(minutes=10)
        assert row.refill_at == NOW + timedelta(minutes=5)
        states[code] = row.state
    # Five minutes between refill and end.
    assert states == {"SLOW": "soon", "QUICK": "move"}


def test_b01_a_forecast_of_a_quick_loop_counts_seconds() -> None:
    shop = make_shop()
    loop = shop.loop("L", "P", "PASTE", "REFLOW", quantity=Decimal(10))
    shop.card(loop, 1, "FULL", contents=1)
    shop.card(loop, 2, "EMPTY")
    shop.history(loop, every=4, taken=2, newest=1)
    assert board_rows([loop.pk], now=NOW)[0].runs_out_at == NOW + timedelta(seconds=24)


def test_b01_a_night_without_working_time_in_the_calendar_does_not_slow_the_rate() -> None:
    shop = make_shop()
    loop = shop.loop("L", "P", "PASTE", "REFLOW")
    shop.card(loop, 1, "FULL")
    shop.card(loop, 2, "EMPTY")
    shop.history(loop, every=60, taken=40, newest=30)
    newest = Turn.objects.filter(loop=loop).order_by("-opened_at")[:2]
    for past in Turn.objects.filter(loop=loop).exclude(pk__in=[turn.pk for turn in newest]):
        before = past.opened_at - timedelta(hours=20)
        Turn.objects.filter(pk=past.pk).update(
            opened_at=before, released_at=before, closed_at=before + timedelta(minutes=40)
        )
    assert board_rows([loop.pk], now=NOW)[0].runs_out_at == NOW + timedelta(minutes=30)


def test_a_line_that_stands_still_does_not_look_as_if_it_ran_out() -> None:
    shop = make_shop()
    loop = shop.loop("L", "P", "PASTE", "REFLOW")
    shop.card(loop, 1, "FULL")
    shop.card(loop, 2, "FULL")
    shop.history(loop, every=60, taken=40, newest=24 * 60)
    row = board_rows([loop.pk], now=NOW)[0]
    assert row.state == "ok"
    assert row.runs_out_at is not None
    assert row.runs_out_at > NOW


def test_few_turns_say_nothing() -> None:
    shop = make_shop()
    loop = shop.loop("L", "P", "PASTE", "REFLOW")
    shop.card(loop, 1, "FULL")
    shop.history(loop, every=60, taken=40, count=2)
    assert board_rows([loop.pk], now=NOW)[0].runs_out_at is None


def test_a_dry_loop_points_to_the_dry_part_behind_it() -> None:
    shop = make_shop()
    part = shop.loop("L-PART", "SOLDER", "ACME-DOCK", "PASTE", kind="SUPPLIER")
    loop = shop.loop("L", "P", "PASTE", "REFLOW")
    shop.turn(shop.card(part, 1, "EMPTY"), minutes_ago=60, due_in=60, owner="supplier")
    shop.turn(shop.card(loop, 1, "EMPTY"), minutes_ago=30, due_in=60)
    shop.runout(loop, minutes_ago=30, upstream=shop.runout(part, minutes_ago=60))
    row = rows_of(shop)["L"]
    assert (row.why_code, row.upstream) == ("upstream", "SOLDER")
    assert b"waits for SOLDER" in render_row(row, NOW, "en")


def test_a_board_is_read_in_five_statements_however_many_loops_it_has() -> None:
    shop = every_state()
    with CaptureQueriesContext(connection) as few:
        board("SMT", now=NOW)
    for number in range(20):
        loop = shop.loop(f"MORE-{number}", f"PART-{number}", "PASTE", "REFLOW")
        shop.card(loop, 1, "FULL")
    with CaptureQueriesContext(connection) as many:
        assert len(board("SMT", now=NOW).rows) == 26
    assert len(few) == len(many) == 5


def test_an_unknown_area_is_named() -> None:
    with pytest.raises(UnknownArea, match="NOWHERE"):
        board("NOWHERE", now=NOW)


def test_a_row_is_drawn_once_per_language_for_every_viewer() -> None:
    shop = every_state()
    drawn = render_rows(board_rows([shop.loops["L-OUT"].pk], now=NOW), NOW)
    assert [channel for channel, *_ in drawn] == [
        f"SMT:{language}" for language in ("en", "de", "es", "fr", "pl")
    ]
    assert all(html.startswith(b"<tr ") and html.endswith(b"</tr>") for *_, html in drawn)


def test_what_people_have_typed_stays_text() -> None:
    shop = make_shop()
    loop = shop.loop("L", "P", "PASTE", "REFLOW", description="<script>x</script>", status="ON_HOLD")
    loop.hold_reason = '"><img src=x>'
    loop.save(update_fields=["hold_reason"])
    shop.card(loop, 1, "FULL")
    html = render_row(board_rows([loop.pk], now=NOW)[0], NOW, "en").decode()
    assert "<script>" not in html
    assert "<img" not in html


def test_in_a_dry_loop_the_turn_that_can_be_back_first_says_who_must_act() -> None:
    shop = make_shop()
    part = shop.loop("L-PART", "SOLDER", "ACME-DOCK", "PASTE", kind="SUPPLIER")
    loop = shop.loop("L", "P", "PASTE", "REFLOW")
    shop.turn(shop.card(loop, 1, "EMPTY"), minutes_ago=60, due_in=-10)
    shop.turn(shop.card(loop, 2, "COMPLETED"), minutes_ago=30, due_in=60, step="COMPLETED", owner="handler")
    shop.runout(loop, minutes_ago=30, upstream=shop.runout(part, minutes_ago=60))
    row = rows_of(shop)["L"]
    assert (row.owner_party, row.why_code) == ("handler", "collect")


def test_an_extra_shift_outside_the_calendar_is_measured_by_the_clock() -> None:
    shop = make_shop()
    Calendar.objects.update(shifts=[{"days": ["mon"], "start": "06:00", "end": "07:00"}])
    loop = shop.loop("L", "P", "PASTE", "REFLOW")
    shop.card(loop, 1, "FULL")
    shop.turn(shop.card(loop, 2, "EMPTY"), minutes_ago=30, due_in=4000)
    shop.history(loop, every=60, taken=40, newest=90)
    row = board_rows([loop.pk], now=NOW)[0]
    assert (row.runs_out_at, row.refill_at) == (NOW + timedelta(minutes=30), NOW + timedelta(minutes=10))


def test_a_turn_in_error_is_shown_with_its_reason_and_the_buyer_and_is_not_counted_as_empty() -> None:
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    loop = floor.loop("S1", part="SCREW", supply="ACME", demand="LINE", kind="SUPPLIER", cards=4)
    floor.scan("S1", 1, "empty")
    before = board_rows([loop.pk], now=floor.now)[0]
    actions.fail_turn(floor.turn("S1", 1).uuid, reason="4500017 was <closed>", now=floor.now)
    floor.propagate()
    row = board_rows([loop.pk], now=floor.now)[0]
    assert (row.why_code, row.owner_party, row.problem) == ("error", "buyer", "4500017 was <closed>")
    assert [tile.word for tile in row.tiles] == ["ERROR", "FULL", "FULL", "FULL"]
    html = render_row(row, floor.now, "en")
    assert b"b-error" in html
    assert b"4500017 was &lt;closed&gt;" in html
    assert row.urgency[1] < before.urgency[1]


def test_a_card_that_waits_for_the_supermarket_is_grey_and_its_maker_must_act() -> None:
    floor = Floor()
    floor.station("CELL")
    floor.station("MARKET", "SUPERMARKET")
    floor.station("LINE")
    floor.loop("P", part="GEAR", supply="CELL", demand="MARKET", kind="PRODUCTION", cards=1, first="EMPTY")
    loop = floor.loop("W", part="GEAR", supply="MARKET", demand="LINE", kind="WITHDRAWAL")
    floor.scan("W", 1, "empty")
    assert floor.scan("W", 1, "load")["code"] == "supply_short"
    floor.propagate()
    row = board_rows([loop.pk], now=floor.now)[0]
    assert (row.why_code, row.owner) == ("supply_short", "station Cell")
    assert b"b-wait" in render_row(row, floor.now, "en")
    assert "kein voller Beh\u00e4lter im Supermarkt" in render_row(row, floor.now, "de").decode()


def test_calm_rows_stand_by_what_is_used_up_first() -> None:
    shop = make_shop(NOW)
    loops = []
    for code, every in (("A-UNKNOWN", 0), ("B-SLOW", 240), ("C-QUICK", 60)):
        loop = shop.loop(code, f"PART-{code}", "TEST", "SHIP")
        for number in range(1, 5):
            shop.card(loop, number, "FULL")
        if every:
            shop.history(loop, every=every, taken=20)
        loops.append(loop.pk)
    rows = sorted(board_rows(loops, now=NOW), key=place_of)
    assert {row.state for row in rows} == {"ok"}
    assert [row.loop for row in rows] == ["C-QUICK", "B-SLOW", "A-UNKNOWN"]
    ends = [row.runs_out_at for row in rows]
    assert ends[0] is not None
    assert ends[1] is not None
    assert ends[0] < ends[1]
    assert ends[2] is None
