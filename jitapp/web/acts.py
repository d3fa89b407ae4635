"""What handlers did on their pages and a device kept: rounds, receiving and walks, through the door of the tablets.

A record of the tablet's queue with `act` is one of these instead of a scan of its station. It is done for whoever did
it, with their rights if they are logged in there now, in the plants of the device and of that person.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from msgspec import structs

from jitapp.kanban.vocabulary import Outcome, ScreenState, Sound
from jitapp.pull.scan_request import ScanRequest, Source
from jitapp.web import receiving, rounds, walks
from jitapp.web.act import Doer, Done, kept_act
from jitapp.web.answers import shown

DOERS: dict[str, Doer] = {**rounds.DOERS, **receiving.DOERS, **walks.DOERS}
SOUNDS = {"ok": Sound.RISING, "calm": Sound.TICK, "amber": Sound.LEVEL, "red": Sound.FALLING}


def done(said: object, request: ScanRequest, source: Source, now: datetime) -> dict[str, Any]:
    """Does what `said` names and answers in the shape of a scan's answer; 422 for what nobody could do."""
    told = structs.replace(request, station=None, intent=None, by=None, actor=None, seq=None, epoch=None)
    act = kept_act(said, told)
    doer = DOERS.get(act.do) if act is not None else None
    if act is None or doer is None:
        return _not_taken(request, "malformed", gettext("What was done could not be read."))
    actor = request.actor
    if actor is not None and actor.doubt:
        gone = gettext("Whoever did it works here no more. Ask your leader what to do about it.")
        return _not_taken(request, "person_gone", gone)
    if actor is not None:
        plants = source.plant_ids | frozenset(actor.roles)
        source = replace(source, person_id=actor.person_id, roles=actor.roles, plant_ids=plants)
    return told_of(request, doer(act, source, now))


def _not_taken(request: ScanRequest, code: str, sentence: str) -> dict[str, Any]:
    return {"id": str(request.id), "status": 422, "code": code, "message": sentence}


def told_of(request: ScanRequest, what: Done) -> dict[str, Any]:
    """The answer as the pages show it."""
    said = what.said
    state = ScreenState.REFUSED if what.outcome is Outcome.REFUSED else ScreenState.APPLIED
    body: dict[str, Any] = {"status": 200, "card": None, "state": state, "recorded_at": None}
    if what.answer is not None:
        body = shown(what.answer, None)
    return body | {
        "id": str(request.id),
        "outcome": str(what.outcome),
        "code": said.code or str(what.outcome),
        "headline": said.headline,
        "message": said.message,
        "detail": said.message,
        "next": said.next,
        "look": said.look,
        "sound": str(SOUNDS[said.look]),
    }
