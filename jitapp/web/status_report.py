"""What the status page tells, as lines: the same for the page and for the plain text that somebody sends to whoever
helps. No line names a person, a part or a card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark

from jitapp.erp.queries import Measures
from jitapp.pull.reading.standstill import Standstill
from jitapp.web import stands
from jitapp.web.phrases import Words

OUTCOME_WORDS = {
    "applied": mark("{} recorded"),
    "already": mark("{} said again"),
    "bounced": mark("{} read twice"),
    "refused": mark("{} refused"),
    "parked": mark("{} kept for a leader"),
}
LACK_WORDS = {
    "database": mark("The database does not answer. Scans are kept on their devices until it is back."),
    "migrations": mark(
        "The tables are being changed for a new version. Scans are kept on their devices meanwhile."
    ),
    "disk": mark("The disk of the database is full. Scans are kept on their devices; make room on it."),
    "read_only": mark("The database takes no writes. Scans are kept on their devices; name the primary."),
}
ROLE_WORDS = {
    "web": mark("Pages and scans"),
    "live": mark("Event streams"),
    "relay": mark("Relay, takes signals upstream"),
    "worker": mark("Worker, takes signals upstream faster"),
    "scheduler": mark("Clock of the workers"),
    "beat": mark("Clock of the workers"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One fact: its look is that of a state (ok, soon, act), `word` says it beside the shape; empty for a mere
    figure. Several sentences stand one below the other."""

    title: str
    sentences: tuple[str, ...]
    look: str = ""
    word: str = ""


def lines(
    *,
    lacks: list[str],
    database_ms: float,
    redis_up: bool,
    seen: Standstill,
    found: Mapping[str, Any],
    documents: Measures | None,
    papers: list[tuple[str, str, str]],
    on_devices: int,
    words: Words,
    now: datetime,
) -> Iterator[Line]:
    """What matters most first. `found` is empty while the database is away."""
    yield _scans(lacks, database_ms)
    if redis_up:
        yield Line(
            gettext("Fast signals"), (gettext("Signals and boards are told at once."),), "ok", gettext("yes")
        )
    else:
        said = gettext(
            "Redis does not answer. Nothing is lost: signals take up to two seconds, boards ask for themselves."
        )
        yield Line(gettext("Fast signals"), (said,), "soon", gettext("slow"))
    if still := tuple(stands.sentences(seen)):
        yield Line(gettext("What stands still"), still, "act", gettext("stands still"))
    yield from _processes(seen, words)
    if papers:
        told = tuple(f"{name}: {said}" for _, name, said in papers)
        yield Line(gettext("State sheets on paper"), told, "act", gettext("failed"))
    if found:
        yield from _queues(found, documents, words, now)
        yield Line(gettext("Scans that wait on devices"), (str(on_devices),))


def _scans(lacks: list[str], database_ms: float) -> Line:
    title = gettext("Scans can be recorded")
    if not lacks:
        said = gettext("the database answers in {} ms").format(f"{database_ms:.1f}")
        return Line(title, (said,), "ok", gettext("yes"))
    return Line(title, tuple(gettext(LACK_WORDS.get(lack, lack)) for lack in lacks), "act", gettext("no"))


def _processes(seen: Standstill, words: Words) -> Iterator[Line]:
    """Each process with its last sign of life; a look is two seconds old at most."""
    still = {f"{each.name}@{each.host}" for each in seen.frozen}
    for key, seconds in sorted(seen.silent.items()):
        name = key.partition("@")[0]
        role = name.partition(".")[0]
        title = f"{gettext(ROLE_WORDS[role])} ({key})" if role in ROLE_WORDS else key
        if key in still:
            said = gettext("no sign of life for {}").format(words.span(seconds))
            yield Line(title, (said,), "act", gettext("stands still"))
        else:
            said = gettext("gave a sign of life {}").format(words["ago"].format(words.span(seconds)))
            yield Line(title, (said,), "ok", gettext("lives"))


def _queues(
    found: Mapping[str, Any], documents: Measures | None, words: Words, now: datetime
) -> Iterator[Line]:
    last = found["last_scan_at"]
    said = words["ago"].format(words.span((now - last).total_seconds())) if last else gettext("none yet")
    yield Line(gettext("Last scan"), (said,))
    counts = found["scans_by_outcome"]
    told = [gettext(text).format(counts[name]) for name, text in OUTCOME_WORDS.items() if counts.get(name)]
    yield Line(gettext("Scans in the last five minutes"), (" · ".join(told) or gettext("none"),))
    yield _signals(found, words)
    if documents is not None:
        yield _documents(documents, words)
    yield Line(gettext("Loops that have run dry"), (str(found["runouts_open"]),))
    yield Line(gettext("Cards on their way from empty to full"), (str(found["turns_open"]),))


def _signals(found: Mapping[str, Any], words: Words) -> Line:
    backlog, dead = found["outbox_backlog"], found["outbox_dead"]
    told = [str(backlog)]
    if backlog:
        told.append(gettext("the oldest for {}").format(words.span(found["outbox_oldest_seconds"])))
    if dead:
        told.append(gettext("{} given up: see the administration").format(dead))
    look = ("act", gettext("given up")) if dead else ("", "")
    return Line(gettext("Signals waiting to go upstream"), (" · ".join(told),), *look)


def _documents(documents: Measures, words: Words) -> Line:
    told = [str(documents.pending)]
    if documents.pending:
        told.append(gettext("the oldest for {}").format(words.span(documents.oldest_seconds)))
    if documents.withdrawing:
        told.append(gettext("{} to be taken back").format(documents.withdrawing))
    if documents.failing:
        told.append(gettext("{} were called in vain and are called again").format(documents.failing))
    if documents.failed:
        told.append(gettext("{} refused: see the page “ERP”").format(documents.failed))
    sentences = [" · ".join(told)]
    if documents.erps_down:
        sentences.append(gettext("The ERP does not answer. Nothing is lost: scans go on, documents follow."))
    look = ("soon", gettext("slow")) if documents.erps_down else ("", "")
    return Line(gettext("Documents that the ERP owes"), tuple(sentences), *look)


def as_text(told: list[Line], *, version: str, now: datetime) -> str:
    """The page as plain text, for a browser that shows nothing else and for whoever helps."""
    head = [f"jitapp {version}", f"{now:%Y-%m-%d %H:%M:%S} UTC", ""]
    body = []
    for line in told:
        word = f"[{line.word}] " if line.word else ""
        body += [f"{line.title}: {word}{line.sentences[0]}"]
        body += [f"  {more}" for more in line.sentences[1:]]
    return "\n".join([*head, *body, ""])


def script_words() -> dict[str, str]:
    """What the browser measures by itself."""
    return {
        "answers": gettext("The server answers this browser in {} ms (the middle of five)."),
        "silent": gettext("The server does not answer this browser. Is the network there?"),
        "opened": gettext("The stream of the boards opened in {} ms and last gave a sign of life {} s ago."),
        "unheard": gettext(
            "The stream of the boards cannot be opened. Boards ask for themselves every few seconds."
        ),
        "blind": gettext("The stream is open, but hears of no changes. Boards ask for themselves."),
        "yes": gettext("yes"),
        "slow": gettext("slow"),
        "no": gettext("no"),
        "copied": gettext("Copied. Send it to whoever looks after the server."),
        "select": gettext("Select the text below and copy it."),
    }
