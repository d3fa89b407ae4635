"""A runout calls for help by itself, once, at the station that lacks the part; its call is solved when it is over.

Followed by the drain of the outbox, and checked by the sweep: both look at the tables, so that a second run changes
nothing. Nobody has called, and nobody has solved: these calls and their events have neither person nor device.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import QuerySet

from jitapp.kanban import andon
from jitapp.kanban.conditions import usable
from jitapp.kanban.events.calls import AndonCalled, AndonSolved, CallEvent
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.runouts import ON_HOLD
from jitapp.kanban.state import Loop
from jitapp.kanban.vocabulary import LoopStatus
from jitapp.pull import store
from jitapp.pull.actions.andon import NOTE_LIMIT, minutes_between, tell_areas
from jitapp.pull.models import AndonCall, Runout
from jitapp.pull.retry import retried


def follow_runouts(loop_ids: Iterable[int], *, now: datetime) -> int:
    """Makes the calls that open runouts of these loops lack, and solves those whose runout is over.

    Inside the caller's transaction, which has locked the loops or locks none after them. Returns how many calls
    changed.
    """
    ids = sorted(set(loop_ids))
    if not ids:
        return 0
    unit = store.load(ids)
    over = list(_over().filter(loop_id__in=ids).select_for_update(of=("self",)))
    for call in over:
        _solve(call, unit, now)
    AndonCall.objects.bulk_update(over, ["solved_at", "reason"])
    lacking = _lacking().filter(loop_id__in=ids).select_related("loop__part", "loop__demand__area")
    made = [_call(runout, unit, now) for runout in lacking]
    if over or made:
        AndonCall.objects.bulk_create(made)
        unit.write()
        tell_areas([*over, *made])
    return len(over) + len(made)


def call_for_runouts(*, now: datetime) -> int:
    """The level check of the sweep, over all loops; returns how many calls changed."""
    over, lacking = _over().values_list("loop_id", flat=True), _lacking().values_list("loop_id", flat=True)
    loop_ids = sorted({*over, *lacking})

    def once(loop_id: int) -> int:
        with transaction.atomic():
            return follow_runouts([loop_id], now=now)

    return sum(retried(partial(once, loop_id)) for loop_id in loop_ids)


def _lacking() -> QuerySet[Runout]:
    """Open runouts that have not called."""
    return Runout.objects.filter(closed_at__isnull=True, call__isnull=True).order_by("pk")


def _over() -> QuerySet[AndonCall]:
    """Calls that nobody has solved, of runouts that are closed."""
    return (
        AndonCall.objects.filter(solved_at__isnull=True, runout__closed_at__isnull=False)
        .select_related("runout", "station__area")
        .order_by("pk")
    )


def _call(runout: Runout, unit: store.UnitOfWork, now: datetime) -> AndonCall:
    loop = runout.loop
    made = AndonCall(
        station=loop.demand,
        loop=loop,
        runout=runout,
        kind=AndonCall.Kind.MATERIAL,
        note=f"{loop.part.number} has run out"[:NOTE_LIMIT],
        called_at=max(now, runout.opened_at),
    )
    _write(unit, made, AndonCalled(call=made.uuid, kind=made.kind, note=made.note), made.called_at)
    return made


def _solve(call: AndonCall, unit: store.UnitOfWork, now: datetime) -> None:
    """Says that the call is solved; its row is the caller's to write."""
    assert call.runout is not None
    assert call.loop_id is not None
    call.solved_at = max(now, call.called_at)
    call.reason = _why_over(call.runout, unit.loops[call.loop_id])
    solved = AndonSolved(
        call=call.uuid, reason=call.reason, minutes=minutes_between(call.called_at, call.solved_at)
    )
    _write(unit, call, solved, call.solved_at)


def _why_over(runout: Runout, loop: Loop) -> str:
    """Why a call of a closed runout is over. Of what ended it only the cause is on record: containers that are usable
    now, or a runout since, mean that material came."""
    if not runout.cause:  # one that never was has none
        return andon.NEVER_DRY
    if runout.cause == ON_HOLD[0]:
        return andon.RETIRED if loop.config.status is LoopStatus.RETIRED else andon.ON_HOLD
    if loop.runout is not None or any(usable(card) for card in loop.cards.values()):
        return andon.ARRIVED
    return andon.NOT_WANTED


def _write(unit: store.UnitOfWork, call: AndonCall, event: CallEvent, at: datetime) -> None:
    assert call.loop_id is not None
    loop = unit.loops[call.loop_id]
    ledger = Ledger(loop, at=at)
    ledger.write(event)
    unit.record(loop, ledger.entries, now=at, station_id=call.station_id)
