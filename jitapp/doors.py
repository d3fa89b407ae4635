"""What every door says when a request failed: 503 and Retry-After while the database is away, else 500.

Django asks here for the answer to whatever was raised, in a view or in the layers around it: a session that could not
be read, a page of an unknown address that could not be drawn. So no view asks whether the database is there. The short
way of the scans (api/shortcut) does not pass Django and decides by the same `outages.store`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_from_request
from django.views import defaults

from jitapp.api.errors import API, internal_error, store_trouble
from jitapp.outages import store
from jitapp.outages.store import Trouble
from jitapp.plant.spoken import spoken
from jitapp.plant.wording.kept import HOUSE_WORDS

RETRY_SECONDS = 5  # of pages; programs are asked to come back sooner (api/errors)
READS = ("GET", "HEAD", "OPTIONS")
WRITES = ("INSERT", "UPDATE", "DELETE")  # statements of Django's that show that the database can write


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's handler500, called while the exception is being handled."""
    error = sys.exc_info()[1]
    trouble = None if error is None else store.told(error, at=request.path)
    if trouble is not None:
        return _away(request, trouble)
    if request.path_info.startswith(API):
        return internal_error().response()
    return defaults.server_error(request)


def _away(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    """In the form that the caller reads: JSON, a piece of a page for htmx, or a page that loads itself again."""
    if request.path_info.startswith(API) or not _reads_html(request):
        return store_trouble(trouble).response()
    # No session, no person and no context processors: each of them would ask the database.
    context = {
        "trouble": trouble.value,
        "seconds": RETRY_SECONDS,
        "sent": request.method not in READS,
        "back": _page_before(request),
        "whole": "HX-Request" not in request.headers,
    }
    with spoken(get_language_from_request(request), HOUSE_WORDS):
        page = render_to_string("503.html" if context["whole"] else "components/away.html", context)
    headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
    if not context["whole"]:
        # What renews itself must stay on the page to ask again; what was sent is told above it.
        headers["HX-Reswap"] = "beforebegin" if context["sent"] else "none"
    return HttpResponse(page, status=503, headers=headers)


def _reads_html(request: HttpRequest) -> bool:
    """Browsers and forms do; a script that sends JSON does not."""
    return request.content_type != "application/json" and request.accepts("text/html")


def _page_before(request: HttpRequest) -> str:
    """Where to go on by GET: the same address, or the page whose form was sent; never another site's."""
    if request.method in READS:
        return request.get_full_path()
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return "/"
    here = request.META.get("HTTP_HOST", request.META.get("SERVER_NAME"))
    before = parts._replace(scheme="", netloc="", fragment="").geturl()
    return before if parts.netloc == here and url_has_allowed_host_and_scheme(before, None) else "/"


class EndOfOutages:
    """While the database is known to be away, listens for the first statement that succeeds again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not store.lasts():
            return self._get_response(request)
        with connection.execute_wrapper(_listening):
            return self._get_response(request)


def _listening(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    result = execute(sql, params, many, context)
    store.answered(wrote=str(sql).lstrip()[:6].upper() in WRITES)
    return result
