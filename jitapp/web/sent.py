"""What a tablet's script sends as JSON by its device's cookie, without a token against forgery: from our pages only."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext


def sent_json(request: HttpRequest, most: int, *, too_much: str) -> dict[str, Any] | HttpResponse:
    """The JSON object that was sent, of at most `most` bytes, or the refusal; `too_much` is what is said of more.
    A page of another site can send neither JSON nor our cookie."""
    if request.content_type != "application/json" or not _ours(request):
        return problem(403, "not_ours", gettext("This is not a page of ours. Open the scan page again."))
    raw = request.read(most + 1)
    if len(raw) > most:
        return problem(413, "too_large", too_much)
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return problem(400, "malformed", gettext("What was sent could not be read. Send it again."))
    return body


def problem(status: int, code: str, sentence: str) -> HttpResponse:
    """A refusal by name, as scripts read it."""
    return JsonResponse({"code": code, "message": sentence}, status=status)


def _ours(request: HttpRequest) -> bool:
    """Whether the request comes from a page of this host, as far as the browser says so."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin", "null")
    try:
        same = origin == "null" or urlsplit(origin).netloc == request.get_host()
    except ValueError:  # torn
        same = False
    return site == "same-origin" and same
