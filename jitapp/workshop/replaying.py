"""A recorded log through the real scan path, with the log's own clock.

Scans go in batches through `pull.actions`, and the outbox is drained after each, so everything that follows from a
scan follows before the next ones. Their ids are the log's: replayed again, every scan gets its stored answer.
"""

from __future__ import annotations

import time
from codecs import BOM_UTF8
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from uuid import UUID

import msgspec
from django.db import transaction

from jitapp.accounts.models import Person
from jitapp.kanban.events.stations import SPANS
from jitapp.kanban.instants import in_range
from jitapp.kanban.quantity import NotAQuantity, read_quantity
from jitapp.kanban.vocabulary import Outcome
from jitapp.plant.models import Loop, Station
from jitapp.pull import actions
from jitapp.pull.models import Card, Event, Runout
from jitapp.pull.scan_request import Conflict, ScanRequest, Source
from jitapp.pull.store import by_the_clock_of_a_log
from jitapp.switchboard import drain

BATCH = 50
LONGEST_TEXT = 200
LONGEST = timedelta(
    days=1
)  # in one batch: its clock stands at its last line, and what is old by then is parked


class ReplayError(ValueError):
    """A log that cannot be replayed here; the text says which line, why, and what to do."""


class ScanLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A scan of the log: a card is named by its loop and number."""

    at: datetime
    id: UUID
    loop: str
    card: int
    station: str
    intent: str
    quantity: Decimal | None = None
    reason: str | None = None
    by: str | None = None


class StationLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A changeover, breakdown or report at a station; `by` is a person's username."""

    at: datetime
    id: UUID
    station: str
    event: str
    started_at: datetime
    ended_at: datetime
    part: str | None = None
    by: str | None = None


Line = ScanLine | StationLine


def read_lines(lines: Iterable[str | bytes]) -> list[Line]:
    """The lines of a scan log. Raises ReplayError for a line that cannot be read or is older than the one before."""
    read: list[Line] = []
    for number, text in enumerate(lines, start=1):
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        if number == 1:
            data = data.removeprefix(BOM_UTF8)  # some programs write it
        if not data.strip():
            continue
        try:
            line = _line(data)
            _check_line(line)
        except UnicodeDecodeError:
            raise ReplayError(f"Line {number} is not UTF-8 text. Save the log as UTF-8.") from None
        except RecursionError:
            raise ReplayError(f"Line {number}: its lists and members are nested too deeply.") from None
        except ValueError as error:
            raise ReplayError(f"Line {number}: {error}. See docs/real-log.md for the form.") from None
        if read and line.at < read[-1].at:
            raise ReplayError(f"Line {number} is older than the line before it. Sort the log by `at`.")
        read.append(line)
    if not read:
        raise ReplayError("The log holds no line.")
    return read


def _line(data: bytes) -> Line:
    raw: dict[str, object] = msgspec.json.decode(data, type=dict[str, object])
    return msgspec.convert(raw, StationLine) if "event" in raw else msgspec.convert(raw, ScanLine)


def _check_line(line: Line) -> None:
    """What the database would not keep, or the rules never meet. Raises ValueError, which names the member."""
    for name in line.__struct_fields__:
        value = getattr(line, name)
        if isinstance(value, str):
            if "\0" in value:
                raise ValueError(f"{name} holds a NUL character")
            if len(value) > LONGEST_TEXT:
                raise ValueError(f"{name} is {len(value)} characters long, at most {LONGEST_TEXT} are read")
        elif isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError(f"{name}: a time has no offset, write it as 2012-01-31T06:00:00+00:00")
            try:
                in_range(value)
            except ValueError as error:
                raise ValueError(f"{name} {error}") from None
        elif isinstance(value, Decimal):
            try:
                read_quantity(str(value))
            except NotAQuantity:
                raise ValueError(f"{name} is no decimal number like 12 or 0.5") from None
    if isinstance(line, StationLine):
        if line.event not in SPANS:
            raise ValueError(f"event is {line.event!r}, it must be one of {', '.join(SPANS)}")
        if line.ended_at < line.started_at:
            raise ValueError("ended_at lies before started_at")


