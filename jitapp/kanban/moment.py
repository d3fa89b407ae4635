"""A loop as it was at some moment, folded from its ledger again: what boards show of the past.

`Moment.take` folds entries with the same `apply` as the shop floor does. Two selections of a ledger are folded:

- what was known at an instant: the entries recorded until then, a beginning of the ledger in its own order;
- what is known of an instant: all entries that occurred until then, in the order in which they were recorded, so that
  a scan that came late stands where it happened. Such a selection may leave out what an entry followed: what cannot be
  applied then is left out, and where a container went is taken from the entry.

A moment is saved as JSON (`encode`, `decode`), so that later folds begin there. `SHAPE` names its form.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from msgspec.structs import fields

from jitapp.kanban.events.base import Entry, Inconsistent
from jitapp.kanban.events.loops import LoopChanged, WaitClosed, WaitOpened
from jitapp.kanban.fold import apply, status_after
from jitapp.kanban.standing import NOT_READY
from jitapp.kanban.state import STATUSES, Card, Loop, LoopConfig, LoopCounters, OpenRunout, Turn
from jitapp.kanban.vocabulary import SignalState

CLOSED_TURNS = 8  # the newest closed turns that a moment keeps: as many as the board learns its rates from


class Closed(msgspec.Struct, array_like=True, frozen=True):
    """A closed turn, and the number of its card."""

    card: int
    turn: Turn


class Refused(msgspec.Struct, array_like=True, frozen=True):
    """A turn whose container found no room where it goes, and since when."""

    wait: UUID
    turn: UUID
    since: datetime


class Saved(msgspec.Struct, array_like=True):
    """A moment as it is saved."""

    counters: LoopCounters
    cards: list[Card]
    runout: tuple[datetime, int] | None
    closed: list[Closed]
    refused: list[Refused]
    settings: dict[str, str]


def _shape() -> str:
    """A fingerprint of everything that is saved: a moment of another form is folded again instead of read."""
    types = (Saved, LoopCounters, Card, Turn, Closed, Refused)
    form = [(each.__name__, [(field.name, str(field.type)) for field in fields(each)]) for each in types]
    return hashlib.sha256(repr(form).encode()).hexdigest()[:16]


SHAPE = _shape()
_COUNTERS = tuple(field.name for field in fields(LoopCounters))
_encode = msgspec.json.Encoder(decimal_format="string").encode
_decode = msgspec.json.Decoder(Saved).decode


class Moment:
    """A loop along its ledger. `loop` is its state after the entries taken; `closed` the newest turns that were filled
    or are over; `refused` the turns that the receiver has no room for; `settings` what the ledger says of the loop's
    settings since they were first changed."""

    def __init__(self, config: LoopConfig) -> None:
        self.loop = Loop(config=config)
        self.closed: list[Closed] = []
        self.refused: list[Refused] = []
        self.settings: dict[str, str] = {}

    @classmethod
    def decode(cls, config: LoopConfig, saved: bytes) -> Moment:
        """A saved moment. Raises msgspec.ValidationError if it was saved in another form."""
        found, moment = _decode(saved), cls(config)
        counters = {name: getattr(found.counters, name) for name in _COUNTERS}
        moment.loop = Loop(config=config, cards={card.id: card for card in found.cards}, **counters)
        if found.runout is not None:
            moment.loop.runout = OpenRunout(*found.runout)
        moment.closed, moment.refused, moment.settings = found.closed, found.refused, found.settings
        return moment

    def encode(self) -> bytes:
        """The moment as it is saved; the same state gives the same bytes."""
        loop = self.loop
        counters = LoopCounters(**{name: getattr(loop, name) for name in _COUNTERS})
        runout = (loop.runout.opened_at, loop.runout.opened_seq) if loop.runout is not None else None
        cards = sorted(loop.cards.values(), key=lambda card: card.id)
        return _encode(Saved(counters, cards, runout, self.closed, self.refused, self.settings))

    def take(self, entry: Entry) -> None:
        """Folds one entry; never raises for what does not fit."""
        loop, event = self.loop, entry.event
        card = loop.cards.get(entry.card_id) if entry.card_id is not None else None
        if entry.to and card is not None and entry.frm != card.supply_status:
            card.supply_status = STATUSES[entry.frm]
        try:
            apply(loop, entry)
        except Inconsistent:
            loop.seq = entry.seq  # what it followed is not among the entries of this moment
        loop.fresh.clear()
        loop.register.clear()
        for number, turn in loop.ended:
            self._close(number, turn)
        loop.ended.clear()
        if isinstance(event, WaitOpened | WaitClosed):
            self._wait(entry, event)
        elif isinstance(event, LoopChanged):
            self._change(event)

    def _close(self, number: int, turn: Turn) -> None:
        if turn.released_at is None or turn.signal_state is SignalState.CANCELLED:
            return
        self.closed.append(Closed(number, turn))
        if len(self.closed) > CLOSED_TURNS:
            self.closed.remove(
                min(self.closed, key=lambda each: each.turn.released_at or each.turn.opened_at)
            )

    def _wait(self, entry: Entry, event: WaitOpened | WaitClosed) -> None:
        if event.reason != NOT_READY[0] or entry.turn is None:
            return
        self.refused = [each for each in self.refused if each.wait != event.wait]
        if isinstance(event, WaitOpened):
            self.refused.append(Refused(event.wait, entry.turn, entry.occurred_at))

    def _change(self, event: LoopChanged) -> None:
        told = {name: changed.after for name, changed in event.changed.items()}
        status = status_after(event)
        if status is not None:
            told["status"] = str(status)
            told["hold_reason"] = event.reason
        if event.quantity is not None:
            told["quantity"] = format(Decimal(event.quantity), "f")
        self.settings.update(told)
