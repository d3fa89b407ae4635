"""The doors of a tablet: scans that it kept, signs of life, and what it keeps to go on without a network.

A tablet is a browser with a device of its own, named by a cookie that no script can read. What it sends is authorised
by that device alone, so that a session that ended strands no scan; who made each scan is said in the scan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from msgspec import structs

from jitapp.accounts.models import Device, Person
from jitapp.kanban.guards import CAME_LATE
from jitapp.plant.models import Placement, Station
from jitapp.plant.shown import is_shown, last_ended
from jitapp.plant.spoken import spoken
from jitapp.plant.wordings import wordings
from jitapp.pull import actions
from jitapp.pull.allowing import allowed_by
from jitapp.pull.reading.tablet import LAST, bins_of, card_list, codes_of, last_scans, next_step, undo_until
from jitapp.pull.scan_request import ScanRequest, Source, TokenEnded
from jitapp.pull.sources import source_of_token
from jitapp.web import acts
from jitapp.web.answers import shown, shown_body
from jitapp.web.calls import REFUSAL_TEXT
from jitapp.web.device import PEOPLE_OR_TABLET, TABLETS, device_source, make_known, remember, was_revoked
from jitapp.web.kept import Item, moment_of, read_items, uuid_of
from jitapp.web.scan_words import scan_words
from jitapp.web.sent import problem, sent_json
from jitapp.web.shell import version
from jitapp.web.visit import ANYBODY, declared, viewer_of
from jitapp.web.wording import remembered_wording

MOST_SCANS = 50
MOST_BYTES = 400_000
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
    if last_ended() is not None and not is_shown():  # devices are forgotten in no other way
        sentence = gettext(
            "The demonstration of this tablet was ended. Have it enrolled again; its scans are kept."
        )
    return problem(401, "device_unknown", sentence)


# -- scans ------------------------------------------------------------------------------------------
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
    try:
        results = _record(read_items(items, signed_in), source)
    except TokenEnded:
        return _unknown_device()
    response = JsonResponse({"results": results})
    if token:
        remember(response, token, secure=request.is_secure())
    return response


def _record(items: Sequence[Item], source: Source) -> list[dict[str, Any]]:
    """In order; scans that follow each other in one language share a transaction."""
    results: list[dict[str, Any]] = []
    now = timezone.now()
    for (language, plain), group in groupby(items, key=lambda item: item.way):
        speaking = replace(source, language=language)
        with spoken(language, wordings().of_place(source.station_id, source.plant_ids)):
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
    """A call for help, what was done on a page of the handlers, a scan that a leader takes here though it belongs
    elsewhere, or what could not be read. What leaves no receipt counts in the device's sequence all the same."""
    request = item.request
    if request is None:
        return {"id": item.id, "status": 422, "code": "malformed", "message": item.problem}
    if item.act is not None or item.help:
        told = (
            _called(request, item.help, source, now)
            if item.help
            else acts.done(item.act, request, source, now)
        )
        if told["status"] == 200 and request.seq is not None and source.device_id is not None:
            actions.count_number(source.device_id, request.epoch or "", request.seq, now=now)
        return told
    return _scanned([overriding(request, source, item.allowed)], source, now)[0]


def _called(request: ScanRequest, kind: str, source: Source, now: datetime) -> dict[str, Any]:
    """The same id again is the same call. One that was taken back before it was sent is made no more."""
    told: dict[str, Any] = {
        "id": str(request.id),
        "status": 200,
        "card": None,
        "message": request.station or "",
    }
    if request.withdrawn and not actions.was_called(request.id):
        look = {"headline": gettext("Taken back"), "look": "calm", "sound": "tick", "state": "repeat"}
        words = gettext("Nobody is called.")
        return {**told, **look, "outcome": "refused", "code": "withdrawn", "message": words, "next": ""}
    pressed = actions.happened_at(request, now)
    try:
        actions.call_for_help(
            station=request.station,
            kind=kind,
            id=request.id,
            now=now,
            note=_pressed_at(pressed, request, source) if now - pressed > CAME_LATE else "",
            source=replace(source, person_id=request.actor.person_id if request.actor else None),
        )
    except actions.CallRefused as refused:
        words = gettext(REFUSAL_TEXT[refused.code])
        look = {"headline": gettext("NOT RECORDED"), "look": "red", "sound": "falling", "state": "refused"}
        return {**told, **look, "outcome": "refused", "code": refused.code, "message": words, "next": ""}
    look = {"headline": gettext("Help is called"), "look": "ok", "sound": "rising", "state": "applied"}
    next_step = gettext("Somebody comes. Go on if you can.")
    return {**told, **look, "outcome": "applied", "code": "called", "next": next_step}


def _pressed_at(pressed: datetime, request: ScanRequest, source: Source) -> str:
    """What whoever comes must know of a call that waited for the network."""
    place = _stations_of([request], source).get(request.station or "")
    at = timezone.localtime(pressed, ZoneInfo(place.plant.time_zone) if place else None)
    return gettext("Called at {}; the tablet had no connection until now.").format(f"{at:%H:%M}")


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


def overriding(request: ScanRequest, source: Source, allowed: str = "") -> ScanRequest:
    """The step that is expected where the card stands, as if it were scanned at that end of its loop: the rules let a
    leader do it anywhere, or whom a leader allowed this scan, and refuse everybody else by name."""
    return structs.replace(
        request,
        meant=request.intent or next_step(request.code, source.plant_ids),
        allowed=allowed_by(allowed, scan=request.id, code=request.code, source=source) if allowed else None,
    )


# -- signs of life and what is kept -----------------------------------------------------------------
@require_POST
@csrf_exempt
@declared(TABLETS)
def beat(request: HttpRequest) -> HttpResponseBase:
    """POST {waiting, oldest, app, sent_at, undoable}: the server's clock, and what is new for this tablet. `undoable`
    are the ids of the scans whose undo buttons are shown: those that may stay come back with until when."""
    body = sent_json(request, MOST_BYTES, too_much=gettext("Too much at once. Send fewer scans."))
    if isinstance(body, HttpResponse):
        return body
    source = device_source(request)
    if source is None:
        return _unknown_device()
    now = timezone.now()
    _report(source, body, now)
    placed = Placement.objects.filter(device_id=source.device_id or 0)
    station, intent = placed.values_list("station__code", "intent").first() or (None, "")
    shown_ids = body.get("undoable")
    asked = [uuid_of(each) for each in shown_ids[:LAST]] if isinstance(shown_ids, list) else []
    until = undo_until([each for each in asked if each is not None], now=now)
    return JsonResponse(
        {
            "now": int(now.timestamp() * 1000),
            "version": version(),
            "device": source.name,
            "station": station or "",
            "intent": intent,
            "undoable": {str(scan_id): end.isoformat() for scan_id, end in until.items()},
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
    sent, oldest = moment_of(body.get("sent_at")), moment_of(body.get("oldest"))
    error = int((sent - now).total_seconds() * 1000) if sent is not None else None
    device.update(
        reported_at=now,
        last_seen_at=now,
        waiting=count,
        oldest_waiting_at=oldest if count else None,
        app_version=str(body.get("app", ""))[:40],
        clock_error_ms=error,
    )


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
            "by": str(each.by) if each.by else None,
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
    return JsonResponse(scan_words(known, remembered_wording(request)), headers={"Cache-Control": "no-cache"})
