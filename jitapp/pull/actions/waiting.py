"""Waits in the table follow the stretches of the turns: events of the turns' loops, and rows of `pull.Wait`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from jitapp.accounts.models import new_uuid
from jitapp.kanban.events.base import Entry
from jitapp.kanban.fold import apply
from jitapp.kanban.state import Loop, Stretch
from jitapp.kanban.waits import TurnWaits, Wait, closed, opened
from jitapp.pull import store
from jitapp.pull.store import LoopChanged
from jitapp.pull.store.columns import read_counters
from jitapp.pull.store.messages import REFUSED, Happened

_read_stretches = msgspec.json.Decoder(tuple[Stretch, ...]).decode


@dataclass(frozen=True, slots=True)
class TurnRow:
    """What is needed of a turn that something follows from: for its draws, and for its waits."""

    id: int
    uuid: UUID
    asked: Decimal
    made: Decimal | None
    loop_id: int
    card_id: int
    number: int
    stretches: str
    wait: UUID | None
    reason: str | None
    owner: str | None
    opened_at: datetime | None
    opened_seq: int | None
    seen: int | None
    until: datetime | None

    def waits(self) -> TurnWaits:
        """Its waits as the table knows them."""
        if self.wait is None:
            return TurnWaits(seen=self.seen or 0, until=self.until)
        assert self.reason is not None
        assert self.owner is not None
        assert self.opened_at is not None
        wait = Wait(self.wait, self.reason, self.owner, self.opened_at, self.opened_seq or 0, is_new=False)
        return TurnWaits(wait, self.seen or 0, self.until)


def turns_of(messages: Sequence[tuple[int, LoopChanged]]) -> dict[UUID, list[Happened]]:
    """The refused handoffs of each turn that messages are about; mostly there are none."""
    found: dict[UUID, list[Happened]] = {}
    for _, message in messages:
        for event in message.events:
            if event.turn is not None:
                refusals = found.setdefault(event.turn, [])
                if event.type == REFUSED:
                    refusals.append(event)
    return found


def follow_waits(
    told: Mapping[UUID, Sequence[Happened]],
    turns: Mapping[UUID, TurnRow],
    unit: store.UnitOfWork,
    now: datetime,
) -> None:
    """Opens and closes waits, so that the table says what the turns' stretches say."""
    steps: dict[int, list[tuple[int, TurnRow, Wait, bool]]] = {}
    for uuid, refusals in told.items():
        row = turns.get(uuid)
        if row is None:
            continue
        waits = row.waits()
        waits.take(_read_stretches(row.stretches), new_uuid)
        for refusal in refusals:
            waits.refuse(refusal.at, refusal.seq, new_uuid)
        for wait in waits.changed:
            of_loop = steps.setdefault(row.loop_id, [])
            if wait.is_new:
                of_loop.append((wait.opened_seq, row, wait, False))
            if wait.closed_at is not None:
                of_loop.append((wait.closed_seq or 0, row, wait, True))
            _keep(unit, row, wait)
    for loop_id, of_loop in _with_loops(steps, unit):
        _write(loop_id, of_loop, unit, now)


def _with_loops(
    steps: dict[int, list[tuple[int, TurnRow, Wait, bool]]], unit: store.UnitOfWork
) -> Iterable[tuple[Loop, list[tuple[int, TurnRow, Wait, bool]]]]:
    """Each loop with its counters; those that nothing was drawn from are locked, but were not read."""
    missing = [loop_id for loop_id in steps if loop_id not in unit.loops]
    if missing:
        for row in store.run("pull_counters", missing):
            loop_id, counters = read_counters(row[0])
            unit.loops[loop_id] = Loop(*counters, config=unit.configs.loops[loop_id])
    for loop_id, of_loop in steps.items():
        yield unit.loops[loop_id], of_loop


def _write(
    loop: Loop, steps: list[tuple[int, TurnRow, Wait, bool]], unit: store.UnitOfWork, now: datetime
) -> None:
    written: list[Entry] = []
    for _, row, wait, ends in sorted(steps, key=lambda step: step[0]):
        seq = loop.seq + 1
        if ends:
            entry = closed(
                wait, loop.config.calendar, card_id=row.card_id, number=row.number, turn=row.uuid, seq=seq
            )
        else:
            entry = opened(wait, card_id=row.card_id, number=row.number, turn=row.uuid, seq=seq)
        apply(loop, entry)
        written.append(entry)
    unit.record(loop, written, now=now)


def _keep(unit: store.UnitOfWork, row: TurnRow, wait: Wait) -> None:
    ended: dict[str, object] = {"closed_at": wait.closed_at, "closed_seq": wait.closed_seq}
    if not wait.is_new:
        unit.waits.setdefault("closed", []).append({"uuid": wait.id, **ended})
        return
    unit.waits.setdefault("opened", []).append(
        {
            "uuid": wait.id,
            "turn_id": row.id,
            "loop_id": row.loop_id,
            "reason": wait.reason,
            "owner": wait.owner,
            "opened_at": wait.opened_at,
            "opened_seq": wait.opened_seq,
            **ended,
        }
    )
