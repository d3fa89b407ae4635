"""Taking deliveries in by the supplier's own label: it names the card, is held against what was asked, and closes the
card on the usual scan path. Whatever is read is kept, also what matches nothing.

A licence plate names one package of the world: the same one again is a repeat. Several packages of one card are added
up until what was asked is there, or somebody says that this is all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q, Sum
from msgspec import structs

from jitapp.kanban.vocabulary import GrPolicy, Intent, Outcome, SupplyStatus
from jitapp.plant.scanners import site
from jitapp.pull import actions
from jitapp.pull.reading.containers import (
    Container,
    cards_behind,
    containers,
    expected_from_suppliers,
)
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest, Source, escaped, unescaped
from jitapp.rounds.labels import Label, read_label, same_part
from jitapp.rounds.models import ReadLabel
from jitapp.rounds.vocabulary import LabelOutcome

# Scan ids of packages, so that one whose answer was lost is the same scan again.
PACKAGES = UUID("0f0d1f3c-8a3b-5a57-9a53-0d3b0a3f7c15")
ACCEPTED = (LabelOutcome.TAKEN, LabelOutcome.PART)
OPEN = (LabelOutcome.ASKED, LabelOutcome.REFUSED, LabelOutcome.UNMATCHED)
FOUND = 50

# What the receiver says about another quantity than was asked: more packages follow, or this is all.
Rest = Literal["", "follows", "all"]


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a label: what was kept of it, and the answer of the scan, if one was made. `choices` are the cards
    it may belong to, `sofar` the pieces of this card with the packages before."""

    kept: ReadLabel
    answer: Answer | Conflict | None = None
    container: Container | None = None
    choices: Sequence[Container] = ()
    sofar: Decimal | None = None
    before: ReadLabel | None = None  # the same package, the first time


@dataclass(frozen=True, slots=True)
class Receipt:
    """A label as somebody scans it: its raw text, the card chosen for it, what was said about its quantity."""

    id: UUID
    raw: str
    card: str = ""
    reason: str = ""
    rest: Rest = ""
    answers: UUID | None = None  # the label about which something was asked; then `raw` is that label's
    occurred_at: datetime | None = None  # when a device kept it, by its clock; None: now
    sent_at: datetime | None = None

    def scan(self, id: UUID, code: str = "") -> ScanRequest:
        """The scan of a card that it makes, so far as the device knows of it."""
        return ScanRequest(
            id, code or self.raw, occurred_at=self.occurred_at, sent_at=self.sent_at, kept=True
        )


def take_in(receipt: Receipt, *, source: Source, now: datetime) -> TakenIn:
    """Takes in what a label names, or says why not; the same receipt again gives what was kept of it."""
    with one_at_a_time():
        kept = ReadLabel.objects.filter(uuid=receipt.id, plant_id__in=source.plant_ids).first()
        if kept is not None:
            return _again(kept, source)
        return _Taking(receipt, source, now).run()


def answer_question(receipt: Receipt, *, source: Source, now: datetime) -> TakenIn | None:
    """Takes in the label `receipt.answers`, about which something was asked; None if there is no such label here."""
    if receipt.answers is None:
        return None
    asked = ReadLabel.objects.filter(uuid=receipt.answers, plant_id__in=source.plant_ids).first()
    if asked is None:
        return None
    told = replace(receipt, raw=unescaped(asked.raw), card=receipt.card or asked.card)
    return take_in(told, source=source, now=now)


