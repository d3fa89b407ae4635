"""Loops folded to an instant of the past, from the newest snapshot before it; reads only.

Everything recorded until an instant also occurred until then. So one reading serves both questions: what was known
then is the beginning of what is known of it now, and only loops of which something was told later are folded twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from jitapp.kanban.events.loops import BeforeAfter
from jitapp.kanban.moment import SHAPE, Moment
from jitapp.kanban.state import LoopConfig
from jitapp.plant.configs import Configs, configs
from jitapp.pull.store.snapshots import COLUMNS, entry_of

# The newest snapshot of each loop that holds nothing recorded after the instant.
_BASES = """
    SELECT w.loop_id, p.seq, p.state
      FROM unnest(%(loops)s::bigint[]) AS w(loop_id)
     CROSS JOIN LATERAL (SELECT seq, state FROM pull_loopsnapshot
            WHERE loop_id = w.loop_id AND shape = %(shape)s AND known_at <= %(at)s
            ORDER BY known_at DESC, seq DESC LIMIT 1) p"""
# The stretches behind it: number of its last event, when its events occurred, whether settings changed in it.
_STRETCHES = """
    SELECT p.loop_id, p.after, p.seq, p.earliest_at, p.latest_at, p.changes
      FROM unnest(%(loops)s::bigint[], %(after)s::bigint[]) AS w(loop_id, after)
      JOIN pull_loopsnapshot p ON p.loop_id = w.loop_id AND p.shape = %(shape)s AND p.seq > w.after
     ORDER BY p.loop_id, p.seq"""
_EVENTS = f"""
    SELECT e.loop_id, e.recorded_at, {COLUMNS}
      FROM unnest(%(loops)s::bigint[], %(after)s::bigint[], %(until)s::bigint[]) AS w(loop_id, after, until)
      JOIN pull_event e ON e.loop_id = w.loop_id AND e.loop_seq > w.after AND e.loop_seq <= w.until
     WHERE e.occurred_at <= %(at)s
     ORDER BY e.loop_id, e.loop_seq"""  # noqa: S608 (names of ours)
# The settings that later changes say were there before.
_CHANGES = """
    SELECT e.loop_id, (e.data -> 'changed')::text
      FROM unnest(%(loops)s::bigint[], %(after)s::bigint[], %(until)s::bigint[]) AS w(loop_id, after, until)
      JOIN pull_event e ON e.loop_id = w.loop_id AND e.loop_seq > w.after AND e.loop_seq <= w.until
     WHERE e.type = 'loop.changed' AND e.occurred_at > %(at)s
     ORDER BY e.loop_id, e.loop_seq"""
_NEIGHBOURS = """
    SELECT w.loop_id, max(e.occurred_at) FILTER (WHERE e.occurred_at < %(at)s),
           min(e.occurred_at) FILTER (WHERE e.occurred_at > %(at)s)
      FROM unnest(%(loops)s::bigint[], %(after)s::bigint[], %(until)s::bigint[]) AS w(loop_id, after, until)
      JOIN pull_event e ON e.loop_id = w.loop_id AND e.loop_seq > w.after AND e.loop_seq <= w.until
     GROUP BY w.loop_id"""
LAST = 1 << 62
_read = msgspec.json.Decoder(dict[str, BeforeAfter]).decode


@dataclass(slots=True)
class Stretch:
    """A stretch (`after`, `seq`] of a loop's ledger."""

    after: int
    seq: int
    earliest_at: datetime | None = None  # None: the newest stretch, which no snapshot has yet
    latest_at: datetime | None = None
    changes: bool = True


@dataclass(slots=True)
class LoopThen:
    """A loop at an instant: as is known now, and as was known then. `told_later` counts what occurred until then and
    was recorded only afterwards; without any the two are one. `settings` are those of then, as far as the ledger says.
    """

    now: Moment
    then: Moment
    told_later: int = 0
    settings_now: dict[str, str] = field(default_factory=dict)
    settings_then: dict[str, str] = field(default_factory=dict)


def loops_then(loop_ids: Iterable[int], at: datetime) -> dict[int, LoopThen]:
    """The loops as they were at an instant; a loop of which nothing had been recorded or had occurred is left out."""
    known = configs()
    ids = [loop_id for loop_id in loop_ids if loop_id in known.loops]
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_BASES, {"loops": ids, "shape": SHAPE, "at": at})
        bases = {row[0]: (row[1], bytes(row[2])) for row in cursor.fetchall()}
    stretches = _stretches(ids, {loop_id: base[0] for loop_id, base in bases.items()})
    rows = _events(stretches, at)
    before = _settings_before(stretches, at)
    found: dict[int, LoopThen] = {}
    for loop_id in ids:
        base = bases.get(loop_id)
        told = rows[loop_id]
        if base is None and not told:
            continue
        it = _fold(known, loop_id, base[1] if base else None, told, at)
        it.settings_now = {**before[loop_id], **it.now.settings}
        it.settings_then = {**before[loop_id], **it.then.settings}
        found[loop_id] = it
    return found


