"""Both servers without a supervisor: for tests and tools."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from jitapp.workshop import processes
from jitapp.workshop.embedded.postgres import Postgres
from jitapp.workshop.embedded.rights import Way
from jitapp.workshop.embedded.servers import CannotStart, Server, free_port, last_line
from jitapp.workshop.embedded.valkey import Valkey
from jitapp.workshop.processes import Command

START_PATIENCE_S = 60.0  # crash recovery after a hard kill replays the write-ahead log first
STOP_PATIENCE_S = 30.0


@dataclass(slots=True)
class Running:
    """Both servers, running; for tests and tools that need no supervisor."""

    postgres: Postgres
    valkey: Valkey
    children: list[tuple[subprocess.Popen[bytes], Command]]

    def stop(self, *, remove: bool) -> None:
        """End both, PostgreSQL last; delete their files if asked."""
        for process, command in reversed(self.children):
            processes.stop(process, command.stop_signal, patience=STOP_PATIENCE_S)
        if remove:
            self.postgres.remove()
            shutil.rmtree(self.valkey.folder, ignore_errors=True)


def start_both(folder: Path, *, durable: bool = True, way: Way | None = None) -> Running:
    """Start PostgreSQL and Valkey in `folder` on free ports and wait until both answer. Raises CannotStart."""
    postgres = Postgres(folder / "postgres", port=free_port(), durable=durable, way=way)
    valkey = Valkey(folder / "valkey", port=free_port(), durable=durable)
    running = Running(postgres, valkey, [])
    try:
        for server, log_name in ((postgres, "postgres.log"), (valkey, "valkey.log")):
            _start_one(running, server, folder / log_name)
        postgres.ensure_database()
    except BaseException:
        running.stop(remove=False)
        raise
    return running


def _start_one(running: Running, server: Server, log: Path) -> None:
    server.prepare(lambda _: None)
    command = server.command()
    with log.open("ab") as output:
        process = processes.start(command, output=output)
    running.children.append((process, command))
    deadline = time.monotonic() + START_PATIENCE_S
    while not server.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotStart(f"{Path(command.argv[0]).name} did not start: {last_line(log.read_text())}")
        time.sleep(0.02)
