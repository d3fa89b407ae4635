"""Snapshots of the fold, made behind the floor's back: no scan writes or reads one."""

from __future__ import annotations

import logging
from datetime import datetime

import msgspec
from django.db import connection, transaction

from jitapp.kanban.moment import SHAPE, Moment
from jitapp.plant.configs import configs
from jitapp.pull.models import LoopSnapshot
from jitapp.pull.store.snapshots import AFTER, KEEP, LACKING, entry_of, stretches

logger = logging.getLogger(__name__)

MOST_LOOPS = 100
MOST_EVENTS = 6_000  # folded in one round: about half a second


def keep_snapshots(*, most: int = MOST_EVENTS) -> int:
    """One round: folds at most about `most` events further, of the loops that lack most; returns how many snapshots
    were made. A second worker at the same time makes the same ones, and keeps none twice."""
    with connection.cursor() as cursor:
        cursor.execute(LACKING, {"shape": SHAPE, "most": MOST_LOOPS})
        lacking = cursor.fetchall()
    if not lacking:
        _forget_other_forms()
    made = 0
    for loop_id, seq, known_at, state in lacking:
        if most <= 0:
            break
        taken, kept = _further(loop_id, seq, known_at, state, most)
        most -= taken
        made += kept
    return made


def forget_snapshots(loop_id: int | None = None) -> int:
    """Removes the snapshots of a loop, or all; they are made again. Returns how many there were."""
    found = LoopSnapshot.objects.all() if loop_id is None else LoopSnapshot.objects.filter(loop_id=loop_id)
    return found.delete()[0]


def _forget_other_forms() -> None:
    """Snapshots of a version before this one are read by nobody any more."""
    old = LoopSnapshot.objects.exclude(shape=SHAPE).values_list("pk", flat=True)[:MOST_LOOPS]
    LoopSnapshot.objects.filter(pk__in=list(old)).delete()


def _further(
    loop_id: int, seq: int, known_at: datetime | None, state: memoryview | None, most: int
) -> tuple[int, int]:
    """Folds at most `most` events of a loop behind its snapshot `seq`: (events taken, snapshots kept)."""
    config = configs().loops.get(loop_id)
    if config is None:
        return 0, 0
    try:
        moment = Moment.decode(config, bytes(state)) if state is not None else Moment(config)
    except msgspec.ValidationError:
        logger.error("Snapshot %s of loop %s cannot be read; `verify` tells more.", seq, loop_id)
        return 0, 0
    taken = kept = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(AFTER, [loop_id, seq, most])
        for last, found in stretches(cursor.fetchall(), seq):
            changes = False
            for _, row in found:
                entry = entry_of(row)
                if entry is not None:
                    moment.take(entry)
                changes = changes or row[1] == "loop.changed"
            moment.loop.seq = last
            known_at = max(known_at or found[0][0], *(recorded for recorded, _ in found))
            occurred = [row[2] for _, row in found]
            cursor.execute(
                KEEP,
                [loop_id, SHAPE, last, seq, known_at, min(occurred), max(occurred), changes, moment.encode()],
            )
            taken, kept, seq = taken + len(found), kept + 1, last
    return taken, kept
