"""A stored answer as people see it: headline, look, and what belongs to the place where the scan was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark

from jitapp.kanban.answers import ANSWERS, feedback
from jitapp.kanban.vocabulary import Outcome, ScreenState, Sound
from jitapp.plant.models import Station
from jitapp.plant.work import checks_of, standard_work_of
from jitapp.pull.scan_request import Answer, Conflict

# What stands there instead where something else was probably meant.
STATE_HEADLINES = {
    ScreenState.WRONG_CARD: mark("Another card?"),
    ScreenState.STALE_LABEL: mark("Label out of date"),
}
TITLES = {
    "applied": mark("RECORDED"),
    "already": mark("Already done"),
    "bounced": mark("Already counted"),
    "refused": mark("NOT RECORDED"),
    "parked": mark("Kept for your leader"),
}
# The colour follows the sound: an answer that sounds recorded looks recorded.
LOOKS = {Sound.RISING: "ok", Sound.LEVEL: "amber", Sound.FALLING: "red", Sound.TICK: "calm"}


def shown(answer: Answer | Conflict, station: Station | None) -> dict[str, Any]:
    """The answer with `status`, the HTTP status that it has alone, and what the page needs to show it."""
    if isinstance(answer, Conflict):
        refused = {"id": str(answer.id), "outcome": "refused", "code": answer.code, "message": answer.message}
        look = {"headline": gettext("NOT RECORDED"), "look": "red", "next": "", "status": 409}
        return {**refused, **look, "sound": Sound.FALLING, "state": ScreenState.REFUSED}
    return {"status": 200, **shown_body(answer.body, station)}


def shown_body(stored: Mapping[str, Any], station: Station | None = None) -> dict[str, Any]:
    """A body of the public contract with headline, detail and look in the active language."""
    body = dict(stored)
    if "sound" not in body:  # an answer stored before sounds were part of it
        signal = feedback(body["code"])
        body |= {"sound": signal.sound, "state": signal.state}
    code, state = body["code"], body["state"]
    title = (ANSWERS[code].headline if code in ANSWERS else "") or TITLES[body["outcome"]]
    if body["outcome"] != Outcome.APPLIED:
        title = STATE_HEADLINES.get(state, title)
    headline = gettext(title)
    detail = _without(headline, body["message"])
    body |= _at_the_place(body, station)
    return {**body, "headline": headline, "detail": detail, "look": LOOKS[body["sound"]]}


def _at_the_place(body: Mapping[str, Any], station: Station | None) -> dict[str, object]:
    """What the one who fills needs beside the answer: the checks to tick, or how the work is done (requirement A5)."""
    if station is None or not body["card"]:
        return {}
    if body["code"] == "not_ready":
        return {"checks": checks_of(station)}
    if body["code"] == "started":
        part = body["card"]["part"]
        return {"work": standard_work_of(station.pk, [part]).get(part, "")}
    return {}


def _without(headline: str, message: str) -> str:
    """The sentence without the words that stand above it in big letters already."""
    if not message.startswith(f"{headline}: "):
        return message
    rest = message[len(headline) + 2 :]
    return rest[:1].upper() + rest[1:]
