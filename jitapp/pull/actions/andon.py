"""Calling for help at a station, taking the call, climbing by the clock, solving it: the only writers of calls.

Each step is an event of the ledger: of the loop if the call names one, else of the station alone. Boards hear of it
through the outbox.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from jitapp.accounts.models import Person, new_uuid
from jitapp.kanban import andon
from jitapp.kanban.book import facts_of
from jitapp.kanban.events.calls import (
    AndonAnswered,
    AndonCalled,
    AndonEscalated,
    AndonRepeated,
    AndonSolved,
    CallEvent,
)
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.vocabulary import Role
from jitapp.outbox.models import Message
from jitapp.outbox.publish import nudge_on_commit
from jitapp.plant.configs import configs
from jitapp.plant.models import Station
from jitapp.pull import store
from jitapp.pull.models import AndonCall, CallRepeat, Card, Event
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Source, escaped

TOPIC = "calls.changed"
NOTE_LIMIT = 200
REASON_LIMIT = 40
COUNTERMEASURE_LIMIT = 400


class CallRefused(ValueError):
    """A step that a call does not take; `code` is stable: unknown_call, unknown_station, unknown_card, unknown_kind,
    wrong_device_station, call_id_reused, call_taken, call_solved, reason_missing, person_unknown."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def call_for_help(
    *,
    station: str | None,
    kind: str,
    now: datetime,
    source: Source,
    stops_line: bool = False,
    note: str = "",
    card: str = "",
    id: UUID | None = None,
) -> AndonCall:
    """Somebody calls; the same `id` again is the same call. While `stops_line`, nothing is started at the station.

    Whoever presses again, for what an open call of the station is about, is told of that call, and the call says how
    often. A line that stands still only now is news, and a call of its own. Without `station` it is the device's own.
    Raises CallRefused.
    """
    if kind not in andon.KINDS:
        raise CallRefused("unknown_kind")
    place, about = _place(station, source), _about(card, source)
    press = id or new_uuid()
    said = escaped(note.strip())[:NOTE_LIMIT]

    def once() -> AndonCall:
        with transaction.atomic():
            _lock_loop(about.loop_id if about else None)
            _one_at_a_time(place.pk)
            made = _known(press)
            if made is not None:
                if (made.station_id, made.kind) != (place.pk, kind):
                    raise CallRefused("call_id_reused")
                return made
            open_one = _open_about(place, kind, about, stops_line=stops_line)
            if open_one is not None:
                _repeat(open_one, press, said, now, source)
                return open_one
            made = AndonCall.objects.create(
                uuid=press,
                station=place,
                loop_id=about.loop_id if about else None,
                card=about,
                kind=kind,
                stops_line=stops_line,
                note=said,
                called_by_id=source.person_id,
                device_id=source.device_id,
                called_at=now,
            )
            called = AndonCalled(call=made.uuid, kind=kind, stops_line=stops_line, note=made.note)
            _record(made, called, now, source)
            return made

    return retried(once)


def _place(station: str | None, source: Source) -> Station:
    places = Station.objects.filter(plant_id__in=source.plant_ids)
    place = (places.filter(code=station) if station else places.filter(pk=source.station_id or 0)).first()
    if place is None:
        raise CallRefused("unknown_station")
    if source.fixed and source.station_id not in (None, place.pk):
        raise CallRefused("wrong_device_station")
    return place


def _about(card: str, source: Source) -> Card | None:
    if not card:
        return None
    found = Card.objects.filter(code=card, loop__plant_id__in=source.plant_ids).first()
    if found is None:
        raise CallRefused("unknown_card")
    return found


def _one_at_a_time(station_id: int) -> None:
    """Two presses at a station at one instant: the second waits, and finds the call of the first."""
    store.execute("SELECT pg_advisory_xact_lock(hashtext('pull_andoncall'), %s)", (station_id,))


def _known(press: UUID) -> AndonCall | None:
    """The call that this id names: its own, or that of a repeat."""
    calls = AndonCall.objects.select_related("station__area")
    return calls.filter(uuid=press).first() or calls.filter(repeats__uuid=press).first()


