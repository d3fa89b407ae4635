"""Finds processes that run but do nothing, for the supervisor to kill: what it kills, it starts again.

Three signs, whichever comes first:

- the kernel says that a process is stopped (SIGSTOP, a full stop of its group);
- it gives no beats (jitapp/pulse), as the processes of ours do;
- its port does not answer: PostgreSQL, Valkey, the event streams, the web server as a whole.

Silence is added up over the watcher's own looks, so that nobody is blamed for a machine that slept or was overloaded;
and a process that uses CPU time meanwhile is given three times as long.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jitapp.pulse.silence import Observer
from jitapp.workshop import processes

PULSES = "pulse"  # the folder of the beats, in the data folder (jitapp/pulse/beats.folder)
LOOK_SECONDS = 2.0
STOPPED_S = 10.0  # of a stopped process: whoever stopped it may let it go on
SILENT_S = 40.0  # without a beat or an answer; a statement may take thirty seconds
AT_WORK = 3.0  # times as long for whoever uses CPU time
HTTP = b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"
PING = b"PING\r\n"
# What a client sends before it logs in; the server answers one letter, also while it still recovers.
POSTGRES_ASK = bytes((0, 0, 0, 8, 4, 210, 22, 47))


@dataclass(frozen=True, slots=True)
class Door:
    """A port that must answer: `ask` is sent, any answer will do."""

    address: tuple[str, int]
    ask: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """A process to be killed, and why: `name` is that of its service."""

    name: str
    pid: int
    why: str


@dataclass(frozen=True, slots=True)
class Task:
    """What the kernel says of a process: its state in one letter, and the CPU time it has used, in clock ticks."""

    state: str
    used: int


def task_of(pid: int) -> Task | None:
    """None where the process is gone, or the kernel does not tell (macOS)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return Task(fields[0], int(fields[11]) + int(fields[12]))


def family_of(pid: int) -> list[int]:
    """The process and its descendants."""
    found, new = [pid], [pid]
    while new:
        children = processes.children(new.pop())
        found += children
        new += children
    return found


@dataclass(slots=True)
class Knock:
    """A question under way to the port of a process; answered, or not."""

    pid: int
    door: Door
    line: socket.socket | None = None
    asked: bool = False
    answers: int = 0

    def begin(self) -> None:
        """Asks. A question that is still under way is given up: it was not answered."""
        self.end()
        family = socket.AF_INET6 if ":" in self.door.address[0] else socket.AF_INET
        self.line = socket.socket(family, socket.SOCK_STREAM)
        self.line.setblocking(False)
        if self.line.connect_ex(self.door.address) not in (0, errno.EINPROGRESS):
            self.end()
            return
        # At once if the line stands: a server that is told to end would wait for a line that asks nothing.
        self._ask()

    def look(self) -> None:
        """Counts an answer that has come; sends the question once the line stands."""
        if self.line is None:
            return
        with selectors.DefaultSelector() as selector:
            selector.register(self.line, selectors.EVENT_READ | selectors.EVENT_WRITE)
            events = sum(mask for _, mask in selector.select(0))
        try:
            if events & selectors.EVENT_READ:
                if self.line.recv(1024):
                    self.answers += 1
                self.end()
            elif events & selectors.EVENT_WRITE and not self.asked:
                self._ask()
        except OSError:
            self.end()

    def _ask(self) -> None:
        if self.line is not None:
            with contextlib.suppress(OSError):
                self.asked = self.line.send(self.door.ask) > 0

    def end(self) -> None:
        """Gives the line back."""
        self.asked = False
        if self.line is not None:
            self.line.close()
            self.line = None


@dataclass(slots=True)
class Watched:
    """A service under watch: the process that the supervisor started, and the port that must answer, if any."""

    pid: int
    door: Door | None = None


