"""What happens to a loop as a whole: its settings, its shortages, its runouts and the waits of its turns."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import msgspec

from jitapp.kanban.events.base import Entry, Event, Inconsistent
from jitapp.kanban.state import Card, Loop, OpenRunout, Span


class BeforeAfter(msgspec.Struct, frozen=True):
    """A setting before and after a change, as text."""

    before: str
    after: str


class LoopChanged(Event, frozen=True):
    """The loop's settings changed; `changed` has each member before and after."""

    type: ClassVar[str] = "loop.changed"

    surplus_due: int | None = None
    cards: int | None = None
    quantity: Decimal | None = None
    revision: int | None = None
    status: str = ""
    reason: str = ""
    changed: dict[str, BeforeAfter] = {}

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """So many cards are to go out when next empty."""
        if self.surplus_due is not None:
            loop.surplus_due = self.surplus_due


class DemandSuppressed(Event, frozen=True):
    """A container was emptied while the loop was on hold: no signal went out."""

    type: ClassVar[str] = "demand.suppressed"

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """One signal more was withheld."""
        loop.suppressed += 1


class DrawShort(Event, frozen=True):
    """A turn needed pieces that no container had: a shortage."""

    type: ClassVar[str] = "draw.short"

    by_turn: UUID
    needed: Decimal
    short: Decimal


class DrawRounded(Event, frozen=True):
    """A turn needed a fraction of a piece: `ahead` pieces are now drawn beyond what was needed, and serve the next
    turns."""

    type: ClassVar[str] = "draw.rounded"

    by_turn: UUID
    needed: Decimal
    ahead: Decimal

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The remainder is carried."""
        loop.drawn_ahead = self.ahead


class CauseFacts(msgspec.Struct, frozen=True):
    """Which card should have come back first, for how long its longest wait lasted, and how long it took in all."""

    card: int | None = None
    minutes: int = 0
    total_minutes: int = 0


class RunoutOpened(Event, frozen=True):
    """No usable container is left at the demand source."""

    type: ClassVar[str] = "runout.opened"

    cause: str = ""
    owner: str = ""
    facts: CauseFacts = CauseFacts()

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The loop is dry; or it was, before a runout that goes on: then this one is closed by the next entry."""
        if loop.runout is None:
            loop.runout = OpenRunout(opened_at=entry.occurred_at, opened_seq=entry.seq)
        loop.register[entry.seq] = Span(entry.seq, entry.occurred_at)


class RunoutClosed(Event, frozen=True, kw_only=True):
    """A usable container is back, or the loop was put on hold."""

    type: ClassVar[str] = "runout.closed"

    cause: str = ""
    owner: str = ""
    facts: CauseFacts = CauseFacts()
    opened_at: datetime
    opened_seq: int

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The loop can be used again."""
        known = loop.register.get(self.opened_seq)
        if loop.runout is not None and loop.runout.opened_seq == self.opened_seq:
            loop.runout = None
        elif known is None or known.closed_at is not None:
            raise Inconsistent("runout.closed without an open runout (C9)")
        loop.register[self.opened_seq] = Span(self.opened_seq, self.opened_at, entry.occurred_at)


class RunoutRevised(Event, frozen=True, kw_only=True):
    """Something told late changed when a runout began or ended; one that never was has no length."""

    type: ClassVar[str] = "runout.revised"

    cause: str = ""
    owner: str = ""
    facts: CauseFacts = CauseFacts()
    opened_seq: int
    opened_at: datetime
    closed_at: datetime | None = None

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The register is put right."""
        loop.register[self.opened_seq] = Span(self.opened_seq, self.opened_at, self.closed_at)
        if self.closed_at is None:
            loop.runout = OpenRunout(self.opened_at, self.opened_seq)
        elif loop.runout is not None and loop.runout.opened_seq == self.opened_seq:
            loop.runout = None


class WaitOpened(Event, frozen=True):
    """An open turn stopped moving: `reason`, and `owner` must act. `because` numbers the loop's event that began it."""

    type: ClassVar[str] = "wait.opened"

    wait: UUID
    reason: str
    owner: str
    because: int


class WaitClosed(Event, frozen=True):
    """The turn moved again, or waits for something else now, after so many `minutes`."""

    type: ClassVar[str] = "wait.closed"

    wait: UUID
    reason: str
    owner: str
    opened_at: datetime
    minutes: float
    working_minutes: float
    because: int
