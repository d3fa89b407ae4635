"""What is carried on a round: picks and drops at each stop in walking order, and how full the cart becomes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from jitapp.kanban.vocabulary import StationKind, SupplyStatus
from jitapp.pull.reading.containers import Container

# A cart that is planned full has no room for what turns up on the way.
PLANNED_SHARE = 0.8

Doing = Literal["pick", "drop"]


@dataclass(frozen=True, slots=True)
class Errand:
    """One container to take at a stop, or to leave there. `ready_at` is since when it can be taken."""

    container: Container
    doing: Doing
    ready_at: datetime | None
    late: bool


@dataclass(slots=True)
class Halt:
    """A stop of this round with its errands, late ones first; `load` is how many containers leave it on the cart."""

    position: int
    station: str
    minutes: int
    picks: list[Errand] = field(default_factory=list)
    drops: list[Errand] = field(default_factory=list)
    later: list[Errand] = field(default_factory=list)  # became ready after the departure: the next round's
    load: int = 0


@dataclass(frozen=True, slots=True)
class Cart:
    """How full the cart becomes on this round."""

    now: int
    peak: int
    capacity: int | None

    @property
    def percent(self) -> int | None:
        """Of its capacity, at the fullest stop."""
        return round(100 * self.peak / self.capacity) if self.capacity else None

    @property
    def over(self) -> int:
        """Containers too many."""
        return max(self.peak - self.capacity, 0) if self.capacity else 0

    @property
    def is_tight(self) -> bool:
        """Fuller than a cart is planned, though all of it fits."""
        return not self.over and bool(self.capacity) and self.peak > PLANNED_SHARE * (self.capacity or 0)


def errand_of(container: Container, now: datetime) -> Errand | None:
    """What a handler does next with a container: leave it where it is needed, or take it where it is ready. None while
    it is being made, or there is nothing to take."""
    late = container.late(now)
    if container.step == SupplyStatus.IN_TRANSIT:
        return Errand(container, "drop", container.docked_at or container.loaded_at, late)
    if container.step == SupplyStatus.COMPLETED:
        return Errand(container, "pick", container.completed_at, late)
    fetched = container.supply_kind not in (StationKind.PROCESS, StationKind.SUPPLIER)
    return Errand(container, "pick", container.released_at, late) if fetched else None


def plan(
    stops: Sequence[tuple[str, int]], errands: Sequence[Errand], departed_at: datetime | None
) -> list[Halt]:
    """The stops (station, minutes after the departure) with their errands. What became ready after the departure waits
    for the next round."""
    halts = [Halt(place, station, minutes) for place, (station, minutes) in enumerate(stops)]
    first: dict[str, Halt] = {}
    for halt in halts:
        first.setdefault(halt.station, halt)
    for errand in errands:
        there = errand.container.demand if errand.doing == "drop" else errand.container.supply
        stop = first.get(there)
        if stop is None:
            continue
        if errand.doing == "drop":
            stop.drops.append(errand)
        elif departed_at is not None and errand.ready_at is not None and errand.ready_at > departed_at:
            stop.later.append(errand)
        else:
            stop.picks.append(errand)
    for halt in halts:
        for listed in (halt.picks, halt.drops, halt.later):
            listed.sort(key=_urgency)
    _count(halts)
    return halts


def cart_of(halts: Sequence[Halt], capacity: int | None) -> Cart:
    """From the first stop to the last."""
    now = sum(len(halt.drops) for halt in halts)
    return Cart(now, max([now, *(halt.load for halt in halts)]), capacity)


def _count(halts: Sequence[Halt]) -> None:
    """How many containers are on the cart after each stop: what is taken on the way is left at the first stop after it
    that needs it, and else stays until the next round."""
    on_cart = sum(len(halt.drops) for halt in halts)
    waiting: list[str] = []
    for halt in halts:
        left = [station for station in waiting if station == halt.station]
        waiting = [station for station in waiting if station != halt.station]
        on_cart += len(halt.picks) - len(halt.drops) - len(left)
        waiting += [errand.container.demand for errand in halt.picks]
        halt.load = on_cart


def _urgency(errand: Errand) -> tuple[bool, bool, float, str, int]:
    due = errand.container.due_at
    return (
        not errand.late,
        due is None,
        due.timestamp() if due else 0.0,
        errand.container.loop,
        errand.container.number,
    )