@dataclass(slots=True)
class Watcher:
    """Looks every two seconds. `pulses` is the folder of the beats."""

    pulses: Path
    tasks: Callable[[int], Task | None] = task_of
    families: Callable[[int], list[int]] = family_of
    due_at: float = 0.0
    _knocks: dict[int, Knock] = field(default_factory=dict)
    _silence: Observer = field(default_factory=Observer)
    _stopped: Observer = field(default_factory=Observer)
    _idle: Observer = field(default_factory=Observer)

    def end(self) -> None:
        """Gives all lines back."""
        for knock in self._knocks.values():
            knock.end()

    def look(self, watched: Mapping[str, Watched], now: float) -> list[Finding]:
        """What is to be killed, at the monotonic second `now`."""
        self.due_at = now + LOOK_SECONDS
        families = {name: self.families(each.pid) for name, each in watched.items()}
        service_of = {pid: name for name, family in families.items() for pid in family}
        tasks = {pid: task for pid in service_of if (task := self.tasks(pid)) is not None}

        stopped = {str(pid): 0 for pid, task in tasks.items() if task.state == "T"}
        self._stopped.look(stopped, now)
        self._idle.look({str(pid): task.used for pid, task in tasks.items()}, now)
        found = {
            pid: Finding(service_of[pid], pid, f"process {pid} has been stopped for {seconds:.0f} s")
            for word, seconds in self._stopped.silent().items()
            if seconds >= STOPPED_S and (pid := int(word))
        }
        for pid, seconds, what in self._silent(watched, service_of, now):
            patience = SILENT_S if self._idle.silent().get(str(pid), 0.0) >= SILENT_S else AT_WORK * SILENT_S
            if seconds >= patience and pid not in found:
                found[pid] = Finding(service_of[pid], pid, f"{what} for {seconds:.0f} s")
        return list(found.values())

    def _silent(
        self, watched: Mapping[str, Watched], service_of: Mapping[int, str], now: float
    ) -> list[tuple[int, float, str]]:
        """(process, seconds of silence, what is missed) by beats and by answers."""
        if not self._beats_can_be_written():
            self._silence.away()
            return []
        counts: dict[str, int] = {}
        meant: dict[str, tuple[int, str]] = {}
        for name, (pid, count) in beats_in(self.pulses).items():
            if pid in service_of:  # else the file of one that was killed
                counts[f"beat {name} {pid}"] = count
                meant[f"beat {name} {pid}"] = (pid, f"{name} (process {pid}) has given no sign of life")
        for knock in self._knocks_at(watched):
            key = f"port {knock.pid} {knock.door.address[1]}"
            counts[key] = knock.answers
            meant[key] = (knock.pid, f"port {knock.door.address[1]} has not answered")
        self._silence.look(counts, now)
        return [(meant[key][0], seconds, meant[key][1]) for key, seconds in self._silence.silent().items()]

    def _beats_can_be_written(self) -> bool:
        """Not on a full disk: then nobody's silence says anything."""
        try:
            self.pulses.mkdir(exist_ok=True)
            (self.pulses / "looked").write_text("by the supervisor\n")
        except OSError:
            return False
        return True

    def _knocks_at(self, watched: Mapping[str, Watched]) -> list[Knock]:
        """A question at every door, after the answers to those of the last look."""
        doors = {each.pid: each.door for each in watched.values() if each.door is not None}
        for pid in set(self._knocks) - set(doors):
            self._knocks.pop(pid).end()
        for pid, door in doors.items():
            knock = self._knocks.setdefault(pid, Knock(pid, door))
            knock.look()
            if knock.line is None:
                knock.begin()
        return list(self._knocks.values())


def beats_in(folder: Path) -> dict[str, tuple[int, int]]:
    """(process, beats so far) of every slot in the folder."""
    found: dict[str, tuple[int, int]] = {}
    for file in folder.glob("*.*"):
        with contextlib.suppress(OSError, ValueError):
            pid, count = file.read_text().split()[:2]
            found[file.name] = (int(pid), int(count))
    return found
