"""Many rows at once: what to do is asked, then shown for every row, and only then done.

Loops are held, released and retired with a reason; of every kind one member is set to one value. A row that the rules
refuse says why and stays as it is; the others are done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_POST

from jitapp.kanban.vocabulary import LoopStatus
from jitapp.plant.masters.bills import BILLS
from jitapp.plant.models import Plant
from jitapp.pull import actions
from jitapp.pull.scan_request import Source
from jitapp.web.calls import members, source_of
from jitapp.web.leading import led_plants
from jitapp.web.masters.drawing import Drawing, field_named, said
from jitapp.web.masters.fields import Field, Raw, read
from jitapp.web.masters.kinds import Kind, kind_named
from jitapp.web.masters.pages import PLANNERS, planned_plant
from jitapp.web.masters.refusals import refused
from jitapp.web.masters.saving import Refusal, readable, save
from jitapp.web.masters.words import label, word_of
from jitapp.web.visit import viewer_of

MOST = 500
HOLD, RESUME, RETIRE = "hold", "resume", "retire"
ACTS = {HOLD: mark("Hold"), RESUME: mark("Release the hold"), RETIRE: mark("Retire for good")}
NOT_FOR_MANY = ("table", "needs", "lines", "spans")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one row: before and after, or why not."""

    key: str
    before: str
    after: str
    problem: str = ""

    @property
    def changes(self) -> bool:
        """Whether anything is other than before."""
        return not self.problem and self.before != self.after


