"""Line walks: scan what stands along a line, see where floor and system differ, mend each with one touch.

Every form works without JavaScript; codes may also come many at once, as JSON, from a photograph. A walk belongs to
whoever walks, and goes on where it was left.
"""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import Role
from jitapp.pull.reading.containers import Container
from jitapp.pull.scan_request import Answer, Conflict
from jitapp.rounds.models import Finding
from jitapp.rounds.vocabulary import Difference, Remedy
from jitapp.rounds.walking import Different
from jitapp.rounds.walks import (
    MOST_CODES,
    NEEDS,
    Place,
    State,
    WalkRefused,
    begin,
    findings_of,
    finish,
    history,
    mend,
    note_seen,
    open_walk,
    place_in,
    places_in,
    state_of,
    walk_in,
)
from jitapp.web.calls import members
from jitapp.web.camera import camera_words
from jitapp.web.phrases import Words, words_of
from jitapp.web.rounds import posted_id, said_of_command, scanning_source, script_words
from jitapp.web.said import Said, said_of
from jitapp.web.visit import Viewer, posted_name, readers, viewer_of

CODE_LIMIT = 4_096
BODY_LIMIT = 500_000

# The word on the chip, the sentence, and the state whose colour and shape it has.
KINDS = {
    Difference.MISSING: (mark("Not seen"), mark("should stand here: {position}"), "act"),
    Difference.ELSEWHERE: (mark("Belongs elsewhere"), mark("belongs to {demand}: {position}"), "soon"),
    Difference.NOT_FULL: (
        mark("Empty in the system"),
        mark("stands here, but is {position} for the system"),
        "act",
    ),
    Difference.NOT_RECEIVED: (
        mark("Not received"),
        mark("stands here, but is {position} for the system"),
        "act",
    ),
    Difference.NOT_TAKEN: (mark("Belongs elsewhere"), mark("belongs to {demand}: {position}"), "soon"),
    Difference.HELD: (mark("On hold"), mark("must not be used: {note}"), "held"),
    Difference.LOST: (mark("Reported lost"), mark("was reported lost and stands here"), "act"),
    Difference.NEW: (mark("New card"), mark("was never put in use"), "soon"),
    Difference.WITHDRAWN: (mark("Withdrawn"), mark("takes part no more: put the card in the red box"), "act"),
    Difference.UNKNOWN: (mark("Not known"), mark("is no card that is known here"), "act"),
}
BUTTONS = {
    Remedy.EMPTY: mark("It is empty"),
    Remedy.FULL: mark("It is full"),
    Remedy.RECEIVE: mark("It came in"),
    Remedy.FOUND: mark("It is found"),
    Remedy.LOST: mark("Report it lost"),
    Remedy.ACTIVATE: mark("Put it in use, full"),
    Remedy.MOVED: mark("Taken where it belongs"),
    Remedy.RED_BOX: mark("Put in the red box"),
    Remedy.RIGHT: mark("It is right as it stands"),
    Remedy.SEEN: mark("It does stand here"),
}
REFUSALS = {
    "person_unknown": mark("Log in first: a walk is somebody's."),
    "not_walking": mark("This walk is finished. Begin another one."),
    "no_difference": mark("This is no difference any more: it was mended, or the container has moved."),
    "unknown_remedy": mark("It cannot be mended so. Press one of the buttons."),
}


@require_GET
@readers
def places_page(request: HttpRequest) -> HttpResponseBase:
    """The areas and stations that somebody can walk along."""
    viewer = viewer_of(request)
    return render(request, "rounds/places.html", {"places": places_in(viewer.plant_ids)})


@require_GET
@readers
def walk_page(request: HttpRequest, place: str) -> HttpResponseBase:
    """The walk of whoever looks, or the button that begins it; the walks before."""
    viewer = viewer_of(request)
    context = _context(request, viewer, _place(viewer, place))
    return render(request, "rounds/walk.html", context | {"script_words": script_words(viewer)})


@require_GET
@readers
def walk_now(request: HttpRequest, place: str) -> HttpResponseBase:
    """The part of the page that renews itself."""
    viewer = viewer_of(request)
    return render(request, "rounds/walk_now.html", _context(request, viewer, _place(viewer, place)))


@require_GET
@readers
def past_walk(request: HttpRequest, place: str, walk: UUID) -> HttpResponseBase:
    """A finished walk: its figures and every difference."""
    viewer = viewer_of(request)
    found, along = walk_in(walk, viewer.plant_ids), _place(viewer, place)
    if found is None or found.place != along.code or found.finished_at is None:
        raise Http404(gettext("There is no such walk, or it is not finished."))
    words = words_of(viewer.language)
    findings = [_finding(finding, words) for finding in findings_of(found)]
    past = next((each for each in history(along) if each.walk.pk == found.pk), None)
    context = {
        "place": along,
        "walk": found,
        "findings": findings,
        "accuracy": past.accuracy if past else None,
    }
    return render(request, "rounds/walk_past.html", context)


