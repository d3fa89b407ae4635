"""The whole way in a running installation: a scan over HTTP, worker, relay, the ERP, and the signal that goes out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from tests.erp.stub import StubErp
from tests.shop import Shop

PATIENCE_S = 30.0
SHOP = {
    "shop": 1,
    "plants": [
        {
            "code": "ERPHALL",
            "name": "Hall with an ERP",
            "areas": [{"code": "erphall", "name": "Hall"}],
            "suppliers": [{"code": "erpacme", "name": "Acme"}],
            "stations": [
                {
                    "code": "ERPACME",
                    "name": "Acme",
                    "area": "erphall",
                    "kind": "SUPPLIER",
                    "supplier": "erpacme",
                },
                {"code": "ERPLINE", "name": "Line", "area": "erphall", "kind": "SHIPPING"},
            ],
            "parts": [{"number": "ERPSCREW", "unit": "pcs"}],
            "loops": [
                {
                    "code": "ERPLOOP",
                    "part": "ERPSCREW",
                    "demand": "ERPLINE",
                    "supply": "ERPACME",
                    "kind": "SUPPLIER",
                    "cards": 4,
                    "quantity": 100,
                    "doc_policy": "WAIT_FOR_DOC_NUMBER",
                }
            ],
        }
    ],
}


def test_a_scan_asks_a_real_erp_also_after_it_was_away(running_shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text(json.dumps(SHOP))
    running_shop.manage("load_shop", str(tmp_path / "shop.json"))
    token = running_shop.manage("api_token", "erp-test", "--kind", "erp", "--plant", "ERPHALL").stdout.strip()
    with httpx.Client(
        base_url=f"{running_shop.url}/api/v1", headers={"Authorization": f"Bearer {token}"}
    ) as api:

        def empty(card: str) -> dict[str, Any]:
            scan = {"id": str(uuid4()), "code": card, "station": "ERPLINE", "intent": "empty"}
            answer: dict[str, Any] = api.post("/scans", json=scan).json()
            assert answer["outcome"] == "applied", answer
            return answer

        def turn_when(turn: str, state: str) -> dict[str, Any]:
            until = time.monotonic() + PATIENCE_S
            while (found := api.get(f"/turns/{turn}").json())["signal_state"] != state:
                assert time.monotonic() < until, (found, api.get(f"/turns/{turn}/document").json())
                time.sleep(0.05)
            facts: dict[str, Any] = found
            return facts

        cards = [row["code"] for row in api.get("/cards", params={"loop": "ERPLOOP"}).json()["results"]]
        # Nobody listens there yet: the scan is taken all the same, and the ERP owes the number.
        away = empty(cards[0])["turn"]["id"]
        until = time.monotonic() + PATIENCE_S
        while (found := api.get(f"/turns/{away}").json())["owner"] != "erp":
            assert time.monotonic() < until, found
            time.sleep(0.05)
        erp = StubErp(_port=urlsplit(running_shop.wishes["JITAPP_ERP_URL"]).port or 0)
        erp.start()
        try:
            turns = [away, *(empty(card)["turn"]["id"] for card in cards[1:])]
            numbers = {turn: turn_when(turn, "RELEASED")["document"] for turn in turns}
        finally:
            erp.stop()
    assert numbers == erp.numbers
    assert len(set(numbers.values())) == 4
    assert set(erp.made.values()) == {1}
    assert all(seen.signed for seen in erp.seen)
