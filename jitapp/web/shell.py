"""The app's shell: what a tablet keeps to start without a network, the worker that keeps it, and its version."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_GET

from jitapp.web.visit import ANYBODY, declared

STARTS = (
    "css/tokens.css",
    "css/base.css",
    "css/scan.css",
    "css/pad.css",
    "css/calls.css",
    "js/scan.js",
    "js/camera-button.js",
    "js/look.js",
    "js/page.js",
    "js/early.js",
    "vendor/htmx.min.js",
    "icon.svg",
)
_IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.{1,2}/[^"']+\.js)["']""")
_URL = re.compile(r"""url\(["']?([^"')]+)["']?\)""")
_LAZY = "js/camera/"  # fetched when somebody opens the camera, and kept from then on


def _read(path: str) -> bytes | None:
    found = finders.find(path)
    if isinstance(found, str):
        with open(found, "rb") as file:  # noqa: PTH123 - a path of Django's
            return file.read()
    if staticfiles_storage.exists(path):
        with staticfiles_storage.open(path) as file:
            return bytes(file.read())
    return None


@lru_cache(maxsize=1)
def files() -> tuple[str, ...]:
    """The names of all static files that the scan page needs."""
    return named_by(STARTS)


def named_by(starts: Iterable[str]) -> tuple[str, ...]:
    """These static files, and what they name."""
    seen: dict[str, None] = {}
    waiting = list(starts)
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        content = _read(path)
        if content is None:
            continue
        seen[path] = None
        if path.endswith((".js", ".css")):
            pattern = _IMPORT if path.endswith(".js") else _URL
            named = pattern.findall(content.decode())
            waiting += [resolved for each in named if not (resolved := _beside(path, each)).startswith(_LAZY)]
    return tuple(seen)


def _beside(path: str, named: str) -> str:
    parts: list[str] = list(PurePosixPath(path).parent.parts)
    for part in named.split("/"):
        if part == "..":
            parts.pop()
        elif part not in (".", ""):
            parts.append(part)
    return "/".join(parts)


@lru_cache(maxsize=1)
def version() -> str:
    """Twelve hex digits that change with any file of the shell."""
    return digest(files())


def digest(paths: Iterable[str]) -> str:
    """Twelve hex digits that change with any of these static files."""
    made = hashlib.sha256()
    for path in paths:
        made.update(path.encode() + b"\0" + (_read(path) or b"") + b"\0")
    return made.hexdigest()[:12]


@require_GET
@declared(ANYBODY)
def worker(request: HttpRequest) -> HttpResponseBase:
    """The service worker, with the list of what it keeps in front: a new version is a new file."""
    listed = [staticfiles_storage.url(path) for path in files()]
    head = f"const VERSION = {json.dumps(version())};\nconst FILES = {json.dumps(listed)};\n"
    head += f"const STATIC = {json.dumps(settings.STATIC_URL)};\n"
    return HttpResponse(
        head.encode() + (_read("js/worker.js") or b""),
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache", "Service-Worker-Allowed": "/s/"},
    )


@require_GET
@declared(ANYBODY)
def manifest(request: HttpRequest) -> HttpResponseBase:
    """What makes the scan page installable."""
    icons = [
        {"src": staticfiles_storage.url(f"icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    described = {
        "name": "jitapp",
        "short_name": "jitapp",
        "id": "/s/",
        "start_url": "/s/",
        "scope": "/s/",
        "display": "standalone",
        "background_color": "#eef1f4",
        "theme_color": "#10161c",
        "icons": [
            *icons,
            {"src": staticfiles_storage.url("icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        ],
    }
    return HttpResponse(
        json.dumps(described),
        content_type="application/manifest+json",
        headers={"Cache-Control": "no-cache"},
    )
