"""The short way to the scan doors: straight from the web server, past Django's handlers and middleware.

A scanner has no session, no cookie, no language of a browser and no form; what the middleware does for pages would
cost a scan more than its rules. Granian comes by `reply_of` (intake.py), `runserver` and other WSGI servers by
`shortcut`. The same doors are in Django's site map too (scans.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIEnvironment as Environ

from django.db import connection

from jitapp.api.operations import BASE
from jitapp.api.scans import MANY, ONE, Call, Door, Reply, failed
from jitapp.outages import store

DOORS: dict[str, Door] = {f"{BASE}/scans": ONE, f"{BASE}/scans/batch": MANY}
STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def shortcut(application: Application) -> Application:
    """The application with the scan doors in front of it."""

    def serve(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        door = DOORS.get(environ["PATH_INFO"])
        if door is None:
            return application(environ, start_response)
        reply = reply_of(door, _call(environ))
        headers = [*reply.headers.items(), ("Content-Length", str(len(reply.body))), *SAFE]
        start_response(STATUS[reply.status], headers)
        return [reply.body]

    return serve


SAFE = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))


def reply_of(door: Door, call: Call) -> Reply:
    """The answer of a scan door to a call, whatever happens."""
    # Old connections go as Django lets them go; a question whether the rest live would be a round trip a scan.
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        try:
            reply = door.reply(call)
        except store.ERRORS:
            if not _cut():
                raise
            # Nothing was answered, and a scan's id makes it harmless to try again on a new connection.
            reply = door.reply(call)
    except store.ERRORS as error:
        connection.errors_occurred = True
        with suppress(OSError):
            call.read(
                door.most
            )  # what was not read would cost the client its connection, with its next scan on it
        return failed(error)
    except Exception as error:
        return failed(error)
    if reply.status == HTTPStatus.OK:  # a refusal at the door may have asked nothing of the store
        store.answered()
    return reply


def _cut() -> bool:
    """Whether the connection was cut; it is closed on our side then, so that the next use makes a new one."""
    session = connection.connection
    if session is not None and not session.closed:
        return False
    connection.close()
    return True


def _call(environ: Environ) -> Call:
    source, kept = environ["wsgi.input"], b""
    length = environ.get("CONTENT_LENGTH") or ""
    announced = int(length) if length.isascii() and length.isdigit() else 0

    def read(most: int) -> bytes:
        """The body, once from the wire and then from memory; never more than was announced."""
        nonlocal kept
        if not kept:
            chunked = environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
            kept = source.read(most if chunked and not length else min(most, announced))
        return kept

    return Call(
        environ["REQUEST_METHOD"],
        environ.get("HTTP_AUTHORIZATION", ""),
        length,
        read,
        environ.get("HTTP_IDEMPOTENCY_KEY"),
    )
