"""The whole run: an installation of its own, clients, accidents, and what they have shown at the end."""

from __future__ import annotations

import contextlib
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dj_database_url
import psutil
from django.db import close_old_connections, connection
from django.utils import timezone

from jitapp.accounts.models import Device, new_token, token_hash
from jitapp.celery import app as celery
from jitapp.env import BASE_DIR, RUNNING
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Placement, Plant
from jitapp.pull.models import Card
from jitapp.pull.setup import set_up_shop
from jitapp.workshop import processes
from jitapp.workshop.chaos import shop
from jitapp.workshop.chaos.accidents import Killer
from jitapp.workshop.chaos.clients import Client, PlayCard, Tally
from jitapp.workshop.chaos.plan import Course, Plan, Result
from jitapp.workshop.chaos.results import examine
from jitapp.workshop.embedded import Valkey, free_port

START_PATIENCE_S = 180.0
STOP_PATIENCE_S = 60.0
DRAIN_PATIENCE_S = 60.0
Say = Callable[[str], None]


class Failed(Exception):
    """The run could not be made; the text is one sentence."""


# -- the installation --------------------------------------------------------------------------------
class Redis:
    """A Valkey of this run's own, which can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.server = Valkey(folder, port=free_port())
        self.server.prepare(lambda _: None)
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Starts it and waits until it answers."""
        with (self.server.folder / "log").open("ab") as log:
            self.process = processes.start(self.server.command(), output=log)
        deadline = time.monotonic() + START_PATIENCE_S
        while not self.server.answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise Failed(f"Valkey did not start; {self.server.folder / 'log'} says why.")
            time.sleep(0.02)

    def take_away(self, how: str) -> None:
        """Kills the process (`gone`) or stops it with SIGSTOP (`frozen`)."""
        assert self.process is not None
        if how == "frozen":
            self.process.send_signal(signal.SIGSTOP)
        else:
            self.process.kill()
            self.process.wait()

    def give_back(self, how: str) -> None:
        """Starts it again, with what it had written to its file, or continues it."""
        assert self.process is not None
        if how == "frozen":
            self.process.send_signal(signal.SIGCONT)
        else:
            self.start()

    def end(self) -> None:
        """Ends the process."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
            processes.stop(self.process, signal.SIGTERM, patience=10)


@dataclass(frozen=True, slots=True)
class Installation:
    """What `manage.py up` runs in a folder of its own."""

    up: psutil.Popen
    port: int
    log: Path
    redis: Redis


@contextlib.contextmanager
def installation(folder: Path, say: Say) -> Iterator[Installation]:
    """Started through the supervisor, empty (JITAPP_DEMO=0), ended with everything it started."""
    redis = Redis(folder / "redis")
    port, live_port = free_port(), free_port()
    named = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY")
    kept_out = ("DATABASE_URL", "DATABASE_OWNER_URL", "JITAPP_HOST", *(f"{name}_FILE" for name in named))
    environment = {name: value for name, value in os.environ.items() if name not in kept_out} | {
        "PORT": str(port),
        "JITAPP_LIVE_PORT": str(live_port),
        "JITAPP_DATA": str(folder / "data"),
        "JITAPP_DEMO": "0",
        "JITAPP_SCANS_A_SECOND": "0",
        "REDIS_URL": redis.server.url,
    }
    log = folder / "up.log"
    say("starting an installation of its own")
    with log.open("wb") as output:
        up = psutil.Popen(
            [sys.executable, str(BASE_DIR / "manage.py"), "up"],
            cwd=BASE_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_PATIENCE_S
        while "\nReady: " not in f"\n{log.read_text(errors='replace')}":
            if up.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"The installation did not start: {_last_line(log)}")
            time.sleep(0.1)
        yield Installation(up, port, log, redis)
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            up.send_signal(signal.SIGTERM)
        try:
            up.wait(STOP_PATIENCE_S)
        except psutil.TimeoutExpired:
            up.kill()
        redis.end()


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."


def use_servers_of(folder: Path, installed: Installation) -> None:
    """Points this process's Django connection and Celery broker at the installation."""
    celery.conf.update(broker_url=installed.redis.server.url)
    lines = (folder / "data" / RUNNING).read_text().splitlines()
    url = dict(line.split("=", 1) for line in lines)["DATABASE_URL"]
    connection.close()
    options = connection.settings_dict.get("OPTIONS", {})
    connection.settings_dict.update(dj_database_url.parse(url))
    connection.settings_dict["OPTIONS"] = options


