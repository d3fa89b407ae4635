"""The closed sets of words of the domain; a word here is the word in the database, the API and on the screen."""

from __future__ import annotations

from enum import StrEnum


class StationKind(StrEnum):
    """What filling a container means at the supply source."""

    PROCESS = "PROCESS"  # makes; consumes the components of the bill
    SUPERMARKET = "SUPERMARKET"  # picks: a full container leaves the supermarket's own loop
    SUPPLIER = "SUPPLIER"  # ships from outside
    SHIPPING = "SHIPPING"  # the customer end: a pull here is the root of a chain


class Consumption(StrEnum):
    """How a station's use of its components is known; never both."""

    SCAN = "SCAN"
    BACKFLUSH = "BACKFLUSH"


class ConsumeAt(StrEnum):
    """When a BACKFLUSH station draws the components of a turn."""

    START = "START"
    COMPLETE = "COMPLETE"
    RELEASE = "RELEASE"


class LoopKind(StrEnum):
    """The kinds of control cycle."""

    TWO_BIN = "TWO_BIN"
    PRODUCTION = "PRODUCTION"
    WITHDRAWAL = "WITHDRAWAL"
    SUPPLIER = "SUPPLIER"
    TRANSFER = "TRANSFER"
    EVENT = "EVENT"


class LoopStatus(StrEnum):
    """Life of a loop."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ON_HOLD = "ON_HOLD"
    RETIRED = "RETIRED"


class CardStatus(StrEnum):
    """Life of a card (domain: card_status)."""

    NEW = "NEW"
    IN_CIRCULATION = "IN_CIRCULATION"
    HELD = "HELD"
    SURPLUS = "SURPLUS"
    OBSOLETE = "OBSOLETE"
    LOST = "LOST"
    REMOVED = "REMOVED"


class SupplyStatus(StrEnum):
    """Where the container of a card stands."""

    WAIT = "WAIT"
    EMPTY = "EMPTY"
    IN_PROCESS = "IN_PROCESS"
    COMPLETED = "COMPLETED"
    IN_TRANSIT = "IN_TRANSIT"
    FULL = "FULL"
    IN_USE = "IN_USE"
    ERROR = "ERROR"


class SignalState(StrEnum):
    """What a turn has asked of the supply source."""

    UNRELEASED = "UNRELEASED"
    ACCUMULATING = "ACCUMULATING"
    PENDING_DOC = "PENDING_DOC"
    RELEASED = "RELEASED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    CLOSED = "CLOSED"


SUPPLY_SHORT = "SUPPLY_SHORT"  # why a withdrawal waits: the supermarket has no full container


class Trigger(StrEnum):
    """What opens a turn."""

    ON_EMPTY = "ON_EMPTY"
    ON_IN_USE = "ON_IN_USE"
    ON_SIBLING_IN_USE = "ON_SIBLING_IN_USE"
    ON_SIBLING_WAIT = "ON_SIBLING_WAIT"
    ON_QTY = "ON_QTY"


class Accumulate(StrEnum):
    """What a loop gathers before its signals go out together."""

    NONE = "NONE"
    CARDS = "CARDS"  # so many cards
    QUANTITY = "QUANTITY"  # so many pieces: a lot; with a triangle, the signal kanban
    CLOCK = "CLOCK"  # at fixed times of the plant's day


class DocPolicy(StrEnum):
    """Whether a signal needs a document of the ERP."""

    NONE = "NONE"
    CREATE_ON_RELEASE = "CREATE_ON_RELEASE"
    WAIT_FOR_DOC_NUMBER = "WAIT_FOR_DOC_NUMBER"


class GrPolicy(StrEnum):
    """What posts the goods receipt."""

    FULL_POSTS_RECEIPT = "FULL_POSTS_RECEIPT"
    RECEIPT_SETS_FULL = "RECEIPT_SETS_FULL"
    SEPARATE = "SEPARATE"


class Need(StrEnum):
    """Whether a loop's sequence asks for a status (domain: `sequence`)."""

    MANDATORY = "MANDATORY"
    OPTIONAL = "OPTIONAL"
    PROHIBITED = "PROHIBITED"


