"""Calls for help: the page where they are answered, the buttons by which they are made, the number on the board.

Every form works without JavaScript; with it, htmx swaps the list in place. Nothing here decides: actions do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import update_wrapper
from html import escape
from typing import Any, Concatenate
from urllib.parse import quote, urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from jitapp.accounts.models import new_uuid
from jitapp.kanban import andon
from jitapp.live.ticket import channel_of
from jitapp.plant.models import Area, Station
from jitapp.plant.spoken import spoken
from jitapp.plant.wordings import known_wordings
from jitapp.pull import actions
from jitapp.pull.reading.calls import (
    CallFacts,
    Waiting,
    open_calls,
    open_holds,
    reasons_of,
    solved_calls,
    waiting,
)
from jitapp.pull.scan_request import Conflict, Source
from jitapp.web.board import tick
from jitapp.web.phrases import clock, words_of
from jitapp.web.visit import (
    PEOPLE,
    READERS,
    WHO,
    P,
    Page,
    Viewer,
    declared,
    names_something,
    posted_name,
    readers,
    viewer_of,
)
from jitapp.web.wording import in_area

KIND_WORDS = {
    "material": mark("Material"),
    "quality": mark("Quality"),
    "machine": mark("Machine"),
    "help": mark("Help"),
}
MUST_COME = {
    "team_leader": mark("Team leader must come"),
    "area_leader": mark("Area leader must come"),
    "plant_leader": mark("Plant leader must come"),
}
# Why a call of a runout was solved by itself; the reasons are those of jitapp/kanban/andon.py.
SOLVED_WORDS = {
    "material is there": mark("material is there"),
    "the loop was put on hold": mark("the loop was put on hold"),
    "the loop was retired": mark("the loop was retired"),
    "nobody waits for it any more": mark("nobody waits for it any more"),
    "the buffer had not run out": mark("the buffer had not run out"),
}
TAKEN_BACK = {andon.NOT_NEEDED: mark("not needed any more")}
DECISION_WORDS = {"use": mark("Use it"), "rework": mark("Rework"), "scrap": mark("Scrap")}
# Why a step was refused; the codes are those of jitapp/pull/actions.
REFUSAL_TEXT = {
    "unknown_call": mark("There is no such call in your plant. Load the page again."),
    "unknown_station": mark("There is no such station in your plant. Choose your station again."),
    "unknown_card": mark("There is no such card in your plant. Call without it."),
    "unknown_kind": mark("A call is about material, quality, a machine, or help. Press one of the buttons."),
    "call_id_reused": mark("That call was sent before about something else. Load the page and call again."),
    "call_taken": mark("Somebody else has taken it already. Look who, and help."),
    "call_solved": mark("That call is solved already. Call again if it came back."),
    "reason_missing": mark("A call is closed with its reason. Say what it was."),
    "person_unknown": mark("You do not work in that plant. Ask its leader."),
    "family_missing": mark("Say to which part family the station changes over."),
    "changeover_running": mark("The station is changing over already. Finish that first."),
    "changeover_not_running": mark("No changeover is under way here. Begin one first."),
}


def members(page: Page[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """People who are logged in; a part of a page that asks is sent to the login as a whole."""

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        names_something(kwargs)
        if request.user.is_authenticated:
            return page(request, *args, **kwargs)
        if _is_part(request):
            came_from = _page_of(request)
            to = f"/login/?next={quote(came_from)}" if came_from else "/login/"
            return HttpResponse(headers={"HX-Redirect": to})
        back = _page_of(request) or "/calls" if request.method == "POST" else request.get_full_path()
        return redirect_to_login(back)

    update_wrapper(guarded, page)
    setattr(guarded, WHO, PEOPLE)
    return guarded


def _page_of(request: HttpRequest) -> str:
    """The page on which a form was sent, to come back to after the login; empty if it is not told."""
    came_from = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    ours = url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()})
    return urlsplit(came_from).path if ours else ""


@require_GET
@readers
def calls_page(request: HttpRequest) -> HttpResponseBase:
    """What is open, what was solved lately, and what quality holds."""
    return render(request, "calls/page.html", _list_context(request))


@require_GET
@readers
def calls_list(request: HttpRequest) -> HttpResponseBase:
    """The part of the page that renews itself."""
    return render(request, "calls/list.html", _list_context(request))


@require_POST
@members
def new_call(request: HttpRequest) -> HttpResponseBase:
    """A call from a station's page; the id that came with the page makes a second press harmless."""
    viewer = viewer_of(request)
    problem = ""
    code = posted_name(request, "station")
    try:
        actions.call_for_help(
            station=code,
            kind=request.POST.get("kind", ""),
            stops_line="stops_line" in request.POST,
            note=request.POST.get("note", "")[:1_000],
            card=posted_name(request, "card")[:40],
            id=_uuid(request.POST.get("id", "")),
            source=source_of(viewer),
            now=timezone.now(),
        )
    except actions.CallRefused as refused:
        problem = said(refused.code)
    return _after_station(request, viewer, code, problem)


