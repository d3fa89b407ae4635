"""LLRP: one or more RO_ACCESS_REPORT messages as they come over the wire, by llrpkit. Pure.

The process that keeps the readers' connections (jitapp/tags/llrp.py) gets reports already taken apart: `read_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from llrpkit.exceptions import LLRPError
from llrpkit.inventory import TagReport
from llrpkit.protocol import decode_message, messages, params

from jitapp.tags.bodies import too_many
from jitapp.tags.reads import (
    FIRST_YEAR,
    LAST_YEAR,
    MOST_BYTES,
    MOST_READS,
    Batch,
    Read,
    Refusal,
    Unusable,
    epc_of,
    rssi_of,
)

HEADER_BYTES = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_of(report: TagReport) -> Read:
    """One report. Raises Unusable."""
    return Read(
        epc_of(report.epc.hex()),
        report.antenna,
        _instant(report.last_seen_us or report.first_seen_us),
        rssi_of(report.rssi_dbm),
        report.tid.hex().upper() if report.tid else "",
        _pc(report.raw),
    )


def _pc(raw: params.TagReportData | None) -> str:
    """The protocol word, where the reader was asked to tell it."""
    words = raw.air_protocol_tag_datas if raw is not None else []
    return next((f"{word.pc_bits:04X}" for word in words if isinstance(word, params.C1G2_PC)), "")


def _instant(microseconds: int | None) -> datetime | None:
    """Microseconds since 1970; None for a clock that was never set."""
    if not microseconds:
        return None
    try:
        at = _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return None
    return at if FIRST_YEAR <= at.year <= LAST_YEAR else None


def _frames(raw: bytes) -> Iterator[bytes]:
    """The messages in a body, by the lengths in their heads. Raises Unusable."""
    at = 0
    while at < len(raw):
        length = int.from_bytes(raw[at + 2 : at + 6], "big")
        if length < HEADER_BYTES or at + length > len(raw):
            raise Unusable("malformed", "The body is no sequence of whole LLRP messages.")
        yield raw[at : at + length]
        at += length


def adapt(raw: bytes) -> Batch:
    """Other messages (keep-alives, notifications) are a sign of life. Raises Unusable."""
    if len(raw) > MOST_BYTES:
        raise Unusable("body_too_large", f"The body is larger than {MOST_BYTES} bytes. Send less at once.")
    reads: list[Read] = []
    refused: list[Refusal] = []
    place = 0
    for frame in _frames(raw):
        try:
            message = decode_message(frame)
        except (LLRPError, ValueError, IndexError, KeyError):
            refused.append(Refusal(place, "read_unreadable", "This LLRP message cannot be decoded."))
            place += 1
            continue
        for report in message.tag_report_datas if isinstance(message, messages.RO_ACCESS_REPORT) else ():
            if place >= MOST_READS:
                raise too_many()
            try:
                reads.append(read_of(TagReport.from_param(report)))
            except Unusable as error:
                refused.append(Refusal(place, error.code, error.detail))
            place += 1
    return Batch(tuple(reads), tuple(refused))


ADAPTER = adapt
