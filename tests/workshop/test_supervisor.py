"""The supervisor's promises, on toy children: real processes and real signals."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
LEAVES_A_GRANDCHILD = """
import subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print("here", grandchild.pid, flush=True)
time.sleep(60)
"""
DEAF = """
import os, signal, time
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
print("here", os.getpid(), flush=True)
time.sleep(60)
"""
# Starts the code as a child, and reads nothing of it before it has ended. What it leaves behind is killed.
NOTICES_THE_END_FIRST = """
import os, sys
from jitapp.workshop import processes
from jitapp.workshop.installation import Service, Stage
from jitapp.workshop.processes import Command
from jitapp.workshop.supervisor import Child, Supervisor
processes.adopt_orphans()
supervisor = Supervisor()
child = Child(Service("web", Command([sys.executable, "-c", sys.argv[1]], dict(os.environ)), Stage.WEB), lasting=False)
supervisor.children.append(child)
supervisor.start(child)
os.waitid(os.P_PID, child.process.pid, os.WEXITED | os.WNOWAIT)
supervisor._reap()
"""
DIES = "import sys; print('my last words', flush=True); sys.exit(3)"


@dataclass
class Toy:
    """A started toy installation and what it wrote so far."""

    process: subprocess.Popen[str]
    book: Path
    lines: list[str] = field(default_factory=list)

    def read_until(self, pattern: str, *, times: int = 1) -> list[re.Match[str]]:
        """Read on until the pattern has matched so many lines in all."""
        assert self.process.stdout is not None
        while len(found := [hit for line in self.lines if (hit := re.search(pattern, line))]) < times:
            line = self.process.stdout.readline()
            assert line, f"ended without {pattern!r}: {self.lines}"
            self.lines.append(line.rstrip("\n"))
        return found

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send the signal and read the rest; the exit code."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.lines += self.process.stdout.read().splitlines()
        return self.process.wait(30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Toy]]:
    """Starts a toy installation of the given services."""
    begun: list[Toy] = []

    def starter(*services: dict[str, Any], ready: bool = True, **more: Any) -> Toy:
        file = tmp_path / f"plan-{len(begun)}.json"
        book = tmp_path / f"book-{len(begun)}"
        file.write_text(json.dumps({"services": services, "book": str(book), "ready": ready} | more))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.workshop.toy", str(file)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_hears_everything,  # noqa: PLW1509  (no threads here)
        )
        begun.append(Toy(process, book))
        return begun[-1]

    yield starter
    for toy in begun:
        toy.process.kill()
        toy.process.wait()
        if toy.process.stdout:
            toy.process.stdout.close()


def _hears_everything() -> None:
    """A suite started with nohup would hand its deafness to SIGHUP down, and the supervisor respects that."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def gone(pid: int) -> bool:
    """Within a moment the process exists no more (a zombie counts as gone)."""
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_the_stages_in_their_order_and_the_exit_code_is_0(
    start: Callable[..., Toy], number: signal.Signals
) -> None:
    toy = start(
        {"name": "postgres", "stage": "POSTGRES", "farewells": [["SIGINT", 5]]},
        {"name": "valkey", "stage": "VALKEY"},
        {"name": "worker", "stage": "WORKER"},
        {"name": "web", "stage": "WEB"},
        {"name": "demo", "stage": "DEMO"},
    )
    pids = [int(hit[1]) for hit in toy.read_until(r"\| here (\d+)", times=5)]
    assert toy.end(number) == 0
    ended = ["demo SIGTERM", "web SIGTERM", "worker SIGTERM", "valkey SIGTERM", "postgres SIGINT"]
    assert toy.book.read_text().splitlines() == ended
    assert all(gone(pid) for pid in pids)


def test_each_line_carries_the_name_of_its_process(start: Callable[..., Toy]) -> None:
    # One write, whatever PYTHONUNBUFFERED says: who has read the first line knows that the second was written.
    toy = start({"name": "web", "code": "import os, time; os.write(1, b'a\\nb'); time.sleep(60)"})
    toy.read_until(r"^web +\| a$")
    toy.end()
    assert any(re.fullmatch(r"web +\| b", line) for line in toy.lines), "an unfinished line must not be lost"


