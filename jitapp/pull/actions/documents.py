"""Documents of the ERP: its number for a turn, and who owes it. The calls themselves are made by jitapp/erp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from jitapp.accounts.models import new_uuid
from jitapp.kanban.events.turns import TurnDocAsked, TurnDocumented
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import dispatch, fail, recover
from jitapp.kanban.state import Card, Turn
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, SignalState
from jitapp.pull import store
from jitapp.pull.actions.saving import NOBODY, Refused, save
from jitapp.pull.models import Turn as TurnRow
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Source

LONGEST_NUMBER = 60
LONGEST_REASON = 200


class TurnCancelled(Refused):
    """The turn ended without a delivery: its document must go."""


def give_document(*, turn: str, document: str, now: datetime, source: Source = NOBODY) -> None:
    """The ERP's number for a turn: the signal that waited for it goes out. The same number again changes nothing.

    A turn that was received meanwhile still gets its number; a cancelled one does not (TurnCancelled). A turn that
    stands in ERROR goes on: it may be given the number of another order.
    """
    row = TurnRow.objects.filter(uuid=turn).first()
    if row is None:
        raise Refused("There is no such turn. Ask for the turns that wait.")
    if not document or len(document) > LONGEST_NUMBER:
        raise Refused(f"A document number has 1 to {LONGEST_NUMBER} characters.")

    def once() -> None:
        with transaction.atomic():
            unit = store.load([row.loop_id])
            row.refresh_from_db()
            card = unit.loops[row.loop_id].cards.get(row.card_id)
            if row.signal_state == SignalState.CANCELLED or card is None:
                raise TurnCancelled("That turn was cancelled. Cancel the document in the ERP.")
            is_open = card.turn is not None and card.turn.number == row.number
            failed = is_open and card.turn is not None and bool(card.turn.failed)
            if row.document == document and not failed:
                return
            _check_number(row, document, failed=failed)
            ledger = Ledger(unit.loops[row.loop_id], at=now)
            if is_open:
                _document_open_turn(ledger, card, document)
            else:
                late = Turn(row.uuid, row.number, row.asked, row.opened_at)
                ledger.write(TurnDocumented(document=document, closed=True), card, turn=late)
                TurnRow.objects.filter(pk=row.pk).update(document=document)
            save(unit, ledger, now, source)

    retried(once)


def _check_number(row: TurnRow, document: str, *, failed: bool) -> None:
    if row.document and not failed:
        raise Refused(f"That turn has document {row.document} already. Cancel one of the two.")
    others = TurnRow.objects.filter(supply=row.supply_id, document=document, closed_at__isnull=True)
    other = others.exclude(pk=row.pk).select_related("card").first()
    if row.closed_at is None and other is not None:
        raise Refused(
            f"{document} is the document of card {other.card.code} already. Give each order its own number."
        )


def _document_open_turn(ledger: Ledger, card: Card, document: str) -> None:
    turn = card.turn
    assert turn is not None
    failed = bool(turn.failed)
    ledger.write(TurnDocumented(document=document), card, turn=turn)
    if failed:
        recover(ledger, card, why=document)  # the order was made again, under this number
    takes_part = card.card_status is CardStatus.IN_CIRCULATION
    active = ledger.loop.config.status is LoopStatus.ACTIVE
    if turn.signal_state is SignalState.PENDING_DOC and takes_part and active:
        dispatch(ledger, card, new_uuid(), batch=turn.batch)


def ask_for_documents(turns: Sequence[UUID], *, now: datetime) -> None:
    """From now on the ERP owes the numbers of those turns that wait for one (rule C10)."""

    def asked(ledger: Ledger, card: Card, turn: Turn) -> None:
        if not turn.failed and not turn.doc_owed:
            ledger.write(TurnDocAsked(), card, turn=turn)

    _each_waiting(turns, asked, now)


def refuse_document(turn: UUID, *, reason: str, now: datetime) -> None:
    """The ERP will not make the document: a turn that waits for it stands in ERROR, others go on without it."""

    def refused(ledger: Ledger, card: Card, turn: Turn) -> None:
        if not turn.failed:
            fail(ledger, card, reason[:LONGEST_REASON])

    _each_waiting([turn], refused, now)


def mend_document(turn: UUID, *, why: str, now: datetime) -> None:
    """A turn that failed while it waited for its document waits again."""

    def mended(ledger: Ledger, card: Card, turn: Turn) -> None:
        if turn.failed:
            recover(ledger, card, why=why)

    _each_waiting([turn], mended, now)


def _each_waiting(turns: Sequence[UUID], write: Callable[[Ledger, Card, Turn], None], now: datetime) -> None:
    """Those of the turns that still wait for a document."""
    waiting = TurnRow.objects.filter(uuid__in=turns, signal_state=SignalState.PENDING_DOC)
    loop_ids = set(waiting.values_list("loop_id", flat=True))
    if not loop_ids:
        return
    wanted = set(turns)

    def once() -> None:
        with transaction.atomic():
            unit = store.load(loop_ids)
            for loop in unit.loops.values():
                ledger = Ledger(loop, at=now)
                for card in list(loop.cards.values()):
                    turn = card.turn
                    if turn is None or turn.uuid not in wanted or turn.document:
                        continue
                    if turn.signal_state is SignalState.PENDING_DOC:
                        write(ledger, card, turn)
                if ledger.entries:
                    save(unit, ledger, now, NOBODY)

    retried(once)
