"""What both embedded servers need: free ports, the files of the wheels, secrets, and a bare environment."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from jitapp.workshop.processes import Command

HOST = "127.0.0.1"

Say = Callable[[str], None]


class CannotStart(RuntimeError):
    """An embedded server cannot be started; the text is one sentence for a person."""


class Server(Protocol):
    """What the supervisor and the tests need of a server."""

    @property
    def url(self) -> str: ...
    def prepare(self, say: Say) -> None: ...
    def command(self) -> Command: ...
    def answers(self) -> bool: ...


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def wheel(package: str) -> Path:
    """The folder of an installed package. Raises CannotStart."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(
            f"The package {package} is not installed: run `make run`, or set DATABASE_URL and REDIS_URL"
            " to servers of your own."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def bare_environment() -> Mapping[str, str]:
    """Without our own variables: PGPORT, PGOPTIONS or an odd LANG would change how the servers behave."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def kept_secret(file: Path, *, random_bytes: int = 24) -> str:
    """The secret kept in the file; made at the first call, and again if it was made with fewer random bytes."""
    with contextlib.suppress(FileNotFoundError):
        if len(text := file.read_text().strip()) >= len(secrets.token_urlsafe(random_bytes)):
            return text
    text = secrets.token_urlsafe(random_bytes)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_secret(file, text)
    return text


def write_secret(file: Path, text: str) -> None:
    """Readable by its owner only, from the first byte."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)


def last_line(text: str) -> str:
    """The last line with something in it, for a sentence about a failed start."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing."
