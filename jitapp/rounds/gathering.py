"""Labels with a barcode for each data identifier (AIAG B-10, Odette OTL), gathered barcode by barcode at goods-in and
taken in as one label.

A label says each thing once: a second part number, or any other barcode for which there is a place already, begins
another label, and what was begun before stays to be taken in or put away by somebody. Every barcode is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid5

from django.db.models import Q, QuerySet

from jitapp.accounts.models import new_uuid
from jitapp.plant.scanners import site
from jitapp.pull import actions
from jitapp.pull.reading.containers import containers
from jitapp.pull.scan_request import Source, escaped
from jitapp.rounds.labels import (
    KANBAN,
    Piece,
    Slot,
    composed,
    expected_slots,
    read_label,
    read_piece,
    same_part,
)
from jitapp.rounds.models import LabelPiece
from jitapp.rounds.receiving import PACKAGES, Receipt, TakenIn, one_at_a_time, take_in
from jitapp.rounds.vocabulary import PieceEnd

# A label that nobody went on with for so long takes no further barcodes: they are another label's.
LEFT_AFTER = timedelta(minutes=10)

How = Literal["added", "twice", "another"]


@dataclass(frozen=True, slots=True)
class Begun:
    """A label that is being gathered: its barcodes in the order in which they were scanned."""

    id: UUID
    rows: Sequence[LabelPiece]

    @property
    def pieces(self) -> list[Piece]:
        """What its barcodes say."""
        return [Piece(row.identifier, row.value) for row in self.rows]

    @property
    def said(self) -> dict[str, str]:
        """Values by what they say (`Slot`, else the identifier)."""
        return {piece.slot: piece.value for piece in self.pieces}

    @property
    def missing(self) -> list[Slot]:
        """What labels of this installation say besides, in the order of a label."""
        return [slot for slot in expected_slots(site().identifiers) if slot not in self.said]

    @property
    def is_ready(self) -> bool:
        """Whether it can be taken in: it says how much, and of what or for which card."""
        said = self.said
        return Slot.QUANTITY in said and (Slot.PART in said or Slot.KANBAN in said)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What became of one barcode: added to a label; the same twice; the first of another one, `before` unfinished."""

    begun: Begun
    piece: Piece
    how: How
    before: Begun | None = None


def read_at_dock(receipt: Receipt, *, source: Source, now: datetime) -> TakenIn | Gathered:
    """One read at goods-in: a label or a card, taken in; or one barcode of a label that is gathered. With its last
    barcode a label is taken in. The same receipt again changes nothing."""
    with one_at_a_time():
        before = LabelPiece.objects.filter(uuid=receipt.id, plant_id__in=source.plant_ids).first()
        if before is not None:
            return _again(before, source, now)
        begun = _own(source)
        piece = read_piece(receipt.raw, site()) or _card_of(begun, receipt.raw, source)
        if piece is None:
            return take_in(receipt, source=source, now=now)
        gathered = _add(piece, begun, receipt, source, now)
        if gathered.begun.missing or gathered.how == "twice":
            return gathered
        return take_gathered(gathered.begun.id, receipt, source=source, now=now) or gathered


def take_gathered(gathering: UUID, receipt: Receipt, *, source: Source, now: datetime) -> TakenIn | None:
    """Takes in a label as far as it is gathered; once, whoever presses. None if there is none, or it was put away."""
    with one_at_a_time():
        rows = _rows(source.plant_ids).filter(
            gathering=gathering, ended_as__in=[PieceEnd.OPEN, PieceEnd.TAKEN]
        )
        pieces = [Piece(row.identifier, row.value) for row in rows]
        if not pieces:
            return None
        # One receipt for each label, so that two who press take it in once.
        told = Receipt(
            uuid5(PACKAGES, f"gathered {gathering}"),
            composed(pieces),
            occurred_at=receipt.occurred_at,
            sent_at=receipt.sent_at,
        )
        taken = take_in(told, source=source, now=now)
        _rows(source.plant_ids).filter(gathering=gathering, ended_as=PieceEnd.OPEN).update(
            ended_at=now, ended_as=PieceEnd.TAKEN
        )
        return taken


