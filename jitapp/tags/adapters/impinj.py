"""Impinj's IoT device interface: events in an array, one, or one a line. Pure.

Only `tagInventory` events hold reads; the others (started, stopped, heartbeats) say that the reader lives. `epc` is
base64url and always there, `epcHex` only where it was switched on; `peakRssiCdbm` is hundredths of a dBm.
"""

from __future__ import annotations

import base64
import binascii

from jitapp.tags.bodies import batch_of, values_of
from jitapp.tags.reads import Batch, Read, Unusable, antenna_of, epc_of, hex_or_nothing, instant_of, rssi_of

TAG_EVENT = "tagInventory"


def read(event: dict[str, object]) -> Read:
    """One event. Raises Unusable."""
    inside = event.get("tagInventoryEvent", event)
    if not isinstance(inside, dict):
        raise Unusable("read_unreadable", "`tagInventoryEvent` is a JSON object.")
    epc = inside.get("epcHex") or _from_base64(inside.get("epc"))
    return Read(
        epc_of(epc),
        antenna_of(inside.get("antennaPort")),
        instant_of(inside.get("lastSeenTime") or event.get("timestamp")),
        rssi_of(inside.get("peakRssiCdbm"), divisor=100.0),
        hex_or_nothing(inside.get("tidHex") or _from_base64(inside.get("tid"))),
        hex_or_nothing(inside.get("pcHex") or _from_base64(inside.get("pc"))),
    )


def _from_base64(value: object) -> str | None:
    """Hex of a base64url text, with or without padding."""
    if not isinstance(value, str) or not value:
        return None
    try:
        padded = value.strip() + "=" * (-len(value.strip()) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).hex()
    except (binascii.Error, ValueError):
        raise Unusable("epc_unreadable", f"{value[:40]!r} is no base64url of a tag's memory.") from None


def adapt(raw: bytes) -> Batch:
    """Raises Unusable."""
    values = values_of(raw)
    events = [
        each for each in values if not isinstance(each, dict) or each.get("eventType", TAG_EVENT) == TAG_EVENT
    ]
    return batch_of(events, read)


ADAPTER = adapt
