"""State sheets of an area, and the page on which what was written on them is entered after an outage.

Every form works without JavaScript; with it (static/js/paper.js) each line is kept and checked as it is left. Nothing
here decides: a line becomes a scan like any other (jitapp/printing/entering.py).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jitapp.accounts.models import new_uuid
from jitapp.outbox import rows as outbox
from jitapp.outbox.publish import nudge
from jitapp.plant.models import Area
from jitapp.printing import entering, state_sheets
from jitapp.printing.models import PaperMove, StateSheet
from jitapp.printing.proof import Unreadable
from jitapp.pull import actions
from jitapp.pull.scan_request import Source
from jitapp.web import paper_words
from jitapp.web import state_sheets as sheets
from jitapp.web.calls import members
from jitapp.web.printing import PDF_POLICY
from jitapp.web.visit import Viewer, people, readers, viewer_of

BLANK_LINES = 8  # of the form without JavaScript, beside what is entered already
MOST_FIELDS = 55  # lines of one form without JavaScript: Django takes 500 fields
BOOKING_SECONDS = 5.0  # of one request; the page goes on with the next one
HANDLED_SECONDS = 2.0  # how long booking waits for the signals of earlier lines
LIMITS = {"day": 20, "time": 20, "code": 200, "what": 20, "quantity": 40, "by": 120, "note": 200}


def area_of(request: HttpRequest, code: str) -> tuple[Viewer, Area]:
    """The area, if it lies in one of the viewer's plants. Raises Http404."""
    viewer = viewer_of(request)
    found = Area.objects.filter(code=code, plant_id__in=viewer.plant_ids).select_related("plant", "leader")
    area = found.first()
    if area is None:
        raise Http404(gettext("There is no such board, or it belongs to a plant you are not a member of."))
    return viewer, area


def may_enter(viewer: Viewer, area: Area) -> bool:
    """Leaders, planners and administrators of the plant enter sheets, and send them again."""
    return area.plant_id in actions.may_settle(viewer.person_id)


# -- the sheets ------------------------------------------------------------------------------------------
@require_GET
@readers
def paper_page(request: HttpRequest, area: str) -> HttpResponseBase:
    """The sheets that are kept, how they are handed out and whether that worked, and the way to enter them."""
    viewer, found = area_of(request, area)
    kept = state_sheets.sheets_of(found)
    newest = next((sheet for sheet in kept if sheet.made_at), None)
    context = {
        "area": found,
        "kept": kept,
        "newest": newest,
        "hourly": settings.PAPER_HOURLY,
        "ways": [paper_words.way_of(way, newest, found, viewer.language) for way in state_sheets.ways(found)],
        "papers": [("a4", "A4"), ("letter", "Letter")],
        "paper": sheets.paper_of(found),
        "languages": settings.LANGUAGES,
        "language": get_language() or settings.LANGUAGE_CODE,
        "may_enter": may_enter(viewer, found),
        "waiting": len(entering.open_moves(found, viewer.person_id)) if viewer.person_id else 0,
        "is_guest": viewer.is_guest,
    }
    return render(request, "paper/page.html", context)


@require_GET
@never_cache
@people
def print_now(request: HttpRequest, area: str) -> HttpResponseBase:
    """The sheet as the area stands at this moment; nothing is kept."""
    _, found = area_of(request, area)
    paper = request.GET.get("paper", "")
    language = request.GET.get("language", "")
    try:
        made = sheets.make_alone(
            found,
            number=0,
            language=language if language in dict(settings.LANGUAGES) else sheets.language_of(found),
            paper=paper if paper in ("a4", "letter") else sheets.paper_of(found),
            site=str(settings.SITE_URL) or request.build_absolute_uri("/"),
            now=timezone.now(),
        )
    except sheets.Busy:
        messages.error(request, gettext("Another sheet is being made. Try again in a moment."))
        return redirect("paper", area)
    except Unreadable as error:
        messages.error(
            request, gettext("The code {} could not be read back from the sheet.").format(error.text)
        )
        return redirect("paper", area)
    return _file(made.data, made.name)


@require_GET
@readers
def kept_sheet(request: HttpRequest, area: str, number: int) -> HttpResponseBase:
    """One of the kept sheets."""
    _, found = area_of(request, area)
    sheet = StateSheet.objects.filter(area=found, number=number, pdf__isnull=False).order_by("-hour").first()
    if sheet is None:
        raise Http404(gettext("There is no such sheet any more: the last 48 are kept."))
    return _file(bytes(sheet.pdf or b""), sheet.name)


