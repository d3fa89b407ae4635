"""What somebody has to do about an open turn beside its ordinary next step; reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from jitapp.pull.models import Turn


@dataclass(frozen=True, slots=True)
class TurnName:
    """A turn as people name it: by its loop, the number printed on its card, and its own number."""

    loop: str
    card_number: int
    turn_number: int


@dataclass(frozen=True, slots=True)
class Task:
    """`demand_cancelled`: the owner decides whether the turn goes on, though `gone` no longer needs it.
    `answer_late`: the supplier let the loop's time for an answer pass.
    """

    kind: Literal["demand_cancelled", "answer_late"]
    card_number: int
    turn_number: int
    owner_party: str
    owner_name: str  # empty: the party has no name of its own
    gone: TurnName | None = None


def broken(promised_at: datetime | None, due_at: datetime | None) -> bool:
    """Whether a promise is for after the due time."""
    return promised_at is not None and due_at is not None and promised_at > due_at


def named(turns: Iterable[UUID | None]) -> dict[UUID | None, TurnName]:
    """The names of turns by their outside ids, in one query; unknown ones and None are left out."""
    wanted = {turn for turn in turns if turn is not None}
    if not wanted:
        return {}
    found = Turn.objects.filter(uuid__in=wanted).values_list("uuid", "loop__code", "card__number", "number")
    return {uuid: TurnName(loop, card, number) for uuid, loop, card, number in found}
