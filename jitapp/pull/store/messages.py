"""The outbox messages of the pull room: what others have to hear of a change of a loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from uuid import UUID

import msgspec

from jitapp.kanban.events.base import Entry
from jitapp.kanban.events.turns import TurnOpened, TurnReleased
from jitapp.kanban.state import Card
from jitapp.kanban.steps.empty import Emptied

TOPIC = "pull.changed"
REFUSED = "wait.refused"  # no event of the ledger: a handoff that the receiver could not take
# Beside those of turns, events that something else follows from.
FOLLOWED = frozenset({"runout.opened", "runout.closed", "runout.revised"})


class Happened(msgspec.Struct, omit_defaults=True, frozen=True):
    """An event that something follows from. `card` and `number` (of the turn that refills the container) are given for
    an emptied card."""

    type: str
    at: datetime
    seq: int
    turn: UUID | None = None
    card: int | None = None
    number: int | None = None


class LoopChanged(msgspec.Struct, omit_defaults=True, frozen=True):
    """A loop changed. `clock` is the time at which what follows is recorded, if a log is replayed; else none."""

    events: list[Happened]
    clock: datetime | None = None


decode_message = msgspec.json.Decoder(LoopChanged).decode
_by_its_own_clock: ContextVar[bool] = ContextVar("by_its_own_clock", default=False)


@contextmanager
def by_the_clock_of_a_log(wanted: bool = True) -> Iterator[None]:
    """What is written meanwhile is of a log that is replayed: what follows from it is recorded at the log's time as
    well, also by a worker that knows nothing of the replay."""
    token = _by_its_own_clock.set(wanted)
    try:
        yield
    finally:
        _by_its_own_clock.reset(token)


def clock_of(payload: Mapping[str, object]) -> datetime | None:
    """The clock of a message as it was read from its row."""
    clock = payload.get("clock")
    return datetime.fromisoformat(clock) if isinstance(clock, str) else None


def message(
    loop_id: int, entries: Sequence[Entry], now: datetime, cards: Mapping[int, Card]
) -> dict[str, object]:
    """The outbox row of a change: what upstream, boards and listeners have to hear of this loop.

    What gives a card another life (held, lost, back in circulation) is no event of its open turn, but changes what that
    turn waits for.
    """
    happened = [
        Happened(entry.type, entry.occurred_at, entry.seq, turn=entry.turn or _open_turn(entry, cards))
        for entry in entries
        if entry.type.startswith("turn.") or entry.type in FOLLOWED or _open_turn(entry, cards)
    ]
    happened += [
        Happened(
            "card.emptied",
            entry.occurred_at,
            entry.seq,
            card=entry.card_id,
            number=_refill_number(entry, entries),
        )
        for entry in entries
        if isinstance(entry.event, Emptied)
    ]
    return {"topic": TOPIC, "key": loop_id, "payload": LoopChanged(happened, _clock(now))}


def _open_turn(entry: Entry, cards: Mapping[int, Card]) -> UUID | None:
    """The open turn of a card whose life changes."""
    card = cards.get(entry.card_id) if entry.event.life is not None and entry.card_id is not None else None
    return card.turn.uuid if card is not None and card.turn is not None else None


def refused(loop_id: int, turn: UUID, at: datetime, seq: int, now: datetime) -> dict[str, object]:
    """The outbox row of a refused handoff, which is a wait of its own kind (F3)."""
    return {
        "topic": TOPIC,
        "key": loop_id,
        "payload": LoopChanged([Happened(REFUSED, at, seq, turn=turn)], _clock(now)),
    }


def _clock(now: datetime) -> datetime | None:
    return now if _by_its_own_clock.get() else None


def _refill_number(emptied: Entry, entries: Sequence[Entry]) -> int | None:
    """The number of the turn that refills the emptied container."""
    for entry in entries:
        if entry.card_id == emptied.card_id and isinstance(entry.event, TurnReleased | TurnOpened):
            return entry.turn_number
    return None
