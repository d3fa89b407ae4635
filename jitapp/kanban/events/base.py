"""What an event is: a frozen type with its payload, its sentence and its effect on the state.

A subclass names its type (`type`), describes it in its docstring (the sentence of the feed and the documentation) and
says in `apply` what it changes. Its fields are the event's `data` in ledger and feed: quantities as decimal strings,
instants as ISO 8601; a field that has its default is left out. What an event means for waits, owners and runouts is
not said here: it follows from the state that it leads to (standing.py, runouts.py).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import msgspec

from jitapp.kanban.state import ZERO, Card, Loop, Turn
from jitapp.kanban.vocabulary import CardStatus


class Inconsistent(ValueError):
    """An event that does not fit the state it is applied to: the ledger or the code is wrong, not a person."""


class Event(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Base of all events; `life` is the card status that it gives its card, if it does."""

    type: ClassVar[str] = ""
    life: ClassVar[CardStatus | None] = None

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """Changes the state; the entry says when, by whom and for which turn. Raises Inconsistent."""


class Entry(msgspec.Struct):
    """An event in its place in the ledger of a loop. `frm` and `to` are set where the card's supply status moves (rule
    C4); `device` and `person` are those of its scan."""

    event: Event
    occurred_at: datetime
    card_id: int | None = None
    turn_number: int | None = None
    turn: UUID | None = None
    frm: str = ""
    to: str = ""
    seq: int = 0
    late: bool = False
    scan_id: UUID | None = None
    ordinal: int = 0
    device: int | None = None
    person: int | None = None

    @property
    def type(self) -> str:
        """The event's type, as ledger and feed name it."""
        return self.event.type


def subclasses(of: type[Event]) -> list[type[Event]]:
    """All event types below one, in the order of their definition."""
    found: list[type[Event]] = []
    for each in of.__subclasses__():
        found += [each, *subclasses(each)]
    return found


def needed_card(card: Card | None, entry: Entry) -> Card:
    """The card of an entry. Raises Inconsistent if the loop does not have it."""
    if card is None:
        raise Inconsistent(f"{entry.type} names card {entry.card_id}, which the loop does not have (C1)")
    return card


def open_turn(card: Card | None, entry: Entry) -> Turn:
    """The open turn that an entry names. Raises Inconsistent if another or none is open."""
    if card is None or card.turn is None or card.turn.number != entry.turn_number:
        raise Inconsistent(f"{entry.type} names turn {entry.turn_number}, which is not open (C2)")
    return card.turn


def filled(loop: Loop, card: Card, contents: Decimal, at: datetime) -> None:
    """A full container stands at the demand source."""
    card.contents = contents
    card.booked = ZERO
    card.full_since = at
    loop.been_full = True


def holds(card: Card, contents: Decimal) -> None:
    """So many pieces are in the container from now on; no more of them can be booked."""
    card.contents = contents
    card.booked = min(card.booked, contents)


def moved(card: Card, entry: Entry) -> None:
    """Somebody was at the card. What is told late does not make that older."""
    if card.moved_at is None or entry.occurred_at >= card.moved_at:
        card.moved_at = entry.occurred_at
    card.moved_device, card.moved_person = entry.device, entry.person
