"""A person settles what the rules would not: a parked scan, or a code that nobody knew.

The receipt keeps the answer it gave (rule C3); the settlement stands beside it. Accepting sends a scan of its own
through the scan path, with a leader's say, so that the ledger tells of it like of any other; two people at once queue
at the receipt's row, and the second is told who was first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.db import transaction

from jitapp.accounts.models import Person
from jitapp.kanban.conditions import GONE
from jitapp.kanban.parked import SETTLERS, read_choice
from jitapp.kanban.vocabulary import Intent, Outcome, Role
from jitapp.plant.models import Identifier, Membership, Plant, Station
from jitapp.plant.scanners import site
from jitapp.pull.actions.scanning import scan
from jitapp.pull.models import Card, Receipt, Settlement
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Conflict, ScanRequest, Source, escaped, unescaped
from jitapp.symbology.cardcode import find_card_code, meant_code
from jitapp.symbology.decode import decode
from jitapp.symbology.meaning import canonical

How = Literal["accept", "discard", "assign"]
UNKNOWN = "unknown_card"
DECLINED = "declined"
REASON_LIMIT = 200
MOST_AT_ONCE = 500  # scans of one unknown code that are settled together
LONGEST_CODE = 128


class SettleRefused(ValueError):
    """A settlement that does not fit; `code` is stable: unknown_scan, not_waiting, already_settled, not_allowed,
    reason_missing, quantity_missing, choice_unknown, unknown_card, code_taken, scan_id_reused.

    `by` and `at` name who settled it before, `time_zone` is that of the plant.
    """

    def __init__(
        self, code: str, *, by: str = "", at: datetime | None = None, time_zone: str = "UTC"
    ) -> None:
        super().__init__(code)
        self.code, self.by, self.at, self.time_zone = code, by, at, time_zone


@dataclass(frozen=True, slots=True)
class Settled:
    """How it ended: accepted, discarded, assigned; or declined, and still waiting. `answer` is that of the scan by
    which it was to be accepted."""

    scan: UUID
    how: str
    by: str
    settled_at: datetime
    reason: str
    card: str | None
    answer: dict[str, Any] | None


def may_settle(person_id: int | None) -> frozenset[int]:
    """The plants in which a person leads, plans or administers; for a superuser all."""
    person = Person.objects.filter(pk=person_id or 0, is_active=True).first()
    if person is None:
        return frozenset()
    mine = Membership.objects.filter(person=person, role__in=SETTLERS)
    if person.is_superuser:
        return frozenset(Station.objects.values_list("plant_id", flat=True).distinct())
    return frozenset(mine.values_list("plant_id", flat=True))


def settle_scan(
    *,
    scan_id: UUID,
    how: How,
    key: UUID,
    now: datetime,
    source: Source,
    choice: str = "",
    quantity: Decimal | None = None,
    reason: str = "",
    card: str = "",
) -> Settled:
    """Settles a waiting scan; the same `key` again gives the first answer.

    `accept` applies it now as `choice` says (kanban/parked.py), `discard` needs a reason, `assign` gives an unknown
    code to a card, for all scans of that code. What the rules refuse stays waiting. Raises SettleRefused.
    """
    why = escaped(reason.strip())[:REASON_LIMIT]
    allowed = may_settle(source.person_id)

    def once() -> Settled:
        with transaction.atomic():
            receipt = _waiting(scan_id, key, source)
            if isinstance(receipt, Settled):
                return receipt
            if _plant_of(receipt) not in allowed:
                raise SettleRefused("not_allowed")
            if how == "accept":
                return _accept(receipt, choice, quantity, why, key, now, source)
            if how == "assign":
                return _assign(receipt, card, why, key, now, source)
            if not why:
                raise SettleRefused("reason_missing")
            for other in _alike(receipt):
                _write(other, Settlement.How.DISCARDED, key, now, source, reason=why)
            return _settled(receipt.scan_id)

    return retried(once)


def _waiting(scan_id: UUID, key: UUID, source: Source) -> Receipt | Settled:
    """The receipt, its row locked; what became of it if the same request comes again. Raises SettleRefused."""
    found = Receipt.objects.select_for_update(of=("self",)).filter(scan_id=scan_id).first()
    plant = _plant_of(found) if found is not None else None
    if found is None or plant is None or plant not in source.plant_ids:
        raise SettleRefused("unknown_scan")
    before = Settlement.objects.select_related("person").filter(receipt=found).first()
    if before is not None:
        if before.key == key:
            return _settled(scan_id)
        zone = Plant.objects.values_list("time_zone", flat=True).get(pk=plant)
        raise SettleRefused("already_settled", by=str(before.person), at=before.settled_at, time_zone=zone)
    if found.outcome != Outcome.PARKED and found.code != UNKNOWN:
        raise SettleRefused("not_waiting")
    return found


def _plant_of(receipt: Receipt) -> int | None:
    """A card's plant; an unknown code belongs to the plant where it was read."""
    if receipt.plant_id is not None:
        return receipt.plant_id
    if receipt.station is not None:
        return receipt.station.plant_id
    placement = getattr(receipt.device, "placement", None)
    if placement is not None:
        return int(placement.plant_id)
    plants = set(Membership.objects.filter(person=receipt.person_id or 0).values_list("plant_id", flat=True))
    return plants.pop() if len(plants) == 1 else None