@dataclass
class Summary:
    """What became of a log. `codes` are of the scans that were not applied; `seconds` are of the wall clock."""

    scans: int = 0
    known: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    station_events: int = 0
    seconds: float = 0.0
    runouts: dict[str, list[timedelta]] = field(default_factory=dict)
    runouts_open: int = 0
    runouts_linked: int = 0

    @property
    def applied_share(self) -> float:
        """Applied scans, of all."""
        return self.outcomes[Outcome.APPLIED] / self.scans if self.scans else 0.0

    def text(self) -> str:
        """The summary as a person reads it."""
        rate = f"{self.scans / self.seconds:.0f} scans a second" if self.seconds else "at once"
        known = f" ({self.known} known before: their stored answers stand)" if self.known else ""
        rows = [f"{self.scans} scans{known} in {self.seconds:.1f} s: {rate}"]
        rows += [
            f"{count:>8}  {outcome}, {count / self.scans:.1%}"
            for outcome, count in self.outcomes.most_common()
        ]
        rows += [f"{count:>8}  {outcome}: {code}" for (outcome, code), count in self.codes.most_common()]
        rows.append(f"{self.station_events:>8}  station events recorded")
        total = sum(len(lasted) for lasted in self.runouts.values())
        rows.append(
            f"{total:>8}  runouts, {self.runouts_open} of them open, {self.runouts_linked} tied to a runout upstream"
        )
        for cause, lasted in sorted(self.runouts.items(), key=lambda item: -len(item[1])):
            hours = median(span.total_seconds() for span in lasted) / 3600
            rows.append(f"{len(lasted):>8}  runouts with cause {cause}, median {hours:.1f} h")
        return "\n".join(rows)