def _after_station(request: HttpRequest, viewer: Viewer, code: str, problem: str) -> HttpResponseBase:
    if _is_part(request):
        return _panel(request, viewer, code, problem)
    if problem:
        messages.error(request, problem)
    if request.POST.get("from") == "supply":
        return redirect("supply", code)
    return redirect("scan")


@require_GET
@readers
def calls_here(request: HttpRequest, station: str) -> HttpResponseBase:
    """A station's buttons, and what is open there."""
    return _panel(request, viewer_of(request), station, "")


@require_POST
@members
def take(request: HttpRequest, call: UUID) -> HttpResponseBase:
    """A person says that they have it."""
    viewer = viewer_of(request)

    def step(now: datetime) -> None:
        actions.take_call(call_id=call, person_id=viewer.person_id, now=now, source=source_of(viewer))

    return _after(request, step)


@require_POST
@members
def solve(request: HttpRequest, call: UUID) -> HttpResponseBase:
    """What it was, and what keeps it from coming back."""
    viewer = viewer_of(request)

    def step(now: datetime) -> None:
        actions.solve_call(
            call_id=call,
            reason=request.POST.get("reason", "")[:400],
            countermeasure=request.POST.get("countermeasure", "")[:4_000],
            countermeasure_due=_date(request.POST.get("countermeasure_due", "")),
            now=now,
            source=source_of(viewer),
        )

    return _after(request, step)


@require_POST
@members
def take_back(request: HttpRequest, call: UUID) -> HttpResponseBase:
    """Whoever stands at the station needs nobody any more; the station's buttons come back."""
    viewer, problem = viewer_of(request), ""
    code = posted_name(request, "station")
    try:
        actions.solve_call(
            call_id=call, reason=andon.NOT_NEEDED, now=timezone.now(), source=source_of(viewer)
        )
    except actions.CallRefused as refused:
        problem = said(refused.code)
    return _after_station(request, viewer, code, problem)


@require_POST
@members
def hold(request: HttpRequest, code: str) -> HttpResponseBase:
    """Holds a container from its card's page."""
    viewer = viewer_of(request)
    answer = actions.hold_card(
        id=_uuid(request.POST.get("id", "")) or new_uuid(),
        code=code,
        reason=request.POST.get("reason", "")[:400],
        now=timezone.now(),
        source=source_of(viewer),
    )
    _tell(request, answer)
    return redirect("card", code)


@require_POST
@members
def decide(request: HttpRequest, code: str) -> HttpResponseBase:
    """Quality decides what becomes of a held container."""
    viewer = viewer_of(request)
    decision = request.POST.get("decision", "")
    for known in actions.DECISIONS:
        if known == decision:
            _decided(request, viewer, code, known)
    return redirect("calls")


def _decided(request: HttpRequest, viewer: Viewer, code: str, decision: actions.Decision) -> None:
    try:
        answer = actions.release_card(
            id=_uuid(request.POST.get("id", "")) or new_uuid(),
            code=code,
            decision=decision,
            reason=request.POST.get("reason", "")[:400],
            now=timezone.now(),
            source=source_of(viewer),
        )
    except actions.WriteOffRefused as refused:
        messages.error(request, str(refused))
    else:
        _tell(request, answer)


@require_GET
@declared(READERS)
def number(request: HttpRequest, area: str) -> HttpResponse:
    """How many calls an area has, for a board that may have missed one."""
    viewer = viewer_of(request)
    if not viewer.plant_ids:
        return HttpResponse(status=401)
    now = timezone.now()
    if not Area.objects.filter(code=area, plant_id__in=viewer.plant_ids).exists():
        return HttpResponse(status=404)
    found = waiting([area], now=now)[area]
    response = HttpResponse(number_html(area, found, now, viewer.language))
    response["Cache-Control"] = "private, no-store"
    return response


def render_numbers(areas: Iterable[str], *, now: datetime) -> list[tuple[str, int, int, bytes]]:
    """The number of each area for every board that shows it: (channel, 0, version, HTML) per language.

    It travels the way of the rows; no loop has the id 0, and a later drawing has the higher version.
    """
    version = int(now.timestamp() * 1000)
    return [
        (channel_of(area, language), 0, version, number_html(area, found, now, language).encode())
        for area, found in waiting(areas, now=now).items()
        for language, _name in settings.LANGUAGES
    ]


def number_html(area: str, found: Waiting, now: datetime, language: str) -> str:
    """The band's last number: how many calls are open, and how old the oldest is."""
    words = words_of(language, known_wordings().of_area(area))
    with spoken(language, known_wordings().of_area(area)):
        word = gettext("CALL") if found.count == 1 else gettext("CALLS")
        none, oldest = gettext("nobody waits"), gettext("oldest")
    age = f"{escape(oldest)} {tick('since', found.oldest, now, words)}" if found.oldest else escape(none)
    return (
        f'<a class="call-number" id="calls-number" href="/calls" data-n="{found.count}" data-red="{int(found.red)}"'
        f' data-at="{int(now.timestamp() * 1000)}" data-area="{escape(area)}"'
        f' data-channel="{escape(channel_of(area, language))}"><b>{found.count}</b>'
        f'<span class="word"><svg class="shape" aria-hidden="true"><use href="#sh-call"/>'
        f"</svg>{escape(word)}</span><small>{age}</small></a>"
    )


