"""The doors of a tablet: scans that it kept, signs of life, and what it keeps to go on without a network.

A tablet is a browser with a device of its own, named by a cookie that no script can read. What it sends is authorised
by that device alone, so that a session that ended strands no scan; who made each scan is said in the scan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language, gettext, override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from msgspec import structs

from jitapp.accounts.models import Device, Person
from jitapp.kanban.quantity import NotAQuantity, read_quantity
from jitapp.plant.belonging import roles_of
from jitapp.plant.models import Placement, Station
from jitapp.pull import actions
from jitapp.pull.reading.tablet import bins_of, card_list, codes_of, last_scans, next_step, undo_until
from jitapp.pull.scan_request import Actor, ScanRequest, Source
from jitapp.pull.sources import source_of_token
from jitapp.web.answers import shown, shown_body
from jitapp.web.calls import REFUSAL_TEXT
from jitapp.web.device import PEOPLE_OR_TABLET, TABLETS, device_source, make_known, remember, was_revoked
from jitapp.web.scan_words import scan_words
from jitapp.web.sent import problem, sent_json
from jitapp.web.shell import version
from jitapp.web.visit import ANYBODY, declared, viewer_of

MOST_SCANS = 50
MOST_BYTES = 400_000
CODE_LIMIT = 4_096
MOST_CHECKS = 50
REPORT_EVERY = timedelta(seconds=30)


# -- what comes in ----------------------------------------------------------------------------------
def _known(request: HttpRequest, body: Mapping[str, Any]) -> tuple[Source | None, str]:
    """The device that sends, and the token of one that was made just now."""
    source = device_source(request)
    if source is not None or not isinstance(request.user, Person) or was_revoked(request):
        return source, ""
    viewer = viewer_of(request)
    named = {str(each.get("station") or "") for each in body.get("scans") or () if isinstance(each, dict)}
    station = Station.objects.filter(code__in=named, plant_id__in=viewer.plant_ids).first()
    plant_id = station.plant_id if station else min(viewer.plant_ids, default=None)
    if plant_id is None:
        return None, ""
    token = make_known(request.user, plant_id, station)
    made = source_of_token(token)
    return (replace(made, fixed=False) if made else None), token


def _unknown_device() -> HttpResponse:
    sentence = gettext("This tablet is not known any more. Have it enrolled again; its scans are kept.")
    return problem(401, "device_unknown", sentence)


# -- scans ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Item:
    """One kept scan as it was read: the request, or why it cannot be taken; and the language of its answer."""

    id: str | None
    request: ScanRequest | None
    language: str
    problem: str = ""
    help: str = ""  # it is no scan but a call of this kind from the station
    override: bool = False

    @property
    def way(self) -> tuple[str, bool]:
        """What is answered together: plain scans in one language; everything else alone."""
        return self.language, self.request is not None and not self.help and not self.override


@require_POST
@csrf_exempt  # its cookie is sent with requests of our own pages only (web/sent.py)
@declared(PEOPLE_OR_TABLET)
def scans(request: HttpRequest) -> HttpResponseBase:
    """POST {"scans": [...]}, oldest first, at most MOST_SCANS: {"results": [...]} in the same order. Each result is an
    answer with `status` 200, or a problem with the status that it would have had alone; one never costs another.

    A browser without a device in which somebody has signed in becomes one: a scan made on any page is kept and sent
    like those of the scan page.
    """
    body = sent_json(request, MOST_BYTES, too_much=gettext("Too much at once. Send fewer scans."))
    if isinstance(body, HttpResponse):
        return body
    source, token = _known(request, body)
    if source is None:
        return _unknown_device()
    items = body.get("scans")
    if not isinstance(items, list) or not items or len(items) > MOST_SCANS:
        return problem(413, "too_many_scans", gettext("Too many scans at once. Send fewer."))
    signed_in = request.user if isinstance(request.user, Person) else None
    people = _people_of(items, signed_in)
    response = JsonResponse({"results": _record([_read(each, people) for each in items], source)})
    if token:
        remember(response, token, secure=request.is_secure())
    return response


def _record(items: Sequence[Item], source: Source) -> list[dict[str, Any]]:
    """In order; scans that follow each other in one language share a transaction."""
    results: list[dict[str, Any]] = []
    now = timezone.now()
    for (language, plain), group in groupby(items, key=lambda item: item.way):
        speaking = replace(source, language=language)
        with override(language):
            if plain:
                results += _scanned(
                    [item.request for item in group if item.request is not None], speaking, now
                )
            else:
                results += [_alone(item, speaking, now) for item in group]
    return _with_surroundings(results)


def _scanned(requests: Sequence[ScanRequest], source: Source, now: datetime) -> list[dict[str, Any]]:
    answers = actions.scan_batch(requests, source=source, now=now)
    places = _stations_of(requests, source)
    pairs = zip(requests, answers, strict=True)
    return [shown(answer, places.get(request.station or "")) for request, answer in pairs]


def _alone(item: Item, source: Source, now: datetime) -> dict[str, Any]:
    """A call for help, a scan that a leader takes here though it belongs elsewhere, or what could not be read."""
    request = item.request
    if request is None:
        return {"id": item.id, "status": 422, "code": "malformed", "message": item.problem}
    if item.help:
        return _called(request, item.help, source, now)
    return _scanned([overriding(request, source)], source, now)[0]


def _called(request: ScanRequest, kind: str, source: Source, now: datetime) -> dict[str, Any]:
    """The same id again is the same call."""
    person = request.actor.person_id if request.actor else None
    told = {
        "id": str(request.id),
        "outcome": "applied",
        "card": None,
        "message": request.station or "",
        "next": "",
    }
    try:
        actions.call_for_help(
            station=request.station,
            kind=kind,
            id=request.id,
            now=now,
            source=replace(source, person_id=person),
        )
    except actions.CallRefused as refused:
        words = gettext(REFUSAL_TEXT[refused.code])
        look = {"headline": gettext("NOT RECORDED"), "look": "red", "sound": "falling", "state": "refused"}
        return {**told, **look, "status": 200, "outcome": "refused", "code": refused.code, "message": words}
    look = {"headline": gettext("Help is called"), "look": "ok", "sound": "rising", "state": "applied"}
    return {
        **told,
        **look,
        "status": 200,
        "code": "called",
        "next": gettext("Somebody comes. Go on if you can."),
    }


def _with_surroundings(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Beside each answer the containers of the loop, and until when the scan can be taken back."""
    told = [each for each in results if each.get("card")]
    loops = codes_of(each["card"]["loop"] for each in told)
    bins = {code: bins_of(loop_id) for code, loop_id in loops.items()}
    applied = [UUID(each["id"]) for each in told if each["outcome"] == "applied"]
    until = undo_until(applied, now=timezone.now())
    for each in told:
        each["bins"] = bins.get(each["card"]["loop"], [])
        end = until.get(UUID(each["id"]))
        each["undo_until"] = end.isoformat() if end else None
    return results