def _fold(
    known: Configs, loop_id: int, saved: bytes | None, rows: Sequence[tuple[Any, ...]], at: datetime
) -> LoopThen:
    config = known.loops[loop_id]
    later = [row for row in rows if row[1] > at]
    now = _folded(config, saved, rows)
    if not later:
        return LoopThen(now, now)
    # A beginning of the ledger: what stands behind the first that was recorded later was not known either.
    first = later[0][2]
    then = _folded(config, saved, [row for row in rows if row[2] < first])
    return LoopThen(now, then, told_later=len(later))


def _folded(config: LoopConfig, saved: bytes | None, rows: Sequence[tuple[Any, ...]]) -> Moment:
    moment = Moment.decode(config, saved) if saved is not None else Moment(config)
    for row in rows:
        entry = entry_of(row[2:])
        if entry is not None:
            moment.take(entry)
    return moment


def _stretches(ids: Sequence[int], after: dict[int, int]) -> dict[int, list[Stretch]]:
    """All stretches of each loop behind a number, the newest one without an end."""
    begins = [after.get(loop_id, 0) for loop_id in ids]
    found: dict[int, list[Stretch]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_STRETCHES, {"loops": list(ids), "after": begins, "shape": SHAPE})
        for loop_id, *row in cursor.fetchall():
            found[loop_id].append(Stretch(*row))
    for loop_id, begin in zip(ids, begins, strict=True):
        last = found[loop_id][-1].seq if found[loop_id] else begin
        found[loop_id].append(Stretch(last, LAST))
    return found


def _windows(stretches: dict[int, list[Stretch]], wanted: Callable[[Stretch], bool]) -> dict[str, list[int]]:
    """The stretches that are wanted, as three arrays; neighbours in one piece."""
    loops: list[int] = []
    after: list[int] = []
    until: list[int] = []
    for loop_id, own in stretches.items():
        for each in own:
            if not wanted(each):
                continue
            if loops and loops[-1] == loop_id and until[-1] == each.after:
                until[-1] = each.seq
            else:
                loops.append(loop_id)
                after.append(each.after)
                until.append(each.seq)
    return {"loops": loops, "after": after, "until": until}


def _events(stretches: dict[int, list[Stretch]], at: datetime) -> dict[int, list[tuple[Any, ...]]]:
    windows = _windows(stretches, lambda each: each.earliest_at is None or each.earliest_at <= at)
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, {**windows, "at": at})
        for row in cursor.fetchall():
            found[row[0]].append(row)
    return found


def _settings_before(stretches: dict[int, list[Stretch]], at: datetime) -> dict[int, dict[str, str]]:
    """Settings that were changed after the instant, as they were before the first change of each."""
    windows = _windows(
        stretches, lambda each: each.changes and (each.latest_at is None or each.latest_at > at)
    )
    found: dict[int, dict[str, str]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, {**windows, "at": at})
        for loop_id, changed in cursor.fetchall():
            for name, change in (_read(changed) if changed else {}).items():
                found[loop_id].setdefault(name, change.before)
    return found


def neighbours(loop_ids: Sequence[int], at: datetime) -> tuple[datetime | None, datetime | None]:
    """When something happened to any of the loops last before the instant, and next after it."""
    stretches = _stretches(loop_ids, {})
    earlier: list[datetime] = []
    later: list[datetime] = []
    around: dict[int, list[Stretch]] = {}
    for loop_id, own in stretches.items():
        # Whole stretches before or after the instant are known by their ends; the others are looked into.
        around[loop_id] = []
        for each in own:
            if each.earliest_at is None or each.latest_at is None or each.earliest_at <= at <= each.latest_at:
                around[loop_id].append(each)
            elif each.latest_at < at:
                earlier.append(each.latest_at)
            else:
                later.append(each.earliest_at)
    with connection.cursor() as cursor:
        cursor.execute(_NEIGHBOURS, {**_windows(around, lambda each: True), "at": at})
        for _, before, after in cursor.fetchall():
            earlier += [before] if before else []
            later += [after] if after else []
    return max(earlier, default=None), min(later, default=None)