def replay(
    lines: Sequence[Line],
    *,
    speed: float | None = None,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Summary:
    """Feeds the log through; `speed` paces it at so many times real time, None goes as fast as it can.

    Raises ReplayError before anything is written if the log names what is not there.
    """
    floor = _Floor(lines)
    summary = Summary()
    begin = clock()
    done = 0
    for chunk in _chunks(lines, speed, wait, clock):
        with by_the_clock_of_a_log():
            floor.feed(chunk, summary)
        drain()
        done += len(chunk)
        progress(done, len(lines))
    summary.seconds = clock() - begin
    floor.count_runouts(lines[0].at, lines[-1].at, summary)
    return summary


def _chunks(
    lines: Sequence[Line], speed: float | None, wait: Callable[[float], None], clock: Callable[[], float]
) -> Iterator[Sequence[Line]]:
    """At most BATCH lines of a day at a time; with a speed, only lines whose time has come."""
    begin, first = clock(), lines[0].at
    place = 0
    while place < len(lines):
        end = min(place + BATCH, len(lines))
        while lines[end - 1].at - lines[place].at > LONGEST:
            end -= 1
        if speed is not None:
            due = (lines[place].at - first).total_seconds() / speed
            if (ahead := due - (clock() - begin)) > 0:
                wait(ahead)
            now = first + timedelta(seconds=max(due, clock() - begin) * speed)
            while end > place + 1 and lines[end - 1].at > now:
                end -= 1
        yield lines[place:end]
        place = end


class _Floor:
    """What the log names, found once: cards, stations, people; and the one source of all its scans."""

    def __init__(self, lines: Sequence[Line]) -> None:
        scans = [line for line in lines if isinstance(line, ScanLine)]
        loops = {line.loop for line in scans}
        self.loop_ids = dict(Loop.objects.filter(code__in=loops).values_list("code", "pk"))
        self.plants = frozenset(Loop.objects.filter(code__in=loops).values_list("plant_id", flat=True))
        cards = Card.objects.filter(loop__code__in=loops).values_list("loop__code", "number", "code")
        self.cards = {(loop, number): code for loop, number, code in cards}
        self.stations = dict(
            Station.objects.filter(code__in={line.station for line in lines}).values_list("code", "pk")
        )
        people = {line.by for line in lines if line.by}
        self.people = dict(Person.objects.filter(username__in=people).values_list("username", "pk"))
        self.source = Source(plant_ids=self.plants, name="replay")
        self.recorded = set(
            Event.objects.filter(type__startswith="station.", station__in=self.stations.values()).values_list(
                "data__id", flat=True
            )
        )
        self._check(lines)
        self._check_first_states(scans)

    def _check(self, lines: Sequence[Line]) -> None:
        for number, line in enumerate(lines, start=1):
            missing = ""
            if isinstance(line, ScanLine) and (line.loop, line.card) not in self.cards:
                missing = f"card {line.card} of loop {line.loop}"
            elif line.station not in self.stations:
                missing = f"station {line.station}"
            if missing:
                raise ReplayError(
                    f"Entry {number}: there is no {missing}. Load the log's shop first (load_shop)."
                )

    def _check_first_states(self, scans: Sequence[ScanLine]) -> None:
        """Cards that came into circulation after the log began would find all of it late."""
        if not scans:
            return
        named = {self.cards[line.loop, line.card] for line in scans}
        fresh = Card.objects.filter(code__in=named, last_scan__isnull=True, moved_at__gt=scans[0].at)
        newest = fresh.order_by("-moved_at").values_list("moved_at", flat=True).first()
        if newest is not None:
            raise ReplayError(
                f"The log begins on {scans[0].at:%Y-%m-%d %H:%M}, but cards of its loops came into circulation on"
                f" {newest:%Y-%m-%d %H:%M}: nothing earlier can be believed. Load the shop into an empty database"
                f" with `first_at: {scans[0].at.astimezone(UTC).isoformat()}` or earlier."
            )

    def feed(self, chunk: Sequence[Line], summary: Summary) -> None:
        """One batch of scans and the station events among them; the clock stands at the last line's time."""
        now = chunk[-1].at
        scans = [line for line in chunk if isinstance(line, ScanLine)]
        if scans:
            answers = actions.scan_batch([self._request(line) for line in scans], source=self.source, now=now)
            for answer in answers:
                summary.scans += 1
                if isinstance(answer, Conflict):
                    outcome, code = "conflict", answer.code
                else:
                    outcome, code = answer.body["outcome"], answer.body["code"]
                    summary.known += answer.replayed
                summary.outcomes[outcome] += 1
                if outcome != Outcome.APPLIED:
                    summary.codes[outcome, code] += 1
        with transaction.atomic():
            for line in chunk:
                if isinstance(line, StationLine) and str(line.id) not in self.recorded:
                    self._record(line, now)
                    summary.station_events += 1

    def _request(self, line: ScanLine) -> ScanRequest:
        return ScanRequest(
            id=line.id,
            code=self.cards[line.loop, line.card],
            station=line.station,
            intent=line.intent,
            occurred_at=line.at,
            quantity=line.quantity,
            reason=line.reason,
            by=line.by,
        )

    def _record(self, line: StationLine, now: datetime) -> None:
        actions.record_station_event(
            station_id=self.stations[line.station],
            kind=line.event,
            started_at=line.started_at,
            ended_at=line.ended_at,
            id=str(line.id),
            part=line.part or "",
            now=now,
            source=replace(self.source, person_id=self.people.get(line.by or "")),
        )
        self.recorded.add(str(line.id))

    def count_runouts(self, first: datetime, last: datetime, summary: Summary) -> None:
        """The runouts of the log's loops that began within the log, by cause; an open one lasts to its end."""
        lasted: defaultdict[str, list[timedelta]] = defaultdict(list)
        found = Runout.objects.filter(loop__in=self.loop_ids.values(), opened_at__range=(first, last))
        for opened, closed, cause, upstream in found.values_list(
            "opened_at", "closed_at", "cause", "upstream_id"
        ):
            lasted[cause or "unknown"].append((closed or last) - opened)
            summary.runouts_open += closed is None
            summary.runouts_linked += upstream is not None
        summary.runouts = dict(lasted)
