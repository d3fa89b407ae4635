"""A whole running installation, as `make run` gives it, on ports and in a folder of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from jitapp.env import BASE_DIR, RUNNING
from jitapp.workshop import processes
from jitapp.workshop.embedded import free_port
from jitapp.workshop.processes import Command

# How long things take says nothing on a busy machine; whoever waits in vain fails at once when a process ends.
READY_PATIENCE_S = 600.0
STOP_PATIENCE_S = 60.0
# What the test run itself was told must not reach the installation.
NOT_PASSED_ON = re.compile(
    r"DATABASE_|REDIS_URL|SECRET_KEY|TEST_|JITAPP_(?!VECTORS)|PORT$|DJANGO_|PYTEST_|COV_|GRANIAN_"
)


@dataclass(slots=True)
class Shop:
    """`manage.py up` as a child of ours."""

    folder: Path
    wishes: dict[str, str] = field(default_factory=dict)  # further environment variables
    port: int = field(default_factory=free_port)
    live_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Pages and API, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def live_url(self) -> str:
        """Event streams, without a slash at the end."""
        return f"http://127.0.0.1:{self.live_port}"

    @property
    def log(self) -> str:
        """Everything written so far."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def environment(self) -> dict[str, str]:
        """What `manage.py up` and commands beside it are told."""
        kept = {name: value for name, value in os.environ.items() if not NOT_PASSED_ON.match(name)}
        return {
            **kept,
            "PORT": str(self.port),
            "JITAPP_LIVE_PORT": str(self.live_port),
            "JITAPP_DATA": str(self.folder / "data"),
            "JITAPP_DEMO": "1",
            "JITAPP_DEMO_DAYS": "1",
            **self.wishes,
        }

    @property
    def servers(self) -> dict[str, str]:
        """DATABASE_URL, REDIS_URL and SECRET_KEY of the running installation."""
        lines = (self.folder / "data" / RUNNING).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def start(self) -> None:
        """Start and wait for `Ready`. Raises AssertionError with what was written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = Command([sys.executable, "manage.py", "up"], self.environment, BASE_DIR, signal.SIGTERM)
        with (self.folder / "log").open("wb") as output:
            self.process = processes.start(command, output=output)
        self.wait_for(r"^Ready: ", patience=READY_PATIENCE_S)

    def wait_for(self, pattern: str, *, patience: float = 150.0, times: int = 1) -> None:
        """Until so many lines of the log match. Raises AssertionError with what was written."""
        assert self.process is not None
        deadline = time.monotonic() + patience
        while len(re.findall(pattern, self.log, re.MULTILINE)) < times:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log[-4000:]}"
            assert time.monotonic() < deadline, f"no {pattern!r} within {patience} s:\n{self.log[-4000:]}"
            time.sleep(0.05)

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`manage.py ARGUMENTS` beside the running installation."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(STOP_PATIENCE_S)
            finally:
                self.process.kill()
        return self.process.wait()
