"""The scan doors: plain views with a schema checked by msgspec, because every millisecond here is an operator's.

200 means recorded. What cannot be read is refused by name (400, 413, 422), what is not allowed by rule is answered
with 200 and `outcome: refused`; 503 with Retry-After only while the store cannot be reached.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import psycopg2
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from jitapp.pull import actions
from jitapp.pull.requests import Answer, Conflict, ScanRequest, Source
from jitapp.pull.sources import source_of_token

MOST_BYTES = 16_384
MOST_BATCH_BYTES = 1_000_000
LONGEST = {"code": 4096, "station": 60, "intent": 40, "reason": 200, "by": 64, "epoch": 64}
_NUMBER = re.compile(r"[+-]?\d{1,14}(\.\d{1,6})?")
RETRY_SECONDS = "2"


class ScanBody(msgspec.Struct):
    """The body of POST /scans; unknown members are ignored, so that newer clients may send more."""

    id: UUID
    code: str
    station: str | None = None
    intent: str | None = None
    occurred_at: datetime | None = None
    quantity: str | int | float | None = None
    reason: str | None = None
    by: str | None = None
    seq: int | None = None
    epoch: str | int | None = None
    sent_at: datetime | None = None


class BatchBody(msgspec.Struct):
    """The body of POST /scans/batch; the scans are read one by one, so that a bad one costs no other."""

    scans: list[msgspec.Raw]


_scan = msgspec.json.Decoder(ScanBody)
_batch = msgspec.json.Decoder(BatchBody)
_encode = msgspec.json.Encoder(decimal_format="string").encode
T = TypeVar("T")


class Problem(Exception):
    """A refusal before the rules: HTTP status, a stable code and a sentence (RFC 9457)."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.body = (
            {"type": f"about:blank#{code}", "title": code.replace("_", " "), "status": status}
            | {
                "code": code,
                "detail": detail,
            }
            | more
        )

    def response(self) -> HttpResponse:
        """The problem as an HTTP answer."""
        response = HttpResponse(
            _encode(self.body), content_type="application/problem+json", status=self.status
        )
        if self.status == 401:
            response["WWW-Authenticate"] = 'Bearer realm="jitapp"'
        if self.status in (429, 503):
            response["Retry-After"] = RETRY_SECONDS
        return response


def store_unreachable() -> Problem:
    """The only 5xx of these doors."""
    return Problem(
        503, "store_unreachable", "The database cannot be reached now. Keep the scan and send it again."
    )


@csrf_exempt  # a bearer token, no cookie: nothing to forge
def scans(request: HttpRequest) -> HttpResponse:
    """POST one scan."""
    try:
        source = _authenticated(request)
        answer = actions.scan(_readable(_body(request, MOST_BYTES)), source=source, now=timezone.now())
        if isinstance(answer, Conflict):
            raise Problem(409, answer.code, answer.message, id=str(answer.id))
        response = HttpResponse(_encode(answer.body), content_type="application/json")
        if answer.replayed:
            response["Idempotent-Replayed"] = "true"
        return response
    except Problem as problem:
        return problem.response()
    except (DatabaseError, psycopg2.Error) as error:
        return _store_failed(error)


@csrf_exempt
def scans_batch(request: HttpRequest) -> HttpResponse:
    """POST up to 500 scans; the answers come in the same order, each as for one scan, or a problem in its place."""
    try:
        source = _authenticated(request)
        raw = _body(request, MOST_BATCH_BYTES)
        items = _decoded(_batch, raw).scans
        if len(items) > actions.BATCH_LIMIT:
            raise Problem(
                413, "too_many_scans", f"At most {actions.BATCH_LIMIT} scans at once. Send the rest after."
            )
        return HttpResponse(_encode({"results": _answers(items, source)}), content_type="application/json")
    except Problem as problem:
        return problem.response()
    except (DatabaseError, psycopg2.Error) as error:
        return _store_failed(error)


def _answers(items: list[msgspec.Raw], source: Source) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    readable: list[ScanRequest] = []
    places: list[int] = []
    for place, item in enumerate(items):
        try:
            readable.append(_readable(bytes(item)))
            places.append(place)
            results.append({})
        except Problem as problem:
            results.append(problem.body)
    answers = actions.scan_batch(readable, source=source, now=timezone.now()) if readable else []
    for place, answer in zip(places, answers, strict=True):
        if isinstance(answer, Answer):
            results[place] = answer.body
        else:
            results[place] = Problem(409, answer.code, answer.message, id=str(answer.id)).body
    return results