class _Taking:
    """One label on its way through the checks, each of which ends it by what it keeps."""

    def __init__(self, receipt: Receipt, source: Source, now: datetime) -> None:
        self.receipt, self.source, self.now = receipt, source, now
        self.label: Label = read_label(receipt.raw, site())
        self.container: Container | None = None

    def run(self) -> TakenIn:
        """The checks in their order."""
        label = self.label
        if label.lost:
            return self._keep(LabelOutcome.UNMATCHED, "separators_lost")
        if not label.says_something:
            return self._keep(LabelOutcome.UNMATCHED, "two_cards" if label.may_be else "no_label")
        before = self._package_before()
        if before is not None:
            return self._keep(LabelOutcome.REPEATED, "licence_before", before=before)
        return self._located() or self._received()

    def _located(self) -> TakenIn | None:
        """The card of the label; None once it is known, else why it is not."""
        label, code = self.label, self.receipt.card or self.label.card
        if not code and label.kanban:  # a number of somebody else's that somebody has given to a card of ours
            names = (f"15K{label.kanban}", label.kanban)
            code = next(iter(cards_behind(names).values()), "")
        if code:
            self.container = containers([code], plant_ids=self.source.plant_ids).get(code)
            if self.container is None:
                return self._keep(LabelOutcome.UNMATCHED, "card_unknown")
            if same_part(label, self.container.part, self.container.gtin) is False:
                return self._keep(LabelOutcome.REFUSED, "part_differs")
            return None
        choices = _choices(label, expected_from_suppliers(self.source.plant_ids))
        if not choices:
            code = "kanban_unknown" if label.kanban and not (label.part or label.gtin) else "nothing_expected"
            return self._keep(LabelOutcome.UNMATCHED, code)
        return self._keep(LabelOutcome.ASKED, "choose", choices=choices)

    def _received(self) -> TakenIn:
        """Held against what was asked, then scanned."""
        container, quantity = self.container, self.label.quantity
        assert container is not None
        parts = packages_of(container)
        if container.turn is None or (quantity is None and not parts):
            return self._scan(quantity)
        # The card alone says nothing of how much came, where packages of it were counted.
        sofar, expected = (quantity or Decimal(0)) + parts, container.expected
        if sofar < expected and not (self.receipt.rest == "all" and self.receipt.reason.strip()):
            if self.receipt.rest == "follows" or (parts and quantity is not None):
                return self._keep(LabelOutcome.PART, "part_kept", sofar=sofar)
            return self._keep(LabelOutcome.ASKED, "less", sofar=sofar)
        if sofar > expected and not self.receipt.reason.strip():
            return self._keep(LabelOutcome.ASKED, "more", sofar=sofar)
        return self._scan(sofar)

    def _scan(self, quantity: Decimal | None) -> TakenIn:
        container = self.container
        assert container is not None
        docks = (
            container.gr_policy != GrPolicy.FULL_POSTS_RECEIPT and container.step == SupplyStatus.IN_TRANSIT
        )
        asked = structs.replace(
            self.receipt.scan(self._scan_id(container), container.code),
            station=container.demand,
            intent=str(Intent.DOCK if docks else Intent.RECEIVE),
            quantity=quantity,
            reason=self.receipt.reason.strip()[:200] or None,
        )
        answer = actions.scan(asked, source=self.source, now=self.now)
        if isinstance(answer, Conflict):
            return self._keep(LabelOutcome.REFUSED, answer.code, answer=answer, sofar=quantity)
        said = Outcome(answer.body["outcome"])
        outcome = LabelOutcome.TAKEN if said is Outcome.APPLIED else LabelOutcome.REFUSED
        if said in (Outcome.ALREADY, Outcome.BOUNCED) and self.label.bare:
            outcome = (
                LabelOutcome.REPEATED
            )  # another package of a card that is full already is too much, no repeat
        return self._keep(outcome, answer.body["code"], answer=answer, sofar=quantity, scan=asked.id)

    def _scan_id(self, container: Container) -> UUID:
        """Of the package, the card's turn and the try; without a licence plate of the receipt."""
        if not self.label.licence:
            return uuid5(PACKAGES, str(self.receipt.id))
        tries = ReadLabel.objects.filter(licence=self.label.licence, outcome=LabelOutcome.REFUSED).count()
        return uuid5(PACKAGES, f"{container.plant_id} {self.label.licence} {container.turn} {tries}")

    def _package_before(self) -> ReadLabel | None:
        if not self.label.licence:
            return None
        found = ReadLabel.objects.filter(licence=self.label.licence, outcome__in=ACCEPTED)
        return found.filter(plant_id__in=self.source.plant_ids).order_by("at").first()

    def _keep(
        self,
        outcome: LabelOutcome,
        code: str,
        *,
        answer: Answer | Conflict | None = None,
        choices: Sequence[Container] = (),
        sofar: Decimal | None = None,
        before: ReadLabel | None = None,
        scan: UUID | None = None,
    ) -> TakenIn:
        label, container = self.label, self.container
        kept = ReadLabel.objects.create(
            uuid=self.receipt.id,
            plant_id=container.plant_id if container else min(self.source.plant_ids),
            raw=escaped(self.receipt.raw),
            outcome=outcome,
            code=code,
            card=container.code if container else label.card,
            turn=container.turn if container else None,
            part=escaped(label.part or (container.part if container else ""))[:60],
            quantity=label.quantity,
            licence=escaped(label.licence)[:80],
            lot=escaped(label.lot)[:80],
            serial=escaped(label.serial)[:80],
            delivery_note=escaped(label.delivery_note)[:80],
            supplier=escaped(label.supplier)[:80],
            scan=scan,
            person_id=self.source.person_id,
            device_id=self.source.device_id,
            at=actions.happened_at(self.receipt.scan(self.receipt.id), self.now),
            settled_at=None if outcome in OPEN else self.now,
        )
        # What was asked about this label before, or refused, is answered now.
        open_ = ReadLabel.objects.filter(plant=kept.plant, settled_at__isnull=True).exclude(pk=kept.pk)
        about = Q(uuid=self.receipt.answers) if self.receipt.answers else Q(raw=kept.raw)
        open_.filter(about).update(settled_at=self.now, settled_as="scanned again")
        return TakenIn(kept, answer, container, choices, sofar, before)


def _again(kept: ReadLabel, source: Source) -> TakenIn:
    """What a receipt gave that comes a second time, as far as it is still true."""
    if kept.outcome == LabelOutcome.ASKED:
        return _question(kept, expected_from_suppliers(source.plant_ids), source.plant_ids)
    found = containers([kept.card], plant_ids=source.plant_ids) if kept.card else {}
    answer = actions.first_answer(kept.scan, source=source) if kept.scan else None
    return TakenIn(kept, answer, found.get(kept.card))


