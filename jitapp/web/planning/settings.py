"""The settings of a loop beside its cards: who fills it, how it asks, what is posted; shown before they are saved."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from jitapp.web.calls import source_of
from jitapp.web.masters.drawing import differences
from jitapp.web.masters.kinds import KINDS
from jitapp.web.masters.pages import form_page, planned_plant, typed_over
from jitapp.web.masters.saving import Changed, Refusal, readable, remarks, save
from jitapp.web.planning.editor import loop_of
from jitapp.web.visit import people, viewer_of

TEMPLATE = "planning/settings.html"


@require_http_methods(["GET", "HEAD", "POST"])
@people
def settings_page(request: HttpRequest, loop_id: int) -> HttpResponseBase:
    """GET shows the settings; POST shows what would change, and with `confirm` saves it."""
    viewer, kind = viewer_of(request), KINDS["loops"]
    loop = loop_of(viewer, loop_id)
    current = kind.current(loop)
    if request.method != "POST":
        return form_page(request, kind, loop.plant, loop, current, Refusal(), template=TEMPLATE, loop=loop)
    planned_plant(request, loop.plant)
    raw = typed_over(kind, request, loop)
    refusal = readable(kind, raw, new=False)
    if refusal or "again" in request.POST:
        return form_page(
            request, kind, loop.plant, loop, current | raw, refusal, template=TEMPLATE, loop=loop
        )
    confirmed = "confirm" in request.POST
    try:
        saved, refusal = save(
            kind,
            loop.plant,
            raw,
            source=source_of(viewer),
            seen=request.POST.get("seen", ""),
            dry_run=not confirmed,
        )
    except Changed:
        theirs = kind.current(loop_of(viewer, loop_id))
        return form_page(
            request,
            kind,
            loop.plant,
            loop,
            current | raw,
            Refusal(),
            theirs=theirs,
            template=TEMPLATE,
            loop=loop,
        )
    if refusal:
        return form_page(
            request, kind, loop.plant, loop, current | raw, refusal, template=TEMPLATE, loop=loop
        )
    changes = differences(kind, current, raw)
    if not confirmed and changes:
        context = {
            "loop": loop,
            "changes": changes,
            "notes": remarks(kind, saved),
            "sent": [
                (name, value)
                for name, values in request.POST.lists()
                if name not in ("csrfmiddlewaretoken", "confirm")
                for value in values
            ],
        }
        return render(request, "planning/settings_shown.html", context)
    said = "; ".join(f"{name}: {before or '–'} → {after or '–'}" for name, before, after in changes)
    messages.success(request, gettext("Saved. {}").format(said) if said else gettext("Nothing was changed."))
    return redirect("loop-edit", loop.pk)
