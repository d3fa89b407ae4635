"""The book of rules held against a loop's whole history: an independent fold of its ledger, for `verify`.

An `Audit` takes a loop's events in `loop_seq` order, keeps the state they lead to and writes down every place where
the history itself breaks a rule: a gap, a card that jumps, work without a signal, a signal too many, a runout at the
wrong instant. What the state should be is then in `loop`, `turns`, `runouts`, `links` and `draws`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from jitapp.kanban.conditions import MAY_FILL, PARTICIPATING
from jitapp.kanban.draws import USES, counted
from jitapp.kanban.events.base import Entry, Inconsistent
from jitapp.kanban.events.cards import CardActivated, CardBooked, CardDrawn, CardEmptied, CardUnbooked
from jitapp.kanban.events.loops import (
    DrawRounded,
    DrawShort,
    RunoutClosed,
    RunoutOpened,
    RunoutRevised,
    WaitClosed,
    WaitOpened,
)
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import (
    TurnCancelled,
    TurnCompleted,
    TurnDocumented,
    TurnOpened,
    TurnReceived,
    TurnReleased,
    TurnShipped,
    TurnStarted,
)
from jitapp.kanban.fold import apply
from jitapp.kanban.kinds import KINDS
from jitapp.kanban.runouts import dry_spans
from jitapp.kanban.standing import standing_of
from jitapp.kanban.state import ZERO, Card, Loop, LoopConfig, Turn, text
from jitapp.kanban.steps.activate import Activated
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.vocabulary import CardStatus, ConsumeAt, Intent, SupplyStatus, Trigger

# What needs a released turn.
WORK = (TurnStarted, TurnCompleted, TurnShipped, TurnReceived)
_RULE = re.compile(r"\((C\d+)\)$")


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where history breaks a rule; `card_id` is None where no card is concerned."""

    rule: str
    card_id: int | None
    what: str
    expected: str
    found: str


@dataclass(slots=True)
class Span:
    """A runout as the ledger tells it."""

    opened_at: datetime
    opened_seq: int
    cause: str = ""
    owner: str = ""
    closed_at: datetime | None = None
    closed_seq: int | None = None


@dataclass(slots=True)
class WaitSpan:
    """A wait as the ledger tells it; `opened_at` None: it began before waits were events."""

    turn: UUID | None
    reason: str
    owner: str
    opened_at: datetime | None = None
    opened_seq: int | None = None
    closed_at: datetime | None = None
    closed_seq: int | None = None


@dataclass(slots=True)
class LinkSum:
    """Pieces that a downstream turn took from one filling of one card, and how many are only promised."""

    quantity: Decimal = ZERO
    booked: Decimal = ZERO


@dataclass(slots=True)
class DrawSum:
    """Pieces that a downstream turn took from this loop, was promised by it, and missed."""

    drawn: Decimal = ZERO
    booked: Decimal = ZERO
    short: Decimal = ZERO


