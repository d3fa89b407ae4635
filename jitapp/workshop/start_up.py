"""Starts an installation from nothing to `Ready`, and watches it until it is asked to stop."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import http.client
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2

from jitapp.env import RUNNING
from jitapp.workshop.ask_redis import trouble_with
from jitapp.workshop.embedded import Postgres, Valkey, free_port, kept_secret, write_secret
from jitapp.workshop.embedded.servers import HOST
from jitapp.workshop.installation import (
    Farewell,
    Service,
    Stage,
    Wishes,
    child_environment,
    manage,
    read_owner,
    read_secret_key,
    read_servers,
    read_wishes,
    services,
)
from jitapp.workshop.supervisor import GiveUp, Supervisor, govern
from jitapp.workshop.watching import PING, POSTGRES_ASK, PULSES, Door, Watcher

SERVER_PATIENCE_S = 60.0
NAMED_SERVER_PATIENCE_S = 15.0
WEB_PATIENCE_S = 120.0
SECRET_KEY_BYTES = 48  # 64 characters; Django's own check asks for 50
PORT_PATIENCE_S = 3.0  # the ports of a start that was just killed are still being given back
OLDEST_POSTGRES = 150_000  # as libpq counts: 15.0


def run() -> int:
    """Runs an installation from start to end; returns the exit code."""
    return govern(_life)


def _life(supervisor: Supervisor) -> None:
    wishes = read_wishes()
    with _only_one(wishes.data):
        try:
            _live(supervisor, wishes)
        finally:
            supervisor.end()
            (wishes.data / RUNNING).unlink(missing_ok=True)


def _live(supervisor: Supervisor, wishes: Wishes) -> None:
    """Start everything in order, say that it is ready, and watch until asked to stop."""
    (wishes.data / RUNNING).unlink(missing_ok=True)  # of a start that was killed
    database_url, redis_url = read_servers()
    if read_owner() and not database_url:
        raise GiveUp(
            "DATABASE_OWNER_URL is set, but DATABASE_URL is not: name the application's role as well."
        )
    _ports_are_free(supervisor, wishes)
    database_url, owner_url = _postgres(supervisor, wishes, database_url)
    redis_url = _valkey(supervisor, wishes, redis_url)
    secret_key = read_secret_key() or kept_secret(wishes.data / "secret_key", random_bytes=SECRET_KEY_BYTES)
    environment = child_environment(
        wishes, database_url=database_url, redis_url=redis_url, secret_key=secret_key
    )
    # Only migrations, and commands that a person gives, come as the owner.
    owner = {"DATABASE_OWNER_URL": owner_url} if owner_url else {}
    told = {name: environment[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")} | owner
    write_secret(wishes.data / RUNNING, "".join(f"{name}={value}\n" for name, value in told.items()))

    supervisor.say("collecting static files, preparing the tables")
    static = supervisor.begin_once(
        "static", manage(environment, "collectstatic", "--noinput", "--verbosity", "0")
    )
    # A migration of a large table takes its time.
    slow = {**environment, "JITAPP_STATEMENT_TIMEOUT_MS": "600000"}
    # What Django checks of the settings is said here, and need not be checked once more below.
    supervisor.run_once("migrate", manage(slow | owner, "migrate", "--noinput", "--verbosity", "0"))
    logins: list[str] = []
    if wishes.demo != "0":
        supervisor.say("looking after the demonstration shop (the first time it is filled)")
        filled = manage(slow | owner, "demo_shop", "--skip-checks")
        logins = supervisor.run_once("demo shop", filled, keep=True)
    else:
        first = manage(environment, "first_code", "--skip-checks")
        logins = supervisor.run_once("first start", first, keep=True)
    supervisor.finish_once(static)  # before the services, which ask for its list when they start

    to_start = services(wishes, environment)
    supervisor.say(f"starting {', '.join(service.name for service in to_start)}")
    for service in to_start:
        if service.stage is not Stage.DEMO:
            supervisor.add(service)
    _web_is_ready(supervisor, wishes)
    supervisor.write(f"Ready: {wishes.url}")
    for line in logins:
        supervisor.write(line)
    for service in to_start:
        if service.stage is Stage.DEMO:
            supervisor.add(service)
    supervisor.watch(Watcher(wishes.data / PULSES))


def _postgres(supervisor: Supervisor, wishes: Wishes, named: str) -> tuple[str, str]:
    """The URLs of the application's and the owner's role (empty: the same) in a PostgreSQL that answers: the named one,
    or the embedded one, started here."""
    if named:
        supervisor.say("waiting for the PostgreSQL that DATABASE_URL names")
        trouble: list[str] = []

        def answers() -> bool:
            try:
                with contextlib.closing(psycopg2.connect(named, connect_timeout=3)) as connection:
                    version: int = connection.server_version
            except psycopg2.Error as error:
                trouble[:] = [str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"]
                return False
            if version < OLDEST_POSTGRES:
                raise GiveUp(
                    f"DATABASE_URL names PostgreSQL {version // 10_000}; 15 or newer is needed: upgrade it or name"
                    " another."
                )
            return True

        if not supervisor.wait_until(answers, patience=NAMED_SERVER_PATIENCE_S, every=0.5):
            raise GiveUp(
                f"DATABASE_URL names a PostgreSQL that does not answer ({trouble[0]}): start it or correct the address."
            )
        return named, read_owner()
    postgres = Postgres(wishes.data / "postgres", port=free_port())
    supervisor.say("starting PostgreSQL")
    postgres.prepare(supervisor.say)
    child = supervisor.add(
        Service(
            "postgres",
            postgres.command(),
            Stage.POSTGRES,
            (Farewell(signal.SIGINT, 30),),
            door=Door((HOST, postgres.port), POSTGRES_ASK),
        )
    )
    if not supervisor.wait_until(postgres.answers, patience=SERVER_PATIENCE_S, every=0.05):
        raise GiveUp(f"{child.name} did not answer within {SERVER_PATIENCE_S:g} s; its lines stand above.")
    postgres.ensure_database()
    return postgres.url, postgres.owner_url


def _valkey(supervisor: Supervisor, wishes: Wishes, named: str) -> str:
    """The URL of a Redis that answers: the named one, or the embedded Valkey, started here."""
    if named:
        supervisor.say("waiting for the Redis that REDIS_URL names")
        trouble: list[str] = []

        def answers() -> bool:
            trouble[:] = [trouble_with(named)]
            return not trouble[0]

        if not supervisor.wait_until(answers, patience=NAMED_SERVER_PATIENCE_S, every=0.5):
            raise GiveUp(
                f"REDIS_URL names a Redis that does not answer ({trouble[0]}): start it or correct the address."
            )
        return named
    valkey = Valkey(wishes.data / "valkey", port=free_port())
    supervisor.say("starting Valkey")
    valkey.prepare(supervisor.say)
    door = Door((HOST, valkey.port), PING)
    child = supervisor.add(Service("valkey", valkey.command(), Stage.VALKEY, door=door))
    if not supervisor.wait_until(valkey.answers, patience=SERVER_PATIENCE_S, every=0.05):
        raise GiveUp(f"{child.name} did not answer within {SERVER_PATIENCE_S:g} s; its lines stand above.")
    return valkey.url


def _web_is_ready(supervisor: Supervisor, wishes: Wishes) -> None:
    """Until /readyz answers 200 and the event streams' port is open. Raises GiveUp with what it lacks."""
    address = urlsplit(wishes.url)
    last: list[str] = ["no answer"]

    def ready() -> bool:
        connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            last[0] = f"{response.status} {response.read(300).decode(errors='replace')}"
            with socket.create_connection((address.hostname or "127.0.0.1", wishes.live_port), timeout=2):
                return response.status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    if not supervisor.wait_until(ready, patience=WEB_PATIENCE_S, every=0.2):
        raise GiveUp(f"The web server was not ready within {WEB_PATIENCE_S:g} s (/readyz: {last[0]}).")


