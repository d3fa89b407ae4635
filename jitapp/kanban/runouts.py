"""When a buffer is dry, why, and who must act: pure functions of a loop's state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from jitapp.kanban.state import Card, Loop, LoopConfig, Turn
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, Party, SignalState, StationKind, SupplyStatus


def is_dry(loop: Loop) -> bool:
    """Rule C9: ACTIVE, has circulating cards, one has been FULL before, and none is usable now."""
    if loop.config.status is not LoopStatus.ACTIVE:
        return False
    circulating = [card for card in loop.cards.values() if card.card_status is CardStatus.IN_CIRCULATION]
    return (
        bool(circulating)
        and any(card.been_full for card in loop.cards.values())
        and not any(card.usable for card in circulating)
    )


def owner_of(config: LoopConfig, turn: Turn, *, held: bool = False) -> Party:
    """Rule C10: exactly one party must act next on an open turn; `held`: its card is out of circulation for a time."""
    if turn.failed:
        return Party.BUYER
    if held and not (turn.signal_state is SignalState.PENDING_DOC and turn.owner == Party.ERP):
        return Party.PERSON  # who held it
    if turn.signal_state is SignalState.UNRELEASED:
        return Party.STATION
    if turn.signal_state is SignalState.ACCUMULATING:
        return Party.PLANNER
    if turn.signal_state is SignalState.PENDING_DOC:
        # The ERP owes the number from the moment it is asked until it has said no; before and after, the buyer does.
        return Party.ERP if turn.owner == Party.ERP else Party.BUYER
    if turn.signal_state is SignalState.REJECTED:
        return Party.BUYER
    if turn.docked_at is not None:
        return Party.RECEIVING
    if turn.step in (SupplyStatus.COMPLETED, SupplyStatus.IN_TRANSIT):
        return Party.HANDLER
    return Party.SUPPLIER if config.supply_kind is StationKind.SUPPLIER else Party.STATION


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a turn's life: what it waited for, and how long."""

    reason: str
    begin: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.begin


def phases(config: LoopConfig, turn: Turn, until: datetime) -> list[Phase]:
    """A turn's life cut at its milestones.

    accumulate: opened, not released; ack / queue: released, not started (at a supplier / at a station of ours);
    process: started, not completed; collect: completed, not loaded; transit: loaded, not yet full.
    """
    asked = "ack" if config.supply_kind is StationKind.SUPPLIER else "queue"
    milestones = (
        ("accumulate", turn.opened_at),
        (asked, turn.released_at),
        ("process", turn.started_at),
        ("collect", turn.completed_at),
        ("transit", turn.loaded_at),
    )
    reached = [(reason, at) for reason, at in milestones if at is not None]
    ends = [at for _, at in reached[1:]] + [turn.closed_at or until]
    return [Phase(reason, begin, max(begin, end)) for (reason, begin), end in zip(reached, ends, strict=True)]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a loop is dry: the longest stretch of the turn that should have come back first."""

    reason: str
    party: str
    card: int | None
    minutes: int
    total_minutes: int

    def facts(self) -> dict[str, object]:
        """The cause as JSON for the ledger."""
        return {"card": self.card, "minutes": self.minutes, "total_minutes": self.total_minutes}


_PARTY_OF = {
    "accumulate": Party.PLANNER,
    "ack": Party.SUPPLIER,
    "queue": Party.STATION,
    "process": Party.STATION,
    "collect": Party.HANDLER,
    "transit": Party.HANDLER,
}


def cause_of(loop: Loop, turns: list[tuple[Card, Turn]], until: datetime) -> Cause:
    """The candidate cause while a runout is open, the final one at its close.

    The turn that was opened first should have come back first; its longest phase is the cause. Without any turn no
    card was ever asked for: `no_signal`, and the loop's planner must act.
    """
    if not turns:
        return Cause("no_signal", Party.PLANNER, None, 0, 0)
    card, turn = min(turns, key=lambda pair: (pair[1].opened_at, pair[0].number))
    longest = max(phases(loop.config, turn, until), key=lambda phase: phase.length)
    party = _PARTY_OF[longest.reason]
    if longest.reason == "process" and loop.config.supply_kind is StationKind.SUPPLIER:
        party = Party.SUPPLIER
    return Cause(
        reason=longest.reason,
        party=party,
        card=card.number,
        minutes=int(longest.length.total_seconds() // 60),
        total_minutes=int((until - turn.opened_at).total_seconds() // 60),
    )
