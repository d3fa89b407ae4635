"""What a planner sees of a loop: its cards and where each is now, what is planned, and who changed it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from jitapp.kanban.vocabulary import CardStatus, SupplyStatus
from jitapp.plant.models import LoopRevision
from jitapp.pull.models import Card, Event, LoopState, Turn

OUT = frozenset({CardStatus.SURPLUS, CardStatus.OBSOLETE})  # in the red box, or on the way there
NEWEST = 20


@dataclass(frozen=True, slots=True)
class PlanCard:
    """A card that is not removed. `step` is where its open turn stands, `asked` how many pieces that turn asks for,
    `turns_left` how many turns a one-off card may still do."""

    code: str
    number: int
    card_status: str
    supply_status: str
    blocked: bool
    quantity: Decimal
    contents: Decimal
    label_stale: bool
    turns_left: int | None
    asked: Decimal | None
    step: str
    since: datetime | None

    @property
    def out(self) -> bool:
        """Whether it takes part no more and is to be collected."""
        return self.card_status in OUT

    @property
    def under_way(self) -> bool:
        """Whether a container was asked for and has not come yet."""
        return self.asked is not None

    @property
    def usable(self) -> bool:
        """Whether its container can be taken from."""
        return (
            self.card_status == CardStatus.IN_CIRCULATION
            and not self.blocked
            and self.supply_status in (SupplyStatus.FULL, SupplyStatus.IN_USE)
        )


@dataclass(frozen=True, slots=True)
class PlanState:
    """The cards of a loop by number; `due` of them go out when they are next empty."""

    cards: tuple[PlanCard, ...]
    due: int

    @property
    def collect(self) -> tuple[PlanCard, ...]:
        """Cards that take part no more and were not withdrawn yet."""
        return tuple(card for card in self.cards if card.out)

    @property
    def leaving(self) -> tuple[PlanCard, ...]:
        """The cards of which `due` will go out: those that are nearest to being empty come first."""
        if not self.due:
            return ()
        stands = [SupplyStatus.IN_USE, SupplyStatus.FULL, SupplyStatus.IN_TRANSIT, SupplyStatus.COMPLETED]
        order = {str(status): place for place, status in enumerate(stands)}
        part = [card for card in self.cards if card.card_status == CardStatus.IN_CIRCULATION]
        part = [card for card in part if card.turns_left is None]
        return tuple(sorted(part, key=lambda card: (order.get(card.supply_status, 9), card.number)))


@dataclass(frozen=True, slots=True)
class LoopChange:
    """A change of a loop in its ledger; `changed` has each member before and after."""

    at: datetime
    by: str
    reason: str
    changed: dict[str, tuple[str, str]]
    cards: int | None


def state_of(loop_id: int) -> PlanState:
    """The loop as it stands; without cards for a loop that has none yet."""
    turns = {
        turn.card_id: turn
        for turn in Turn.objects.filter(loop=loop_id, closed_at__isnull=True, released_at__isnull=False)
    }
    rows = Card.objects.filter(loop=loop_id).exclude(card_status=CardStatus.REMOVED).order_by("number")
    due = LoopState.objects.filter(pk=loop_id).values_list("surplus_due", flat=True).first()
    return PlanState(tuple(_card(row, turns.get(row.pk)) for row in rows), due or 0)


def _card(row: Card, turn: Turn | None) -> PlanCard:
    return PlanCard(
        code=row.code,
        number=row.number,
        card_status=row.card_status,
        supply_status=row.supply_status,
        blocked=row.blocked,
        quantity=row.quantity,
        contents=row.contents,
        label_stale=row.label_stale,
        turns_left=row.turns_left,
        asked=turn.asked if turn is not None else None,
        step=turn.step if turn is not None else "",
        since=row.moved_at,
    )


def revisions_of(loop_id: int) -> list[LoopRevision]:
    """What was planned for the loop: first what is still to come, then what was done or refused, newest first."""
    found = list(LoopRevision.objects.filter(loop=loop_id).select_related("author").order_by("-number"))
    waiting = [one for one in found if one.applied_at is None and one.refused_at is None]
    past = [one for one in found if one.applied_at is not None or one.refused_at is not None]
    return sorted(waiting, key=lambda one: (one.effective_at, one.number)) + past[:NEWEST]


def changes_of(loop_id: int) -> list[LoopChange]:
    """Who changed the loop, newest first."""
    events = Event.objects.filter(loop=loop_id, type="loop.changed").select_related("person", "device")
    return [
        LoopChange(
            event.occurred_at,
            str(event.person or event.device or ""),
            str(event.data.get("reason") or ""),
            {
                name: (str(pair.get("before", "")), str(pair.get("after", "")))
                for name, pair in (event.data.get("changed") or {}).items()
            },
            event.data.get("cards"),
        )
        for event in events.order_by("-loop_seq")[:NEWEST]
    ]


def to_do(loop_ids: Iterable[int]) -> dict[int, int]:
    """How many cards of each loop wait to be collected; loops without such cards are left out."""
    found: dict[int, int] = {}
    for loop_id in Card.objects.filter(loop__in=list(loop_ids), card_status__in=list(OUT)).values_list(
        "loop_id", flat=True
    ):
        found[loop_id] = found.get(loop_id, 0) + 1
    return found