def _open_about(place: Station, kind: str, about: Card | None, *, stops_line: bool) -> AndonCall | None:
    """An open call of a person for the same kind of help, about the same card or none. One that does not stop the line
    is not the same as one that does."""
    found = AndonCall.objects.select_for_update(of=("self",)).select_related("station__area")
    found = found.filter(station=place, kind=kind, card=about, runout__isnull=True, solved_at__isnull=True)
    if stops_line:
        found = found.filter(stops_line=True)
    return found.order_by("called_at").first()


def _repeat(found: AndonCall, press: UUID, note: str, now: datetime, source: Source) -> None:
    CallRepeat.objects.create(
        uuid=press,
        call=found,
        called_by_id=source.person_id,
        device_id=source.device_id,
        note=note,
        called_at=now,
    )
    times = 1 + found.repeats.count()
    _record(found, AndonRepeated(call=found.uuid, times=times, note=note), now, source)


def was_called(id: UUID) -> bool:
    """Whether this call was made, by itself or as a repeat of an open one."""
    return _known(id) is not None


def take_call(*, call_id: UUID, person_id: int | None, now: datetime, source: Source) -> AndonCall:
    """A person has it: escalation stops and the owner's clock begins. Again by the same person changes nothing.

    Raises CallRefused.
    """

    def once() -> AndonCall:
        with transaction.atomic():
            found = _locked(call_id, source)
            if found.solved_at is not None:
                raise CallRefused("call_solved")
            if found.owned_at is not None:
                if found.owner_id != person_id:
                    raise CallRefused("call_taken")
                return found
            _answer(found, person_id, now, source)
            return found

    return retried(once)


def solve_call(
    *,
    call_id: UUID,
    reason: str,
    now: datetime,
    source: Source,
    countermeasure: str = "",
    countermeasure_due: date | None = None,
) -> AndonCall:
    """The call is over, and what it was about is on record; a stopped line runs again. Again changes nothing.

    A person who solves a call that nobody took has taken it. Raises CallRefused.
    """
    why = escaped(reason.strip())[:REASON_LIMIT]
    if not why:
        raise CallRefused("reason_missing")

    def once() -> AndonCall:
        with transaction.atomic():
            found = _locked(call_id, source)
            if found.solved_at is not None:
                return found
            if found.owned_at is None and source.person_id is not None:
                _answer(found, source.person_id, now, source)
            found.solved_at = now
            found.reason = why
            found.countermeasure = escaped(countermeasure.strip())[:COUNTERMEASURE_LIMIT]
            found.countermeasure_due = countermeasure_due
            found.save(update_fields=["solved_at", "reason", "countermeasure", "countermeasure_due"])
            solved = AndonSolved(
                call=found.uuid,
                reason=why,
                countermeasure=found.countermeasure,
                countermeasure_due=countermeasure_due,
                minutes=minutes_between(found.called_at, now),
                stops_line=found.stops_line,
            )
            _record(found, solved, now, source)
            return found

    return retried(once)


def escalate_calls(*, now: datetime) -> int:
    """Calls that nobody took climb to the step their clock has reached; returns how many did.

    Level-triggered: a missed round is made up by the next, a doubled one changes nothing.
    """
    climbed = 0
    waiting = list(
        AndonCall.objects.filter(solved_at__isnull=True, owned_at__isnull=True).values_list(
            "pk", "station_id", "loop_id", "runout_id", "called_at", "level"
        )
    )
    known = configs() if waiting else None
    for call_id, station_id, loop_id, runout_id, called_at, reached in waiting:
        assert known is not None
        policy = known.policy(station_id)
        due = andon.level(called_at, None, now, policy, by_itself=runout_id is not None)
        if due <= reached:
            continue
        with transaction.atomic():
            _lock_loop(loop_id)
            found = (
                AndonCall.objects.select_for_update(of=("self",), skip_locked=True)
                .select_related("station__area")
                .filter(pk=call_id, solved_at__isnull=True, owned_at__isnull=True, level__lt=due)
                .first()
            )
            if found is None:
                continue
            found.level = due
            found.save(update_fields=["level"])
            who, person = _whom(andon.must_come(due, None, policy))
            _record(found, AndonEscalated(call=found.uuid, level=due, who=who, person=person), now, Source())
            climbed += 1
    return climbed