class Audit:
    """One loop's ledger, taken entry by entry; call `end` after the last."""

    def __init__(self, config: LoopConfig, report: Callable[[Finding], None]) -> None:
        self.loop = Loop(config=config)
        self.turns: dict[tuple[int, int], Turn] = {}
        self.runouts: dict[int, Span] = {}
        self.waits: dict[UUID, WaitSpan] = {}
        self._waiting: dict[UUID | None, UUID] = {}  # turn -> its open wait
        self.links: dict[tuple[UUID, int, int], LinkSum] = {}
        self.draws: dict[UUID, DrawSum] = {}
        # Turns whose station counts components by software: since when, and whether they were taken (or only booked).
        self.used: dict[UUID, tuple[datetime, bool]] = {}
        self._uses = USES[config.consume_at] if counted(config) else None
        self._books = TurnReleased if self._uses and config.consume_at is ConsumeAt.RELEASE else None
        self._report = report
        self._group: Hashable = None
        self._emptied: set[int] = set()
        self._opened: Counter[int] = Counter()
        self._last_at: datetime | None = None

    def take(self, entry: Entry, *, station_id: int | None, group: Hashable) -> None:
        """Folds one entry. Entries of one `group` (a scan, or a worker's transaction) are judged together."""
        if group != self._group:
            self._end_group()
            self._group = group
        loop = self.loop
        if entry.seq != loop.seq + 1:
            self._find("I5", None, "loop_seq", str(loop.seq + 1), str(entry.seq))
        card = loop.cards.get(entry.card_id) if entry.card_id is not None else None
        if entry.to and card is not None and entry.frm != card.supply_status:
            self._find(
                "C4", card.id, f"`from` of {entry.type} (event {entry.seq})", card.supply_status, entry.frm
            )
            card.supply_status = SupplyStatus(entry.frm)
        turn = card.turn if card is not None else None
        self._before(entry, card, turn, station_id)
        try:
            apply(loop, entry)
        except Inconsistent as error:
            rule = _RULE.search(str(error))
            expected = "an event that fits"
            self._find(rule[1] if rule else "C11", entry.card_id, f"event {entry.seq}", expected, str(error))
            return
        self._last_at = max(self._last_at or entry.occurred_at, entry.occurred_at)
        card = loop.cards.get(entry.card_id) if entry.card_id is not None else None
        self._after(entry, card, card.turn or turn if card is not None else None)

    def unreadable(self, seq: int, card_id: int | None, type_: str, problem: str) -> None:
        """An entry whose event cannot be read; the fold goes on without it."""
        self.loop.seq = seq
        self._find("C11", card_id, f"event {seq}", f"a readable {type_}", problem)

    def end(self) -> None:
        """After the last entry: the runouts of the whole history, and who must act now (rules C9 and C10)."""
        self._end_group()
        self._judge_runouts()
        for card in self.loop.cards.values():
            turn = card.turn
            if turn is None:
                continue
            _, due = standing_of(self.loop.config, card, turn)
            if turn.owner != due:
                found = turn.owner or "nobody"
                self._find("C10", card.id, f"who must act on turn {turn.number}", due, found)

    # -- one entry ---------------------------------------------------------------------------------
    def _before(self, entry: Entry, card: Card | None, turn: Turn | None, station_id: int | None) -> None:
        event = entry.event
        if isinstance(event, WORK) and (turn is None or turn.signal_state not in MAY_FILL):
            found = f"turn {turn.number} {turn.signal_state}" if turn else "no open turn"
            self._find("C5", entry.card_id, f"{entry.type} (event {entry.seq})", "a released turn", found)
        if isinstance(event, ScanApplied):
            self._scanned(entry, event, station_id)
        elif card is not None and isinstance(event, CardBooked | CardDrawn | CardUnbooked):
            self._draw(entry, event, card)
        elif isinstance(event, DrawShort):
            self.draws.setdefault(event.by_turn, DrawSum()).short = event.short
        elif isinstance(event, DrawRounded):
            self.draws.setdefault(event.by_turn, DrawSum())  # it may need no piece of its own

    def _scanned(self, entry: Entry, event: ScanApplied, station_id: int | None) -> None:
        step, config = STEPS[Intent(event.intent)], self.loop.config
        what = f"{step.intent} (event {entry.seq})"
        if step.fills and entry.turn_number is None:
            self._find("C5", entry.card_id, what, "a turn", "none")
        ends = {"demand": (config.demand_id, config.demand), "supply": (config.supply_id, config.supply)}
        other = "supply" if step.side == "demand" else "demand"
        if step.fills and station_id == ends[other][0] and not event.override:
            expected = ends[step.side or "supply"][1]
            self._find("C13", entry.card_id, f"where {what} was scanned", expected, ends[other][1])
        if step.intent is Intent.EMPTY and entry.card_id is not None:
            self._emptied.add(entry.card_id)

    def _draw(self, entry: Entry, event: CardBooked | CardDrawn | CardUnbooked, card: Card) -> None:
        quantity = event.quantity
        of_turn = self.draws.setdefault(event.by_turn, DrawSum())
        link = self.links.setdefault((event.by_turn, card.id, card.container), LinkSum())
        of_turn.short = ZERO
        if isinstance(event, CardBooked):
            link.quantity += quantity
            link.booked += quantity
            of_turn.booked += quantity
        elif isinstance(event, CardDrawn):
            link.quantity += quantity - event.unbooked
            if event.unbooked:
                link.booked = ZERO
            of_turn.drawn += quantity
            of_turn.booked -= event.unbooked
            if quantity > card.contents:
                found = f"{text(quantity)} drawn"
                self._find("C14", card.id, f"event {entry.seq}", f"at most {text(card.contents)}", found)
        else:
            link.quantity = link.booked = ZERO
            of_turn.booked -= quantity

    def _after(self, entry: Entry, card: Card | None, turn: Turn | None) -> None:
        event = entry.event
        if card is not None and turn is not None:
            self.turns[card.id, turn.number] = turn
        if isinstance(event, TurnDocumented) and event.closed:
            late = self.turns.get((entry.card_id or 0, entry.turn_number or 0))
            if late is not None:
                late.document = event.document
        if turn is not None:
            self._worked(entry, turn)
        if isinstance(event, CardEmptied) and card is not None:
            self._emptied.add(card.id)
        elif isinstance(event, TurnOpened | TurnReleased):
            if entry.card_id is not None and event.opens:
                self._opened[entry.card_id] += 1
        elif isinstance(event, RunoutOpened | RunoutClosed | RunoutRevised):
            self._runout(entry, event)
        elif isinstance(event, WaitOpened | WaitClosed):
            self._wait(entry, event)
        self._weigh(entry, card)

    def _worked(self, entry: Entry, turn: Turn) -> None:
        event = entry.event
        if self._uses is not None and isinstance(event, self._uses):
            self.used[turn.uuid] = (self.used.get(turn.uuid, (entry.occurred_at, False))[0], True)
        elif self._books is not None and isinstance(event, self._books):
            self.used.setdefault(turn.uuid, (entry.occurred_at, False))
        elif isinstance(event, TurnCancelled) and not self.used.get(turn.uuid, (None, True))[1]:
            del self.used[turn.uuid]
        elif isinstance(event, TurnReceived) and turn.received != turn.asked and not turn.reason:
            found, expected = text(turn.received or ZERO), f"{text(turn.asked)}, or a reason"
            self._find("C6", entry.card_id, f"received for turn {turn.number}", expected, found)

    def _weigh(self, entry: Entry, card: Card | None) -> None:
        """What a turn brought is weighed by C6; this is the first filling."""
        event = entry.event
        first = event.life is CardStatus.IN_CIRCULATION and isinstance(event, CardActivated | Activated)
        explained = isinstance(event, Activated) and bool(event.reason)
        if card is not None and first and card.contents > card.quantity and not explained:
            most = f"at most {text(card.quantity)}, or a reason"
            self._find("C14", card.id, f"contents (event {entry.seq})", most, text(card.contents))

    # -- runouts and waits ---------------------------------------------------------------------------
    def _runout(self, entry: Entry, event: RunoutOpened | RunoutClosed | RunoutRevised) -> None:
        if isinstance(event, RunoutOpened):
            self.runouts[entry.seq] = Span(entry.occurred_at, entry.seq, event.cause, event.owner)
            return
        span = self.runouts.get(event.opened_seq)
        if span is None:
            self._find("C9", None, f"{entry.type} (event {entry.seq})", "the runout that it is about", "none")
            return
        span.cause, span.owner = event.cause, event.owner
        if isinstance(event, RunoutClosed):
            span.closed_at, span.closed_seq = max(entry.occurred_at, span.opened_at), entry.seq
        else:
            span.opened_at, span.closed_at = event.opened_at, event.closed_at
            span.closed_seq = entry.seq if event.closed_at is not None else None

    def _judge_runouts(self) -> None:
        """The runouts told are those that the whole history, in occurred order, has."""
        if self._last_at is None:
            return
        ordered = KINDS[self.loop.config.kind].ordered
        should = [
            (span.begin, span.end)
            for span in dry_spans(self.loop.fresh, ordered=ordered, until=self._last_at)
        ]
        told: list[tuple[datetime, datetime | None]] = []
        for span in sorted(self.runouts.values(), key=lambda each: (each.opened_at, each.opened_seq)):
            if span.closed_at == span.opened_at:
                continue  # one of no length is none
            if told and told[-1][1] == span.opened_at:
                told[-1] = (told[-1][0], span.closed_at)
            else:
                told.append((span.opened_at, span.closed_at))
        for missing in [each for each in should if each not in told]:
            self._find("C9", None, "runout", _spans(missing), "none")
        for extra in [each for each in told if each not in should]:
            self._find("C9", None, "runout", "a usable container", _spans(extra))

    def _wait(self, entry: Entry, event: WaitOpened | WaitClosed) -> None:
        """A turn has one wait at a time, and what ends is the one that began."""
        open_ = self._waiting.get(entry.turn)
        what = f"{entry.type} (event {entry.seq})"
        if isinstance(event, WaitOpened):
            if open_ is not None:
                found = self.waits[open_].reason
                self._find("C10", entry.card_id, what, "no other wait of the turn", f"one for {found}")
            self._waiting[entry.turn] = event.wait
            self.waits[event.wait] = WaitSpan(
                entry.turn, event.reason, event.owner, entry.occurred_at, event.because
            )
            return
        span = self.waits.setdefault(event.wait, WaitSpan(entry.turn, event.reason, event.owner))
        if span.closed_at is not None or open_ not in (event.wait, None):
            self._find("C10", entry.card_id, what, "the wait that is open", "another one")
        self._waiting.pop(entry.turn, None)
        span.closed_at, span.closed_seq = entry.occurred_at, event.because

    # -- one scan, or one transaction of a worker ----------------------------------------------------
    def _end_group(self) -> None:
        for card_id in self._emptied:
            card = self.loop.cards.get(card_id)
            asks = card is not None and card.card_status in PARTICIPATING
            # With a quantity signal the stock asks, not the card.
            asks = asks and self.loop.config.trigger is not Trigger.ON_QTY
            if card is not None and asks and card.supply_status is SupplyStatus.EMPTY and card.turn is None:
                what = f"signal of the emptied card (event {self.loop.seq})"
                self._find("C8", card_id, what, "one turn", "none")
        for card_id, count in self._opened.items():
            if count > 1:
                what = f"signals at once (event {self.loop.seq})"
                self._find("C8", card_id, what, "one turn", f"{count} turns")
        self._emptied.clear()
        self._opened.clear()

    def _find(self, rule: str, card_id: int | None, what: str, expected: str, found: str) -> None:
        self._report(Finding(rule, card_id, what, str(expected), str(found)))


def _spans(span: tuple[datetime, datetime | None]) -> str:
    begin, end = span
    return f"{begin.isoformat()} to {end.isoformat() if end else 'now'}"
