"""Connections to LLRP readers, with llrpkit's reader emulator on this machine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from llrpkit.emulator import EmulatedTag, LLRPEmulator

from jitapp.tags.llrp import follow, thinned
from jitapp.tags.models import Visit
from jitapp.tags.reads import Read
from jitapp.workshop.embedded import free_port
from jitapp.workshop.management.commands import llrp
from jitapp.workshop.tag_feed import record
from tests.tags.portal import Portal, epc

PATIENCE_S = 30.0
TAGS = [EmulatedTag(epc=bytes.fromhex(epc(number)), antennas=(1,), rssi_dbm=-50.0) for number in (1, 2)]


class Recorder:
    """Takes bodies of reads; fails to as long as `away`."""

    def __init__(self) -> None:
        self.bodies: list[list[Read]] = []
        self.back = asyncio.Event()
        self.back.set()

    async def hand(self, _name: str, reads: list[Read]) -> bool:
        await self.back.wait()
        self.bodies.append(reads)
        return True

    @property
    def reads(self) -> list[Read]:
        return [read for body in self.bodies for read in body]


async def eventually(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not so():
            await asyncio.sleep(0.02)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_reads_come_with_antenna_strength_and_instant() -> None:
    async def story() -> list[Read]:
        recorder = Recorder()
        async with LLRPEmulator(tags=TAGS) as reader:
            task = asyncio.create_task(follow("DOCK-1", "127.0.0.1", reader.port, recorder.hand))
            await eventually(lambda: {read.epc for read in recorder.reads} == {epc(1), epc(2)})
            await ended(task)
        return recorder.reads

    for read in asyncio.run(story()):
        assert read.antenna == 1
        assert read.rssi is not None
        assert -60 < read.rssi < -40
        assert read.at is not None
        assert read.came is not None
        assert abs(read.came - read.at) < timedelta(seconds=PATIENCE_S)


def test_a_reader_that_goes_and_comes_back_is_followed_on() -> None:
    async def story() -> None:
        recorder = Recorder()
        reader = LLRPEmulator(tags=TAGS)
        await reader.start()
        port = reader.port
        task = asyncio.create_task(follow("DOCK-1", "127.0.0.1", port, recorder.hand, first_pause_s=0.05))
        await eventually(lambda: bool(recorder.reads))
        await reader.stop()
        count = len(recorder.reads)
        async with LLRPEmulator(port=port, tags=TAGS):
            await eventually(lambda: len(recorder.reads) > count + 50)
            await ended(task)

    asyncio.run(story())


def test_what_cannot_be_recorded_is_kept_and_a_quiet_reader_gives_signs_of_life() -> None:
    async def story() -> None:
        recorder = Recorder()
        recorder.back.clear()
        async with LLRPEmulator(tags=TAGS, reads_per_sec=400.0) as reader:
            task = asyncio.create_task(
                follow("DOCK-1", "127.0.0.1", reader.port, recorder.hand, alive_s=0.01, probe_s=0.2)
            )
            await asyncio.sleep(0.6)
            assert not recorder.bodies
            reader.tags.clear()
            recorder.back.set()
            await eventually(lambda: len(recorder.bodies) > 3 and recorder.bodies[-1] == [])
            assert {read.epc for read in recorder.reads} == {epc(1), epc(2)}
            await ended(task)

    asyncio.run(story())


def test_thinned_reads_keep_the_strongest_of_each_second() -> None:
    begin = datetime(2026, 11, 21, tzinfo=UTC)
    reads = [
        Read(epc(tag), antenna, begin + timedelta(milliseconds=20 * step), -50.0 - step % 7)
        for step in range(100)
        for tag in (1, 2)
        for antenna in (1, 2)
    ]
    found = thinned(reads)
    assert len(found) == 2 * 2 * 2
    assert {read.rssi for read in found} == {-50.0}


@pytest.mark.django_db(transaction=True)
def test_what_a_reader_reports_becomes_a_scan() -> None:
    portal = Portal()
    portal.point(antennas=[1])

    async def story() -> None:
        async def hand(name: str, reads: list[Read]) -> bool:
            bodies.append(reads)
            return True

        async with LLRPEmulator(tags=TAGS) as reader:
            task = asyncio.create_task(follow("DOCK-1", "127.0.0.1", reader.port, hand))
            await eventually(lambda: {read.epc for body in bodies for read in body} == {epc(1), epc(2)})
            await ended(task)

    bodies: list[list[Read]] = []
    asyncio.run(story())
    for body in bodies:
        record(portal.device.pk, "DOCK-1", body)
    assert sorted(Visit.objects.values_list("outcome", "tag__hex")) == [
        ("applied", epc(1)),
        ("applied", epc(2)),
    ]


class Line:
    """A connection through which a reader can vanish without a word, as one does that loses its power."""

    def __init__(self, port: int) -> None:
        self.to, self.dead = port, False
        self.connections = 0
        self.server: asyncio.Server | None = None

    async def __aenter__(self) -> int:
        self.server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return int(self.server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        assert self.server is not None
        self.server.close()

    async def _connected(self, here: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        there, to = await asyncio.open_connection("127.0.0.1", self.to)
        with contextlib.suppress(OSError):
            await asyncio.gather(self._carry(here, to, number), self._carry(there, answer, number))

    async def _carry(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, number: int) -> None:
        while data := await source.read(65_536):
            if not (self.dead and number == 1):
                to.write(data)
                await to.drain()
        to.close()


def test_a_reader_that_vanishes_without_a_word_is_connected_to_again() -> None:
    async def story() -> None:
        recorder = Recorder()
        async with LLRPEmulator(tags=TAGS) as reader:
            line = Line(reader.port)
            async with line as port:
                task = asyncio.create_task(
                    follow("DOCK-1", "127.0.0.1", port, recorder.hand, first_pause_s=0.05, probe_s=0.3)
                )
                await eventually(lambda: bool(recorder.reads))
                line.dead = True
                await eventually(lambda: line.connections > 1)
                count = len(recorder.reads)
                await eventually(lambda: len(recorder.reads) > count)
                await ended(task)

    asyncio.run(story())


def test_a_reader_that_was_reset_is_told_to_read_again() -> None:
    """The connection stands, and the order to read is gone."""

    async def story() -> None:
        recorder = Recorder()
        async with LLRPEmulator(tags=TAGS) as reader:
            task = asyncio.create_task(
                follow("DOCK-1", "127.0.0.1", reader.port, recorder.hand, first_pause_s=0.05, probe_s=0.3)
            )
            await eventually(lambda: bool(recorder.reads))
            reader._rospecs.clear()
            reader._stop_reporting()
            count = len(recorder.reads)
            await eventually(lambda: len(recorder.reads) > count + 20)
            await ended(task)

    asyncio.run(story())


def test_a_reader_that_cannot_be_reached_gives_no_sign_of_life() -> None:
    async def story() -> list[list[Read]]:
        recorder = Recorder()
        task = asyncio.create_task(
            follow("DOCK-1", "127.0.0.1", free_port(), recorder.hand, alive_s=0.01, first_pause_s=0.05)
        )
        await asyncio.sleep(1.0)
        await ended(task)
        return recorder.bodies

    assert asyncio.run(story()) == []


@pytest.mark.django_db
def test_a_reader_that_is_not_known_is_named_once_and_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llrp, "close_old_connections", lambda: None)  # that of the test
    portal = Portal()
    lines: list[str] = []
    said: set[str] = set()
    for _ in range(2):
        assert llrp.known_ids(["dock-1", "DOCK-7"], said, lines.append) == {
            "dock-1": (portal.device.pk, "DOCK-1")
        }
    assert lines == ["There is no reader 'DOCK-7'. Make it known: manage.py api_token DOCK-7 --kind reader"]
    device, _ = portal.reader("DOCK-7")  # somebody does what it says
    assert llrp.known_ids(["DOCK-7"], said, lines.append) == {"DOCK-7": (device.pk, "DOCK-7")}
    device.active = False
    device.save()
    assert llrp.known_ids(["DOCK-7"], said, lines.append) == {}


@pytest.mark.django_db
def test_what_a_revoked_reader_reports_is_not_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    portal = Portal()
    portal.point(antennas=[1])
    portal.device.active = False
    portal.device.save()
    for _ in range(3):
        record(portal.device.pk, "DOCK-1", [Read(epc(1), 1)])
    assert not Visit.objects.exists()
    assert [each.getMessage() for each in caplog.records if "DOCK-1" in each.getMessage()] == [
        "What reader DOCK-1 sends is not counted: it was ended, or stands in no plant."
        " Said once; from here on it is counted."
    ]
