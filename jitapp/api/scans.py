"""The scan doors: plain views with a schema checked by msgspec, because every millisecond here is an operator's.

200 means recorded. What cannot be read is refused by name (400, 413, 422), what is not allowed by rule is answered
with 200 and `outcome: refused`; 503 with Retry-After only while the store cannot be reached.
"""

from __future__ import annotations

import json
import logging
from codecs import BOM_UTF8
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from jitapp.api.bodies import no_instant, plausible, utc_of
from jitapp.api.errors import MEDIA_TYPE, Problem, internal_error, problem_from, store_trouble
from jitapp.api.keys import claimed, key_of_device, key_text
from jitapp.api.operations import Operation, Schema, address, ref
from jitapp.api.throttle import SCANS
from jitapp.kanban.quantity import NotAQuantity, read_quantity
from jitapp.kanban.vocabulary import Outcome, ScreenState, Sound
from jitapp.outages import store
from jitapp.pull import actions
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest, Source, TokenEnded
from jitapp.pull.sources import source_of_token

logger = logging.getLogger(__name__)

MOST_BYTES = 16_384
MOST_BATCH_BYTES = 1_000_000
LONGEST = {
    "code": 4096,
    "station": 60,
    "intent": 40,
    "reason": 200,
    "by": 64,
    "pin": 20,
    "epoch": 64,
    "status": 20,
    "pair": 4096,
}
JSON = {"Content-Type": "application/json"}
REPLAYED = JSON | {"Idempotent-Replayed": "true"}


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
    pin: str | None = None
    seq: int | None = None
    epoch: str | int | None = None
    sent_at: datetime | None = None
    status: str | None = None
    promised_at: datetime | None = None
    checks: list[str] | None = None
    pair: str | None = None


class BatchBody(msgspec.Struct):
    """The body of POST /scans/batch; the scans are read one by one, so that a bad one costs no other."""

    scans: list[msgspec.Raw]


class ScanCard(msgspec.Struct):
    """The card as it is after the scan."""

    code: str
    loop: str
    part: str
    number: int
    of: int
    card_status: str
    supply_status: str


class ScanTurn(msgspec.Struct):
    """The card's turn after the scan."""

    id: UUID
    number: int
    signal_state: str
    due_at: datetime | None


class ScanAnswer(msgspec.Struct):
    """200 means recorded: the client may forget the scan."""

    id: UUID
    outcome: Outcome
    replayed: bool
    code: str
    message: str
    next: str
    sound: Sound
    state: ScreenState
    recorded_at: datetime
    card: ScanCard | None = None
    turn: ScanTurn | None = None
    unknown_by: str | msgspec.UnsetType = msgspec.UNSET  # `by`, where it names nobody


_scan = msgspec.json.Decoder(ScanBody)
_batch = msgspec.json.Decoder(BatchBody)
_encode = msgspec.json.Encoder(decimal_format="string").encode
T = TypeVar("T")


class Reply(msgspec.Struct, frozen=True):
    """What goes back, whoever carries it: Django's view or the short way (shortcut.py)."""

    status: int
    body: bytes
    headers: dict[str, str]


class Call(msgspec.Struct, frozen=True):
    """What came in: `read` gives at most so many bytes of the body, `length` is what Content-Length says."""

    method: str
    authorization: str
    length: str
    read: Callable[[int], bytes]
    key: str | None = None  # Idempotency-Key


@dataclass(frozen=True, slots=True)
class Door:
    """One address: how long a body may be, and what is done with it."""

    most: int
    answer: Callable[[bytes, Source, str], Reply]

    def reply(self, call: Call) -> Reply:
        """The answer to a call. Raises what the store raises (see `failed`)."""
        try:
            source = _authenticated(call)
            if not SCANS.allows(source.device_id):
                raise Problem(
                    429, "too_many_requests", "This device sends too fast. Keep the scan and send it again."
                )
            return self.answer(_body(call, self.most), source, key_text(call.key) if call.key else "")
        except (Problem, TokenEnded) as error:
            reply = problem_reply(problem_from(error) or internal_error())
            if reply.status == 405:  # RFC 9110: it says which methods there are
                reply.headers["Allow"] = "POST"
            return reply


def problem_reply(problem: Problem) -> Reply:
    """A problem on its way out."""
    return Reply(problem.status, _encode(problem.body), {"Content-Type": MEDIA_TYPE} | problem.headers())


def failed(error: Exception) -> Reply:
    """503 while the store is away or busy: keep the scan, send it again. Everything else is a fault of ours: 500."""
    trouble = store.told(error, at="scans")
    if trouble is not None:
        return problem_reply(store_trouble(trouble))
    logger.error("A scan door failed.", exc_info=error)
    return problem_reply(internal_error())


def _one_scan(raw: bytes, source: Source, key: str) -> Reply:
    request = _readable(raw)
    with _of_key(key, source, [request.id]):
        answer = actions.scan(request, source=source, now=timezone.now())
    if isinstance(answer, Conflict):
        raise Problem(409, answer.code, answer.message, id=str(answer.id))
    return Reply(200, _encode(answer.body), REPLAYED if answer.replayed else JSON)


def _of_key(key: str, source: Source, scans: list[UUID]) -> AbstractContextManager[None]:
    """A scan's id keeps its first answer; a key beside it belongs to these scans and to no others."""
    return claimed(key_of_device(source, key, "scans", scans)) if key else nullcontext()


