"""The page that a new tablet or wall screen opens: one big button, by which the browser becomes a device, without a
login."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_http_methods

from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant import enrolling
from jitapp.plant.enrolling import Enrolled, Standing
from jitapp.pull.sources import forget
from jitapp.web import wall
from jitapp.web.device import remember
from jitapp.web.visit import ANYBODY, declared

WHY = {
    Standing.USED: mark("This code was used already. Ask your leader for a new one: each makes one device."),
    Standing.ENDED: mark("This code has ended: it is good for ten minutes. Ask your leader for a new one."),
    Standing.UNKNOWN: mark("Nobody knows this code. Type it again, or ask your leader for a new one."),
}
STATUS = {Standing.USED: 410, Standing.ENDED: 410, Standing.UNKNOWN: 404}


@require_GET
@declared(ANYBODY)
def typed_page(request: HttpRequest) -> HttpResponseBase:
    """Where a code is typed by whoever has no camera."""
    code = request.GET.get("code", "").strip().replace("/", "")
    return redirect("enrol-here", code) if code else _page(request)


@require_http_methods(["GET", "HEAD", "POST"])
@declared(ANYBODY)
def enrol_here(request: HttpRequest, code: str) -> HttpResponseBase:
    """GET says what the browser is about to become and uses nothing up; POST makes it that, once."""
    now = timezone.now()
    if request.method != "POST":
        standing, row = enrolling.find(code, now=now)
        if standing is not Standing.OPEN:
            return _page(request, standing)
        return _page(request, row=row)
    enrolled = enrolling.enrol(code, now=now)
    if not isinstance(enrolled, Enrolled):
        return _page(request, enrolled)
    forget(enrolled.former)
    return _welcome(request, enrolled)


def _welcome(request: HttpRequest, enrolled: Enrolled) -> HttpResponse:
    """A reader has no browser: its token is shown, once. A wall screen has it in its address, which a restart keeps.
    Every other device keeps it in a cookie and begins."""
    if enrolled.device.kind == DeviceKind.READER:
        response = render(request, "device/token.html", {"device": enrolled.device, "token": enrolled.token})
    elif enrolled.device.kind == DeviceKind.WALL:
        wall.ended(enrolled.former)  # a screen that had its place before shows nothing any more
        response = redirect("wall", enrolled.token)
        response["Referrer-Policy"] = "no-referrer"
    else:
        response = redirect("scan")
        remember(response, enrolled.token, secure=request.is_secure())
    response["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, standing: Standing | None = None, row: object = None) -> HttpResponse:
    problem = gettext(WHY[standing]) if standing else ""
    context = {
        "enrolment": row,
        "problem": problem,
        "reader": DeviceKind.READER.value,
        "screen": DeviceKind.WALL.value,
    }
    response = render(request, "device/enrol.html", context, status=STATUS[standing] if standing else 200)
    response["Cache-Control"] = "no-store"
    return response
