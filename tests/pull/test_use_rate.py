"""How fast a loop uses its part: known after a week whatever its rhythm, and measured in working time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from jitapp.kanban.worktime import WorkCalendar
from jitapp.plant.models import Calendar
from jitapp.pull.models import Turn
from jitapp.pull.reading.board import board, board_rows
from jitapp.pull.reading.projections import in_force, runs_out_at, use_of
from jitapp.web.board import render_row
from tests.web.shop import Shop, make_shop

DAY_SHIFT = WorkCalendar(
    "UTC", [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "06:00", "end": "14:00"}]
)
FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def turn(at: datetime, pieces: int = 12) -> SimpleNamespace:
    return SimpleNamespace(opened_at=at, asked=Decimal(pieces), closed_at=None)


def card(contents: int = 12, quantity: int = 12) -> SimpleNamespace:
    return SimpleNamespace(contents=Decimal(contents), quantity=Decimal(quantity))


def test_a_slow_loop_has_a_rate_after_a_week_though_few_containers_were_emptied() -> None:
    week = [turn(FRIDAY - timedelta(days=2)), turn(FRIDAY - timedelta(days=7))]
    use = use_of(week, DAY_SHIFT, FRIDAY)
    assert use is not None
    # Five working days less the two hours of the first one and of the last: 12 pieces in 3 x 8 h.
    assert use.rate == pytest.approx(12 / (3 * 480), rel=0.01)
    assert use_of(week[:1], DAY_SHIFT, FRIDAY) is None  # two days: nothing is known yet
    one = use_of([turn(FRIDAY - timedelta(days=7))], DAY_SHIFT, FRIDAY)
    assert one is not None
    assert one.rate == pytest.approx(12 / (5 * 480), rel=0.01)


def test_cards_that_are_emptied_in_bunches_are_measured_from_bunch_to_bunch() -> None:
    """A round empties eight cards within minutes, once a day."""
    days = [FRIDAY - timedelta(days=n) for n in (0, 1, 2, 3, 4)]
    turns = [turn(day + timedelta(seconds=20 * n)) for day in days for n in range(8)]
    now = FRIDAY + timedelta(minutes=10)
    use = use_of(sorted(turns, key=lambda each: each.opened_at, reverse=True), DAY_SHIFT, now)
    assert use is not None
    assert use.rate == pytest.approx(8 * 12 / 480, rel=0.03)


def test_a_batch_released_together_is_measured_by_when_each_card_was_emptied() -> None:
    """Rows of one batch have one release, so that they come in any order."""
    opened = [FRIDAY - timedelta(hours=hours) for hours in (2, 0, 3, 1)]
    use = use_of([turn(at) for at in opened], DAY_SHIFT, FRIDAY)
    assert use is not None
    assert use.rate == pytest.approx(12 / 60)


def test_a_stray_scan_in_the_evening_does_not_turn_the_weekend_into_working_time() -> None:
    evening = FRIDAY.replace(hour=14, minute=20)
    turns = [turn(evening), *(turn(FRIDAY - timedelta(hours=2 * n)) for n in range(3))]
    saturday = FRIDAY + timedelta(days=1)
    assert in_force(DAY_SHIFT, turns, evening + timedelta(minutes=5)) is not DAY_SHIFT  # people still work
    assert in_force(DAY_SHIFT, turns, saturday) is DAY_SHIFT
    at = runs_out_at([card(), card()], turns, in_force(DAY_SHIFT, turns, saturday), saturday)
    assert at is not None
    assert at >= datetime(2026, 11, 23, 6, 0, tzinfo=UTC)  # nobody uses anything before Monday


def test_an_extra_shift_counts_by_the_clock_while_it_goes_on() -> None:
    saturday = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    turns = [turn(saturday + timedelta(minutes=30 * n)) for n in reversed(range(6))]
    newest = turns[0].opened_at
    assert in_force(DAY_SHIFT, turns, newest + timedelta(minutes=40)) is not DAY_SHIFT
    assert in_force(DAY_SHIFT, turns, newest + timedelta(hours=5)) is DAY_SHIFT


def test_a_calendar_that_nobody_keeps_is_not_believed() -> None:
    turns = [turn(datetime(2026, 11, day, 20, 0, tzinfo=UTC)) for day in (19, 18, 17, 16, 13)]
    now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    use = use_of(turns, in_force(DAY_SHIFT, turns, now), now)
    assert use is not None
    assert use.rate > 0


def test_pieces_used_outside_working_time_do_not_make_working_time_faster() -> None:
    """Four of eight containers were emptied on one Saturday: by Monday the week counts, not the Saturday."""
    saturday = [datetime(2026, 11, 21, 8 + n, 0, tzinfo=UTC) for n in range(4)]
    week = [datetime(2026, 11, 20, 13, 0, tzinfo=UTC) - timedelta(hours=2 * n) for n in range(4)]
    monday = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    turns = [turn(at) for at in sorted([*saturday, *week], reverse=True)]
    use = use_of(turns, in_force(DAY_SHIFT, turns, monday), monday)
    assert use is not None
    assert use.rate == pytest.approx(12 / 120, rel=0.35)


# -- on the board ----------------------------------------------------------------------------------------------
@pytest.fixture
def shop(db: None) -> Shop:
    return make_shop()


def put(shop: Shop, code: str, opened: list[datetime]) -> None:
    loop = shop.loop(code, code, "PASTE", "REFLOW")
    first = shop.card(loop, 1, "FULL")
    shop.card(loop, 2, "FULL")
    for number, at in enumerate(opened, start=1):
        Turn.objects.create(
            card=first,
            loop=loop,
            supply=loop.supply,
            number=number,
            signal_state="CLOSED",
            asked=loop.quantity,
            received=loop.quantity,
            opened_at=at,
            released_at=at,
            closed_at=at + timedelta(minutes=40),
        )


def test_no_loop_with_a_week_of_history_is_without_a_rate(shop: Shop) -> None:
    now = shop.now
    Calendar.objects.filter(plant=shop.plant).update(
        shifts=[{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "06:00", "end": "14:00"}]
    )
    rhythms = {
        "SLOW": [now - timedelta(days=8), now - timedelta(days=3)],
        "ONCE": [now - timedelta(days=8)],
        "BUNCH": [now - timedelta(days=day, seconds=n) for day in range(1, 9) for n in range(8)],
        "NIGHT": [now.replace(hour=3) - timedelta(days=day) for day in range(8)],
        "STEADY": [now - timedelta(hours=20 * n) for n in range(1, 9)],
    }
    for code, opened in rhythms.items():
        put(shop, code, opened)
    rows = {row.part: row for row in board("SMT", now=now).rows}
    assert {code: rows[code].runs_out_at is not None for code in rhythms} == dict.fromkeys(rhythms, True)
    # Eight containers a day of eight working hours: the two that are full last a quarter of one at most.
    assert rows["BUNCH"].runs_out_at < now + timedelta(days=1)  # type: ignore[operator]
    assert rows["BUNCH"].runs_out_at > now  # type: ignore[operator]


def test_a_loop_that_uses_nothing_says_since_when(shop: Shop) -> None:
    loop = shop.loop("STILL", "STILL", "PASTE", "REFLOW")
    for number in (1, 2):
        card_ = shop.card(loop, number, "FULL")
        card_.moved_at = shop.now - timedelta(days=8 + number)
        card_.save()
    (row,) = board_rows([loop.pk], now=shop.now)
    assert (row.runs_out_at, row.idle_since) == (None, shop.now - timedelta(days=9))
    card_.moved_at = shop.now - timedelta(days=2)
    card_.save()
    (row,) = board_rows([loop.pk], now=shop.now)
    assert row.idle_since is None


def test_a_loop_of_orders_is_used_by_order(shop: Shop) -> None:
    loop = shop.loop("ORDERS", "ORDERS", "PASTE", "REFLOW", kind="EVENT")
    shop.card(loop, 1, "EMPTY")
    (row,) = board_rows([loop.pk], now=shop.now)
    assert row.by_order


def test_the_board_says_why_it_does_not_tell_when_the_stock_ends(shop: Shop) -> None:
    still = shop.loop("STILL", "STILL", "PASTE", "REFLOW")
    card_ = shop.card(still, 1, "FULL")
    card_.moved_at = shop.now - timedelta(days=20)
    card_.save()
    shop.card(shop.loop("ORDERS", "ORDERS", "PASTE", "REFLOW", kind="EVENT"), 1, "EMPTY")
    drawn = {row.part: render_row(row, shop.now, "en").decode() for row in board("SMT", now=shop.now).rows}
    assert "nothing used since 2026-10-31" in drawn["STILL"]
    assert "made by order" in drawn["ORDERS"]
    assert "no rate yet" not in "".join(drawn.values())
