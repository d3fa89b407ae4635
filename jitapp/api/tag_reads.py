"""The door for reads of tags: a plain view like the doors for scans, because readers send many.

200 means counted, and whatever follows from it is recorded. A read that cannot be used is named and costs no other;
the same body again makes nothing twice. The form of the body is the reader's own (`adapter`).
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from jitapp.api.errors import CODES, Problem
from jitapp.api.keys import Given, key_of_device, once
from jitapp.api.operations import Operation, Parameter, address
from jitapp.api.scans import JSON, REPLAYED, Call, Door, Reply, failed
from jitapp.live.panels import tell_stations
from jitapp.outages import store
from jitapp.pull.scan_request import Source
from jitapp.tags.adapters import ADAPTERS, adapter_of
from jitapp.tags.firing import Shown
from jitapp.tags.intake import Received, adapter_name, reader_for, receive
from jitapp.tags.reads import LONGEST_NAME, MOST_BYTES, MOST_READS, MOST_REFUSED_NAMED, Unusable
from jitapp.tags.taking import UnknownReader

_encode = msgspec.json.Encoder(decimal_format="string").encode
UNKNOWN_READER = (
    "No reader of that name may send here. Make it known with `manage.py api_token NAME --kind reader`, and send with"
    " its own token or with that of a gateway without a station."
)


class TagRead(msgspec.Struct):
    """One sighting of a tag. `epc`: its memory in hex digits; `at`: when, by the reader's clock; `rssi` in dBm; `pc`:
    the protocol word in hex, which tells ISO 17363 tags from EPCs. Unknown members are ignored."""

    epc: str
    antenna: int | None = None
    at: datetime | None = None
    rssi: float | None = None
    tid: str | None = None
    pc: str | None = None


class TagReadsBody(msgspec.Struct):
    """The plain form. `reader` is the device that read, by default the one whose token it is; `sent_at` is its clock at
    the moment of sending. Without reads it is a sign of life."""

    reads: list[TagRead]
    reader: str | None = None
    sent_at: datetime | None = None


class RefusedRead(msgspec.Struct):
    """A read that could not be used: its place in the body, counted from 0."""

    place: int
    code: str
    detail: str


class TagScan(msgspec.Struct):
    """What became of the scan that a tag gave."""

    id: UUID
    tag: str
    zone: str
    outcome: str
    code: str
    message: str


class TagReadsAnswer(msgspec.Struct):
    """What became of the reads. `arrived`, `left`: presences that began and ended by this body; `unknown`: tags of it
    that came and are on no card; `without_zone`: reads of antennas that belong to no zone."""

    reader: str
    received: int
    used: int
    refused: int
    weak_or_late: int
    without_zone: int
    arrived: int
    left: int
    unknown: int
    scans: list[TagScan]
    refusals: list[RefusedRead]


@csrf_exempt  # a bearer token, no cookie: nothing to forge
def tag_reads(request: HttpRequest) -> HttpResponse:
    """POST what a reader has seen."""
    meta = request.META
    adapter, reader = request.GET.get("adapter", ""), request.GET.get("reader", "")
    door = Door(MOST_BYTES, lambda raw, source, key: _answer(raw, source, key, adapter, reader))
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


def _answer(raw: bytes, source: Source, key: str, adapter: str, reader: str) -> Reply:
    """Counts a body. The same Idempotency-Key again gets the first answer."""
    if adapter and adapter not in ADAPTERS:
        raise Problem(400, "malformed", f"`adapter` is one of {', '.join(ADAPTERS)}.")
    if len(reader) > LONGEST_NAME or "\0" in reader:
        raise Problem(400, "malformed", f"`reader` is a name of at most {LONGEST_NAME} characters.")
    shown: list[Shown] = []

    def produce() -> Given:
        received = _received(raw, source, adapter, reader)
        shown[:] = received.shown
        return Given(200, _encode(_told(received)))

    if key:
        said = hashlib.sha256(raw).hexdigest()
        given = once(key_of_device(source, key, "tag-reads", adapter, reader, said), produce)
    else:
        given = produce()
    tell_stations([] if given.replayed else shown)
    return Reply(given.status, given.body, REPLAYED if given.replayed else JSON)


def _received(raw: bytes, source: Source, adapter: str, reader: str) -> Received:
    """Raises Problem for what cannot be read, and for a reader that may not send here."""
    try:
        reader_id, name = reader_for(source, reader)
        batch = adapter_of(adapter or adapter_name(reader_id))(raw)
        if batch.reader and not reader:
            reader_id, name = reader_for(source, batch.reader)
        return receive(batch, reader_id=reader_id, name=name, now=timezone.now())
    except Unusable as error:
        code = error.code if error.code in CODES else "field_unreadable"
        raise Problem(CODES[code][0], code, error.detail) from None
    except UnknownReader:
        raise Problem(422, "unknown_reference", UNKNOWN_READER) from None


def _told(received: Received) -> TagReadsAnswer:
    taken = received.taken
    return TagReadsAnswer(
        received.reader,
        taken.received,
        taken.used,
        len(taken.refused),
        taken.weak_or_late,
        taken.without_zone,
        len(taken.arrived),
        taken.left,
        sum(visit.tag.card_id is None for visit in taken.arrived),
        [
            TagScan(
                UUID(str(each.answer["id"])),
                each.tag,
                each.zone,
                str(each.answer["outcome"]),
                str(each.answer["code"]),
                str(each.answer["message"]),
            )
            for each in received.shown
            if "id" in each.answer
        ],
        [RefusedRead(each.place, each.code, each.detail) for each in taken.refused[:MOST_REFUSED_NAMED]],
    )


ADDRESSES = (
    address(
        "tag-reads",
        "tag-reads",
        tag_reads,
        group="Tags",
        post=Operation(
            f"Reads of tags, up to {MOST_READS} at once; repeats are folded into one presence per tag and read zone",
            TagReadsAnswer,
            TagReadsBody,
            parameters=(
                Parameter(
                    "adapter",
                    "the form of the body, if it is not the one that the reader's settings name",
                    {"type": "string", "enum": list(ADAPTERS)},
                ),
                Parameter("reader", "the reader, if the body does not name it and it is not the token's own"),
            ),
            plain=True,
        ),
    ),
)
