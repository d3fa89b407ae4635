"""The one decoder: what a scanner, a camera, a reader or a person sends becomes a `Reading`.

Never an exception, whatever the text; never a guess in bare digits: application identifiers are read only where the
symbol, a leading FNC1 or brackets say that there are some, data identifiers only where the site has switched them on.
The order: ends and AIM identifier off, a card code of ours, an envelope, GS1 elements, an address, what holds a card
code, tags, a single data identifier, plain numbers, a card code through a wrong keyboard layout.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from jitapp.symbology import epc
from jitapp.symbology.ascii import is_digits, upper
from jitapp.symbology.cardcode import (
    PREFIX,
    codes_in,
    find_card_code,
    is_card_code,
    misread_in,
    typed_card_code,
)
from jitapp.symbology.checks import GTIN_LENGTHS, gtin14
from jitapp.symbology.commandcode import commands_in, read_command
from jitapp.symbology.digital_link import is_address, read_digital_link
from jitapp.symbology.envelope import GS, read_envelope, read_single, with_separators
from jitapp.symbology.gs1 import Elements, read_bracketed, read_elements
from jitapp.symbology.layouts import read_back
from jitapp.symbology.reading import How, Kind, Reading

__all__ = ["DEFAULT", "Kind", "Reading", "Site", "cards_in", "decode", "decode_epc"]


@dataclass(frozen=True, slots=True)
class Site:
    """What one site has told its scanners to add, and what it allows beyond the rules that hold everywhere.

    `identifiers` are the data identifiers that stand alone in a symbol there (`P`, `Q`, `15K`); `sap_kanban` says that
    eleven digits are SAP's kanban barcode.
    """

    prefix: str = ""
    suffix: str = ""
    identifiers: frozenset[str] = frozenset()
    sap_kanban: bool = True


DEFAULT = Site()
_ENDS = " \t\r\n\x00\x02\x03"  # what scanners put around a code: blanks, ends of lines, STX and ETX
_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_GS1_SYMBOLS = frozenset(
    {"]C1", "]d2", "]d5", "]Q3", "]Q4", "]e0", "]J1", "]J4"}
)  # FNC1 stands first in these
_RETAIL_SYMBOLS = frozenset({"]E0", "]E3", "]E4", "]I0", "]I1", "]I3"})
_WITH_ADD_ON = "]E3"
_SAP = re.compile(
    "([0-9]{10})([0-69])"
)  # the kanban, and the status to set: 0 next, 1 wait ... 6 in use, 9 error
_NOT_KNOWN = "This is no code that is known here."
_TWO = "Two codes in one read: {}. Scan them one after the other."
_COMMAND = "This is the command card {}: scan it at a tablet."
_AROUND = "Other characters stand around the card code."


def cards_in(raw: str) -> list[str]:
    """The card codes in one read, each once and in order. More than one: two scans in one read, or a picture of
    several cards; never take the last alone."""
    return codes_in(raw)


def several_in(text: str, found: list[str]) -> list[str]:
    """All codes of one read, if it holds more than one: cards that were found, misread ones, commands."""
    if not found:
        return []
    several = [*found, *misread_in(text, found), *commands_in(text)]
    return several if len(several) > 1 else []


def decode(raw: str, site: Site = DEFAULT) -> Reading:
    """What was read. Any text may come in, with control characters and lone surrogates."""
    text = raw.strip(_ENDS)
    if is_card_code(text):
        return Reading(raw, Kind.CARD, text)
    if site.prefix:
        text = text.removeprefix(site.prefix)
    if site.suffix:
        text = text.removesuffix(site.suffix)
    aim = _AIM.match(text)
    symbol, text = (aim[0], text[3:]) if aim is not None else ("", text)
    found = codes_in(text)
    several = several_in(text, found)
    if several:
        # Beside a command card there is no doubt which card is meant; whether the command is lost, its door decides.
        alone = found[0] if len(found) == 1 and not misread_in(text, found) else ""
        said = _TWO.format(" and ".join(several))
        return Reading(raw, Kind.CARD, alone, problems=(said,), may_be=tuple(found))
    command = read_command(text)
    if command is not None:
        return Reading(raw, problems=(_COMMAND.format(command.name.name),))
    for read in _READERS:
        reading = read(raw, text, symbol, site)
        if reading is not None:
            return _with_card(reading)
    return Reading(raw, problems=(_NOT_KNOWN,))


def decode_epc(text: str) -> Reading:
    """What the EPC memory of a tag says, in hex."""
    return _with_card(_tag(text, epc.read_hex(text.strip(_ENDS))))


_CARRIERS = (Kind.GS1, Kind.DIGITAL_LINK, Kind.ISO15434, Kind.IDENTIFIER, Kind.EPC)


def _with_card(reading: Reading) -> Reading:
    """A card code of ours in one of the places that name the thing itself; behind a company prefix in a GIAI."""
    if reading.card or reading.kind not in _CARRIERS:
        return reading
    for value in (*(reading.ai.get(ai, "") for ai in ("91", "8004", "21")), reading.first("15K")):
        code = find_card_code(value)
        if code is not None:
            return replace(reading, card=code)
    return reading


# -- one reader for each kind, in their order ------------------------------------------------------------------
def _card(raw: str, text: str, symbol: str, site: Site) -> Reading | None:
    typed = typed_card_code(text)
    if typed is None:
        return None
    if typed == upper(text):
        return Reading(raw, Kind.CARD, typed)
    return Reading(raw, Kind.CARD, typed, how=How.TYPED if upper(text).startswith(PREFIX) else How.BARE)


def _envelope(raw: str, text: str, symbol: str, site: Site) -> Reading | None:
    envelope = read_envelope(text)
    if envelope is None:
        return None
    return Reading(
        raw,
        Kind.ISO15434,
        ai=Elements(envelope.elements).ai,
        di=envelope.di,
        other=envelope.other,
        problems=envelope.problems,
        separators_lost=envelope.lost,
    )


def _gs1(raw: str, text: str, symbol: str, site: Site) -> Reading | None:
    message = with_separators(text)
    if symbol in _GS1_SYMBOLS or message.startswith(GS):
        elements: Elements | None = read_elements(message)
    else:
        elements = read_bracketed(text)
    if elements is None:
        return None
    return Reading(raw, Kind.GS1, ai=elements.ai, problems=elements.problems)


_OWN_ADDRESS = re.compile(r"https?://[^/?#]*(?:/[^?#]*)?/k/([^/?#]+)(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)


def _address(raw: str, text: str, symbol: str, site: Site) -> Reading | None:
    own = _OWN_ADDRESS.fullmatch(text)
    if own is not None:
        code = typed_card_code(own[1])
        if code is not None:
            return Reading(raw, Kind.CARD, code, how=How.PLAIN if code == upper(own[1]) else How.TYPED)
    elements = read_digital_link(text)
    if elements is not None and elements.found:
        return Reading(raw, Kind.DIGITAL_LINK, ai=elements.ai, problems=elements.problems)
    if not is_address(text):
        return None
    found = codes_in(text)
    if found:
        return Reading(raw, Kind.CARD, found[0])
    named = "This address names no card and no GS1 key."
    return Reading(raw, Kind.URL, problems=(named, *(elements.problems if elements is not None else ())))


def _holds_card(raw: str, text: str, symbol: str, site: Site) -> Reading | None:
    found = codes_in(text)
    return Reading(raw, Kind.CARD, found[0], problems=(_AROUND,)) if found else None


def _epc(raw: str, text: str, symbol: str, site: Site) -> Reading | None:
    tag = epc.read_urn(text)
    if tag is None and not symbol and epc.is_tag_hex(text):
        tag = epc.read_hex(text)
    return _tag(raw, tag) if tag is not None else None


def _tag(raw: str, tag: epc.Tag) -> Reading:
    kind = Kind.EPC if tag.urn or tag.ai or tag.tag_urn else Kind.UNKNOWN
    return Reading(raw, kind, ai=tag.ai, urn=tag.urn, tag_urn=tag.tag_urn, problems=tag.problems)


def _identifier(raw: str, text: str, symbol: str, site: Site) -> Reading | None:
    pair = read_single(text, site.identifiers)
    return Reading(raw, Kind.IDENTIFIER, di=(pair,)) if pair is not None else None


def _number(raw: str, text: str, symbol: str, site: Site) -> Reading | None:
    if not is_digits(text):
        return None
    if symbol == _WITH_ADD_ON and len(text) > 13:
        text = text[:13]  # two or five digits of an add-on follow
    number = gtin14(text)
    if number is not None:
        return Reading(raw, Kind.GTIN, ai={"01": number})
    if symbol in _RETAIL_SYMBOLS and len(text) in GTIN_LENGTHS:
        return Reading(raw, Kind.UNKNOWN, problems=(f"{text} has a wrong check digit.",))
    sap = _SAP.fullmatch(text) if site.sap_kanban else None
    return Reading(raw, Kind.SAP_KANBAN, sap[1], status=sap[2]) if sap is not None else None


def _layout(raw: str, text: str, symbol: str, site: Site) -> Reading | None:
    found = read_back(text)
    if not found:
        return None
    codes = tuple(dict.fromkeys(one.code for one in found))
    if len(codes) > 1:
        said = f"Through a wrong keyboard layout this may be {' or '.join(codes)}. Set the scanner's layout."
        return Reading(raw, Kind.CARD, how=How.LAYOUT, problems=(said,), may_be=codes)
    said = f"Read through a {found[0].layout} keyboard: set the scanner to the layout of its computer."
    return Reading(raw, Kind.CARD, codes[0], how=How.LAYOUT, problems=(said,))


_READERS: tuple[Callable[[str, str, str, Site], Reading | None], ...] = (
    _card,
    _envelope,
    _gs1,
    _address,
    _holds_card,
    _epc,
    _identifier,
    _number,
    _layout,
)
