"""What stands still, in the words of each reader: machines (/readyz, /metrics), people (/status), boards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from django.utils.translation import gettext
from prometheus_client import CollectorRegistry, Gauge

from jitapp.pull.reading.standstill import Standstill


def lacking(seen: Standstill) -> list[str]:
    """Why no scan can be recorded though the store answers: `disk`, `read_only`."""
    return [seen.store] if seen.store in ("disk", "read_only") else []


def frozen(seen: Standstill) -> list[str]:
    """Processes that give no sign of life, such as `relay.1`."""
    return sorted({each.name for each in seen.frozen})


def degraded(seen: Standstill) -> list[str]:
    """`signals`: nobody takes them upstream; `feed`: an open transaction holds it back; `given_up`: dead rows."""
    found = {
        "signals": seen.signals_since is not None,
        "feed": seen.feed_since is not None,
        "given_up": seen.given_up > 0,
    }
    return [word for word, holds in found.items() if holds]


def gauges(registry: CollectorRegistry, gauge: Callable[[str, str, float], None], seen: Standstill) -> None:
    """The same as figures, by `gauge` where there are no labels; names are those of processes, never of people."""
    silent = Gauge(
        "jitapp_process_silent_seconds",
        "How long a process has given no sign of life.",
        ["process", "host"],
        registry=registry,
    )
    stands = Gauge(
        "jitapp_process_frozen",
        "Whether a process gives no sign of life.",
        ["process", "host"],
        registry=registry,
    )
    still = {(each.name, each.host) for each in seen.frozen}
    for key, seconds in seen.silent.items():
        name, _, host = key.partition("@")
        silent.labels(process=name, host=host).set(seconds)
        stands.labels(process=name, host=host).set((name, host) in still)
    gauge(
        "signals_stand_seconds",
        "How long signals have stood still, 0 while they go.",
        _age(seen.signals_since),
    )
    gauge(
        "feed_held_seconds",
        "How long an open transaction has held back the feed, or 0.",
        _age(seen.feed_since),
    )
    gauge("store_writable", "Whether the database takes writes.", float(not seen.store))


def sentences(seen: Standstill) -> Iterator[str]:
    """What is wrong, since when and what to do, a sentence each; nothing while all goes well."""
    for each in seen.frozen:
        yield gettext(
            "{name} on {host} has given no sign of life since {at} UTC. “make run” and the containers start it again"
            " within a minute; elsewhere end it and start it again."
        ).format(name=each.name, host=each.host, at=_clock(each.since))
    if seen.signals_since is not None:
        yield gettext(
            "Signals have gone no further upstream since {at} UTC. Nothing is lost: they go on as soon as the relay or"
            " a worker runs."
        ).format(at=_clock(seen.signals_since))
    if seen.feed_since is not None:
        yield gettext(
            "The event feed shows nothing newer than {at} UTC, because a transaction is open ({holder}). End it, or"
            " what began it."
        ).format(at=_clock(seen.feed_since), holder=seen.feed_holder or gettext("of another role"))
    if seen.given_up:
        yield gettext(
            "{n} signals were given up. “manage.py outbox” says why; “manage.py outbox retry” tries them again."
        ).format(n=seen.given_up)
    if seen.store == "disk":
        yield gettext("The disk of the database is full: scans wait on their devices. Make room on it.")
    if seen.store == "read_only":
        yield gettext(
            "The database takes no writes (it is a standby, or set to read only): scans wait on their devices. Name the"
            " primary in DATABASE_URL, or let it write again."
        )


def board_words() -> dict[str, str]:
    """Heading and sentence of each word that a board may have to say; {} is since when, or how many."""
    return {
        "stands_web": gettext("SCANS ARE NOT TAKEN SINCE {}"),
        "stands_web_do": gettext("They wait on their devices. Tell whoever looks after the server."),
        "stands_signals": gettext("SIGNALS STAND STILL SINCE {}"),
        "stands_signals_do": gettext(
            "Scans are recorded, but stations and suppliers upstream do not learn of them: tell them yourself, and tell"
            " whoever looks after the server."
        ),
        "stands_given_up": gettext("{} SIGNALS WERE GIVEN UP"),
        "stands_given_up_do": gettext(
            "What they ask for was not passed on. Tell whoever looks after the server: “manage.py outbox” names them."
        ),
    }


def header(seen: Standstill) -> str:
    """What a board must say, in a header of its rows."""
    return json.dumps(seen.for_boards())


def _age(since: datetime | None) -> float:
    return 0.0 if since is None else (datetime.now(UTC) - since).total_seconds()


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