def _question(kept: ReadLabel, expected: Sequence[Container], plant_ids: Collection[int]) -> TakenIn:
    """What is asked about a label, as it stands now; without choices and container there is nothing left to ask."""
    if kept.code == "choose":
        label = read_label(unescaped(kept.raw), site())
        return TakenIn(kept, choices=_choices(label, expected))
    container = containers([kept.card], plant_ids=plant_ids).get(kept.card)
    if container is None or container.turn != kept.turn:
        return TakenIn(kept)
    return TakenIn(kept, None, container, sofar=(kept.quantity or Decimal(0)) + packages_of(container))


def _choices(label: Label, expected: Sequence[Container]) -> list[Container]:
    return [each for each in expected if same_part(label, each.part, each.gtin) and each.docked_at is None]


def packages_of(container: Container) -> Decimal:
    """Pieces of packages that were scanned for this turn and are not taken in yet."""
    rows = ReadLabel.objects.filter(card=container.code, turn=container.turn, outcome=LabelOutcome.PART)
    return rows.aggregate(total=Sum("quantity"))["total"] or Decimal(0)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two tablets at the dock that read packages of one card add them up one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [0x7265_6376])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [0x7265_6376])


# -- what the page shows ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expected:
    """A card that is expected; `parts` the pieces of its packages that are there already."""

    container: Container
    parts: Decimal
    late: bool


def expected_today(plant_ids: Collection[int], *, now: datetime) -> tuple[dict[str, list[Expected]], int]:
    """Cards by their supplier that have come in part, are sent, late, or due or promised until the end of the plant's
    day; and how many come later. What is overdue stands first."""
    sofar = dict(
        ReadLabel.objects.filter(outcome=LabelOutcome.PART, plant_id__in=plant_ids, turn__isnull=False)
        .values_list("turn")
        .annotate(total=Sum("quantity"))
    )
    today: dict[str, list[Expected]] = {}
    later = 0
    for each in expected_from_suppliers(plant_ids):
        if each.docked_at is not None:
            continue
        parts = sofar.get(each.turn) or Decimal(0)
        if not parts and not _is_today(each, now):
            later += 1
            continue
        today.setdefault(each.supplier, []).append(Expected(each, parts, each.late(now)))
    for rows in today.values():
        rows.sort(key=lambda row: (not row.late, row.container.step == "", str(row.container.due_at)))
    return dict(
        sorted(today.items(), key=lambda item: (not any(row.late for row in item[1]), item[0]))
    ), later


def _is_today(container: Container, now: datetime) -> bool:
    zone = ZoneInfo(container.time_zone)
    tomorrow = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    times = [at for at in (container.promised_at, container.due_at) if at is not None]
    return container.step == SupplyStatus.IN_TRANSIT or any(at < tomorrow for at in times)


def labels_since(plant_ids: Collection[int], since: datetime) -> list[ReadLabel]:
    """What was read lately, newest first."""
    found = ReadLabel.objects.filter(plant_id__in=plant_ids, at__gte=since).select_related("plant", "person")
    return list(found.order_by("-at", "-pk")[:FOUND])


def open_labels(plant_ids: Collection[int]) -> list[ReadLabel]:
    """Labels about which something is still to be done, oldest first."""
    found = ReadLabel.objects.filter(plant_id__in=plant_ids, outcome__in=OPEN, settled_at__isnull=True)
    return list(found.select_related("plant", "person").order_by("at", "pk")[:FOUND])


def questions(unsettled: Sequence[ReadLabel], plant_ids: Collection[int]) -> list[TakenIn]:
    """What is asked about these labels and nobody has answered, the newest first."""
    asked = [label for label in unsettled if label.outcome == LabelOutcome.ASKED]
    expected = expected_from_suppliers(plant_ids) if asked else []
    return [_question(label, expected, plant_ids) for label in reversed(asked)]


def find_labels(plant_ids: Collection[int], text: str) -> list[ReadLabel]:
    """Labels by card, lot, serial, licence plate, delivery note or part: what was in a card, and where a lot went."""
    text = text.strip()
    members = ("card", "lot", "serial", "licence", "delivery_note", "part")
    wanted = Q()
    for member in members:
        wanted |= Q(**{f"{member}__iexact": text})
    found = ReadLabel.objects.filter(wanted, plant_id__in=plant_ids).select_related("plant", "person")
    return list(found.order_by("-at", "-pk")[:FOUND]) if text else []


def settle_label(label: UUID, note: str, *, source: Source, now: datetime) -> bool:
    """Says what was done about a label that matched nothing; False if there is none to settle."""
    found = ReadLabel.objects.filter(
        uuid=label, plant_id__in=source.plant_ids, outcome__in=OPEN, settled_at__isnull=True
    )
    return bool(found.update(settled_at=now, settled_as=note.strip()[:200]))