def _many_scans(raw: bytes, source: Source, key: str) -> Reply:
    items = _decoded(_batch, raw).scans
    if len(items) > actions.BATCH_LIMIT:
        raise Problem(
            413, "too_many_scans", f"At most {actions.BATCH_LIMIT} scans at once. Send the rest after."
        )
    return Reply(200, _encode({"results": _answers(items, source, key)}), JSON)


ONE = Door(MOST_BYTES, _one_scan)
MANY = Door(MOST_BATCH_BYTES, _many_scans)


@csrf_exempt  # a bearer token, no cookie: nothing to forge
def scans(request: HttpRequest) -> HttpResponse:
    """POST one scan."""
    return _through(ONE, request)


@csrf_exempt
def scans_batch(request: HttpRequest) -> HttpResponse:
    """POST up to 500 scans; the answers come in the same order, each as for one scan, or a problem in its place."""
    return _through(MANY, request)


def _through(door: Door, request: HttpRequest) -> HttpResponse:
    meta = request.META
    call = Call(
        request.method or "",
        meta.get("HTTP_AUTHORIZATION", ""),
        meta.get("CONTENT_LENGTH") or "",
        request.read,
        meta.get("HTTP_IDEMPOTENCY_KEY"),
    )
    try:
        reply = door.reply(call)
        store.answered()
    except store.ERRORS as error:
        reply = failed(error)
    return HttpResponse(reply.body, status=reply.status, headers=reply.headers)


def _answers(items: list[msgspec.Raw], source: Source, key: str) -> list[dict[str, object]]:
    results: list[dict[str, object]] = []
    readable: list[ScanRequest] = []
    places: list[int] = []
    for place, item in enumerate(items):
        try:
            readable.append(_readable(bytes(item)))
            places.append(place)
            results.append({})
        except Problem as problem:
            results.append(problem.body)
    with _of_key(key, source, [request.id for request in readable]):
        answers = actions.scan_batch(readable, source=source, now=timezone.now()) if readable else []
    for place, answer in zip(places, answers, strict=True):
        if isinstance(answer, Answer):
            results[place] = answer.body
        else:
            results[place] = Problem(409, answer.code, answer.message, id=str(answer.id)).body
    return results


def _authenticated(call: Call) -> Source:
    if call.method != "POST":
        raise Problem(405, "method_not_allowed", "Send scans with POST.")
    scheme, _, token = call.authorization.partition(" ")
    source = source_of_token(token.strip()) if scheme.lower() == "bearer" and token else None
    if source is None:
        raise Problem(401, "token_unknown", "This token is not known or was revoked. Ask for a new one.")
    return source


def _body(call: Call, most: int) -> bytes:
    """At most `most` bytes, whatever Content-Length says."""
    try:
        length = int(call.length or 0)
        raw = b"" if length > most else call.read(most + 1)
    except ValueError:
        length, raw = 0, b""
    except OSError:
        raise Problem(400, "body_cut_off", "The body ended before its length. Send the scan again.") from None
    if max(length, len(raw)) > most:
        raise Problem(413, "body_too_large", f"The body is larger than {most} bytes. Send less at once.")
    if len(raw) < length:
        raise Problem(400, "body_cut_off", "The body ended before its length. Send the scan again.")
    return raw.removeprefix(
        BOM_UTF8
    )  # as at the other addresses: some programs write it, JSON does not know it


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


def _written_out(value: object) -> object:
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
        pin=body.pin,
        seq=body.seq,
        epoch=None if body.epoch is None else str(body.epoch),
        sent_at=_instant(body, "sent_at"),
        status=body.status,
        promised_at=plausible("promised_at", body.promised_at, id=str(body.id)),
        checks=_checks(body),
        pair=body.pair or None,
    )


def _checks(body: ScanBody) -> tuple[str, ...]:
    checks = tuple(body.checks or ())
    if len(checks) > 50 or any(len(check) > 200 for check in checks):
        raise Problem(
            422, "field_unreadable", "`checks` holds at most 50 texts of 200 characters.", id=str(body.id)
        )
    return checks


def _instant(body: ScanBody, name: str) -> datetime | None:
    at: datetime | None = getattr(body, name)
    if at is None:
        return None
    try:
        return utc_of(at)
    except ValueError:
        raise no_instant(name, id=str(body.id)) from None


def _quantity(body: ScanBody) -> Decimal | None:
    """With its sign: what a scanner said is recorded, and a negative quantity is refused by the rules."""
    if body.quantity is None or body.quantity == "":
        return None
    try:
        return read_quantity(str(body.quantity))
    except NotAQuantity:
        raise Problem(
            422, "field_unreadable", "`quantity` is no decimal number like 12 or 0.5.", id=str(body.id)
        ) from None


_BATCH: Schema = {
    "type": "object",
    "properties": {
        "scans": {
            "type": "array",
            "items": ref("ScanBody"),
            "maxItems": actions.BATCH_LIMIT,
        }
    },
    "required": ["scans"],
}
_BATCH_ANSWER: Schema = {
    "type": "object",
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "anyOf": [
                    ref("ScanAnswer"),
                    ref("ProblemShape"),
                ]
            },
        }
    },
    "required": ["results"],
}
ADDRESSES = (
    address(
        "scans",
        "scans",
        scans,
        group="Scans",
        post=Operation(
            "One scan; the same id again gives the first answer",
            ScanAnswer,
            ScanBody,
            problems=(409,),
            plain=True,
        ),
    ),
    address(
        "scans/batch",
        "scans-batch",
        scans_batch,
        group="Scans",
        post=Operation(
            f"Up to {actions.BATCH_LIMIT} scans; one bad item costs no other",
            _BATCH_ANSWER,
            _BATCH,
            plain=True,
        ),
    ),
)
