"""How far documents are: of one turn, and counted; reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Count, Min, Q, When

from jitapp.erp.models import DocumentRequest, RequestState

S = RequestState
OPEN = (S.WAITING, S.WITHDRAWING)


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """The document of a turn: how far it is, and what went wrong last.

    `problem` is a code (docs/api.md), `detail` what the ERP said. `attempts` counts calls ever made.
    """

    turn: UUID
    state: str
    number: str
    problem: str
    detail: str
    attempts: int
    asked_since: datetime
    next_try_at: datetime | None
    calling: bool


def request_of(turn: UUID, *, plant_ids: Iterable[int]) -> RequestFacts | None:
    """The document of a turn that these plants may see; None if none was ever asked for."""
    row = (
        DocumentRequest.objects.select_related("connection__plant")
        .filter(key=turn, connection__in=list(plant_ids))
        .first()
    )
    return facts_of(row) if row is not None else None


def facts_of(row: DocumentRequest) -> RequestFacts:
    """How far a document is that was read with its connection and plant."""
    waits = row.state in OPEN
    blocked = row.connection.reach.problem if waits else ""
    if waits and not row.connection.enabled:
        blocked = "switched_off"
    next_try = max(filter(None, (row.due_at, row.connection.quiet_until))) if waits and not blocked else None
    return RequestFacts(
        turn=row.key,
        state=row.state,
        number=row.number,
        problem=blocked or row.problem,
        detail=row.detail,
        attempts=row.calls,
        asked_since=row.created_at,
        next_try_at=next_try,
        calling=row.lease_until is not None,
    )


@dataclass(frozen=True, slots=True)
class Measures:
    """Counts of documents, and the age of the oldest pending one in seconds.

    `pending`: without a number yet. `withdrawing`: not taken back yet. `failed`: refused for good. `failing`: the last
    call failed and will be made again. `erps_down`: ERPs that do not reply.
    """

    pending: int
    withdrawing: int
    oldest_seconds: float
    failed: int
    failing: int
    erps_down: int


def open_requests(plant_ids: Iterable[int], *, most: int) -> list[DocumentRequest]:
    """The documents of these plants that were refused, then those that are owed; the oldest of each first."""
    rows = DocumentRequest.objects.select_related("connection__plant").filter(
        connection__in=list(plant_ids), state__in=[*OPEN, S.FAILED]
    )
    return list(rows.order_by(Case(When(state=S.FAILED, then=0), default=1), "created_at", "pk")[:most])


def measures(*, now: datetime, plant_id: int | None = None) -> Measures:
    """Of a plant, or over all."""
    rows = DocumentRequest.objects.filter(state__in=[*OPEN, S.FAILED])
    found = (rows if plant_id is None else rows.filter(connection=plant_id)).aggregate(
        pending=Count("pk", filter=Q(state=S.WAITING)),
        withdrawing=Count("pk", filter=Q(state=S.WITHDRAWING)),
        oldest=Min("created_at", filter=Q(state=S.WAITING)),
        failed=Count("pk", filter=Q(state=S.FAILED)),
        failing=Count("pk", filter=Q(state__in=OPEN, failures__gt=0)),
        down=Count("connection", filter=Q(state__in=OPEN, connection__failures__gt=0), distinct=True),
    )
    oldest = found["oldest"]
    age = max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
    return Measures(
        pending=found["pending"],
        withdrawing=found["withdrawing"],
        oldest_seconds=age,
        failed=found["failed"],
        failing=found["failing"],
        erps_down=found["down"],
    )
