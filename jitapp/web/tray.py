"""Needs a look: parked scans with both stories, unknown codes, and the ways to resolve them.

Every form works without JavaScript; with it, htmx swaps the list in place. What a button would do is said beside it in
the words of the rules. Nothing here decides: actions do.
"""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import get_args
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from jitapp.accounts.models import new_uuid
from jitapp.kanban.quantity import NotAQuantity, read_quantity
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.vocabulary import Intent
from jitapp.plant.models import Plant
from jitapp.pull import actions
from jitapp.pull.actions.settling import How
from jitapp.pull.reading.devices import missing_scans
from jitapp.pull.reading.parked import HistoryEntry, ParkedScan, Way, parked_scans, waiting_scans
from jitapp.web.calls import members, source_of
from jitapp.web.phrases import TILE_WORDS, clock, words_of
from jitapp.web.visit import PEOPLE, Viewer, declared, people, viewer_of

# What a scan meant.
MEANT = {intent: step.label for intent, step in STEPS.items()}
WAYS = {
    "correct:FULL": mark("Correct it: the container is full"),
    "correct:EMPTY": mark("Correct it: the container is empty"),
    "found": mark("The card is found: it takes part again"),
    "release": mark("Release the card"),
    "count": mark("Take it as a count of now"),
}
WHY = {
    "late_conflict": mark("It contradicts what was recorded since."),
    "late_too_old": mark("It is too old to be applied by itself."),
    "station_gone": mark("The station where it was scanned is not known any more."),
    "person_gone": mark("Whoever scanned it works here no more."),
    "unknown_card": mark("Nobody knows this code."),
}
TOLD = {
    "card.held": mark("put on hold"),
    "card.unheld": mark("released from hold"),
    "card.lost": mark("reported lost"),
    "card.found": mark("found again"),
    "card.removed": mark("withdrawn"),
    "card.surplus": mark("no longer needed"),
    "turn.released": mark("signal sent"),
}
# Why it could not be resolved; the codes are those of jitapp/pull/actions/settling.py.
REFUSAL_TEXT = {
    "unknown_scan": mark("There is no such scan in your plant. Load the page again."),
    "not_waiting": mark("This scan cannot be settled like that. Load the page again."),
    "already_settled": mark("{} has settled it at {}. Nothing is left to do."),
    "not_allowed": mark("Leaders and planners settle scans. Ask yours."),
    "reason_missing": mark("Say why it is discarded, then press again."),
    "quantity_missing": mark("Count what is in the container and write the number."),
    "choice_unknown": mark("Press one of the buttons."),
    "unknown_card": mark("There is no such card in your plant. Scan or type the code of the right one."),
    "code_taken": mark(
        "That code names something else already, perhaps in another plant. Discard it with a reason."
    ),
    "scan_id_reused": mark("That was sent before about something else. Load the page and press again."),
}
DONE = {
    "accepted": mark("Accepted: {}"),
    "discarded": mark("Discarded. The scan stays on record with your reason."),
    "assigned": mark("The code belongs to that card now. Scan it again."),
    actions.DECLINED: mark("Not done: {}"),
}


@require_GET
@people
def tray_page(request: HttpRequest) -> HttpResponseBase:
    """What waits for a person, here and on this device."""
    return render(request, "tray/page.html", _context(request))


@require_GET
@members
def tray_list(request: HttpRequest) -> HttpResponseBase:
    """The part of the page that renews itself."""
    return render(request, "tray/list.html", _context(request))


@require_POST
@members
def settle(request: HttpRequest, scan: UUID) -> HttpResponseBase:
    """One press: accept as ..., discard with a reason, or give an unknown code to its card."""
    viewer, asked = viewer_of(request), request.POST
    said, problem = "", ""
    how, _, choice = asked.get("settle", "").partition(" ")
    known: tuple[How, ...] = get_args(How)
    try:
        done = actions.settle_scan(
            scan_id=scan,
            how=next((word for word in known if word == how), "accept"),
            choice=choice[:40],
            quantity=_quantity(asked.get("quantity", "")),
            reason=asked.get("reason", "")[:400],
            card=asked.get("card", "")[:200],
            key=_key(asked.get("id", "")),
            now=timezone.now(),
            source=source_of(viewer),
        )
        message = done.answer["message"] if done.answer else ""
        text = gettext(DONE[done.how]).format(message)
        said, problem = ("", text) if done.how == actions.DECLINED else (text, "")
    except actions.SettleRefused as refused:
        words = gettext(REFUSAL_TEXT[refused.code])
        at = clock(refused.at, refused.time_zone, timezone.now(), viewer.language) if refused.at else ""
        problem = words.format(refused.by, at)
    if request.headers.get("HX-Request") == "true":
        return render(request, "tray/list.html", _context(request, said, problem))
    (messages.error if problem else messages.info)(request, problem or said)
    return redirect("tray")


