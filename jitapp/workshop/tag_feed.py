"""Records what the processes that keep readers' connections (mqtt, llrp) have gathered. While the database is away it
is kept and tried again: nothing is let go before it is recorded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import close_old_connections
from django.utils import timezone
from msgspec.structs import replace

from jitapp.live.panels import tell_stations
from jitapp.outages import store
from jitapp.outages.outage import Outage
from jitapp.tags.adapters import adapter_of
from jitapp.tags.intake import receive
from jitapp.tags.models import Reader
from jitapp.tags.mqtt import Message, matches, precision
from jitapp.tags.reads import MOST_READS, Batch, Read, Unusable
from jitapp.tags.taking import UnknownReader, note_trouble

logger = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
KEPT = "bodies of readers kept"
RETAINED = (
    "A message that the broker had kept (retain) is not counted: it comes again at every connection. Let the reader"
    " publish without retain."
)
_strangers: dict[str, Outage] = {}  # whose bodies are not counted, by name: said once, then counted


@dataclass(frozen=True, slots=True)
class Route:
    """A reader and where it publishes."""

    reader_id: int
    name: str
    adapter: str
    topic: str


def routes() -> list[Route]:
    """The readers that publish over MQTT; where the topics of two overlap, the one that says most first."""
    rows = Reader.objects.filter(device__active=True).exclude(mqtt_topic="").order_by("pk")
    found = [Route(*row) for row in rows.values_list("device_id", "device__name", "adapter", "mqtt_topic")]
    return sorted(found, key=lambda route: precision(route.topic))


def until_recorded(work: Callable[[], None], stopped: threading.Event, *, alive: Callable[[], None]) -> bool:
    """Does the work, again and again while the database is away; False if it was stopped before it was done. `alive` is
    called with each try."""
    pause = FIRST_PAUSE_S
    while True:
        alive()
        try:
            close_old_connections()
            work()
            store.answered()
            return True
        except store.ERRORS as error:
            if store.told(error, cost=KEPT) is None:
                logger.exception("What a reader sent could not be recorded; it is tried again.")
        if stopped.wait(pause):
            return False
        pause = min(2 * pause, LONGEST_PAUSE_S)


def record(reader_id: int, name: str, reads: Sequence[Read], *, batch: Batch | None = None) -> None:
    """Counts reads of a reader, in bodies that are not too long, and tells stations' screens. Raises what the store
    raises."""
    whole = batch or Batch(())
    for first in range(0, max(1, len(reads)), MOST_READS):
        part = replace(whole, reads=tuple(reads[first : first + MOST_READS]))
        try:
            received = receive(part, reader_id=reader_id, name=name, now=timezone.now())
        except UnknownReader:
            stranger = _strangers.setdefault(
                name, Outage(f"What reader {name} sends is not counted", f"Reader {name} counts again")
            )
            stranger.failed("it was ended, or stands in no plant", "bodies")
            return
        if name in _strangers:
            _strangers[name].answered()
        tell_stations(received.shown)
        whole = Batch(())  # what was refused is counted once


def record_messages(messages: Sequence[Message], known: Sequence[Route]) -> None:
    """Counts messages of a broker, those of a reader together. Raises what the store raises."""
    reads: dict[Route, list[Read]] = {}
    refused: dict[Route, Batch] = {}
    for message in messages:
        route = next((each for each in known if matches(message.topic, each.topic)), None)
        if route is None:
            logger.warning("No reader publishes at %s; the message is not counted.", message.topic[:200])
            continue
        if message.kept:
            note_trouble(route.reader_id, RETAINED, timezone.now())
            continue
        try:
            batch = adapter_of(route.adapter)(message.payload)
        except Unusable as error:
            logger.warning("A message of %s cannot be read: %s", route.name, error.detail)
            note_trouble(route.reader_id, error.detail, timezone.now())
            continue
        reads.setdefault(route, []).extend(_came(batch.reads, message.came))
        before = refused.setdefault(route, Batch(()))
        refused[route] = replace(before, refused=before.refused + batch.refused)
    for route, found in reads.items():
        record(route.reader_id, route.name, found, batch=refused[route])


def _came(reads: Sequence[Read], at: datetime) -> list[Read]:
    """The reads with the instant at which they came in."""
    return [replace(read, came=at) for read in reads]
