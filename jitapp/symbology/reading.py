"""What one read of a scanner means: the value that every door of the product is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What was read; the value is the word of the public contract (`manage.py decode`)."""

    CARD = "card"  # a card code of ours, bare, typed or in an address
    GS1 = "gs1"  # GS1 element strings
    DIGITAL_LINK = "digital_link"  # GS1 element strings in an address
    ISO15434 = "iso15434"  # an envelope of MH10.8.2 data identifiers (or GS1 AIs)
    IDENTIFIER = (
        "identifier"  # one MH10.8.2 data identifier with its value, where the site has switched it on
    )
    GTIN = "gtin"  # a retail number of 8, 12, 13 or 14 digits, as GTIN-14
    EPC = "epc"  # a tag of the EPC schemes, in hex or as a URN
    SAP_KANBAN = "sap_kanban"  # ten digits of a kanban and one of the status to set, as SAP prints them
    URL = "url"  # an address that names no card of ours and no GS1 key
    UNKNOWN = "unknown"


class How(StrEnum):
    """How a card code was found. The last two have nothing but the check symbol (31 in 32) on their side: whoever books
    them asks first whether there is such a card."""

    PLAIN = ""  # written as it is printed, whatever stands around it
    TYPED = "typed"  # O for 0, I or L for 1, blanks, hyphens
    BARE = "bare"  # without its KB
    LAYOUT = "layout"  # through a keyboard layout that the scanner is not set to


@dataclass(frozen=True, slots=True)
class Reading:
    """One read, understood.

    `card` is a card code of ours wherever it stood (bare, address, 15K, AI 91, 8004 or 21) or, for SAP's barcode, the
    number of the kanban. `ai` are GS1 application identifiers with their values as they are encoded, a GTIN always as
    14 digits. `di` are data identifiers with their values in the order of the label, empty ones too. `urn` is the pure
    identity of an EPC, `tag_urn` the tag with its filter value. `other` is content that is kept and not interpreted
    (free text, transport data, HIBC). `problems` are sentences; none for a clean reading.
    """

    raw: str
    kind: Kind = Kind.UNKNOWN
    card: str = ""
    ai: Mapping[str, str] = field(default_factory=dict)
    di: tuple[tuple[str, str], ...] = ()
    urn: str = ""
    tag_urn: str = ""
    problems: tuple[str, ...] = ()
    how: How = How.PLAIN
    status: str = ""  # SAP's digit for the status to set (0: the next one)
    other: tuple[str, ...] = ()
    may_be: tuple[str, ...] = ()  # card codes of which the read holds several, or one that cannot be told
    separators_lost: bool = False  # the scanner does not send GS and RS: nothing of the label can be believed

    def first(self, *identifiers: str) -> str:
        """The first value of these data identifiers that is not empty, in the order asked; empty if none is there."""
        for wanted in identifiers:
            for name, value in self.di:
                if name == wanted and value:
                    return value
        return ""

    def told(self) -> dict[str, object]:
        """The members of the public contract; those that do not apply are left out."""
        members: dict[str, object] = {"kind": str(self.kind)}
        if self.ai:
            members["ai"] = dict(self.ai)
        if self.di:
            members["di"] = [list(pair) for pair in self.di]
        for name in ("urn", "tag_urn", "card"):
            if getattr(self, name):
                members[name] = getattr(self, name)
        return members | {"problems": list(self.problems)}
