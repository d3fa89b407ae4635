"""An ERP for tests: real sockets, documents once per idempotency key, and every way to be out of order."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass
class Seen:
    """A call as it arrived."""

    method: str
    path: str
    key: str
    headers: dict[str, str]
    body: bytes

    @property
    def signed(self) -> bool:
        """Whether one of its signatures was made with our key; computed here independently."""
        text = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        right = base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest()).decode()
        return f"v1,{right}" in self.headers["webhook-signature"].split()


@dataclass
class StubErp:
    """`mood` is what it does with the next calls: ok, down (refuses connections), broken (500), busy (429),
    cut (makes the document, then breaks the answer off), hang, slow, huge, redirect, refuse (422), later (202),
    nonsense, drip."""

    mood: str = "ok"
    answer: dict[str, Any] = field(default_factory=dict)  # the body of a refusal, or of any other answer
    retry_after: str = ""
    numbers: dict[str, str] = field(default_factory=dict)  # key -> number of its one document
    made: Counter[str] = field(default_factory=Counter)
    cancelled: set[str] = field(default_factory=set)
    seen: list[Seen] = field(default_factory=list)
    delay_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None
    _port: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Listens on a free port, the same one again after `stop`."""
        erp = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                erp._handle(self)

            def do_DELETE(self) -> None:
                erp._handle(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            # Callers connect by dozens at once; what the backlog of 5 cannot hold would be reset by the kernel.
            request_queue_size = 128

            def handle_error(self, *_: Any) -> None:
                pass  # callers that hang up are what some tests are about

        self._server = Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Refuses connections from now on."""
        self._over.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self._over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/documents"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._port}"

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Seen(request.command, request.path, headers.get("idempotency-key", ""), headers, body)
        with self._lock:
            self.seen.append(seen)
            mood = self.mood
        if self.delay_s:
            time.sleep(self.delay_s)
        if mood == "hang":
            self._over.wait(30)
            request.close_connection = True
            return
        if mood in ("broken", "busy", "refuse", "redirect"):
            status = {"broken": 500, "busy": 429, "refuse": 422, "redirect": 302}[mood]
            self._send(request, status, self.answer)
            return
        if request.command == "DELETE":
            with self._lock:
                known = self.numbers.pop(seen.key, None)
                self.cancelled.add(seen.key)
            self._send(request, 204 if known else 404, None)
            return
        if mood == "later":
            self._send(request, 202, {})
            return
        if mood == "nonsense":
            self._send(request, 200, {"ok": True})
            return
        if mood == "huge":
            self._send(request, 200, {"number": "1", "filling": "x" * 200_000})
            return
        with self._lock:
            if seen.key not in self.numbers:
                self.made[seen.key] += 1
                self.numbers[seen.key] = f"45{len(self.numbers) + len(self.cancelled):05}"
            number = self.numbers[seen.key]
        if mood == "cut":
            request.send_response(200)
            request.send_header("Content-Length", "100")
            request.end_headers()
            request.wfile.write(b'{"num')
            request.wfile.flush()
            linger = struct.pack("ii", 1, 0)
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            request.close_connection = True
            return
        self._send(request, 201, {"number": number, **self.answer})

    def _send(self, request: BaseHTTPRequestHandler, status: int, answer: dict[str, Any] | None) -> None:
        body = b"" if answer is None else json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        if self.retry_after:
            request.send_header("Retry-After", self.retry_after)
        if status == 302:
            request.send_header("Location", f"http://{self.host}/elsewhere")
        request.end_headers()
        request.wfile.write(body)
