"""When a loop is dry, since when and why (rule C9): late scans, quality holds, orders; each compared with the
independent calculation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from jitapp.kanban.draws import draw
from jitapp.kanban.events.base import Entry
from jitapp.kanban.events.loops import BeforeAfter, LoopChanged, RunoutClosed, RunoutOpened, RunoutRevised
from jitapp.kanban.events.turns import TurnDocAsked
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import finish, release, resume
from jitapp.kanban.state import Loop
from jitapp.kanban.vocabulary import Accumulate, DocPolicy, LoopKind, LoopStatus, StationKind, Trigger
from tests.kanban.independent import History, merged
from tests.kanban.loops import DEMAND, SUPPLY, Bench, begin, new_uuid
from tests.kanban.shop import Told

EIGHT = datetime.fromisoformat("2026-11-17T08:00:00+00:00")


class Watched(Bench):
    """A bench whose ledger is kept; every step is a transaction, after which the loop has forgotten what it did."""

    def __init__(self, *first: str, **settings: object) -> None:
        loop, entries = begin(first or ("FULL", "FULL"), **settings)
        super().__init__(loop)
        self.told = Told(loop, entries)
        self.now = EIGHT

    def at(self, clock: str, number: int, intent: str, *, told: str = "", **facts: Any) -> None:
        """A scan by the clock of that day, `told` later by another device."""
        then = day(clock)
        self.now = max(self.now, day(told) if told else then)
        if told:
            facts |= {"device_id": 8}
        decision = self.scan(
            number, intent, minutes=0, occurred_at=then, is_leader=True, reason="a reason", **facts
        )
        assert decision.outcome == "applied", decision
        self.told.commit(self.loop, decision.entries)

    def write(self, ledger: Ledger) -> None:
        """What a worker or the sweeper wrote."""
        finish(ledger, new_uuid)
        self.now = max(self.now, ledger.at)
        self.told.commit(self.loop, ledger.entries)

    @property
    def entries(self) -> list[Entry]:
        """The whole ledger."""
        return self.told.entries

    @property
    def runouts(self) -> list[tuple[str, str | None]]:
        """(from, to) by the clock, of those that have a length."""
        spans = merged((span.opened_at, span.closed_at) for span in self.told.runouts())
        history = self._history(self.entries)
        assert spans == history.runouts(self.now)
        return [(clock(begun), clock(end) if end else None) for begun, end in spans]

    @property
    def causes(self) -> list[tuple[str, str]]:
        """(cause, owner) of each runout that was closed or put right, as it was told."""
        return list(self._causes())

    def _causes(self) -> Iterator[tuple[str, str]]:
        for place, entry in enumerate(self.entries):
            event = entry.event
            if isinstance(event, RunoutClosed | RunoutRevised):
                end = entry.occurred_at if isinstance(event, RunoutClosed) else event.closed_at
                if end is not None and end != event.opened_at:
                    found = (event.cause, str(event.owner))
                    assert found == self._history(self.entries[:place]).cause(end)
                    yield found

    def _history(self, entries: list[Entry]) -> History:
        config = self.loop.config
        return History(
            entries,
            orders=config.kind is LoopKind.EVENT,
            outside=config.supply_kind is StationKind.SUPPLIER,
        )


def day(clock_time: str) -> datetime:
    hours, _, minutes = clock_time.partition(":")
    return EIGHT.replace(hour=int(hours), minute=int(minutes))


def clock(at: datetime) -> str:
    return f"{at.hour}:{at:%M}"


# -- told late -------------------------------------------------------------------------------------------
def test_the_later_of_two_bins_begins_the_runout_although_it_was_told_first() -> None:
    shop = Watched()
    shop.at("11:55", 2, "empty")
    shop.at("8:00", 1, "empty", told="11:58")
    shop.at("12:00", 1, "receive")
    assert shop.runouts == [("11:55", "12:00")]


def test_a_bin_that_was_empty_while_the_other_one_was_away_is_found_out_later() -> None:
    shop = Watched()
    shop.at("10:00", 1, "empty")
    shop.at("12:00", 1, "receive")
    shop.at("11:00", 2, "empty", told="12:30")
    assert shop.runouts == [("11:00", "12:00")]
    assert shop.loop.runout is None
    assert shop.causes == [("queue", "station")]
    # The bin that came at 12:00 was opened then, not when the other one was emptied.
    opened = next(entry for entry in shop.entries if entry.type == "card.opened" and entry.card_id == 1)
    assert opened.occurred_at == day("12:00")


def test_a_runout_that_never_was_gets_no_length() -> None:
    shop = Watched("FULL", "FULL", "EMPTY")
    shop.at("9:00", 1, "empty")
    shop.at("10:00", 2, "hold")
    assert shop.runouts == [("10:00", None)]
    shop.at("9:30", 3, "receive", told="10:30")
    assert shop.runouts == []
    assert shop.loop.runout is None


def test_an_old_runout_is_found_out_while_another_one_goes_on() -> None:
    shop = Watched()
    shop.at("10:00", 1, "empty")
    shop.at("12:00", 1, "receive")
    shop.at("13:00", 1, "empty")
    shop.at("14:30", 2, "empty")
    assert shop.runouts == [("14:30", None)]
    shop.at("11:00", 2, "hold", told="15:00")  # nobody could take from it since then
    assert shop.runouts == [("11:00", "12:00"), ("13:00", None)]
    shop.at("15:10", 1, "receive")
    assert shop.runouts == [("11:00", "12:00"), ("13:00", "15:10")]


def test_a_hold_told_late_does_not_move_the_container_in_the_past() -> None:
    shop = Watched("FULL", "EMPTY", "FULL")
    shop.at("9:00", 1, "empty")
    shop.at("9:30", 3, "empty")
    assert shop.runouts == [("9:30", None)]
    shop.at("8:10", 1, "hold", told="10:00")
    # Held since 8:10, so not to be used; but the other one was there until 9:30.
    assert shop.runouts == [("9:30", None)]
    moved = [entry.occurred_at for entry in shop.entries if entry.to == "WAIT"]
    assert moved == [day("9:00")]


def test_a_draw_from_before_the_containers_last_move_counts_from_there() -> None:
    shop = Watched(
        "FULL",
    )
    shop.at("9:00", 1, "open")
    ledger = Ledger(shop.loop, at=day("8:30"))
    assert draw(ledger, need=Decimal(4), turn=new_uuid(), new_uuid=new_uuid).taken == 4
    shop.write(ledger)
    assert shop.runouts == [("9:00", None)]


# -- why ---------------------------------------------------------------------------------------------------
def test_a_loop_all_of_whose_containers_are_held_is_dry_for_quality() -> None:
    shop = Watched()
    shop.at("9:00", 1, "hold")
    assert shop.runouts == []
    shop.at("9:30", 2, "hold")
    opened = shop.entries[-1].event
    assert isinstance(opened, RunoutOpened)
    assert (opened.cause, opened.owner) == ("quality", "person")
    shop.at("11:00", 1, "release")
    assert shop.runouts == [("9:30", "11:00")]
    assert shop.causes == [("quality", "person")]


def test_blocked_containers_are_not_usable_either() -> None:
    shop = Watched()
    shop.at("9:00", 1, "block")
    shop.at("9:30", 2, "hold")
    shop.at("10:00", 1, "unblock")
    assert shop.runouts == [("9:30", "10:00")]
    assert shop.causes == [("quality", "person")]


def test_with_one_container_away_the_turn_is_the_cause() -> None:
    shop = Watched()
    shop.at("9:00", 1, "empty")
    shop.at("9:30", 2, "hold")
    shop.at("9:40", 1, "start")
    shop.at("9:50", 1, "receive")
    assert shop.runouts == [("9:30", "9:50")]
    assert shop.causes == [("queue", "station")]  # 40 minutes of 50


def test_a_card_that_was_lost_until_the_end_is_not_the_cause() -> None:
    shop = Watched("FULL", "FULL", trigger=Trigger.ON_IN_USE)
    shop.at("8:00", 1, "open")  # its refill is asked for
    shop.at("8:05", 1, "load", at=SUPPLY)
    shop.at("8:50", 2, "empty")
    shop.at("9:00", 1, "lost")
    shop.at("9:30", 1, "found")
    assert shop.runouts == [("9:00", "9:30")]
    assert shop.causes == [("queue", "station")]  # card 2, and not the way of card 1


def test_a_turn_that_was_closed_since_is_the_cause_of_a_runout_that_ended_before() -> None:
    shop = Watched("FULL", "FULL")
    shop.at("8:40", 1, "hold")
    shop.at("8:50", 2, "empty")
    assert shop.runouts == [("8:50", None)]
    shop.at("9:30", 2, "cancel")
    shop.at("9:20", 1, "release", told="9:40")
    assert shop.runouts == [("8:50", "9:20")]
    assert shop.causes == [("queue", "station")]


def test_a_held_card_that_is_lost_was_held_until_then() -> None:
    shop = Watched(
        "FULL",
    )
    shop.at("8:50", 1, "empty")
    shop.at("8:55", 1, "load", at=SUPPLY)
    shop.at("9:00", 1, "hold")
    shop.at("9:30", 1, "lost")  # unheld and lost in one scan
    assert shop.runouts == [("8:50", "9:30")]
    assert shop.causes == [("quality", "person")]


def test_a_runout_that_goes_on_without_a_pause_stays_two_of_the_register() -> None:
    shop = Watched("FULL", "FULL", "NEW")
    shop.at("9:00", 1, "empty")
    shop.at("9:10", 2, "empty")
    shop.at("9:20", 3, "activate")
    ledger = Ledger(shop.loop, at=day("9:15"))
    draw(ledger, need=Decimal(4), turn=new_uuid(), new_uuid=new_uuid)
    shop.write(ledger)  # used up at once, as far as anybody knows
    assert shop.runouts == [("9:10", None)]
    shop.at("9:40", 1, "hold")
    shop.at("9:30", 2, "hold", told="9:50")
    assert shop.runouts == [("9:10", None)]
    assert [entry.type for entry in shop.entries].count("runout.revised") == 0


def test_without_a_signal_nobody_was_asked() -> None:
    shop = Watched(
        "FULL",
    )
    shop.at("9:00", 1, "empty")
    shop.at("9:05", 1, "cancel")
    shop.at("9:30", 1, "correct", target="FULL")
    assert shop.runouts == [("9:00", "9:30")]
    assert shop.causes == [("no_signal", "planner")]


@pytest.mark.parametrize(
    ("settings", "way", "cause"),
    [
        (
            {"kind": LoopKind.SUPPLIER, "supply_kind": StationKind.SUPPLIER},
            [("9:01", "acknowledge"), ("9:20", "ship"), ("9:30", "receive")],
            ("supplier", "supplier"),
        ),
        (
            {"kind": LoopKind.SUPPLIER, "supply_kind": StationKind.SUPPLIER},
            [("9:20", "ship"), ("9:30", "receive")],
            ("ack", "supplier"),
        ),
        ({}, [("9:02", "start"), ("9:20", "complete"), ("9:30", "receive")], ("process", "station")),
        ({}, [("9:02", "start"), ("9:04", "complete"), ("9:30", "receive")], ("collect", "handler")),
        ({}, [("9:02", "load"), ("9:30", "receive")], ("transit", "handler")),
        ({}, [("9:02", "load"), ("9:03", "dock"), ("9:30", "receive")], ("put_away", "receiving")),
        ({}, [("9:02", "hold"), ("9:28", "release"), ("9:30", "receive")], ("held", "person")),
        (
            {"accumulate": Accumulate.CARDS, "accumulate_cards": 2},
            [("9:30", "receive")],
            ("queue", "station"),  # a dry loop waits for no batch
        ),
    ],
    ids=["promised", "silent", "made", "collected", "driven", "put away", "held", "dry at once"],
)
def test_the_cause_is_what_the_oldest_turn_waited_for_longest(
    settings: dict[str, object], way: list[tuple[str, str]], cause: tuple[str, str]
) -> None:
    shop = Watched("FULL", "NEW", **settings)
    shop.at("9:00", 1, "empty")
    for then, intent in way:
        shop.at(then, 1, intent, at=DEMAND if intent in ("dock", "receive", "hold", "release") else SUPPLY)
    assert shop.causes == [cause]


def test_a_document_that_is_waited_for_is_the_cause_and_not_a_batch() -> None:
    shop = Watched("FULL", doc_policy=DocPolicy.WAIT_FOR_DOC_NUMBER)
    shop.at("9:00", 1, "empty")
    card = shop.loop.cards[1]
    ledger = Ledger(shop.loop, at=day("9:01"))
    ledger.write(TurnDocAsked(), card, turn=card.turn)
    shop.write(ledger)
    ledger = Ledger(shop.loop, at=day("9:25"))
    release(ledger, card, new_uuid())
    shop.write(ledger)
    shop.at("9:30", 1, "receive")
    assert shop.causes == [("doc", "erp")]


def test_putting_the_loop_on_hold_ends_a_runout_with_that_reason() -> None:
    shop = Watched(
        "FULL",
    )
    shop.at("9:00", 1, "empty")
    _status(shop, LoopStatus.ON_HOLD, "9:30")
    assert shop.runouts == [("9:00", "9:30")]
    assert shop.causes == [("loop_on_hold", "planner")]
    _status(shop, LoopStatus.ACTIVE, "10:00")
    assert shop.runouts == [("9:00", "9:30"), ("10:00", None)]


def _status(shop: Watched, status: LoopStatus, at: str) -> None:
    loop: Loop = shop.loop
    before, loop.config = loop.config.status, replace(loop.config, status=status)
    ledger = Ledger(loop, at=day(at))
    ledger.write(LoopChanged(status=str(status), changed={"status": BeforeAfter(str(before), str(status))}))
    resume(ledger, new_uuid)
    shop.write(ledger)


# -- what has been full ---------------------------------------------------------------------------------------
def test_a_loop_that_has_never_been_full_has_not_run_out() -> None:
    shop = Watched("EMPTY", "EMPTY")
    assert shop.loop.runout is None
    shop.at("9:00", 1, "receive")
    shop.at("9:30", 1, "empty")
    assert shop.runouts == [("9:30", None)]


def test_a_card_removed_since_counts_for_having_been_full() -> None:
    shop = Watched("FULL", "EMPTY")
    shop.at("9:00", 1, "remove")
    assert shop.runouts == [("9:00", None)]


def test_a_loop_without_cards_that_take_part_is_not_dry() -> None:
    shop = Watched(
        "FULL",
    )
    shop.at("9:00", 1, "empty")
    shop.at("9:30", 1, "lost")
    assert shop.runouts == [("9:00", "9:30")]
    assert shop.causes == [("queue", "station")]


# -- orders ------------------------------------------------------------------------------------------------------
def ordered() -> Watched:
    """A loop of orders that has been used before; card 2 is asked for at 9:00, due at 10:00."""
    shop = Watched("FULL", "NEW", kind=LoopKind.EVENT, lead_time_minutes=60)
    shop.at("8:00", 1, "empty")
    shop.at("8:30", 1, "cancel")
    assert shop.runouts == []
    shop.at("9:00", 2, "activate", quantity=0)
    return shop


def test_an_order_that_is_not_due_yet_is_no_runout() -> None:
    shop = ordered()
    shop.write(Ledger(shop.loop, at=day("9:59")))
    shop.at("9:59", 2, "receive")
    assert shop.runouts == []


def test_an_order_that_falls_due_is_a_runout_from_then_on() -> None:
    shop = ordered()
    shop.write(Ledger(shop.loop, at=day("10:07")))  # the sweeper looks now and then
    assert shop.runouts == [("10:00", None)]
    shop.at("10:30", 2, "receive")
    assert shop.runouts == [("10:00", "10:30")]
    assert shop.causes == [("queue", "station")]


def test_an_order_that_fell_due_and_was_filled_before_anybody_looked_is_told() -> None:
    shop = ordered()
    shop.at("10:30", 2, "receive")
    assert shop.runouts == [("10:00", "10:30")]


def test_an_order_whose_signal_was_taken_back_is_not_due() -> None:
    shop = ordered()
    shop.at("9:30", 2, "recall")
    shop.write(Ledger(shop.loop, at=day("10:30")))
    assert shop.runouts == []


def test_a_late_start_on_an_overdue_order_does_not_end_its_runout() -> None:
    shop = ordered()
    shop.write(Ledger(shop.loop, at=day("10:07")))
    ledger = Ledger(shop.loop, at=day("9:40"))
    draw(ledger, need=Decimal(1), turn=new_uuid(), new_uuid=new_uuid)
    shop.write(ledger)
    assert shop.runouts == [("10:00", None)]
    assert shop.now - day("10:00") < timedelta(hours=1)
