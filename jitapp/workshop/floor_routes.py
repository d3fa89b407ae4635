"""From reports to routes: which operation of a part follows which, and what passed between them.

1. The operations of a part stand in the order of their mean first visit: each work order numbers the
   operations it visited 0, 1, 2 ... by the first report there; the mean of these numbers over the orders is
   the operation's place. Ties are broken by name. An operation that never reported a good piece makes
   nothing and has no place.
2. A work order's way is the set of its operations in that order. A move of the log against the order is left
   out and counted, so the routes of a part are one acyclic network.
3. Two operations that follow each other on the way of some work order are linked. Work orders that skip an
   operation or use another machine make the network branch; a chain through all of them would make every
   machine answer for pieces it never touched.
4. The first operation of a way is linked to raw material; the last operation of the route is linked to the
   customer. An order that ends before it is unfinished: what it made last waits in the link its operation
   uses most.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from jitapp.workshop.floor_log import Report, ReportKind

RAW = "(raw material)"
CUSTOMER = "(customer)"


@dataclass(frozen=True, order=True)
class Link:
    """Pieces of one part on their way from one operation to the next; a loop will stand here."""

    part: str
    before: str
    after: str


@dataclass(frozen=True)
class Route:
    """The acyclic network of one part."""

    part: str
    operations: tuple[str, ...]
    ways: Mapping[str, tuple[str, ...]]
    links: tuple[Link, ...]
    onward: Mapping[str, str]
    moves: int
    moves_against: int

    def place(self, operation: str) -> int:
        """The rank of an operation; raw material stands before all, the customer behind all."""
        if operation == RAW:
            return -1
        return len(self.operations) if operation == CUSTOMER else self.operations.index(operation)

    def feeds(self, order: str, operation: str) -> Link | None:
        """Where what this order made at this operation goes; None where the operation has no place."""
        way = self.ways.get(order, ())
        if operation not in way:
            return None
        behind = way[way.index(operation) + 1 :]
        return Link(self.part, operation, behind[0] if behind else self.onward[operation])

    def fed_by(self, order: str, operation: str) -> Link | None:
        """Where this operation took this order's pieces from; None where the operation has no place."""
        way = self.ways.get(order, ())
        if operation not in way:
            return None
        place = way.index(operation)
        return Link(self.part, way[place - 1] if place else RAW, operation)

    def unfinished(self) -> int:
        """Orders whose way ends before the customer."""
        return sum(1 for way in self.ways.values() if self.onward[way[-1]] != CUSTOMER)


def find_routes(reports: Iterable[Report]) -> dict[str, Route]:
    """The route of each part that ever reported a good piece, by part name."""
    by_part: defaultdict[str, list[Report]] = defaultdict(list)
    for report in reports:
        by_part[report.part].append(report)
    routes = {part: _route(part, lines) for part, lines in sorted(by_part.items())}
    return {part: route for part, route in routes.items() if route.operations}


def _route(part: str, reports: Sequence[Report]) -> Route:
    made: Counter[tuple[str, str]] = Counter()
    for report in reports:
        made[report.order, report.operation] += report.good
    visits = _visits(reports, made)
    operations = _by_mean_first_visit(visits)
    place = {operation: rank for rank, operation in enumerate(operations)}
    ways = {
        order: tuple(sorted(dict.fromkeys(stops), key=place.__getitem__)) for order, stops in visits.items()
    }
    onward = _onward(ways, made, place)
    moves = [(here, there) for stops in visits.values() for here, there in pairwise(stops)]
    links = {
        Link(part, before, after)
        for way in ways.values()
        for before, after in zip((RAW, *way), (*way, onward[way[-1]]), strict=True)
    }
    return Route(
        part=part,
        operations=tuple(operations),
        ways=ways,
        links=tuple(
            sorted(links, key=lambda link: (place.get(link.before, -1), place.get(link.after, len(place))))
        ),
        onward=onward,
        moves=len(moves),
        moves_against=sum(place[here] > place[there] for here, there in moves),
    )


def _visits(reports: Sequence[Report], made: Mapping[tuple[str, str], int]) -> dict[str, list[str]]:
    """Per order the operations it stood at, in time, a stay counted once; only those that made something."""
    visits: defaultdict[str, list[str]] = defaultdict(list)
    for report in sorted(reports, key=lambda report: (report.started, report.completed, report.line)):
        if not made[report.order, report.operation] or (
            report.kind is ReportKind.BREAKDOWN and not report.good
        ):
            continue
        stops = visits[report.order]
        if not stops or stops[-1] != report.operation:
            stops.append(report.operation)
    return dict(visits)


def _by_mean_first_visit(visits: Mapping[str, Sequence[str]]) -> list[str]:
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for stops in visits.values():
        for number, operation in enumerate(dict.fromkeys(stops)):
            numbers[operation].append(number)
    return sorted(numbers, key=lambda name: (Fraction(sum(numbers[name]), len(numbers[name])), name))


def _onward(
    ways: Mapping[str, tuple[str, ...]], made: Mapping[tuple[str, str], int], place: Mapping[str, int]
) -> dict[str, str]:
    """The operation most pieces go to next; the customer behind the last one, and where nothing follows."""
    after: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for order, way in ways.items():
        for here, there in pairwise(way):
            after[here][there] += made[order, here]
    return {
        operation: max(after[operation], key=lambda name: (after[operation][name], -place[name]))
        if after[operation]
        else CUSTOMER
        for operation in place
    }
