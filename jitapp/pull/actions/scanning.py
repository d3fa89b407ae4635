"""The scan: one transaction from the locking read to the stored answer.

A receipt is written for every scan, also for a refused one; its unique scan id makes a repeat harmless (rule C3).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg2.errors
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext, override

from jitapp.accounts.models import Person, new_uuid
from jitapp.kanban.answers import ANSWERS, feedback, say
from jitapp.kanban.events import Event
from jitapp.kanban.guards import CLOCK_SLACK
from jitapp.kanban.ledger import Decision, Scan
from jitapp.kanban.lifecycle import decide
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.vocabulary import Intent, Outcome, Role, StationKind, SupplyStatus
from jitapp.outbox.publish import nudge_on_commit
from jitapp.plant.configs import Configs, StationInfo, configs, latest, zone
from jitapp.pull import store
from jitapp.pull.actions.circumstances import circumstances, stations_to_lock
from jitapp.pull.actions.swapping import do_swap, find_pairs, swaps_by_hand
from jitapp.pull.models import Card as CardRow
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Answer, Conflict, Resolved, ScanRequest, Source, escaped
from jitapp.symbology.cardcode import find_card_code, looks_like_card_code

STATUSES = {status.value: status for status in SupplyStatus}
LEADERS = frozenset({Role.LEADER, Role.ADMIN})
INTENTS = {intent.value: intent for intent in Intent}
BATCH_LIMIT = 500
NEVER_SET = datetime(2000, 1, 1, tzinfo=UTC)  # a device that tells an earlier time has never been told it
# Card codes never change and are never reused, so what a code points to may be remembered.
_REMEMBERED = 50_000
_cards: dict[str, tuple[int, int]] = {}
_people: dict[str, tuple[float, int | None]] = {}
_PEOPLE_SECONDS = 10.0


class Duplicate(Exception):
    """The scan id is in use: the first answer must be returned instead."""


def scan(request: ScanRequest, *, source: Source, now: datetime) -> Answer | Conflict:
    """Applies one scan, or refuses it and says why; the answer is stored before it is returned.

    Conflict if the id was used for another scan. Raises only what the store raises when it cannot be reached.
    """
    try:
        return retried(lambda: _once([request], source, now))[0]
    except Duplicate:
        return _repeat(request, source)


def scan_batch(requests: Sequence[ScanRequest], *, source: Source, now: datetime) -> list[Answer | Conflict]:
    """Up to 500 scans in one transaction, answered in order; one bad scan never costs another.

    The loops of all are locked beforehand in id order. If a row of the common write is refused by the database, the
    batch falls apart into single scans.
    """
    known = store.stored_answers([request.id for request in requests])
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
    known = configs() if connection.in_atomic_block else latest()
    try:
        with store.short_transaction():
            return _in_transaction(requests, source, now, known)
    except psycopg2.errors.UniqueViolation as error:
        name = error.diag.constraint_name or ""
        if name == "event_scan_once" or name.startswith("pull_receipt_scan_id"):
            raise Duplicate from error
        raise


def _in_transaction(
    requests: Sequence[ScanRequest], source: Source, now: datetime, known: Configs
) -> list[Answer]:
    resolved = _resolve(requests)
    find_pairs(resolved, source, now, known, code_of=lambda request: _resolve([request])[0])
    loop_ids = {loop for item in resolved for loop in (item.loop_id, item.pair_loop_id) if loop is not None}
    world = _lock(resolved, loop_ids, source, known) if loop_ids else store.nothing()
    if loop_ids and world.configs.epoch != known.epoch and store.is_short():
        raise psycopg2.errors.SerializationFailure("The settings changed before the lock was taken.")
    if source.language == settings.LANGUAGE_CODE:  # the sentences' own: nothing to look up
        answers = [_one(world, item, source, now, str) for item in resolved]
    else:
        with override(source.language):
            answers = [_one(world, item, source, now, gettext) for item in resolved]
    if world.document.get("events"):
        nudge_on_commit()
    world.write(last=True)
    return answers


def _lock(
    resolved: Sequence[Resolved], loop_ids: Iterable[int], source: Source, known: Configs
) -> store.UnitOfWork:
    """Stations first (only where a start may count against a limit), then loops by id."""
    locks: set[int] = set()
    for item in resolved:
        config = known.loops.get(item.loop_id) if item.loop_id is not None else None
        if config is None:
            continue
        named = known.stations.get(item.request.station) if item.request.station else None
        locks |= stations_to_lock(config, item.request.intent, named.id if named else source.station_id)
    return store.load(loop_ids, lock_stations=locks)


def _resolve(requests: Sequence[ScanRequest]) -> list[Resolved]:
    """Guards G1 and G2: from what the scanner read to cards, or a refusal by name; unknown codes in one question."""
    codes = [
        request.code if request.code in _cards else find_card_code(request.code) or request.code.strip()
        for request in requests
    ]
    asked = [
        code
        for code in dict.fromkeys(codes)
        if code not in _cards and len(code) <= 128 and "\x00" not in code and code.isprintable()
    ]
    targets = store.resolve(asked) if asked else {}
    for code, target in targets.items():
        if target.kind == "card" and target.loop_id is not None:
            if len(_cards) >= _REMEMBERED:
                _cards.clear()
            _cards[code] = (target.id, target.loop_id)
    return [_resolved(request, code, targets) for request, code in zip(requests, codes, strict=True)]


def _resolved(request: ScanRequest, code: str, targets: dict[str, store.Target]) -> Resolved:
    target = targets.get(code)
    if target is not None and target.kind == "card" and target.loop_id is not None:
        return Resolved(request, target.id, target.loop_id)
    remembered = _cards.get(code)
    if remembered is not None:
        return Resolved(request, *remembered)
    raw = escaped(request.code.strip())
    shown = raw if len(raw) <= 40 else raw[:40] + "…"
    if target is not None:
        return Resolved(request, refusal="not_a_card", facts={"raw": shown, "kind": target.kind})
    if find_card_code(request.code):
        return Resolved(request, refusal="unknown_card", facts={"raw": code})
    refusal = "bad_check" if looks_like_card_code(request.code) else "not_a_card_code"
    return Resolved(request, refusal=refusal, facts={"raw": shown or "(nothing)"})


def _one(
    world: store.UnitOfWork, item: Resolved, source: Source, now: datetime, translate: Callable[[str], str]
) -> Answer:
    request = item.request
    loop = world.loops.get(item.loop_id) if item.loop_id is not None else None
    card = loop.cards.get(item.card_id) if loop is not None and item.card_id is not None else None
    if not item.refusal and (loop is None or card is None):
        # The card was removed, or the memory of its code is older than the database (a restore).
        _cards.pop(find_card_code(request.code) or request.code.strip(), None)
        item.refusal, item.facts = _withdrawn(item, loop, _occurred(request, now))
    if loop is not None and not {loop.config.plant_id, loop.config.supply_plant_id} & source.plant_ids:
        item.refusal, item.facts = "unknown_card", {"raw": escaped(request.code.strip())[:40]}
        loop = card = None
    occurred = _occurred(request, now)
    if card is not None and card.moved_at is not None and card.moved_at > now:
        # Whoever held the lock before us read the clock after us, or our clock was set back: the order is the lock's.
        now = card.moved_at
        occurred = now if request.occurred_at is None else occurred
    person_id = _person(request.by) if request.by else source.person_id
    station, refusal = _station(world.configs, request, source)
    if item.refusal or refusal or (request.intent is not None and request.intent not in INTENTS):
        code = item.refusal or refusal or "move_not_known"
        decision = Decision(
            code,
            {"station": escaped(request.station or ""), "intent": escaped(request.intent or "")[:20]}
            | item.facts,
        )
        decision.facts.setdefault("expected", "-")
    else:
        assert loop is not None
        assert card is not None
        station_id = station.id if station else None
        around = circumstances(world, loop, card, request.intent, station_id)
        facts_of = Scan(
            id=request.id,
            intent=INTENTS.get(request.intent or ""),
            station_id=station_id,
            station=station.code if station else "",
            device_id=source.device_id,
            person_id=person_id,
            occurred_at=occurred,
            recorded_at=now,
            quantity=request.quantity,
            reason=escaped((request.reason or "").strip())[:200],
            is_leader=bool(LEADERS & source.roles),
            is_placeless=source.placeless,
            roles=source.roles,
            target=STATUSES.get(request.status or ""),
            promised_at=request.promised_at,
            checks=frozenset(request.checks),
            in_process=around.in_process,
            ahead=around.ahead,
            full_at_demand=around.full_at_demand,
            line_stopped=around.line_stopped,
            settles=request.settles,
            market_empty=around.market_empty,
            new_uuid=new_uuid,
            last_events=_last_events(card) if request.intent == Intent.UNDO else (),
        )
        if swaps_by_hand(loop, facts_of):
            decision = do_swap(world, item, loop, card, facts_of, now)
        else:
            decision = decide(loop, card, facts_of)
        occurred = facts_of.occurred_at
        if decision.events:
            world.record(
                loop,
                decision.events,
                now=now,
                station_id=facts_of.station_id,
                person_id=person_id,
                device_id=source.device_id,
                turns=decision.closed,
            )
            _count_start(world, loop, decision)
    if (
        decision.code == "receiver_not_ready"
        and loop is not None
        and card is not None
        and card.turn is not None
    ):
        # A refused handoff is a wait of its own kind (F3): the worker opens it, the receiver owns it.
        waits = {"type": "wait.refused", "turn": card.turn.uuid, "at": occurred, "seq": loop.seq}
        world.add(
            "messages", {"topic": "pull.changed", "key": loop.config.id, "payload": {"events": [waits]}}
        )
    body = _body(request, decision, loop, card, now, translate)
    world.add(
        "receipts",
        {
            "scan_id": request.id,
            "fingerprint": request.fingerprint(),
            "plant_id": loop.config.plant_id if loop else None,
            "device_id": source.device_id,
            "person_id": person_id,
            "station_id": station.id if station else None,
            "loop_id": loop.config.id if loop else None,
            "card_id": card.id if card else None,
            "raw": escaped(request.code),
            "intent": str(decision.intent) if decision.intent else escaped(request.intent or "")[:12],
            "seq": request.seq,
            "epoch": escaped(request.epoch or "")[:64],
            "occurred_at": occurred,
            "sent_at": request.sent_at,
            "recorded_at": now,
            "outcome": decision.outcome,
            "code": decision.code,
            "answer": body,
        },
    )
    return Answer(body, loop_id=loop.config.id if loop else None)


def _withdrawn(item: Resolved, loop: Loop | None, occurred: datetime) -> tuple[str, dict[str, Any]]:
    """A code that points to a card which takes part no more, or to nothing at all. What happened before the card was
    taken out waits for a person."""
    row = CardRow.objects.filter(pk=item.card_id).first() if item.card_id is not None else None
    if loop is None or row is None:
        return "unknown_card", {"raw": escaped(item.request.code.strip())[:40]}
    facts = {"part": loop.config.part, "number": row.number, "of": max(loop.circulating, row.number)}
    if row.moved_at is not None and row.moved_at - occurred > CLOCK_SLACK:
        return "late_conflict", facts | {"occurred": occurred}
    return "card_retired", facts


def _count_start(world: store.UnitOfWork, loop: Loop, decision: Decision) -> None:
    """Keeps the count of cards in process right for the rest of the batch (rule C7)."""
    supply = loop.config.supply_id
    if supply not in world.in_process:
        return
    for event in decision.events:
        if event.type == "turn.started":
            world.in_process[supply] += 1
        elif event.type in ("turn.completed", "turn.aborted"):
            world.in_process[supply] -= 1


def _occurred(request: ScanRequest, now: datetime) -> datetime:
    """When it happened by our clock: the client's, corrected by its measured offset, never after now.

    A clock that was never set says nothing: then it happened when it came.
    """
    occurred = request.occurred_at
    if occurred is None:
        return now
    if occurred.tzinfo is None:
        occurred = occurred.replace(tzinfo=UTC)
    if request.sent_at is not None:
        sent = request.sent_at if request.sent_at.tzinfo else request.sent_at.replace(tzinfo=UTC)
        skew = now - sent
        if abs(skew) > timedelta(seconds=2):
            try:
                occurred += skew
            except OverflowError:
                return now
    return min(occurred, now) if occurred > NEVER_SET else now


def _station(known: Configs, request: ScanRequest, source: Source) -> tuple[StationInfo | None, str]:
    """The station of the scan: the one it names, else the device's own; or the refusal."""
    if request.station is None or request.station == "":
        return (known.station_by_id.get(source.station_id) if source.station_id else None), ""
    named = known.stations.get(request.station)
    if named is None or named.plant_id not in source.plant_ids:
        return None, "unknown_station"
    if source.fixed and source.station_id is not None and named.id != source.station_id:
        return None, "wrong_device_station"
    return named, ""