def _file(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Content-Security-Policy"] = PDF_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@members
def send_again(request: HttpRequest, area: str) -> HttpResponseBase:
    """Has the newest sheet handed out within the next half minute, by the ways that have failed."""
    viewer, found = area_of(request, area)
    if not may_enter(viewer, found):
        messages.error(request, gettext(paper_words.NOT_YOURS))
    elif state_sheets.try_again(found, now=timezone.now()):
        messages.info(request, gettext("It is tried again within half a minute."))
    else:
        messages.error(request, gettext("There is nothing to hand out yet, or no way is set up."))
    return redirect("paper", area)


# -- what was written ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Shown:
    """A line on the page: what was typed, and what is said of it."""

    move: PaperMove
    look: str
    text: str


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@people
def entry_page(request: HttpRequest, area: str) -> HttpResponseBase:
    """The lines that somebody has entered and what booking them would do. POST keeps the lines of the form; with `do`
    being `book` it books them as well."""
    viewer, found = area_of(request, area)
    allowed = may_enter(viewer, found)
    if request.method == "POST":
        if not allowed:
            messages.error(request, gettext(paper_words.NOT_YOURS))
            return redirect("paper-entry", area)
        if _keep_form(request, viewer, found) and request.POST.get("do") == "book":
            booked, refused, left = _book(request, viewer, found)
            _say_booked(request, booked, len(refused), left)
        return redirect("paper-entry", area)
    moves = entering.open_moves(found, viewer.person_id or 0) if allowed else []
    now = timezone.now()
    today = now.astimezone(ZoneInfo(found.plant.time_zone))
    last = moves[-1] if moves else None
    context = {
        "area": found,
        "allowed": allowed,
        "lines": [*_checked(moves, viewer, found, now), *_blank(moves, today)],
        "whats": [(name, gettext(sheets.SHEET_WORDS[name])) for name in entering.WHAT],
        "day": last.day if last else f"{today:%Y-%m-%d}",
        "today": f"{today:%Y-%m-%d}",
        "booked": [(move, paper_words.look_of(move.outcome)) for move in entering.booked_moves(found)],
        "words": paper_words.script_words(),
        "person": str(viewer.person_id),
    }
    return render(request, "paper/entry.html", context)


def _blank(moves: list[PaperMove], today: datetime) -> list[Shown]:
    """Empty lines for whoever has no JavaScript; each with an id, so that sending the form twice makes one line."""
    room = max(1, min(BLANK_LINES, MOST_FIELDS - len(moves)))
    day = moves[-1].day if moves else f"{today:%Y-%m-%d}"
    first = moves[-1].position + 1 if moves else 0
    return [
        Shown(PaperMove(uuid=new_uuid(), position=first + number, day=day), "", "") for number in range(room)
    ]


def _checked(moves: list[PaperMove], viewer: Viewer, area: Area, now: datetime) -> list[Shown]:
    lines = entering.read_lines(moves, area, now=now)
    told = entering.foretell(lines, source=_source(viewer, area), now=now)
    return [Shown(each.line.move, *paper_words.told(each)) for each in told]


def _source(viewer: Viewer, area: Area) -> Source:
    """Whoever enters the sheet is on record where it names nobody. The rules judge as on the floor: without the rights
    of whoever enters it."""
    return Source(
        person_id=viewer.person_id,
        plant_ids=frozenset({area.plant_id}),
        language=viewer.language,
        name=viewer.name,
    )


@require_POST
@members
def keep_line(request: HttpRequest, area: str) -> HttpResponseBase:
    """Keeps one line, or removes it (`remove`); answers with what is said of all lines, because one changes what
    another one means."""
    viewer, found = area_of(request, area)
    if not may_enter(viewer, found):
        return JsonResponse({"message": gettext(paper_words.NOT_YOURS)}, status=422)
    typed = {name: request.POST.get(name, "") for name in (*entering.TYPED, "id", "position")}
    problem = _keep(typed, viewer, found, remove=request.POST.get("remove") == "1")
    if problem:
        return JsonResponse({"message": problem}, status=422)
    return JsonResponse({"lines": _as_json(viewer, found)})


def _as_json(viewer: Viewer, area: Area) -> list[dict[str, str]]:
    moves = entering.open_moves(area, viewer.person_id or 0)
    return [
        {"id": str(each.move.uuid), "look": each.look, "text": each.text}
        for each in _checked(moves, viewer, area, timezone.now())
    ]


def _keep(typed: Mapping[str, str], viewer: Viewer, area: Area, *, remove: bool = False) -> str:
    """Keeps a line as it was typed; the sentence that says why it cannot be."""
    try:
        key, position = UUID(typed["id"]), int(typed["position"])
    except ValueError:
        return gettext("This line cannot be kept. Load the page again.")
    values = {name: typed[name].replace("\0", "").strip() for name in entering.TYPED}
    if any(len(value) > LIMITS[name] for name, value in values.items()) or not 0 <= position < 1_000_000:
        return gettext("One of the texts is too long. Shorten it.")
    mine = PaperMove.objects.filter(area=area, person_id=viewer.person_id or 0, booked_at__isnull=True)
    known = PaperMove.objects.filter(uuid=key).first()
    if known is not None and (
        known.person_id != viewer.person_id or known.area_id != area.pk or known.booked_at
    ):
        return gettext("This line is booked already. Load the page again.")
    if remove or not any(value for name, value in values.items() if name not in ("day", "by")):
        mine.filter(uuid=key).delete()
        return ""
    if known is None and mine.count() >= entering.MOST:
        return gettext("So many lines are open already. Book them first; then enter the others.")
    fresh = {"outcome": "", "message": "", "changed_at": timezone.now(), "position": position}
    if known is not None and all(getattr(known, name) == value for name, value in values.items()):
        return ""  # what is said of it stays
    created = values | fresh | {"area": area, "person_id": viewer.person_id}
    PaperMove.objects.update_or_create(uuid=key, defaults=values | fresh, create_defaults=created)
    return ""


def _keep_form(request: HttpRequest, viewer: Viewer, area: Area) -> bool:
    """Keeps all lines of the form without JavaScript; says what could not be kept, and returns whether all was."""
    asked = request.POST
    columns = {name: asked.getlist(name) for name in ("id", "position", *entering.TYPED)}
    problems = [
        problem
        for values in zip(*columns.values(), strict=False)
        if (problem := _keep(dict(zip(columns, values, strict=True)), viewer, area))
    ]
    for problem in dict.fromkeys(problems):
        messages.error(request, problem)
    return not problems


@require_POST
@members
def book_lines(request: HttpRequest, area: str) -> HttpResponseBase:
    """Books the kept lines for a few seconds: how many were booked and refused, and how many are left to try."""
    viewer, found = area_of(request, area)
    if not may_enter(viewer, found):
        return JsonResponse({"message": gettext(paper_words.NOT_YOURS)}, status=422)
    booked, refused, left = _book(request, viewer, found)
    if not left:  # the last of several requests: it tells of all
        before = [_number(request, name) for name in ("booked", "refused")]
        _say_booked(request, before[0] + booked, before[1] + len(refused), 0)
    return JsonResponse({"booked": booked, "refused": refused, "left": left})


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _book(request: HttpRequest, viewer: Viewer, area: Area) -> tuple[int, list[str], int]:
    """(booked, refused, left): lines that a request had no time for are left, and booked by the next one. `after` are
    lines that were refused already since the button was pressed."""
    skip = set(request.POST.getlist("after"))
    moves = [m for m in entering.open_moves(area, viewer.person_id or 0) if str(m.uuid) not in skip]
    lines = entering.read_lines(moves, area, now=timezone.now())
    done = list(
        entering.book(
            lines,
            source=_source(viewer, area),
            now=timezone.now,
            handled=_handled,
            until=time.monotonic() + BOOKING_SECONDS,
        )
    )
    booked = sum(move.booked_at is not None for move in done)
    refused = [str(move.uuid) for move in done if move.booked_at is None]
    return booked, refused, len(entering.in_order(lines)) - len(done)


def _handled() -> bool:
    """Waits until what earlier lines set off has gone upstream; False if the relay takes too long."""
    newest, until = outbox.newest(), time.monotonic() + HANDLED_SECONDS
    nudge()
    while outbox.waits_until(newest):
        if time.monotonic() >= until:
            return False
        time.sleep(0.02)
    return True


def _say_booked(request: HttpRequest, booked: int, refused: int, left: int) -> None:
    if booked:
        messages.info(request, gettext("Booked: {} lines.").format(booked))
    if refused:
        said = gettext("Not booked: {} lines. Each says why; correct it and book again, or remove it.")
        messages.error(request, said.format(refused))
    if left:
        messages.info(request, gettext("{} lines are left. Press “Book” again.").format(left))
    if not booked and not refused and not left:
        messages.error(request, gettext("There is nothing to book: correct the marked lines first."))