def put_away(gathering: UUID, *, source: Source, now: datetime) -> bool:
    """Ends a label that is not taken in; its barcodes stay on record. False if there is none to end."""
    open_ = _rows(source.plant_ids).filter(gathering=gathering, ended_as=PieceEnd.OPEN)
    return bool(open_.update(ended_at=now, ended_as=PieceEnd.CLEARED))


def begun_labels(plant_ids: Collection[int]) -> list[Begun]:
    """Labels that are being gathered in these plants, the newest first."""
    rows = _rows(plant_ids).filter(ended_as=PieceEnd.OPEN).select_related("person", "device", "plant")
    return list(reversed(_grouped(rows)))


def _rows(plant_ids: Collection[int]) -> QuerySet[LabelPiece]:
    return LabelPiece.objects.filter(plant_id__in=plant_ids).order_by("pk")


def _grouped(rows: Iterable[LabelPiece]) -> list[Begun]:
    found: dict[UUID, list[LabelPiece]] = {}
    for row in rows:
        found.setdefault(row.gathering, []).append(row)
    return [Begun(gathering, each) for gathering, each in found.items()]


def _own(source: Source) -> Begun | None:
    """The label that was begun last with this device, else by this person; whoever stands there scans one label."""
    mine = Q(device_id=source.device_id) if source.device_id else Q(device=None, person_id=source.person_id)
    found = _grouped(_rows(source.plant_ids).filter(mine, ended_as=PieceEnd.OPEN))
    return found[-1] if found else None


def _card_of(begun: Begun | None, raw: str, source: Source) -> Piece | None:
    """A card alone, scanned while a label of its part is gathered, is the card of that label."""
    card = read_label(raw, site())
    if begun is None or not card.bare or Slot.PART not in begun.said or Slot.KANBAN in begun.said:
        return None
    container = containers([card.card], plant_ids=source.plant_ids).get(card.card)
    if container is None or not same_part(read_label(composed(begun.pieces)), container.part, container.gtin):
        return None
    return Piece(KANBAN, card.card)


def _add(piece: Piece, begun: Begun | None, receipt: Receipt, source: Source, now: datetime) -> Gathered:
    at = actions.happened_at(receipt.scan(receipt.id), now)
    last = begun.rows[-1] if begun is not None else None
    is_twice = last is not None and (last.identifier, last.value) == (piece.identifier, piece.value)
    is_left = last is not None and at - last.at > LEFT_AFTER
    goes_on = begun is not None and not is_left and piece.slot not in begun.said
    twice = is_twice and not is_left
    row = LabelPiece.objects.create(
        uuid=receipt.id,
        plant_id=min(source.plant_ids),
        gathering=begun.id if begun is not None and (goes_on or twice) else new_uuid(),
        identifier=piece.identifier,
        value=piece.value,
        raw=escaped(receipt.raw)[:300],
        person_id=source.person_id,
        device_id=source.device_id,
        at=at,
        ended_at=now if twice else None,
        ended_as=PieceEnd.TWICE if twice else PieceEnd.OPEN,
    )
    if begun is not None and twice:
        return Gathered(begun, piece, "twice")
    if begun is not None and goes_on:
        return Gathered(Begun(begun.id, [*begun.rows, row]), piece, "added")
    return Gathered(Begun(row.gathering, [row]), piece, "another" if begun else "added", begun)


def _again(row: LabelPiece, source: Source, now: datetime) -> TakenIn | Gathered:
    """What a barcode gave that comes a second time, as far as it is still true."""
    piece = Piece(row.identifier, row.value)
    if row.ended_as == PieceEnd.TAKEN:
        taken = take_gathered(row.gathering, Receipt(row.uuid, row.raw), source=source, now=now)
        if taken is not None:
            return taken
    rows = list(_rows(source.plant_ids).filter(gathering=row.gathering, ended_as=row.ended_as))
    return Gathered(Begun(row.gathering, rows), piece, "twice" if row.ended_as == PieceEnd.TWICE else "added")