def _person(by: str) -> int | None:
    """The person behind a badge or a name; somebody unknown never stops a scan: the device is on record."""
    kept = _people.get(by)
    if kept is not None and time.monotonic() - kept[0] < _PEOPLE_SECONDS:
        return kept[1]
    if "\x00" in by or len(by) > 64:
        return None
    found = Person.objects.filter(badge=by).values_list("pk", flat=True).first()
    if found is None:
        found = Person.objects.filter(username=by).values_list("pk", flat=True).first()
    if len(_people) > 5_000:
        _people.clear()
    _people[by] = (time.monotonic(), found)
    return found


def _last_events(card: Card) -> list[Event]:
    """What the card's last scan wrote, in order, as the rules need it for an undo."""
    if card.last_scan is None:
        return []
    with store.cursor() as to_database:
        to_database.execute(
            "SELECT type, occurred_at, card_id, turn_number, turn, from_status, to_status, data FROM pull_event"
            " WHERE scan_id = %s ORDER BY ordinal",
            (card.last_scan,),
        )
        rows = to_database.fetchall()
    return [
        Event(
            type=row[0],
            occurred_at=row[1],
            card_id=row[2],
            turn_number=row[3],
            turn=row[4],
            frm=row[5],
            to=row[6],
            data=store.decode(row[7]),
        )
        for row in rows
    ]


