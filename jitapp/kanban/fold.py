"""`apply`, the only function that changes state: an entry of the ledger onto a loop, and what follows from it."""

from __future__ import annotations

import msgspec

from jitapp.kanban.conditions import all_withdrawn, nothing_usable, participates, taking_part, usable
from jitapp.kanban.events.base import Entry, Event, Inconsistent
from jitapp.kanban.events.cards import CardBlocked, CardUnblocked
from jitapp.kanban.events.loops import LoopChanged
from jitapp.kanban.events.turns import TurnCancelled, TurnRecalled, TurnReceived, TurnReleased, TurnShort
from jitapp.kanban.standing import stand
from jitapp.kanban.state import AT_HAND, STATUSES, Card, Change, Loop, OpenRunout
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, SupplyStatus

# The events that may change what counts for a runout without moving a container or giving its card another life.
COUNTING_TYPES: frozenset[type[Event]] = frozenset(
    {
        CardBlocked,
        CardUnblocked,
        LoopChanged,
        TurnReleased,
        TurnReceived,
        TurnCancelled,
        TurnRecalled,
        TurnShort,
    }
)


def change_of(entry: Entry) -> Change | None:
    """What an entry changes of all that counts for a runout; None: nothing."""
    event = entry.event
    if not entry.to and event.life is None and type(event) not in COUNTING_TYPES:
        return None
    status = STATUSES[entry.to] if entry.to else None
    life = event.life
    blocked: bool | None = None
    loop_status: LoopStatus | None = None
    due = ends = None
    if isinstance(event, CardBlocked | CardUnblocked):
        blocked = isinstance(event, CardBlocked)
    elif isinstance(event, LoopChanged):
        loop_status = status_after(event)
    elif isinstance(event, TurnReleased):
        due = event.due_at
    elif isinstance(event, TurnReceived | TurnCancelled | TurnShort):
        ends = True
    elif isinstance(event, TurnRecalled):
        ends = event.withheld or None
    if status is None and life is None and blocked is None and loop_status is None and not due and not ends:
        return None
    return Change(
        entry.occurred_at, entry.seq, entry.card_id, status, life, blocked, loop_status, due, bool(ends)
    )


def status_after(event: LoopChanged) -> LoopStatus | None:
    """The loop's status that a change of its settings led to."""
    changed = event.changed.get("status")
    said = event.status or (changed.after if changed else "")
    return LoopStatus(said) if said else None


class _Container(msgspec.Struct, gc=False):
    """What of a card decides whether its container is usable."""

    supply_status: SupplyStatus
    card_status: CardStatus
    blocked: bool


# Full or in use is one.
_Standing = tuple[bool, CardStatus, bool]
_NOWHERE: _Standing = (False, CardStatus.NEW, False)


def _standing(card: Card | None) -> _Standing:
    """Whether the card's container is at hand, and what else decides whether it is usable; a card that is not there
    stands like a new one."""
    return _NOWHERE if card is None else (card.supply_status in AT_HAND, card.card_status, card.blocked)


def _counts(standing: _Standing) -> tuple[bool, bool]:
    """Whether the container is usable, and whether the card takes part."""
    at_hand, status, blocked = standing
    container = _Container(SupplyStatus.FULL if at_hand else SupplyStatus.EMPTY, status, blocked)
    return usable(container), participates(container)


def apply(loop: Loop, entry: Entry) -> None:
    """Changes the loop as the entry says, and derives what follows: who must act on the turn and why it waits, and
    when the loop's usable containers last changed. Raises Inconsistent if the entry cannot have followed this state.
    """
    loop.seq = entry.seq
    card = loop.cards.get(entry.card_id) if entry.card_id is not None else None
    before, had_been_full = _standing(card), loop.been_full
    if loop.runout is not None:
        _look(loop, loop.runout, entry)
    if entry.to and card is not None:
        if entry.frm != card.supply_status:
            raise Inconsistent(
                f"{entry.type} of card {card.code} moves it from {entry.frm}, but it is {card.supply_status} (C4)"
            )
        card.supply_status = STATUSES[entry.to]
        card.status_since = entry.occurred_at
    entry.event.apply(loop, card, entry)
    change = change_of(entry)
    if change is not None:
        loop.fresh.append(change)
    if card is None and entry.card_id is not None:
        card = loop.cards.get(entry.card_id)
    of_loop = (change is not None and change.loop_status is not None) or loop.been_full != had_been_full
    after = _standing(card)
    if of_loop or before != after:
        _changed(loop, entry)
        if of_loop or _counts(before) != _counts(after):
            loop.turned_at = entry.occurred_at
    if card is not None and card.turn is not None:
        stand(loop.config, card, card.turn, entry.occurred_at, entry.seq)


def _look(loop: Loop, runout: OpenRunout, entry: Entry) -> None:
    """Notes how the cards of a dry loop stand before anything happens at an instant: what a runout ends with is judged
    by how they stood just before. What one scan does in several steps counts as one."""
    if runout.looked_at == entry.occurred_at or not nothing_usable(loop.cards.values()):
        return
    runout.looked_at = entry.occurred_at
    runout.quality = all_withdrawn(loop.cards.values())
    runout.cards = taking_part(loop.cards.values())


def _changed(loop: Loop, entry: Entry) -> None:
    """Notes when the containers last changed, and whether this was told after something that happened later: then a
    container may have been usable when it seemed not to be, or the reverse, even if it is the same now."""
    at = entry.occurred_at
    if loop.usable_changed_at is None or at >= loop.usable_changed_at:
        loop.usable_changed_at = at
    elif loop.told_late is None or at < loop.told_late:
        loop.told_late = at
