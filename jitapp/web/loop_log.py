"""The log of a loop in sentences, page by page with a filter, and the page of one event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET

from jitapp.kanban.vocabulary import SignalState
from jitapp.plant.models import Loop
from jitapp.pull.reading.chain import ChainTurn, chain
from jitapp.pull.reading.log import ABOUT, event_sheet, loop_log
from jitapp.web.happenings import told
from jitapp.web.phrases import Words, clock, plain, words_of
from jitapp.web.visit import readers, viewer_of

FILTERS = {
    "": mark("Everything"),
    "moves": mark("Containers that moved"),
    "signals": mark("Signals and refills"),
    "waits": mark("Waits, runouts, calls"),
    "cards": mark("Cards"),
    "settings": mark("Settings"),
}
MOST_CHAIN = 40  # turns of a chain on the page


def log_context(request: HttpRequest, loop: Loop, words: Words) -> dict[str, object]:
    """The page of the log that the address names, with the ways to the others."""
    about = request.GET.get("about", "")
    about = about if about in ABOUT else ""
    card = whole_number(request.GET.get("card", ""))
    before = whole_number(request.GET.get("before", ""))
    page = loop_log(loop.pk, before=before, about=about, card=card)
    chosen = {name: value for name, value in (("about", about), ("card", card)) if value}
    days = {"days": request.GET["days"]} if request.GET.get("days") else {}
    looked_to = (
        clock(page.looked_to, loop.plant.time_zone, timezone.now(), words.language, exact=True)
        if page.looked_to
        else ""
    )
    return {
        "happenings": told(page.lines, words),
        "log_filters": [(name, gettext(text), name == about) for name, text in FILTERS.items()],
        "log_card": card or "",
        "log_older": urlencode({**days, **chosen, "before": page.older}) if page.older else "",
        "log_newest": urlencode({**days, **chosen}) if before is not None else "",
        "log_is_filtered": bool(chosen),
        "log_looked_to": looked_to,
        "log_days": request.GET.get("days", ""),
    }


def whole_number(text: str) -> int | None:
    """A number of an address; None for anything else."""
    text = text.strip()
    return min(int(text), 2**62) if text.isascii() and text.isdigit() and len(text) < 19 else None


# -- one event -----------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Caused:
    """A turn of the chain as the page names it; `level` 1, 2 ... upstream, below 0 downstream."""

    level: int
    part: str
    card: str
    card_number: int
    way: str
    opened_at: datetime
    state: str


@require_GET
@readers
def event_page(request: HttpRequest, loop_id: int, seq: int) -> HttpResponseBase:
    """One event: what was scanned, by whom, on which device, when it happened and when it was known, what it changed,
    and what it caused upstream."""
    viewer, now = viewer_of(request), timezone.now()
    loop = (
        Loop.objects.select_related("part", "plant", "demand", "supply")
        .filter(pk=loop_id, plant_id__in=viewer.plant_ids)
        .first()
    )
    sheet = event_sheet(loop_id, min(seq, 2**62)) if loop is not None else None
    if loop is None or sheet is None:
        raise Http404(gettext("There is no such event, or it belongs to a plant you are not a member of."))
    words = words_of(viewer.language)
    found = chain(sheet.turn, plant_ids=viewer.plant_ids, now=now) if sheet.turn else None
    turns = [_caused(each, words) for each in found.turns] if found else []
    (itself,) = told([sheet.line], words)
    delay = (sheet.line.recorded_at - sheet.line.occurred_at).total_seconds()
    facts = facts_of(sheet.data, loop, words, now)
    context = {
        "loop": loop,
        "sheet": sheet,
        "itself": itself,
        "facts": [(name, value) for name, value in facts if value != itself.detail],
        "together": [
            (each, sheet.loops.get(each.line.loop_id or 0, "")) for each in told(sheet.together, words)
        ],
        "delay": words.span(delay) if delay >= 1 else "",
        "upstream": [turn for turn in turns if turn.level > 0][:MOST_CHAIN],
        "downstream": [turn for turn in reversed(turns) if turn.level < 0][:MOST_CHAIN],
        "words": words,
        "now": now,
    }
    return render(request, "loop/event.html", context)


def _caused(each: ChainTurn, words: Words) -> Caused:
    turn = each.turn
    if turn.signal_state == SignalState.CANCELLED:
        state = gettext("cancelled")
    elif turn.closed_at is not None:
        state = gettext("came back full")
    else:
        state = words.whys.get(turn.standing, "").format("")
    return Caused(
        each.level,
        turn.part,
        turn.card,
        turn.card_number,
        f"{turn.supply} → {turn.demand}",
        turn.opened_at,
        state,
    )


# What an event says beside its sentence: the member of its data, its name, and how it is written.
_FACTS = (
    ("asked", mark("Asked for"), "pieces"),
    ("quantity", mark("Quantity"), "pieces"),
    ("contents", mark("Contents"), "pieces"),
    ("left", mark("Still in it"), "pieces"),
    ("expected", mark("On record"), "pieces"),
    ("found", mark("Counted"), "pieces"),
    ("difference", mark("Difference"), "pieces"),
    ("needed", mark("Needed"), "pieces"),
    ("short", mark("Missing"), "pieces"),
    ("due_at", mark("Due"), "time"),
    ("promised_at", mark("Promised for"), "time"),
    ("document", mark("Document of the ERP"), "text"),
    ("reason", mark("Reason"), "reason"),
    ("note", mark("Note"), "text"),
    ("why", mark("Why"), "text"),
    ("cause", mark("Cause"), "cause"),
    ("owner", mark("Who has to act"), "party"),
    ("minutes", mark("It lasted"), "minutes"),
    ("working_minutes", mark("Of that in working time"), "minutes"),
    ("cards", mark("Cards"), "text"),
)
SETTINGS = {
    "quantity": mark("Pieces a card asks for"),
    "lead_time_minutes": mark("Lead time in working minutes"),
    "status": mark("State of the loop"),
    "hold_reason": mark("Reason of the hold"),
    "cards": mark("Cards"),
    "reorder_level": mark("Reorder level"),
    "lot_quantity": mark("Pieces released together"),
    "max_empty_allowed": mark("Empty cards that are allowed"),
}
STATUS_WORDS = {
    "DRAFT": mark("draft"),
    "ACTIVE": mark("in use"),
    "ON_HOLD": mark("on hold"),
    "RETIRED": mark("ended"),
}


def facts_of(data: Mapping[str, Any], loop: Loop, words: Words, now: datetime) -> list[tuple[str, str]]:
    """What an event says, in words: (name, value)."""
    found = []
    for member, name, kind in _FACTS:
        if data.get(member) in (None, "", []):
            continue
        value = _fact(data[member], kind, loop, words, now)
        if value:
            found.append((gettext(name), value))
    if data.get("override"):
        found.append((gettext("Scanned at"), gettext("the other end of the loop, by a leader")))
    if data.get("implied") or data.get("inferred"):
        found.append((gettext("Known from"), gettext("a later scan")))
    changed = data.get("changed") or {}
    other = 0
    for member, values in changed.items():
        if member in SETTINGS:
            found.append((gettext(SETTINGS[member]), _change(values)))
        else:
            other += 1
    if other:
        found.append((gettext("Other settings that changed"), str(other)))
    return found


def _change(values: Mapping[str, str]) -> str:
    before, after = (
        gettext(STATUS_WORDS[text]) if text in STATUS_WORDS else text or "–"
        for text in (str(values.get("before", "")), str(values.get("after", "")))
    )
    return f"{before} → {after}"


def _fact(value: Any, kind: str, loop: Loop, words: Words, now: datetime) -> str:
    if kind == "pieces":
        try:
            return f"{plain(Decimal(str(value)))} {loop.part.unit}"
        except InvalidOperation:
            return ""
    if kind == "time":
        at = parse_datetime(str(value))
        return clock(at, loop.plant.time_zone, now, words.language, exact=True) if at else ""
    if kind == "minutes":
        return words.span(float(value) * 60)
    if kind == "party":
        return words.parties.get(str(value), str(value))
    if kind in ("cause", "reason"):
        return words.causes.get(str(value), str(value)).format("")
    return str(value)