def build_shop(clients: int) -> tuple[list[str], list[PlayCard]]:
    """Makes the synthetic shop; returns a token per client, and its cards."""
    made = set_up_shop(shop.document(), now=timezone.now())
    if made.report.errors:
        raise Failed(f"The synthetic shop was refused: {made.report.errors[0].message}")
    plant = Plant.objects.get(code="CHAOS")
    tokens = []
    for number in range(clients):
        token = new_token()
        device = Device.objects.create(
            name=f"chaos client {number}", kind=DeviceKind.SCANNER, token_hash=token_hash(token)
        )
        Placement.objects.create(device=device, plant=plant)
        tokens.append(token)
    rows = Card.objects.order_by("pk").values_list("code", "loop__demand__code", "loop__supply__code")
    return tokens, [PlayCard(*row) for row in rows]


# -- the run -----------------------------------------------------------------------------------------
def run(plan: Plan, *, say: Say, keep: Path | None = None) -> Result:
    """Raises Failed if the run itself cannot be made. `keep` names a folder that stays afterwards."""
    folder = keep or Path(tempfile.mkdtemp(prefix="jitapp-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with installation(folder, say) as installed:
            use_servers_of(folder, installed)
            try:
                return _accidents(plan, installed, say)
            finally:
                connection.close()
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _accidents(plan: Plan, installed: Installation, say: Say) -> Result:
    tokens, cards = build_shop(plan.clients)
    tally = Tally()
    stop = threading.Event()
    clients = [
        Client(
            number,
            port=installed.port,
            token=token,
            cards=cards,
            tally=tally,
            repeat=plan.repeat,
            seed=plan.seed,
        )
        for number, token in enumerate(tokens)
    ]
    shares = [
        plan.scans // plan.clients + (number < plan.scans % plan.clients) for number in range(plan.clients)
    ]
    threads = [
        threading.Thread(target=client.run, args=(share, plan.seconds, stop), name=f"client {number}")
        for number, (client, share) in enumerate(zip(clients, shares, strict=True))
    ]
    chance = random.Random(plan.seed)  # noqa: S311  (a run can be repeated)
    killer = Killer(psutil.Process(installed.up.pid), chance)
    say(f"{plan.scans} scans from {plan.clients} clients over {plan.seconds:.0f} s, {plan.kills} kills")
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    try:
        away = _conduct(plan, installed, killer, chance, threads, say)
    except BaseException:
        stop.set()
        raise
    finally:
        for thread in threads:
            thread.join(STOP_PATIENCE_S)
    lasted = time.monotonic() - begun
    waited = _wait_for_the_drain()
    say("examining the result")
    return examine(plan, tally, killer, Course(lasted, waited, away))


def _conduct(
    plan: Plan,
    installed: Installation,
    killer: Killer,
    chance: random.Random,
    threads: list[threading.Thread],
    say: Say,
) -> tuple[datetime, datetime] | None:
    """Kills at random instants while the clients scan, and takes Redis away in the middle; returns when it was away.

    Redis stays away until a signal was made without it: a web server that was killed may take longer to come back.
    """
    begun = time.monotonic()
    kills = sorted(chance.uniform(0.03, 0.97) * plan.seconds for _ in range(plan.kills))
    leaves_at = plan.seconds * 0.4 if plan.redis_stop else math.inf
    returns_at = math.inf
    away: list[datetime] = []
    while any(thread.is_alive() for thread in threads) or kills or returns_at < math.inf:
        if installed.up.poll() is not None:
            raise Failed(f"The installation ended in the middle of the run: {_last_line(installed.log)}")
        now = time.monotonic() - begun
        if now >= leaves_at:
            say(f"Redis is {plan.redis_how} for {plan.redis_stop:.0f} s")
            installed.redis.take_away(plan.redis_how)
            away.append(timezone.now())
            leaves_at, returns_at = math.inf, now + plan.redis_stop
        if now >= returns_at and (
            _signals_since(away[0]) or not any(thread.is_alive() for thread in threads)
        ):
            away.append(timezone.now())
            installed.redis.give_back(plan.redis_how)
            returns_at = math.inf
            say("Redis is back")
        if kills and now >= kills[0]:
            # Without Redis the relay alone carries signals upstream: then it is not killed, one accident at a time.
            skip = frozenset({"relay"}) if returns_at < math.inf else frozenset()
            if killer.strike(skip=skip):
                kills.pop(0)
            elif now > plan.seconds + DRAIN_PATIENCE_S:
                raise Failed(f"{len(kills)} kills found no process: {_last_line(installed.log)}")
        time.sleep(0.02)
    return (away[0], away[1]) if len(away) == 2 else None


def _signals_since(begin: datetime) -> bool:
    close_old_connections()
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM outbox_message WHERE created_at > %s)", [begin])
        return bool(cursor.fetchone()[0])


def _wait_for_the_drain() -> float:
    """Waits until no outbox row waits; returns the seconds."""
    begun = time.monotonic()
    while time.monotonic() - begun < DRAIN_PATIENCE_S:
        close_old_connections()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM outbox_message WHERE done_at IS NULL AND dead_at IS NULL")
            if cursor.fetchone()[0] == 0:
                break
        time.sleep(0.1)
    return time.monotonic() - begun
