"""What a planner does to a loop with its cards on the floor: resize, hold, resume, revise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from jitapp.accounts.models import new_uuid
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.resizing import fit
from jitapp.kanban.signals import resume, settle
from jitapp.kanban.state import text
from jitapp.kanban.vocabulary import CardStatus, LoopStatus
from jitapp.outbox.publish import nudge_on_commit
from jitapp.plant.masters.wrong import Wrong, quantity_fits
from jitapp.plant.models import Loop, LoopRevision
from jitapp.pull import store
from jitapp.pull.actions.cards import NOBODY, added, make
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Source


class Refused(ValueError):
    """A change that a rule forbids; the text says what happened and what to do next."""


def resize_loop(
    *,
    loop_id: int,
    now: datetime,
    cards: int | None = None,
    quantity: Decimal | None = None,
    reason: str = "",
    source: Source = NOBODY,
) -> list[str]:
    """Changes N or Q of a loop whose cards are on the floor; answers the codes of new cards, to be printed.

    Fewer cards: as many as there are too many go out, each when it is next empty. More: surplus cards come back
    first, the rest is made NEW. Another quantity holds from each card's next signal; its label is stale until then.
    Refused if nothing would be left, or a batch would never be complete.
    """
    if cards is not None and cards < 1:
        raise Refused("A loop needs at least one card. Retire the loop instead.")
    if quantity is not None and quantity <= 0:
        raise Refused("A card asks for more than nothing. Give a quantity above 0.")

    def once() -> list[str]:
        with transaction.atomic():
            loop = Loop.objects.select_for_update().get(pk=loop_id)
            gathers = loop.accumulate_cards if loop.accumulate == "CARDS" else None
            if cards is not None and gathers is not None and gathers > cards - 1:
                raise Refused(
                    f"{gathers} of {cards} cards would be gathered: at most {cards - 1} can be. Lower it first."
                )
            before = loop.quantity
            if quantity is not None and quantity != before:
                loop.quantity = quantity
            loop.revision += 1
            loop.version += 1
            loop.save(update_fields=["quantity", "revision", "version"])
            world = store.load([loop_id])
            state = world.loops[loop_id]
            ledger = Ledger(state, at=now)
            missing = 0
            if cards is not None:
                missing = fit(ledger, cards, new_uuid)
            asked: dict[str, Any] = {"cards": cards} if cards is not None else {}
            if loop.quantity != before:
                asked["changed"] = _changed({"quantity": (text(before), text(loop.quantity))})
            ledger.write(
                "loop.changed",
                surplus_due=state.surplus_due,
                quantity=text(loop.quantity),
                revision=loop.revision,
                reason=reason,
                more=asked,
            )
            if loop.quantity != before:
                for card in state.cards.values():
                    if card.card_status is not CardStatus.REMOVED:
                        ledger.write("card.relabelled", card)
            keep(world, ledger, now, source)
            if not missing:
                return []
            world, rows = make(loop_id, missing)
            ledger = Ledger(world.loops[loop_id], at=now)
            added(ledger, rows)
            keep(world, ledger, now, source)
            return [row.code for row in rows]

    return retried(once)


def note_settings(
    changes: Mapping[int, Mapping[str, tuple[str, str]]], *, now: datetime, source: Source = NOBODY
) -> None:
    """Settings of running loops were written: the ledger of each says which, before and after.

    `changes` is by loop id; inside the transaction that wrote them.
    """
    if not changes:
        return
    world = store.load(changes)
    for loop_id, loop in world.loops.items():
        ledger = Ledger(loop, at=now)
        ledger.write("loop.changed", surplus_due=loop.surplus_due, changed=_changed(changes[loop_id]))
        settle(ledger, new_uuid)
        world.record(
            loop,
            ledger.events,
            now=now,
            person_id=source.person_id,
            device_id=source.device_id,
            turns=ledger.closed,
        )
    world.write()
    nudge_on_commit()


def _changed(members: Mapping[str, tuple[str, str]]) -> dict[str, dict[str, str]]:
    """Each member with its value before and after."""
    return {name: {"before": before, "after": after} for name, (before, after) in members.items()}


def mark_printed(*, loop_id: int, now: datetime, source: Source = NOBODY) -> int:
    """The loop's stale labels were printed again; answers how many."""
    with transaction.atomic():
        world = store.load([loop_id])
        ledger = Ledger(world.loops[loop_id], at=now)
        stale = [card for card in ledger.loop.cards.values() if card.label_stale]
        for card in stale:
            ledger.write("card.relabelled", card, stale=False)
        keep(world, ledger, now, source)
    return len(stale)


