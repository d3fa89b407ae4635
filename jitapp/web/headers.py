"""What every answer tells the browser about what it may load, and from where."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'{live}; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def live_base(request: HttpRequest) -> str:
    """Where the browser reaches the event streams: JITAPP_LIVE_URL, or this host with the live port."""
    if settings.LIVE_URL:
        return str(settings.LIVE_URL).rstrip("/")
    host = urlsplit(f"//{request.get_host()}").hostname or "127.0.0.1"
    name = f"[{host}]" if ":" in host else host
    return f"{request.scheme}://{name}:{settings.LIVE_PORT}"


class ContentSecurityPolicy:
    """Adds the policy to pages; scans over the API are left alone, an answer with its own policy keeps it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if request.path_info.startswith("/api/v1/scans"):
            return response
        if "Content-Security-Policy" not in response.headers:
            response.headers["Content-Security-Policy"] = _POLICY.format(live=_live_origin(request))
        response.headers.setdefault("X-Frame-Options", "DENY")
        return response


def _live_origin(request: HttpRequest) -> str:
    try:
        parts = urlsplit(live_base(request))
    except DisallowedHost:
        return ""
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
