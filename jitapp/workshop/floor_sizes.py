"""How large a container, how many cards, how many at once: the loops' numbers, each taken from the log.

Container Q   a quarter of the part's median order quantity, rounded to the nearest of 1, 2, 5, 10, 20, 50 ...
Cards N       ceil(D * L * (1 + SAFETY) / Q) + 1, at least 2. D * L, the pieces in need at a time, is what lay
              between the two operations on average while anything lay there (Little's law); for the customer
              it is the average report of the last operation; for raw material the pieces drawn on an average
              day with draws, times the supplier's one day. The + 1 is there because a card is released with
              the last piece.
WIP limit     the most productive reports that ever ran at a station at the same time.
Lead time     the minutes the shop took for Q pieces, set-ups and stops included.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import ceil
from statistics import median

from jitapp.workshop.floor_log import Report
from jitapp.workshop.floor_routes import CUSTOMER, RAW, Link, Route

SAFETY = Fraction(1, 4)
RAW_LEAD_MINUTES = 24 * 60
# What a shop file takes at most: cards of a loop, minutes of a lead time (a year).
MOST_CARDS = 1_000
MOST_MINUTES = 525_600
NICE: tuple[int, ...] = tuple(step * 10**power for power in range(6) for step in (1, 2, 5))


@dataclass(frozen=True)
class Size:
    """The numbers of one loop: pieces a card, cards, minutes from release to a usable container."""

    quantity: int
    cards: int
    lead_minutes: int
    in_need: Fraction


def nice(pieces: Fraction | float) -> int:
    """The nearest of 1, 2, 5, 10, 20, 50 ... by ratio; the smaller one in the middle."""
    place = bisect_left(NICE, pieces)
    if place in (0, len(NICE)):
        return NICE[min(place, len(NICE) - 1)]
    return NICE[place - 1] if pieces * pieces <= NICE[place - 1] * NICE[place] else NICE[place]


def container_sizes(reports: Iterable[Report], container: int | None) -> dict[str, int]:
    """Pieces a container, by part; `container` fixes one number for all."""
    orders: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for report in reports:
        orders[report.part][report.order] = report.order_quantity
    return {part: container or nice(median(sizes.values()) / 4) for part, sizes in orders.items()}


def loop_sizes(
    routes: Mapping[str, Route], reports: Sequence[Report], quantities: Mapping[str, int]
) -> dict[Link, Size]:
    """The numbers of every loop, by link."""
    lying = _lying(routes, reports)
    drawn = _drawn_a_day(routes, reports)
    last = _last_reports(routes, reports)
    pace = _minutes_a_piece(reports)
    sizes = {}
    for route in routes.values():
        for link in route.links:
            quantity = quantities[link.part]
            if link.before == RAW:
                in_need, lead = drawn[link], RAW_LEAD_MINUTES
            else:
                in_need = last[link] if link.after == CUSTOMER else lying[link]
                lead = min(MOST_MINUTES, max(5, ceil(pace[link.part, link.before] * quantity)))
            cards = min(MOST_CARDS, max(2, ceil(in_need * (1 + SAFETY) / quantity) + 1))
            sizes[link] = Size(quantity, cards, lead, in_need)
    return sizes


def wip_limits(reports: Iterable[Report]) -> dict[str, int]:
    """By operation, the most reports with good pieces that ever ran there at the same time; at least 1."""
    edges: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    most: dict[str, int] = {}
    for report in reports:
        most.setdefault(report.operation, 1)
        if report.good:
            # An end sorts before a start at the same minute: one job follows the other, they do not overlap.
            edges[report.operation] += [(minute(report.started), 1), (minute(report.completed), -1)]
    for operation, changes in edges.items():
        running = 0
        for _, change in sorted(changes):
            running += change
            most[operation] = max(most[operation], running)
    return most


def minute(moment: datetime) -> int:
    """Whole minutes since the epoch."""
    return int(moment.timestamp()) // 60


def handed_on(routes: Mapping[str, Route], reports: Iterable[Report]) -> dict[tuple[Link, str], int]:
    """By link and order, the good pieces the operation before ever reported: no more can be drawn there."""
    made: Counter[tuple[Link, str]] = Counter()
    for report in reports:
        route = routes.get(report.part)
        link = route.feeds(report.order, report.operation) if route else None
        if link is not None:
            made[link, report.order] += report.good
    return made


def _lying(routes: Mapping[str, Route], reports: Sequence[Report]) -> dict[Link, Fraction]:
    """Pieces between two operations, on average over the minutes in which any lay there.

    Only pieces that were taken on within the log count: what was never fetched is no need.
    """
    taken: Counter[tuple[Link, str]] = Counter()
    for report in reports:
        link = routes[report.part].fed_by(report.order, report.operation) if report.part in routes else None
        if link is not None:
            taken[link, report.order] += report.used
    made = handed_on(routes, reports)
    left_in = {key: min(made[key], taken[key]) for key in made}
    left_out = dict(left_in)
    changes: defaultdict[Link, list[tuple[int, int]]] = defaultdict(list)
    for report in reports:
        route = routes.get(report.part)
        if route is None:
            continue
        into = route.feeds(report.order, report.operation)
        if into is not None and (pieces := min(report.good, left_in.get((into, report.order), 0))):
            left_in[into, report.order] -= pieces
            changes[into].append((minute(report.completed), pieces))
        out = route.fed_by(report.order, report.operation)
        if out is not None and (pieces := min(report.used, left_out.get((out, report.order), 0))):
            left_out[out, report.order] -= pieces
            changes[out].append((minute(report.completed), -pieces))
    return {link: _mean_while_any(changes[link]) for route in routes.values() for link in route.links}


def _mean_while_any(changes: list[tuple[int, int]]) -> Fraction:
    stock = before = minutes = piece_minutes = 0
    for now, change in sorted(changes):
        if stock > 0:
            minutes += now - before
            piece_minutes += stock * (now - before)
        stock += change
        before = now
    return Fraction(piece_minutes, minutes) if minutes else Fraction(0)


def _drawn_a_day(routes: Mapping[str, Route], reports: Iterable[Report]) -> dict[Link, Fraction]:
    days: defaultdict[Link, Counter[int]] = defaultdict(Counter)
    for report in reports:
        link = routes[report.part].fed_by(report.order, report.operation) if report.part in routes else None
        if link is not None and link.before == RAW and report.used:
            days[link][minute(report.completed) // RAW_LEAD_MINUTES] += report.used
    return {link: Fraction(sum(counts.values()), len(counts)) for link, counts in days.items()}


def _last_reports(routes: Mapping[str, Route], reports: Iterable[Report]) -> dict[Link, Fraction]:
    sizes: defaultdict[Link, list[int]] = defaultdict(list)
    for report in reports:
        link = routes[report.part].feeds(report.order, report.operation) if report.part in routes else None
        if link is not None and link.after == CUSTOMER and report.good:
            sizes[link].append(report.good)
    return {link: Fraction(sum(counts), len(counts)) for link, counts in sizes.items()}


def _minutes_a_piece(reports: Iterable[Report]) -> dict[tuple[str, str], Fraction]:
    minutes: Counter[tuple[str, str]] = Counter()
    pieces: Counter[tuple[str, str]] = Counter()
    for report in reports:
        key = report.part, report.operation
        minutes[key] += minute(report.completed) - minute(report.started)
        pieces[key] += report.good
    return {key: Fraction(minutes[key], pieces[key]) for key in minutes if pieces[key]}