def _whom(who: str) -> tuple[str, str | None]:
    """Who must come, as the ledger says it: a role, or a person by id."""
    if who in andon.ROLES:
        return who, None
    found = Person.objects.filter(username=who).values_list("uuid", flat=True).first()
    return "person", str(found) if found else None


def _lock_loop(loop_id: int | None) -> None:
    """The loop of a call is locked before the call: a drain that solves calls of runouts has the loops already."""
    if loop_id is not None:
        store.execute("EXECUTE pull_lock_loops(%s)", ([loop_id],))


def _locked(call_id: UUID, source: Source) -> AndonCall:
    named = _known(call_id)
    # The loop of a call never changes.
    _lock_loop(named.loop_id if named else None)
    found = (
        AndonCall.objects.select_for_update(of=("self",))
        .select_related("station__area")
        .filter(pk=named.pk if named else 0, station__plant_id__in=source.plant_ids)
        .first()
    )
    if found is None:
        raise CallRefused("unknown_call")
    return found


def _answer(found: AndonCall, person_id: int | None, now: datetime, source: Source) -> None:
    """Somebody of the plant takes it; a supplier's people do not."""
    person = (
        Person.objects.filter(pk=person_id or 0, is_active=True)
        .filter(
            Q(is_superuser=True)
            | Q(
                memberships__plant_id=found.station.plant_id,
                memberships__role__in=set(Role) - {Role.SUPPLIER},
            )
        )
        .first()
    )
    if person is None:
        raise CallRefused("person_unknown")
    found.owner = person
    found.owned_at = max(now, found.called_at)
    policy = configs().policy(found.station_id)
    by_itself = found.runout_id is not None
    reached = andon.level(found.called_at, found.owned_at, now, policy, by_itself=by_itself)
    found.level = max(found.level, reached)
    found.save(update_fields=["owner", "owned_at", "level"])
    answered = AndonAnswered(
        call=found.uuid, level=found.level, minutes=minutes_between(found.called_at, now)
    )
    _record(found, answered, now, Source(person_id=person.pk, device_id=source.device_id))


def minutes_between(start: datetime, end: datetime) -> float:
    """Minutes by the wall, to a tenth; none if `end` is before `start`."""
    return round(max(0.0, (end - start).total_seconds() / 60), 1)


def _record(found: AndonCall, event: CallEvent, now: datetime, source: Source) -> None:
    """One event, and word to the boards of the area."""
    if found.loop_id is None:
        Event.objects.create(
            type=event.type,
            plant_id=found.station.plant_id,
            station_id=found.station_id,
            occurred_at=now,
            recorded_at=now,
            data=facts_of(event),
            person_id=source.person_id,
            device_id=source.device_id,
        )
    else:
        unit = store.load([found.loop_id])
        loop = unit.loops[found.loop_id]
        ledger = Ledger(loop, at=now)
        ledger.write(event, loop.cards.get(found.card_id or 0))
        unit.record(
            loop,
            ledger.entries,
            now=now,
            station_id=found.station_id,
            person_id=source.person_id,
            device_id=source.device_id,
        )
        unit.write()
    tell_areas([found])


def tell_areas(calls: Iterable[AndonCall]) -> None:
    """Word to the boards of the areas in which something happened to these calls."""
    areas = {area.pk: area.code for call in calls if (area := call.station.area) is not None}
    # Below zero: never the key of a loop.
    Message.objects.bulk_create(
        Message(topic=TOPIC, key=-pk, payload={"area": code}) for pk, code in sorted(areas.items())
    )
    nudge_on_commit()
