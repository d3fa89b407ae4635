"""Many browsers' event streams from one program of its own: opens them, and tells when each had each row.

On standard input one JSON object: `port`, `path`, `tickets`. It answers a line `ready` once every stream has been
greeted, and at the end of its input one JSON array, an object for each (channel, loop, version) that came: when each
stream had it (seconds since 1970, in order), and how many different texts that was.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
import zlib
from collections import defaultdict

_ROW = re.compile(rb'"channel":\s*"([^"]*)".*?"loop":\s*(\d+),\s*"version":\s*(\d+)', re.DOTALL)
READ = 65_536
AT_ONCE = 50  # connections that are opened together

Key = tuple[str, int, int]


class Viewers:
    """The streams and what came on them."""

    def __init__(self) -> None:
        self.arrived: dict[Key, list[float]] = defaultdict(list)
        self.texts: dict[Key, set[int]] = defaultdict(set)
        self.greeted = 0
        self.open_slots = asyncio.Semaphore(AT_ONCE)

    async def watch(self, port: int, path: str, ticket: str) -> None:
        """One stream, until it ends or the program does."""
        async with self.open_slots:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {path}?ticket={ticket}&last= HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            await writer.drain()
        kept, greeted = b"", False
        while data := await reader.read(READ):
            now = time.time()
            *whole, kept = (kept + data).split(b"\n\n")
            for each in whole:
                if b"event: row" in each:
                    self._row(each, now)
                elif not greeted and b"event: hello" in each:
                    greeted = True
                    self.greeted += 1

    def _row(self, text: bytes, now: float) -> None:
        found = _ROW.search(text)
        if found is None:
            return  # the numbers of a wide board
        key = found[1].decode(), int(found[2]), int(found[3])
        self.arrived[key].append(now)
        self.texts[key].add(zlib.crc32(text[text.index(b"event: row") :]))


async def main() -> None:
    """Until the end of the input."""
    asked = json.loads(sys.stdin.readline())
    viewers = Viewers()
    tasks = [
        asyncio.create_task(viewers.watch(asked["port"], asked["path"], ticket))
        for ticket in asked["tickets"]
    ]
    while viewers.greeted < len(tasks):
        await asyncio.sleep(0.1)
        for task in tasks:
            if task.done():
                task.result()
                raise RuntimeError("A stream ended before it was greeted.")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    told = [
        {
            "channel": key[0],
            "loop": key[1],
            "version": key[2],
            "at": sorted(times),
            "texts": len(viewers.texts[key]),
        }
        for key, times in viewers.arrived.items()
    ]
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
