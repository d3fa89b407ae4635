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
from jitapp.kanban.vocabulary import SUPPLY_SHORT, CardStatus, Intent, SignalState, SupplyStatus


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
    "card.emptied": "A draw took the last piece; `inferred`: its empty scan was missed, a late receipt tells of it.",
    "card.held": "The card was taken out of circulation for a time.",
    "card.unheld": "A held card takes part again.",
    "card.lost": "The card was reported lost.",
    "card.found": "A lost card takes part again.",
    "card.removed": "The card was withdrawn for good.",
    "card.surplus": "The card is no longer needed; it goes out with its container empty.",
    "card.restored": "A surplus card takes part again.",
    "card.relabelled": "The printed values of the card are no longer true; it stands on the list for reprint.",
    "card.waits": "An empty card waits until the supply side releases it.",
    "card.released": "A waiting card was released.",
    "card.detached": "A withdrawal took the container; the supermarket's card goes to the receiving post.",
    "turn.opened": "A turn began, its signal still withheld.",
    "turn.released": "The signal went upstream: fill `asked` pieces by `due_at`.",
    "turn.acknowledged": "The supply source has seen the signal, perhaps with a promise.",
    "turn.promised": "The supplier promised a date.",
    "turn.rejected": "The supplier cannot fill it; the buyer must act.",
    "turn.doc_asked": "The ERP is being asked for its document: it owes the number.",
    "turn.documented": "The ERP gave the number of its document, perhaps after the turn was closed.",
    "turn.docked": "The container arrived at the dock; it is not at its place yet.",
    "turn.recalled": "The signal was taken back, or its card held or lost: it is withheld, or flagged if under way.",
    "turn.resumed": "The hold of the card ended: the turn goes on from where it stood.",
    "turn.short": "The supermarket has no full container: the withdrawal waits for the next one (SUPPLY_SHORT).",
    "turn.corrected": "A person set the turn to the step that is true.",
    "turn.failed": "What the turn needs beside the floor went wrong for good, for `reason`: it stands in ERROR.",
    "turn.recovered": "What had gone wrong was put right: the turn goes on from where it stood.",
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
    "wait.opened": "An open turn stopped moving: `reason`, and `owner` must act.",
    "wait.closed": "The turn moved again, or waits for something else now, after so many `minutes`.",
    "station.changeover_began": "A station began to change over to another part family.",
    "station.changeover": "A station changed over to another part family in so many `minutes`.",
    "station.stands_still": "A station stands still from now on: `state` is down, no_operator or planned_stop.",
    "station.breakdown": "A station was down for so many `minutes`.",
    "station.no_operator": "Nobody worked at a station for so many `minutes`.",
    "station.planned_stop": "A station was stopped on purpose for so many `minutes`.",
    "station.report": "A station reported something else.",
    "andon.called": "Somebody at a station called for help; `stops_line`: nothing is started there until it is solved.",
    "andon.answered": "A person took the call and is its owner.",
    "andon.escalated": "Nobody had taken the call in time: `who` must come now, a role or the `person`.",
    "andon.solved": "The call was solved, for `reason`; `countermeasure` is what keeps it from coming back.",
    "loop.changed": "The loop's settings changed; `changed` has each member before and after.",
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
        turns_left=event.data.get("turns"),
        note=event.data.get("note", ""),
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
        added = card.contents if event.data.get("adds") else ZERO
        _fill(card, _number(event, "quantity") + added, event.occurred_at)
    elif intent == Intent.DOCK and event.to == SupplyStatus.FULL:
        _fill(card, _number(event, "quantity"), event.occurred_at)
    elif intent == Intent.UNDO:
        card.contents = _number(event, "contents")
        card.booked = ZERO
    elif intent == Intent.COUNT:
        card.contents = _number(event, "found")
        card.booked = min(card.booked, card.contents)
    elif intent in (Intent.CORRECT, Intent.FOUND) and "contents" in event.data:
        contents = _number(event, "contents")
        if event.to == SupplyStatus.FULL:
            _fill(card, contents, event.occurred_at)
        card.contents = contents
        card.booked = min(card.booked, contents)
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
    if card.turns_left is not None:
        card.turns_left -= 1
    card.turn = Turn(
        uuid=event.turn, number=event.turn_number, asked=card.quantity, opened_at=event.occurred_at
    )
    return card.turn


def _batch(turn: Turn, event: Event) -> None:
    if event.data.get("batch"):
        turn.batch = UUID(event.data["batch"])


def _turn_opened(_loop: Loop, card: Card | None, event: Event) -> None:
    card = _need_card(card, event)
    turn = _open(card, event) if event.data.get("opens", card.turn is None) else _turn(card, event)
    turn.signal_state = SignalState(event.data.get("state", SignalState.UNRELEASED))
    _batch(turn, event)
    _own(turn, event)


def _turn_released(_loop: Loop, card: Card | None, event: Event) -> None:
    card = _need_card(card, event)
    turn = _open(card, event) if event.data.get("opens") else _turn(card, event)
    if turn.signal_state in (SignalState.RELEASED, SignalState.ACKNOWLEDGED):
        raise Inconsistent(f"{event.type} sends the signal of turn {turn.number} a second time (C8)")
    turn.signal_state = SignalState.RELEASED
    turn.released_at = event.occurred_at
    turn.due_at = datetime.fromisoformat(event.data["due_at"])
    turn.recall = False
    turn.failed = ""
    _supplied(card, turn)
    card.out_of_stock = False
    card.urgent = bool(event.data.get("urgent"))
    _batch(turn, event)
    _own(turn, event)


