"""What an open turn waits for, or what is being done to it, and who must act: derived from its state alone.

One vocabulary for waits, boards and the causes of runouts. `stand` is called by `apply` after every event of a card;
nobody passes an owner or a reason along.
"""

from __future__ import annotations

from datetime import datetime

from jitapp.kanban.state import Card, LoopConfig, Stretch, Turn
from jitapp.kanban.vocabulary import Party, SignalState, StationKind, SupplyStatus

# What a turn waits for before anybody has begun to fill it, and who must act (rule C10).
WAITING: dict[SignalState, tuple[str, Party]] = {
    SignalState.UNRELEASED: ("withheld", Party.STATION),
    SignalState.ACCUMULATING: ("accumulate", Party.PLANNER),
    SignalState.PENDING_DOC: ("doc", Party.BUYER),
    SignalState.REJECTED: ("rejected", Party.BUYER),
    SignalState.RELEASED: ("queue", Party.STATION),
    SignalState.ACKNOWLEDGED: ("queue", Party.STATION),
}
# Nobody of ours sees a supplier's queue: first its answer is missing, then the goods.
AT_A_SUPPLIER: dict[SignalState, tuple[str, Party]] = {
    SignalState.RELEASED: ("ack", Party.SUPPLIER),
    SignalState.ACKNOWLEDGED: ("supplier", Party.SUPPLIER),
}
# Once filling has begun the step alone counts.
UNDER_WAY: dict[str, tuple[str, Party]] = {
    SupplyStatus.IN_PROCESS: ("process", Party.STATION),
    SupplyStatus.COMPLETED: ("collect", Party.HANDLER),
    SupplyStatus.IN_TRANSIT: ("transit", Party.HANDLER),
}
ERROR = ("error", Party.BUYER)  # before everything else: nothing moves the turn until it is put right
HELD = ("held", Party.PERSON)  # whoever held the card
OWED = ("doc", Party.ERP)  # from the moment the ERP was asked until it answers, held or not
PUT_AWAY = ("put_away", Party.RECEIVING)
SHORT = ("supply_short", Party.STATION)  # the supermarket's own supplier station fills it
NOT_READY = (
    "receiver_not_ready",
    Party.RECEIVING,
)  # a refused handoff; the state of the turn does not know it
MOVING = frozenset({"process", "transit"})  # what is no wait: something is being done to the turn

REASONS: tuple[str, ...] = tuple(
    dict.fromkeys(
        reason
        for reason, _ in (
            *WAITING.values(),
            *AT_A_SUPPLIER.values(),
            *UNDER_WAY.values(),
            HELD,
            PUT_AWAY,
            ERROR,
            SHORT,
            NOT_READY,
        )
    )
)
WAIT_REASONS: tuple[str, ...] = tuple(reason for reason in REASONS if reason not in MOVING)


def standing_of(config: LoopConfig, card: Card, turn: Turn) -> tuple[str, Party]:
    """(reason, who must act next) of an open turn (rule C10)."""
    if turn.failed:
        return ERROR
    owed = turn.doc_owed and turn.signal_state is SignalState.PENDING_DOC
    if card.held and not owed:
        return HELD
    if turn.docked_at is not None:
        return PUT_AWAY
    if turn.supply_short:
        return SHORT
    at_a_supplier = config.supply_kind is StationKind.SUPPLIER
    if turn.step:
        reason, party = UNDER_WAY[turn.step]
        made_outside = at_a_supplier and turn.step == SupplyStatus.IN_PROCESS
        return reason, Party.SUPPLIER if made_outside else party
    if owed:
        return OWED
    found = AT_A_SUPPLIER.get(turn.signal_state) if at_a_supplier else None
    return found or WAITING[turn.signal_state]


def stand(config: LoopConfig, card: Card, turn: Turn, at: datetime, seq: int) -> None:
    """Derives the turn's reason and owner from its state, and begins a new stretch of its life where they changed."""
    reason, owner = standing_of(config, card, turn)
    if turn.standing == reason and turn.owner == owner:
        return
    if turn.owner != owner:
        turn.owner, turn.owner_since = owner, at
    turn.standing = reason
    turn.stretches = _with(turn.stretches, Stretch(reason, str(owner), at, seq))


def end(turn: Turn, at: datetime, seq: int) -> None:
    """Ends the life of a turn that is closed: nobody has to act any more."""
    turn.owner, turn.owner_since, turn.standing = "", None, ""
    turn.stretches = _with(turn.stretches, Stretch("", "", at, seq))


def _with(stretches: tuple[Stretch, ...], new: Stretch) -> tuple[Stretch, ...]:
    """The stretches and a new one, which never begins before the turn did. What was told earlier of a later time is
    overruled, so that no stretch has no length; one that goes on behind a dropped one is one stretch, with the
    number of the event that led back to it: whoever has followed the dropped one sees that something changed.
    """
    if not stretches:
        return (new,)
    since = max(new.since, stretches[0].since)
    kept = tuple(stretch for stretch in stretches if stretch.since < since)
    if kept and new.reason and (kept[-1].reason, kept[-1].owner) == (new.reason, new.owner):
        return (*kept[:-1], Stretch(new.reason, new.owner, kept[-1].since, new.seq))
    return (*kept, Stretch(new.reason, new.owner, since, new.seq))
