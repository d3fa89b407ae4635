"""The first scan, in the demonstration: the board shows the code of one of its cards, a phone or a scanner reads it,
and the row says whose scan it was.

The code leads a phone to a page with one button. It carries a signed word that lets whoever holds it do this one card's
usual step, in the name of whoever has the board open, for a quarter of an hour; so the phone needs no login.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jitapp.accounts.models import Person, new_uuid
from jitapp.plant.belonging import roles_of
from jitapp.plant.models import Loop, Station
from jitapp.plant.shown import is_shown, shown_plants
from jitapp.pull.actions import scan
from jitapp.pull.reading.offers import Offer, offers, scanned_by
from jitapp.pull.reading.sheets import card_sheet
from jitapp.pull.reading.window import Window
from jitapp.pull.scan_request import ScanRequest, Source
from jitapp.web.answers import shown
from jitapp.web.demo import leave_to_people
from jitapp.web.device import device_source, make_known, remember, stand_at, tell_person, was_revoked
from jitapp.web.qr import Drawn, qr
from jitapp.web.visit import ANYBODY, PEOPLE, Viewer, declared, people, posted_name, viewer_of

SALT = "jitapp.first-scan"
LASTS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Panel:
    """The card that the visitor is asked to scan, its code as a picture, and where that leads."""

    offer: Offer
    loop_id: int
    station: Station
    address: str
    picture: Drawn
    since_ms: int


def panel(request: HttpRequest, viewer: Viewer, shown_board: Window) -> Panel | None:
    """What the board of the demonstration asks somebody who works there to try; None anywhere else, and where no card
    of this board could be moved now."""
    demo_board = shown_board.plant == settings.DEMO_PLANT and is_shown()
    if not demo_board or viewer.person_id is None:
        return None
    loops = {tile.code: row.loop_id for row in shown_board.rows for tile in row.tiles}
    ends = Loop.objects.filter(pk__in=loops.values()).values_list("demand", "supply")
    theirs = {station for both in ends for station in both}
    here = Station.objects.filter(pk__in=theirs, area__code=shown_board.area).select_related("plant")
    for station in here.order_by("position"):
        for offer in offers(station, now=timezone.now(), most=1, among=list(loops)):
            return _panel(request, viewer, offer, loops[offer.code], station)
    return None


def _panel(request: HttpRequest, viewer: Viewer, offer: Offer, loop_id: int, station: Station) -> Panel:
    word = signing.dumps([offer.code, station.code, viewer.person_id], salt=SALT)
    site = str(settings.SITE_URL) or request.build_absolute_uri("/")
    # The code last: a scanner at the board reads it as that of the card.
    address = f"{site.rstrip('/')}/demo/try/{word}/{offer.code}"
    since = int(timezone.now().timestamp() * 1000)
    return Panel(offer, loop_id, station, address, qr(address), since)


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_exempt  # the signed word in the address is the permission, and the phone has no session
@never_cache
@declared(ANYBODY)
def try_page(request: HttpRequest, word: str, code: str) -> HttpResponseBase:
    """What a phone shows that has read the code on the board: one button, and then what it did."""
    station, source = _meant(code, word)
    leave_to_people(station)
    answer: dict[str, Any] | None = None
    if request.method == "POST":
        asked = ScanRequest(id=_id(request.POST.get("id", "")), code=code, station=station.code)
        answer = shown(scan(asked, source=source, now=timezone.now()), station)
    sheet = card_sheet(code)
    if sheet is None:
        raise Http404
    context = {"sheet": sheet, "station": station, "answer": answer, "fresh_id": str(new_uuid())}
    return render(request, "trying/page.html", context)


def _meant(code: str, word: str) -> tuple[Station, Source]:
    """Where the card is scanned and for whom. Raises Http404 for a word that is not ours, too old, of another card, or
    of somebody who works there no more."""
    try:
        card, place, person = signing.loads(word, salt=SALT, max_age=LASTS)
    except (signing.BadSignature, ValueError):
        raise Http404(gettext("This code has ended. Look at the board: it shows a new one.")) from None
    shown_here = shown_plants() if is_shown() else frozenset()
    station = Station.objects.filter(code=place, plant__in=shown_here).select_related("plant").first()
    if card != code or station is None or station.plant_id not in roles_of(person):
        raise Http404
    return station, Source(
        person_id=person,
        station_id=station.pk,
        plant_ids=frozenset({station.plant_id}),
        language=get_language() or "en",  # of the phone, whoever has the board open
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return new_uuid()


@require_POST
@people
def stand(request: HttpRequest) -> HttpResponseBase:
    """Somebody has a scanner at the board: what is scanned in this browser counts at the station from now on."""
    viewer = viewer_of(request)
    here = Station.objects.filter(code=posted_name(request, "station"), plant_id__in=viewer.plant_ids)
    station = here.filter(plant__in=shown_plants()).select_related("plant", "area").first()
    if not is_shown() or station is None or station.area is None:
        raise Http404
    request.session["station"] = station.code
    leave_to_people(station)
    response = redirect("board", station.area.code)
    tablet, person = device_source(request), request.user
    if not isinstance(person, Person):
        raise Http404
    tell_person(response, person, request.session.session_key or "")
    if tablet is not None and tablet.device_id is not None:
        stand_at(tablet.device_id, station, "")
    elif not was_revoked(request):
        remember(response, make_known(person, station.plant_id, station), secure=request.is_secure())
    return response


@require_GET
@never_cache
@declared(PEOPLE)
def seen(request: HttpRequest, code: str) -> HttpResponseBase:
    """Whether the card was scanned by whoever asks, since the board was drawn (`since`, ms)."""
    viewer = viewer_of(request)
    if viewer.is_guest or viewer.person_id is None:
        return HttpResponse(status=401)
    text = request.GET.get("since", "")
    since = int(text) / 1000 if text.isascii() and text.isdigit() and len(text) < 15 else 0.0
    at = datetime.fromtimestamp(since, UTC)
    return JsonResponse({"you": scanned_by(viewer.person_id, code, since=at, plants=viewer.plant_ids)})
