"""What time alone brings about, and what a level check repairs: run again and again, harmless when doubled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.db import transaction

from jitapp.accounts.models import new_uuid
from jitapp.kanban.duedates import due_at
from jitapp.kanban.events.turns import TurnAnswerLate
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.promises import unanswered
from jitapp.kanban.runouts import cause_of
from jitapp.kanban.signals import accumulating, gather, resume
from jitapp.kanban.vocabulary import Accumulate, LoopStatus
from jitapp.outbox.publish import nudge_on_commit
from jitapp.plant.configs import configs, zone
from jitapp.pull import store
from jitapp.pull.actions.linking import link_runouts
from jitapp.pull.actions.markets import serve_waiting
from jitapp.pull.actions.revisions import apply_due_revisions
from jitapp.pull.actions.runout_calls import call_for_runouts
from jitapp.pull.actions.saving import save, take_over
from jitapp.pull.reading.board import board_rows
from jitapp.pull.retry import retried

# Loops whose runout row and cards disagree (rule C9), or that are ACTIVE with a signal still withheld.
SUSPECTS = """
    SELECT l.id FROM plant_loop l
    LEFT JOIN pull_dry(%(now)s) AS dry(loop_id) ON dry.loop_id = l.id
    LEFT JOIN pull_runout r ON r.loop_id = l.id AND r.closed_at IS NULL
    WHERE (r.id IS NOT NULL) <> (dry.loop_id IS NOT NULL)
        OR (l.status = 'ACTIVE' AND EXISTS (
            SELECT 1 FROM pull_card c JOIN pull_turn t ON t.card_id = c.id AND t.closed_at IS NULL
            WHERE c.loop_id = l.id AND c.card_status = 'IN_CIRCULATION'
                AND ((t.signal_state = 'PENDING_DOC' AND t.document <> '')
                    OR (t.signal_state = 'UNRELEASED' AND t.failed = '' AND c.supply_status <> 'WAIT'
                        AND NOT l.independent_supply AND l.trigger NOT IN ('ON_SIBLING_IN_USE', 'ON_SIBLING_WAIT')))))
"""

# ACTIVE loops with exactly one usable container left and turns that are open, and the first due time of those.
LAST_ONE = """
    SELECT b.loop_id, min(t.due_at) FILTER (WHERE t.signal_state IN ('RELEASED', 'ACKNOWLEDGED'))
    FROM pull_buffer b JOIN pull_turn t ON t.loop_id = b.loop_id AND t.closed_at IS NULL
    WHERE b.active AND b.usable = 1
    GROUP BY b.loop_id
"""

# A near-runout: exactly one usable container left, and the next one late, or projected to come too late.
NEAR = """
    WITH near AS (
        SELECT s.loop_id, (
            b.active AND b.usable = 1 AND (s.loop_id = ANY(%(too_late)s) OR EXISTS (SELECT 1 FROM pull_turn t
                WHERE t.loop_id = s.loop_id AND t.closed_at IS NULL AND t.due_at < %(now)s))
        ) AS is_near
        FROM pull_loopstate s JOIN pull_buffer b ON b.loop_id = s.loop_id
    ), changed AS MATERIALIZED (
        -- Locked in the order of all who lock loops, so that nobody waits for another in a ring.
        SELECT s.loop_id, n.is_near FROM pull_loopstate s JOIN near n ON n.loop_id = s.loop_id
        WHERE n.is_near <> (s.near_since IS NOT NULL)
        ORDER BY s.loop_id FOR UPDATE OF s
    )
    UPDATE pull_loopstate s SET near_since = CASE WHEN n.is_near THEN %(now)s END
    FROM changed n
    WHERE n.loop_id = s.loop_id
    RETURNING s.loop_id
"""
# Near-runouts whose loops still gather signals: nobody waits for a batch to be complete there (4.5).
NEAR_AND_GATHERING = """
    SELECT s.loop_id FROM pull_loopstate s WHERE s.near_since IS NOT NULL AND EXISTS (
        SELECT 1 FROM pull_turn t WHERE t.loop_id = s.loop_id AND t.closed_at IS NULL
        AND t.signal_state = 'ACCUMULATING')
    ORDER BY s.loop_id
"""
# Signals that a supplier must answer and has not, in loops that say within how many working minutes.
UNANSWERED = """
    SELECT l.id FROM plant_loop l WHERE l.ack_required AND EXISTS (
        SELECT 1 FROM pull_turn t WHERE t.loop_id = l.id AND t.closed_at IS NULL
        AND t.signal_state = 'RELEASED' AND t.step = '' AND NOT t.answer_late)
    ORDER BY l.id
"""


def settle_loops(loop_ids: Iterable[int], *, now: datetime) -> set[int]:
    """Makes runouts and withheld signals agree with the loops' settings; returns the loops that changed."""

    def once() -> set[int]:
        with transaction.atomic():
            unit = store.load(loop_ids)
            changed: set[int] = set()
            for loop_id, loop in unit.loops.items():
                ledger = Ledger(loop, at=now)
                resume(ledger, new_uuid)
                if take_over(unit, ledger, now):
                    changed.add(loop_id)
            unit.write()
            if changed:
                nudge_on_commit()
            return changed

    return retried(once)


