"""The stock at the point of use over time, from the events of a stretch of the ledger and the cards as they stand after
it: derived, and independent of the fold that leads from the first event to now.

What stood before the stretch follows from its first events: each move names where it came from, and each change of
contents how many pieces there had been. Then the events are taken in the order in which they occurred, so that what was
told late stands where it happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from jitapp.kanban.conditions import usable
from jitapp.kanban.events.base import Event
from jitapp.kanban.events.cards import (
    CardActivated,
    CardAdded,
    CardBlocked,
    CardDetached,
    CardDrawn,
    CardFound,
    CardRestored,
    CardSurplus,
    CardUnblocked,
    CardUnheld,
)
from jitapp.kanban.filling import FillingScan
from jitapp.kanban.state import STATUSES, ZERO
from jitapp.kanban.steps.activate import Activated
from jitapp.kanban.steps.correct import Corrected
from jitapp.kanban.steps.count import Counted
from jitapp.kanban.steps.empty import Emptied
from jitapp.kanban.steps.found import Found
from jitapp.kanban.steps.undo import Undone
from jitapp.kanban.vocabulary import CardStatus, SupplyStatus


@dataclass(slots=True)
class Container:
    """What of a card decides how much of its part can be used."""

    supply_status: SupplyStatus
    card_status: CardStatus
    blocked: bool
    contents: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the loop as the ledger has it; `to` is empty where no container moved."""

    at: datetime
    seq: int
    card: int
    event: Event
    frm: str
    to: str


@dataclass(frozen=True, slots=True)
class Level:
    """From `at` on there were so many pieces in so many usable containers."""

    at: datetime
    pieces: Decimal
    containers: int


# What a card was before an event gave it another life, as far as the event alone says it.
_BEFORE: dict[type[Event], CardStatus] = {
    CardAdded: CardStatus.NEW,
    CardActivated: CardStatus.NEW,
    Activated: CardStatus.NEW,
    CardUnheld: CardStatus.HELD,
    CardFound: CardStatus.LOST,
    CardSurplus: CardStatus.IN_CIRCULATION,
    CardRestored: CardStatus.SURPLUS,
}


def unsure(happened: Iterable[Happened]) -> dict[int, int]:
    """The cards whose first change of life in the stretch does not say what they were before, with its number."""
    first: dict[int, Happened] = {}
    for each in happened:
        if each.event.life is not None:
            first.setdefault(each.card, each)
    return {card: each.seq for card, each in first.items() if type(each.event) not in _BEFORE}


def before(
    now: Mapping[int, Container], happened: Sequence[Happened], lives: Mapping[int, CardStatus]
) -> dict[int, Container]:
    """The containers as they stood before the first event, in the order of the ledger; `lives` knows the cards that
    `unsure` names, and any that it does not know was in circulation."""
    own: dict[int, list[Happened]] = {card: [] for card in now}
    for each in happened:
        if each.card in own:
            own[each.card].append(each)
    return {card: _begun(container, own[card], lives.get(card)) for card, container in now.items()}


def _begun(now: Container, own: Sequence[Happened], life: CardStatus | None) -> Container:
    moved = next((each for each in own if each.to), None)
    lived = next((each for each in own if each.event.life is not None), None)
    blocked = next((each.event for each in own if isinstance(each.event, CardBlocked | CardUnblocked)), None)
    status = now.card_status
    if lived is not None:
        status = _BEFORE.get(type(lived.event), life or CardStatus.IN_CIRCULATION)
    return Container(
        STATUSES[moved.frm] if moved is not None and moved.frm else now.supply_status,
        status,
        now.blocked if blocked is None else isinstance(blocked, CardUnblocked),
        _contents_before(now, own),
        now.quantity,
    )


def _contents_before(now: Container, own: Sequence[Happened]) -> Decimal:
    drawn = ZERO
    for each in own:
        if isinstance(each.event, CardDrawn):
            drawn += each.event.quantity
        elif (had := _had(each.event, now.quantity)) is not None:
            return had + drawn
    return now.contents + drawn


def _had(event: Event, quantity: Decimal) -> Decimal | None:
    """How many pieces there were before an event that says how many there are; None: it says nothing of it."""
    if isinstance(event, Emptied):
        return event.left
    if isinstance(event, Counted | Corrected):
        return event.expected
    if isinstance(event, FillingScan):
        return None if event.quantity is None else event.left or ZERO
    if isinstance(event, CardDetached):
        return quantity
    if isinstance(event, Undone):
        return ZERO if event.undone_intent == Emptied.__struct_config__.tag else event.contents
    if isinstance(event, CardActivated | Activated):
        return ZERO
    return event.contents if isinstance(event, Found) else None


def _set_to(event: Event, contents: Decimal) -> Decimal | None:
    """How many pieces an event leaves where there were `contents`; None: it does not touch them."""
    if isinstance(event, CardDrawn):
        return max(ZERO, contents - event.quantity)
    if isinstance(event, Emptied | CardDetached):
        return ZERO
    if isinstance(event, Counted):
        return event.found
    if isinstance(event, FillingScan) and event.quantity is not None:
        return event.quantity + (contents if event.adds else ZERO)
    return (
        event.contents if isinstance(event, CardActivated | Activated | Corrected | Found | Undone) else None
    )


@dataclass(slots=True)
class _Shown:
    """A container as history has shown it so far; `known` has for each fact the number of the event that told it. What
    was told last is true from its instant on, also where an earlier event told something later of it, as in
    runouts.dry_spans."""

    it: Container
    known: dict[str, int] = field(default_factory=dict)

    def take(self, each: Happened) -> None:
        """The container after an event."""
        event = each.event
        if each.to:
            self._tell("supply_status", STATUSES[each.to], each.seq)
        if event.life is not None:
            self._tell("card_status", event.life, each.seq)
        if isinstance(event, CardBlocked | CardUnblocked):
            self._tell("blocked", isinstance(event, CardBlocked), each.seq)
        contents = _set_to(event, self.it.contents)
        if contents is not None:
            self._tell("contents", contents, each.seq)

    def _tell(self, name: str, fact: object, seq: int) -> None:
        if seq >= self.known.get(name, 0):
            self.known[name] = seq
            setattr(self.it, name, fact)


def levels(begun: Mapping[int, Container], happened: Sequence[Happened], begin: datetime) -> list[Level]:
    """The levels from `begin` on, each where it differs from the one before; the first one is at `begin`."""
    there = {card: _Shown(replace(container)) for card, container in begun.items()}
    found = [_level(there, begin)]
    for each in sorted(happened, key=lambda one: (one.at, one.seq)):
        container = there.get(each.card)
        if container is None:
            continue
        container.take(each)
        level = _level(there, max(each.at, begin))
        if (level.pieces, level.containers) == (found[-1].pieces, found[-1].containers):
            continue
        if found[-1].at == level.at:
            found.pop()
        if not found or (level.pieces, level.containers) != (found[-1].pieces, found[-1].containers):
            found.append(level)
    return found


def _level(there: Mapping[int, _Shown], at: datetime) -> Level:
    at_hand = [each.it for each in there.values() if usable(each.it)]
    return Level(at, sum((each.contents for each in at_hand), ZERO), len(at_hand))
