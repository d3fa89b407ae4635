"""Which cards have been printed, with what on them, and which are to be printed; reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

import msgspec

from jitapp.kanban.vocabulary import CardStatus
from jitapp.plant.routes import Route
from jitapp.plant.work import standard_work_of
from jitapp.printing.facts import Change, Printed, changes, printed
from jitapp.printing.models import PrintedCard, PrinterTest, PrintJob
from jitapp.pull.reading.labels import LabelFacts, labels

MOST_READ = 5_000  # cards that a list looks at
NEWEST = 12  # jobs and tests on a page


class Why(StrEnum):
    """Why a card is to be printed."""

    LOST = "lost"  # it takes the place of a lost one, whose container waits
    STALE = "stale"  # the rules say that its label is out of date
    CHANGED = "changed"  # what stands on it is not what is true now
    NEVER = "never"  # no print of it is known
    NOT = ""  # its print is true


@dataclass(frozen=True, slots=True)
class CardToPrint:
    """A card, what a label of it would say now, and its newest print."""

    facts: LabelFacts
    now: Printed
    last: PrintedCard | None
    why: Why
    changes: list[Change] = field(default_factory=list)

    @property
    def revision(self) -> int:
        """The revision that a print of now has."""
        if self.last is None:
            return 1
        return self.last.revision + (self.last.fingerprint != self.now.fingerprint)


def cards_to_print(
    plant_ids: Collection[int],
    *,
    codes: Collection[str] | None = None,
    loop_id: int | None = None,
    area: str = "",
    due: bool = False,
) -> list[CardToPrint]:
    """Cards by area, part, loop and number; with `due` only those that are to be printed, replacements first."""
    found = _with_prints(labels(plant_ids, codes=codes, loop_id=loop_id, area=area, limit=MOST_READ))
    if not due:
        return found
    return sorted((one for one in found if one.why), key=lambda one: one.why is not Why.LOST)


def due_count(loop_id: int, plant_ids: Collection[int]) -> int:
    """How many cards of a loop are to be printed."""
    return len(cards_to_print(plant_ids, loop_id=loop_id, due=True))


def _with_prints(found: list[LabelFacts]) -> list[CardToPrint]:
    last = _newest_prints(one.card_id for one in found)
    work, routes = _standard_work(found), _routes({one.plant_id for one in found})
    return [
        _card(
            one,
            printed(one, work.get((one.supply_id, one.part), ""), _route_of(one, routes)),
            last.get(one.card_id),
        )
        for one in found
    ]


def _routes(plant_ids: Collection[int]) -> list[tuple[Route, frozenset[int]]]:
    """Each route with the stations at which it stops."""
    found = Route.objects.filter(plant_id__in=plant_ids).prefetch_related("stops").order_by("code")
    return [(route, frozenset(stop.station_id for stop in route.stops.all())) for route in found]


def _route_of(one: LabelFacts, routes: Sequence[tuple[Route, frozenset[int]]]) -> str:
    """The names of the routes on which the loop's containers are carried: by the rules of `plant.routes.Route`."""
    names = [
        route.name or route.code
        for route, stops in routes
        if {one.supply_id, one.demand_id} <= stops and (not route.loops or one.loop in route.loops)
    ]
    return ", ".join(names)


def _newest_prints(card_ids: Iterable[int]) -> dict[int, PrintedCard]:
    newest = (
        PrintedCard.objects.filter(card_id__in=list(card_ids))
        .select_related("job__person", "job__device", "verified_by")
        .order_by("card_id", "-id")
        .distinct("card_id")
    )
    return {one.card_id: one for one in newest}


def _standard_work(found: list[LabelFacts]) -> dict[tuple[int, str], str]:
    parts: dict[int, set[str]] = {}
    for one in found:
        parts.setdefault(one.supply_id, set()).add(one.part)
    return {
        (station, part): url
        for station, of_station in parts.items()
        for part, url in standard_work_of(station, of_station).items()
    }


def _card(facts: LabelFacts, now: Printed, last: PrintedCard | None) -> CardToPrint:
    changed = changes(msgspec.convert(last.facts, Printed), now) if last is not None else []
    if facts.card_status == CardStatus.SURPLUS:
        why = Why.NOT  # it is on its way into the red box
    elif last is None:
        why = Why.LOST if facts.replaces is not None else Why.NEVER
    elif changed:
        why = Why.CHANGED
    else:
        why = Why.STALE if facts.label_stale else Why.NOT
    return CardToPrint(facts, now, last, why, changed)


def newest_jobs(plant_ids: Collection[int]) -> list[PrintJob]:
    """What was printed last."""
    found = PrintJob.objects.filter(plant_id__in=plant_ids).select_related("person", "device", "plant")
    return list(found.order_by("-id")[:NEWEST])


def job_of(uuid: UUID, plant_ids: Collection[int]) -> PrintJob | None:
    """A job that printed cards; None if there is none to see."""
    found = PrintJob.objects.filter(uuid=uuid, plant_id__in=plant_ids, what=PrintJob.What.CARDS)
    return found.select_related("person", "device").first()


def codes_of_job(job: PrintJob) -> list[str]:
    """The cards of a job, in the order of their printing."""
    return list(job.cards.order_by("id").values_list("card__code", flat=True))


def newest_tests(plant_ids: Collection[int]) -> list[PrinterTest]:
    """Test pages, the newest first."""
    found = PrinterTest.objects.filter(plant_id__in=plant_ids).select_related("verified_by")
    return list(found.order_by("-id")[:NEWEST])
