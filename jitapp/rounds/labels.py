"""What a supplier's label says, whatever its form: an ISO 15434 envelope, GS1 elements, a card code alone, or a label
of several barcodes with one data identifier each, which is gathered from its barcodes. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from jitapp.kanban.names import folded
from jitapp.symbology.ascii import upper
from jitapp.symbology.cardcode import PREFIX, looks_like_card_code
from jitapp.symbology.checks import gtin14
from jitapp.symbology.decode import DEFAULT, Kind, Reading, Site, decode
from jitapp.symbology.envelope import EOT, GS, HEADER, RS, read_single

# Data identifiers (MH10.8.2, standards of the Global Transport Label) in the order in which they are believed.
PARTS = ("P",)  # the customer's number; the maker's own (1P, 30P) says nothing to a shop
LICENCES = ("1J", "2J", "3J", "4J", "5J", "6J", "J")
QUANTITIES = ("Q", "7Q")
LOTS = ("1T", "T")
SERIALS = ("25S", "S")
NOTES = ("16K", "2K", "11K", "2S")
SUPPLIERS = ("V", "13V", "12V")
KANBAN = "15K"
_MOST = Decimal(10) ** 13


@dataclass(frozen=True, slots=True)
class Label:
    """The members that receiving needs. `card` is a card code of ours; `kanban` what stood in the place of one and is
    none. `bare`: nothing but a card code was read. `lost`: the scanner drops separators, so nothing can be believed."""

    card: str = ""
    kanban: str = ""
    part: str = ""
    gtin: str = ""
    quantity: Decimal | None = None
    licence: str = ""
    lot: str = ""
    serial: str = ""
    delivery_note: str = ""
    supplier: str = ""
    bare: bool = False
    lost: bool = False
    may_be: tuple[str, ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether there is anything to match it by."""
        return bool(self.card or self.kanban or self.part or self.gtin)


def read_label(raw: str, site: Site = DEFAULT) -> Label:
    """The label of a read; one that says nothing has no member."""
    reading = decode(raw, site)
    if reading.separators_lost:
        return Label(lost=True)
    if len(reading.may_be) > 1 or (reading.may_be and not reading.card):
        return Label(may_be=reading.may_be)
    if reading.kind is Kind.CARD:
        return Label(card=reading.card, bare=True)
    if reading.kind in (Kind.ISO15434, Kind.IDENTIFIER) and reading.di:
        return _from_identifiers(reading)
    return _from_elements(reading)


def _from_identifiers(reading: Reading) -> Label:
    return Label(
        card=reading.card,
        kanban="" if reading.card else reading.first(KANBAN),
        part=reading.first(*PARTS),
        gtin=reading.ai.get("01", ""),
        quantity=_quantity(reading.first(*QUANTITIES)),
        licence=reading.first(*LICENCES),
        lot=reading.first(*LOTS),
        serial=reading.first(*SERIALS),
        delivery_note=reading.first(*NOTES),
        supplier=reading.first(*SUPPLIERS),
    )


def _from_elements(reading: Reading) -> Label:
    ai = reading.ai
    serial = ai.get("21", "")
    return Label(
        card=reading.card,
        kanban="" if reading.card else ai.get("91", ""),
        part=ai.get("241", "") or ai.get("240", ""),
        gtin=ai.get("01", "") or ai.get("02", ""),
        quantity=_quantity(ai.get("37", "") or ai.get("30", "")),
        licence=ai.get("00", ""),
        lot=ai.get("10", ""),
        serial="" if serial == reading.card else serial,
    )


def _quantity(text: str) -> Decimal | None:
    """The number of a quantity, whose unit may follow it (7Q: 50PC); None for what is no number."""
    digits = text.strip().rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ").replace(",", ".")
    try:
        found = Decimal(digits)
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 <= found < _MOST else None


def same_part(label: Label, number: str, gtin: str) -> bool | None:
    """Whether the label is of this part; None where it does not say."""
    if label.part:
        return folded(label.part) == folded(number)
    if label.gtin and gtin:
        return gtin14(label.gtin) == gtin14(gtin)
    return None


# -- a label of several barcodes -------------------------------------------------------------------------------


class Slot(StrEnum):
    """What a barcode of such a label says; one label says each once."""

    PART = "part"
    QUANTITY = "quantity"
    KANBAN = "kanban"
    LICENCE = "licence"
    LOT = "lot"
    SERIAL = "serial"
    NOTE = "note"
    SUPPLIER = "supplier"


_SLOTS = {
    **dict.fromkeys(PARTS, Slot.PART),
    **dict.fromkeys(QUANTITIES, Slot.QUANTITY),
    KANBAN: Slot.KANBAN,
    **dict.fromkeys(LICENCES, Slot.LICENCE),
    **dict.fromkeys(LOTS, Slot.LOT),
    **dict.fromkeys(SERIALS, Slot.SERIAL),
    **dict.fromkeys(NOTES, Slot.NOTE),
    **dict.fromkeys(SUPPLIERS, Slot.SUPPLIER),
}
LONGEST_VALUE = 150  # of a data identifier; labels have at most 50
_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class Piece:
    """One barcode of a label: its data identifier and value."""

    identifier: str
    value: str

    @property
    def slot(self) -> str:
        """What it says; an identifier that receiving does not need is a place of its own."""
        return _SLOTS.get(self.identifier, self.identifier)


def read_piece(raw: str, site: Site) -> Piece | None:
    """The barcode of a label, if this installation has switched its identifier on; None for everything else. A kanban
    number with a card code of ours is one too: the label says how much came, and the card alone does not."""
    text = _AIM.sub("", raw.strip(" \t\r\n\0\x02\x03"), count=1)
    is_card = upper(text).startswith(PREFIX) and looks_like_card_code(text)
    pair = None if is_card else read_single(text, site.identifiers)
    if pair is None:
        return None
    if pair[0] != KANBAN and decode(raw, site).kind is not Kind.IDENTIFIER:
        return None
    readable = pair[1].isprintable() and len(pair[1]) <= LONGEST_VALUE
    return Piece(*pair) if readable else None


def expected_slots(identifiers: Collection[str]) -> list[Slot]:
    """What labels of this installation say, in the order of a label: part and quantity always, the rest where one of
    its identifiers is switched on."""
    said = {_SLOTS[identifier] for identifier in identifiers if identifier in _SLOTS}
    return [slot for slot in Slot if slot in said or slot in (Slot.PART, Slot.QUANTITY)]


def composed(pieces: Iterable[Piece]) -> str:
    """The label as one read: what its barcodes say, in the envelope in which a 2D code says it."""
    fields = "".join(f"{GS}{piece.identifier}{piece.value}" for piece in pieces)
    return f"{HEADER}{RS}06{fields}{RS}{EOT}"
