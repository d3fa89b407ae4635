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
from decimal import Decimal, InvalidOperation
from uuid import UUID

from jitapp.kanban.draws import USES, counted
from jitapp.kanban.events import Event, Inconsistent, apply
from jitapp.kanban.runouts import owner_of
from jitapp.kanban.state import ZERO, Card, Loop, LoopConfig, Turn, text
from jitapp.kanban.transitions import FILLING, MAY_FILL, SIDE
from jitapp.kanban.vocabulary import CardStatus, ConsumeAt, Intent, LoopStatus, SupplyStatus, Trigger

WORK = frozenset({"turn.started", "turn.completed", "turn.shipped", "turn.received"})
OPENS = frozenset({"turn.opened", "turn.released"})
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


def dry(loop: Loop) -> bool:
    """Whether no container is usable, whatever the loop's status (the cards' part of rule C9)."""
    circulating = [card for card in loop.cards.values() if card.card_status is CardStatus.IN_CIRCULATION]
    return (
        bool(circulating)
        and any(card.been_full for card in loop.cards.values())
        and not any(card.usable for card in circulating)
    )


class Audit:
    """One loop's ledger, taken event by event; call `end` after the last."""

    def __init__(self, config: LoopConfig, report: Callable[[Finding], None]) -> None:
        self.loop = Loop(config)
        self.turns: dict[tuple[int, int], Turn] = {}
        self.runouts: dict[int, Span] = {}
        self.waits: dict[UUID, WaitSpan] = {}
        self._waiting: dict[UUID | None, UUID] = {}  # turn -> its open wait
        self.links: dict[tuple[str, int, int], LinkSum] = {}
        self.draws: dict[str, DrawSum] = {}
        # Turns whose station counts components by software: since when, and whether they were taken (or only booked).
        self.used: dict[UUID, tuple[datetime, bool]] = {}
        self._uses = USES[config.consume_at] if counted(config) else ""
        self._books = "turn.released" if self._uses and config.consume_at is ConsumeAt.RELEASE else ""
        self._report = report
        self._group: Hashable = None
        self._emptied: set[int] = set()
        self._opened: Counter[int] = Counter()
        self._released = False
        self._dry = False
        self._turned_at: datetime | None = None  # when the loop became dry, or usable again
        self._turned_in: Hashable = None
        self._told = False

    def take(self, event: Event, *, station_id: int | None, group: Hashable) -> None:
        """Folds one event. Events of one `group` (a scan, or a worker's transaction) are settled together."""
        if group != self._group:
            self._settle()
            self._group = group
        loop = self.loop
        if event.seq != loop.seq + 1:
            self._find("I5", None, "loop_seq", str(loop.seq + 1), str(event.seq))
        card = loop.cards.get(event.card_id) if event.card_id is not None else None
        if event.to and card is not None and event.frm != card.supply_status:
            self._find(
                "C4", card.id, f"`from` of {event.type} (event {event.seq})", card.supply_status, event.frm
            )
            card.supply_status = SupplyStatus(event.frm)
        turn = card.turn if card is not None else None
        self._before(event, card, turn, station_id)
        try:
            apply(loop, event)
        except Inconsistent as error:
            rule = _RULE.search(str(error))
            self._find(
                rule[1] if rule else "C11",
                event.card_id,
                f"event {event.seq}",
                "an event that fits",
                str(error),
            )
            return
        except (KeyError, ValueError, TypeError, AssertionError, InvalidOperation) as error:
            self._find("C11", event.card_id, f"event {event.seq}", f"a readable {event.type}", repr(error))
            return
        card = loop.cards.get(event.card_id) if event.card_id is not None else None
        self._after(event, card, card.turn or turn if card is not None else None)

    def end(self) -> None:
        """After the last event: what the present settings ask for (rules C9 and C10)."""
        self._settle()
        loop = self.loop
        is_open = loop.runout is not None
        should = self._dry and loop.config.status is LoopStatus.ACTIVE
        if should != is_open and not self._told:
            self._find("C9", None, "runout", _runout(should), _runout(is_open))
        for card in loop.cards.values():
            if card.turn is not None and card.turn.owner != (
                due := owner_of(loop.config, card.turn, held=card.held)
            ):
                self._find(
                    "C10",
                    card.id,
                    f"who must act on turn {card.turn.number}",
                    due,
                    card.turn.owner or "nobody",
                )

    # -- one event ---------------------------------------------------------------------------------
    def _before(self, event: Event, card: Card | None, turn: Turn | None, station_id: int | None) -> None:
        if event.type in WORK and (turn is None or turn.signal_state not in MAY_FILL):
            found = f"turn {turn.number} {turn.signal_state}" if turn else "no open turn"
            self._find("C5", event.card_id, f"{event.type} (event {event.seq})", "a released turn", found)
        if event.type == "scan.applied":
            self._scanned(event, station_id)
        elif card is not None and event.type in ("card.booked", "card.drawn", "card.unbooked"):
            self._draw(event, card)
        elif event.type == "draw.short":
            self._sum(event).short = Decimal(event.data["short"])

    def _scanned(self, event: Event, station_id: int | None) -> None:
        intent = event.data.get("intent", "")
        if intent in FILLING and event.turn_number is None:
            self._find("C5", event.card_id, f"{intent} (event {event.seq})", "a turn", "none")
        config = self.loop.config
        foreign = config.supply_id if SIDE.get(intent) == "demand" else config.demand_id
        if intent in FILLING and station_id == foreign and not event.data.get("override"):
            place = config.demand if SIDE[intent] == "demand" else config.supply
            found = config.supply if SIDE[intent] == "demand" else config.demand
            self._find("C13", event.card_id, f"where {intent} was scanned (event {event.seq})", place, found)
        if intent == Intent.EMPTY and event.card_id is not None:
            self._emptied.add(event.card_id)

    def _sum(self, event: Event) -> DrawSum:
        return self.draws.setdefault(event.data["by_turn"], DrawSum())

    def _draw(self, event: Event, card: Card) -> None:
        quantity = Decimal(event.data["quantity"])
        of_turn = self._sum(event)
        link = self.links.setdefault((event.data["by_turn"], card.id, card.container), LinkSum())
        of_turn.short = ZERO
        if event.type == "card.booked":
            link.quantity += quantity
            link.booked += quantity
            of_turn.booked += quantity
        elif event.type == "card.drawn":
            unbooked = Decimal(event.data.get("unbooked", "0"))
            link.quantity += quantity - unbooked
            if unbooked:
                link.booked = ZERO
            of_turn.drawn += quantity
            of_turn.booked -= unbooked
            if quantity > card.contents:
                found = f"{text(quantity)} drawn"
                self._find("C14", card.id, f"event {event.seq}", f"at most {text(card.contents)}", found)
        else:
            link.quantity = link.booked = ZERO
            of_turn.booked -= quantity

    def _after(self, event: Event, card: Card | None, turn: Turn | None) -> None:
        if card is not None and turn is not None:
            self.turns[card.id, turn.number] = turn
        late = self.turns.get((event.card_id or 0, event.turn_number or 0))
        if event.type == "turn.documented" and event.data.get("closed") and late is not None:
            late.document = event.data["document"]
        if turn is not None and event.type.startswith("turn."):
            self._worked(event, turn)
        if event.type == "card.emptied" and card is not None:
            self._emptied.add(card.id)
        elif event.type in OPENS:
            self._released = self._released or event.type == "turn.released"
            if event.card_id is not None and (event.type == "turn.opened" or event.data.get("opens")):
                self._opened[event.card_id] += 1
        elif event.type.startswith("runout."):
            self._runout(event)
        elif event.type.startswith("wait."):
            self._wait(event)
        if card is not None and (event.to or event.type == "scan.applied" or event.type.startswith("card.")):
            self._weigh(event)
            # What a turn brought is weighed by C6; this is the first filling.
            first = event.type == "card.activated" or event.data.get("intent") == Intent.ACTIVATE
            if first and card.contents > card.quantity and not event.data.get("reason"):
                most = f"at most {text(card.quantity)}, or a reason"
                self._find("C14", card.id, f"contents (event {event.seq})", most, text(card.contents))

    def _worked(self, event: Event, turn: Turn) -> None:
        if event.type == self._uses:
            self.used[turn.uuid] = (self.used.get(turn.uuid, (event.occurred_at, False))[0], True)
        elif event.type == self._books:
            self.used.setdefault(turn.uuid, (event.occurred_at, False))
        elif event.type == "turn.cancelled" and not self.used.get(turn.uuid, (None, True))[1]:
            del self.used[turn.uuid]
        elif event.type == "turn.received" and turn.received != turn.asked and not turn.reason:
            found = text(turn.received or ZERO)
            expected = f"{text(turn.asked)}, or a reason"
            self._find("C6", event.card_id, f"received for turn {turn.number}", expected, found)

    def _weigh(self, event: Event) -> None:
        """Whether this event made the loop dry, or usable again."""
        now = dry(self.loop)
        if now != self._dry:
            self._dry, self._turned_at, self._turned_in, self._told = (
                now,
                event.occurred_at,
                self._group,
                False,
            )

    def _runout(self, event: Event) -> None:
        at = self._turned_at
        if event.type == "runout.opened":
            if not self._dry:
                self._find(
                    "C9", None, f"runout.opened (event {event.seq})", "no usable container", "a usable one"
                )
            elif at != event.occurred_at and self._turned_in == self._group:
                self._find("C9", None, "a runout's beginning", _instant(at), _instant(event.occurred_at))
            data = event.data
            self.runouts[event.seq] = Span(
                event.occurred_at, event.seq, data.get("cause", ""), data.get("owner", "")
            )
            return
        cause = event.data.get("cause", "")
        if self._dry and cause != "loop_on_hold":
            self._find("C9", None, f"runout.closed (event {event.seq})", "a usable container", "none")
        elif not self._dry and at != event.occurred_at and self._turned_in == self._group:
            self._find("C9", None, "a runout's end", _instant(at), _instant(event.occurred_at))
        span = self.runouts.get(event.data.get("opened_seq", -1))
        if span is None:
            self._find("C9", None, f"runout.closed (event {event.seq})", "the runout that it closes", "none")
            return
        span.closed_at, span.closed_seq = max(event.occurred_at, span.opened_at), event.seq
        span.cause, span.owner = cause, event.data.get("owner", "")

    def _wait(self, event: Event) -> None:
        """A turn has one wait at a time, and what ends is the one that began."""
        wait, open_ = UUID(event.data["wait"]), self._waiting.get(event.turn)
        what = f"{event.type} (event {event.seq})"
        if event.type == "wait.opened":
            if open_ is not None:
                found = self.waits[open_].reason
                self._find("C10", event.card_id, what, "no other wait of the turn", f"one for {found}")
            self._waiting[event.turn] = wait
            self.waits[wait] = WaitSpan(
                event.turn,
                event.data["reason"],
                event.data["owner"],
                event.occurred_at,
                event.data["because"],
            )
            return
        span = self.waits.setdefault(wait, WaitSpan(event.turn, event.data["reason"], event.data["owner"]))
        if span.closed_at is not None or open_ not in (wait, None):
            self._find("C10", event.card_id, what, "the wait that is open", "another one")
        self._waiting.pop(event.turn, None)
        span.closed_at, span.closed_seq = event.occurred_at, event.data["because"]

    # -- one scan, or one transaction of a worker ----------------------------------------------------
    def _settle(self) -> None:
        for card_id in self._emptied:
            card = self.loop.cards.get(card_id)
            asks = card is not None and card.card_status in (CardStatus.IN_CIRCULATION, CardStatus.HELD)
            asks = (
                asks and self.loop.config.trigger is not Trigger.ON_QTY
            )  # there the stock asks, not the card
            if card is not None and asks and card.supply_status is SupplyStatus.EMPTY and card.turn is None:
                self._find(
                    "C8", card_id, f"signal of the emptied card (event {self.loop.seq})", "one turn", "none"
                )
        for card_id, count in self._opened.items():
            if count > 1:
                self._find(
                    "C8", card_id, f"signals at once (event {self.loop.seq})", "one turn", f"{count} turns"
                )
        is_open = self.loop.runout is not None
        if (
            not self._told
            and is_open != self._dry
            and (is_open or (self._turned_in == self._group and self._released))
        ):
            self._find(
                "C9", None, f"runout after event {self.loop.seq}", _runout(self._dry), _runout(is_open)
            )
            self._told = True
        self._emptied.clear()
        self._opened.clear()
        self._released = False

    def _find(self, rule: str, card_id: int | None, what: str, expected: str, found: str) -> None:
        self._report(Finding(rule, card_id, what, str(expected), str(found)))


def _runout(is_open: bool) -> str:
    return "an open runout" if is_open else "no open runout"


def _instant(at: datetime | None) -> str:
    return at.isoformat() if at else "never"
