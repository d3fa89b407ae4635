"""Accidents on purpose: kill -9 of processes of this run."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil

LIVED_S = 20.0  # masters that die sooner, again and again, make the supervisor give up
STARTED_S = 2.0  # newly started processes are skipped: they have no work yet
KINDS = {"granian": "web", "worker": "worker", "relay": "relay"}


def kind_of(process: psutil.Process) -> str:
    """web, worker, relay, or empty for everything else."""
    with contextlib.suppress(psutil.Error):
        line = process.cmdline()
        if "celery" in line and "beat" in line:
            return ""
        return next((kind for word, kind in KINDS.items() if word in line), "")
    return ""


@dataclass
class Killer:
    """Kills processes that the given supervisor started, and no other."""

    supervisor: psutil.Process
    chance: random.Random
    kinds: tuple[str, ...] = ("web", "worker", "relay")
    killed: Counter[str] = field(default_factory=Counter)

    def strike(self, *, skip: frozenset[str] = frozenset()) -> str:
        """Kills one process at random, a master or a child; returns its kind, "" if there was none to kill.

        `skip`: kinds that are left alone.
        """
        kinds = [kind for kind in self.kinds if kind not in skip]
        self.chance.shuffle(kinds)
        for kind in kinds:
            victims = self._victims(kind)
            if not victims:
                continue
            victim, role = self.chance.choice(victims)
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.send_signal(signal.SIGKILL)
                self.killed[f"{kind} {role}"] += 1
                return kind
        return ""

    def _victims(self, kind: str) -> list[tuple[psutil.Process, str]]:
        found: list[tuple[psutil.Process, str]] = []
        now = time.time()
        with contextlib.suppress(psutil.NoSuchProcess):
            for master in self.supervisor.children():
                if kind_of(master) != kind:
                    continue
                with contextlib.suppress(psutil.NoSuchProcess):
                    if now - master.create_time() > LIVED_S:
                        found.append((master, "master"))
                    found += [
                        (child, "child")
                        for child in master.children(recursive=True)
                        if child.status() != psutil.STATUS_ZOMBIE and now - child.create_time() > STARTED_S
                    ]
        return found
