"""Line walks: scan what stands along a line, see where floor and system differ, mend each with one touch.

Every form works without JavaScript. With it a device keeps what was scanned until the server has it (web/acts.py); the
codes of one photograph are one act. A walk belongs to whoever walks, and goes on where it was left.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import Role, StationKind
from jitapp.plant.models import Station
from jitapp.pull import actions
from jitapp.pull.reading.containers import Container
from jitapp.pull.scan_request import Source
from jitapp.rounds.models import Finding, Walk
from jitapp.rounds.vocabulary import Difference, Remedy
from jitapp.rounds.walking import Different
from jitapp.rounds.walks import (
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
    stand_at,
    state_of,
    station_meant,
    walk_in,
)
from jitapp.web.act import Act, Doer, Done, kept, posted_act, refused, scanned
from jitapp.web.calls import members
from jitapp.web.camera import camera_words
from jitapp.web.phrases import Words, words_of
from jitapp.web.rounds import said_of_command, scanning_source, script_data, tell
from jitapp.web.said import Said
from jitapp.web.visit import Viewer, readers, viewer_of

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
    "unknown_station": mark("This station does not belong to the place you walk along."),
    "unknown_place": mark(
        "There is no such area or station, or it belongs to a plant you are not a member of."
    ),
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
    along = _place(viewer, place)
    context = _context(request, viewer, along) | script_data(request, viewer, along.code)
    return render(request, "rounds/walk.html", context)


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
    """What stands there, of a page without JavaScript; with it a device keeps it and sends it to `/s/scans`."""
    return _after(request, "seen", place)


@require_POST
@members
def walk_mend(request: HttpRequest, place: str) -> HttpResponseBase:
    """One difference, mended with one touch."""
    return _after(request, "mend", place)


@require_POST
@members
def walk_stand(request: HttpRequest, place: str) -> HttpResponseBase:
    """At which station of the area somebody stands."""
    return _after(request, "stand", place)


def _after(request: HttpRequest, do: str, place: str) -> HttpResponseBase:
    viewer = viewer_of(request)
    along = _place(viewer, place)
    act = posted_act(request, do, along.code)
    done = DOERS[do](act, scanning_source(request, viewer), timezone.now())
    tell(request, done.said)
    return redirect("walk", along.code)


# -- what is done, with or without JavaScript ----------------------------------------------------------------------
def _under_way(act: Act, source: Source) -> tuple[Place, Walk] | Done:
    """The walk of whoever acts along the place, or why there is none."""
    place = place_in(act.place, source.plant_ids)
    if place is None:
        return refused(_refused("unknown_place"))
    walk = open_walk(place, source.person_id)
    return (place, walk) if walk is not None else refused(_refused("not_walking"))


def seen_act(act: Act, source: Source, now: datetime) -> Done:
    """Codes of one read, or of one photograph: what stands there. The code of a station says where somebody stands."""
    found = _under_way(act, source)
    if isinstance(found, Done):
        return found
    place, walk = found
    if command := said_of_command(act.code):
        return kept(command)
    station = station_meant(place, act.code)
    if station is not None:
        return stand_act(replace(act, station=station), source, now)
    noted = note_seen(walk, [act.code], at=actions.happened_at(act.told, now))
    if not noted:
        missing = gettext("There is no code. Scan the card, or type its code.")
        return refused(Said("red", gettext("Not readable"), missing))
    state, words = state_of(walk, place), words_of(source.language)
    return kept(_said_of_seen(noted, state, words) if len(noted) == 1 else _said_of_many(noted, state))


def stand_act(act: Act, source: Source, now: datetime) -> Done:
    """At which station of the area somebody stands; empty: somewhere along it."""
    found = _under_way(act, source)
    if isinstance(found, Done):
        return found
    place, walk = found
    try:
        stand_at(walk, place, act.station)
    except WalkRefused as why:
        return refused(_refused(why.code))
    if not act.station:
        return kept(Said("calm", place.name, gettext("What you scan stands somewhere along here.")))
    return kept(Said("ok", _name_of(act.station), gettext("What you scan now stands here.")))


def mend_act(act: Act, source: Source, now: datetime) -> Done:
    """One difference, mended with one touch."""
    found = _under_way(act, source)
    if isinstance(found, Done):
        return found
    place, walk = found
    try:
        answer = mend(walk, place, code=act.card, remedy=act.remedy, request=act.told, source=source, now=now)
    except WalkRefused as why:
        return refused(_refused(why.code))
    if answer is not None:
        return scanned(answer)
    return kept(Said("ok", gettext("Kept"), gettext(BUTTONS[Remedy(act.remedy)]), applied=True))


DOERS: dict[str, Doer] = {"seen": seen_act, "stand": stand_act, "mend": mend_act}


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


def _name_of(station: str) -> str:
    return Station.objects.filter(code=station).values_list("name", flat=True).first() or station


def _said_of_many(noted: list[tuple[str, bool]], state: State) -> Said:
    """What is said of the codes of one photograph."""
    open_ = {each.code for each in state.open}
    new = sum(new for _, new in noted)
    wrong = sum(code in open_ for code, _ in noted)
    told = gettext("{new} new on this walk, {wrong} with a difference.").format(new=new, wrong=wrong)
    return Said("amber" if wrong else "ok", gettext("Cards read: {}").format(len(noted)), told)


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


def _context(request: HttpRequest, viewer: Viewer, place: Place) -> dict[str, object]:
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
        "stations": _stations(place) if len(place.stations) > 1 else [],
        "may_act": request.user.is_authenticated,
        "camera": camera_words(),
        "fresh_id": str(new_uuid()),
        "now": now,
        "now_ms": int(now.timestamp() * 1000),
    }


def _stations(place: Place) -> list[tuple[str, str]]:
    """Code and name of the stations of an area, as somebody walks along them; suppliers stand elsewhere."""
    rows = Station.objects.filter(pk__in=[pk for pk, _ in place.stations]).exclude(kind=StationKind.SUPPLIER)
    return list(rows.order_by("position", "name").values_list("code", "name"))


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
