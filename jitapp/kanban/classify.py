"""What a scan was, seen in its sequence: the expected step, a bounce, a signal asked for twice, the card of a sibling,
a label that is out of date, a withdrawn card, the wrong place, a late one.

Most of it the answer's code says. Whether a card that was scanned again is a signal repeated or a sibling's card taken
for it, no code can say: both read "already EMPTY". The clock can. Whoever scans again because nothing seemed to happen
does it within minutes; a sibling cannot be used up sooner than a container lasts, and by the sizing formula of a loop
(N - 1 containers cover its lead time) that is about the lead time shared by the siblings.

Nothing here decides: the scan is answered by the guards, and a guess only adds a question to the answer.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from jitapp.kanban.answers import ANSWERS
from jitapp.kanban.conditions import MAY_FILL, usable
from jitapp.kanban.guards import WAY, told_late
from jitapp.kanban.kinds import used_in_pieces
from jitapp.kanban.ledger import Decision, Scan
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.step import STEPS, Situation, Step
from jitapp.kanban.vocabulary import Intent, Outcome, ScanClass, StationKind, SupplyStatus
from jitapp.kanban.warnings import WARNINGS

S = SupplyStatus

AGAIN_MINUTES = 10.0  # whoever reads a card again because nothing seemed to happen does so within these
LEAST_MINUTES = 5.0  # however fast containers are used up
QUICK = 0.75  # of the time a container lasts by the sizing formula: use is not even
# Refusals that a sibling's card would not have met.
_THERE = frozenset({"already", "already_done"})  # the card is where the scan wants it
_MISFITS = _THERE | {"wrong_step", "overproduction", "not_released", "signal_rejected"}
# An old print tells an old quantity.
_QUANTITY = frozenset({"quantity_exceeds_container", "quantity_needs_reason"})
# Scans that may leave steps out; while a sibling stands there, its card was probably meant.
_SKIPPING = frozenset({Intent.COMPLETE, Intent.LOAD, Intent.RECEIVE})
_GONE = frozenset({S.COMPLETED, S.IN_TRANSIT})


class Before(msgspec.Struct, frozen=True):
    """What must be looked at before the scan is applied."""

    moved_at: datetime | None
    late: bool
    ahead: Card | None  # a sibling that stands where this scan usually finds its card, and this card does not


def look(situation: Situation) -> Before:
    """Where card and siblings stand before the scan. Reads only."""
    return Before(situation.card.moved_at, told_late(situation), _ahead(situation))


def tell(situation: Situation, before: Before, decision: Decision) -> None:
    """Sets the decision's class; a probable wrong card and a stale label are said in a sentence of their own."""
    loop, card = situation.loop, situation.card
    decision.kind, meant = classify(loop, card, situation.scan, before, decision)
    if decision.kind is ScanClass.WRONG_CARD and meant is not None:
        decision.facts["meant"] = meant.number
        decision.warnings.append(WARNINGS["wrong_card"])
    elif decision.kind is ScanClass.STALE_LABEL:
        decision.facts["holds"] = card.turn.asked if card.turn is not None else loop.config.quantity
        decision.warnings.append(WARNINGS["stale_label"])


def classify(
    loop: Loop, card: Card, scan: Scan, before: Before, decision: Decision
) -> tuple[ScanClass, Card | None]:
    """The class of a decided scan, and for a wrong card the sibling that was meant."""
    code, applied = decision.code, decision.outcome is Outcome.APPLIED
    named = ANSWERS[code].kind
    if named is not None:
        return named, None
    step = STEPS[decision.intent] if decision.intent is not None else None
    judged_late = before.late and (code in _THERE or (applied and step is not None and bool(step.moves)))
    if judged_late:
        return ScanClass.LATE, None
    if code in _MISFITS:
        return _misfit(loop, card, scan, decision)
    if applied and before.ahead is not None:
        return ScanClass.WRONG_CARD, before.ahead
    if card.label_stale and (applied or code in _QUANTITY):
        return ScanClass.STALE_LABEL, None
    return (ScanClass.EXPECTED if applied else ScanClass.OTHER), None


def _ahead(s: Situation) -> Card | None:
    """The sibling one would expect under this scan, because it has come further on the same way."""
    loop, card, step = s.loop, s.card, s.step
    if step is None:
        return None
    if step.intent is Intent.EMPTY and card.supply_status is S.FULL and used_in_pieces(loop.config):
        open_ones = [
            other for other in loop.siblings(card) if usable(other) and other.supply_status is S.IN_USE
        ]
        return min(open_ones, key=_oldest_first, default=None)
    if step.intent not in _SKIPPING or card.turn is None or card.position not in WAY:
        return None
    if card.position in step.usual:
        return None
    here = WAY.index(card.position)
    further = [other for other in _ready(loop, card, step) if WAY.index(other.position) > here]
    return max(further, key=lambda other: WAY.index(other.position), default=None)


def _misfit(loop: Loop, card: Card, scan: Scan, decision: Decision) -> tuple[ScanClass, Card | None]:
    """The step does not fit the card: asked for twice, or the card of a sibling whom it fits?"""
    intent = decision.intent
    repeated = ScanClass.REPEATED_SIGNAL if decision.code in _THERE else ScanClass.OTHER
    if intent is None or not STEPS[intent].usual:
        return repeated, None
    fitting = _ready(loop, card, STEPS[intent])
    if scan.intent is None and intent is Intent.EMPTY and not fitting:
        fitting = _ready(loop, card, STEPS[Intent.RECEIVE])
    if not fitting:
        return repeated, None
    meant = min(fitting, key=_oldest_first)
    if (
        intent is Intent.EMPTY
        and card.position in _GONE
        and loop.config.supply_kind is not StationKind.SUPPLIER
    ):
        return ScanClass.WRONG_CARD, meant  # this card is with its container, on the other side
    if decision.code not in _THERE and card.last_intent != intent:
        return ScanClass.WRONG_CARD, meant
    patience = _lasts(loop) if intent is Intent.EMPTY else AGAIN_MINUTES
    since = _last_use(loop, card) if intent is Intent.EMPTY else card.moved_at
    if since is not None and loop.config.calendar.working_minutes_between(since, scan.occurred_at) < patience:
        return repeated, None
    return ScanClass.WRONG_CARD, meant


def _ready(loop: Loop, card: Card, step: Step) -> list[Card]:
    """The siblings for which the step is the usual next one."""
    if step.fills:
        return [
            other
            for other in loop.siblings(card)
            if other.turn is not None
            and other.turn.signal_state in MAY_FILL
            and other.position in step.usual
            and other.position in step.moves
        ]
    return [other for other in loop.siblings(card) if usable(other) and other.supply_status in step.usual]


def _oldest_first(card: Card) -> tuple[bool, float, int]:
    """The container in use, then the one that stands there longest."""
    stands = card.full_since or card.moved_at
    return card.supply_status is not S.IN_USE, stands.timestamp() if stands else 0.0, card.number


def _lasts(loop: Loop) -> float:
    """How many working minutes a container lasts at least."""
    share = loop.config.lead_time_minutes / max(1, loop.circulating - 1)
    return max(LEAST_MINUTES, loop.config.min_turn_minutes, share * QUICK)


def _last_use(loop: Loop, card: Card) -> datetime | None:
    """When a container of the loop was last emptied or opened, as far as it was scanned."""
    uses = [
        other.moved_at
        for other in loop.cards.values()
        if other.moved_at is not None and other.last_intent in (Intent.EMPTY, Intent.OPEN)
    ]
    return max(uses, default=card.moved_at)
