"""The pull goes upstream: what turns consume, which turns they pull, which waits and runouts follow.

Called by the drain of the outbox inside the transaction that marks the messages as done. Everything is keyed so that
a second run changes nothing: a draw is unique per turn and loop, a link per turn and container, and the waits of a turn
know which of its stretches they have followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from jitapp.kanban.kinds import KINDS
from jitapp.plant.configs import Configs, configs
from jitapp.pull import store
from jitapp.pull.actions.drawing import Job, jobs_of, run
from jitapp.pull.actions.linking import link_runouts, link_scanned
from jitapp.pull.actions.markets import affected_markets, serve_affected_markets
from jitapp.pull.actions.orders import cancel_tree, explode
from jitapp.pull.actions.runout_calls import follow_runouts
from jitapp.pull.actions.waiting import TurnRow, follow_waits, turns_of
from jitapp.pull.store import LoopChanged
from jitapp.pull.store.messages import FOLLOWED

Messages = Sequence[tuple[int, LoopChanged]]


def propagate(messages: Sequence[tuple[int, Mapping[str, object]]], *, now: datetime) -> set[int]:
    """Handles messages (loop id, payload) in order, inside the caller's transaction; returns the loops that changed.

    The loops of all messages and the component loops are locked together, in id order.
    """
    settings = configs()
    known = [
        (loop_id, msgspec.convert(payload, LoopChanged))
        for loop_id, payload in messages
        if loop_id in settings.loops
    ]
    jobs = [job for loop_id, message in known for job in jobs_of(settings.loops[loop_id], message.events)]
    changed = {loop_id for loop_id, _ in known}
    changed |= _carry_on(known, jobs, settings, now)
    link_scanned(known, settings)
    changed |= _follow_orders(known, settings, now)
    changed |= serve_affected_markets(known, settings, now)
    follow_runouts(_with_runouts(known), now=now)
    instants = [event.at for _, message in known for event in message.events if event.type in FOLLOWED]
    if instants:
        link_runouts(_with_runouts(known), min(instants))
    return changed


def _carry_on(messages: Messages, jobs: Sequence[Job], settings: Configs, now: datetime) -> set[int]:
    """What turns use, and what they wait for: one lock, one look at the turns, one writing statement."""
    feeding = {loop for job in jobs for loops, _ in settings.components(job.config) for loop in loops}
    told = turns_of(messages)
    named = set(told) | ({job.turn for job in jobs} if feeding else set())
    if not named and not _with_runouts(messages):
        return set()
    to_lock = feeding | {loop_id for loop_id, _ in messages} | _ordered_from(messages, settings)
    to_lock.update(*(market.loops for market in affected_markets(messages, settings)))
    rows = store.execute(
        "EXECUTE pull_lock_loops(%s); EXECUTE pull_follow(%s)", (sorted(to_lock), list(named))
    )
    turns = {row[1]: TurnRow(*row) for row in rows}
    # They are locked already: this reads them.
    unit = store.load(feeding) if feeding else store.UnitOfWork(settings, {})
    changed = run(jobs, turns, unit, now) if feeding else set()
    follow_waits(told, turns, unit, now)
    unit.write()
    return changed


def _with_runouts(messages: Messages) -> set[int]:
    """The loops of which a runout was opened, closed or revised."""
    return {
        loop_id for loop_id, message in messages if any(event.type in FOLLOWED for event in message.events)
    }


def _orders(messages: Messages, settings: Configs, type_: str) -> list[UUID]:
    """The turns of EVENT loops to which this happened."""
    return [
        event.turn
        for loop_id, message in messages
        if KINDS[settings.loops[loop_id].kind].ordered
        for event in message.events
        if event.type == type_ and event.turn is not None
    ]


def _ordered_from(messages: Messages, settings: Configs) -> set[int]:
    """The loops that an order asks at, or takes back what it asked: locked with the others, before they are touched."""
    of = [
        settings.loops[loop_id]
        for loop_id, message in messages
        if KINDS[settings.loops[loop_id].kind].ordered
        and any(event.type in ("turn.released", "turn.cancelled") for event in message.events)
    ]
    return {loop for config in of for loops, _ in settings.components(config) for loop in loops}


def _follow_orders(messages: Messages, settings: Configs, now: datetime) -> set[int]:
    """EVENT loops: a released order asks at every tier, a cancelled one is cancelled as a tree."""
    released = _orders(messages, settings, "turn.released")
    cancelled = _orders(messages, settings, "turn.cancelled")
    changed = explode(released, now=now) if released else set()
    return changed | (cancel_tree(cancelled, now=now) if cancelled else set())
