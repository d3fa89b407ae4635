"""What a planner does to a loop with its cards on the floor: resize, hold, resume, retire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from jitapp.accounts.models import new_uuid
from jitapp.kanban.conditions import NO_LABEL, label_quantity
from jitapp.kanban.events.cards import CardObsolete, CardRelabelled
from jitapp.kanban.events.loops import BeforeAfter, LoopChanged
from jitapp.kanban.events.turns import TurnCancelled
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.resizing import MOST_CARDS, most_gathered, resize
from jitapp.kanban.signals import resume
from jitapp.kanban.state import exact, text
from jitapp.kanban.stated import members, stated
from jitapp.kanban.vocabulary import Accumulate, CardStatus, LoopStatus
from jitapp.outbox.publish import nudge_on_commit
from jitapp.plant.masters.wrong import Wrong, quantity_fits
from jitapp.plant.models import Loop, LoopRevision
from jitapp.pull import store
from jitapp.pull.actions.making import added, loaded, make, not_retired
from jitapp.pull.actions.saving import NOBODY, Refused, save, take_over
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Source


def resize_loop(
    *,
    loop_id: int,
    now: datetime,
    cards: int | None = None,
    quantity: Decimal | None = None,
    reason: str = "",
    source: Source = NOBODY,
) -> list[str]:
    """Changes N or Q of a loop whose cards are on the floor; returns the codes of new cards, to be printed.

    Fewer cards: as many as there are too many go out, each when it is next empty. More: surplus cards come back
    first, the rest is made NEW. Another quantity holds from each card's next signal; its label is stale until then.
    Refused for what `checked` says the loop cannot take.
    """

    def once() -> list[str]:
        with transaction.atomic():
            loop = checked(loop_id, cards, quantity)
            before = loop.quantity
            if quantity is not None and quantity != before:
                loop.quantity = quantity
            loop.revision += 1
            loop.version += 1
            loop.save(update_fields=["quantity", "revision", "version"])
            unit = loaded(loop_id)
            ledger = Ledger(unit.loops[loop_id], at=now)
            missing = resize(ledger, cards, new_uuid) if cards is not None else 0
            _write_change(ledger, loop, before, cards, reason)
            save(unit, ledger, now, source)
            return _make_missing(loop_id, missing, now, source) if missing else []

    return retried(once)


def checked(loop_id: int, cards: int | None, quantity: Decimal | None) -> Loop:
    """The loop, its row locked. Raises Refused if it is retired or cannot have so many cards or such a quantity."""
    loop = Loop.objects.select_for_update(of=("self",)).select_related("part").get(pk=loop_id)
    not_retired(loop.code, loop.status)
    if cards is None and quantity is None:
        raise Refused(stated("Nothing would change. Name `cards`, `quantity` or both."))
    if cards is not None and cards < 1:
        raise Refused(stated("A loop needs at least one card. Retire the loop instead."))
    if cards is not None and cards > MOST_CARDS:
        raise Refused(stated("A loop has at most {most} cards. Name fewer.", most=f"{MOST_CARDS:,}"))
    if quantity is not None:
        try:
            quantity_fits(quantity, loop.part.decimals, loop.part.number)
        except Wrong as wrong:
            raise Refused(stated("{why} Name another quantity.", why=wrong.said)) from None
    gathered = loop.accumulate_cards if loop.accumulate == Accumulate.CARDS else None
    if cards is not None and gathered is not None and gathered > most_gathered(cards):
        raise Refused(
            stated(
                "Loop {loop} gathers {gathered} cards: of {n} at most {most} can be gathered. Lower {member} first.",
                loop=loop.code,
                gathered=gathered,
                n=cards,
                most=most_gathered(cards),
                member=members(["accumulate_cards"]),
            )
        )
    return loop


def _write_change(ledger: Ledger, loop: Loop, before: Decimal, cards: int | None, reason: str) -> None:
    """The change of N or Q in the ledger; where Q is another one the labels are out of date."""
    changes = {"quantity": (text(before), text(loop.quantity))} if loop.quantity != before else {}
    changed = LoopChanged(
        surplus_due=ledger.loop.surplus_due,
        cards=cards,
        quantity=exact(loop.quantity),
        revision=loop.revision,
        reason=reason,
        changed=_changed(changes),
    )
    ledger.write(changed)
    if loop.quantity != before:
        for card in ledger.loop.cards.values():
            if card.card_status is not CardStatus.REMOVED:
                ledger.write(CardRelabelled(), card)


def _make_missing(loop_id: int, count: int, now: datetime, source: Source) -> list[str]:
    unit, rows = make(loop_id, count)
    ledger = Ledger(unit.loops[loop_id], at=now)
    added(ledger, rows)
    save(unit, ledger, now, source)
    return [row.code for row in rows]


def note_settings(
    changes: Mapping[int, Mapping[str, tuple[str, str]]], *, now: datetime, source: Source = NOBODY
) -> None:
    """Settings of running loops were written: the ledger of each says which, before and after.

    `changes` is by loop id; inside the transaction that wrote them.
    """
    if not changes:
        return
    unit = store.load(changes)
    for loop_id, loop in unit.loops.items():
        ledger = Ledger(loop, at=now)
        ledger.write(LoopChanged(surplus_due=loop.surplus_due, changed=_changed(changes[loop_id])))
        take_over(unit, ledger, now, source)
    unit.write()
    nudge_on_commit()


def _changed(members: Mapping[str, tuple[str, str]]) -> dict[str, BeforeAfter]:
    """Each member with its value before and after."""
    return {name: BeforeAfter(before, after) for name, (before, after) in members.items()}


def mark_printed(
    *, loop_id: int, now: datetime, source: Source = NOBODY, printed: Mapping[str, Decimal] | None = None
) -> int:
    """The loop's stale labels were printed again; returns how many: of those that `sheets.stale_labels_of` lists.

    `printed` names the cards and the quantity that stands on each: a label is true again only if that is still what a
    container holds. Without it all of them were printed.
    """

    def once() -> int:
        with transaction.atomic():
            unit = loaded(loop_id)
            ledger = Ledger(unit.loops[loop_id], at=now)
            cards = ledger.loop.cards.values()
            stale = [card for card in cards if card.label_stale and card.card_status not in NO_LABEL]
            for card in stale:
                if printed is None or printed.get(card.code) == label_quantity(ledger.loop, card):
                    ledger.write(CardRelabelled(stale=False), card)
            count = sum(not card.label_stale for card in stale)
            if count:
                save(unit, ledger, now, source)
            return count

    return retried(once)


def hold_loop(*, loop_id: int, reason: str, now: datetime, source: Source = NOBODY) -> None:
    """Puts a loop on hold: emptying and receiving go on, signals are withheld, a runout is closed with that reason."""
    if not reason.strip():
        raise Refused(stated("A hold needs a reason. Say why, so that people at the cards can read it."))
    _set_status(loop_id, LoopStatus.ON_HOLD, reason.strip()[:200], now, source, _resume)


def resume_loop(*, loop_id: int, now: datetime, source: Source = NOBODY) -> None:
    """Takes a loop into use again; the signals withheld meanwhile go out."""
    _set_status(loop_id, LoopStatus.ACTIVE, "", now, source, _resume)


def retire_loop(*, loop_id: int, reason: str, now: datetime, source: Source = NOBODY) -> None:
    """Takes a loop out of use for good: signals that nobody has acted on are cancelled, its cards are OBSOLETE, and
    what was planned for it is refused.

    Refused without a reason, while material is under way, and for a loop that was retired before.
    """
    why = reason.strip()[:200]
    if not why:
        raise Refused(
            stated("Retiring a loop needs a reason. Say why, so that people who find a card can read it.")
        )

    def retire(ledger: Ledger) -> None:
        cards = [card for card in ledger.loop.cards.values() if card.card_status is not CardStatus.REMOVED]
        for card in cards:
            if card.turn is not None and card.turn.under_way:
                raise Refused(
                    stated(
                        "Card {n} is under way. Receive it or correct it, then retire the loop.",
                        n=card.number,
                    )
                )
        for card in cards:
            if card.turn is not None:
                ledger.write(TurnCancelled(reason=why), card, turn=card.turn)
            ledger.write(CardObsolete(reason=why), card)
        LoopRevision.objects.filter(loop_id=loop_id, applied_at__isnull=True, refused_at__isnull=True).update(
            refused_at=now, refusal=f"The loop was retired: {why}"
        )

    _set_status(loop_id, LoopStatus.RETIRED, why, now, source, retire)


def _set_status(
    loop_id: int,
    status: LoopStatus,
    reason: str,
    now: datetime,
    source: Source,
    follow: Callable[[Ledger], None],
) -> None:
    def once() -> None:
        with transaction.atomic():
            loop = Loop.objects.select_for_update().get(pk=loop_id)
            before = loop.status
            not_retired(loop.code, loop.status)
            loop.status, loop.hold_reason = status, reason
            loop.version += 1
            loop.save(update_fields=["status", "hold_reason", "version"])
            unit = loaded(loop_id)
            ledger = Ledger(unit.loops[loop_id], at=now)
            changed = LoopChanged(
                status=str(status),
                reason=reason,
                surplus_due=ledger.loop.surplus_due,
                changed=_changed({"status": (str(before), str(status))}),
            )
            ledger.write(changed)
            follow(ledger)
            save(unit, ledger, now, source)

    retried(once)


def _resume(ledger: Ledger) -> None:
    resume(ledger, new_uuid)
