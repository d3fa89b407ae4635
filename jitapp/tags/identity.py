"""Which tag a read means: the pure identity of its EPC, else its memory as it is. Pure.

The same object keeps its identity when somebody writes another filter value; the database is keyed on it. Factory
content (E2...), other data and ISO 17363 tags have no EPC: their memory in hex is their name.
"""

from __future__ import annotations

from functools import lru_cache

from jitapp.symbology.epc import read_hex
from jitapp.symbology.meaning import key_of
from jitapp.tags.reads import Unusable

ISO_BIT = 0x0100  # of the protocol word: the memory holds an AFI and ISO data, no EPC
LONGEST = 128


@lru_cache(maxsize=50_000)
def identity_of(epc: str, pc: str = "") -> str:
    """The name of the tag with this memory (capital hex). `pc`: its protocol word, where the reader tells it. Raises
    Unusable for a tag that was never written: many have that memory."""
    if not epc.strip("0") or not epc.strip("F"):
        raise Unusable(
            "epc_blank", "The tag was never written: all its bits are alike. Write a number into it first."
        )
    if len(pc) == 4 and int(pc, 16) & ISO_BIT:
        return epc[:LONGEST]
    tag = read_hex(epc)
    # The '+' schemes of TDS 2 have no URN: they hold the key of GS1 itself.
    name = tag.urn or key_of(tag.ai)
    return name if name and not tag.problems and len(name) <= LONGEST else epc
