"""Health of a container, by exit code: `alive.py QUESTION...`, all of which must hold.

A QUESTION is a URL (answers 200), HOST:PORT (takes connections), or the folder of the signs of life that the processes
of the container give every two seconds (jitapp/pulse/beats.py). A process that has given none for 45 s hangs and hears
nothing: it is killed, so that it, or its container, is started again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
import urllib.request
from pathlib import Path

PATIENCE_S = 4.0
SILENT_S = 15.0
END_AFTER_S = 45.0


def alive(question: str) -> bool:
    """Raises nothing: whatever goes wrong is a no."""
    try:
        if question.startswith("http://"):
            with urllib.request.urlopen(question, timeout=PATIENCE_S) as answer:  # noqa: S310  (the scheme is checked)
                return bool(answer.status == 200)
        if "/" in question:
            return beating(Path(question))
        host, _, port = question.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_S):
            return True
    except (OSError, ValueError):
        return False


def beating(folder: Path, patience: float = PATIENCE_S) -> bool:
    """Whether all processes give signs of life. Whoever seems silent gets another moment: perhaps the machine slept."""
    (folder / "looked").write_text("by the health check\n")  # a full disk is no sign of death
    silent = silent_in(folder)
    if silent:
        time.sleep(patience)
        again = silent_in(folder)
        silent = {pid: again[pid] for pid in silent if pid in again}
    for pid, seconds in silent.items():
        if seconds > END_AFTER_S:
            sys.stdout.write(f"process {pid} has given no sign of life for {seconds:.0f} s; ending it\n")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return not silent and any(folder.glob("*.*"))


def silent_in(folder: Path) -> dict[int, float]:
    """Living processes without a recent sign of life, and the seconds since their last."""
    found: dict[int, float] = {}
    for file in folder.glob("*.*"):
        with contextlib.suppress(OSError, ValueError):
            pid, _, at = file.read_text().split()
            seconds = time.monotonic() - float(at)
            if seconds > SILENT_S and Path(f"/proc/{pid}").exists():
                found[int(pid)] = seconds
    return found


if __name__ == "__main__":
    answers = [alive(question) for question in sys.argv[1:]]  # all are asked: one may end what hangs
    sys.exit(not all(answers))