@require_GET
@declared(PEOPLE)
def number(request: HttpRequest) -> HttpResponse:
    """How many wait, for the header of a page that stays open."""
    viewer = viewer_of(request)
    if viewer.is_guest:
        return HttpResponse(status=401)
    response = HttpResponse(number_html(viewer))
    response["Cache-Control"] = "private, no-store"
    return response


def number_html(viewer: Viewer) -> str:
    """The header's link to parked scans, hidden while none waits; empty for people who may not resolve them."""
    plants = actions.may_settle(viewer.person_id)
    if not plants:
        return ""
    count = waiting_scans(plants) + len(missing_scans(plants, now=timezone.now()))
    hidden = "" if count else " hidden"
    return (
        f'<a class="needs-look" id="needs-look" href="/s/tray" data-n="{count}"{hidden}><svg class="shape"'
        f' aria-hidden="true"><use href="#sh-soon"/></svg><b>{count}</b> {escape(gettext("NEED A LOOK"))}</a>'
    )


def _context(request: HttpRequest, said: str = "", problem: str = "") -> dict[str, object]:
    viewer, now = viewer_of(request), timezone.now()
    settling = actions.may_settle(viewer.person_id)
    mine = Plant.objects.filter(pk__in=settling)
    settles = set(mine.values_list("code", flat=True))
    words = words_of(viewer.language)
    found = parked_scans(plant_ids=viewer.plant_ids, now=now)
    return {
        "items": [_shown(one) | {"settles": one.plant in settles} for one in found],
        "missing": missing_scans(settling, now=now),
        "said": said,
        "problem": problem,
        "script_words": {
            **{name: words[name] for name in ("ago", "min", "h", "d", "s")},
            "again": gettext("Send again"),
            "away": gettext("Put away"),
            "sure": gettext("Really put it away?"),
            "usual": gettext("Usual step"),
            "steps": {intent.value: gettext(text) for intent, text in MEANT.items()},
        },
    }


def _shown(one: ParkedScan) -> dict[str, object]:
    return {
        "one": one,
        "fresh_id": str(new_uuid()),
        "meant": gettext(MEANT[Intent(one.intent)]) if one.intent in MEANT else gettext("Usual step"),
        "why": gettext(WHY.get(one.code, WHY["late_conflict"])),
        "late": one.recorded_at - one.occurred_at,
        "story": [(line, *_line(line)) for line in one.story],
        "ways": [(way, _label(way, one)) for way in one.ways],
    }


def _line(line: HistoryEntry) -> tuple[str, str]:
    """The word of a status or of what happened, and what marks it."""
    if line.type == "scan.parked":
        meant = gettext(MEANT[Intent(line.intent)]) if line.intent in MEANT else gettext("Usual step")
        return meant, "here"
    if line.type in TOLD:
        return gettext(TOLD[line.type]), "event"
    return gettext(TILE_WORDS[line.to_status]), "moved"


def _label(way: Way, one: ParkedScan) -> str:
    if way.choice in WAYS and way.choice != one.intent:
        return gettext(WAYS[way.choice])
    if way.needs_quantity:
        return gettext(WAYS["count"])
    intent = Intent(way.choice.partition(":")[0])
    return gettext("Accept it: {}").format(gettext(MEANT[intent]))


def _quantity(text: str) -> Decimal | None:
    """What a person typed, also with a decimal comma; None asks again."""
    try:
        return read_quantity(text.replace(",", "."))
    except NotAQuantity:
        return None


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return new_uuid()
