"""The modules of static/js alone in a browser: the static files and blank pages on a port of their own, no database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]


@dataclass
class Bench:
    """An address whose /static/ is ours; `pages` are further answers by path: HTML, or bytes with their type."""

    url: str
    pages: dict[str, str] = field(default_factory=dict)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, pages: dict[str, str], **kwargs: Any) -> None:
        self._pages = pages
        super().__init__(*args, directory=str(ROOT), **kwargs)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/static/"):
            super().do_GET()
            return
        body = self._pages.get(path, "<!doctype html><title>blank</title>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: a test tells what was wrong."""


@contextmanager
def bench() -> Iterator[Bench]:
    """The files served on 127.0.0.1 until the end of the block."""
    made = Bench("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, pages=made.pages))
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def call(page: Page, module: str, name: str, *args: Any) -> Any:
    """What an exported function of static/js/`module` returns."""
    return page.evaluate(
        "async ([module, name, args]) => (await import(`/static/js/${module}`))[name](...args)",
        [module, name, list(args)],
    )
