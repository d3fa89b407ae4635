"""`python -m jitapp.workshop.bench.slow_bodies`: scans beside bodies that never come or come slowly.

Three runs at the same pace: alone, beside eight connections that announce a body and send nothing and eight that send
a byte now and then, and alone again. The p99 of the middle one should be that of the others.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jitapp.workshop.bench.servers import Installation, Load

IDLE, SLOW = 8, 8
PATHS = ("/login/", "/api/v1/scans", "/api/v1/scans/batch", "/admin/login/")
HEAD = "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50000\r\n\r\n"
DRIP_S = 0.2


@contextlib.contextmanager
def slow_clients(port: int) -> Iterator[None]:
    """Connections that hold on to the server; what it ends is opened again."""
    stopped = threading.Event()

    def hold(path: str, drips: bool) -> None:
        while not stopped.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(HEAD.format(path).encode())
                line.settimeout(DRIP_S)
                while not stopped.wait(DRIP_S):
                    if drips:
                        line.sendall(b"x")
                    with contextlib.suppress(TimeoutError):
                        if line.recv(4096):  # refused, or ended
                            break

    threads = [
        threading.Thread(target=hold, args=(PATHS[number % len(PATHS)], number >= IDLE), daemon=True)
        for number in range(IDLE + SLOW)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def hands(plan: dict[str, Any], clients: int = 8) -> list[list[list[str]]]:
    """Cards for the clients, so that no two scan one loop."""
    chance = random.Random(0)  # noqa: S311  (a seed, so that every run scans alike)
    dealt = []
    for client in range(clients):
        cards = [card for loop in plan["loops"][client:800:clients] for card in loop]
        chance.shuffle(cards)
        dealt.append(cards)
    return dealt


def main() -> int:
    """Prints a line per run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=100.0, help="scans a second")
    options = parser.parse_args()
    installation = Installation(Path(tempfile.mkdtemp(prefix="jitapp-slow-bodies-")))
    try:
        plan = installation.prepare()
        installation.start_web()
        load = Load(port=installation.port, token=plan["token"], path="/api/v1/scans", scanners=hands(plan))
        load.closed(3)
        for name in ("alone", f"beside {IDLE} idle and {SLOW} slow bodies", "alone again"):
            beside = slow_clients(installation.port) if "beside" in name else contextlib.nullcontext()
            with beside:
                result = load.paced(options.seconds, options.rate)
            sys.stdout.write(
                f"{name}: {result['applied']} scans, p50 {result['p50']:.1f} ms, p99 {result['p99']:.1f} ms\n"
            )
            sys.stdout.flush()
        load.end()
    finally:
        installation.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
