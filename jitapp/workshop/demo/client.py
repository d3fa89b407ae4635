"""The API as a tablet uses it: keep-alive, and a scan is sent again with the same id until it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import httpx
from uuid_utils.compat import uuid7

LONGEST_PAUSE_SECONDS = 5.0
SECONDS = 10.0


class Stopped(Exception):
    """Asked to stop while waiting for an answer."""


class TokenEnded(Exception):
    """A token is no longer known: other operators were started, or the shop was emptied."""


@dataclass
class Tablet:
    """A device at one station. Waits out restarts, 429 and 503; `stop` ends the waiting."""

    http: httpx.Client
    token: str
    stop: Event
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **question: str) -> dict[str, Any]:
        """The answer to a GET. Raises Stopped, TokenEnded, and httpx.HTTPStatusError for what will not change."""
        return self._send("GET", path, params=question)

    def everything(self, path: str, **question: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(path, limit="500", cursor=cursor, **question)
            rows += page["results"]
            cursor = httpx.URL(page["next"]).params["cursor"] if page["next"] else None
        return rows

    def scan(self, code: str, intent: str, *, by: str = "", promised_at: str = "") -> dict[str, Any]:
        """The answer to one scan, however often it had to be sent."""
        body = {"id": str(uuid7()), "code": code, "intent": intent, "by": by, "promised_at": promised_at}
        return self._send("POST", "/api/v1/scans", json={name: said for name, said in body.items() if said})

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """The answer to an act, done once however often it had to be sent. Raises as `get` does."""
        return self._send("POST", path, json=body, key=str(uuid7()))

    def _send(self, method: str, path: str, *, key: str = "", **more: Any) -> dict[str, Any]:
        pause = 0.2
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        while not self.stop.is_set():
            asked_to_wait = 0.0
            try:
                response = self.http.request(method, path, headers=headers, timeout=SECONDS, **more)
                if response.status_code == 401:
                    raise TokenEnded
                if response.status_code < 500 and response.status_code != 429:
                    response.raise_for_status()
                    answer: dict[str, Any] = response.json()
                    return answer
                asked_to_wait = _seconds(response.headers.get("Retry-After", ""))
            except httpx.TransportError:
                pass  # the web process is being started again
            self.stop.wait(min(max(pause, asked_to_wait), LONGEST_PAUSE_SECONDS))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        raise Stopped


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0
