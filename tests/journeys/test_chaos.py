"""A small edition of `make chaos`: real processes, real kills, and an account of every scan at the end."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from jitapp.workshop.chaos.accidents import Killer, kind_of
from jitapp.workshop.chaos.clients import Tally

ROOT = Path(__file__).resolve().parents[2]


def chaos(folder: Path, *arguments: str) -> dict[str, Any]:
    """The figures of a run."""
    done = subprocess.run(
        [sys.executable, "manage.py", "chaos", "--json", "--folder", str(folder), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stderr[-4000:]
    figures: dict[str, Any] = json.loads(done.stdout)
    assert figures["wrong"] == [], done.stderr[-4000:]
    assert done.returncode == 0
    return figures


@pytest.mark.timeout(170)
def test_web_and_worker_killed_and_redis_away_no_scan_is_lost_and_none_counts_twice(tmp_path: Path) -> None:
    figures = chaos(
        tmp_path,
        *(
            "--scans",
            "300",
            "--clients",
            "8",
            "--kills",
            "4",
            "--seconds",
            "8",
            "--redis-stop",
            "3",
            # How fast is for `make chaos` on a machine of its own; here it is only whether.
            "--signal-goal",
            "60",
            "--seed",
            "7",
        ),
    )
    assert (figures["acknowledged"], figures["lost"], figures["doubled"]) == (300, 0, 0)
    assert figures["killed"] == 4
    assert figures["sent_twice"] > 20
    assert figures["signals"]["while_redis_was_away"]["count"] > 0
    assert figures["verified_events"] > 300
    left = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(tmp_path) in str(process.info["cmdline"])
    ]
    assert left == [], "nothing of the run is left"


def test_only_the_supervisors_own_web_worker_and_relay_may_be_killed() -> None:
    """A web server that somebody else started is not touched, nor is anything else of ours."""
    bystander = psutil.Popen([sys.executable, "-c", "import time; time.sleep(60)", "granian"])
    child = psutil.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert kind_of(bystander) == "web"
        assert kind_of(child) == kind_of(psutil.Process()) == ""
        assert Killer(psutil.Process(child.pid), random.Random(1)).strike() == ""
        assert bystander.is_running()
        assert child.is_running()
    finally:
        for process in (bystander, child):
            process.kill()
            process.wait()


def test_the_account_notices_an_answer_that_changes() -> None:
    tally = Tally()
    tally.answered("a", {"outcome": "applied", "replayed": False})
    tally.answered("a", {"outcome": "applied", "replayed": True})
    assert tally.changed_answers == []
    tally.answered("a", {"outcome": "bounced", "replayed": False})
    assert [id for id, _, _ in tally.changed_answers] == ["a"]
