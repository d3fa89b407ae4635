"""`manage.py llrp`: keeps the connections to LLRP readers (JITAPP_LLRP), in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from jitapp.outages import store
from jitapp.pulse.beats import Pulse, Work
from jitapp.tags.intake import reader_named
from jitapp.tags.llrp import follow
from jitapp.tags.reads import Read
from jitapp.tags.taking import UnknownReader
from jitapp.workshop.tag_feed import record, until_recorded

PATIENCE_S = 40.0
TICK_S = 1.0
LOOK_S = 10.0  # between looks for a reader that is not known yet


async def run(
    readers: list[tuple[str, str, int]],
    work: Work,
    stopped: threading.Event,
    say: Callable[[str], None],
) -> None:
    """Follows each reader from when it is known, until SIGTERM or SIGINT; what was gathered by then is recorded once
    more."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.set()
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)

    ids: dict[str, tuple[int, str]] = {}
    tasks: dict[str, asyncio.Task[None]] = {}
    said: set[str] = set()

    async def hand(name: str, reads: list[Read]) -> bool:
        reader_id, known_as = ids[name]
        return await asyncio.to_thread(
            until_recorded, lambda: record(reader_id, known_as, reads), stopped, alive=lambda: None
        )

    looked = float("-inf")
    while not ended.is_set():
        work.done()
        if len(ids) < len(readers) and loop.time() - looked >= LOOK_S:
            looked = loop.time()
            lacking = [name for name, _, _ in readers if name not in ids]
            ids |= await asyncio.to_thread(known_ids, lacking, said, say)
            for name, host, port in readers:
                if name in ids and name not in tasks:
                    tasks[name] = asyncio.create_task(follow(name, host, port, hand), name=name)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), TICK_S)
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


def known_ids(names: Iterable[str], said: set[str], say: Callable[[str], None]) -> dict[str, tuple[int, str]]:
    """(id, name) of each reader that is known; each that is not is said once (`said`) and costs no other."""
    ids: dict[str, tuple[int, str]] = {}
    close_old_connections()
    with store.outlived("looks for the readers put off"):
        for name in names:
            try:
                ids[name] = reader_named(name)
            except UnknownReader:
                if name not in said:
                    say(
                        f"There is no reader {name!r}. Make it known: manage.py api_token {name} --kind reader"
                    )
                said.add(name)
    return ids


class Command(BaseCommand):
    help = "Keeps the connections to LLRP readers until it is stopped."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Ends by SIGTERM or SIGINT."""
        readers = settings.LLRP_READERS
        if not readers:
            raise CommandError(
                "JITAPP_LLRP is not set. Name the readers: DOCK-1=192.0.2.10,DOCK-2=192.0.2.11:5084."
            )
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        work = Work(PATIENCE_S)
        pulse = Pulse("llrp", work.fresh)
        pulse.start()
        if not stopped.is_set():
            asyncio.run(run(readers, work, stopped, self.stderr.write))
        pulse.end()
