"""Pages of one row of master data: a new one, one that exists, and the front page of what can be set up.

Everybody of the plant may look; planners, leaders and administrators change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import Role
from jitapp.plant.changes import newest_changes, remark
from jitapp.plant.masters.bills import BILLS
from jitapp.plant.models import Loop, Plant
from jitapp.web.calls import source_of
from jitapp.web.leading import led_plants
from jitapp.web.masters.drawing import Drawing, Drawn, differences, said, said_of_old
from jitapp.web.masters.fields import Raw, read
from jitapp.web.masters.kinds import KINDS, Kind, kind_named
from jitapp.web.masters.renamed import renamed
from jitapp.web.masters.saving import REFUSALS, Changed, Exists, Refusal, digest, readable, remarks, save
from jitapp.web.masters.words import label
from jitapp.web.visit import people, viewer_of

PLANNERS = frozenset({Role.PLANNER, Role.LEADER, Role.ADMIN})
LONGEST_REMARK = 500
# What is chosen for one row is proposed for the next one that is made right after it: stations come in rows.
KEPT_FOR_THE_NEXT = ("area", "kind")


def plants_seen(request: HttpRequest) -> list[Plant]:
    """The plants of whoever looks, by code."""
    return list(Plant.objects.filter(pk__in=viewer_of(request).plant_ids).order_by("code"))


def planned_plant(request: HttpRequest, plant: Plant | None, code: str = "") -> Plant:
    """The plant that a change is for; with `code` or the only one for a new row. Raises PermissionDenied for somebody
    who does not plan there."""
    mine = led_plants(request, PLANNERS)
    found = next((one for one in mine if one == plant or (plant is None and one.code == code)), None)
    if found is None and plant is None and not code and len(mine) == 1:
        found = mine[0]
    if found is None:
        raise PermissionDenied
    return found


@require_GET
@people
def plan_page(request: HttpRequest) -> HttpResponseBase:
    """What can be set up here, with how many of each there are."""
    plants = plants_seen(request)
    kinds = [
        (kind, gettext(kind.title), gettext(kind.says), kind.rows(plants).count()) for kind in KINDS.values()
    ]
    context = {"kinds": kinds, "plans": bool(led_plants(request, PLANNERS)), "plants": plants}
    return render(request, "masters/plan.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@people
def new_page(request: HttpRequest, kind: str) -> HttpResponseBase:
    """GET asks for a new row, POST makes it."""
    found = kind_named(kind)
    if found.name == "loops" and request.method != "POST":
        return redirect("loop-new")
    mine = led_plants(request, PLANNERS)
    if request.method != "POST":
        plant = next((one for one in mine if one.code == request.GET.get("plant")), mine[0] if mine else None)
        if plant is None:
            return render(
                request, "masters/one.html", {"kind": found, "title": gettext(found.one), "plans": False}
            )
        typed: Raw = {name: str(value) for name, value in request.GET.items() if name != "plant"}
        return form_page(request, found, plant, None, typed, Refusal())
    plant = planned_plant(request, None, request.POST.get("plant", ""))
    raw = read(found.fields(), request.POST, new=True)
    refusal = readable(found, raw, new=True)
    if not refusal:
        try:
            done, refusal = save(found, plant, raw, source=source_of(viewer_of(request)), new=True)
        except Exists:
            refusal.add((found.master.key,), found.fields(), gettext(REFUSALS["twice"]))
        else:
            if not refusal:
                _tell(
                    request, gettext("{} is there now.").format(raw[found.master.key]), remarks(found, done)
                )
                return redirect(_after(request, found, plant, raw))
    return form_page(request, found, plant, None, raw, refusal)


@require_http_methods(["GET", "HEAD", "POST"])
@people
def row_page(request: HttpRequest, kind: str, pk: int) -> HttpResponseBase:
    """GET shows a row, POST saves what was typed over it, or a remark (`do`)."""
    found = kind_named(kind)
    if found.name == "loops":
        return redirect("loop-edit", pk)
    entry = found.one_of(plants_seen(request), pk)
    current = found.current(entry)
    if request.method != "POST":
        return form_page(request, found, entry.plant, entry, current, Refusal())
    plant = planned_plant(request, entry.plant)
    if request.POST.get("do") == "remark":
        add_remark(request, found, plant, found.key_of(entry))
        return redirect("master", kind, pk)
    raw = typed_over(found, request, entry)
    refusal = readable(found, raw, new=False)
    if refusal:
        return form_page(request, found, plant, entry, current | raw, refusal)
    try:
        done, refusal = save(
            found, plant, raw, source=source_of(viewer_of(request)), seen=request.POST.get("seen")
        )
    except Changed:
        entry = found.one_of([plant], pk)
        return form_page(request, found, plant, entry, current | raw, Refusal(), theirs=found.current(entry))
    if refusal:
        return form_page(request, found, plant, entry, current | raw, refusal)
    changes = differences(found, current, found.current(found.one_of([plant], pk)))
    said_so = "; ".join(f"{name}: {before or '–'} → {after or '–'}" for name, before, after in changes)
    _tell(
        request,
        gettext("Saved. {}").format(said_so) if said_so else gettext("Nothing was changed."),
        remarks(found, done),
    )
    return redirect("master", kind, pk)


def typed_over(kind: Kind, request: HttpRequest, entry: Any) -> Raw:
    """What a form says of a row that exists; its key and what stays are not asked for."""
    fields = [each for each in kind.fields() if each.name not in kind.fixed]
    raw = read(fields, request.POST, new=False)
    raw[kind.master.key] = kind.key_of(entry)
    return raw


def add_remark(request: HttpRequest, kind: Kind, plant: Plant, key: str) -> None:
    """Keeps a remark of the person; an empty one is none."""
    text = request.POST.get("remark", "").replace("\0", "").strip()
    assert isinstance(request.user, Person)
    if len(text) > LONGEST_REMARK:
        messages.error(request, gettext("A note has at most {} characters.").format(LONGEST_REMARK))
    elif text:
        remark(
            plant_id=plant.pk,
            kind=kind.name,
            key=key,
            text=text,
            person_id=request.user.pk,
            at=timezone.now(),
        )
        messages.success(request, gettext("The note is kept."))


def _after(request: HttpRequest, kind: Kind, plant: Plant, raw: Raw) -> str:
    """Where a new row leads: to where it was asked for, else to its own page."""
    if request.POST.get("then") == "again":
        kept = {name: raw[name] for name in KEPT_FOR_THE_NEXT if raw.get(name)}
        return f"/plan/{kind.name}/new?{urlencode({'plant': plant.code, **kept})}"
    entry = kind.model._default_manager.filter(
        plant=plant, **{kind.key: str(raw[kind.master.key]).strip()}
    ).first()
    return f"/plan/{kind.name}/{entry.pk}" if entry is not None else f"/plan/{kind.name}"


def _tell(request: HttpRequest, sentence: str, notes: list[str]) -> None:
    messages.success(request, sentence)
    for note in notes:
        messages.info(request, note)


def form_page(
    request: HttpRequest,
    kind: Kind,
    plant: Plant,
    entry: Any,
    typed: Mapping[str, object],
    refusal: Refusal,
    *,
    theirs: Mapping[str, object] | None = None,
    template: str = "masters/one.html",
    loop: Loop | None = None,
) -> HttpResponseBase:
    """The form with what was typed; `theirs` is what somebody else saved meanwhile, shown beside it."""
    drawing = Drawing(kind, plant, refusal)
    drawn = [
        drawing.draw(each, typed.get(each.name))
        for each in kind.fields()
        if entry is None or each.name not in kind.fixed
    ]
    if theirs is not None:
        show_theirs(kind, drawn, typed, theirs)
    mine = led_plants(request, PLANNERS)
    key = kind.key_of(entry) if entry is not None else ""
    context = {
        "kind": kind,
        "title": key or gettext(kind.one),
        "says": gettext(kind.says),
        "list_title": gettext(kind.title),
        "plant": plant,
        "plants": mine if entry is None else [],
        "entry": entry,
        "loop": loop,
        "fields": [one for one in drawn if not one.rare],
        "rare": [one for one in drawn if one.rare],
        "open_rare": any(one.problems or one.theirs for one in drawn if one.rare),
        "refusal": refusal,
        "conflict": next(iter(history_of(kind, plant, key)), None) if theirs is not None else None,
        "conflicts": theirs is not None,
        "seen": digest(theirs if theirs is not None else kind.current(entry)) if entry is not None else "",
        "fixed": fixed_facts(kind, entry) if entry is not None else [],
        "history": history_of(kind, plant, key) if entry is not None else [],
        "plans": plant in mine,
        "more": more_about(kind, entry),
    }
    return render(request, template, context, status=_status(refusal, theirs))


def _status(refusal: Refusal, theirs: object) -> int:
    if theirs is not None:
        return 409
    return 422 if refusal else 200


def show_theirs(
    kind: Kind, drawn: list[Drawn], typed: Mapping[str, object], theirs: Mapping[str, object]
) -> None:
    """Beside each field that differs, what stands there now."""
    fields = {each.name: each for each in kind.fields()}
    for one in drawn:
        mine, other = (said(kind, fields[one.name], values.get(one.name)) for values in (typed, theirs))
        if mine != other:
            one.theirs = other or "–"


def fixed_facts(kind: Kind, entry: Any) -> list[tuple[str, str]]:
    """What of a row stays as it is."""
    current = kind.current(entry)
    return [
        (label(kind.name, each.name), said(kind, each, current.get(each.name)))
        for each in kind.fields()
        if each.name in kind.fixed
    ]


@dataclass(frozen=True, slots=True)
class Past:
    """A change of a row, or a note on it; `lines` are label, before and after."""

    at: datetime
    by: str
    what: str = ""
    lines: list[tuple[str, str, str]] = field(default_factory=list)
    remark: str = ""
    reason: str = ""


def history_of(kind: Kind, plant: Plant, key: str) -> list[Past]:
    """Who changed it from what to what, and what was noted, newest first."""
    return [
        Past(
            one.at,
            str(one.person or one.device or ""),
            one.what,
            [line for name, pair in one.changes.items() for line in _lines(kind, name, pair[0], pair[1])],
            one.remark,
        )
        for one in newest_changes(plant.pk, kind.name, key)
    ]


def _lines(kind: Kind, name: str, before: str, after: str) -> list[tuple[str, str, str]]:
    """A changed column: its label, before and after; a site's own words one by one."""
    if name == "words":
        return renamed(before, after)
    member = next((member for member, column in kind.master.renamed.items() if column == name), name)
    return [
        (label(kind.name, member), said_of_old(kind, name, before), said_of_old(kind, name, after)),
    ]


def more_about(kind: Kind, entry: Any) -> list[tuple[str, str]]:
    """Where else the row is looked at: address and word."""
    if entry is None:
        return []
    if kind.name == "parts":
        return [
            (f"/plan/bills/{entry.pk}", gettext("Its bill")),
            (f"/plan/loops?q={entry.number}", gettext("Its loops")),
            (f"/l/new?part={entry.number}", gettext("New loop for it")),
        ]
    if kind.master is BILLS:
        return [(f"/plan/parts/{entry.pk}", gettext("The part"))]
    if kind.name == "stations":
        return [
            (f"/plan/loops?supply={entry.code}", gettext("Loops that it fills")),
            (f"/plan/loops?demand={entry.code}", gettext("Loops that bring to it")),
        ]
    if kind.name == "areas":
        return [
            (f"/b/{entry.code}", gettext("Its board")),
            (f"/plan/stations?area={entry.code}", gettext("Its stations")),
            (f"/plan/words?place={entry.plant.code}:{entry.code}", gettext("Its words")),
        ]
    return []
