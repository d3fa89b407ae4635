"""Connections to LLRP readers, by llrpkit: kept, and made again when they break. Knows no tables.

A reader that lost its power says nothing, and one that somebody has reset is connected and reads nothing: so each is
asked now and then whether it still reads for us.

What a reader reports is gathered and handed on in bodies; while they cannot be recorded it is kept, thinned out to what
presences need, and at last the reader waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from llrpkit import Reader
from llrpkit.exceptions import LLRPError
from llrpkit.protocol import enums, messages
from msgspec.structs import replace

from jitapp.outages.outage import Outage
from jitapp.tags.adapters.llrp import read_of
from jitapp.tags.reads import Read, Unusable

logger = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
FLUSH_S = 0.25
ALIVE_S = 30.0  # a connected reader that sees no tag is heard all the same
KEEPALIVE_MS = 10_000
ORDER = 1  # number of our order to read (ROSpec)
PROBE_S = 10.0  # between questions whether the reader still reads for us
THIN_AT, MOST_KEPT = 20_000, 200_000

Hand = Callable[[str, list[Read]], Awaitable[bool]]


@dataclass(slots=True)
class Kept:
    """What a reader has reported and what is not recorded yet."""

    reads: list[Read] = field(default_factory=list)
    room: asyncio.Event = field(default_factory=asyncio.Event)
    connected: bool = False  # the reader has said lately that it reads for us

    def add(self, read: Read) -> None:
        """One more; many are thinned out, and when that helps no more the reader must wait."""
        self.reads.append(read)
        if len(self.reads) >= THIN_AT and len(self.reads) % THIN_AT == 0:
            self.reads = thinned(self.reads)
        if len(self.reads) >= MOST_KEPT:
            self.room.clear()


def thinned(reads: list[Read]) -> list[Read]:
    """Of each tag at each antenna the strongest read of every second: presences come out the same, counts lower."""
    best: dict[tuple[str, int | None, int], Read] = {}
    for read in reads:
        at = read.at or read.came
        key = (read.epc, read.antenna, int(at.timestamp()) if at else 0)
        known = best.get(key)
        if known is None or (read.rssi or -200.0) > (known.rssi or -200.0):
            best[key] = read
    return sorted(best.values(), key=lambda read: read.at or read.came or datetime.min.replace(tzinfo=UTC))


async def follow(
    name: str,
    host: str,
    port: int,
    hand: Hand,
    *,
    first_pause_s: float = FIRST_PAUSE_S,
    alive_s: float = ALIVE_S,
    probe_s: float = PROBE_S,
) -> None:
    """Reads from one reader until it is cancelled. `hand` records a body of reads, and tries until it is recorded; it
    returns False when everything is to end."""
    kept = Kept()
    kept.room.set()
    handing = asyncio.create_task(_hand_on(name, kept, hand, alive_s), name=f"record {name}")
    outage = Outage(f"Reader {name} cannot be reached", f"Reader {name} is there again")
    pause = first_pause_s
    try:
        while True:
            try:
                await _connection(host, port, kept, outage, probe_s)
            except (LLRPError, OSError, TimeoutError) as error:
                pause = min(2 * pause, LONGEST_PAUSE_S) if outage.lasts else first_pause_s
                outage.failed(str(error) or type(error).__name__, "tries to connect failed")
            finally:
                kept.connected = False
            await asyncio.sleep(pause)
    finally:
        handing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await handing
        if kept.reads:
            await hand(name, kept.reads)


async def _connection(host: str, port: int, kept: Kept, outage: Outage, probe_s: float) -> None:
    """One connection, until it breaks or the reader reads for us no more. Raises what llrpkit raises."""
    async with Reader(host, port) as reader:
        with contextlib.suppress(LLRPError):
            await reader.set_keepalive(KEEPALIVE_MS)
        parts = [
            asyncio.create_task(_inventory(reader, kept, outage), name=f"read {host}"),
            asyncio.create_task(_probe(reader, kept, probe_s), name=f"probe {host}"),
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
        for part in done:
            part.result()


async def _inventory(reader: Reader, kept: Kept, outage: Outage) -> None:
    """Gathers what the reader reports. Raises what llrpkit raises."""
    async with contextlib.aclosing(reader.inventory(ro_spec_id=ORDER)) as reports:
        outage.answered()
        async for report in reports:
            try:
                kept.add(replace(read_of(report), came=datetime.now(UTC)))
            except Unusable as error:
                logger.warning("A report of %s cannot be used: %s", reader.client.host, error.detail)
            await kept.room.wait()


async def _probe(reader: Reader, kept: Kept, pause_s: float) -> None:
    """Asks again and again whether the reader still has its order to read. Raises LLRPError if it has not, or does not
    answer."""
    while True:
        await asyncio.sleep(pause_s)
        answer = await reader.client.transact(messages.GET_ROSPECS())
        specs = answer.ro_specs if isinstance(answer, messages.GET_ROSPECS_RESPONSE) else []
        states = {spec.ro_spec_id: spec.current_state for spec in specs}
        if states.get(ORDER) != enums.ROSpecState.Active:
            raise LLRPError("it was reset, or another program took its order to read away")
        kept.connected = True


async def _hand_on(name: str, kept: Kept, hand: Hand, alive_s: float) -> None:
    """Hands on what was gathered, and while the reader is connected a sign of life now and then."""
    loop = asyncio.get_running_loop()
    heard = float("-inf")
    while True:
        await asyncio.sleep(FLUSH_S)
        if not kept.reads and (loop.time() - heard < alive_s or not kept.connected):
            continue
        reads, kept.reads = kept.reads, []
        kept.room.set()
        try:
            done = await hand(name, reads)
        except asyncio.CancelledError:
            kept.reads = reads + kept.reads
            raise
        if not done:
            kept.reads = reads + kept.reads
            return
        heard = loop.time()