@require_POST
@members
def walk_begin(request: HttpRequest, place: str) -> HttpResponseBase:
    """Begins the walk, or goes on with it."""
    viewer = viewer_of(request)
    along = _place(viewer, place)
    begin(along, source=scanning_source(request, viewer), now=timezone.now())
    return redirect("walk", along.code)


@require_POST
@members
def walk_seen(request: HttpRequest, place: str) -> HttpResponseBase:
    """One code from a form, or many as JSON: `{"codes": [...]}`, of a photograph. Scanned again they add nothing."""
    viewer, now = viewer_of(request), timezone.now()
    along = _place(viewer, place)
    if request.content_type == "application/json":
        return _many(request, viewer, along)
    walk = open_walk(along, viewer.person_id)
    if walk is None:
        return _after(request, viewer, along, _refused("not_walking"))
    code = request.POST.get("code", "")[:CODE_LIMIT]
    if command := said_of_command(code):
        return _after(request, viewer, along, command)
    noted = note_seen(walk, [code], now=now)
    if not noted:
        missing = gettext("There is no code. Scan the card, or type its code.")
        return _after(request, viewer, along, Said("red", gettext("Not readable"), missing))
    state = state_of(walk, along)
    return _after(request, viewer, along, _said_of_seen(noted, state, words_of(viewer.language)))


def _many(request: HttpRequest, viewer: Viewer, along: Place) -> JsonResponse:
    """Codes of one photograph; the answer says of each what it is."""
    try:
        body = json.loads(request.body) if len(request.body) <= BODY_LIMIT else None
    except (ValueError, RecursionError):
        body = None
    codes = body.get("codes") if isinstance(body, dict) else None
    if (
        not isinstance(codes, list)
        or len(codes) > MOST_CODES
        or not all(isinstance(code, str) and len(code) <= CODE_LIMIT for code in codes)
    ):
        sentence = gettext("Send the codes as a list of at most {} texts.").format(MOST_CODES)
        return JsonResponse({"code": "malformed", "message": sentence}, status=400)
    walk = open_walk(along, viewer.person_id)
    if walk is None:
        return JsonResponse({"code": "not_walking", "message": gettext(REFUSALS["not_walking"])}, status=409)
    noted = note_seen(walk, codes, now=timezone.now())
    state, words = state_of(walk, along), words_of(viewer.language)
    open_ = {each.code: each for each in state.open}
    parts = {one.code: one.container.part for one in state.seen if one.container}
    rows = [
        {
            "code": code,
            "new": new,
            "part": parts.get(code, ""),
            "difference": str(open_[code].kind) if code in open_ else None,
            "message": _sentence(open_[code], words) if code in open_ else "",
        }
        for code, new in noted
    ]
    new = sum(new for _, new in noted)
    wrong = sum(row["difference"] is not None for row in rows)
    said = gettext("Cards read: {}").format(len(rows))
    told = gettext("{new} new on this walk, {wrong} with a difference.").format(new=new, wrong=wrong)
    return JsonResponse(
        {
            "seen": len(state.seen),
            "expected": state.expected,
            "new": new,
            "open": len(open_),
            "codes": rows,
            "headline": said,
            "message": told,
            "look": "amber" if wrong else "ok",
        }
    )


@require_POST
@members
def walk_mend(request: HttpRequest, place: str) -> HttpResponseBase:
    """One difference, mended with one touch."""
    viewer = viewer_of(request)
    along = _place(viewer, place)
    walk = open_walk(along, viewer.person_id)
    if walk is None:
        return _after(request, viewer, along, _refused("not_walking"))
    remedy = request.POST.get("remedy", "")
    try:
        answer = mend(
            walk,
            along,
            code=posted_name(request, "code")[:200],
            remedy=remedy,
            scan_id=posted_id(request),
            source=scanning_source(request, viewer),
            now=timezone.now(),
        )
    except WalkRefused as refused:
        return _after(request, viewer, along, _refused(refused.code))
    return _after(request, viewer, along, _mended(answer, remedy))


@require_POST
@members
def walk_finish(request: HttpRequest, place: str) -> HttpResponseBase:
    """Ends the walk; its summary follows."""
    viewer = viewer_of(request)
    along = _place(viewer, place)
    walk = open_walk(along, viewer.person_id)
    if walk is None:
        return redirect("walk", along.code)
    done = finish(walk, along, source=scanning_source(request, viewer), now=timezone.now())
    return redirect("walk-past", along.code, done.uuid)