def _stations_of(requests: Sequence[ScanRequest], source: Source) -> dict[str, Station]:
    """Where scans were made, for what the place adds to an answer, by the code that they name; the device's own station
    without a code."""
    codes = {request.station for request in requests if request.station}
    mine = Q(code__in=codes) | Q(pk=source.station_id or 0)
    found = list(Station.objects.filter(mine, plant_id__in=source.plant_ids))
    places = {station.code: station for station in found}
    own = next((station for station in found if station.pk == source.station_id), None)
    return places | ({"": own} if own is not None else {})


class Unreadable(ValueError):
    """A kept scan that cannot be taken; the text says why."""


def _read(item: object, people: Mapping[str, Actor]) -> Item:
    if not isinstance(item, dict):
        return Item(None, None, "en", gettext("The scan could not be read."))
    named = item.get("id")
    language = item.get("language")
    spoken = language if language in dict(settings.LANGUAGES) else get_language() or "en"
    known = named if isinstance(named, str) and len(named) <= 64 else None
    try:
        request = _request_of(item, people)
        return Item(
            known,
            request,
            str(spoken),
            help=_short(item, "help", 20) or "",
            override=item.get("override") is True,
        )
    except Unreadable as why:
        return Item(known, None, str(spoken), str(why))


def _request_of(item: Mapping[str, Any], people: Mapping[str, Actor]) -> ScanRequest:
    code, intent, checks = item.get("code"), item.get("intent"), item.get("checks") or []
    try:
        scan_id = UUID(str(item.get("id")))
    except ValueError:
        raise Unreadable(gettext("The scan has no id.")) from None
    if not isinstance(code, str) or not code or len(code) > CODE_LIMIT:
        raise Unreadable(gettext("There is no code, or it is too long."))
    if not isinstance(checks, list) or len(checks) > MOST_CHECKS:
        raise Unreadable(gettext("The checks of the scan could not be read."))
    by = _short(item, "by", 64)
    seq = item.get("seq")
    return ScanRequest(
        id=scan_id,
        code=code,
        station=_short(item, "station", 60),
        intent=_short(item, "intent", 40) if intent else None,
        occurred_at=_instant(item.get("occurred_at")),
        sent_at=_instant(item.get("sent_at")),
        quantity=_quantity(item.get("quantity")),
        reason=_short(item, "reason", 200),
        by=by,
        actor=_actor(by, people),
        seq=seq if isinstance(seq, int) and 0 <= seq < 2**63 else None,
        epoch=_short(item, "epoch", 64),
        checks=tuple(str(check)[:120] for check in checks),
        kept=True,
    )


def overriding(request: ScanRequest, source: Source) -> ScanRequest:
    """The step that is expected where the card stands, as if it were scanned at that end of its loop: the rules let a
    leader do it anywhere, and refuse everybody else by name."""
    return structs.replace(request, intent=request.intent or next_step(request.code, source.plant_ids))