def hold_loop(*, loop_id: int, reason: str, now: datetime, source: Source = NOBODY) -> None:
    """Puts a loop on hold: emptying and receiving go on, signals are withheld, a runout is closed with that reason."""
    if not reason.strip():
        raise Refused("A hold needs a reason. Say why, so that people at the cards can read it.")
    _set_status(loop_id, LoopStatus.ON_HOLD, reason.strip()[:200], now, source)


def resume_loop(*, loop_id: int, now: datetime, source: Source = NOBODY) -> None:
    """Takes a loop into use again; the signals withheld meanwhile go out."""
    _set_status(loop_id, LoopStatus.ACTIVE, "", now, source)


def _set_status(loop_id: int, status: LoopStatus, reason: str, now: datetime, source: Source) -> None:
    def once() -> None:
        with transaction.atomic():
            loop = Loop.objects.select_for_update().get(pk=loop_id)
            before = loop.status
            loop.status, loop.hold_reason = status, reason
            loop.version += 1
            loop.save(update_fields=["status", "hold_reason", "version"])
            world = store.load([loop_id])
            ledger = Ledger(world.loops[loop_id], at=now)
            ledger.write(
                "loop.changed",
                status=str(status),
                reason=reason,
                surplus_due=ledger.loop.surplus_due,
                changed=_changed({"status": (str(before), str(status))}),
            )
            resume(ledger, new_uuid)
            keep(world, ledger, now, source)

    retried(once)


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
        raise Refused("A revision changes `cards`, `quantity` or both. Leave the rest out.")
    if effective_at < (now or timezone.now()):
        raise Refused(
            f"{effective_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC is past, and what is past is not revised."
            " Name an instant to come, or leave it out to change the loop now."
        )
    if values.get("cards") is not None and values["cards"] < 1:
        raise Refused("A loop needs at least one card. Retire the loop instead.")
    with transaction.atomic():
        loop = Loop.objects.select_for_update(of=("self",)).select_related("part").get(pk=loop_id)
        if values.get("quantity") is not None:
            try:
                quantity_fits(Decimal(str(values["quantity"])), loop.part.decimals, loop.part.number)
            except Wrong as wrong:
                raise Refused(f"{wrong} Nothing was planned: name another quantity.") from None
        newest = loop.revisions.order_by("-number").values_list("number", flat=True).first() or 0
        return LoopRevision.objects.create(
            loop=loop,
            number=newest + 1,
            effective_at=effective_at,
            values=values,
            reason=reason,
            author_id=author_id,
        )


def apply_due_revisions(*, now: datetime) -> set[int]:
    """Applies planned revisions whose instant has come, oldest first; answers the loops."""
    changed: set[int] = set()
    due = LoopRevision.objects.filter(applied_at__isnull=True, effective_at__lte=now)
    for revision in due.order_by("effective_at", "number"):
        with transaction.atomic():
            locked = (
                LoopRevision.objects.select_for_update(skip_locked=True)
                .filter(pk=revision.pk, applied_at__isnull=True)
                .first()
            )
            if locked is None:
                continue
            quantity = locked.values.get("quantity")
            resize_loop(
                loop_id=locked.loop_id,
                now=now,
                cards=locked.values.get("cards"),
                quantity=None if quantity is None else Decimal(str(quantity)),
                reason=locked.reason or f"revision {locked.number}",
            )
            locked.applied_at = now
            locked.save(update_fields=["applied_at"])
            changed.add(locked.loop_id)
    return changed


def keep(world: store.UnitOfWork, ledger: Ledger, now: datetime, source: Source) -> None:
    """Settles the runout, writes what the ledger holds, and nudges the workers after the commit."""
    settle(ledger, new_uuid)
    world.record(
        ledger.loop,
        ledger.events,
        now=now,
        person_id=source.person_id,
        device_id=source.device_id,
        turns=ledger.closed,
    )
    world.write()
    nudge_on_commit()