def _alike(receipt: Receipt) -> list[Receipt]:
    """The receipt, and for an unknown code all that wait for the same answer in the same plant."""
    if receipt.code != UNKNOWN:
        return [receipt]
    rows = Receipt.objects.select_for_update(of=("self",)).filter(
        code=UNKNOWN, raw=receipt.raw, settled_at__isnull=True
    )
    plant = _plant_of(receipt)
    return [row for row in rows.order_by("pk")[:MOST_AT_ONCE] if _plant_of(row) == plant]


def _accept(
    receipt: Receipt,
    choice: str,
    quantity: Decimal | None,
    why: str,
    key: UUID,
    now: datetime,
    source: Source,
) -> Settled:
    if receipt.card is None:
        raise SettleRefused("not_waiting")
    known = read_choice(choice or receipt.intent)
    if known is None:
        raise SettleRefused("choice_unknown")
    intent, status = known
    if intent is Intent.COUNT and quantity is None:
        raise SettleRefused("quantity_missing")
    answer = scan(
        ScanRequest(
            id=key,
            code=receipt.card.code,
            station=receipt.station.code if receipt.station else None,
            intent=intent,
            quantity=quantity,
            status=status,
            reason=why or f"settled: {receipt.code}",
            settles=receipt.scan_id,
        ),
        # Whoever may settle decides as a leader does; where they stand does not matter.
        source=replace(
            source.with_role(Role.LEADER, receipt.card.loop.plant_id), station_id=None, fixed=False
        ),
        now=now,
    )
    if isinstance(answer, Conflict) or (answer.replayed and answer.body["outcome"] == Outcome.APPLIED):
        raise SettleRefused("scan_id_reused")
    if answer.body["outcome"] != Outcome.APPLIED:
        # The attempt has a receipt of its own; the parked scan goes on waiting.
        return Settled(receipt.scan_id, DECLINED, "", now, why, receipt.card.code, answer.body)
    _write(
        receipt,
        Settlement.How.ACCEPTED,
        key,
        now,
        source,
        reason=why,
        intent=choice or str(intent),
        scan_id=key,
    )
    return _settled(receipt.scan_id)


def _assign(receipt: Receipt, code: str, why: str, key: UUID, now: datetime, source: Source) -> Settled:
    """The unknown code names this card from now on; what it was scanned for is scanned again."""
    if receipt.code != UNKNOWN:
        raise SettleRefused("not_waiting")
    card = Card.objects.filter(
        code=meant_code(code) or code.strip(), loop__plant_id__in=source.plant_ids
    ).first()
    if card is None or card.card_status in GONE:
        raise SettleRefused("unknown_card")
    raw = unescaped(receipt.raw)
    read = find_card_code(raw) or canonical(decode(raw, site()))
    if len(read) > LONGEST_CODE or Identifier.objects.filter(code=read).exists():
        raise SettleRefused("code_taken")
    Identifier.objects.create(code=read, kind=Identifier.Kind.CARD, target_id=card.pk)
    for other in _alike(receipt):
        _write(other, Settlement.How.ASSIGNED, key, now, source, reason=why, card=card)
    return _settled(receipt.scan_id)


def _write(receipt: Receipt, how: str, key: UUID, now: datetime, source: Source, **more: Any) -> None:
    Settlement.objects.create(
        receipt=receipt,
        key=key,
        how=how,
        settled_at=now,
        person_id=source.person_id or 0,
        device_id=source.device_id,
        **more,
    )
    Receipt.objects.filter(pk=receipt.pk).update(settled_at=now)


def _settled(scan_id: UUID) -> Settled:
    row = Settlement.objects.select_related("person", "card", "receipt__card").get(receipt__scan_id=scan_id)
    answer = None
    if row.scan_id is not None:
        answer = Receipt.objects.values_list("answer", flat=True).get(scan_id=row.scan_id)
    card = row.card or row.receipt.card
    return Settled(
        scan_id, row.how, str(row.person), row.settled_at, row.reason, card.code if card else None, answer
    )