@require_POST
@members
def bulk(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Asks what is still to be asked, shows what would change, and with `confirm` does it."""
    found = kind_named(kind)
    if found.master is BILLS:
        raise Http404
    back = _back(request, found)
    picked = [int(pk) for pk in request.POST.getlist("pick") if pk.isascii() and pk.isdigit()][: MOST + 1]
    entries = list(found.rows(led_plants(request, PLANNERS)).filter(pk__in=picked).order_by(found.key))
    if not entries or len(entries) > MOST:
        if not led_plants(request, PLANNERS):
            planned_plant(request, None)  # refused
        messages.error(request, gettext("Tick between 1 and {} rows first.").format(MOST))
        return redirect(back)
    act = request.POST.get("do", "")
    if act in ACTS and found.name == "loops":
        return _act(request, found, entries, act, back)
    each = field_named(found, act.removeprefix("set-"))
    if each is None or each not in choices(found):
        messages.error(request, gettext("Choose what is to be done with the ticked rows."))
        return redirect(back)
    return _set(request, found, entries, each, back)


def choices(kind: Kind) -> list[Field]:
    """The members that can be set for many rows at once."""
    return [each for each in kind.fields() if each.name not in kind.fixed and each.widget not in NOT_FOR_MANY]


def options(kind: Kind) -> list[tuple[str, str]]:
    """What can be done with ticked rows: value and words."""
    found = [(act, gettext(word)) for act, word in ACTS.items()] if kind.name == "loops" else []
    return found + [
        (f"set-{each.name}", gettext("Set “{}”").format(label(kind.name, each.name)))
        for each in choices(kind)
    ]


def _act(request: HttpRequest, kind: Kind, entries: Sequence[Any], act: str, back: str) -> HttpResponseBase:
    reason = request.POST.get("reason", "").replace("\0", "").strip()
    asks = act != RESUME
    source = source_of(viewer_of(request))
    shown = "reason" in request.POST or not asks
    outcomes = []
    if shown and (reason or not asks):
        make = "confirm" in request.POST
        outcomes = [_acted(entry, act, reason, source, make=make) for entry in entries]
        if make:
            return _done(request, outcomes, back)
    lacks = shown and asks and not reason
    problem = gettext("Give a reason, so that people at the cards can read it.") if lacks else ""
    title = gettext(ACTS[act])
    return _page(
        request, kind, entries, back, act, outcomes, title, reason=reason if asks else None, problem=problem
    )


def _acted(entry: Any, act: str, reason: str, source: Source, *, make: bool) -> Outcome:
    """Does it with one loop; without `make` it is taken back again, so that what is shown is what the rules say."""
    now = timezone.now()
    ways: dict[str, Callable[[], None]] = {
        HOLD: lambda: actions.hold_loop(loop_id=entry.pk, reason=reason, now=now, source=source),
        RESUME: lambda: actions.resume_loop(loop_id=entry.pk, now=now, source=source),
        RETIRE: lambda: actions.retire_loop(loop_id=entry.pk, reason=reason, now=now, source=source),
    }
    before = _status(entry.status)
    try:
        with transaction.atomic():
            ways[act]()
            entry.refresh_from_db(fields=["status"])
            if not make:
                transaction.set_rollback(True)
    except actions.Refused as why:
        return Outcome(entry.code, before, before, refused(why))
    return Outcome(entry.code, before, _status(entry.status))


def _status(status: str) -> str:
    return word_of(LoopStatus, status)


def _set(
    request: HttpRequest, kind: Kind, entries: Sequence[Any], each: Field, back: str
) -> HttpResponseBase:
    sent = each.name in request.POST or f"{each.name}-there" in request.POST
    refusal, outcomes = Refusal(), []
    raw: Raw = read([each], request.POST, new=False) if sent else {}
    if sent:
        refusal = readable(kind, raw | {kind.master.key: "X"}, new=False)
    if sent and not refusal:
        source, make = source_of(viewer_of(request)), "confirm" in request.POST
        outcomes = [_saved(kind, entry, each, raw, source, make=make) for entry in entries]
        if make:
            return _done(request, outcomes, back)
    plant: Plant = entries[0].plant
    value = raw.get(each.name) if sent else kind.current(entries[0]).get(each.name)
    drawn = Drawing(kind, plant, refusal).draw(each, value)
    title = gettext("Set “{}”").format(label(kind.name, each.name))
    return _page(request, kind, entries, back, f"set-{each.name}", outcomes, title, field=drawn)


def _saved(kind: Kind, entry: Any, each: Field, raw: Raw, source: Source, *, make: bool) -> Outcome:
    key = kind.key_of(entry)
    before = said(kind, each, kind.current(entry).get(each.name))
    row = raw | {kind.master.key: key}
    _, refusal = save(kind, entry.plant, row, source=source, dry_run=not make)
    if refusal:
        sentences = [*(said_so for sayings in refusal.at.values() for said_so in sayings), *refusal.others]
        return Outcome(key, before, before, " ".join(sentences))
    return Outcome(key, before, said(kind, each, raw[each.name]))


def _done(request: HttpRequest, outcomes: Sequence[Outcome], back: str) -> HttpResponseBase:
    count = sum(one.changes for one in outcomes)
    messages.success(request, ngettext("{} row was changed.", "{} rows were changed.", count).format(count))
    for one in outcomes:
        if one.problem:
            messages.error(request, f"{one.key}: {one.problem}")
    return redirect(back)


def _page(
    request: HttpRequest,
    kind: Kind,
    entries: Sequence[Any],
    back: str,
    act: str,
    outcomes: Sequence[Outcome],
    title: str,
    **more: object,
) -> HttpResponseBase:
    changing = sum(one.changes for one in outcomes)
    context = {
        "kind": kind,
        "title": title,
        "list_title": gettext(kind.title),
        "entries": [(entry.pk, kind.key_of(entry)) for entry in entries],
        "act": act,
        "outcomes": outcomes,
        "changing": changing,
        "go": ngettext("Change {} row", "Change {} rows", changing).format(changing),
        "back": back,
        "sent": [
            (name, value)
            for name, values in request.POST.lists()
            if name not in ("csrfmiddlewaretoken", "confirm", "pick", "do", "next")
            for value in values
        ],
    } | more
    return render(request, "masters/bulk.html", context)


def _back(request: HttpRequest, kind: Kind) -> str:
    to = request.POST.get("next", "")
    mine = url_has_allowed_host_and_scheme(to, allowed_hosts=None) and to.startswith("/plan/")
    return to if mine else f"/plan/{kind.name}"
