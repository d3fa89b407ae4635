"""What the turns of a BACKFLUSH station take from its components: drawn, booked or given back, once per turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from jitapp.accounts.models import new_uuid
from jitapp.kanban.conditions import usable
from jitapp.kanban.draws import (
    USES,
    Drawn,
    Link,
    book,
    counted,
    draw,
    free,
    give_back,
    take_booked,
    to_take,
)
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import finish
from jitapp.kanban.state import ZERO, LoopConfig
from jitapp.kanban.vocabulary import ConsumeAt
from jitapp.pull import store
from jitapp.pull.actions.waiting import TurnRow
from jitapp.pull.store.messages import Happened


@dataclass(frozen=True, slots=True)
class Job:
    """One thing that follows from one event of a turn: its components are used, booked, or freed again."""

    run: Callable[[Job, TurnRow, store.UnitOfWork, Ledgers], None]
    config: LoopConfig
    turn: UUID
    at: datetime


class Ledgers:
    """The ledgers of component loops, each at the instant of the job that writes onto it."""

    def __init__(self, unit: store.UnitOfWork) -> None:
        self._unit = unit
        self.by_loop: dict[int, Ledger] = {}

    def at(self, loop_id: int, at: datetime) -> Ledger:
        """The loop's ledger, at that instant."""
        ledger = self.by_loop.get(loop_id)
        if ledger is None:
            ledger = self.by_loop[loop_id] = Ledger(self._unit.loops[loop_id], at=at)
        ledger.at = at
        return ledger


def jobs_of(config: LoopConfig, events: Iterable[Happened]) -> list[Job]:
    """A BACKFLUSH station uses its bill by software; a supermarket hands on its own part; suppliers use nothing."""
    if not counted(config):
        return []
    runs = {USES[config.consume_at].type: _use}
    if config.consume_at is ConsumeAt.RELEASE:
        runs |= {"turn.released": _book, "turn.cancelled": _free}
    return [
        Job(runs[event.type], config, event.turn, event.at)
        for event in events
        if event.type in runs and event.turn is not None
    ]


def run(
    jobs: Sequence[Job], turns: Mapping[UUID, TurnRow], unit: store.UnitOfWork, now: datetime
) -> set[int]:
    """Runs jobs in order; returns the loops that changed."""
    ledgers = Ledgers(unit)
    for job in jobs:
        turn = turns.get(job.turn)
        if turn is None:
            continue
        job.run(job, turn, unit, ledgers)
        for loops, _ in unit.configs.components(job.config):
            for loop_id in loops:
                if loop_id in ledgers.by_loop:
                    # At this job's instant, not at the last one's (rule C9).
                    finish(ledgers.by_loop[loop_id], new_uuid)
    for loop_id, ledger in ledgers.by_loop.items():
        unit.record(unit.loops[loop_id], ledger.entries, now=now, turns=ledger.closed)
    return {loop_id for loop_id, ledger in ledgers.by_loop.items() if ledger.entries}


def _needs(job: Job, turn: TurnRow, unit: store.UnitOfWork) -> Iterable[tuple[list[int], Decimal]]:
    """(feeding loops, quantity) per component: turn quantity times the quantity per piece, not rounded yet."""
    at_complete = job.config.consume_at is ConsumeAt.COMPLETE
    pieces = turn.made if at_complete and turn.made is not None else turn.asked
    for loops, per_piece in unit.configs.components(job.config):
        known = [loop for loop in loops if loop in unit.loops]
        if known:
            yield known, pieces * per_piece


def _existing(turn: TurnRow, *, used: bool = False) -> set[int]:
    """The component loops this turn has dealt with: booked or drawn, or (`used`) drawn."""
    return {row[0] for row in store.run("pull_draws", turn.id, used)}


def _links(turn: TurnRow, loop_id: int) -> list[Link]:
    return [Link(*row) for row in store.run("pull_links", turn.id, loop_id)]


def _use(job: Job, turn: TurnRow, unit: store.UnitOfWork, ledgers: Ledgers) -> None:
    """Takes what the turn needs, once: what was booked first, the rest from what is free."""
    booked, used = _existing(turn), _existing(turn, used=True)
    for loops, needed in _needs(job, turn, unit):
        if used.intersection(loops):
            continue  # a restart after an abort draws nothing
        if booked.intersection(loops):
            need = max(_needed(turn, loop) for loop in loops)
        else:
            need = to_take(ledgers.at(loops[0], job.at), needed, turn.uuid)
        rest = need
        for loop in loops:
            taken = _take_booked(job, turn, loop, need, ledgers)
            rest -= taken
        if not need:
            _keep_draw(turn, loops[0], ZERO, drawn=ZERO, booked=ZERO, used=True)
        for loop, share in _shares(loops, rest, unit):
            drawn = draw(ledgers.at(loop, job.at), need=share, turn=turn.uuid, new_uuid=new_uuid)
            _keep(turn, loop, need, drawn, booked=False)


