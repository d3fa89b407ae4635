"""JSON bodies of readers: one value, an array, or a value a line. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from jitapp.tags.reads import LONGEST_NAME, MOST_BYTES, MOST_READS, Batch, Read, Refusal, Unusable

_json = msgspec.json.Decoder()
_NOT_JSON = "not_json"


def values_of(raw: bytes) -> list[object]:
    """The values of a body: the members of an array, or a value for each line. Raises Unusable.

    A line that is no JSON is kept in its place as Unusable, so that it costs no other line.
    """
    if len(raw) > MOST_BYTES:
        raise Unusable("body_too_large", f"The body is larger than {MOST_BYTES} bytes. Send less at once.")
    raw = raw.strip().removeprefix(b"\xef\xbb\xbf")
    try:
        whole: object = _json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _lines(raw)
    return list(whole) if isinstance(whole, list) else [whole]


def _lines(raw: bytes) -> list[object]:
    lines = [line for line in raw.split(b"\n") if line.strip()]
    if len(lines) > MOST_READS:
        raise too_many()
    found = [_line(line) for line in lines]
    if not any(not isinstance(each, Unusable) for each in found):
        raise Unusable("malformed_json", "The body is not valid JSON.")
    return [inner for each in found for inner in (each if isinstance(each, list) else [each])]


def _line(line: bytes) -> object:
    try:
        return _json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Unusable(_NOT_JSON, "This line is not valid JSON.")


def too_many() -> Unusable:
    """The refusal of a body with too many reads."""
    return Unusable("too_many_reads", f"At most {MOST_READS} reads at once. Send the rest after.")


def batch_of(
    items: Iterable[object],
    read: Callable[[dict[str, object]], Read],
    *,
    reader: str = "",
    sent_at: datetime | None = None,
) -> Batch:
    """Each item by `read`; an item that is no object, or that `read` refuses, costs no other. Raises Unusable for too
    many of them."""
    reads: list[Read] = []
    refused: list[Refusal] = []
    for place, item in enumerate(items):
        if place >= MOST_READS:
            raise too_many()
        try:
            if isinstance(item, Unusable):
                raise item
            if not isinstance(item, dict):
                raise Unusable("read_unreadable", "A read is a JSON object.")
            reads.append(read(item))
        except Unusable as error:
            refused.append(Refusal(place, error.code, error.detail))
    return Batch(tuple(reads), tuple(refused), reader, sent_at)


def name_of(value: object) -> str:
    """The name of a reader; empty if there is none. Raises Unusable."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise Unusable("field_unreadable", f"`reader` is a name of at most {LONGEST_NAME} characters.")
    return value