def _turn_acknowledged(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.signal_state = SignalState.ACKNOWLEDGED
    turn.acknowledged_at = event.occurred_at
    if event.data.get("promised_at"):
        turn.promised_at = datetime.fromisoformat(event.data["promised_at"])
    _own(turn, event)


def _turn_promised(_loop: Loop, card: Card | None, event: Event) -> None:
    _turn(card, event).promised_at = datetime.fromisoformat(event.data["promised_at"])


def _turn_rejected(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.signal_state = SignalState.REJECTED
    turn.reason = event.data["reason"]
    _need_card(card, event).out_of_stock = True
    _own(turn, event)


def _turn_doc_asked(_loop: Loop, card: Card | None, event: Event) -> None:
    _own(_turn(card, event), event)


def _turn_documented(_loop: Loop, card: Card | None, event: Event) -> None:
    card = _need_card(card, event)
    if event.data.get("closed") and event.turn_number is not None and event.turn_number <= card.turn_number:
        return  # the container came back before the ERP answered: the present state does not know that turn
    _turn(card, event).document = event.data["document"]


def _turn_docked(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.docked_at = event.occurred_at
    turn.made = _number(event, "quantity")
    turn.reason = event.data.get("reason", turn.reason)
    _own(turn, event)


def _withhold(card: Card, turn: Turn, *, short: bool = False) -> None:
    turn.signal_state = SignalState.UNRELEASED
    card.urgent = False
    card.out_of_stock = short


def _supplied(card: Card, turn: Turn) -> None:
    if turn.reason == SUPPLY_SHORT:
        turn.reason = ""
        card.out_of_stock = False


def _turn_short(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    _withhold(_need_card(card, event), turn, short=True)
    turn.reason = SUPPLY_SHORT
    _own(turn, event)


def _turn_recalled(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    if event.data["withheld"]:
        _withhold(_need_card(card, event), turn)
    elif event.data.get("flagged", True):
        turn.recall = True
    _own(turn, event)


def _turn_resumed(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.recall = False
    _own(turn, event)


def _turn_failed(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.failed = event.data["reason"]
    _own(turn, event)


def _turn_recovered(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.failed = ""
    _own(turn, event)


def _turn_corrected(_loop: Loop, card: Card | None, event: Event) -> None:
    turn = _turn(card, event)
    turn.step = event.data["step"]
    turn.failed = ""
    _supplied(_need_card(card, event), turn)
    order = ("", SupplyStatus.IN_PROCESS, SupplyStatus.COMPLETED, SupplyStatus.IN_TRANSIT)
    reached = order.index(turn.step)
    turn.started_at = (turn.started_at or event.occurred_at) if reached >= 1 else None
    turn.completed_at = (turn.completed_at or event.occurred_at) if reached >= 2 else None
    turn.loaded_at = (turn.loaded_at or event.occurred_at) if reached >= 3 else None
    _own(turn, event)


def _card_is(status: CardStatus) -> Callable[[Loop, Card | None, Event], None]:
    def effect(loop: Loop, card: Card | None, event: Event) -> None:
        card = _need_card(card, event)
        card.card_status = status
        card.note = event.data.get("reason", event.data.get("note", ""))
        if event.type == "card.surplus":
            loop.surplus_due = max(0, loop.surplus_due - 1)

    return effect


def _relabelled(_loop: Loop, card: Card | None, event: Event) -> None:
    _need_card(card, event).label_stale = bool(event.data.get("stale", True))


def _loop_changed(loop: Loop, _card: Card | None, event: Event) -> None:
    loop.surplus_due = int(event.data.get("surplus_due", loop.surplus_due))


def _detached(_loop: Loop, card: Card | None, event: Event) -> None:
    card = _need_card(card, event)
    card.contents = ZERO
    card.booked = ZERO
    card.moved_at = event.occurred_at
    card.moved_by = event.moved_by


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
    _supplied(_need_card(card, event), turn)
    turn.reason = event.data.get("reason", "")
    _close(_need_card(card, event), turn, SignalState.CANCELLED, event.occurred_at)


def _close(card: Card, turn: Turn, state: SignalState, at: datetime) -> None:
    turn.signal_state = state
    turn.closed_at = at
    turn.step = ""
    turn.failed = ""
    turn.owner = ""
    turn.owner_since = None
    card.turn = None
    card.urgent = False


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
    "turn.acknowledged": _turn_acknowledged,
    "turn.promised": _turn_promised,
    "turn.rejected": _turn_rejected,
    "turn.doc_asked": _turn_doc_asked,
    "turn.documented": _turn_documented,
    "turn.docked": _turn_docked,
    "turn.recalled": _turn_recalled,
    "turn.resumed": _turn_resumed,
    "turn.short": _turn_short,
    "turn.failed": _turn_failed,
    "turn.recovered": _turn_recovered,
    "turn.corrected": _turn_corrected,
    "card.held": _card_is(CardStatus.HELD),
    "card.unheld": _card_is(CardStatus.IN_CIRCULATION),
    "card.lost": _card_is(CardStatus.LOST),
    "card.found": _card_is(CardStatus.IN_CIRCULATION),
    "card.removed": _card_is(CardStatus.REMOVED),
    "card.surplus": _card_is(CardStatus.SURPLUS),
    "card.restored": _card_is(CardStatus.IN_CIRCULATION),
    "card.relabelled": _relabelled,
    "card.detached": _detached,
    "loop.changed": _loop_changed,
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
