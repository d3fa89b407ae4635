"""The wall board: a screen in the hall that shows areas in turn, by the token of its address and without a session.

The rows are those of the boards, drawn by the same code (jitapp/web/board.py), and they come over the same channels,
so that a wall costs nothing with a change. The address opens the page alone; what the page asks for later carries the
token in a header, where no log and no `Referer` keeps it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET

from jitapp.accounts.models import Device, token_hash
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.live import push
from jitapp.live.ticket import channel_of, make_ticket, mark_of, wall_channel
from jitapp.plant.models import Area, Placement, Plant
from jitapp.plant.spoken import spoken
from jitapp.plant.walls import WallSettings, areas_of, read, starts_anew_at
from jitapp.plant.wording.kept import Wording
from jitapp.plant.wordings import wordings
from jitapp.web import sections, shell
from jitapp.web.headers import live_base
from jitapp.web.phrases import clock, from_the_right, words_of
from jitapp.web.visit import declared

WALLS = "wall screens, by the token of their address"
KNOWN_ROWS = 40  # of an area, the worst: more than any wall shows, so that the next is there when one goes
SEEN_EVERY = timedelta(seconds=30)
LONGEST_TOKEN = 200


@dataclass(frozen=True, slots=True)
class Screen:
    """A wall screen that is known: what it shows, in which languages, and the key that its streams end with."""

    device: Device
    plant: Plant
    settings: WallSettings
    areas: list[Area]
    languages: tuple[str, ...]
    key: str

    @property
    def mark(self) -> str:
        """Another one when the page must be loaded again: other settings, or another version of the product."""
        known = wordings()
        named = [(area.pk, area.code, area.name, known.of_area(area.code).key) for area in self.areas]
        shown = repr([*named, self.wording.key])
        own = hashlib.sha256(f"{self.settings.mark}{shown}{version()}{self.device.name}".encode())
        return own.hexdigest()[:16]

    @property
    def wording(self) -> Wording:
        """The words around the areas, which have their own."""
        return wordings().of_plants({self.plant.pk})

    @property
    def channels(self) -> list[str]:
        """What its stream carries: each area in each language, and what is said to this screen alone."""
        boards = [channel_of(area.code, language) for area in self.areas for language in self.languages]
        return [*boards, wall_channel(self.device.uuid)]

    def ticket(self) -> str:
        """A ticket that ends with the token of the screen."""
        return make_ticket(self.channels, self.key)


@lru_cache(maxsize=1)
def version() -> str:
    """Another one with every change of what a wall runs."""
    return shell.digest(
        shell.named_by(("css/tokens.css", "css/base.css", "css/bins.css", "css/wall.css", "js/wall.js"))
    )


def _screen(token: str) -> Screen | None:
    """The screen of a token; None for one that is not known, was ended, or is no wall's."""
    if not token or len(token) > LONGEST_TOKEN or "\0" in token:
        return None
    hashed = token_hash(token)
    placement = (
        Placement.objects.select_related("device", "plant")
        .filter(device__token_hash=hashed, device__active=True, device__kind=DeviceKind.WALL)
        .first()
    )
    if placement is None:
        return None
    wall = read(placement.wall)
    return Screen(
        device=placement.device,
        plant=placement.plant,
        settings=wall,
        areas=areas_of(placement.plant, wall),
        languages=wall.languages or (get_language() or "en",),
        key=_key(hashed),
    )


def _key(hashed: str) -> str:
    """What stands for a session in the tickets of a wall: its streams end when it is told to end."""
    return f"wall {hashed}"


def ended(hashed: str) -> None:
    """The token with this hash was ended: the streams of its screen end at once, and what they ask is refused."""
    if hashed:
        push.session_ended(mark_of(_key(hashed)))


def set_up(device: Device) -> None:
    """The screen is told to load itself again; one that misses it learns it with its next rows."""
    push.messages_sent([(wall_channel(device.uuid), b'{"load":true}')])


# -- the page ---------------------------------------------------------------------------------------
@require_GET
@declared(WALLS)
def wall_page(request: HttpRequest, token: str) -> HttpResponseBase:
    """The board of a wall screen."""
    screen, now = _screen(token), timezone.now()
    if screen is None:
        return _private(render(request, "wall/ended.html", status=403))
    language = screen.languages[0]
    with spoken(language, screen.wording):
        context = {
            "screen": screen,
            "live": live_base(request) + "/live/board",
            "ticket": screen.ticket(),
            "channel": wall_channel(screen.device.uuid),
            "now_ms": int(now.timestamp() * 1000),
            "anew_ms": int(starts_anew_at(screen.plant, now).timestamp() * 1000),
            "clock": clock(now, screen.plant.time_zone, now),
            "words": {each: _words(each, screen.wording) for each in screen.languages},
            "direction": "rtl" if from_the_right(language) else "ltr",
            "language": language,
        }
        return _private(render(request, "wall/page.html", context))


def _private(response: HttpResponse) -> HttpResponse:
    """The address is a secret: no other page, no cache and no search engine learns it."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _words(language: str, wording: Wording) -> dict[str, str]:
    """The words of a wall in one language, for its script."""
    words = words_of(language, wording)
    with spoken(language, wording):
        return {
            "direction": "rtl" if from_the_right(language) else "ltr",
            **sections.script_words(words),
            "distrust": gettext("Do not trust this board until this line goes away."),
            **sections.well_words(),
            "empty": gettext("No loops here yet"),
            "no_areas": gettext("No area to show. Choose one on the page of this device."),
            "more": gettext("Not shown: {}"),
            "paused": gettext("PAUSED"),
        }


# -- the rows ---------------------------------------------------------------------------------------
@require_GET
@declared(WALLS)
def wall_rows(request: HttpRequest) -> HttpResponseBase:
    """The worst rows of all areas of a wall, in its languages, with what is left out as numbers; the token comes as
    `Authorization: Bearer`. The ETag leaves the instant of drawing out."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    screen = _screen(token.strip()) if scheme.lower() == "bearer" else None
    if screen is None:
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="jitapp wall"'})
    now = timezone.now()
    wordings()  # read anew where they changed: what is drawn asks nobody
    _seen(screen.device, now)
    drawn = sections.draw(screen.areas, screen.languages, now, known=KNOWN_ROWS)
    response = sections.answer(request, drawn, now)
    response["Vary"] = "Authorization"
    response["X-Ticket"] = screen.ticket()
    response["X-Mark"] = screen.mark
    response["X-Anew"] = str(int(starts_anew_at(screen.plant, now).timestamp() * 1000))
    return response


def _seen(device: Device, now: datetime) -> None:
    """The list of devices says when a screen was heard of; written twice a minute at most."""
    late = Q(reported_at__isnull=True) | Q(reported_at__lt=now - SEEN_EVERY)
    Device.objects.filter(late, pk=device.pk).update(last_seen_at=now, reported_at=now)
