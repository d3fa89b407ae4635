"""Starts, watches and ends every process of an installation on one machine.

One loop, no threads: it waits for output of the children, for signals and for the next thing that is due.

- Every line a process writes is passed on with the process's name before it.
- What dies is started again, after a pause that doubles; what dies at once again and again and has never lived any
  longer ends the whole start with one sentence. What once worked is started again for as long as it takes.
- What runs and does nothing is killed (watching.py), and so started again.
- Ctrl-C, SIGTERM and a closed terminal end everything in the order of `Stage`, PostgreSQL last; then nothing of
  ours is left, not even a grandchild whose parent was killed.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

from jitapp.workshop import processes
from jitapp.workshop.embedded import CannotStart
from jitapp.workshop.installation import (
    Farewell,
    Service,
    Stage,
)
from jitapp.workshop.processes import Command
from jitapp.workshop.watching import Watched, Watcher

DEATHS_IN_A_ROW = 6
LONGEST_PAUSE_S = 8.0
PROVEN_PAUSE_S = 2.0  # at most, for what is known to work: people wait for it
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NAME_WIDTH = 9
LONGEST_LINE = 64 * 1024
MOST_READS = 32  # of 64 KiB, for what a process left in its pipe


class GiveUp(Exception):
    """The installation cannot run; the text is one sentence for a person."""


class AskedToStop(Exception):
    """Ctrl-C or SIGTERM came while the installation was starting."""


@dataclass(slots=True)
class Child:
    """A process of ours, started or about to be started again."""

    service: Service
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0  # in a row, each soon after its start
    proven: bool = False  # lived long enough once: what ends it now is no mistake in how it is started
    start_again_at: float | None = None
    unfinished: bytes = b""
    lasting: bool = True  # False: a command that is meant to end
    kept: list[str] | None = None  # lines to be shown later instead of now

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None


@dataclass(slots=True)
class Supervisor:
    """Keeps children alive until it is asked to stop."""

    children: list[Child] = field(default_factory=list)
    stopping: bool = False
    ending: bool = False
    long_enough_s: float = 20.0  # a process that lived this long did not die at once
    first_pause_s: float = 0.5  # before what died is started again; doubles each time
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _output_open: bool = True

    # -- output --------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Writes a line of the supervisor's own."""
        self.show("up", text)

    def show(self, name: str, text: str) -> None:
        """Writes a line with the name of the process it comes from."""
        self.write(f"{name:<{NAME_WIDTH}} | {text}")

    def write(self, line: str) -> None:
        """Writes a plain line. A reader that went away (`make run | head`) stops the output, not the shop."""
        if not self._output_open:
            return
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except OSError:
            self._output_open = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    # -- the loop ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Signals wake the loop through a pipe; their former handlers are restored at the end."""
        reader, writer = os.pipe()
        for end in (reader, writer):
            os.set_blocking(end, False)
        self._selector.register(reader, selectors.EVENT_READ, None)
        before = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGCHLD)}
        wakeup_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number, handler in before.items():
            # Started with nohup, the supervisor outlives the terminal.
            if number is not signal.SIGHUP or handler is not signal.SIG_IGN:
                signal.signal(number, self._note)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup_before)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.unregister(reader)
            os.close(reader)
            os.close(writer)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in STOP_SIGNALS:
            self.stopping = True

    def turn(self, patience: float) -> None:
        """Wait at most `patience` seconds for something to happen, and deal with it."""
        for key, _ in self._selector.select(max(0.0, patience)):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, 4096)
            else:
                self._read(key.data, key.fd)
        self._reap()
        if self.stopping or self.ending:
            return
        now = time.monotonic()
        for child in self.children:
            if child.start_again_at is not None and child.start_again_at <= now:
                self.start(child)

    def wait_until(self, condition: Callable[[], bool], *, patience: float, every: float = 0.1) -> bool:
        """Turn the loop until the condition holds; False when patience ran out. Raises AskedToStop."""
        deadline = time.monotonic() + patience
        while True:
            if self.stopping and not self.ending:
                raise AskedToStop
            if condition():
                return True
            if time.monotonic() > deadline:
                return False
            self.turn(every)

    def watch(self, watcher: Watcher | None = None) -> None:
        """Keep the children alive until we are asked to stop; kill those that the watcher finds hanging."""
        while not self.stopping:
            due = [child.start_again_at for child in self.children if child.start_again_at is not None]
            due += [watcher.due_at] if watcher is not None else []
            self.turn(min(due) - time.monotonic() if due else 60.0)
            if watcher is not None and watcher.due_at <= time.monotonic():
                self._end_the_hanging(watcher)
        if watcher is not None:
            watcher.end()

    def _end_the_hanging(self, watcher: Watcher) -> None:
        """What hangs hears no farewell. Ended, it is started again like everything that ends by itself."""
        alive = {
            child.name: Watched(child.process.pid, child.service.door)
            for child in self.children
            if child.alive and child.process is not None
        }
        for found in watcher.look(alive, time.monotonic()):
            self.say(f"{found.name} hangs: {found.why}; killing it, so that it is started again.")
            _send(found.pid, signal.SIGKILL)

    # -- children ------------------------------------------------------------------------------

    def add(self, service: Service) -> Child:
        """Start a service and keep it alive from now on."""
        child = Child(service)
        self.children.append(child)
        self.start(child)
        return child

    def run_once(self, name: str, command: Command, *, keep: bool = False) -> list[str]:
        """Run a command to its end; the kept lines if asked. Raises GiveUp if it fails, AskedToStop."""
        return self.finish_once(self.begin_once(name, command, keep=keep))

    def begin_once(self, name: str, command: Command, *, keep: bool = False) -> Child:
        """Start a command that ends by itself, beside others; `finish_once` must follow."""
        child = Child(Service(name, command, Stage.DEMO), lasting=False, kept=[] if keep else None)
        self.start(child)
        self.children.append(child)
        return child

    def finish_once(self, child: Child) -> list[str]:
        """Wait for its end, as `run_once` does."""
        try:
            self.wait_until(lambda: not child.alive, patience=3600)
        finally:
            if child.alive:
                self._end([child])
            self.children.remove(child)
        if child.process is None or child.process.returncode != 0:
            for line in child.kept or ():
                self.show(child.name, line)
            raise GiveUp(f"`{' '.join(child.service.command.argv[1:])}` failed; its last lines stand above.")
        return child.kept or []

    def start(self, child: Child) -> None:
        """Start, or start again."""
        child.start_again_at = None
        reader, writer = os.pipe()
        try:
            child.process = processes.start(child.service.command, output=writer)
        except OSError as error:
            os.close(reader)
            raise GiveUp(f"{child.name} cannot be started: {error}.") from error
        finally:
            os.close(writer)
        child.started_at = time.monotonic()
        os.set_blocking(reader, False)
        self._selector.register(reader, selectors.EVENT_READ, child)

    def _read(self, child: Child, reader: int) -> bool:
        """Shows the next lines that were written; False if nothing is left to read for now."""
        try:
            chunk = os.read(reader, 65_536)
        except BlockingIOError:
            return False
        if not chunk:
            self._selector.unregister(reader)
            os.close(reader)
        *lines, child.unfinished = (child.unfinished + chunk).split(b"\n")
        if child.unfinished and (not chunk or len(child.unfinished) > LONGEST_LINE):
            lines.append(child.unfinished)
            child.unfinished = b""
        self._show_lines(child, lines)
        return bool(chunk)

    def _show_lines(self, child: Child, lines: list[bytes]) -> None:
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            if child.kept is not None:
                child.kept.append(text)
            elif text:
                self.show(child.name, text)

    def _drain(self, child: Child) -> None:
        """Shows all that a process wrote before it died, before the sentence about its death.

        Its end may be noticed before its pipe was read, and a grandchild may hold the pipe open.
        """
        for key in list(self._selector.get_map().values()):
            if key.data is child:
                for _ in range(MOST_READS):
                    if not self._read(child, key.fd):
                        break
        if child.unfinished:
            self._show_lines(child, [child.unfinished])
            child.unfinished = b""

    def _reap(self) -> None:
        """Collects the exit codes of ended processes: children, and adopted orphans."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self.children:
                if child.process is not None and child.process.pid == pid:
                    child.process.returncode = os.waitstatus_to_exitcode(status)
                    self._drain(child)
                    self._bury(child)

    def _bury(self, child: Child) -> None:
        """Kills what an ended child left behind, and plans its restart if it was not meant to end."""
        assert child.process is not None
        processes.kill_group(child.process.pid)
        self._kill_orphans()
        if self.stopping or self.ending or not child.lasting:
            return
        if child.service.may_finish and child.process.returncode == 0:
            self.say(f"{child.name} has nothing to do any more.")
            return
        lived = time.monotonic() - child.started_at
        child.proven = child.proven or lived >= self.long_enough_s
        child.deaths = child.deaths + 1 if lived < self.long_enough_s else 1
        how = _how_it_ended(child.process.returncode)
        if child.deaths >= DEATHS_IN_A_ROW and not child.proven:
            sentence = (
                f"{child.name} ended {child.deaths} times right after its start ({how});"
                " its last lines stand above: correct what they name and start again."
            )
            if not child.service.optional:
                raise GiveUp(sentence)
            self.say(sentence + " The others go on without it.")
            return
        longest = PROVEN_PAUSE_S if child.proven else LONGEST_PAUSE_S
        pause = min(self.first_pause_s * 2 ** min(child.deaths - 1, 10), longest)
        child.start_again_at = time.monotonic() + pause
        self.say(f"{child.name} ended by itself ({how}); starting it again in {pause:g} s.")

    def _kill_orphans(self) -> None:
        """Kills children that the supervisor did not start: they belonged to a process that was killed."""
        known = {child.process.pid for child in self.children if child.process is not None}
        for pid in processes.children() - known:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # -- the end -------------------------------------------------------------------------------

    def end(self) -> None:
        """Ends every child, stage by stage, and waits until no process is left."""
        if self.ending:
            return
        self.ending = True
        if self.children:
            self.say("stopping")
        for child in self.children:
            child.start_again_at = None
        for stage in Stage:
            self._end([child for child in self.children if child.service.stage is stage and child.alive])
        deadline = time.monotonic() + 2
        while processes.children() and time.monotonic() < deadline:
            self._kill_orphans()
            self.turn(0.02)
        if self.children:
            self.say("stopped")

    def _end(self, children: list[Child]) -> None:
        """Sends each child its farewells, one after the other; kills those that do not end."""
        ending, self.ending = self.ending, True
        waiting: list[tuple[Child, list[Farewell], float]] = [
            (child, list(child.service.farewells), 0.0) for child in children
        ]
        while waiting:
            still: list[tuple[Child, list[Farewell], float]] = []
            for child, farewells, until in waiting:
                if not child.alive or child.process is None:
                    continue
                next_until = until
                if time.monotonic() >= until:
                    if farewells:
                        farewell = farewells.pop(0)
                        next_until = time.monotonic() + farewell.patience
                        _send(child.process.pid, farewell.signal)
                    else:
                        self.say(f"{child.name} did not end when asked; killing it.")
                        next_until = time.monotonic() + 5
                        _send(child.process.pid, signal.SIGKILL)
                still.append((child, farewells, next_until))
            waiting = still
            if waiting:
                self.turn(0.1)
        self.ending = ending


def govern(life: Callable[[Supervisor], None]) -> int:
    """Runs `life`, which starts the children and then waits; however it ends, all of them end with it.

    Returns the exit code: 0 if it was asked to stop, 1 with a sentence if it gave up.
    """
    supervisor = Supervisor()
    processes.adopt_orphans()
    try:
        with _terminal_of_our_own(), supervisor.listening():
            try:
                life(supervisor)
            finally:
                supervisor.end()
    except AskedToStop:
        return 0
    except (GiveUp, CannotStart) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


@contextlib.contextmanager
def _terminal_of_our_own() -> Iterator[None]:
    """Takes the terminal, so that Ctrl-C does not reach `make` as well, which would report an error for a clean end."""
    try:
        held = os.tcgetpgrp(0)
    except OSError:  # no terminal
        yield
        return
    if held != os.getpgrp() or held == os.getpid():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTTOU, signal.SIGTSTP)}
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.tcsetpgrp(0, held)
        for number, handler in before.items():
            signal.signal(number, handler)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _how_it_ended(code: int | None) -> str:
    if code is None:
        return "unknown"
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name.removeprefix('SIG')}"
