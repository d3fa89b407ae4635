"""The snapshots of the fold held against another fold: the audit's, at the same number of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import fields, replace

from jitapp.kanban.audit import Audit
from jitapp.kanban.moment import CLOSED_TURNS, SHAPE, Moment
from jitapp.kanban.state import Card, LoopCounters, Turn
from jitapp.kanban.vocabulary import SignalState

SNAPSHOTS = f"""
    SELECT p.loop_id, p.seq, p.known_at, p.state FROM pull_loopsnapshot p WHERE p.shape = '{SHAPE}'
    ORDER BY p.loop_id, p.seq"""  # noqa: S608 (a name of ours)
# Says (what, expected, found) of a difference.
Tell = Callable[[str, object, object], None]


class SnapshotProof:
    """One loop's snapshots, met on the way through its ledger; everything but `known_at` is in `state`."""

    def __init__(self, rows: Iterable[tuple[Any, ...]], tell: Tell) -> None:
        self._rows = {row[0]: row[1:] for row in rows}
        self._tell = tell
        self._known_at: datetime | None = None

    def pass_by(self, audit: Audit, seq: int, recorded_at: datetime) -> None:
        """After event `seq` was folded."""
        if not self._rows:
            return
        self._known_at = max(self._known_at or recorded_at, recorded_at)
        found = self._rows.pop(seq, None)
        if found is None:
            return
        known_at, state = found
        what = f"snapshot at event {seq}"
        if known_at != self._known_at:
            self._tell(f"{what}: known until", self._known_at, known_at)
        try:
            moment = Moment.decode(audit.loop.config, bytes(state))
        except msgspec.MsgspecError as error:
            self._tell(what, "a state that can be read", error)
            return
        for name, expected, is_ in _differences(audit, moment):
            self._tell(f"{what}: {name}", expected, is_)

    def end(self) -> None:
        """After the last event: no snapshot is left over."""
        for seq in self._rows:
            self._tell(f"snapshot at event {seq}", "an event of that number", "none")


def _differences(audit: Audit, moment: Moment) -> Iterator[tuple[str, object, object]]:
    should, is_ = audit.loop, moment.loop
    for each in fields(LoopCounters):
        expected, found = getattr(should, each.name), getattr(is_, each.name)
        if expected != found:
            yield each.name.replace("_", " "), expected, found
    for card_id in should.cards.keys() | is_.cards.keys():
        card, saved = should.cards.get(card_id), is_.cards.get(card_id)
        if card != saved:
            yield f"card {card_id}", _said(card), _said(saved)
    dry = [(each.opened_at, each.opened_seq) if each else None for each in (should.runout, is_.runout)]
    if dry[0] != dry[1]:
        yield "open runout", dry[0], dry[1]
    yield from _closed_differences(audit, moment)


def _closed_differences(audit: Audit, moment: Moment) -> Iterator[tuple[str, object, object]]:
    over = {
        turn.uuid: turn
        for turn in audit.turns.values()
        if turn.closed_at is not None and turn.released_at and turn.signal_state is not SignalState.CANCELLED
    }
    if len(moment.closed) != min(len(over), CLOSED_TURNS):
        yield "closed turns", min(len(over), CLOSED_TURNS), len(moment.closed)
    for each in moment.closed:
        expected = over.get(each.turn.uuid)
        # The number of an ERP's document may come after the turn was closed; nothing of the past shows it.
        if expected is None or replace(expected, document="") != replace(each.turn, document=""):
            yield f"closed turn {each.turn.number}", _said(expected), _said(each.turn)


def _said(thing: Card | Turn | None) -> str:
    return "none" if thing is None else msgspec.json.encode(thing).decode()
