"""The independent calculation, on ledgers computed by hand: it finds what is right there, and sees each lie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.independent.adapters import Entry, differences_of_entries
from tests.independent.calculation import History, Spell, compare, dry_spells

DAY = datetime(2026, 11, 16, tzinfo=UTC)
A, B = 1, 2  # cards


def at(hour: int, minute: int = 0) -> datetime:
    return DAY.replace(hour=hour, minute=minute)


class Book:
    """A ledger in the making: entries get their numbers in the order in which they come."""

    def __init__(self, *cards: int) -> None:
        self.entries: list[Entry] = []
        self.now = at(8)
        for card in cards:
            self.write("card.added", card, number=str(card))
            self.write("card.activated", card, to="FULL")

    def write(
        self,
        type_: str,
        card: int | None = None,
        turn: int | None = None,
        *,
        to: str = "",
        when: datetime | None = None,
        **data: Any,
    ) -> None:
        self.entries.append(Entry(type_, when or self.now, len(self.entries) + 1, card, turn, to, data))

    def empty(self, card: int, when: datetime, *, due: datetime | None = None, turn: int = 1) -> None:
        """An emptied container whose signal goes out at once."""
        self.write("scan.applied", card, to="EMPTY", when=when, intent="empty")
        due_at = (due or when + timedelta(hours=4)).isoformat()
        self.write("turn.released", card, turn, when=when, opens=True, due_at=due_at)

    def receive(self, card: int, when: datetime, turn: int = 1) -> None:
        """A container filled and brought in one scan."""
        self.write("scan.applied", card, turn, to="FULL", when=when, intent="receive")
        for step in ("turn.started", "turn.completed", "turn.received"):
            self.write(step, card, turn, when=when)

    def spells(
        self,
        *,
        kind: str = "TWO_BIN",
        supply: str = "PROCESS",
        now: datetime | None = None,
        first_status: str = "ACTIVE",
    ) -> list[Spell]:
        history = History.of(self.entries, kind=kind, supply_kind=supply, first_status=first_status)
        return dry_spells(history, now=now)


def test_a_plain_runout_lasts_from_the_last_empty_to_the_first_full() -> None:
    book = Book(A, B)
    book.empty(A, at(9))
    book.empty(B, at(10))
    book.receive(B, at(11))
    book.receive(A, at(12))
    assert book.spells() == [Spell(at(10), at(11), "queue", "station")]


def test_late_news_of_a_container_emptied_long_ago_does_not_begin_the_runout_earlier() -> None:
    book = Book(A, B)
    book.empty(B, at(11, 55))
    book.write("card.opened", A, to="IN_USE", when=at(11, 55))  # implied, and wrong: it was empty since 8:10
    book.empty(A, at(8, 10))
    book.receive(B, at(12))
    assert [(spell.opened_at, spell.closed_at) for spell in book.spells()] == [(at(11, 55), at(12))]


def test_a_runout_told_of_when_it_was_over_is_found() -> None:
    book = Book(A, B)
    book.empty(A, at(10))
    book.receive(A, at(12))
    book.empty(B, at(11))
    assert [(spell.opened_at, spell.closed_at) for spell in book.spells()] == [(at(11), at(12))]


def test_moments_are_no_runouts() -> None:
    book = Book(A)
    book.empty(A, at(9))
    book.receive(A, at(9))
    assert book.spells() == []


def test_a_loop_that_was_never_full_is_not_dry() -> None:
    book = Book()
    book.write("card.added", A, number="1")
    book.write("card.activated", A)
    book.write("turn.released", A, 1, opens=True, due_at=at(9).isoformat())
    book.write("turn.started", A, 1, when=at(10))
    assert book.spells(now=at(20)) == []


def test_a_removed_card_was_full_once() -> None:
    book = Book(A)
    book.write("card.added", B, number="2")
    book.write("card.activated", B)
    book.write("turn.released", B, 1, opens=True, due_at=at(9).isoformat())
    book.empty(A, at(9))
    book.write("turn.cancelled", A, 1, when=at(10))
    book.write("card.removed", A, when=at(10))
    book.write("turn.started", B, 1, when=at(11))
    assert [(spell.opened_at, spell.closed_at) for spell in book.spells()] == [(at(9), None)]


def test_a_loop_all_of_whose_containers_are_held_is_dry_for_quality() -> None:
    book = Book(A, B)
    book.write("card.held", A, when=at(9))
    book.write("card.held", B, when=at(10))
    assert book.spells(now=at(11)) == [Spell(at(10), None, "quality", "person")]
    book.write("card.unheld", A, when=at(12))
    assert book.spells() == [Spell(at(10), at(12), "quality", "person")]


def test_a_blocked_container_is_not_usable() -> None:
    book = Book(A)
    book.write("card.blocked", A, when=at(9))
    book.write("card.unblocked", A, when=at(10))
    assert book.spells() == [Spell(at(9), at(10), "quality", "person")]


def test_lost_cards_do_not_make_a_loop_dry() -> None:
    book = Book(A)
    book.write("card.lost", A, when=at(9))
    assert book.spells(now=at(10)) == []


def test_a_loop_on_hold_is_not_dry_and_its_runout_ends_with_that_reason() -> None:
    book = Book(A)
    book.empty(A, at(9))
    changed = {"status": {"before": "ACTIVE", "after": "ON_HOLD"}}
    book.write("loop.changed", when=at(10), changed=changed)
    book.write("loop.changed", when=at(12), status="ACTIVE")
    assert book.spells(now=at(13)) == [
        Spell(at(9), at(10), "loop_on_hold", "planner"),
        Spell(at(12), None, "queue", "station"),
    ]


def test_an_order_is_missed_from_its_due_time_on() -> None:
    book = Book()
    for card in (A, B):
        book.write("card.added", card, number=str(card))
        book.write("card.activated", card)
        due = at(11 if card == A else 13).isoformat()
        book.write("turn.released", card, 1, opens=True, due_at=due)
    book.receive(A, at(9))
    book.write("scan.applied", A, to="EMPTY", when=at(10), intent="empty")
    book.write("card.removed", A, when=at(10))
    assert book.spells(kind="EVENT") == []  # nothing is known of later
    assert book.spells(kind="EVENT", now=at(12)) == []
    assert book.spells(kind="EVENT", now=at(14)) == [Spell(at(13), None, "queue", "station")]
    book.receive(B, at(15))
    assert book.spells(kind="EVENT") == [Spell(at(13), at(15), "queue", "station")]
    assert book.spells(kind="TWO_BIN") == [Spell(at(10), at(15), "queue", "station")]


# -- causes --------------------------------------------------------------------------------------------
def test_a_silent_supplier() -> None:
    book = Book(A)
    book.empty(A, at(9))
    book.write("turn.acknowledged", A, 1, when=at(12))
    assert book.spells(supply="SUPPLIER", now=at(13)) == [Spell(at(9), None, "ack", "supplier")]
    assert book.spells(supply="SUPPLIER", now=at(16)) == [Spell(at(9), None, "supplier", "supplier")]
    # Equal shares: the later one.
    assert book.spells(supply="SUPPLIER", now=at(15)) == [Spell(at(9), None, "supplier", "supplier")]
    book.receive(A, at(14))
    assert book.spells(supply="SUPPLIER") == [Spell(at(9), at(14), "ack", "supplier")]


def test_a_document_that_the_erp_owed() -> None:
    book = Book(A)
    book.write("scan.applied", A, to="EMPTY", when=at(9), intent="empty")
    book.write("turn.opened", A, 1, when=at(9), opens=True, state="PENDING_DOC")
    assert book.spells(now=at(10))[0].owner == "buyer"
    book.write("turn.doc_asked", A, 1, when=at(9, 30))
    assert book.spells(now=at(11)) == [Spell(at(9), None, "doc", "erp")]
    book.write("turn.failed", A, 1, when=at(11), reason="no")
    assert book.spells(now=at(20)) == [Spell(at(9), None, "error", "buyer")]


def test_a_batch_that_gathered_for_hours() -> None:
    book = Book(A, B)
    for card, when in ((A, at(9)), (B, at(12))):
        book.write("scan.applied", card, to="EMPTY", when=when, intent="empty")
        book.write("turn.opened", card, 1, when=when, opens=True, state="ACCUMULATING")
    for card in (A, B):
        book.write("turn.released", card, 1, when=at(12), due_at=at(16).isoformat())
    book.receive(A, at(13))
    assert book.spells() == [Spell(at(12), at(13), "accumulate", "planner")]


def test_stretches_of_one_reason_are_added() -> None:
    book = Book(A)
    book.empty(A, at(9))
    book.write("turn.started", A, 1, when=at(9, 20))
    book.write("turn.aborted", A, 1, when=at(9, 50))
    book.write("turn.started", A, 1, when=at(10, 15))
    book.write("turn.completed", A, 1, when=at(10, 20))
    assert book.spells(now=at(10, 25)) == [Spell(at(9), None, "queue", "station")]


def test_a_held_card_is_whoever_holds_its() -> None:
    book = Book(A, B)
    book.empty(A, at(9))
    book.write("card.held", A, when=at(9, 10))
    book.write("turn.recalled", A, 1, when=at(9, 10), withheld=True)
    book.write("card.unheld", A, when=at(11))
    book.write("turn.released", A, 1, when=at(11), due_at=at(15).isoformat())
    book.empty(B, at(11, 30))
    assert book.spells(now=at(12)) == [Spell(at(11, 30), None, "held", "person")]


@pytest.mark.parametrize(
    ("type_", "data", "expected"),
    [
        ("turn.completed", {}, ("collect", "handler")),
        ("turn.shipped", {}, ("transit", "handler")),
        ("turn.docked", {}, ("put_away", "receiving")),
        ("turn.rejected", {}, ("rejected", "buyer")),
        ("turn.short", {}, ("supply_short", "station")),
        ("turn.recalled", {"withheld": True}, ("withheld", "station")),
        ("turn.recalled", {"withheld": False}, ("queue", "station")),
        ("turn.corrected", {"step": "IN_TRANSIT"}, ("transit", "handler")),
        ("turn.failed", {}, ("error", "buyer")),
        ("turn.promised", {}, ("queue", "station")),
    ],
)
def test_what_a_turn_waits_for_after_each_event(
    type_: str, data: dict[str, Any], expected: tuple[str, str]
) -> None:
    book = Book(A)
    book.empty(A, at(9))
    book.write(type_, A, 1, when=at(9, 1), **data)
    (spell,) = book.spells(now=at(15))
    assert (spell.cause, spell.owner) == expected


def test_nobody_was_asked() -> None:
    book = Book(A)
    book.empty(A, at(9))
    book.write("turn.cancelled", A, 1, when=at(10))
    assert book.spells(now=at(11)) == [Spell(at(9), None, "no_signal", "planner")]


def test_the_first_minute_of_a_runout_has_a_cause() -> None:
    book = Book(A)
    book.empty(A, at(9))
    assert book.spells(now=at(9)) == [Spell(at(9), None, "queue", "station")]


# -- comparing -----------------------------------------------------------------------------------------
RIGHT = [Spell(at(9), at(10), "queue", "station"), Spell(at(12), None, "ack", "supplier")]


def test_a_right_register_has_no_differences() -> None:
    assert compare(RIGHT, RIGHT) == []
    assert compare(RIGHT, [*RIGHT, Spell(at(15), at(15), "transit", "handler")]) == []
    halves = [Spell(at(9), at(9, 30), "ack", "supplier"), Spell(at(9, 30), at(10), "queue", "station")]
    assert compare(RIGHT, [*halves, RIGHT[1]]) == []


@pytest.mark.parametrize(
    "register",
    [
        RIGHT[:1],
        RIGHT[1:],
        [*RIGHT, Spell(at(15), at(16), "queue", "station")],
        [Spell(at(9), at(10, 1), "queue", "station"), RIGHT[1]],
        [Spell(at(8, 59), at(10), "queue", "station"), RIGHT[1]],
        [Spell(at(9), at(10), "ack", "station"), RIGHT[1]],
        [Spell(at(9), at(10), "queue", "planner"), RIGHT[1]],
        [RIGHT[0], Spell(at(12), at(13), "ack", "supplier")],
        [RIGHT[0], Spell(at(12), None, "queue", "station")],
    ],
)
def test_each_lie_of_a_register_is_seen(register: list[Spell]) -> None:
    assert compare(RIGHT, register) != []


def test_a_container_corrected_back_from_the_dock_is_put_away_by_nobody() -> None:
    book = Book(A)
    book.empty(A, at(9))
    book.write("turn.docked", A, 1, when=at(9))
    book.write("turn.corrected", A, 1, when=at(9, 30), step="IN_TRANSIT")
    assert book.spells(now=at(12)) == [Spell(at(9), None, "transit", "handler")]


def test_a_loop_in_memory_is_compared_alike() -> None:
    book = Book(A, B)
    book.empty(A, at(9))
    book.empty(B, at(10))
    how: dict[str, Any] = {"kind": "TWO_BIN", "supply_kind": "PROCESS", "now": at(11)}
    assert differences_of_entries(book.entries, [Spell(at(10), None, "queue", "station")], **how) == []
    assert len(differences_of_entries(book.entries, [], **how)) == 1
    held = [Spell(at(9), None, "queue", "station")]
    assert len(differences_of_entries(book.entries, held, **how)) == 2
