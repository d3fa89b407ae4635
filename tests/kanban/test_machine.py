"""All kinds of loops together, moved at random: a million moves never break a rule.

20,000 moves in the suite; nightly `make nightly`, or JITAPP_MOVES=1000000. A failure prints its shortest story and
how to have it again.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import fields

from jitapp.kanban.conditions import usable
from jitapp.kanban.draws import Link, book, draw, free, take_booked
from jitapp.kanban.events.base import Entry
from jitapp.kanban.events.loops import BeforeAfter, LoopChanged, RunoutClosed, RunoutRevised
from jitapp.kanban.fold import apply
from jitapp.kanban.ledger import Ledger, Scan
from jitapp.kanban.lifecycle import decide
from jitapp.kanban.market import balance, full
from jitapp.kanban.resizing import resize
from jitapp.kanban.signals import accumulating, fail, finish, gather, recover, resume
from jitapp.kanban.state import Loop, LoopCounters
from jitapp.kanban.step import STEPS
from jitapp.kanban.swap import swap
from jitapp.kanban.vocabulary import (
    CardStatus,
    Intent,
    LoopKind,
    LoopStatus,
    Role,
    SignalState,
)
from tests.kanban.independent import merged
from tests.kanban.loops import START, add_card, begin, new_uuid
from tests.kanban.shop import (
    CARDS,
    FETCHING,
    FILLING,
    FITTING,
    MARKET,
    MOST_CARDS,
    PLAIN,
    SCANS,
    SHOP,
    WORK,
    Told,
    check,
    history_of,
)

MOVES = int(os.environ.get("JITAPP_MOVES", "20000"))
DEPTH = 50


class Shop(RuleBasedStateMachine):
    """Loops under random scans, draws, swaps, resizes and clocks; each move is checked against the book."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START + timedelta(hours=1)
        self.loops: list[Loop] = []
        self.told: dict[int, Told] = {}
        self.focus: list[int] = [0]
        self.last: dict[Any, list[Entry]] = {}
        self.promised: list[tuple[int, Any, tuple[Link, ...]]] = []

    @initialize(focus=st.lists(st.integers(0, len(SHOP) - 1), min_size=1, max_size=2))
    def open_the_shop(self, focus: list[int]) -> None:
        """All loops are there; the story of one example happens at one or two of them, to get deep."""
        self.focus = focus
        for number, setting in enumerate(SHOP, start=1):
            loop, entries = begin(CARDS, **({"id": number} | setting))
            self.loops.append(loop)
            self.told[number] = Told(loop, entries)
            self._follow(loop, entries)

    def _at(self, number: int) -> Loop:
        return self.loops[self.focus[number % len(self.focus)]]

    def _follow(self, loop: Loop, entries: list[Entry]) -> None:
        """For machines that look at more than this one; called with all entries of a loop, from the first on."""

    def _after(self, loop: Loop, entries: list[Entry]) -> None:
        """The end of a move on a loop."""
        for entry in entries:
            if entry.scan_id is not None:
                self.last.setdefault(entry.scan_id, []).append(entry)
            if entry.to and entry.card_id is not None:
                assert entry.frm != entry.to
        if loop.config.kind is LoopKind.EVENT:
            self._commit(loop, entries)
            swept = Ledger(loop, at=self.now)  # an order falls due without any event: the sweeper looks
            finish(swept, new_uuid)
            entries = swept.entries
        self._commit(loop, entries)
        self._judge_runouts(loop)

    def _commit(self, loop: Loop, entries: list[Entry]) -> None:
        told = self.told[loop.config.id]
        known = len(told.entries)
        self._follow(loop, entries)
        told.commit(loop, entries)
        for entry in entries:
            if isinstance(entry.event, RunoutClosed | RunoutRevised):
                first = next(e.seq for e in entries if e.type.startswith("runout."))
                self._judge_cause(loop, entry, told.entries[: known + first - entries[0].seq])

    def _judge_runouts(self, loop: Loop) -> None:
        """C9: the register is what the whole ledger says in occurred order, and so are the usable containers."""
        told = self.told[loop.config.id]
        history = history_of(loop, told.entries)
        register = merged((span.opened_at, span.closed_at) for span in told.spans.values())
        assert register == history.runouts(self.now)
        assert {card.id for card in loop.cards.values() if usable(card)} == history.usable(self.now)

    def _judge_cause(self, loop: Loop, entry: Entry, before: list[Entry]) -> None:
        """The final cause and owner of a runout, by what was known when it was closed or put right."""
        event = entry.event
        assert isinstance(event, RunoutClosed | RunoutRevised)
        end = event.closed_at if isinstance(event, RunoutRevised) else entry.occurred_at
        if end is None or end == event.opened_at:
            return
        assert (event.cause, event.owner) == history_of(loop, before).cause(end)

    def teardown(self) -> None:
        """C11: the ledger gives the state back."""
        for loop in self.loops:
            again = Loop(config=loop.config)
            for entry in self.told[loop.config.id].entries:
                apply(again, entry)
            assert again.cards == loop.cards
            counters = [each.name for each in fields(LoopCounters)]
            assert [getattr(again, name) for name in counters] == [getattr(loop, name) for name in counters]
            assert again.runout == loop.runout
            assert again.register == self.told[loop.config.id].spans

    @rule(at=st.integers(0, len(SHOP) - 1), scans=st.lists(SCANS, min_size=1, max_size=4))
    def scan(self, at: int, scans: list[dict[str, Any]]) -> None:
        """Any scans by anybody, some of them one after the other at the same loop."""
        for drawn in scans:
            self._scan(self._at(at), drawn)

    @rule(at=st.integers(0, len(SHOP) - 1), done=st.lists(WORK, min_size=1, max_size=8))
    def work(self, at: int, done: list[tuple[int, int, float, int]]) -> None:
        """People who do what fits, some of whom are told of late: so loops get into all their states."""
        self._work(at, done)

    def _work(self, at: int, done: list[tuple[int, int, float, int]]) -> None:
        for number, choice, minutes, late in done:
            loop = self._at(at)
            card = loop.cards.get(number)
            if card is None:
                continue
            life = str(card.card_status)
            fits = FITTING.get(life) or FITTING.get(str(card.supply_status), ()) if life != "REMOVED" else ()
            if card.blocked and choice < 2:
                fits = (Intent.UNBLOCK,)
            if fits:
                self._scan(
                    loop,
                    PLAIN
                    | {
                        "number": number,
                        "intent": fits[choice % len(fits)],
                        "minutes": minutes,
                        "late": late,
                        "quantity": "3" if fits[choice % len(fits)] is Intent.COUNT else None,
                    },
                )

    @rule(at=st.integers(0, len(SHOP) - 1), done=st.lists(WORK, min_size=2, max_size=8))
    def go_on(self, at: int, done: list[tuple[int, int, float, int]]) -> None:
        """Most of what happens is work."""
        self._work(at, done)

    def _scan(self, loop: Loop, drawn: dict[str, Any]) -> None:
        card = loop.cards.get(drawn["number"])
        if card is None:
            return
        self.now += timedelta(minutes=drawn["minutes"])
        intent = drawn["intent"]
        own = (STEPS[intent].side if intent else None) or "demand"
        side = own if drawn["side"] == "its own" else drawn["side"]
        station = {"demand": loop.config.demand_id, "supply": loop.config.supply_id}.get(side)
        before = loop.seq
        facts = Scan(
            id=new_uuid(),
            intent=intent,
            station_id=station,
            device_id=drawn["device"],
            occurred_at=self.now - timedelta(minutes=drawn["late"]),
            recorded_at=self.now,
            quantity=None if drawn["quantity"] is None else Decimal(drawn["quantity"]),
            reason=drawn["reason"],
            is_leader=drawn["role"] is Role.LEADER,
            roles=frozenset({drawn["role"]} if drawn["role"] else ()),
            target=drawn["status"],
            promised_at=self.now + timedelta(hours=5) if drawn["late"] else None,
            new_uuid=new_uuid,
            market_empty=any(loop is self.loops[place] for place in FETCHING)
            and station == MARKET
            and not full([self.loops[FILLING]]),
            last_entries=tuple(self.last.get(card.last_scan, ())) if intent is Intent.UNDO else (),
        )
        waited = card.supply_status == "WAIT"
        decision = decide(loop, card, facts)
        if decision.code == "supply_short":
            assert (card.supply_status, card.out_of_stock) == ("WAIT", True)  # W4
        if waited and intent in (Intent.START, Intent.COMPLETE, Intent.LOAD, Intent.RECEIVE):
            assert decision.outcome != "applied"  # C5
        assert decision.code != "card_in_error" or card.turn is not None
        assert bool(decision.entries) == (decision.outcome == "applied")
        if not decision.entries:
            assert loop.seq == before  # a refusal changes nothing
        opened = [entry.card_id for entry in decision.entries if getattr(entry.event, "opens", False)]
        assert len(opened) == len(set(opened))  # C8
        self._after(loop, decision.entries)

    @rule(
        at=st.integers(0, len(SHOP) - 1),
        need=st.integers(1, 9),
        what=st.sampled_from(["draw", "book", "use", "free"]),
        late=st.sampled_from([0, 0, 3, 60]),
    )
    def consume(self, at: int, need: int, what: str, late: int) -> None:
        """What a worker does for a BACKFLUSH station: pieces leave containers, and none is made or lost."""
        at = self.focus[at % len(self.focus)]
        loop = self.loops[at]
        self.now += timedelta(minutes=1)
        then = self.now - timedelta(
            minutes=late
        )  # a worker draws at the instant of the event that used the pieces
        ledger = Ledger(loop, at=then)
        had = sum(card.contents for card in loop.cards.values())
        taken = Decimal(0)
        if what == "draw":
            taken = draw(ledger, need=Decimal(need), turn=new_uuid(), new_uuid=new_uuid).taken
        elif what == "book":
            turn = new_uuid()
            self.promised.append(
                (at, turn, book(ledger, need=Decimal(need), turn=turn, new_uuid=new_uuid).links)
            )
        elif self.promised:
            place, turn, links = self.promised.pop(0)
            loop = self.loops[place]
            had = sum(card.contents for card in loop.cards.values())
            ledger = Ledger(loop, at=then)
            if what == "use":
                taken, _ = take_booked(ledger, links=links, turn=turn, new_uuid=new_uuid)
            else:
                free(ledger, links=links, turn=turn)
        finish(ledger, new_uuid)
        assert sum(card.contents for card in loop.cards.values()) == had - taken
        self._after(ledger.loop, ledger.entries)

    @rule(w_number=st.integers(1, 4), p_number=st.integers(1, 4), reason=st.sampled_from(["", "damaged"]))
    def exchange(self, w_number: int, p_number: int, reason: str) -> None:
        """W takes the place of P: one card on every full container before and after (4.3)."""
        w_loop, p_loop = self.loops[8], self.loops[9]
        w_card, p_card = w_loop.cards[w_number], p_loop.cards[p_number]
        self.now += timedelta(minutes=2)
        before = (w_card.supply_status, p_card.supply_status)
        scan = Scan(
            id=new_uuid(),
            intent=Intent.LOAD,
            station_id=MARKET,
            device_id=9,
            occurred_at=self.now,
            recorded_at=self.now,
            reason=reason,
            new_uuid=new_uuid,
        )
        done = swap(w_loop, w_card, p_loop, p_card, scan)
        if done.decision.code in ("swapped", "swapped_out"):
            assert before == ("EMPTY", "FULL")
            assert w_card.supply_status == "IN_TRANSIT"
            assert p_card.supply_status in ("EMPTY", "WAIT")
        else:
            assert (w_card.supply_status, p_card.supply_status) == before
        self._after(w_loop, done.decision.entries)
        self._after(p_loop, done.detached)

    @rule(
        at=st.integers(0, len(SHOP) - 1),
        number=st.integers(1, len(CARDS)),
        what=st.sampled_from(["fail", "recover", "serve", "near"]),
    )
    def system(self, at: int, number: int, what: str) -> None:
        """What no person does: a call beside the floor fails or succeeds, a worker serves, the sweeper has looked."""
        if what == "serve":
            self.serve()
        elif what == "near":
            self.near_runout(at)
        else:
            self.side_effect(at, number, what)

    def side_effect(self, at: int, number: int, what: str) -> None:
        """G13: something beside the floor fails for good, or succeeds at last; the signal is never lost."""
        loop = self._at(at)
        card = loop.cards.get(number)
        if card is None or card.turn is None:
            return
        self.now += timedelta(minutes=1)
        turn, was = card.turn, (card.turn.signal_state, card.turn.step)
        ledger = Ledger(loop, at=self.now)
        if what == "fail":
            fail(ledger, card, "the ERP said no")
        elif turn.failed:
            recover(ledger, card)
        finish(ledger, new_uuid)
        assert card.turn is turn
        # Put right, it may be the card that its batch was waiting for.
        gathered = what == "recover" and was == (SignalState.ACCUMULATING, "")
        assert (turn.signal_state, turn.step) == was or (gathered and turn.signal_state == "RELEASED")
        self._after(ledger.loop, ledger.entries)

    def serve(self) -> None:
        """The worker at the supermarket: the oldest that wait are served first, one a container (W5)."""
        self.now += timedelta(minutes=1)
        ledgers = [Ledger(self.loops[place], at=self.now) for place in FETCHING]
        short = sorted(
            card.turn.opened_at
            for ledger in ledgers
            for card in ledger.loop.cards.values()
            if card.turn
            and card.turn.supply_short
            and not card.turn.failed
            and card.card_status == "IN_CIRCULATION"
        )
        there = full([self.loops[FILLING]])
        balance(ledgers, [self.loops[FILLING]], new_uuid)
        served = [
            ledger.loop.cards[event.card_id or 0]
            for ledger in ledgers
            for event in ledger.entries
            if event.type == "turn.released"
        ]
        assert len(served) <= there
        assert all(card.urgent and not card.out_of_stock for card in served)
        assert sorted(card.turn.opened_at for card in served if card.turn) == short[: len(served)]
        for ledger in ledgers:
            finish(ledger, new_uuid)
            self._after(ledger.loop, ledger.entries)

    def near_runout(self, at: int) -> None:
        """The sweeper has seen that the last container will not last: nothing is gathered any longer (4.5), unless the
        loop is on hold: then nothing goes out."""
        loop = self._at(at)
        active, waiting = loop.config.status is LoopStatus.ACTIVE, accumulating(loop)
        self.now += timedelta(minutes=1)
        ledger = Ledger(loop, at=self.now)
        gather(ledger, new_uuid, why="near-runout")
        finish(ledger, new_uuid)
        assert accumulating(loop) == ([] if active else waiting)
        self._after(ledger.loop, ledger.entries)

    @rule(
        at=st.integers(0, len(SHOP) - 1),
        what=st.sampled_from(["resize", "clock", "on hold", "in use", "replace", "replace"]),
        cards=st.integers(1, 4),
    )
    def plan(self, at: int, what: str, cards: int) -> None:
        """What planners and the clock do to a loop as a whole."""
        if what == "resize":
            self.resize(at, cards)
        elif what == "clock":
            self.clock(at)
        elif what == "replace":
            self.replace_lost(at)
        else:
            self.hold(at, LoopStatus.ON_HOLD if what == "on hold" else LoopStatus.ACTIVE)

    def resize(self, at: int, cards: int) -> None:
        """N changes with the cards on the floor; never more out than there are."""
        loop = self._at(at)
        self.now += timedelta(minutes=1)
        ledger = Ledger(loop, at=self.now)
        resize(ledger, cards, new_uuid)
        ledger.write(LoopChanged(surplus_due=loop.surplus_due))
        finish(ledger, new_uuid)
        assert 0 <= loop.surplus_due <= len(loop.cards)
        self._after(ledger.loop, ledger.entries)

    def clock(self, at: int) -> None:
        """The time of a batch has come, or a hold is over."""
        self.now += timedelta(hours=3)
        ledger = Ledger(self._at(at), at=self.now)
        gather(ledger, new_uuid, why="clock")
        resume(ledger, new_uuid)
        finish(ledger, new_uuid)
        self._after(ledger.loop, ledger.entries)

    def hold(self, at: int, status: LoopStatus) -> None:
        """A planner puts a loop on hold, or takes it into use again."""
        loop = self._at(at)
        self.now += timedelta(minutes=7)
        before, loop.config = loop.config.status, replace(loop.config, status=status)
        ledger = Ledger(loop, at=self.now)
        changed = {"status": BeforeAfter(str(before), str(status))}
        ledger.write(LoopChanged(status=str(status), surplus_due=loop.surplus_due, changed=changed))
        resume(ledger, new_uuid)
        finish(ledger, new_uuid)
        self._after(loop, ledger.entries)

    def replace_lost(self, at: int) -> None:
        """A NEW card takes the place of a lost one."""
        loop = self._at(at)
        replaced = {card.replaces for card in loop.cards.values()}
        lost = [card for card in loop.cards.values() if card.card_status is CardStatus.LOST]
        missing = [card for card in lost if card.number not in replaced]
        if not missing or len(loop.cards) >= MOST_CARDS:
            return
        self.now += timedelta(minutes=1)
        ledger = Ledger(loop, at=self.now)
        add_card(ledger, len(loop.cards) + 1, replaces=missing[0].number)
        finish(ledger, new_uuid)
        self._after(loop, ledger.entries)

    @invariant()
    def the_book_holds(self) -> None:
        for loop in self.loops:
            check(loop, self.now)


Shop.TestCase.settings = settings(
    max_examples=max(1, MOVES // DEPTH),
    stateful_step_count=DEPTH,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
TestShop = Shop.TestCase
