"""The words of master data on the planner's pages: every member of every row, and every word that one may hold."""

from __future__ import annotations

from enum import StrEnum

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark

from jitapp.kanban.step import STEPS
from jitapp.kanban.vocabulary import (
    Accumulate,
    ConsumeAt,
    Consumption,
    DocPolicy,
    GrPolicy,
    Intent,
    Level,
    LoopKind,
    LoopStatus,
    Need,
    StationKind,
    SupplyStatus,
    Trigger,
)
from jitapp.web.happenings import KINDS
from jitapp.web.phrases import TILE_WORDS

# A member's label and, where the label does not say it all, one sentence of help. "kind.member" comes before "member".
LABELS: dict[str, tuple[str, str]] = {
    "code": (mark("Code"), mark("Letters, digits, dot, dash, underscore. It cannot be changed later.")),
    "name": (mark("Name"), mark("As people say it.")),
    "calendar": (mark("Calendar"), mark("Empty: the plant's own.")),
    "number": (mark("Part number"), mark("It cannot be changed once cards carry it.")),
    "description": (mark("Description"), ""),
    "unit": (mark("Unit"), mark("What quantities are counted in: pcs, kg, m.")),
    "decimals": (mark("Decimals"), mark("How many a quantity may have; 0 for whole pieces.")),
    "gtin": (mark("GTIN"), mark("8, 12, 13 or 14 digits, or empty.")),
    "parts.standard_work": (mark("Standard work"), mark("Where making it is described, at each station.")),
    "standard_work.key": (mark("Station"), ""),
    "standard_work.value": (mark("Address"), ""),
    "stations.standard_work": (mark("Standard work"), mark("An address that begins with https://.")),
    "area": (mark("Area"), mark("On whose board it stands.")),
    "stations.kind": (mark("What the station does"), ""),
    "consumption": (mark("How its use of parts is known"), ""),
    "wip_limit": (mark("Most cards in work"), mark("Empty: no limit.")),
    "receiving_limit": (mark("Most full containers"), mark("Empty: no limit.")),
    "default_intent": (mark("What a scan there means"), mark("Empty: the usual step.")),
    "readiness_checks": (mark("Checks before a start"), mark("One on each line.")),
    "keeps_sequence": (mark("Another order than that of release needs a reason"), ""),
    "refuses_without_components": (mark("Nothing is started while a component has run out"), ""),
    "stations.supplier": (mark("Supplier"), mark("Only for a supplier's place.")),
    "position": (mark("Place along the flow"), mark("A number; upstream is smaller.")),
    "leader": (mark("Leader"), ""),
    "areas.receiving": (mark("Receiving hours"), mark("Empty: those of the plant.")),
    "idle_minutes": (
        mark("Signed out after (minutes without a touch)"),
        mark("Empty: until they sign out."),
    ),
    "escalation": (mark("Who must come to a call that nobody takes"), mark("None: the usual steps.")),
    "escalation.after": (mark("After (working minutes)"), ""),
    "escalation.who": (mark("Who"), ""),
    "default": (mark("The plant's own calendar"), ""),
    "calendars.receiving": (mark("Deliveries are taken in by it"), ""),
    "shifts": (mark("Shifts"), mark("None: every minute is working time.")),
    "shifts.days": (mark("Days"), ""),
    "shifts.start": (mark("From"), mark("06:00")),
    "shifts.end": (mark("Until"), ""),
    "shifts.breaks": (mark("Breaks"), mark("As 09:00-09:15, 12:00-12:30")),
    "holidays": (mark("Holidays"), mark("A date on each line, as 2026-12-25.")),
    "suppliers.ack_within_minutes": (
        mark("Answers within (working minutes)"),
        mark("Empty: what the loop says."),
    ),
    "delivery_days": (mark("Delivery days"), mark("None: every day.")),
    "bills.part": (mark("Part that is made"), ""),
    "components": (mark("Goes into one unit of it"), ""),
    "components.part": (mark("Component"), ""),
    "components.quantity": (mark("Quantity"), ""),
    "part": (mark("Part"), ""),
    "demand": (mark("To: who uses it"), ""),
    "supply": (mark("From: who fills it"), ""),
    "kind": (mark("Kind"), ""),
    "quantity": (mark("Pieces in a container"), ""),
    "cards": (mark("Cards"), ""),
    "status": (mark("State"), ""),
    "lead_time_minutes": (
        mark("Lead time (working minutes)"),
        mark("From the signal until the full container stands where it is used."),
    ),
    "consume_at": (mark("When its components are drawn"), ""),
    "trigger": (mark("When a card asks"), ""),
    "sequence": (mark("Steps on the way"), mark("A step that is left out is not scanned.")),
    "min_turn_minutes": (mark("Shortest time of a turn (minutes)"), mark("0: any.")),
    "min_turn_level": (mark("If a turn is shorter"), ""),
    "bounce_ms": (mark("A second read counts once within (ms)"), ""),
    "undo_window_s": (mark("A scan can be undone within (s)"), ""),
    "late_hours": (mark("A scan this late waits for a person (hours)"), ""),
    "max_empty_allowed": (mark("Empty containers that are normal"), ""),
    "accumulate": (mark("Signals are gathered"), ""),
    "accumulate_cards": (mark("Cards gathered"), mark("At most one fewer than there are.")),
    "lot_quantity": (mark("Batch (pieces)"), ""),
    "triangle_quantity": (mark("Pieces left where the triangle hangs"), ""),
    "accumulate_times": (mark("Times at which signals go out"), mark("One on each line, as 10:00.")),
    "independent_supply": (mark("Whoever fills it decides when to begin"), ""),
    "doc_policy": (mark("Order number"), ""),
    "ack_required": (mark("Whoever fills it must answer the signal"), ""),
    "ack_within_minutes": (mark("Answer within (working minutes)"), ""),
    "gr_policy": (mark("When a receipt is posted"), ""),
    "reorder_level": (mark("Ask below (pieces)"), ""),
    "auto_detach": (mark("The supermarket's card is detached by software"), ""),
    "successor": (mark("Successor"), ""),
}

