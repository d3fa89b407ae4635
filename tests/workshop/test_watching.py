"""Which processes the supervisor is told to kill: told by the kernel, by their beats, by their ports."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jitapp.workshop import processes, watching
from jitapp.workshop.watching import PING, SILENT_S, STOPPED_S, Door, Task, Watched, Watcher

RELAY, WEB, WORKER_OF_WEB = 100, 200, 201


class Machine:
    """Processes as the test wants them, and a watcher that looks every two seconds."""

    def __init__(self, folder: Path) -> None:
        self.tasks = {pid: Task("S", 0) for pid in (RELAY, WEB, WORKER_OF_WEB)}
        self.families = {RELAY: [RELAY], WEB: [WEB, WORKER_OF_WEB]}
        self.folder = folder
        self.watched = {"relay": Watched(RELAY), "web": Watched(WEB)}
        self.watcher = Watcher(folder, self.tasks.get, self.families.__getitem__)
        self.now = 1000.0

    def beat(self, name: str, pid: int) -> None:
        (self.folder / name).write_text(f"{pid} {self.now:.0f} {self.now}\n")

    def look(
        self, seconds: float, *, beating: dict[str, int], busy: tuple[int, ...] = ()
    ) -> list[tuple[str, int]]:
        """What is found within so many seconds."""
        end = self.now + seconds
        while self.now < end:
            self.now += watching.LOOK_SECONDS
            for name, pid in beating.items():
                self.beat(name, pid)
            for pid in busy:
                self.tasks[pid] = Task("R", self.tasks[pid].used + 1)
            if found := self.watcher.look(self.watched, self.now):
                return [(each.name, each.pid) for each in found]
        return []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


ALL = {"relay.1": RELAY, "web.1": WORKER_OF_WEB}


def test_s03_nobody_is_killed_who_gives_signs_of_life(machine: Machine) -> None:
    assert machine.look(600, beating=ALL) == []


def test_s03_a_stopped_process_is_found_soon_also_a_child_of_a_child(machine: Machine) -> None:
    machine.look(4, beating=ALL)
    machine.tasks[WORKER_OF_WEB] = Task("T", 5)
    assert machine.look(STOPPED_S - 4, beating=ALL) == []
    assert machine.look(10, beating=ALL) == [("web", WORKER_OF_WEB)]


def test_s11_a_process_without_beats_is_found_after_the_longest_statement(machine: Machine) -> None:
    machine.look(4, beating=ALL)
    assert machine.look(SILENT_S - 4, beating={"web.1": WORKER_OF_WEB}) == []
    assert machine.look(10, beating={"web.1": WORKER_OF_WEB}) == [("relay", RELAY)]


def test_s11_who_uses_cpu_time_has_three_times_as_long(machine: Machine) -> None:
    machine.look(4, beating=ALL)
    assert machine.look(2.5 * SILENT_S, beating={"web.1": WORKER_OF_WEB}, busy=(RELAY,)) == []
    assert machine.look(SILENT_S, beating={"web.1": WORKER_OF_WEB}, busy=(RELAY,)) == [("relay", RELAY)]


def test_s03_nobody_is_killed_because_the_machine_slept(machine: Machine) -> None:
    machine.look(4, beating=ALL)
    for _ in range(3):
        machine.now += 3600
        assert machine.look(2, beating={}) == []
        assert machine.look(10, beating=ALL) == []


def test_s11_nobody_is_killed_because_the_disk_is_full(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_path: Path, _text: str) -> int:
        raise OSError("No space left on device")

    machine.look(4, beating=ALL)
    monkeypatch.setattr(Path, "write_text", refused)
    assert machine.look(600, beating={}) == []


def test_the_file_of_a_process_that_is_gone_says_nothing(machine: Machine) -> None:
    machine.beat("relay.2", 999)
    assert machine.look(200, beating=ALL) == []


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """A port that takes connections into its backlog and never answers, as that of a hanging server does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_s11_a_port_that_does_not_answer_is_found(machine: Machine, deaf: socket.socket) -> None:
    machine.watched["relay"] = Watched(RELAY, Door(deaf.getsockname(), PING))
    assert machine.look(SILENT_S - 4, beating=ALL) == []
    assert machine.look(20, beating=ALL) == [("relay", RELAY)]


def test_s11_a_port_that_answers_is_asked_again_and_again(machine: Machine, deaf: socket.socket) -> None:
    machine.watched["relay"] = Watched(RELAY, Door(deaf.getsockname(), PING))
    for answered in range(1, 40):
        assert machine.look(2, beating=ALL) == []
        line, _ = deaf.accept()
        with line:
            assert line.recv(100) == PING
            line.sendall(b"+PONG\r\n")
        while machine.watcher._knocks[RELAY].answers < answered:
            machine.watcher._knocks[RELAY].look()
    machine.watcher.end()


def test_s03_a_process_that_ends_while_it_is_looked_at_does_not_end_the_supervisor() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    assert ended.pid in processes.children(os.getpid())
    ended.wait()
    assert processes.children(ended.pid) == set()
    assert ended.pid not in watching.family_of(os.getpid())
