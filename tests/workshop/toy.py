"""A toy installation under the real supervisor: `python -m tests.workshop.toy FILE`, FILE holding JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from jitapp.workshop import watching
from jitapp.workshop.installation import Farewell, Service, Stage
from jitapp.workshop.processes import Command
from jitapp.workshop.supervisor import Supervisor, govern
from jitapp.workshop.watching import Watcher

# A well-behaved child: says that it is there, and notes its end in a file.
CHILD = """
import os, signal, sys, time
name, book = sys.argv[1:]
def end(number, frame):
    with open(book, "a") as out:
        out.write(f"{name} {signal.Signals(number).name}\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
print("here", os.getpid(), flush=True)
time.sleep(60)
"""


def main(file: Path) -> int:
    """Runs the services the file describes until asked to stop."""
    plan = json.loads(file.read_text())
    watching.LOOK_SECONDS, watching.STOPPED_S = 0.05, 0.1  # toys are not stopped by people

    def life(supervisor: Supervisor) -> None:
        supervisor.first_pause_s = 0.02
        supervisor.long_enough_s = plan.get("long_enough_s", supervisor.long_enough_s)
        for toy in plan["services"]:
            farewells = tuple(
                Farewell(signal.Signals[number], patience)
                for number, patience in toy.get("farewells", [["SIGTERM", 5]])
            )
            command = Command(
                [sys.executable, "-c", toy.get("code", CHILD), toy["name"], plan["book"]],
                dict(os.environ),
                stop_signal=farewells[0].signal,
            )
            stage = Stage[toy.get("stage", "WORKER")]
            supervisor.add(
                Service(toy["name"], command, stage, farewells, optional=toy.get("optional", False))
            )
        supervisor.wait_until(lambda: plan.get("ready", True), patience=60)
        supervisor.write("Ready")
        supervisor.watch(Watcher(file.parent) if plan.get("watched") else None)

    return govern(life)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
