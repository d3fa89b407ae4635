"""The public vectors (`JITAPP_VECTORS`): readers' bodies, and the identities of tags."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from jitapp.tags.adapters import adapter_of
from jitapp.tags.identity import identity_of

FOLDER = os.environ.get("JITAPP_VECTORS", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="JITAPP_VECTORS names no folder of public vectors")
ADAPTER = {"impinj-iot": "impinj", "zebra-iotc": "zebra"}


def rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((Path(FOLDER) / name).read_text())
    return found


def test_every_body_of_a_reader_means_what_its_source_says() -> None:
    for row in rows("reader_events.json"):
        batch = adapter_of(ADAPTER[row["vendor"]])(json.dumps(row["input"]).encode())
        assert batch.refused == (), row["id"]
        for read, wanted in zip(batch.reads, row["expect"], strict=True):
            assert (read.epc, read.antenna, read.rssi) == (
                wanted["epc_hex"],
                wanted["antenna"],
                wanted["rssi_dbm"],
            ), row["id"]
            assert read.tid == wanted.get("tid_hex", ""), row["id"]
            if "time" in wanted:
                assert read.at == datetime.fromisoformat(wanted["time"][:26].rstrip("Z") + "+00:00"), row[
                    "id"
                ]


def test_tags_are_named_by_their_pure_identity() -> None:
    wrong = []
    known = [row for row in rows("epc_tag_hex.json") if row["expect"].get("pure_identity_uri")]
    for row in known:
        named = identity_of(row["input"].upper())
        if named != row["expect"]["pure_identity_uri"]:
            wrong.append(f"{row['id']}: {named} is {row['expect']['pure_identity_uri']}")
    assert len(known) > 50
    assert not wrong, "\n".join(wrong)