def _ports_are_free(supervisor: Supervisor, wishes: Wishes) -> None:
    """Raises GiveUp, naming the port and its variable."""
    if wishes.port == wishes.live_port:
        raise GiveUp(f"PORT and JITAPP_LIVE_PORT are both {wishes.port}: give each a port of its own.")
    for variable, port in (("PORT", wishes.port), ("JITAPP_LIVE_PORT", wishes.live_port)):
        trouble: list[OSError] = []

        def free(port: int = port, trouble: list[OSError] = trouble) -> bool:
            family = socket.AF_INET6 if ":" in wishes.host else socket.AF_INET
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((wishes.host, port))
                except OSError as error:
                    trouble[:] = [error]
                    return error.errno != errno.EADDRINUSE
                trouble.clear()
                return True

        supervisor.wait_until(free, patience=PORT_PATIENCE_S, every=0.2)
        if trouble and trouble[0].errno == errno.EADDRINUSE:
            raise GiveUp(f"Port {port} is in use: stop what uses it, or set {variable} to another port.")
        if trouble:
            raise GiveUp(
                f"Port {port} of {wishes.host} cannot be used ({trouble[0].strerror}): set {variable}, or JITAPP_HOST,"
                " to another."
            )


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Locks the data folder, which two installations must not share. The lock ends with the process."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise GiveUp(
            f"The data folder {data} cannot be written ({error.strerror}): allow that, or set JITAPP_DATA to another"
            " folder."
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise GiveUp(
                f"Another start is running on the data folder {data}: stop it, or set JITAPP_DATA to another folder."
            ) from None
        yield
    finally:
        os.close(lock)


if __name__ == "__main__":
    sys.exit(run())
