"""The codes on a card, by what was chosen: our own for every phone and scanner, GS1's, or the car makers' 15K."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from jitapp.printing.facts import Printed
from jitapp.printing.symbols import (
    NoSymbol,
    Symbol,
    code128,
    data_matrix,
    gs1_data_matrix,
    gs1_qr,
    iso15434,
    qr,
)

LONGEST_WORK_LINK = 106  # bytes: a QR code of 41 modules, which a phone still reads at 15 mm


class Carrier(StrEnum):
    """What stands on the card beside its Code 128."""

    OWN = "own"  # the QR code with the card's address
    GS1 = "gs1"  # and a GS1 Data Matrix
    GS1_QR = "gs1qr"  # a GS1 QR code in place of our own
    ISO15434 = "15k"  # and a Data Matrix with part, quantity and 15K


def address_of(site: str, code: str) -> str:
    """What a phone opens: the page of the card."""
    return f"{site.rstrip('/')}/k/{code}"


def gs1_elements(code: str, prefix: str) -> Mapping[str, str]:
    """(8004), a GIAI of our company prefix and the card's code; without a prefix (91), a company's own number."""
    return {"8004": prefix + code} if prefix else {"91": code}


def supplier_message(facts: Printed, supplier_code: str) -> str:
    """ISO 15434, format 06: part, quantity, kanban number, supplier. What the code cannot say is left to the print."""
    identifiers = {"P": facts.part, "Q": facts.quantity, "15K": facts.code}
    if supplier_code:
        identifiers["V"] = supplier_code
    return iso15434(identifiers)


def codes_of(
    facts: Printed, carrier: Carrier, *, site: str, gs1_prefix: str, supplier_code: str
) -> tuple[Symbol, Symbol, Symbol | None]:
    """(the large code, the linear one, a further one or none)."""
    linear = code128(facts.code)
    elements = gs1_elements(facts.code, gs1_prefix)
    if carrier is Carrier.GS1_QR:
        return gs1_qr(elements), linear, None
    own = qr(address_of(site, facts.code))
    if carrier is Carrier.GS1:
        return own, linear, gs1_data_matrix(elements)
    if carrier is Carrier.ISO15434:
        return own, linear, data_matrix(supplier_message(facts, supplier_code))
    return own, linear, None


def work_code(url: str) -> Symbol | None:
    """The way to the standard work; None where there is none, or its address is too long for a small code."""
    if not url or len(url.encode()) > LONGEST_WORK_LINK:
        return None
    try:
        return qr(url)
    except NoSymbol:
        return None