@pytest.mark.parametrize("then", ["pass", "subprocess.Popen(['sleep', '60'], start_new_session=True)"])
def test_what_a_process_wrote_is_shown_though_its_end_is_noticed_first(then: str) -> None:
    """Its end and its output are two events for the supervisor; under load they come in either order."""
    code = f"import os, subprocess; {then}; os.write(1, b'a\\nlast words')"
    done = subprocess.run(
        [sys.executable, "-c", NOTICES_THE_END_FIRST, code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert re.findall(r"^web +\| (.*)$", done.stdout, re.MULTILINE) == ["a", "last words"]


def test_what_is_killed_is_started_again(start: Callable[..., Toy]) -> None:
    toy = start({"name": "worker"}, {"name": "web"})
    first = toy.read_until(r"^worker +\| here (\d+)")[0]
    os.kill(int(first[1]), signal.SIGKILL)
    again = toy.read_until(r"^worker +\| here (\d+)", times=2)[1]
    assert again[1] != first[1]
    assert any("worker ended by itself (signal KILL)" in line for line in toy.lines)
    assert toy.end() == 0


def test_s03_what_is_stopped_is_killed_and_started_again(start: Callable[..., Toy]) -> None:
    toy = start({"name": "worker"}, {"name": "web"}, watched=True)
    toy.read_until("Ready")
    first = toy.read_until(r"^worker +\| here (\d+)")[0]
    os.kill(int(first[1]), signal.SIGSTOP)
    again = toy.read_until(r"^worker +\| here (\d+)", times=2)[1]
    assert again[1] != first[1]
    assert any("worker hangs: process" in line for line in toy.lines)
    assert not any("web hangs" in line for line in toy.lines)
    assert toy.end() == 0


def test_what_dies_at_once_again_and_again_ends_the_start_with_one_sentence(
    start: Callable[..., Toy],
) -> None:
    toy = start({"name": "relay", "code": DIES}, {"name": "web"})
    pid = int(toy.read_until(r"^web +\| here (\d+)")[0][1])
    assert toy.process.wait(30) == 1
    toy.read_until(r"^relay ended 6 times right after its start \(exit code 3\)")
    assert sum("my last words" in line for line in toy.lines) == 6
    assert gone(pid)


def test_what_once_lived_long_enough_is_started_again_however_often_it_dies(
    start: Callable[..., Toy],
) -> None:
    toy = start({"name": "web"}, long_enough_s=0.2)
    for time_ in range(1, 8):
        pid = int(toy.read_until(r"^web +\| here (\d+)", times=time_)[-1][1])
        if time_ == 1:
            time.sleep(0.3)
        os.kill(pid, signal.SIGKILL)
    toy.read_until(r"^web +\| here (\d+)", times=8)
    assert toy.end() == 0


def test_what_the_shop_can_do_without_does_not_end_it(start: Callable[..., Toy]) -> None:
    toy = start({"name": "demo", "code": DIES, "optional": True, "stage": "DEMO"}, {"name": "web"})
    toy.read_until("The others go on without it")
    assert toy.process.poll() is None
    assert toy.end() == 0


def test_who_does_not_hear_the_farewell_hears_the_next_and_then_is_killed(start: Callable[..., Toy]) -> None:
    toy = start({"name": "worker", "code": DEAF, "farewells": [["SIGTERM", 0.3], ["SIGINT", 0.3]]})
    pid = int(toy.read_until(r"here (\d+)")[0][1])
    assert toy.end() == 0
    assert any("worker did not end when asked; killing it." in line for line in toy.lines)
    assert gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux hands orphans to us.")
def test_a_grandchild_in_a_session_of_its_own_does_not_outlive_the_shop(start: Callable[..., Toy]) -> None:
    toy = start({"name": "web", "code": LEAVES_A_GRANDCHILD})
    pid = int(toy.read_until(r"here (\d+)")[0][1])
    assert toy.end() == 0
    assert gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells children of their parent's death.")
def test_the_children_end_when_the_supervisor_is_killed(start: Callable[..., Toy]) -> None:
    toy = start({"name": "postgres", "stage": "POSTGRES", "farewells": [["SIGINT", 5]]})
    pid = int(toy.read_until(r"here (\d+)")[0][1])
    toy.process.kill()
    assert gone(pid)
    assert toy.book.read_text() == "postgres SIGINT\n"


def test_a_stop_while_starting_is_a_clean_end(start: Callable[..., Toy]) -> None:
    toy = start({"name": "web"}, ready=False)
    toy.read_until("here")
    assert toy.end(signal.SIGTERM) == 0
    assert "Ready" not in toy.lines


def test_a_reader_that_went_away_does_not_hurt(start: Callable[..., Toy]) -> None:
    toy = start({"name": "web"})
    toy.read_until("here")
    assert toy.process.stdout is not None
    toy.process.stdout.close()
    toy.process.send_signal(signal.SIGTERM)
    assert toy.process.wait(30) == 0
    assert toy.book.read_text() == "web SIGTERM\n"
    toy.process.stdout = None


def test_ctrl_c_in_a_terminal_is_a_clean_end_for_make_too(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"services": [{"name": "web"}], "book": str(tmp_path / "book")}))
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"run:\n\t@exec '{sys.executable}' -m tests.workshop.toy '{plan}'\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execvp("make", ["make", "-s", "-f", str(makefile), "run"])  # noqa: S606
    seen = b""
    while b"Ready" not in seen or b"here" not in seen:
        seen += os.read(terminal, 4096)
    os.write(terminal, b"\x03")
    try:
        while chunk := os.read(terminal, 4096):
            seen += chunk
    except OSError:  # Linux: the last process let go of the terminal
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, seen.decode()
    assert (tmp_path / "book").read_text() == "web SIGTERM\n"
