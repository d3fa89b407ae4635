"""An installation of its own for the benchmarks: servers and workers started as the product starts them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg2
from psycopg2 import sql

from jitapp.env import BASE_DIR
from jitapp.workshop import processes
from jitapp.workshop.bench.client import Summary
from jitapp.workshop.embedded import OWNER, Running, free_port, start_both
from jitapp.workshop.installation import Wishes, child_environment, services
from jitapp.workshop.processes import Command

TWIN_DATABASE = "jitapp_bench_twin"
PATIENCE_S = 120.0


class Installation:
    """PostgreSQL, Redis, two web servers (the product's and the twin's) and, when asked for, a worker.

    Without URLs both servers are the embedded ones, durable as in production, in a folder that goes with the run.
    """

    def __init__(self, folder: Path, *, database_url: str = "", redis_url: str = "") -> None:
        self.folder = folder
        self.embedded: Running | None = None
        self.database_url = database_url
        self.owner_url = database_url
        self.admin_url = database_url
        self.redis_url = redis_url
        if not (database_url and redis_url):
            self._start_servers()
        self.twin_url = urlsplit(self.database_url)._replace(path=f"/{TWIN_DATABASE}").geturl()
        self.port, self.twin_port = free_port(), free_port()
        self.wishes = Wishes(host="127.0.0.1", port=self.port, live_port=free_port(), data=folder, demo="0")
        self.environment = child_environment(
            self.wishes,
            database_url=self.database_url,
            redis_url=self.redis_url,
            secret_key=secrets.token_urlsafe(48),
        ) | {"JITAPP_SCANS_A_SECOND": "0"}  # one token drives as hard as it can
        self.running: dict[str, tuple[subprocess.Popen[bytes], Command]] = {}
        self._postmaster: int | None = None

    def _start_servers(self) -> None:
        running = start_both(self.folder / "servers")
        with contextlib.closing(psycopg2.connect(running.postgres.admin_url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:  # when a transaction ended, to the microsecond
                cursor.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        running.stop(remove=False)
        self.embedded = start_both(self.folder / "servers")
        self.database_url = self.database_url or self.embedded.postgres.url
        self.owner_url = self.owner_url or self.embedded.postgres.owner_url
        self.admin_url = self.admin_url or self.embedded.postgres.admin_url
        self.redis_url = self.redis_url or self.embedded.valkey.url

    # -- the database --------------------------------------------------------------------------------
    def prepare(self) -> dict[str, Any]:
        """Tables, the synthetic shop, and a copy of it all for the twin; returns what the load needs to know."""
        slow = {**self.environment, "JITAPP_STATEMENT_TIMEOUT_MS": "600000"}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"],
            cwd=BASE_DIR,
            env={**slow, "DATABASE_OWNER_URL": self.owner_url},
            check=True,
        )
        made = subprocess.run(
            [sys.executable, "-m", "jitapp.workshop.bench.shop"],
            cwd=BASE_DIR,
            env={**slow, "DATABASE_URL": self.owner_url},  # it tidies the tables up
            check=True,
            capture_output=True,
        )
        self._copy_for_twin()
        plan: dict[str, Any] = json.loads(made.stdout)
        return plan

    def _copy_for_twin(self) -> None:
        source = urlsplit(self.database_url).path.lstrip("/")
        elsewhere = urlsplit(self.admin_url)._replace(path="/postgres").geturl()
        with contextlib.closing(psycopg2.connect(elsewhere)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                twin = sql.Identifier(TWIN_DATABASE)
                cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(twin))
                cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(twin, sql.Identifier(source)))
                if self.embedded:
                    cursor.execute(
                        sql.SQL("ALTER DATABASE {} OWNER TO {}").format(twin, sql.Identifier(OWNER))
                    )

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of one statement, outside any transaction of the product's."""
        with contextlib.closing(psycopg2.connect(self.database_url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []

    def versions(self) -> str:
        """Such as: PostgreSQL 18.4, fsync on, synchronous_commit on."""
        shown = {
            name: self.query(f"SHOW {name}")[0][0]
            for name in ("server_version", "fsync", "synchronous_commit")
        }
        return (
            f"PostgreSQL {shown['server_version'].split()[0]}, fsync {shown['fsync']},"
            f" synchronous_commit {shown['synchronous_commit']}"
        )

    # -- processes -----------------------------------------------------------------------------------
    def start_web(self) -> None:
        """The product's web server, as the product starts it, and the twin's, served the same way."""
        command = next(each.command for each in services(self.wishes, self.environment) if each.name == "web")
        self._start("web", command)
        argv = [str(self.twin_port) if word == str(self.port) else word for word in command.argv]
        argv[-1] = "jitapp.workshop.bench.twin.rsgi:application"
        settings = {
            "DATABASE_URL": self.twin_url,
            "DJANGO_SETTINGS_MODULE": "jitapp.workshop.bench.twin.settings",
        }
        self._start("twin", replace(command, argv=argv, env={**command.env, **settings}))
        for port in (self.port, self.twin_port):
            self._wait_for(port)

    def start_worker(self) -> None:
        """The product's Celery worker."""
        self._start(
            "worker",
            next(each.command for each in services(self.wishes, self.environment) if each.name == "worker"),
        )

    def start_live(self) -> int:
        """The product's process of the event streams; returns its number."""
        command = next(
            each.command for each in services(self.wishes, self.environment) if each.name == "live"
        )
        self._start("live", command)
        self._wait_for(self.wishes.live_port)
        return self.running["live"][0].pid

    def stop(self, name: str) -> None:
        """Ends one process and what it started."""
        process, command = self.running.pop(name)
        processes.stop(process, command.stop_signal, patience=20)

    def last_words(self) -> str:
        """The newest lines of every log, for a run that failed."""
        logs = sorted(self.folder.rglob("*.log"))
        return "".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}\n" for log in logs)

    def end(self) -> None:
        """Ends everything and removes the folder."""
        for name in list(self.running):
            self.stop(name)
        if self.embedded:
            self.embedded.stop(remove=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, name: str, command: Command) -> None:
        with (self.folder / f"{name}.log").open("ab") as output:
            self.running[name] = processes.start(command, output=output), command

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException, socket.timeout):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                connection.close()
                return
            time.sleep(0.1)
        raise RuntimeError(f"Nothing answers on port {port}; see {self.folder}.")

    # -- what it costs -------------------------------------------------------------------------------
    @contextlib.contextmanager
    def cpu(self) -> Iterator[dict[str, float]]:
        """Fills in the cores that each group of processes used meanwhile."""
        spent: dict[str, float] = {}
        before, begin = self._seconds(), time.monotonic()
        yield spent
        elapsed = time.monotonic() - begin
        spent.update(
            {name: (used - before.get(name, 0.0)) / elapsed for name, used in self._seconds().items()}
        )

    def _seconds(self) -> Mapping[str, float]:
        groups = {name: process.pid for name, (process, _) in self.running.items()}
        if self._postmaster is None:
            self._postmaster = self._find_postmaster()
        if self._postmaster:
            groups["postgres"] = self._postmaster
        return {name: _family_seconds(pid) for name, pid in groups.items()}

    def _find_postmaster(self) -> int:
        """The server's process, if it runs on this machine; else 0."""
        with contextlib.closing(psycopg2.connect(self.database_url)) as connection:
            try:
                backend = psutil.Process(connection.info.backend_pid)
                parent = backend.parent()
                return parent.pid if parent and "postgres" in backend.name() else 0
            except psutil.NoSuchProcess:
                return 0


