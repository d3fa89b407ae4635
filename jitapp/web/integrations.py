"""How it goes with the ERP of each plant: whether it answers, which documents it owes, which it refused and why.

Everybody of the plant may look; who buys, plans, leads or administers may ask again; administrators may stop and start
the calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from jitapp.erp import documents, queries
from jitapp.erp.models import DocumentRequest, ErpConnection
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Plant
from jitapp.web.documents import PROBLEM_WORDS
from jitapp.web.leading import ADMINS, led_plants
from jitapp.web.visit import people, viewer_of

ASKERS = frozenset({Role.BUYER, Role.PLANNER, Role.LEADER, Role.ADMIN})
MOST_SHOWN = 50
# What a person does about a call that cannot be made, or that was refused; by the codes of jitapp/erp.
TO_DO: Mapping[str, str] = {
    "no_address": mark("Name the address of the ERP in JITAPP_ERP_URL, or in the administration."),
    "no_secret": mark("Name the secret of the calls in JITAPP_ERP_SECRET, then restart."),
    "address_refused": mark("Name its host in JITAPP_ERP_HOSTS, then restart."),
    "switched_off": mark("Switch the calls on again, or give the numbers by hand on the cards' pages."),
}


@dataclass(frozen=True, slots=True)
class Connection:
    """The ERP of a plant as the page shows it. `state` is the look of its word."""

    plant: str
    plant_name: str
    time_zone: str
    state: str
    word: str
    sentence: str
    enabled: bool
    may_switch: bool
    took_ms: int | None
    counts: queries.Measures


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is owed or was refused, with the card that waits for it."""

    turn: UUID
    card: str
    part: str
    loop: str
    quantity: str
    supplier: str
    time_zone: str
    asked_since: datetime
    calls: int
    next_try_at: datetime | None
    refused: bool
    problem: str
    detail: str
    body: str
    may_ask: bool


@require_GET
@people
def integrations_page(request: HttpRequest) -> HttpResponseBase:
    """The ERPs of the viewer's plants, and what is open with them."""
    return render(request, "integrations/page.html", _context(request))


@require_GET
@people
def integrations_list(request: HttpRequest) -> HttpResponseBase:
    """The part of the page that renews itself."""
    return render(request, "integrations/list.html", _context(request))


@require_POST
@people
def ask_again(request: HttpRequest, turn: UUID) -> HttpResponseBase:
    """Asks the ERP for a document again, after somebody has corrected what it refused."""
    row = DocumentRequest.objects.filter(key=turn, connection__in=viewer_of(request).plant_ids).first()
    if row is None:
        raise Http404(gettext("There is no such document, or it belongs to a plant you are not a member of."))
    if row.connection_id not in {plant.pk for plant in led_plants(request, ASKERS)}:
        raise PermissionDenied
    try:
        documents.retry(turn, now=timezone.now())
    except documents.NothingToRetry:
        messages.info(
            request, gettext("Nothing is open for it any more: somebody was faster, or the ERP was.")
        )
    else:
        messages.info(request, gettext("The ERP is asked again; the answer stands here in a moment."))
    return redirect("integrations")


@require_POST
@people
def switch(request: HttpRequest, plant: str) -> HttpResponseBase:
    """Stops or starts the calls to a plant's ERP; what waits goes on waiting."""
    found = next((each for each in led_plants(request, ADMINS) if each.code == plant), None)
    if found is None:
        raise PermissionDenied
    on = request.POST.get("calls") == "on"
    ErpConnection.objects.filter(plant=found).update(enabled=on, quiet_until=None)
    if on:
        messages.info(request, gettext("Calls to the ERP are made again."))
    else:
        messages.info(request, gettext("Calls to the ERP are stopped; scans go on, and documents wait."))
    return redirect("integrations")


# -- what is shown -------------------------------------------------------------------------------------


def _context(request: HttpRequest) -> dict[str, object]:
    viewer, now = viewer_of(request), timezone.now()
    asks = {plant.pk for plant in led_plants(request, ASKERS)}
    switches = {plant.pk for plant in led_plants(request, ADMINS)}
    plants = list(Plant.objects.filter(pk__in=viewer.plant_ids).order_by("code"))
    rows = queries.open_requests(viewer.plant_ids, most=MOST_SHOWN + 1)
    return {
        "connections": [_connection(plant, plant.pk in switches, now) for plant in plants],
        "refused": [_document(row, asks) for row in rows[:MOST_SHOWN] if row.ended_at is not None],
        "owed": [_document(row, asks) for row in rows[:MOST_SHOWN] if row.ended_at is None],
        "more": len(rows) > MOST_SHOWN,
        "now_ms": int(now.timestamp() * 1000),
    }


def _connection(plant: Plant, may_switch: bool, now: datetime) -> Connection:
    erp = ErpConnection.objects.select_related("plant").filter(plant=plant).first()
    state, word, sentence = _health(erp, now)
    return Connection(
        plant=plant.code,
        plant_name=plant.name,
        time_zone=plant.time_zone,
        state=state,
        word=word,
        sentence=sentence,
        enabled=erp is not None and erp.enabled,
        may_switch=may_switch and erp is not None,
        took_ms=erp.took_ms if erp is not None else None,
        counts=queries.measures(now=now, plant_id=plant.pk),
    )


def _health(erp: ErpConnection | None, now: datetime) -> tuple[str, str, str]:
    """The look of the state, its word, and what it means or asks of somebody."""
    if erp is None:
        return (
            "held",
            gettext("NOT USED"),
            gettext("No loop of this plant needs a document, so that no ERP is asked."),
        )
    problem = "switched_off" if not erp.enabled else erp.reach.problem
    if problem:
        said = f"{_sentence(problem)} {gettext(TO_DO[problem]) if problem in TO_DO else ''}".strip()
        return ("held" if problem == "switched_off" else "act"), gettext("NOT ASKED"), said
    if erp.failures:
        tries = ngettext("{} call in vain so far.", "{} calls in vain so far.", erp.failures).format(
            erp.failures
        )
        said = gettext("The ERP does not answer. Nothing is lost: scans go on, documents follow.")
        return "soon", gettext("SILENT"), f"{said} {tries}"
    return "ok", gettext("ANSWERS"), ""


def _sentence(problem: str) -> str:
    """What is wrong, as a sentence of its own."""
    words = gettext(PROBLEM_WORDS[problem]) if problem in PROBLEM_WORDS else gettext("the ERP refused it")
    return f"{words[:1].upper()}{words[1:]}."


def _document(row: DocumentRequest, asks: set[int]) -> Document:
    body: Mapping[str, object] = row.body
    facts = queries.facts_of(row)
    return Document(
        turn=row.key,
        card=str(body.get("card", "")),
        part=str(body.get("part", "")),
        loop=str(body.get("loop", "")),
        quantity=f"{body.get('quantity', '')} {body.get('unit', '')}".strip(),
        supplier=str(body.get("supplier", "")),
        time_zone=row.connection.plant.time_zone,
        asked_since=row.created_at,
        calls=row.calls,
        next_try_at=facts.next_try_at,
        refused=row.ended_at is not None,
        problem=_sentence(facts.problem) if facts.problem else "",
        detail=row.detail,
        body="\n".join(f"{name}: {value}" for name, value in sorted(body.items())),
        may_ask=row.connection_id in asks,
    )
