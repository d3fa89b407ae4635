"""What each make of reader sends, and what is done with what it should not send."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from llrpkit.protocol import BitStr, messages, params

from jitapp.tags.adapters import ADAPTERS, adapter_of
from jitapp.tags.reads import MOST_BYTES, MOST_READS, Unusable

EPC = "3034257BF7194E4000001A85"
AT = "2026-11-21T09:00:00.123456789+01:00"
WHEN = datetime(2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC)


def adapt(name: str, value: Any) -> Any:
    return adapter_of(name)(json.dumps(value).encode() if not isinstance(value, bytes) else value)


def test_the_plain_form() -> None:
    batch = adapt(
        "plain",
        {
            "reader": "DOCK-1",
            "sent_at": AT,
            "more": 1,
            "reads": [
                {"epc": EPC.lower(), "antenna": 1, "at": AT, "rssi": -55, "pc": "3000", "colour": "red"},
                {"epc": " 3034-257B F7194E4000001A85 "},
            ],
        },
    )
    assert (batch.reader, batch.sent_at, batch.refused) == ("DOCK-1", WHEN, ())
    one, other = batch.reads
    assert (one.epc, one.antenna, one.at, one.rssi, one.pc) == (EPC, 1, WHEN, -55.0, "3000")
    assert (other.epc, other.antenna, other.at, other.rssi) == (EPC, None, None, None)


def test_impinj_reads_base64url_hex_streams_and_arrays() -> None:
    events = [
        {"timestamp": AT, "eventType": "inventoryStatus", "hostname": "r700-1", "inventoryStatusEvent": {}},
        {
            "timestamp": AT,
            "eventType": "tagInventory",
            "tagInventoryEvent": {"epc": "4oARkaUDAGXybMv_", "antennaPort": 1, "peakRssiCdbm": -7312},
        },
        {
            "timestamp": AT,
            "eventType": "tagInventory",
            "tagInventoryEvent": {"epcHex": EPC, "lastSeenTime": AT},
        },
    ]
    lines = "\n".join(json.dumps(each) for each in events).encode() + b"\n{cut off"
    for body, refused in ((json.dumps(events).encode(), []), (lines, ["not_json"])):
        batch = adapter_of("impinj")(body)
        assert [each.epc for each in batch.reads] == ["E2801191A5030065F26CCBFF", EPC]
        assert (batch.reader, batch.reads[0].rssi, batch.reads[1].at) == ("", -73.12, WHEN)
        assert [each.code for each in batch.refused] == refused


def test_zebra_fixed_readers_and_handhelds() -> None:
    fixed = {
        "type": "SIMPLE",
        "timestamp": 1_600_000_000_000,
        "data": {"idHex": EPC, "antenna": 2, "peakRssi": -56},
    }
    handheld = {
        "type": "RFID_EVENT",
        "timestamp": "2026-11-21T08:00:00.123+0000",
        "data": {"tagData": [{"id": EPC, "rssi": "-41"}, {"id": "zz"}, {"epcId": "AAAA", "antennaId": "1"}]},
    }
    batch = adapt("zebra", [fixed, handheld, {"type": "heartbeat", "data": {"radio": "on"}}])
    assert [each.epc for each in batch.reads] == [EPC, EPC, "AAAA"]
    assert batch.reads[0].at == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
    assert (batch.reads[1].rssi, batch.reads[2].antenna) == (-41.0, 1)
    assert batch.reads[1].at == datetime(2026, 11, 21, 8, 0, 0, 123000, tzinfo=UTC)
    assert [each.code for each in batch.refused] == ["epc_unreadable"]


def test_llrp_messages_as_they_come_over_the_wire() -> None:
    microseconds = int(WHEN.timestamp()) * 1_000_000 + WHEN.microsecond
    report = messages.RO_ACCESS_REPORT(
        tag_report_datas=[
            params.TagReportData(
                epc_parameter=params.EPC_96(epc=bytes.fromhex(EPC)),
                antenna_id=params.AntennaID(antenna_id=3),
                peak_rssi=params.PeakRSSI(peak_rssi=-61),
                last_seen_timestamp_utc=params.LastSeenTimestampUTC(microseconds=microseconds),
            ),
            params.TagReportData(epc_parameter=params.EPCData(epc=BitStr.from_bytes(b"\xaa\xbb"))),
        ]
    )
    raw = report.to_bytes(message_id=1) + messages.KEEPALIVE().to_bytes(message_id=2)
    one, other = adapter_of("llrp")(raw).reads
    assert (one.epc, one.antenna, one.rssi, one.at) == (EPC, 3, -61.0, WHEN)
    assert (other.epc, other.at) == ("AABB", None)
    with pytest.raises(Unusable):
        adapter_of("llrp")(raw[:-1])


@pytest.mark.parametrize(
    ("read", "code"),
    [
        ({}, "epc_missing"),
        ({"epc": 7}, "epc_missing"),
        ({"epc": " "}, "epc_missing"),
        ({"epc": "303"}, "epc_unreadable"),
        ({"epc": "3g"}, "epc_unreadable"),
        ({"epc": "30" * 63}, "epc_unreadable"),
        ({"epc": EPC, "antenna": -1}, "antenna_unreadable"),
        ({"epc": EPC, "antenna": 1.5}, "antenna_unreadable"),
        ({"epc": EPC, "antenna": True}, "antenna_unreadable"),
        ({"epc": EPC, "rssi": "strong"}, "rssi_unreadable"),
        ({"epc": EPC, "rssi": 1e300}, "rssi_unreadable"),
        ({"epc": EPC, "at": "yesterday"}, "time_unreadable"),
        ({"epc": EPC, "at": "2026-11-21T09:00:00"}, "time_unreadable"),
        ({"epc": EPC, "at": 1e300}, "time_unreadable"),
        ({"epc": EPC, "at": "9999-12-31T23:59:59+00:00"}, "time_unreadable"),
        ("text", "read_unreadable"),
        (None, "read_unreadable"),
    ],
)
def test_a_read_that_cannot_be_used_is_named_and_costs_no_other(read: Any, code: str) -> None:
    batch = adapt("plain", {"reads": [{"epc": EPC}, read, {"epc": "AAAA"}]})
    assert [each.epc for each in batch.reads] == [EPC, "AAAA"]
    assert [(each.place, each.code) for each in batch.refused] == [(1, code)]
    assert batch.refused[0].detail


@pytest.mark.parametrize("name", sorted(set(ADAPTERS) - {"llrp"}))
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"reads": 7}',
        b"null",
        b'"text"',
        b"7",
        b"[[[]]]",
        b'[null, {"a": 1}]',
    ],
    ids=lambda body: repr(body[:12]),
)
def test_no_body_is_more_than_a_refusal(name: str, body: bytes) -> None:
    told: Unusable | None = None
    try:
        assert adapter_of(name)(body).reads == ()
    except Unusable as error:
        told = error
    assert told is None or (told.code and told.detail)


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_every_body_has_an_end(name: str) -> None:
    with pytest.raises(Unusable, match="larger than"):
        adapter_of(name)(b" " * (MOST_BYTES + 1))


def test_too_many_reads_are_refused_whole() -> None:
    with pytest.raises(Unusable, match=f"At most {MOST_READS}"):
        adapt("plain", {"reads": [{"epc": "AAAA"}] * (MOST_READS + 1)})


def test_there_is_no_adapter_of_that_name() -> None:
    with pytest.raises(LookupError, match="plain, impinj, zebra, llrp"):
        adapter_of("os")