def said(code: str) -> str:
    """Why a step was refused, in the reader's language."""
    return gettext(REFUSAL_TEXT[code])


def source_of(viewer: Viewer) -> Source:
    """The person who looks, as actions know them."""
    return Source(
        person_id=viewer.person_id,
        plant_ids=viewer.plant_ids,
        roles=viewer.roles,
        language=viewer.language,
        name=viewer.name,
    )


def shown(call: CallFacts) -> dict[str, object]:
    """A call with its words: state, kind, who called and who must act; those of a runout in the reader's language."""
    taken = call.owned_at is not None
    state = "move" if taken else "act" if call.red else "soon"
    by_itself = call.runout is not None
    known = (SOLVED_WORDS if by_itself else TAKEN_BACK).get(call.reason)
    reason = gettext(known) if known else call.reason
    word = gettext("TAKEN") if taken else gettext("UNANSWERED") if call.red else gettext("CALLED")
    by_name = taken or call.must_come == "person"
    if taken:
        who = gettext("{} has it").format(call.owner)
    elif by_name:
        who = gettext("{} must come").format(call.must_come_name)
    else:
        who = gettext(MUST_COME[call.must_come])
    return {
        "call": call,
        "kind": gettext(KIND_WORDS[call.kind]),
        "by": gettext("the buffer itself") if by_itself else call.called_by,
        "again": _again(call),
        "note": gettext("{} has run out").format(call.part) if by_itself else call.note,
        "reason": reason,
        "state": state,
        "word": word,
        "who": who,
        "name": "" if by_name else call.must_come_name,
        "steps": [step <= call.level for step in range(1, call.top + 1)],
    }


def _again(call: CallFacts) -> str:
    """How often it was called for, and when last; empty for once."""
    if call.times < 2:
        return ""
    at = clock(call.last_called_at, call.time_zone, timezone.now(), get_language() or "en")
    return gettext("called {times} times, last at {at}").format(times=call.times, at=at)


def panel_context(station: Station, plant_ids: Iterable[int], problem: str = "") -> dict[str, object]:
    """A station's buttons and its open calls."""
    found = open_calls(plant_ids=plant_ids, now=timezone.now(), station=station.code)
    return {
        "station": station,
        "kinds": [(kind, gettext(word)) for kind, word in KIND_WORDS.items()],
        "fresh_id": str(new_uuid()),
        "calls": [shown(call) for call in found],
        "problem": problem,
    }


def _panel(request: HttpRequest, viewer: Viewer, code: str, problem: str) -> HttpResponseBase:
    station = Station.objects.filter(code=code, plant_id__in=viewer.plant_ids).first()
    if station is None:
        raise Http404(gettext("There is no such station, or it belongs to a plant you are not a member of."))
    return render(request, "calls/panel.html", panel_context(station, viewer.plant_ids, problem))


def _list_context(request: HttpRequest, problem: str = "") -> dict[str, object]:
    viewer, now = viewer_of(request), timezone.now()
    found, solved = (each(plant_ids=viewer.plant_ids, now=now) for each in (open_calls, solved_calls))
    return {
        "calls": [in_area(call.area, shown, call) for call in found],
        "solved": [in_area(call.area, shown, call) for call in solved],
        "holds": [(hold, str(new_uuid())) for hold in open_holds(viewer.plant_ids)],
        "decisions": [(value, gettext(word)) for value, word in DECISION_WORDS.items()],
        "reasons": reasons_of(viewer.plant_ids),
        "viewer": viewer,
        "problem": problem,
        "now_ms": int(now.timestamp() * 1000),
        "script_words": _words_for_script(viewer.language),
    }


def _after(request: HttpRequest, step: Callable[[datetime], object]) -> HttpResponseBase:
    """Does the step; the list comes back, with a sentence if the step was refused."""
    problem = ""
    try:
        step(timezone.now())
    except actions.CallRefused as refused:
        problem = said(refused.code)
    if _is_part(request):
        return render(request, "calls/list.html", _list_context(request, problem))
    if problem:
        messages.error(request, problem)
    return redirect("calls")


def _tell(request: HttpRequest, answer: Any) -> None:
    text = (
        answer.message if isinstance(answer, Conflict) else f"{answer.body['message']} {answer.body['next']}"
    )
    messages.info(request, text)


def _is_part(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _date(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _words_for_script(language: str) -> dict[str, str]:
    words = words_of(language)
    return {
        **{name: words[name] for name in ("in", "any", "overdue", "min", "h", "d", "s", "ago")},
        "live": gettext("LIVE"),
        "stale": gettext("STALE"),
        "dead": gettext("NO DATA SINCE {}"),
    }