ENUMS: dict[type[StrEnum], dict[str, str]] = {
    StationKind: {
        StationKind.PROCESS: mark("Makes parts"),
        StationKind.SUPERMARKET: mark("Keeps parts: a supermarket"),
        StationKind.SUPPLIER: mark("A supplier delivers from here"),
        StationKind.SHIPPING: mark("Ships to customers"),
    },
    Consumption: {
        Consumption.SCAN: mark("People scan what they empty"),
        Consumption.BACKFLUSH: mark("Computed from the bill of what is made"),
    },
    ConsumeAt: {
        ConsumeAt.START: mark("when it is started"),
        ConsumeAt.COMPLETE: mark("when it is finished"),
        ConsumeAt.RELEASE: mark("when it is asked for"),
    },
    LoopKind: {str(kind): word for kind, word in KINDS.items()},
    LoopStatus: {
        LoopStatus.DRAFT: mark("not begun"),
        LoopStatus.ACTIVE: mark("running"),
        LoopStatus.ON_HOLD: mark("on hold"),
        LoopStatus.RETIRED: mark("retired"),
    },
    Trigger: {
        Trigger.ON_EMPTY: mark("when its container is empty"),
        Trigger.ON_IN_USE: mark("when its container is opened"),
        Trigger.ON_SIBLING_IN_USE: mark("when the next container is opened"),
        Trigger.ON_SIBLING_WAIT: mark("when the next container is empty"),
        Trigger.ON_QTY: mark("when the stock falls below a level"),
    },
    Accumulate: {
        Accumulate.NONE: mark("not at all: each goes out at once"),
        Accumulate.CARDS: mark("until so many cards are there"),
        Accumulate.QUANTITY: mark("until a batch is there"),
        Accumulate.CLOCK: mark("until fixed times of the day"),
    },
    DocPolicy: {
        DocPolicy.NONE: mark("no document"),
        DocPolicy.CREATE_ON_RELEASE: mark("asked for with the signal"),
        DocPolicy.WAIT_FOR_DOC_NUMBER: mark("the signal waits for it"),
    },
    GrPolicy: {
        GrPolicy.FULL_POSTS_RECEIPT: mark("with the scan that makes the card full"),
        GrPolicy.RECEIPT_SETS_FULL: mark("at the dock, which makes the card full"),
        GrPolicy.SEPARATE: mark("at the dock, and put away later"),
    },
    Need: {
        Need.MANDATORY: mark("must be scanned"),
        Need.OPTIONAL: mark("may be scanned"),
        Need.PROHIBITED: mark("is left out"),
    },
    Level: {
        Level.NONE: mark("nothing is said"),
        Level.WARN: mark("the scan counts, with a warning"),
        Level.BLOCK: mark("the scan is refused"),
    },
}
CALLED = {
    "team_leader": mark("Team leader"),
    "area_leader": mark("Area leader"),
    "plant_leader": mark("Plant leader"),
}
YES, NO = mark("yes"), mark("no")


def label(kind: str, member: str) -> str:
    """What a member is called on the page of its kind."""
    return gettext(_words(kind, member)[0])


def help_of(kind: str, member: str) -> str:
    """What is to be known about a member; empty where its label says it."""
    text = _words(kind, member)[1]
    return gettext(text) if text else ""


def _words(kind: str, member: str) -> tuple[str, str]:
    return LABELS.get(f"{kind}.{member}") or LABELS.get(member) or (member.replace("_", " "), "")


def word_of(enum: type[StrEnum], value: str) -> str:
    """A word of the domain in the person's language."""
    if enum is Intent:
        return gettext(STEPS[Intent(value)].label) if value in set(Intent) else value
    if enum is SupplyStatus:
        return gettext(TILE_WORDS.get(value, value))
    text = ENUMS.get(enum, {}).get(value)
    return gettext(text) if text else value


def day_word(day: str) -> str:
    """A day of the week."""
    return str(WEEKDAYS[("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(day)])


def called(who: str) -> str:
    """Whom a step of a call's climbing asks for: a role in words, or the user name as it is."""
    return gettext(CALLED[who]) if who in CALLED else who
