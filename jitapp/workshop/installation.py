"""What a whole installation on one machine consists of: the wishes of its owner, and the processes to run.

How they are watched and in which order they end is the supervisor's business (supervisor.py).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from jitapp.env import (
    BASE_DIR,
    data_folder,
    env_choice,
    env_int,
    env_owner_url,
    env_readers,
    env_signing_secret,
    env_str,
    env_url,
)
from jitapp.workshop.processes import Command
from jitapp.workshop.watching import HTTP, Door

POSTGRES_SCHEMES = ("postgres", "postgresql")
READ_FROM_FILES = {"DATABASE_URL_FILE", "REDIS_URL_FILE", "SECRET_KEY_FILE"}  # they win over the plain names
OWNERS_ONLY = {"DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE"}  # for migrations, not for what runs
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  (a wish of the owner's, not a default)
REDIS_SCHEMES = ("redis", "rediss", "unix")
MQTT_SCHEMES = ("mqtt", "mqtts")


class Stage(IntEnum):
    """The order of the end: the lowest goes first, and each stage is over before the next begins."""

    DEMO = 0
    WEB = 1
    LIVE = 2
    CLOCKWORK = 3
    WORKER = 4
    VALKEY = 5
    POSTGRES = 6


@dataclass(frozen=True, slots=True)
class Farewell:
    """A signal, and the seconds a process has before the next one (after the last: SIGKILL)."""

    signal: signal.Signals
    patience: float


@dataclass(frozen=True, slots=True)
class Service:
    """A process that runs as long as the installation does."""

    name: str
    command: Command
    stage: Stage
    farewells: tuple[Farewell, ...] = (Farewell(signal.SIGTERM, 10),)
    # The installation does its work without it: when it cannot be kept alive, the others go on.
    optional: bool = False
    # Exit code 0 means that there is nothing left to do: it is not started again.
    may_finish: bool = False
    door: Door | None = None  # a port that answers as long as the process does its work


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the environment asks for, checked."""

    host: str
    port: int
    live_port: int
    data: Path
    demo: str  # "live", "1" or "0"

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the pages."""
        return f"http://{'127.0.0.1' if self.host in EVERYWHERE else self.host}:{self.port}/"


def read_wishes() -> Wishes:
    """Raises Nonsense, which names the variable."""
    port = env_int("PORT", 8000, least=1, most=65_535)
    live_port = env_int("JITAPP_LIVE_PORT", port + 1 if port < 65_535 else port - 1, least=1, most=65_535)
    return Wishes(
        host=env_str("JITAPP_HOST", "127.0.0.1") or "127.0.0.1",
        port=port,
        live_port=live_port,
        data=data_folder(),
        demo=env_choice("JITAPP_DEMO", "live", ("live", "1", "0")),
    )


def read_servers() -> tuple[str, str]:
    """(DATABASE_URL, REDIS_URL); empty where the embedded server is wanted. Raises Nonsense."""
    return env_url("DATABASE_URL", POSTGRES_SCHEMES), env_url("REDIS_URL", REDIS_SCHEMES)


def read_owner() -> str:
    """DATABASE_OWNER_URL; empty where DATABASE_URL's role does everything. Raises Nonsense."""
    return env_owner_url("DATABASE_OWNER_URL")


def read_secret_key() -> str:
    """SECRET_KEY, or empty."""
    return env_signing_secret("SECRET_KEY")


def child_environment(
    wishes: Wishes, *, database_url: str, redis_url: str, secret_key: str
) -> dict[str, str]:
    """What every process of ours is told."""
    return {
        **{name: value for name, value in os.environ.items() if name not in READ_FROM_FILES | OWNERS_ONLY},
        "DJANGO_SETTINGS_MODULE": "jitapp.settings",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": secret_key,
        "PORT": str(wishes.port),
        "JITAPP_LIVE_PORT": str(wishes.live_port),
        "JITAPP_DATA": str(wishes.data),
        "JITAPP_DEMO": wishes.demo,
        "PYTHONUNBUFFERED": "1",
        # Threads share two heaps instead of eight each: a third less memory at rest.
        "MALLOC_ARENA_MAX": "2",
    }


