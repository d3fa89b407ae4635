"""Signs of life in files and in Redis, by real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from django.conf import settings

from jitapp.env import BASE_DIR
from jitapp.pulse import beats
from jitapp.pulse.beats import Pulse
from jitapp.workshop import processes
from jitapp.workshop.embedded import Valkey, free_port
from tests.live.served import wait_until

BEATING = """
import sys, time
from jitapp.pulse.beats import Pulse
from jitapp.workshop import processes
from jitapp.workshop.embedded import Valkey, free_port
from tests.live.served import wait_until
pulse = Pulse("relay", lambda: True)
pulse.start()
pulse.round()
print(pulse.key, flush=True)
sys.stdin.read()
pulse.end()
"""


@pytest.fixture(autouse=True)
def of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    beats.connection().delete(beats.HASH)


def begin(data: Path) -> tuple[subprocess.Popen[str], str]:
    """A process that beats, and its name."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEATING],
        cwd=BASE_DIR,
        env=os.environ | {"JITAPP_DATA": str(data), "SECRET_KEY": settings.SECRET_KEY},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_killed_process_is_replaced_by_the_next_and_an_orderly_end_is_missed_by_nobody(
    tmp_path: Path,
) -> None:
    (first, name), (second, other) = begin(tmp_path), begin(tmp_path)
    assert {name.partition("@")[0], other.partition("@")[0]} == {"relay.1", "relay.2"}
    first.send_signal(signal.SIGKILL)
    first.communicate()
    third, again = begin(tmp_path)
    assert again == name
    read = beats.read(beats.connection())
    assert read is not None
    assert {key: beat.pid for key, beat in read.items()} == {name: third.pid, other: second.pid}
    for process in (second, third):
        process.communicate("")
    assert beats.read(beats.connection()) == {}
    assert list((tmp_path / "pulse").iterdir()) == []


def test_no_beat_is_given_without_proof(tmp_path: Path) -> None:
    alive = [True]
    pulse = Pulse("probe", lambda: alive[0])
    pulse._take_slot()
    pulse.round()
    file = tmp_path / "pulse" / "probe.1"
    before = file.read_text()
    pid, count, _ = before.split()
    assert (int(pid), int(count)) == (os.getpid(), 1)
    alive[0] = False
    pulse.round()
    assert file.read_text() == before
    read = beats.read(beats.connection())
    assert read is not None
    assert [(beat.name, beat.role, beat.count) for beat in read.values()] == [("probe.1", "probe", 1)]
    alive[0] = True
    pulse.round()
    assert file.read_text() != before
    pulse.end()


def test_a_folder_that_cannot_be_written_stops_no_beat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path / "file")
    pulse = Pulse("probe", lambda: True)
    pulse._take_slot()
    pulse.round()
    read = beats.read(beats.connection())
    assert read is not None
    assert [beat.pid for beat in read.values()] == [os.getpid()]
    pulse.end()


def test_s11_beats_are_not_read_while_none_can_be_written(tmp_path: Path) -> None:
    valkey = Valkey(tmp_path / "valkey", port=free_port(), durable=False)
    valkey.prepare(lambda _text: None)
    process = processes.start(valkey.command(), output=subprocess.DEVNULL)
    try:
        wait_until(valkey.answers, 60)
        client = redis.Redis.from_url(valkey.url)
        assert beats.read(client) == {}
        client.config_set("maxmemory", 1)
        assert client.hgetall(beats.HASH) == {}, "reading is allowed"
        assert beats.read(client) is None
    finally:
        process.kill()
        process.wait()


def test_what_is_no_beat_is_left_out() -> None:
    assert beats.beats_of({b"web.1@here": b"nonsense", b"web.2@here": b"{}"}) == {}