def _authenticated(request: HttpRequest) -> Source:
    if request.method != "POST":
        raise Problem(405, "method_not_allowed", "Send scans with POST.")
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    source = source_of_token(token.strip()) if scheme.lower() == "bearer" and token else None
    if source is None:
        raise Problem(401, "token_unknown", "This token is not known or was revoked. Ask for a new one.")
    return source


def _body(request: HttpRequest, most: int) -> bytes:
    """At most `most` bytes, whatever Content-Length says."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        raw = b"" if length > most else request.read(most + 1)
    except ValueError:
        length, raw = 0, b""
    except OSError:
        raise Problem(400, "body_cut_off", "The body ended before its length. Send the scan again.") from None
    if max(length, len(raw)) > most:
        raise Problem(413, "body_too_large", f"The body is larger than {most} bytes. Send less at once.")
    if len(raw) < length:
        raise Problem(400, "body_cut_off", "The body ended before its length. Send the scan again.")
    return raw


def _unreadable(error: Exception) -> Problem:
    """400 for what is no JSON, 422 for a member that cannot be read."""
    if isinstance(error, msgspec.ValidationError):
        return Problem(422, "field_unreadable", f"A member of the scan cannot be read: {error}.")
    return Problem(400, "malformed_json", "The body is not valid JSON. Send one JSON object.")


def _decoded(decoder: msgspec.json.Decoder[T], raw: bytes) -> T:
    try:
        try:
            return decoder.decode(raw)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # Half of a surrogate pair is a scanner's rubbish, but JSON: it is kept, written out (G1 refuses it).
            return decoder.decode(_encode(_written_out(json.loads(raw.decode(), parse_constant=_no_number))))
    except (ValueError, RecursionError) as error:
        raise _unreadable(error) from error


def _written_out(value: Any) -> Any:
    """The same JSON value with lone surrogates as text: `\\ud83d`."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_written_out(item) for item in value]
    if isinstance(value, dict):
        return {_written_out(name): _written_out(item) for name, item in value.items()}
    return value


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


def _readable(raw: bytes) -> ScanRequest:
    body = _decoded(_scan, raw)
    for name, longest in LONGEST.items():
        value = getattr(body, name)
        if isinstance(value, str) and len(value) > longest:
            raise Problem(
                422, "field_unreadable", f"`{name}` is longer than {longest} characters.", id=str(body.id)
            )
    if body.seq is not None and not -(2**63) <= body.seq < 2**63:
        raise Problem(422, "field_unreadable", "`seq` does not fit 64 bits.", id=str(body.id))
    return ScanRequest(
        id=body.id,
        code=body.code,
        station=body.station,
        intent=body.intent or None,
        occurred_at=_instant(body, "occurred_at"),
        quantity=_quantity(body),
        reason=body.reason,
        by=body.by,
        seq=body.seq,
        epoch=None if body.epoch is None else str(body.epoch),
        sent_at=_instant(body, "sent_at"),
    )


def _instant(body: ScanBody, name: str) -> datetime | None:
    """In UTC; some instants of the years 1 and 9999 have no such reading."""
    at: datetime | None = getattr(body, name)
    if at is None:
        return None
    try:
        if at.tzinfo is None:
            raise ValueError
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem(
            422,
            "field_unreadable",
            f"`{name}` is no instant with an offset. Write 2026-11-21T09:00:00+01:00.",
            id=str(body.id),
        ) from None


def _quantity(body: ScanBody) -> Decimal | None:
    if body.quantity is None or body.quantity == "":
        return None
    text = str(body.quantity).strip()
    try:
        if not _NUMBER.fullmatch(text):
            raise InvalidOperation
        return Decimal(text)
    except InvalidOperation:
        raise Problem(
            422, "field_unreadable", "`quantity` is no decimal number like 12 or 0.5.", id=str(body.id)
        ) from None


def _store_failed(_error: Exception) -> HttpResponse:
    """A store that cannot be reached, or that is busy: keep the scan, send it again."""
    return store_unreachable().response()
