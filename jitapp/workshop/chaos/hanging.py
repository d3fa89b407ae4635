"""`manage.py hanging`: how soon what hangs is said, and how soon it works again.

An installation of its own. Each kind of process is stopped once (SIGSTOP), the web server by one of its children; then
Valkey is killed ten times in forty seconds, several rounds, while tasks are sent. Prints a line for each.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import redis

from jitapp.celery import app
from jitapp.env import BASE_DIR, RUNNING
from jitapp.workshop.embedded import free_port

KINDS = {
    "web": "granian",
    "live": "uvicorn",
    "worker": "worker",
    "relay": "relay",
    "scheduler": "beat",
    "postgres": "postgres",
}
PATIENCE_S = 180.0
KILLS, KILL_EVERY_S = 10, 4.0
CALM_S = 12.0  # for so long the worker must go on hearing its queue before it counts as well


def ready(port: int) -> tuple[int, list[str]]:
    """The status of /readyz and what it names; 0 without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        said = json.loads(answer.read())
        return answer.status, [*said["lacks"], *said["frozen"], *said["degraded"]]
    except (OSError, ValueError, http.client.HTTPException):
        return 0, []
    finally:
        connection.close()


def of_kind(up: psutil.Process, kind: str) -> psutil.Process:
    """The process that the supervisor started; of the web server a child, which answers half of the requests."""
    word = KINDS[kind]
    found = next(
        child
        for child in up.children()
        if any(Path(part.split(" ")[0]).name == word for part in child.cmdline())
    )
    if kind != "web":
        return found
    return next(child for child in found.children() if "resource_tracker" not in " ".join(child.cmdline()))


def freeze(up: psutil.Process, port: int, kind: str) -> str:
    """Stops a process; when it was said and when all was well again, in words."""
    hanging = of_kind(up, kind)
    began = time.monotonic()
    hanging.suspend()
    said: float | None = None
    while (passed := time.monotonic() - began) < PATIENCE_S:
        status, words = ready(port)
        if said is None and (status == 503 or words):
            said = passed
        if status == 200 and not words and not hanging.is_running():
            told = "never" if said is None else f"after {said:.1f} s ({kind})"
            return f"{kind} stopped: said {told}, mended after {passed:.1f} s"
        time.sleep(0.25)
    return f"{kind} stopped: not mended within {PATIENCE_S:g} s"


@contextlib.contextmanager
def nudges() -> Iterator[None]:
    """Twenty tasks a second, as scans would send them."""
    stopped = threading.Event()

    def send() -> None:
        while not stopped.wait(0.05):
            with contextlib.suppress(Exception):  # the broker is away half of the time
                app.send_task("jitapp.drain", expires=30, retry=False)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        yield
    finally:
        stopped.set()
        sender.join()


def hears(client: redis.Redis) -> bool:
    """Whether a worker waits for messages, and few wait for it."""
    try:
        asks = any("brpop" in str(each.get("cmd", "")).lower() for each in client.client_list())
        return asks and int(client.llen("celery")) <= 20
    except (redis.RedisError, OSError):
        return False


def kill_the_broker(up: psutil.Process, url: str, round_: int) -> str:
    """Kills Valkey again and again; when the worker worked again after the last time, in words."""
    with nudges():
        for _ in range(KILLS):
            for child in up.children():
                if "valkey-server" in " ".join(child.cmdline()):
                    child.kill()
                    last = time.monotonic()
            time.sleep(KILL_EVERY_S)
        client = redis.Redis.from_url(url, socket_timeout=1)
        well: float | None = None
        while time.monotonic() - last < PATIENCE_S:
            if not hears(client):
                well = None
            elif well is None:
                well = time.monotonic()
            elif time.monotonic() - well > CALM_S:
                return (
                    f"Valkey killed {KILLS} times, round {round_}: the worker works after {well - last:.1f} s"
                )
            time.sleep(0.25)
    return f"Valkey killed {KILLS} times, round {round_}: the worker is deaf for {PATIENCE_S:g} s"


@contextlib.contextmanager
def installation(folder: Path) -> Iterator[tuple[psutil.Process, int, str]]:
    """A whole installation with servers of its own: its supervisor, the port of its pages, its Redis."""
    port = free_port()
    kept_out = re.compile("DATABASE_|REDIS_URL|SECRET_KEY|JITAPP_|PORT$")
    wishes = {"PORT": str(port), "JITAPP_LIVE_PORT": str(free_port()), "JITAPP_DATA": str(folder / "data")}
    log = folder / "log"
    with log.open("wb") as output:
        up = psutil.Popen(
            [sys.executable, str(BASE_DIR / "manage.py"), "up"],
            cwd=BASE_DIR,
            env={name: value for name, value in os.environ.items() if not kept_out.match(name)}
            | wishes
            | {"JITAPP_DEMO": "0"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while "\nReady: " not in log.read_text(errors="replace"):
            if up.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"The installation did not start: {log.read_text(errors='replace')[-500:]}"
                )
            time.sleep(0.1)
        lines = (folder / "data" / RUNNING).read_text().splitlines()
        yield psutil.Process(up.pid), port, dict(line.split("=", 1) for line in lines)["REDIS_URL"]
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            up.send_signal(signal.SIGTERM)
        try:
            up.wait(PATIENCE_S)
        except psutil.TimeoutExpired:
            up.kill()


def run(rounds: int, say: Callable[[str], object]) -> bool:
    """Says a line for each process and round; whether all was said and mended."""
    lines: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="jitapp-hanging-") as name,
        installation(Path(name)) as (up, port, url),
    ):
        app.conf.update(broker_url=url)
        steps: list[Callable[[], str]] = [partial(freeze, up, port, kind) for kind in KINDS]
        steps += [partial(kill_the_broker, up, url, number + 1) for number in range(rounds)]
        for step in steps:
            time.sleep(CALM_S)  # who has just been started has not been looked at yet
            lines.append(step())
            say(lines[-1])
    return not any(word in line for line in lines for word in ("said never", "not mended", "deaf"))
