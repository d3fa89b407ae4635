"""What can happen, and what it changes. `apply` is the only function that changes state.

The ledger stores these events; folding them in `loop_seq` order gives the present state back (rule C11).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from jitapp.kanban.state import ZERO, Card, Loop, OpenRunout, Turn
from jitapp.kanban.words import CardStatus, Intent, SignalState, SupplyStatus


@dataclass(slots=True)
class Event:
    """One entry of the ledger. `frm` and `to` are set where the card's supply status moves (rule C4).

    `data` is JSON: quantities as decimal strings, instants as ISO 8601.
    """

    type: str
    occurred_at: datetime
    card_id: int | None = None
    turn_number: int | None = None
    turn: UUID | None = None
    frm: str = ""
    to: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    seq: int = 0
    late: bool = False
    scan_id: UUID | None = None
    ordinal: int = 0
    moved_by: str = ""


class Inconsistent(ValueError):
    """An event that does not fit the state it is applied to: the ledger or the code is wrong, not a person."""


# What each type means, for readers of the feed; docs are generated from it.
EVENT_TYPES: dict[str, str] = {
    "card.added": "A card was made for the loop; it is NEW until activated.",
    "scan.applied": "A scan was applied; `intent` says which move, `from` and `to` how the card moved.",
    "card.activated": "A card came into circulation by a first load, with its container full or empty.",
    "card.opened": "The longest-full container counts as opened because another one was emptied.",
    "card.unopened": "An implied opening was taken back by an undo.",
    "card.drawn": "A worker took pieces out of the container for a turn of the consuming station.",
    "card.booked": "Pieces were promised to a released turn of the consuming station.",
    "card.unbooked": "A promise was freed because the turn was cancelled.",
    "card.emptied": "A draw took the last piece.",
    "card.held": "The card was taken out of circulation for a time.",
    "turn.opened": "A turn began, its signal still withheld.",
    "turn.released": "The signal went upstream: fill `asked` pieces by `due_at`.",
    "turn.started": "The supply source began to fill.",
    "turn.completed": "The container was filled, `quantity` pieces.",
    "turn.aborted": "Filling was broken off; the signal stands.",
    "turn.reverted": "An undo took the last step of the turn back.",
    "turn.shipped": "The container is on its way.",
    "turn.received": "The container stands full at the demand source; the turn is closed.",
    "turn.cancelled": "The turn ended without a delivery.",
    "demand.suppressed": "A container was emptied while the loop was on hold: no signal went out.",
    "draw.short": "A turn needed pieces that no container had: a shortage.",
    "runout.opened": "No usable container is left at the demand source.",
    "runout.closed": "A usable container is back, or the loop was put on hold.",
    "wait.opened": "An open turn stopped moving.",
    "wait.closed": "The turn moved again.",
    "station.changeover": "A station changed over.",
    "station.breakdown": "A station stood still.",
    "station.report": "A station reported something else.",
    "loop.changed": "The loop's settings changed.",
}


def apply(loop: Loop, event: Event) -> None:
    """Changes the loop as the event says; Inconsistent if the event cannot have followed this state."""
    loop.seq = event.seq
    card = loop.cards.get(event.card_id) if event.card_id is not None else None
    if event.to and card is not None:
        if event.frm != card.supply_status:
            raise Inconsistent(
                f"{event.type} of card {card.code} moves it from {event.frm}, but it is {card.supply_status} (C4)"
            )
        card.supply_status = SupplyStatus(event.to)
    effect = _EFFECTS.get(event.type)
    if effect is not None:
        effect(loop, card, event)


def _number(event: Event, name: str) -> Decimal:
    return Decimal(event.data[name])


def _turn(card: Card | None, event: Event) -> Turn:
    if card is None or card.turn is None or card.turn.number != event.turn_number:
        raise Inconsistent(f"{event.type} names turn {event.turn_number}, which is not open (C2)")
    return card.turn


def _need_card(card: Card | None, event: Event) -> Card:
    if card is None:
        raise Inconsistent(f"{event.type} names card {event.card_id}, which the loop does not have (C1)")
    return card


def _fill(card: Card, contents: Decimal, at: datetime) -> None:
    card.contents = contents
    card.booked = ZERO
    card.full_since = at
    card.been_full = True


def _added(loop: Loop, _card: Card | None, event: Event) -> None:
    assert event.card_id is not None
    loop.cards[event.card_id] = Card(
        id=event.card_id,
        code=event.data["code"],
        number=int(event.data["number"]),
        quantity=_number(event, "quantity"),
    )


def _activated(_loop: Loop, card: Card | None, event: Event) -> None:
    card = _need_card(card, event)
    card.card_status = CardStatus.IN_CIRCULATION
    contents = _number(event, "contents")
    if contents:
        card.supply_status = SupplyStatus.FULL
        _fill(card, contents, event.occurred_at)
    else:
        card.contents = ZERO
    card.moved_at = event.occurred_at
    card.moved_by = event.moved_by


def _scanned(loop: Loop, card: Card | None, event: Event) -> None:
    card = _need_card(card, event)
    intent = event.data["intent"]
    if intent == Intent.ACTIVATE:
        _activated(loop, card, event)
    elif intent == Intent.EMPTY:
        card.contents = ZERO
        card.booked = ZERO
    elif intent == Intent.RECEIVE or (event.to == SupplyStatus.FULL and intent == Intent.COMPLETE):
        _fill(card, _number(event, "quantity"), event.occurred_at)
    elif intent == Intent.UNDO:
        card.contents = _number(event, "contents")
        card.booked = ZERO
    card.moved_at = event.occurred_at
    card.moved_by = event.moved_by
    card.last_intent = intent
    card.last_scan = event.scan_id


def _drawn(_loop: Loop, card: Card | None, event: Event) -> None:
    card = _need_card(card, event)
    card.contents -= _number(event, "quantity")
    card.booked -= Decimal(event.data.get("unbooked", "0"))
    card.moved_at = event.occurred_at
    card.moved_by = ""
    card.last_scan = None


def _booked(_loop: Loop, card: Card | None, event: Event) -> None:
    _need_card(card, event).booked += _number(event, "quantity")


def _unbooked(_loop: Loop, card: Card | None, event: Event) -> None:
    _need_card(card, event).booked -= _number(event, "quantity")


def _own(turn: Turn, event: Event) -> None:
    owner = event.data.get("owner", "")
    if owner != turn.owner:
        turn.owner_since = event.occurred_at
    turn.owner = owner


def _open(card: Card, event: Event) -> Turn:
    if card.turn is not None or event.turn_number != card.turn_number + 1 or event.turn is None:
        raise Inconsistent(
            f"{event.type} opens turn {event.turn_number} of card {card.code} beside another (C2)"
        )
    card.quantity = _number(event, "asked")
    card.turn_number = event.turn_number
    card.turn = Turn(
        uuid=event.turn, number=event.turn_number, asked=card.quantity, opened_at=event.occurred_at
    )
    return card.turn


def _turn_opened(_loop: Loop, card: Card | None, event: Event) -> None:
    _own(_open(_need_card(card, event), event), event)


def _turn_released(_loop: Loop, card: Card | None, event: Event) -> None:
    card = _need_card(card, event)
    turn = _open(card, event) if event.data.get("opens") else _turn(card, event)
    turn.signal_state = SignalState.RELEASED
    turn.released_at = event.occurred_at
    turn.due_at = datetime.fromisoformat(event.data["due_at"])
    _own(turn, event)


def _turn_started(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.step = SupplyStatus.IN_PROCESS
    turn.started_at = event.occurred_at
    _own(turn, event)


def _turn_completed(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.step = SupplyStatus.COMPLETED
    turn.completed_at = event.occurred_at
    turn.made = _number(event, "quantity")
    turn.reason = event.data.get("reason", turn.reason)
    _own(turn, event)


def _turn_aborted(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.step = ""
    turn.started_at = None
    _own(turn, event)


def _turn_reverted(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.step = event.data["step"]
    if turn.step != SupplyStatus.COMPLETED:
        turn.completed_at = turn.made = None
    if turn.step == "":
        turn.started_at = None
    turn.loaded_at = None
    _own(turn, event)


def _turn_shipped(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.step = SupplyStatus.IN_TRANSIT
    turn.loaded_at = event.occurred_at
    _own(turn, event)


def _turn_received(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.received = _number(event, "quantity")
    turn.reason = event.data.get("reason", turn.reason)
    _close(_need_card(card, event), turn, SignalState.CLOSED, event.occurred_at)


def _turn_cancelled(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.reason = event.data.get("reason", "")
    _close(_need_card(card, event), turn, SignalState.CANCELLED, event.occurred_at)


def _close(card: Card, turn: Turn, state: SignalState, at: datetime) -> None:
    turn.signal_state = state
    turn.closed_at = at
    turn.step = ""
    turn.owner = ""
    turn.owner_since = None
    card.turn = None


def _suppressed(loop: Loop, _card: Card | None, _event: Event) -> None:
    loop.suppressed += 1


def _runout_opened(loop: Loop, _card: Card | None, event: Event) -> None:
    loop.runout = OpenRunout(
        opened_at=event.occurred_at,
        opened_seq=event.seq,
        cause=event.data.get("cause", ""),
        facts=event.data.get("facts", {}),
    )


def _runout_closed(loop: Loop, _card: Card | None, _event: Event) -> None:
    if loop.runout is None:
        raise Inconsistent("runout.closed without an open runout (C9)")
    loop.runout = None


_EFFECTS: dict[str, Callable[[Loop, Card | None, Event], None]] = {
    "card.added": _added,
    "card.activated": _activated,
    "scan.applied": _scanned,
    "card.drawn": _drawn,
    "card.booked": _booked,
    "card.unbooked": _unbooked,
    "turn.opened": _turn_opened,
    "turn.released": _turn_released,
    "turn.started": _turn_started,
    "turn.completed": _turn_completed,
    "turn.aborted": _turn_aborted,
    "turn.reverted": _turn_reverted,
    "turn.shipped": _turn_shipped,
    "turn.received": _turn_received,
    "turn.cancelled": _turn_cancelled,
    "demand.suppressed": _suppressed,
    "runout.opened": _runout_opened,
    "runout.closed": _runout_closed,
}
