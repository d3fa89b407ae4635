"""Backup and restore between two running installations, with scans all the while."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.shop import Shop

# A restore takes the locks of all tables from running scans, and tries three times for a minute.
# Their two installations are started by one worker.
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("backups")]
ROUND = ("empty", "start", "complete", "load", "receive")


@dataclass(slots=True)
class Client:
    """A program with an ERP's token; `url` may be changed to the other installation."""

    url: str
    token: str

    def send(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """(status, answer)"""
        request = urllib.request.Request(  # noqa: S310
            path if path.startswith("http") else f"{self.url}/api/v1{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return int(answer.status), json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def everything(self, path: str) -> list[Any]:
        """All pages of a list."""
        rows: list[Any] = []
        following: str | None = path
        while following:
            status, page = self.send(following)
            assert status == 200, page
            rows += page["results"]
            following = page["next"]
        return rows

    def read_on(self, cursor: str) -> tuple[list[Any], str]:
        """(events after the cursor, the cursor behind them)"""
        events: list[Any] = []
        while True:
            page = self.send(f"/events?limit=500&cursor={cursor}")[1]
            events += page["results"]
            cursor = page["cursor"]
            if page["next"] is None:
                return events, cursor


@dataclass(slots=True)
class Traffic:
    """Scans without end in a thread of its own: card after card through its round."""

    client: Client
    codes: list[str]
    applied: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Traffic:
        self._thread = threading.Thread(target=self._scan, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        assert self._thread is not None
        self._thread.join()

    def _scan(self) -> None:
        while not self._ending.is_set():
            for code in self.codes:
                for intent in ROUND:
                    if self._ending.is_set():
                        return
                    _, answer = self.client.send(
                        "/scans", {"id": str(uuid4()), "code": code, "intent": intent}
                    )
                    self.applied += answer.get("outcome") == "applied"

    def wait_for(self, applied: int) -> None:
        """Until so many more scans are applied."""
        wanted = self.applied + applied
        while self.applied < wanted:
            assert self._thread is not None
            self._thread.join(0.02)
            assert self._thread.is_alive()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop that is backed up."""
    shop = Shop(tmp_path_factory.mktemp("source"))
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """An empty installation that runs."""
    shop = Shop(tmp_path_factory.mktemp("target"), {"JITAPP_DEMO": "0"})
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


def dense(events: list[Any]) -> bool:
    """Whether every loop's events are there, in the order of their numbers."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for event in events:
        if event["loop"] is not None:
            numbers[event["loop"]].append(event["loop_seq"])
    return all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def client_of(shop: Shop) -> Client:
    """With a token that the backup carries to the other installation."""
    return Client(shop.url, shop.manage("api_token", f"erp {uuid4()}", "--kind", "erp").stdout.strip())


def test_s02_a_backup_under_scans_becomes_another_installation(
    source: Shop, target: Shop, tmp_path: Path
) -> None:
    client = client_of(source)
    codes = [card["code"] for card in client.everything("/cards?limit=500")]
    file = tmp_path / "shop.backup"
    with Traffic(client, codes) as traffic:
        traffic.wait_for(30)
        early = client.send("/events?limit=10")[1]
        said = source.manage("backup", str(file)).stdout
        traffic.wait_for(30)
    read, late = client.read_on("")
    assert "Backed up" in said
    assert file.stat().st_mode & 0o077 == 0

    restored = target.manage("restore", str(file)).stdout
    assert " events, 0 differences" in restored
    other = Client(target.url, client.token)
    kept = other.everything("/events?limit=500")
    before = client.everything("/events?limit=500")
    there, known = ({event["id"] for event in events} for events in (kept, before))
    # A transaction that was under way is not in the backup; what the other installation writes itself comes behind.
    restored_ones = [event for event in before if event["id"] in there]
    assert kept == [*restored_ones, *(event for event in kept if event["id"] not in known)]
    assert 60 < len(restored_ones) < len(before)
    assert dense(kept)
    # A reader with a cursor of the source is told, and misses nothing if he goes on.
    status, told = other.send(f"/events?cursor={early['cursor']}")
    assert (status, told["code"]) == (410, "history_was_set_back")
    assert told["epoch"] != early["epoch"]
    followed = [*early["results"], *other.everything(f"/events?cursor={told['cursor']}&limit=500")]
    assert followed[: len(kept)] == kept
    # One who has read on sees nothing twice, and what comes.
    status, told = other.send(f"/events?cursor={late}")
    assert status == 410
    with Traffic(other, codes) as traffic:
        traffic.wait_for(10)
    fresh: list[Any] = []
    while (
        sum(event["type"] == "scan.applied" for event in fresh) < 10
    ):  # the feed waits for older transactions
        fresh = other.everything(f"/events?cursor={told['cursor']}&limit=500")
    assert not {event["id"] for event in fresh} & {event["id"] for event in read}
    assert dense([*(event for event in read if event["id"] in there), *fresh])
    assert target.manage("verify").returncode == 0


def test_a_database_that_is_not_empty_is_replaced_only_when_told_so(source: Shop, tmp_path: Path) -> None:
    client = client_of(source)
    codes = [card["code"] for card in client.everything("/cards?limit=500")]
    file = tmp_path / "shop.backup"
    source.manage("backup", str(file))
    again = source.manage("backup", str(file), check=False)
    assert again.returncode == 1
    assert f"{file} is there already" in again.stderr
    with Traffic(client, codes) as traffic:
        traffic.wait_for(5)
        refused = source.manage("restore", str(file), check=False)
        assert refused.returncode == 1
        assert "This database is not empty (1 plants, " in refused.stderr
        whole = file.read_bytes()
        place = len(whole) * 2 // 3
        for bad in (whole[:place], whole[:place] + bytes(4096) + whole[place + 4096 :]):
            torn = tmp_path / "torn.backup"
            torn.write_bytes(bad)
            damaged = source.manage("restore", str(torn), "--force", check=False)
            assert damaged.returncode == 1
            assert "Nothing was changed." in damaged.stderr
            assert "Traceback" not in damaged.stderr
        traffic.wait_for(5)
        done = source.manage("restore", str(file), "--force")
        assert " events, 0 differences" in done.stdout
        traffic.wait_for(5)  # the processes go on with what was restored
    assert source.manage("verify").returncode == 0


def test_what_is_no_backup_is_refused(source: Shop, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a backup")
    for name, sentence in (
        (text, "is no backup, or it is damaged"),
        (tmp_path / "missing", "There is no file"),
        (tmp_path, "There is no file"),
    ):
        refused = source.manage("restore", str(name), "--force", check=False)
        assert refused.returncode == 1
        assert sentence in refused.stderr
        assert "Traceback" not in refused.stderr
    nowhere = source.manage("backup", str(tmp_path / "missing" / "shop.backup"), check=False)
    assert "There is no folder" in nowhere.stderr
