"""What happens to a card and its container without a scan of its own, or beside one."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from jitapp.kanban.events.base import Entry, Event, filled, moved, needed_card
from jitapp.kanban.state import ZERO, Card, Loop
from jitapp.kanban.vocabulary import CardStatus


class CardAdded(Event, frozen=True):
    """A card was made for the loop; it is NEW until activated."""

    type: ClassVar[str] = "card.added"
    life: ClassVar[CardStatus | None] = CardStatus.NEW

    code: str
    number: int
    quantity: Decimal
    turns: int | None = None
    note: str = ""
    replaces: int | None = None

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The loop has a card more."""
        assert entry.card_id is not None
        loop.cards[entry.card_id] = Card(
            id=entry.card_id,
            code=self.code,
            number=self.number,
            quantity=self.quantity,
            turns_left=self.turns,
            note=self.note,
            replaces=self.replaces,
            label_stale=self.replaces is not None,  # nobody has printed it yet, and a container waits for it
        )


def activate(loop: Loop, card: Card, contents: Decimal, entry: Entry) -> None:
    """The card takes part from now on, with what is in its container."""
    card.card_status = CardStatus.IN_CIRCULATION
    if contents:
        filled(loop, card, contents, entry.occurred_at)
    else:
        card.contents = ZERO


class CardActivated(Event, frozen=True):
    """A card came into circulation by a first load, with its container full or empty."""

    type: ClassVar[str] = "card.activated"
    life: ClassVar[CardStatus | None] = CardStatus.IN_CIRCULATION

    contents: Decimal

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The card takes part."""
        card = needed_card(card, entry)
        activate(loop, card, self.contents, entry)
        moved(card, entry)


class CardOpened(Event, frozen=True):
    """The longest-full container counts as opened because another one was emptied."""

    type: ClassVar[str] = "card.opened"


class CardUnopened(Event, frozen=True):
    """An implied opening was taken back by an undo."""

    type: ClassVar[str] = "card.unopened"


class CardDrawn(Event, frozen=True):
    """A worker took pieces out of the container for a turn of the consuming station."""

    type: ClassVar[str] = "card.drawn"

    quantity: Decimal
    by_turn: UUID
    container: int
    unbooked: Decimal = ZERO

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """Fewer pieces are in it."""
        card = needed_card(card, entry)
        card.contents -= self.quantity
        card.booked -= self.unbooked
        moved(card, entry)
        card.last_scan = None


class CardBooked(Event, frozen=True):
    """Pieces were promised to a released turn of the consuming station."""

    type: ClassVar[str] = "card.booked"

    quantity: Decimal
    by_turn: UUID

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """More of its pieces are promised."""
        needed_card(card, entry).booked += self.quantity


class CardUnbooked(Event, frozen=True):
    """A promise was freed because the turn was cancelled."""

    type: ClassVar[str] = "card.unbooked"

    quantity: Decimal
    by_turn: UUID

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """Fewer of its pieces are promised."""
        needed_card(card, entry).booked -= self.quantity


class CardEmptied(Event, frozen=True):
    """A draw took the last piece; `inferred`: its empty scan was missed, a late receipt tells of it."""

    type: ClassVar[str] = "card.emptied"

    inferred: bool = False
    left: Decimal | None = None


class CardHeld(Event, frozen=True):
    """The card was taken out of circulation for a time."""

    type: ClassVar[str] = "card.held"
    life: ClassVar[CardStatus | None] = CardStatus.HELD

    reason: str

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The card is HELD."""
        _lives(card, entry, CardStatus.HELD, self.reason)


class CardUnheld(Event, frozen=True):
    """A held card takes part again."""

    type: ClassVar[str] = "card.unheld"
    life: ClassVar[CardStatus | None] = CardStatus.IN_CIRCULATION

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The card takes part."""
        _lives(card, entry, CardStatus.IN_CIRCULATION)


class CardLost(Event, frozen=True):
    """The card was reported lost."""

    type: ClassVar[str] = "card.lost"
    life: ClassVar[CardStatus | None] = CardStatus.LOST

    reason: str = ""

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The card is LOST."""
        _lives(card, entry, CardStatus.LOST, self.reason)


class CardFound(Event, frozen=True):
    """A lost card takes part again."""

    type: ClassVar[str] = "card.found"
    life: ClassVar[CardStatus | None] = CardStatus.IN_CIRCULATION

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The card takes part."""
        _lives(card, entry, CardStatus.IN_CIRCULATION)


class CardRemoved(Event, frozen=True):
    """The card was withdrawn for good."""

    type: ClassVar[str] = "card.removed"
    life: ClassVar[CardStatus | None] = CardStatus.REMOVED

    note: str = ""

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The card is REMOVED."""
        _lives(card, entry, CardStatus.REMOVED, self.note)


class CardSurplus(Event, frozen=True):
    """The card is no longer needed; it goes out with its container empty."""

    type: ClassVar[str] = "card.surplus"
    life: ClassVar[CardStatus | None] = CardStatus.SURPLUS

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The card is SURPLUS; one less is due to go."""
        _lives(card, entry, CardStatus.SURPLUS)
        loop.surplus_due = max(0, loop.surplus_due - 1)


class CardRestored(Event, frozen=True):
    """A surplus card takes part again."""

    type: ClassVar[str] = "card.restored"
    life: ClassVar[CardStatus | None] = CardStatus.IN_CIRCULATION

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The card takes part."""
        _lives(card, entry, CardStatus.IN_CIRCULATION)


class CardObsolete(Event, frozen=True):
    """The loop of the card was retired: whoever finds the card puts it into the red box."""

    type: ClassVar[str] = "card.obsolete"
    life: ClassVar[CardStatus | None] = CardStatus.OBSOLETE

    reason: str = ""

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The card is OBSOLETE."""
        _lives(card, entry, CardStatus.OBSOLETE, self.reason)


class CardBlocked(Event, frozen=True):
    """The container must not be used until somebody has looked at it; its card goes on circulating."""

    type: ClassVar[str] = "card.blocked"

    reason: str

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """Nobody takes from the container."""
        card = needed_card(card, entry)
        card.blocked = True
        card.note = self.reason


class CardUnblocked(Event, frozen=True):
    """A blocked container may be used again."""

    type: ClassVar[str] = "card.unblocked"

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The container may be used."""
        card = needed_card(card, entry)
        card.blocked = False
        card.note = ""


class CardRelabelled(Event, frozen=True):
    """The printed values of the card are no longer true; it stands on the list for reprint."""

    type: ClassVar[str] = "card.relabelled"

    stale: bool = True

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The label is out of date, or has been printed."""
        needed_card(card, entry).label_stale = self.stale


class CardWaits(Event, frozen=True):
    """An empty card waits until the supply side releases it."""

    type: ClassVar[str] = "card.waits"


class CardAuthorised(Event, frozen=True):
    """A waiting card is EMPTY again: its signal goes out, or will."""

    type: ClassVar[str] = "card.authorised"


class CardDetached(Event, frozen=True):
    """A withdrawal took the container; the supermarket's card goes to the receiving post."""

    type: ClassVar[str] = "card.detached"

    by_card: str

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """Nothing hangs on the card any more."""
        card = needed_card(card, entry)
        card.contents = ZERO
        card.booked = ZERO
        moved(card, entry)


def _lives(card: Card | None, entry: Entry, status: CardStatus, note: str = "") -> None:
    card = needed_card(card, entry)
    card.card_status = status
    card.note = note
