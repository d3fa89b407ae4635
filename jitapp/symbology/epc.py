"""RFID tags: what the EPC memory of a tag means, and EPC URNs as other systems send them.

The binary schemes of the EPC Tag Data Standard 1.x (headers 2C to 41) are read by epcpy, behind this interface; those
of TDS 2 (SGTIN+ and its kin) stand in `epc_plus`. Key everything on the pure identity: the same object has another tag
URN when its filter value changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from epcpy.epc_schemes.base_scheme import EPCScheme, GS1Element
from epcpy.utils.common import ConvertException
from epcpy.utils.parsers import epc_pure_identity_to_scheme, hex_to_tag_encodable, tag_uri_to_tag_encodable

from jitapp.symbology.ascii import upper
from jitapp.symbology.epc_plus import read_plus, scheme_of
from jitapp.symbology.gs1 import read_bracketed, read_pairs

_HEX = re.compile("[0-9A-F]{2,128}")
_URN = re.compile(r"urn:epc:(tag|id|class):([a-z0-9+-]+):(.+)", re.IGNORECASE | re.DOTALL)
# The header of a tag and the name of its coding scheme, with the bits that it has at least (0: as many as it needs).
SCHEMES: Mapping[str, tuple[str, int]] = {
    "2C": ("gdti-96", 96),
    "2D": ("gsrn-96", 96),
    "2E": ("gsrnp-96", 96),
    "2F": ("usdod-96", 96),
    "30": ("sgtin-96", 96),
    "31": ("sscc-96", 96),
    "32": ("sgln-96", 96),
    "33": ("grai-96", 96),
    "34": ("giai-96", 96),
    "35": ("gid-96", 96),
    "36": ("sgtin-198", 198),
    "37": ("grai-170", 170),
    "38": ("giai-202", 202),
    "39": ("sgln-195", 195),
    "3A": ("gdti-113", 113),
    "3B": ("adi-var", 0),
    "3C": ("cpi-96", 96),
    "3D": ("cpi-var", 0),
    "3E": ("gdti-174", 174),
    "3F": ("sgcn-96", 96),
    "40": ("itip-110", 110),
    "41": ("itip-212", 212),
}
_FILTER_BITS = {"usdod": 4, "adi": 6, "gid": 0}  # of the others 3


@dataclass(frozen=True, slots=True)
class Tag:
    """What a tag says: its pure identity, the tag with its filter value, and the same as GS1 elements where the scheme
    has such."""

    urn: str = ""
    tag_urn: str = ""
    ai: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def read_hex(text: str) -> Tag:
    """What the EPC memory of a tag says, in hex from its first bit on; blanks and hyphens between digits do no harm."""
    digits = re.sub(r"[ \-:]", "", upper(text))
    if not _HEX.fullmatch(digits):
        return Tag(problems=(f"{text or 'Nothing'} is not the hex of a tag.",))
    if plus := scheme_of(digits):
        return _plus(digits, plus)
    scheme, least = SCHEMES.get(digits[:2], ("", 0))
    if not scheme:
        return Tag(problems=(f"{digits[:2]} is no header of an EPC: bind the tag to its card as it is.",))
    if len(digits) * 4 < least:
        return Tag(problems=(f"{scheme} has {least} bits; these are {len(digits) * 4}.",))
    bits = f"{int(digits, 16):0{len(digits) * 4}b}"
    try:
        identity = _aircraft_part(bits) if scheme == "adi-var" else hex_to_tag_encodable(digits)
    except (ConvertException, ValueError, KeyError, IndexError) as error:
        return Tag(problems=(_why(error, f"This is no {scheme}."),))
    return _tag(identity, scheme, bits)


def _plus(digits: str, scheme: str) -> Tag:
    try:
        elements = read_pairs(read_plus(digits))
    except ValueError as error:
        return Tag(problems=(_why(error, f"This is no {scheme}. {error}"),))
    return Tag(ai=elements.ai, problems=elements.problems)


def is_tag_hex(text: str) -> bool:
    """Whether a read can only be a tag: the header, the length and a sound content of an EPC, in hex with letters.
    Digits alone are never taken for one."""
    digits = upper(text)
    if not _HEX.fullmatch(digits) or digits.isdigit() or len(digits) % 4 or len(digits) < 24:
        return False
    return not read_hex(digits).problems


def read_urn(text: str) -> Tag | None:
    """What a URN of the EPC schemes says; None if it is none."""
    found = _URN.fullmatch(text)
    if found is None:
        return None
    form, scheme, rest = found[1].lower(), found[2].lower(), found[3]
    urn = f"urn:epc:{form}:{scheme}:{rest}"
    try:
        identity = tag_uri_to_tag_encodable(urn) if form == "tag" else epc_pure_identity_to_scheme(urn)
    except (ConvertException, ValueError, KeyError, IndexError) as error:
        return Tag(problems=(_why(error, f"This is no {scheme}."),))
    return Tag(identity.epc_uri, urn if form == "tag" else "", _elements(identity))


def _why(error: Exception, otherwise: str) -> str:
    return f"{otherwise} {getattr(error, 'message', '')}".strip()


def _tag(identity: EPCScheme, scheme: str, bits: str) -> Tag:
    """The URN of a tag is its pure identity with the coding scheme and the filter value before it."""
    size = _FILTER_BITS.get(scheme.partition("-")[0], 3)
    filter_value = f"{int(bits[8 : 8 + size], 2)}." if size else ""
    rest = identity.epc_uri.split(":", 4)[4]
    return Tag(identity.epc_uri, f"urn:epc:tag:{scheme}:{filter_value}{rest}", _elements(identity))


def _elements(identity: EPCScheme) -> Mapping[str, str]:
    if not isinstance(identity, GS1Element):
        return {}
    elements = read_bracketed(identity.gs1_element_string())
    return elements.ai if elements is not None else {}


def _aircraft_part(bits: str) -> EPCScheme:
    """ADI-var (TDS 14.6.12.1): a CAGE code or DoDAAC in six characters, part number and serial each ended by a zero,
    all in characters of six bits. epcpy loses the place where the part number ends."""
    chars = [int(bits[place : place + 6], 2) for place in range(14, len(bits) - 5, 6)]
    text = "".join(chr(char if char >= 32 else char + 64) if char else "\0" for char in chars)
    party, rest = text[:6].strip(), text[6:]
    part, serial = rest.split("\0")[:2]
    escaped = [value.replace("#", "%23").replace("/", "%2F") for value in (part, serial)]
    return epc_pure_identity_to_scheme(f"urn:epc:id:adi:{party}.{'.'.join(escaped)}")
