"""From reports to scans: a small model of where the cards stand, to know which card a worker would pick up.

It knows FULL, EMPTY, in process and on the way, and nothing else of the rules; it forces nothing to fit. The
log is of a shop that pushed, so its workers often made pieces nobody had asked for. What they would have
scanned then:

- A report of good pieces starts a container of the loop behind the operation. With no EMPTY card there, the
  start is scanned all the same (once a report) on a card that is not asked for: overproduction, to be refused
  (rules C5, A2). The pieces then lie loose, and fill the next container that is asked for.
- Pieces are spread evenly over their report. A container is complete at its Q-th piece, and received `CARRY`
  later. The last report of a work order at an operation completes its container short, with the reason.
- The next operation takes a piece when it begins one, oldest container first; the container's last piece
  scans it empty, which may be answered `SIGNAL` later. With nothing FULL it waits, as the pieces of the log
  did not: the backlog is taken from the next container that comes.
- The customer takes what the last operation is about to report, from the shipping store, before it is made.
- A supplier brings a container of raw material `lead_minutes` after its card was emptied.

No order takes more from an operation than the operation ever reported for it; the rest has no origin and is
counted.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from jitapp.workshop.floor_log import Report
from jitapp.workshop.floor_routes import CUSTOMER, RAW, Link, Route
from jitapp.workshop.floor_sizes import Size, handed_on

# Seconds from an emptied card to its start, to a container full of what lay there, and on to its place.
SIGNAL = 60
FILL = 60
CARRY = 300

HANDLER = "handler-1"
CUSTOMER_PERSON = "customer-1"


@dataclass(frozen=True)
class CardScan:
    """One scan of one card. `at` is in seconds since the epoch."""

    at: int
    link: Link
    card: int
    intent: str
    by: str | None
    quantity: int | None = None
    reason: str | None = None

    @property
    def place(self) -> str:
        """The operation at which the card is scanned: where it is filled, or where it is used."""
        return self.link.before if self.intent in ("start", "complete") else self.link.after


@dataclass
class Tally:
    """What the model saw; pieces, except for the refusals, which are scans."""

    overproduction: int = 0
    wip_refusals: int = 0
    short_containers: int = 0
    pieces_reported: int = 0
    pieces_without_origin: int = 0
    pieces_left_loose: int = 0
    pieces_still_wanted: int = 0


def first_states(link: Link, cards: int) -> list[str]:
    """How a loop begins, per card.

    The log does not say what lay between two operations on its first morning, so nothing is invented: EMPTY.
    Raw material and the shipping store must have something to be drawn on: FULL, but for one card at
    shipping, because the customer's first container is drawn while its replacement is being made.
    """
    if link.before == RAW:
        return ["FULL"] * cards
    return ["EMPTY"] + ["FULL"] * (cards - 1) if link.after == CUSTOMER else ["EMPTY"] * cards


def scan_the_log(
    routes: Mapping[str, Route],
    reports: Sequence[Report],
    sizes: Mapping[Link, Size],
    limits: Mapping[str, int],
    people: Mapping[str, str],
) -> tuple[list[CardScan], Tally]:
    """Every card scan the reports imply, in the order of time, and what the model noticed on the way."""
    floor = _Floor(sizes, limits)
    may_take = handed_on(routes, reports)
    last = {(report.order, report.part, report.operation): report.line for report in reports if report.good}
    for report in sorted(reports, key=lambda report: (report.started, report.completed, report.line)):
        route = routes.get(report.part)
        into = route.feeds(report.order, report.operation) if route else None
        out = route.fed_by(report.order, report.operation) if route else None
        if into is None or out is None or not report.used:
            continue
        takes = report.used
        if out.before != RAW:
            takes = min(takes, may_take[out, report.order])
            may_take[out, report.order] -= takes
            floor.tally.pieces_without_origin += report.used - takes
        ends_order = last.get((report.order, report.part, report.operation)) == report.line
        floor.expect(report, into, out, takes, ends_order, people.get(report.worker))
    return floor.run(), floor.tally


@dataclass
class _Loop:
    """Where the cards of one loop stand, in pieces and card numbers."""

    link: Link
    size: Size
    empty: deque[int] = field(default_factory=deque)
    full: deque[tuple[int, int]] = field(default_factory=deque)
    on_the_way: list[int] = field(default_factory=list)
    in_process: int | None = None
    loose: int = 0
    coming: int = 0
    wanted: int = 0
    refused: bool = False
    maker: str | None = None
    taker: str | None = None

    def __post_init__(self) -> None:
        for number, state in enumerate(first_states(self.link, self.size.cards), start=1):
            if state == "EMPTY":
                self.empty.append(number)
            else:
                self.full.append((number, self.size.quantity))

    def not_asked_for(self) -> int:
        """A card a worker without work for it would pick up: the oldest full one, else the one on its way."""
        return self.full[0][0] if self.full else self.on_the_way[0]


class _Floor:
    """The loops, and a queue of what happens next."""

    def __init__(self, sizes: Mapping[Link, Size], limits: Mapping[str, int]) -> None:
        self.loops = {link: _Loop(link, size) for link, size in sizes.items()}
        self.limits = limits
        self.in_process: Counter[str] = Counter()
        self.tally = Tally()
        self.scans: list[CardScan] = []
        self._queue: list[tuple[int, int, Callable[[int], None]]] = []
        self._number = 0

    def expect(
        self, report: Report, into: Link, out: Link, takes: int, ends_order: bool, by: str | None
    ) -> None:
        """Queue what one report means: its begin, each piece taken, each piece made, its end."""
        begin, end = int(report.started.timestamp()), int(report.completed.timestamp())
        target, source = self.loops[into], self.loops[out]
        self.tally.pieces_reported += report.good
        if report.good:
            if into.after == CUSTOMER:
                self._at(begin, partial(self._take, target, report.good, CUSTOMER_PERSON))
            self._at(begin, partial(self._begin_report, target, report.good, by))
        for piece in range(takes):
            self._at(begin + (end - begin) * piece // takes, partial(self._take, source, 1, by))
        for piece in range(1, report.good + 1):
            self._at(begin + (end - begin) * piece // report.good, partial(self._made, target, by))
        if ends_order:
            self._at(end, partial(self._end_order, target, report.order))

    def run(self) -> list[CardScan]:
        """Let it all happen; the scans in the order of time."""
        while self._queue:
            now, _, happen = heapq.heappop(self._queue)
            happen(now)
        self.tally.pieces_left_loose = sum(loop.loose for loop in self.loops.values())
        self.tally.pieces_still_wanted = sum(loop.wanted for loop in self.loops.values())
        return self.scans

    def _at(self, moment: int, happen: Callable[[int], None]) -> None:
        self._number += 1
        heapq.heappush(self._queue, (moment, self._number, happen))

    def _scan(
        self,
        now: int,
        loop: _Loop,
        card: int,
        intent: str,
        by: str | None,
        quantity: int | None = None,
        reason: str | None = None,
    ) -> None:
        self.scans.append(CardScan(now, loop.link, card, intent, by, quantity, reason))

    # -- the side that fills ---------------------------------------------------------------------

    def _begin_report(self, loop: _Loop, pieces: int, by: str | None, now: int) -> None:
        loop.coming += pieces
        loop.maker = by
        loop.refused = False
        self._start(loop, now)

    def _start(self, loop: _Loop, now: int) -> None:
        """Start the next container if there is work for one; say so once when nobody asked for it."""
        if loop.in_process is not None or not (loop.coming or loop.loose >= loop.size.quantity):
            return
        station = loop.link.before
        if loop.empty and self.in_process[station] < self.limits[station]:
            card = loop.empty.popleft()
            self._scan(now, loop, card, "start", loop.maker)
            loop.in_process = card
            self.in_process[station] += 1
            if loop.loose >= loop.size.quantity:
                self._at(now + FILL, partial(self._complete_if_full, loop))
        elif not loop.refused:
            loop.refused = True
            card = loop.empty[0] if loop.empty else loop.not_asked_for()
            self.tally.wip_refusals += bool(loop.empty)
            self.tally.overproduction += not loop.empty
            self._scan(now, loop, card, "start", loop.maker)

    def _made(self, loop: _Loop, by: str | None, now: int) -> None:
        loop.coming -= 1
        loop.loose += 1
        loop.maker = by
        self._complete_if_full(loop, now)

    def _complete_if_full(self, loop: _Loop, now: int) -> None:
        if loop.in_process is not None and loop.loose >= loop.size.quantity:
            self._complete(loop, loop.size.quantity, None, now)

    def _end_order(self, loop: _Loop, order: str, now: int) -> None:
        if loop.in_process is not None and loop.loose and not loop.coming:
            self.tally.short_containers += 1
            self._complete(loop, loop.loose, f"last of {order}", now)

    def _complete(self, loop: _Loop, pieces: int, short: str | None, now: int) -> None:
        card = loop.in_process
        assert card is not None
        self._scan(now, loop, card, "complete", loop.maker, pieces if short else None, short)
        loop.in_process = None
        loop.loose -= pieces
        self.in_process[loop.link.before] -= 1
        loop.on_the_way.append(card)
        self._at(now + CARRY, partial(self._receive, loop, card, pieces))
        self._start(loop, now)

    # -- the side that uses ----------------------------------------------------------------------

    def _receive(self, loop: _Loop, card: int, pieces: int, now: int) -> None:
        self._scan(now, loop, card, "receive", HANDLER)
        loop.on_the_way.remove(card)
        loop.full.append((card, pieces))
        self._settle(loop, now)

    def _take(self, loop: _Loop, pieces: int, by: str | None, now: int) -> None:
        loop.wanted += pieces
        loop.taker = by
        self._settle(loop, now)

    def _settle(self, loop: _Loop, now: int) -> None:
        """Take what is wanted from the full containers, the oldest first, and scan the emptied ones."""
        while loop.wanted and loop.full:
            card, contents = loop.full.popleft()
            taken = min(loop.wanted, contents)
            loop.wanted -= taken
            if taken < contents:
                loop.full.appendleft((card, contents - taken))
                return
            self._scan(now, loop, card, "empty", loop.taker)
            if loop.link.before == RAW:
                loop.on_the_way.append(card)
                lead = loop.size.lead_minutes * 60
                self._at(now + lead, partial(self._receive, loop, card, loop.size.quantity))
            else:
                loop.empty.append(card)
                self._at(now + SIGNAL, partial(self._start, loop))
