"""The plain form: {"reader": "DOCK-1", "reads": [{"epc": "...", "antenna": 1, "at": "...", "rssi": -55}]}. Pure."""

from __future__ import annotations

from jitapp.tags.bodies import batch_of, name_of, values_of
from jitapp.tags.reads import Batch, Read, Unusable, antenna_of, epc_of, hex_or_nothing, instant_of, rssi_of


def read(item: dict[str, object]) -> Read:
    """One read. Raises Unusable."""
    return Read(
        epc_of(item.get("epc")),
        antenna_of(item.get("antenna")),
        instant_of(item.get("at")),
        rssi_of(item.get("rssi")),
        hex_or_nothing(item.get("tid")),
        hex_or_nothing(item.get("pc")),
    )


def adapt(raw: bytes) -> Batch:
    """One object; `sent_at` is the reader's clock at the moment of sending. Raises Unusable."""
    values = values_of(raw)
    body = values[0] if len(values) == 1 else None
    if isinstance(body, Unusable):
        raise body
    if not isinstance(body, dict):
        raise Unusable("malformed", 'The body is one JSON object: {"reader": "...", "reads": [...]}.')
    reads = body.get("reads")
    if not isinstance(reads, list):
        raise Unusable("field_unreadable", "`reads` is a list of reads; an empty one is a sign of life.")
    return batch_of(reads, read, reader=name_of(body.get("reader")), sent_at=instant_of(body.get("sent_at")))


ADAPTER = adapt