def _people_of(items: Sequence[object], signed_in: Person | None) -> dict[str, Actor]:
    """Whoever made the scans, by the uuid that names them, in one question: without rights, but for whoever is signed
    in here."""
    named = {each["by"] for each in items if isinstance(each, dict) and isinstance(each.get("by"), str)}
    known = Person.objects.filter(uuid__in=[by for by in named if _is_uuid(by)], is_active=True)
    people = {str(uuid): Actor(pk) for pk, uuid in known.values_list("pk", "uuid")}
    if signed_in is not None:
        people[str(signed_in.uuid)] = Actor(signed_in.pk, roles_of(signed_in.pk))
    return people


def _actor(by: str | None, people: Mapping[str, Actor]) -> Actor | None:
    """Whoever made the scan; None for a badge or a user name, which the scan path looks up."""
    if by is None or not _is_uuid(by):
        return None
    return people.get(str(UUID(by)), Actor(doubt="by_unknown"))


def _short(item: Mapping[str, Any], name: str, longest: int) -> str | None:
    value = item.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str | int) or len(str(value)) > longest:
        raise Unreadable(gettext("A member of the scan could not be read: {}.").format(name))
    return str(value)


def _quantity(value: object) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return read_quantity(str(value))
    except NotAQuantity:
        raise Unreadable(gettext("That is no quantity: {}.").format(str(value)[:40])) from None


def _instant(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        found = datetime.fromisoformat(str(value))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Unreadable(gettext("The time of the scan could not be read.")) from None


# -- signs of life and what is kept -----------------------------------------------------------------
@require_POST
@csrf_exempt
@declared(TABLETS)
def beat(request: HttpRequest) -> HttpResponseBase:
    """POST {waiting, oldest, app, sent_at, newest}: the server's clock, and what is new for this tablet. `newest` is
    the scan whose undo button is shown: `undo_until` says whether it may stay."""
    body = sent_json(request, MOST_BYTES, too_much=gettext("Too much at once. Send fewer scans."))
    if isinstance(body, HttpResponse):
        return body
    source = device_source(request)
    if source is None:
        return _unknown_device()
    now = timezone.now()
    _report(source, body, now)
    station = Station.objects.filter(pk=source.station_id or 0).first()
    newest = body.get("newest")
    until = undo_until([UUID(newest)], now=now) if isinstance(newest, str) and _is_uuid(newest) else {}
    return JsonResponse(
        {
            "now": int(now.timestamp() * 1000),
            "version": version(),
            "device": source.name,
            "station": station.code if station else "",
            "undo_until": next(iter(until.values())).isoformat() if until else None,
        }
    )


def _report(source: Source, body: Mapping[str, Any], now: datetime) -> None:
    """What the tablet says of itself, written twice a minute or when it changes between waiting and nothing."""
    waiting = body.get("waiting")
    count = waiting if isinstance(waiting, int) and 0 <= waiting <= 1_000_000 else 0
    device = Device.objects.filter(pk=source.device_id or 0)
    last = device.values_list("reported_at", "waiting").first()
    fresh = last is not None and last[0] is not None and now - last[0] < REPORT_EVERY
    if fresh and last is not None and (last[1] > 0) == (count > 0):
        return
    sent, oldest = _moment(body.get("sent_at")), _moment(body.get("oldest"))
    error = int((sent - now).total_seconds() * 1000) if sent is not None else None
    device.update(
        reported_at=now,
        last_seen_at=now,
        waiting=count,
        oldest_waiting_at=oldest if count else None,
        app_version=str(body.get("app", ""))[:40],
        clock_error_ms=error,
    )


def _moment(value: object) -> datetime | None:
    try:
        return _instant(value)
    except Unreadable:
        return None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@require_GET
@declared(TABLETS)
def cards(request: HttpRequest) -> HttpResponseBase:
    """The card list of the tablet's area, with an ETag."""
    source = device_source(request)
    if source is None:
        return _unknown_device()
    placement = (
        Placement.objects.select_related("station__area").filter(device_id=source.device_id or 0).first()
    )
    if placement is None:
        return _unknown_device()
    body = json.dumps(card_list(placement.plant_id, placement.station), separators=(",", ":")).encode()
    etag = f'"{salted_hmac("tablet.cards", body).hexdigest()[:24]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    return HttpResponse(
        body, content_type="application/json", headers={"ETag": etag, "Cache-Control": "private, no-cache"}
    )


@require_GET
@declared(TABLETS)
def last(request: HttpRequest) -> HttpResponseBase:
    """The last scans of this tablet with their answers, newest first."""
    source = device_source(request)
    if source is None or source.device_id is None:
        return _unknown_device()
    found = last_scans(source.device_id, now=timezone.now())
    results = [
        {
            **shown_body(each.answer),
            "raw": each.raw[:200],
            "undo_until": each.undo_until.isoformat() if each.undo_until else None,
        }
        for each in found
    ]
    return JsonResponse({"results": results}, headers={"Cache-Control": "no-store"})


@require_GET
@declared(ANYBODY)
def words(request: HttpRequest, language: str) -> HttpResponseBase:
    """The sentences of the scan page in a language, for whoever signs in by a badge; English for one that we lack."""
    known = language if language in dict(settings.LANGUAGES) else "en"
    return JsonResponse(scan_words(known), headers={"Cache-Control": "no-cache"})
