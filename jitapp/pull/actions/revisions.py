"""What is planned for a loop at an instant to come: other numbers of cards, another quantity, or its successor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from jitapp.kanban.stated import stated
from jitapp.plant.models import Loop, LoopRevision
from jitapp.pull.actions.loops import checked, resize_loop
from jitapp.pull.actions.saving import Refused
from jitapp.pull.actions.succession import SUCCESSOR, check_successor, succeed
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Source


def plan_revision(
    *,
    loop_id: int,
    effective_at: datetime,
    values: dict[str, Any],
    reason: str = "",
    author_id: int | None = None,
    now: datetime | None = None,
) -> LoopRevision:
    """Plans new values (cards, quantity) for an instant to come; `now` defaults to the clock.

    Refused for an instant that is past, and for values that the loop could not take.
    """
    unknown = set(values) - {"cards", "quantity"}
    if unknown or not values:
        raise Refused(stated("A revision changes `cards`, `quantity` or both. Leave the rest out."))
    _to_come(effective_at, now)
    quantity = _quantity_of(values)
    with transaction.atomic():
        loop = checked(loop_id, values.get("cards"), quantity)
        return _planned(loop, effective_at, values, reason, author_id)


def plan_successor(
    *,
    loop_id: int,
    successor_id: int,
    effective_at: datetime,
    reason: str = "",
    author_id: int | None = None,
    now: datetime | None = None,
) -> LoopRevision:
    """Plans that another loop takes this one's place at an instant to come (`succession`).

    Refused for an instant that is past, and for a loop that cannot follow this one.
    """
    _to_come(effective_at, now)
    with transaction.atomic():
        loop = Loop.objects.select_for_update(of=("self",)).select_related("demand").get(pk=loop_id)
        successor = Loop.objects.select_related("demand").get(pk=successor_id)
        check_successor(loop, successor)
        return _planned(loop, effective_at, {SUCCESSOR: successor.code}, reason, author_id)


def withdraw_revision(*, loop_id: int, number: int, by: str, now: datetime) -> bool:
    """What was planned will not be done; its row keeps who said so. False if it was done or refused before."""
    waiting = LoopRevision.objects.filter(
        loop_id=loop_id, number=number, applied_at__isnull=True, refused_at__isnull=True
    )
    return bool(waiting.update(refused_at=now, refusal=f"Withdrawn by {by}."))


def _to_come(effective_at: datetime, now: datetime | None) -> None:
    if effective_at < (now or timezone.now()):
        raise Refused(
            stated(
                "{at} UTC is past, and what is past is not revised."
                " Name an instant to come, or leave it out to change the loop now.",
                at=f"{effective_at.astimezone(UTC):%Y-%m-%d %H:%M}",
            )
        )


def _planned(
    loop: Loop, effective_at: datetime, values: dict[str, Any], reason: str, author_id: int | None
) -> LoopRevision:
    newest = loop.revisions.order_by("-number").values_list("number", flat=True).first() or 0
    return LoopRevision.objects.create(
        loop=loop,
        number=newest + 1,
        effective_at=effective_at,
        values=values,
        reason=reason,
        author_id=author_id,
    )


def _quantity_of(values: Mapping[str, Any]) -> Decimal | None:
    """The quantity that a revision plans; it is kept as text, so that no digit is lost."""
    quantity = values.get("quantity")
    return None if quantity is None else Decimal(str(quantity))


def apply_due_revisions(*, now: datetime) -> set[int]:
    """Applies planned revisions whose instant has come, oldest first; returns the loops.

    The loop may have changed since a revision was planned. One that it cannot take any more is not applied; its row
    keeps the reason, and the others go on.
    """
    due = LoopRevision.objects.filter(applied_at__isnull=True, refused_at__isnull=True, effective_at__lte=now)
    rows = list(due.order_by("effective_at", "number").values_list("pk", "loop_id"))
    return {loop_id for pk, loop_id in rows if retried(partial(_apply, pk, loop_id, now))}


def _apply(revision_id: int, loop_id: int, now: datetime) -> bool:
    """Whether the loop has changed; a revision that somebody else has applied meanwhile changes nothing."""
    with transaction.atomic():
        Loop.objects.select_for_update().get(pk=loop_id)  # before the revision, as all who change a loop
        revision = (
            LoopRevision.objects.select_for_update()
            .filter(pk=revision_id, applied_at__isnull=True, refused_at__isnull=True)
            .first()
        )
        if revision is None:
            return False
        try:
            with transaction.atomic():
                _do(revision, now)
        except Refused as refused:
            revision.refused_at, revision.refusal = now, str(refused)
            revision.save(update_fields=["refused_at", "refusal"])
            return False
        revision.applied_at = now
        revision.save(update_fields=["applied_at"])
        return True


def _do(revision: LoopRevision, now: datetime) -> None:
    """What was planned, by whoever planned it. Raises Refused."""
    reason = revision.reason or f"revision {revision.number}"
    source = Source(person_id=revision.author_id)
    if SUCCESSOR in revision.values:
        successor = Loop.objects.get(code=revision.values[SUCCESSOR])
        succeed(loop_id=revision.loop_id, successor_id=successor.pk, now=now, reason=reason, source=source)
        return
    resize_loop(
        loop_id=revision.loop_id,
        now=now,
        cards=revision.values.get("cards"),
        quantity=_quantity_of(revision.values),
        reason=reason,
        source=source,
    )