class Level(StrEnum):
    """How hard a guard is."""

    NONE = "NONE"
    WARN = "WARN"
    BLOCK = "BLOCK"


class Intent(StrEnum):
    """What a scan means to do (names fixed by the public contract)."""

    ACTIVATE = "activate"
    OPEN = "open"
    EMPTY = "empty"
    ACKNOWLEDGE = "acknowledge"
    START = "start"
    COMPLETE = "complete"
    ABORT = "abort"
    LOAD = "load"
    RECEIVE = "receive"
    HOLD = "hold"
    RELEASE = "release"
    UNDO = "undo"
    FOUND = "found"
    COUNT = "count"
    CORRECT = "correct"
    # Beside the contract's: what suppliers, buyers, docks and planners do to a turn or a card.
    PROMISE = "promise"
    REJECT = "reject"
    SHIP = "ship"
    DOCK = "dock"
    CANCEL = "cancel"
    LOST = "lost"
    REMOVE = "remove"
    RETRY = "retry"
    RECALL = "recall"
    BLOCK = "block"
    UNBLOCK = "unblock"


class Outcome(StrEnum):
    """How a scan ended (names fixed by the public contract)."""

    APPLIED = "applied"
    ALREADY = "already"
    BOUNCED = "bounced"
    REFUSED = "refused"
    PARKED = "parked"


class Role(StrEnum):
    """What a person may do in a plant."""

    OPERATOR = "operator"
    HANDLER = "handler"
    LEADER = "leader"
    PLANNER = "planner"
    BUYER = "buyer"
    QUALITY = "quality"
    SUPPLIER = "supplier"
    ADMIN = "admin"


class DeviceKind(StrEnum):
    """What holds a token."""

    TABLET = "tablet"
    WALL = "wall"  # a screen on the wall: shows boards to everybody, and changes nothing
    SCANNER = "scanner"
    READER = "reader"
    ERP = "erp"


class Party(StrEnum):
    """Who must act next on an open turn (rule C10)."""

    STATION = "station"  # the supply station
    SUPPLIER = "supplier"
    PLANNER = "planner"
    BUYER = "buyer"
    HANDLER = "handler"
    RECEIVING = "receiving"
    PERSON = "person"
    ERP = "erp"  # asked for a document, and has not given its number yet
    # Who must act while a station stands still (waits.py); they own no turn.
    MAINTAINER = "maintainer"
    LEADER = "leader"
    QUALITY = "quality"


class ScanClass(StrEnum):
    """What a scan was, seen in its sequence (jitapp/kanban/classify.py)."""

    EXPECTED = "expected"  # the next step of this card
    BOUNCE = "bounce"  # the scanner read the same label twice
    REPEATED_SIGNAL = "repeated_signal"  # asked for once more, the first time stands
    WRONG_CARD = "wrong_card"  # a sibling was meant
    STALE_LABEL = "stale_label"  # the print on the card is no longer true
    RETIRED_CARD = "retired_card"  # withdrawn, surplus, obsolete or lost
    WRONG_STATION = "wrong_station"  # neither here, nor at this end of the loop
    LATE = "late"  # it happened before what is known already
    OTHER = "other"  # a rule said no


class Sound(StrEnum):
    """The family of sounds an answer is heard as, so that nobody has to look."""

    RISING = "rising"  # recorded
    LEVEL = "level"  # look: nothing was recorded, and nothing is wrong
    FALLING = "falling"  # no
    TICK = "tick"  # read twice, counted once


class ScreenState(StrEnum):
    """What a screen shows for an answer, beside its words."""

    APPLIED = "applied"
    FLAGGED = "flagged"  # applied, with a warning
    REPEAT = "repeat"
    ATTENTION = "attention"
    WRONG_CARD = "wrong_card"
    STALE_LABEL = "stale_label"
    WRONG_PLACE = "wrong_place"
    WITHDRAWN = "withdrawn"
    FOREIGN = "foreign"  # some other maker's code
    UNREAD = "unread"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    PARKED = "parked"
