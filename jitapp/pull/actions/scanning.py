"""The scan: one transaction from the locking read to the stored answer.

A receipt is written for every scan, also for a refused one; its unique scan id makes a repeat harmless (rule C3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import psycopg2.errors
from django.conf import settings
from django.utils.translation import gettext
from msgspec.structs import replace

from jitapp.outbox.publish import nudge
from jitapp.plant.configs import Configs, configs, latest
from jitapp.plant.spoken import spoken
from jitapp.plant.wordings import wordings
from jitapp.pull import store
from jitapp.pull.acting import proved_actor
from jitapp.pull.actions.answering import answer_of, receipt_of
from jitapp.pull.actions.circumstances import stations_to_lock
from jitapp.pull.actions.recording import record
from jitapp.pull.actions.stages import Read, locate, read, refuse, situate, verdict
from jitapp.pull.actions.swapping import find_pairs, swap_by_hand, swaps_by_hand
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Actor, Answer, Conflict, ScanRequest, Source, TokenEnded

BATCH_LIMIT = 500


class Duplicate(Exception):
    """The scan id is in use: the first answer must be returned instead."""


def scan(request: ScanRequest, *, source: Source, now: datetime) -> Answer | Conflict:
    """Applies one scan, or refuses it and says why; the answer is stored before it is returned.

    Conflict if the id was used for another scan. Raises TokenEnded, else only what the store raises when it cannot be
    reached.
    """
    (request,) = _proved([request], source, now)
    try:
        return retried(lambda: _once([request], source, now))[0]
    except Duplicate:
        return _repeat(request, source)


def first_answer(scan_id: UUID, *, source: Source) -> Answer | None:
    """What a scan with this id was answered the first time; None if there was none, or one of another plant. For doors
    that say more of a scan than its sender did: they must not ask the rules again."""
    stored = store.stored_answers([scan_id]).get(scan_id)
    if stored is None or (stored.plant_id is not None and stored.plant_id not in source.plant_ids):
        return None
    return Answer(stored.answer | {"replayed": True}, replayed=True)


def scan_batch(requests: Sequence[ScanRequest], *, source: Source, now: datetime) -> list[Answer | Conflict]:
    """Up to 500 scans in one transaction, answered in order; one bad scan never costs another.

    The loops of all are locked beforehand in id order. If a row of the common write is refused by the database, the
    batch falls apart into single scans.
    """
    known = store.stored_answers([request.id for request in requests])
    requests = _proved(requests, source, now)
    fresh: list[ScanRequest] = []
    seen: set[UUID] = set()
    for request in requests:
        if request.id not in known and request.id not in seen:
            seen.add(request.id)
            fresh.append(request)
    answers: dict[UUID, Answer | Conflict] = {}
    if fresh:
        try:
            for request, answer in zip(fresh, retried(lambda: _once(fresh, source, now)), strict=True):
                answers[request.id] = answer
        except (Duplicate, psycopg2.IntegrityError, psycopg2.DataError):
            for request in fresh:
                answers[request.id] = scan(request, source=source, now=now)
    result: list[Answer | Conflict] = []
    first: set[UUID] = set()
    for request in requests:
        if request.id in answers and request.id not in first:
            first.add(request.id)
            result.append(answers[request.id])
        else:
            result.append(_repeat(request, source))
    return result


def _proved(requests: Sequence[ScanRequest], source: Source, now: datetime) -> Sequence[ScanRequest]:
    """The PINs of the scans checked before any lock is taken, each person's once; most scans have none.

    A scan that was answered before gets that answer again: its PIN is not tried a second time.
    """
    asked = [each for each in requests if each.pin and each.by and each.actor is None]
    known = store.stored_answers([each.id for each in asked]) if asked else {}
    found: dict[tuple[str | None, str | None], Actor] = {}
    for each in asked:
        said = each.by, each.pin
        if each.id not in known and said not in found:
            found[said] = proved_actor(configs(), each.by or "", each.pin or "", source, now)
    return (
        [replace(each, actor=each.actor or found.get((each.by, each.pin))) for each in requests]
        if found
        else requests
    )


def _repeat(request: ScanRequest, source: Source) -> Answer | Conflict:
    """The stored first answer of a scan that came again; Conflict if its content differs.

    An answer that tells of a plant is for that plant's devices only.
    """
    stored = store.stored_answers([request.id])[request.id]
    foreign = stored.plant_id is not None and stored.plant_id not in source.plant_ids
    if foreign or stored.fingerprint != request.fingerprint():
        return Conflict(request.id)
    return Answer(stored.answer | {"replayed": True}, replayed=True)


def _once(requests: Sequence[ScanRequest], source: Source, now: datetime) -> list[Answer]:
    """One transaction for all; Duplicate if a scan id exists (nothing is changed then)."""
    # What is only needed to take the right locks may be as old as the last read; the locking read brings the epoch.
    known = latest()
    try:
        with store.short_transaction() as is_short:
            return _in_transaction(requests, source, now, known if is_short else configs(), is_short=is_short)
    except psycopg2.errors.UniqueViolation as error:
        name = error.diag.constraint_name or ""
        if name == "event_scan_once" or name.startswith("pull_receipt_scan_id"):
            raise Duplicate from error
        raise


def _in_transaction(
    requests: Sequence[ScanRequest], source: Source, now: datetime, known: Configs, *, is_short: bool
) -> list[Answer]:
    found = find_pairs(read(requests), source, now, known)
    wanted = _locks(found, source, known)
    unit = store.load(wanted.loops, lock_stations=wanted.stations) if wanted.loops else store.nothing()
    if wanted.loops and unit.configs.epoch != known.epoch and is_short:
        # The settings changed before the lock was taken, and were read again under it. What was found goes on by the
        # new ones; only where they ask for a lock that is not held must the scan be begun again, in the order of locks.
        found = find_pairs(read(requests), source, now, unit.configs)
        if not _locks(found, source, unit.configs).held_by(wanted):
            raise psycopg2.errors.SerializationFailure("The changed settings ask for another lock.")
    if unit.configs.ended(source.device_id, source.token):
        raise TokenEnded
    wording = wordings(unit.configs.epoch).of_place(source.station_id, source.plant_ids)
    if source.language == settings.LANGUAGE_CODE and not wording:  # the sentences' own: nothing to look up
        answers = [_one(unit, each, source, now, str) for each in found]
    else:
        with spoken(source.language, wording):
            answers = [_one(unit, each, source, now, gettext) for each in found]
    if unit.document.get("events"):
        store.after_commit(nudge)
    unit.write(last=True)
    return answers


class _Locks(msgspec.Struct, frozen=True):
    """What scans must hold: stations (only where a start may count against a limit), then loops."""

    stations: frozenset[int]
    loops: frozenset[int]

    def held_by(self, other: _Locks) -> bool:
        """Whether whoever holds the others holds these."""
        return self.stations <= other.stations and self.loops <= other.loops


def _locks(found: Sequence[Read], source: Source, known: Configs) -> _Locks:
    """By these settings."""
    stations: set[int] = set()
    for each in found:
        config = known.loops.get(each.loop_id) if each.loop_id is not None else None
        if config is None:
            continue
        named = known.stations.find(each.request.station) if each.request.station else None
        stations |= stations_to_lock(config, each.intent, named.id if named else source.station_id)
    loops = {loop for each in found for loop in (each.loop_id, each.pair_loop_id) if loop is not None}
    return _Locks(frozenset(stations), frozenset(loops))


def _one(
    unit: store.UnitOfWork, found: Read, source: Source, now: datetime, translate: Callable[[str], str]
) -> Answer:
    """One scan through its stages (stages.py)."""
    situated = situate(unit, locate(unit, found, source, now), source)
    if situated.scan is None:
        decided = refuse(situated)
    elif swaps_by_hand(situated):
        decided = swap_by_hand(unit, situated)
    else:
        decided = verdict(situated)
    record(unit, decided, source)
    body = answer_of(decided, translate)
    unit.add("receipts", receipt_of(decided, source, body))
    loop = situated.located.loop
    return Answer(body, loop_id=loop.config.id if loop else None)
