"""The page of one card: what it is, how it stands, where its container should be, who must act, its turns with their
times, its log, and what the person may do. Looking never moves the card.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from jitapp.accounts.models import new_uuid
from jitapp.erp.queries import request_of
from jitapp.kanban.vocabulary import Intent, Outcome, SignalState
from jitapp.kanban.worktime import WorkCalendar
from jitapp.plant.models import Loop
from jitapp.printing.models import PartPicture
from jitapp.pull import actions
from jitapp.pull.reading.log import TURNS, TurnLine, card_log, turns_of
from jitapp.pull.reading.sheets import CardSheet, HistoryLine, card_sheet
from jitapp.pull.reading.tablet import undo_until
from jitapp.pull.reading.turn_times import steps_of
from jitapp.pull.scan_request import Conflict, ScanRequest
from jitapp.symbology.cardcode import meant_code
from jitapp.web import past_things
from jitapp.web.calls import members, source_of
from jitapp.web.documents import ORDER_WORDS, PROBLEM_WORDS
from jitapp.web.happenings import told
from jitapp.web.loop_log import whole_number
from jitapp.web.loop_page import calendars_of
from jitapp.web.loop_pictures import length
from jitapp.web.phrases import Words, clock, plain, promise, words_of
from jitapp.web.visit import ANYBODY, Viewer, declared, viewer_of

LONGEST_CODE = 40
# Where the container of a card should be, by the word of its state; {demand} and {supply} are stations.
WHERE = {
    "FULL": mark("It should stand full at {demand}."),
    "IN_USE": mark("It should stand opened at {demand}."),
    "EMPTY": mark("It should be on its way to {supply}, or wait there to be filled."),
    "WAIT": mark("It should lie where empty cards are collected for {supply}, until it is released."),
    "IN_PROCESS": mark("It should be at {supply}, where it is being filled."),
    "COMPLETED": mark("It should stand finished at {supply}, to be collected."),
    "IN_TRANSIT": mark("It should be on its way from {supply} to {demand}."),
    "ERROR": mark("It should be put aside, until what went wrong is put right."),
    "HELD": mark("It should lie with whoever held it."),
    "BLOCKED": mark("It should stand apart at {demand}: nobody may use it."),
    "LOST": mark("Nobody knows where it is."),
    "SURPLUS": mark("It should be in the red box: it is no longer needed."),
    "OBSOLETE": mark("It should be in the red box: its loop has ended."),
    "REMOVED": mark("It should be in the red box: it was withdrawn."),
    "NEW": mark("It was not put in circulation yet: print it and scan it with its first container."),
}
DOCKED = mark("It should be at the dock, to be put away at {demand}.")


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A turn as the page tells it; times in the working time of the supply station."""

    number: int
    opened_at: datetime
    closed_at: datetime | None
    took: str
    asked: str
    came: str
    is_short: bool
    state: str
    reason: str
    document: str
    steps: list[tuple[str, str]]


@require_GET
@declared(ANYBODY)
def card_page(request: HttpRequest, code: str) -> HttpResponseBase:
    """What the QR code on a card leads to. It shows the card and never moves it.

    A stranger's phone sees that this is a kanban card and where it belongs, nothing else.
    """
    viewer, now = viewer_of(request), timezone.now()
    found = meant_code(code)
    sheet = card_sheet(found) if found else None
    if sheet is None:
        context: dict[str, object] = {"code": code[:LONGEST_CODE], "readable": found is not None}
        return render(request, "card_unknown.html", context, status=404)
    member = sheet.plant_id in viewer.plant_ids
    if member and "at" in request.GET:
        return past_things.card_page_then(request, sheet, viewer)
    context = {"sheet": sheet, "member": member, "now": now}
    if member:
        context |= _known(request, viewer, sheet, now)
    return render(request, "card.html", context)


def _known(request: HttpRequest, viewer: Viewer, sheet: CardSheet, now: datetime) -> dict[str, object]:
    """What people of the plant see of it."""
    words = words_of(viewer.language)
    order = request_of(sheet.turn, plant_ids=viewer.plant_ids) if sheet.turn else None
    before = whole_number(request.GET.get("before", ""))
    log = card_log(sheet.card_id, before=before)
    until = _may_undo(viewer, sheet, now)
    return {
        "order": order,
        "order_state": gettext(ORDER_WORDS[order.state]) if order else "",
        "order_problem": gettext(PROBLEM_WORDS.get(order.problem, "")) if order and order.problem else "",
        "words": words,
        "word": words.tiles.get(sheet.word, sheet.word),
        "does": words.does.get(sheet.phase, ""),
        "owner": words.parties.get(sheet.owner, sheet.owner),
        "why": words.whys.get(sheet.phase, "").format(""),
        "where": _where(sheet),
        "seen": _seen(log.lines if before is None else card_log(sheet.card_id).lines),
        "task": words.demand_cancelled(sheet.number, sheet.turn_number, sheet.gone) if sheet.gone else "",
        "promised": promise(sheet.promised_at, sheet.promise_late, sheet.time_zone, now, words)
        if sheet.promised_at
        else "",
        "happenings": told(log.lines, words),
        "log_older": log.older,
        "log_is_newest": before is None,
        "picture": PartPicture.objects.filter(part_id=sheet.part_id).values_list("width", "height").first(),
        "undo_until": clock(until, sheet.time_zone, now, words.language) if until else "",
        **_turns(request, sheet, words),
    }


