"""A line walk: what stands on the floor held against what the system believes. Pure.

A card is right where its container is at this moment: full or in use at the place that uses it; empty, in work or
finished at the place that fills it. In an area that holds both ends of a loop the place alone tells an empty bin that
waits at its source from a full one at its place of use that nobody received: there it counts where somebody stands,
and without that nothing is said of it. What was moved after it was seen, or came after the walk began, is no
difference.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jitapp.kanban.conditions import MAY_FILL
from jitapp.kanban.state import AT_HAND
from jitapp.kanban.vocabulary import CardStatus, SupplyStatus
from jitapp.pull.reading.containers import Container
from jitapp.rounds.vocabulary import Difference, Remedy

S = SupplyStatus
_AT_THE_SOURCE = (S.EMPTY, S.WAIT, S.IN_PROCESS, S.COMPLETED)
# What is judged by the card alone, wherever it is seen.
_BY_STATUS = {
    CardStatus.LOST: (Difference.LOST, (Remedy.FOUND, Remedy.RED_BOX)),
    CardStatus.NEW: (Difference.NEW, (Remedy.ACTIVATE, Remedy.RED_BOX)),
    CardStatus.SURPLUS: (Difference.WITHDRAWN, (Remedy.RED_BOX,)),
    CardStatus.OBSOLETE: (Difference.WITHDRAWN, (Remedy.RED_BOX,)),
    CardStatus.REMOVED: (Difference.WITHDRAWN, (Remedy.RED_BOX,)),
    CardStatus.HELD: (Difference.HELD, (Remedy.RIGHT,)),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A code that was scanned, and its card; None for one that nobody knows here."""

    code: str
    at: datetime
    container: Container | None
    station: str = ""  # where it stood; empty where somebody walks along several stations and has not said


@dataclass(frozen=True, slots=True)
class Different:
    """A difference with the ways to mend it, the likeliest first."""

    code: str
    kind: Difference
    container: Container | None
    remedies: tuple[Remedy, ...]


def should_stand_here(container: Container, here: Collection[str]) -> bool:
    """Whether somebody who walks along these stations should see its container."""
    if container.card_status != CardStatus.IN_CIRCULATION or container.blocked:
        return False
    if container.supply_status in AT_HAND:
        return container.demand in here
    return container.position == S.COMPLETED and container.supply in here


def judge(container: Container, here: Collection[str]) -> tuple[Difference, tuple[Remedy, ...]] | None:
    """What is different about a card that was seen at one of these stations; None where it is right."""
    status = CardStatus(container.card_status)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if container.blocked:
        return Difference.HELD, (Remedy.RIGHT,)
    used, filled = container.demand in here, container.supply in here
    if not used and not filled:
        return Difference.ELSEWHERE, (Remedy.MOVED, Remedy.RIGHT)
    if container.supply_status in AT_HAND:
        return None if used else (Difference.NOT_TAKEN, (Remedy.MOVED, Remedy.EMPTY))
    if filled and container.position in _AT_THE_SOURCE:
        return None
    if not used:
        return Difference.NOT_TAKEN, (Remedy.MOVED, Remedy.RIGHT)
    comes = (Remedy.RECEIVE,) if container.signal_state in MAY_FILL else ()
    if container.position in (S.EMPTY, S.WAIT):
        return Difference.NOT_FULL, (*comes, Remedy.FULL, Remedy.RIGHT)
    return Difference.NOT_RECEIVED, (*comes, Remedy.FULL, Remedy.RIGHT)


def differences(
    here: Collection[str],
    around: Sequence[Container],
    seen: Mapping[str, Seen],
    *,
    began_at: datetime,
) -> list[Different]:
    """Every difference of a walk along these stations: first what was seen, as it was scanned, then what is missing."""
    found = [
        each
        for one in seen.values()
        if (each := _of_seen(one, {one.station} if one.station else here)) is not None
    ]
    for container in around:
        if container.code in seen or not should_stand_here(container, here):
            continue
        if container.moved_at is not None and began_at < container.moved_at:
            continue
        remedies = (Remedy.SEEN, Remedy.EMPTY, Remedy.LOST)
        if container.supply_status not in AT_HAND:
            remedies = (Remedy.SEEN, Remedy.LOST, Remedy.RIGHT)
        found.append(Different(container.code, Difference.MISSING, container, remedies))
    return found


def _of_seen(one: Seen, here: Collection[str]) -> Different | None:
    container = one.container
    if container is None:
        return Different(one.code, Difference.UNKNOWN, None, (Remedy.RED_BOX,))
    if container.moved_at is not None and container.moved_at > one.at:
        return None
    judged = judge(container, here)
    return Different(one.code, judged[0], container, judged[1]) if judged else None
