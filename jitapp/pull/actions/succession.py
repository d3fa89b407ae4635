"""One loop takes the place of another: the old one's cards go out as they become empty, the new one begins.

Nothing that is on its way is lost: a container that was asked for is still filled, used up, and only then its card goes
out (domain: resize down, the Oracle way). The successor is made as a DRAFT with cards, so that they can be printed and
hung up before the day comes.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from jitapp.accounts.models import new_uuid
from jitapp.kanban.events.loops import BeforeAfter, LoopChanged
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.resizing import resize
from jitapp.kanban.stated import stated
from jitapp.kanban.vocabulary import LoopStatus
from jitapp.plant.models import Loop
from jitapp.pull.actions.loops import resume_loop
from jitapp.pull.actions.making import loaded, not_retired
from jitapp.pull.actions.saving import NOBODY, Refused, save
from jitapp.pull.scan_request import Source

SUCCESSOR = "successor"  # the member of a revision that names the loop to come


def check_successor(loop: Loop, successor: Loop) -> None:
    """Whether one can take the place of the other. Raises Refused."""
    not_retired(loop.code, loop.status)
    not_retired(successor.code, successor.status)
    if successor.pk == loop.pk:
        raise Refused(stated("Loop {loop} cannot follow itself. Name another loop.", loop=loop.code))
    if successor.plant_id != loop.plant_id:
        raise Refused(
            stated("There is no loop {loop} in this plant. Name one of the same plant.", loop=successor.code)
        )
    if successor.demand_id != loop.demand_id:
        raise Refused(
            stated(
                "Loop {successor} brings to {station}, loop {loop} to {demand}."
                " A successor brings to the same station.",
                successor=successor.code,
                station=successor.demand.code,
                loop=loop.code,
                demand=loop.demand.code,
            )
        )


def succeed(
    *, loop_id: int, successor_id: int, now: datetime, reason: str = "", source: Source = NOBODY
) -> None:
    """From now on `successor` is asked: it becomes ACTIVE, and every card of the old loop goes out when it is next
    empty. Refused where `check_successor` says so."""
    with transaction.atomic():
        first, second = sorted((loop_id, successor_id))
        locked = {pk: Loop.objects.select_for_update().get(pk=pk) for pk in (first, second)}
        loop, successor = locked[loop_id], locked[successor_id]
        check_successor(loop, successor)
        loop.revision += 1
        loop.version += 1
        loop.save(update_fields=["revision", "version"])
        unit = loaded(loop_id)
        ledger = Ledger(unit.loops[loop_id], at=now)
        resize(ledger, 0, new_uuid)
        ledger.write(
            LoopChanged(
                surplus_due=ledger.loop.surplus_due,
                cards=0,
                revision=loop.revision,
                reason=reason,
                changed={SUCCESSOR: BeforeAfter("", successor.code)},
            )
        )
        save(unit, ledger, now, source)
        if successor.status != LoopStatus.ACTIVE:
            resume_loop(loop_id=successor_id, now=now, source=source)