def _body(
    request: ScanRequest,
    decision: Decision,
    loop: Loop | None,
    card: Card | None,
    now: datetime,
    translate: Callable[[str], str],
) -> dict[str, Any]:
    """The answer of the public contract."""
    facts = decision.facts
    if "by" in facts and ANSWERS[decision.code].outcome is Outcome.ALREADY:
        facts["by"] = _name(facts["by"])
    if loop is not None and decision.code == "emptied" and loop.config.supply_kind is not StationKind.PROCESS:
        decision.code = (
            "emptied_sent" if loop.config.supply_kind is StationKind.SUPERMARKET else "emptied_ordered"
        )
    message, next_step = say(
        decision.code,
        facts,
        time_zone=zone(loop.config.time_zone if loop else "UTC"),
        now=now,
        translate=translate,
        warnings=tuple(translate(warning) for warning in decision.warnings),
    )
    heard = feedback(decision.code, kind=decision.kind, warned=bool(decision.warnings))
    body: dict[str, Any] = {
        "id": str(request.id),
        "outcome": str(decision.outcome),
        "replayed": False,
        "code": decision.code,
        "message": message,
        "next": next_step,
        "sound": str(heard.sound),
        "state": str(heard.state),
        "card": None,
        "turn": None,
        "recorded_at": now.isoformat(),
    }
    if loop is not None and card is not None:
        body["card"] = {
            "code": card.code,
            "loop": loop.config.code,
            "part": loop.config.part,
            "number": card.number,
            "of": max(loop.circulating, card.number),
            "card_status": str(card.card_status),
            "supply_status": str(card.supply_status),
        }
        turn = card.turn or decision.turn
        if turn is not None:
            body["turn"] = {
                "id": str(turn.uuid),
                "number": turn.number,
                "signal_state": str(turn.signal_state),
                "due_at": turn.due_at.isoformat() if turn.due_at else None,
            }
    return body


def _name(mover: str) -> str:
    """` (Mia)` for the person who moved a card last; nothing for a device."""
    _, _, person = mover.partition("p")
    if not person:
        return ""
    name = Person.objects.filter(pk=int(person)).values_list("name", flat=True).first()
    return f" ({name})" if name else ""