def sweep(*, now: datetime) -> set[int]:
    """One round: runouts and withheld signals, near-runouts and what they release, causes, links, calls of runouts.
    Returns the loops that changed."""
    with store.cursor() as to_database:
        to_database.execute(SUSPECTS, {"now": now})
        suspects = [row[0] for row in to_database.fetchall()]
    changed = settle_loops(suspects, now=now) if suspects else set()
    changed |= apply_due_revisions(now=now) | _release_by_clock(now) | serve_waiting(now=now)
    too_late = _too_late(now)
    with transaction.atomic():
        with store.cursor() as to_database:
            to_database.execute(NEAR, {"now": now, "too_late": too_late})
            changed |= {row[0] for row in to_database.fetchall()}
        link_runouts()
    call_for_runouts(now=now)
    return changed | _release_near(now) | _note_silence(now) | _refresh_causes(now)


def _too_late(now: datetime) -> list[int]:
    """Loops whose last container will be used up before the next is due; a signal still withheld is due as if it went
    out now."""
    with store.cursor() as to_database:
        to_database.execute(LAST_ONE)
        first_due = dict(to_database.fetchall())
    known = configs().loops
    found: list[int] = []
    for row in board_rows(list(first_due), now=now):
        config = known.get(row.loop_id)
        if row.runs_out_at is None or config is None:
            continue
        if row.runs_out_at < (first_due[row.loop_id] or due_at(config, now)):
            found.append(row.loop_id)
    return found


def _release_near(now: datetime) -> set[int]:
    """A near-runout releases the gathered batch at once, as a runout does."""
    with store.cursor() as to_database:
        to_database.execute(NEAR_AND_GATHERING)
        near = [row[0] for row in to_database.fetchall()]

    def once(loop_id: int) -> bool:
        with transaction.atomic():
            unit = store.load([loop_id])
            ledger = Ledger(unit.loops[loop_id], at=now)
            gather(ledger, new_uuid, why="near-runout")
            save(unit, ledger, now)
            return bool(ledger.entries)

    return {loop_id for loop_id in near if retried(partial(once, loop_id))}


def _release_by_clock(now: datetime) -> set[int]:
    """Loops that gather until fixed times of the plant's day: what was opened before the last such time goes out."""
    changed: set[int] = set()
    for config in list(configs().loops.values()):
        if config.accumulate is not Accumulate.CLOCK or config.status is not LoopStatus.ACTIVE:
            continue
        last = last_time(config.accumulate_times, zone(config.time_zone), now)
        if last is None:
            continue
        with transaction.atomic():
            unit = store.load([config.id])
            loop = unit.loops.get(config.id)
            waiting = (
                [card for card in accumulating(loop) if card.turn and card.turn.opened_at <= last]
                if loop
                else []
            )
            if loop is None or not waiting:
                continue
            ledger = Ledger(loop, at=now)
            gather(ledger, new_uuid, why="clock")
            save(unit, ledger, now)
        changed.add(config.id)
    return changed


def last_time(times: Sequence[str], place: ZoneInfo, now: datetime) -> datetime | None:
    """The newest of the day's fixed times (HH:MM, local) that is not after `now`; yesterday's count too. In UTC.

    Compared as instants: two times of one zone compare by the wall clock, which is wrong on the nights on which the
    clocks change. A time that the clock skips comes as much later as it is set forward; of a time that it shows twice
    the first counts.
    """
    today = now.astimezone(place).date()
    days = (today - timedelta(days=back) for back in (0, 1))
    found = (
        datetime.combine(day, time.fromisoformat(clock), tzinfo=place) for day in days for clock in times
    )
    return max((at for local in found if (at := local.astimezone(UTC)) <= now), default=None)


def _note_silence(now: datetime) -> set[int]:
    """Suppliers who let the time pass in which they must answer (`ack_within_minutes`, working minutes)."""
    with store.cursor() as to_database:
        to_database.execute(UNANSWERED)
        silent = [row[0] for row in to_database.fetchall()]

    def once(loop_id: int) -> bool:
        with transaction.atomic():
            unit = store.load([loop_id])
            ledger = Ledger(unit.loops[loop_id], at=now)
            for card in unanswered(ledger.loop, now):
                ledger.write(TurnAnswerLate(), card, turn=card.turn)
            if ledger.entries:
                save(unit, ledger, now)
            return bool(ledger.entries)

    return {loop_id for loop_id in silent if retried(partial(once, loop_id))}


def _refresh_causes(now: datetime) -> set[int]:
    """The cause of an open runout is a candidate: it follows the clock until the runout ends."""
    with transaction.atomic():
        with store.cursor() as to_database:
            to_database.execute("SELECT loop_id FROM pull_runout WHERE closed_at IS NULL")
            open_loops = [row[0] for row in to_database.fetchall()]
        if not open_loops:
            return set()
        unit = store.load(open_loops)
        changed: set[int] = set()
        with store.cursor() as to_database:
            for loop_id, loop in unit.loops.items():
                if loop.runout is None:
                    continue
                cause = cause_of(loop, now, quality=loop.runout.quality)
                facts = store.encode(cause.facts).decode()
                to_database.execute(
                    "UPDATE pull_runout SET cause = %(cause)s, cause_facts = %(facts)s, owner = %(owner)s"
                    " WHERE loop_id = %(loop)s AND closed_at IS NULL"
                    " AND (cause, owner) IS DISTINCT FROM (%(cause)s, %(owner)s)",
                    {"cause": cause.reason, "facts": facts, "owner": str(cause.party), "loop": loop_id},
                )
                if to_database.rowcount:
                    changed.add(loop_id)
        return changed
