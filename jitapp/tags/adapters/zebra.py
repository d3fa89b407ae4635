"""Zebra's IoT Connector: fixed readers (FX, ATR) and handhelds (RFD40, RFD90). Pure.

A fixed reader sends {type, timestamp, data: {idHex, antenna, peakRssi, ...}}, one or in arrays, also the bare `data`;
a handheld {data: {tagData: [{id, antenna, rssi, ...}]}} or the list itself. Times are ISO text or milliseconds since
1970. Events without a tag (heartbeats, alerts) say that the reader lives.
"""

from __future__ import annotations

from collections.abc import Iterator

from jitapp.tags.bodies import batch_of, values_of
from jitapp.tags.reads import Batch, Read, Unusable, antenna_of, epc_of, hex_or_nothing, instant_of, rssi_of

WITHOUT_TAGS = ("heartbeat", "alert", "management", "gpi", "gpo", "status")
_EPC = ("idHex", "epcHex", "epcId", "epc", "id", "tagId")
_RSSI = ("peakRssi", "rssi", "peakRSSI", "RSSI")
_ANTENNA = ("antenna", "antennaId", "antennaID")
_TIME = ("timestamp", "seenTime", "lastSeenTime", "firstSeenTimestamp", "eventTime")


def read(item: dict[str, object]) -> Read:
    """One tag. Raises Unusable."""
    return Read(
        epc_of(_first(item, _EPC)),
        antenna_of(_first(item, _ANTENNA)),
        instant_of(_first(item, _TIME)),
        rssi_of(_first(item, _RSSI)),
        hex_or_nothing(_first(item, ("TID", "tid"))),
        hex_or_nothing(_first(item, ("PC", "pc"))),
    )


def _first(item: dict[str, object], names: tuple[str, ...]) -> object:
    return next((item[name] for name in names if item.get(name) not in (None, "")), None)


def _tags(value: object) -> Iterator[object]:
    """The tags of one event, each with the event's time where it has none of its own."""
    if not isinstance(value, dict):
        yield value
        return
    if str(value.get("type", "")).lower().startswith(WITHOUT_TAGS):
        return
    data = value.get("data", value)
    if isinstance(data, dict) and isinstance(data.get("tagData"), list):
        data = data["tagData"]
    elif isinstance(value.get("tagData"), list):
        data = value["tagData"]
    for tag in data if isinstance(data, list) else [data]:
        yield {"timestamp": value.get("timestamp"), **tag} if isinstance(tag, dict) else tag


def adapt(raw: bytes) -> Batch:
    """Raises Unusable."""
    values = values_of(raw)
    items = (tag for value in values for tag in ((value,) if isinstance(value, Unusable) else _tags(value)))
    return batch_of(items, read)


ADAPTER = adapt