def _take_booked(job: Job, turn: TurnRow, loop: int, need: Decimal, ledgers: Ledgers) -> Decimal:
    """Takes out what was promised from one loop; returns the pieces."""
    ledger = ledgers.at(loop, job.at)
    taken, fulfilled = take_booked(ledger, links=_links(turn, loop), turn=turn.uuid, new_uuid=new_uuid)
    for link in fulfilled:
        _keep_link(turn, Link(link.card_id, link.number, ZERO, booked=-link.booked))
    if taken:
        _keep_draw(turn, loop, need, drawn=taken, booked=-taken, used=True)
    return taken


def _needed(turn: TurnRow, loop_id: int) -> Decimal:
    """What the turn was to take of one loop when it was booked there."""
    rows = store.run("pull_needed", turn.id, loop_id)
    return rows[0][0] if rows else ZERO


def _shares(loops: Sequence[int], need: Decimal, unit: store.UnitOfWork) -> Iterable[tuple[int, Decimal]]:
    """Which feeding loop gives how much: what each has free, in order; the last one owes the rest."""
    rest = need
    for place, loop in enumerate(loops):
        if place == len(loops) - 1:
            share = rest
        else:
            available = sum((card.free for card in unit.loops[loop].cards.values() if usable(card)), ZERO)
            share = min(rest, available)
        if share > 0:
            yield loop, share
        rest -= share


def _book(job: Job, turn: TurnRow, unit: store.UnitOfWork, ledgers: Ledgers) -> None:
    """Promises what the released turn will need, so that the pull reaches every tier at once."""
    existing = _existing(turn)
    for loops, needed in _needs(job, turn, unit):
        if existing.intersection(loops):
            continue
        need = to_take(ledgers.at(loops[0], job.at), needed, turn.uuid)
        if not need:
            _keep_draw(turn, loops[0], ZERO, drawn=ZERO, booked=ZERO)
        for loop, share in _shares(loops, need, unit):
            drawn = book(ledgers.at(loop, job.at), need=share, turn=turn.uuid, new_uuid=new_uuid)
            _keep(turn, loop, need, drawn, booked=True)


def _free(job: Job, turn: TurnRow, unit: store.UnitOfWork, ledgers: Ledgers) -> None:
    """A cancelled turn gives its promises back; what nobody upstream has begun is cancelled with it."""
    existing = _existing(turn) - _existing(turn, used=True)
    for loops, needed in _needs(job, turn, unit):
        if not existing.intersection(loops):
            continue
        freed = ZERO
        for loop in loops:
            links = _links(turn, loop)
            if not links:
                continue
            freed += free(ledgers.at(loop, job.at), links=links, turn=turn.uuid)
            for link in links:
                _keep_link(turn, Link(link.card_id, link.number, -link.quantity, booked=-link.booked))
            _keep_draw(turn, loop, ZERO, drawn=ZERO, booked=-sum((link.booked for link in links), ZERO))
        give_back(ledgers.at(loops[0], job.at), needed, freed, turn.uuid)


def _keep(turn: TurnRow, loop_id: int, need: Decimal, drawn: Drawn, *, booked: bool) -> None:
    for link in drawn.links:
        _keep_link(turn, link)
    _keep_draw(
        turn,
        loop_id,
        need,
        drawn=ZERO if booked else drawn.taken,
        booked=drawn.taken if booked else ZERO,
        short=drawn.short,
        used=not booked,
    )


def _keep_link(turn: TurnRow, link: Link, kind: str = "DRAW") -> None:
    store.run("pull_keep_link", turn.id, link.card_id, link.number, kind, link.quantity, link.booked)


def _keep_draw(
    turn: TurnRow,
    loop_id: int,
    need: Decimal,
    *,
    drawn: Decimal,
    booked: Decimal,
    short: Decimal = ZERO,
    used: bool = False,
) -> None:
    store.run("pull_keep_draw", turn.id, loop_id, need, drawn, booked, short, used)