def _where(sheet: CardSheet) -> str:
    text = DOCKED if sheet.docked_at is not None else WHERE.get(sheet.word, "")
    return gettext(text).format(demand=sheet.demand, supply=sheet.supply) if text else ""


def _seen(lines: list[HistoryLine]) -> HistoryLine | None:
    """Where somebody was at it last."""
    return next((line for line in lines if line.station and line.type == "scan.applied"), None)


def _turns(request: HttpRequest, sheet: CardSheet, words: Words) -> dict[str, object]:
    """A page of its turns, newest first."""
    below = whole_number(request.GET.get("turn", ""))
    rows = turns_of(sheet.card_id, before=min(below, 2**31 - 1) if below is not None else None)
    loop = Loop.objects.select_related("demand", "supply__supplier", "part").get(pk=sheet.loop_id)
    _, supply = calendars_of(loop)
    return {
        "turns": [_told_turn(row, sheet, supply, words) for row in rows[:TURNS]],
        "turns_older": rows[TURNS - 1].number if len(rows) > TURNS else None,
        "turns_are_newest": below is None,
    }


def _told_turn(row: TurnLine, sheet: CardSheet, calendar: WorkCalendar, words: Words) -> PastTurn:
    begin, end = row.released_at or row.opened_at, row.closed_at
    is_cancelled = row.signal_state == SignalState.CANCELLED
    state = ""
    if is_cancelled:
        state = gettext("cancelled")
    elif end is None:
        state = words.whys.get(row.standing, "").format("")
    steps = steps_of(row.stretches, end or timezone.now(), calendar)
    return PastTurn(
        number=row.number,
        opened_at=row.opened_at,
        closed_at=end,
        took=length(calendar.working_minutes_between(begin, end), words) if end and not is_cancelled else "",
        asked=f"{plain(row.asked)} {sheet.unit}",
        came=f"{plain(row.received)} {sheet.unit}" if row.received is not None else "",
        is_short=row.received is not None and row.received != row.asked,
        state=state,
        reason=row.reason if row.reason not in words.whys else "",
        document=row.document,
        steps=[
            (words.whys.get(reason, reason).format(""), length(minutes, words))
            for reason, minutes in steps.items()
        ],
    )


# -- what a person does here ---------------------------------------------------------------------------------
def _may_undo(viewer: Viewer, sheet: CardSheet, now: datetime) -> datetime | None:
    """Until when the person may take the last scan of the card back; None if they cannot."""
    if viewer.person_id is None or sheet.moved_person != viewer.person_id or sheet.last_scan is None:
        return None
    return undo_until([sheet.last_scan], now=now).get(sheet.last_scan)


@require_POST
@members
def undo(request: HttpRequest, code: str) -> HttpResponseBase:
    """Takes the card's last scan back by the rules' own step; what they say is told either way."""
    viewer, found = viewer_of(request), meant_code(code)
    sheet = card_sheet(found) if found else None
    if sheet is None or sheet.plant_id not in viewer.plant_ids:
        raise Http404(gettext("There is no such card, or it belongs to a plant you are not a member of."))
    asked = ScanRequest(id=new_uuid(), code=sheet.code, intent=Intent.UNDO)
    answer = actions.scan(asked, source=source_of(viewer), now=timezone.now())
    if isinstance(answer, Conflict):
        messages.error(request, answer.message)
    else:
        tell = messages.info if answer.body["outcome"] == Outcome.APPLIED else messages.error
        tell(request, f"{answer.body['message']} {answer.body['next']}")
    return redirect("card", sheet.code)


@require_POST
@members
def report_unknown(request: HttpRequest, code: str) -> HttpResponseBase:
    """A card that nobody knows stands on the list of what needs a look, where a leader gives it to its card or puts it
    aside: it is a scan like any other that found nothing."""
    viewer, found = viewer_of(request), meant_code(code)
    if found is None or not viewer.plant_ids:
        raise Http404(gettext("This is no card code: it cannot be reported."))
    if card_sheet(found) is not None:
        return redirect("card", found)
    answer = actions.scan(
        ScanRequest(id=new_uuid(), code=found), source=source_of(viewer), now=timezone.now()
    )
    if isinstance(answer, Conflict):
        messages.error(request, answer.message)
    else:
        messages.info(
            request,
            gettext("Reported: {} stands on the list of what needs a look. Keep the card aside.").format(
                found
            ),
        )
    return redirect("card", found)