def _family_seconds(pid: int) -> float:
    """CPU seconds of a process and of its descendants that live."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for each in [parent, *parent.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total += times.user + times.system
    return total


class Load:
    """A client process (client.py) and the runs it is asked for."""

    def __init__(
        self, *, port: int, token: str, path: str, scanners: list[list[list[str]]], batch: int = 0
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jitapp.workshop.bench.client"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=BASE_DIR,
            env={"PATH": os.environ.get("PATH", os.defpath)},
        )
        self._tell(
            {
                "host": "127.0.0.1",
                "port": port,
                "token": token,
                "path": path,
                "scanners": scanners,
                "batch": batch,
            }
        )

    def closed(self, seconds: float) -> Summary:
        """Every scanner sends as soon as it is answered."""
        return self._run({"run": "closed", "seconds": seconds})

    def paced(self, seconds: float, rate: float) -> Summary:
        """Scans come due at a fixed rate."""
        return self._run({"run": "open", "seconds": seconds, "rate": rate})

    def end(self) -> None:
        """Ends the process."""
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait(10)

    def _run(self, order: dict[str, object]) -> Summary:
        self._tell(order)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("The load's client ended; the server did not answer it.")
        result: Summary = json.loads(line)
        if result["other"] > result["applied"] // 100:
            raise RuntimeError(f"{result['other']} scans were not applied: {result['sample']}")
        return result

    def _tell(self, message: dict[str, object]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
