"""Child processes that never outlive us.

Each child gets a session of its own, so that Ctrl-C in a terminal reaches only us and we decide the order of the
end; on Linux it also gets a signal when we die ourselves, however we die. What a child leaves behind in its own
process group is killed when it ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and how it is told to end."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path = Path("/")
    stop_signal: signal.Signals = signal.SIGTERM
    # None: our own rights. Only set where root may not be used and user namespaces are forbidden.
    user: int | None = None
    group: int | None = None


def start(command: Command, *, output: int | IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Start the command; stdout and stderr both go to `output`. Call it from the main thread only: the kernel's
    death signal belongs to the thread that started the child."""
    return subprocess.Popen(
        list(command.argv),
        env=dict(command.env),
        cwd=command.cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        user=command.user,
        group=command.group,
        extra_groups=None if command.user is None else [],
        preexec_fn=_die_with(os.getpid(), command.stop_signal),  # noqa: PLW1509  (we start no threads)
    )


def _die_with(parent: int, farewell: signal.Signals) -> Callable[[], None]:
    """Runs in the child between fork and exec."""

    def ask_for_the_signal() -> None:
        # A shell that starts us in the background makes us, and so the child, deaf to Ctrl-C.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(farewell), 0, 0, 0)
            if os.getppid() != parent:  # the parent died before the line above
                os._exit(1)

    return ask_for_the_signal


def stop(process: subprocess.Popen[bytes], farewell: signal.Signals, *, patience: float) -> None:
    """Send the farewell, wait `patience` seconds, then kill; also kill what is left of the process group."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(farewell)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    kill_group(process.pid)


def kill_group(pid: int) -> None:
    """Kill what is left of the process group that `pid` led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def adopt_orphans() -> None:
    """From now on orphaned grandchildren become our children instead of init's (Linux), so that we can end them."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(of: int | str = "self") -> set[int]:
    """Process ids of the children of a process, by default ours, adopted ones too; empty where the kernel does not tell
    (macOS) and of a process that has ended."""
    found: set[int] = set()
    try:
        tasks = list(
            Path(f"/proc/{of}/task").iterdir()
        )  # raises where the process has ended meanwhile, as `glob` may
    except OSError:
        return found
    for task in tasks:
        with contextlib.suppress(OSError):
            found.update(int(pid) for pid in (task / "children").read_text().split())
    return found