def _place(viewer: Viewer, code: str) -> Place:
    found = place_in(code, viewer.plant_ids)
    if found is None:
        raise Http404(
            gettext("There is no such area or station, or it belongs to a plant you are not a member of.")
        )
    return found


def _refused(code: str) -> Said:
    return Said("amber", gettext("NOT RECORDED"), gettext(REFUSALS[code]), code=code)


def _mended(answer: Answer | Conflict | None, remedy: str) -> Said:
    if answer is not None:
        return said_of(answer)
    return Said("ok", gettext("Kept"), gettext(BUTTONS[Remedy(remedy)]), applied=True)


def _said_of_seen(noted: list[tuple[str, bool]], state: State, words: Words) -> Said:
    """What a scan on the walk says: the last difference among its codes, else that all is right."""
    open_ = {each.code: each for each in state.open}
    parts = {one.code: one.container for one in state.seen}
    for code, _ in reversed(noted):
        if code in open_:
            word, _sentence_of, state_word = KINDS[open_[code].kind]
            look = "red" if state_word == "act" else "amber"
            sentence = f"{_sentence(open_[code], words)}."
            return Said(look, gettext(word), sentence, gettext("Mend it below, or later."))
    code, new = noted[-1]
    container = parts.get(code)
    named = _named(container, code)
    if not new:
        return Said("calm", gettext("Already seen"), named)
    return Said("ok", gettext("Right"), named)


def _named(container: Container | None, code: str) -> str:
    if container is None:
        return code
    return gettext("{part} card {number}").format(part=container.part, number=container.number)


def _sentence(each: Different, words: Words) -> str:
    _, sentence, _ = KINDS[each.kind]
    container = each.container
    if container is None:
        return f"{each.code} {gettext(sentence)}"
    facts = {
        "demand": container.demand_name,
        "position": words.tiles.get(container.position, container.position),
        "note": container.note or "–",
    }
    return f"{_named(container, each.code)} {gettext(sentence).format(**facts)}"


def _after(request: HttpRequest, viewer: Viewer, place: Place, said: Said) -> HttpResponseBase:
    if request.headers.get("HX-Request") == "true":
        context = _context(request, viewer, place, said) | {"oob": True}
        return render(request, "rounds/walk_now.html", context)
    messages.info(request, " ".join(filter(None, (f"{said.headline}.", said.message, said.next))))
    return redirect("walk", place.code)


def _context(
    request: HttpRequest, viewer: Viewer, place: Place, said: Said | None = None
) -> dict[str, object]:
    now, words = timezone.now(), words_of(viewer.language)
    walk = open_walk(place, viewer.person_id)
    state = state_of(walk, place) if walk else None
    roles = viewer.roles.get(place.plant_id, frozenset())
    found = [_shown(each, words, roles) for each in state.open] if state else []
    return {
        "place": place,
        "walk": walk,
        "state": state,
        "open": [each for each in found if each["kind"] != Difference.MISSING],
        "missing": [each for each in found if each["kind"] == Difference.MISSING],
        "done": [_finding(finding, words) for finding in state.done] if state else [],
        "history": history(place),
        "said": said,
        "may_act": request.user.is_authenticated,
        "camera": camera_words(),
        "fresh_id": str(new_uuid()),
        "now": now,
        "now_ms": int(now.timestamp() * 1000),
    }


def _shown(each: Different, words: Words, roles: frozenset[str]) -> dict[str, object]:
    word, _, state = KINDS[each.kind]
    return {
        "different": each,
        "kind": each.kind,
        "container": each.container,
        "word": gettext(word),
        "state": state,
        "sentence": _sentence(each, words),
        "remedies": [
            (str(remedy), gettext(BUTTONS[remedy]), _needs(remedy, roles), str(new_uuid()))
            for remedy in each.remedies
        ],
    }


def _needs(remedy: Remedy, roles: frozenset[str]) -> str:
    """Whom it needs if whoever walks may not do it."""
    needed = NEEDS.get(remedy, frozenset())
    if not needed or needed & roles:
        return ""
    return gettext("a leader or a planner") if Role.PLANNER in needed else gettext("a leader")


def _finding(finding: Finding, words: Words) -> dict[str, object]:
    word, _, state = KINDS[Difference(finding.kind)]
    return {
        "finding": finding,
        "word": gettext(word),
        "state": "ok" if finding.mended_by else state,
        "system": words.tiles.get(finding.system, finding.system),
        "how": gettext(BUTTONS[Remedy(finding.mended_by)]) if finding.mended_by else gettext("not mended"),
    }
