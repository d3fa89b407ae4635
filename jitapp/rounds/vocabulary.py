"""The closed sets of the room."""

from __future__ import annotations

from enum import StrEnum


class Hindrance(StrEnum):
    """Why a container was not taken, or not left."""

    NOT_THERE = "not_there"
    DAMAGED = "damaged"
    WRONG_PART = "wrong_part"
    RACK_FULL = "rack_full"
    BLOCKED = "blocked"
    OTHER = "other"


class LabelOutcome(StrEnum):
    """What became of a supplier's label: taken in; counted as a part of what its card asked for; came before; asks
    which card it belongs to, or why its quantity differs; refused by name; matches nothing that is expected."""

    TAKEN = "taken"
    PART = "part"
    REPEATED = "repeated"
    ASKED = "asked"
    REFUSED = "refused"
    UNMATCHED = "unmatched"


class PieceEnd(StrEnum):
    """What became of a barcode of a label that is gathered: it waits for the rest; taken in with its label; put away;
    read twice."""

    OPEN = ""
    TAKEN = "taken"
    CLEARED = "cleared"
    TWICE = "twice"


class Difference(StrEnum):
    """What the floor and the system tell differently of a card."""

    MISSING = "missing"  # should stand here and was not seen
    ELSEWHERE = "elsewhere"  # belongs to another place
    NOT_FULL = "not_full"  # empty in the system, and stands here
    NOT_RECEIVED = "not_received"  # on its way in the system, and stands here
    NOT_TAKEN = "not_taken"  # at its place of use in the system, and stands where it is filled
    HELD = "held"
    LOST = "lost"
    NEW = "new"  # printed, and never put into circulation
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"


class Remedy(StrEnum):
    """How a difference is mended with one touch."""

    EMPTY = "empty"
    FULL = "full"
    RECEIVE = "receive"
    FOUND = "found"
    LOST = "lost"
    ACTIVATE = "activate"
    MOVED = "moved"  # carried to where it belongs
    RED_BOX = "red_box"  # handed in
    RIGHT = "right"  # looked at: what stands there is right
    SEEN = "seen"  # it stood there after all