def manage(environment: Mapping[str, str], *arguments: str) -> Command:
    """`python manage.py ARGUMENTS`."""
    return Command(argv=[sys.executable, "manage.py", *arguments], env=environment, cwd=BASE_DIR)


def services(wishes: Wishes, environment: Mapping[str, str]) -> list[Service]:
    """The processes of ours, in the order of their start."""
    # Work behind the pages may take longer than a page: an import, a sweep.
    patient = {**environment, "JITAPP_STATEMENT_TIMEOUT_MS": "30000"}
    found = [
        _web(wishes, environment),
        _live(wishes, {**environment, "JITAPP_CONN_MAX_AGE": "0"}),
        _worker(patient),
        Service("relay", manage(patient, "relay"), Stage.CLOCKWORK),
        _scheduler(wishes, environment),
    ]
    # Optional: without a broker or a reader the others go on.
    if env_url("JITAPP_MQTT_URL", MQTT_SCHEMES):
        found.append(Service("mqtt", manage(patient, "mqtt"), Stage.CLOCKWORK, optional=True))
    if env_readers("JITAPP_LLRP"):
        found.append(Service("llrp", manage(patient, "llrp"), Stage.CLOCKWORK, optional=True))
    if wishes.demo == "live":
        found.append(
            Service("demo", manage(environment, "demo_operators"), Stage.DEMO, optional=True, may_finish=True)
        )
    return found


def _module(environment: Mapping[str, str], *arguments: str) -> Command:
    """`python -m ARGUMENTS`."""
    return Command(argv=[sys.executable, "-m", *arguments], env=environment, cwd=BASE_DIR)


def _web(wishes: Wishes, environment: Mapping[str, str]) -> Service:
    command = _module(
        environment,
        *("granian", "--interface", "rsgi", "--http", "1", "--host", wishes.host, "--port", str(wishes.port)),
        # Connections that are not served wait in memory only: thousands of idle ones keep nobody out.
        *("--workers", "2", "--backpressure", "4096", "--http1-header-read-timeout", "20000"),
        *("--no-ws", "--log-level", "warning", "--workers-kill-timeout", "10", "--respawn-failed-workers"),
        "jitapp.rsgi:application",
    )
    return Service(
        "web", command, Stage.WEB, (Farewell(signal.SIGTERM, 15),), door=_door(wishes, wishes.port)
    )


def _door(wishes: Wishes, port: int) -> Door:
    # A socket of asyncio's on IPv6 hears no IPv4.
    here = "::1" if wishes.host == "::" else "127.0.0.1" if wishes.host in EVERYWHERE else wishes.host
    return Door((here, port), HTTP)


def _live(wishes: Wishes, environment: Mapping[str, str]) -> Service:
    command = _module(
        environment,
        *("uvicorn", "jitapp.asgi:application", "--host", wishes.host, "--port", str(wishes.live_port)),
        *("--timeout-graceful-shutdown", "2", "--log-level", "warning", "--no-access-log"),
    )
    return Service("live", command, Stage.LIVE, door=_door(wishes, wishes.live_port))


def _worker(environment: Mapping[str, str]) -> Service:
    if os.geteuid() == 0:  # whoever starts a trial as root has decided so
        environment = {
            **environment,
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
        }
    command = _module(
        environment,
        *("celery", "--quiet", "--app", "jitapp.celery", "worker", "--pool", "prefork"),
        # One child: the relay drains beside it, and each child more is 60 MB at rest.
        *("--concurrency", "1", "--loglevel", "WARNING"),
        *("--without-mingle", "--without-gossip", "--without-heartbeat"),
    )
    # Warm first: the task at hand ends. Then cold: it goes back into the queue.
    return Service(
        "worker", command, Stage.WORKER, (Farewell(signal.SIGTERM, 20), Farewell(signal.SIGQUIT, 12))
    )


def _scheduler(wishes: Wishes, environment: Mapping[str, str]) -> Service:
    command = _module(
        environment,
        *("celery", "--quiet", "--app", "jitapp.celery:clock", "beat", "--loglevel", "WARNING"),
        *("--schedule", str(wishes.data / "beat-schedule")),
    )
    return Service("scheduler", command, Stage.CLOCKWORK)
