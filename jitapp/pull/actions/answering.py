"""The answer to a scan in the words of the public contract, and the receipt that keeps it."""

from __future__ import annotations

from collections.abc import Callable

from jitapp.accounts.models import Person
from jitapp.kanban.answers import ANSWERS, asked_code, feedback, say
from jitapp.kanban.names import tidy
from jitapp.kanban.vocabulary import Outcome
from jitapp.kanban.warnings import WARNINGS
from jitapp.plant.configs import zone
from jitapp.pull.actions.stages import Decided
from jitapp.pull.scan_request import Source, escaped
from jitapp.pull.store.rows import ReceiptRow


def answer_of(decided: Decided, translate: Callable[[str], str]) -> dict[str, object]:
    """The answer of the public contract."""
    decision, located = decided.decision, decided.situated.located
    loop, card, facts = located.loop, located.card, decision.facts
    if "by" in facts:
        facts["by"] = _name(facts["by"]) if ANSWERS[decision.code].outcome is Outcome.ALREADY else ""
    if loop is not None:
        decision.code = asked_code(decision.code, loop.config.supply_kind)
    warnings, doubted = _warnings(decided)
    message, next_step = say(
        decision.code,
        facts | doubted,
        time_zone=zone(loop.config.time_zone if loop else "UTC"),
        now=located.recorded_at,
        translate=translate,
        warnings=tuple(translate(warning) for warning in warnings),
    )
    heard = feedback(decision.code, kind=decision.kind, warned=bool(warnings))
    body: dict[str, object] = {
        "id": str(located.read.request.id),
        "outcome": str(decision.outcome),
        "replayed": False,
        "code": decision.code,
        "message": message,
        "next": next_step,
        "sound": str(heard.sound),
        "state": str(heard.state),
        "card": None,
        "turn": None,
        "recorded_at": located.recorded_at.isoformat(),
    }
    actor = decided.situated.actor
    if actor is not None and actor.doubt == "by_unknown":
        body["unknown_by"] = doubted["said_by"]
    if loop is None or card is None:
        return body
    body["card"] = {
        "code": card.code,
        "loop": loop.config.code,
        "part": loop.config.part,
        "number": card.number,
        "of": max(loop.circulating, card.number),
        "card_status": str(card.card_status),
        "supply_status": str(card.supply_status),
    }
    turn = card.turn or decision.turn
    if turn is not None:
        body["turn"] = {
            "id": str(turn.uuid),
            "number": turn.number,
            "signal_state": str(turn.signal_state),
            "due_at": turn.due_at.isoformat() if turn.due_at else None,
        }
    return body


def _warnings(decided: Decided) -> tuple[list[str], dict[str, object]]:
    """What the rules warn of, who allowed the scan, and why the person whom it named is not on record; with the facts
    of that."""
    warnings, facts = _allowance(decided)
    warnings, actor = [*decided.decision.warnings, *warnings], decided.situated.actor
    if actor is None or not actor.doubt:
        return warnings, facts
    said = escaped(tidy(decided.situated.located.read.request.by or ""))
    facts |= {"said_by": said if len(said) <= 40 else said[:40] + "…", "pin_at": actor.until}
    return [*warnings, WARNINGS[actor.doubt]], facts


def _allowance(decided: Decided) -> tuple[list[str], dict[str, object]]:
    """The leader by whose leave the scan was applied."""
    scan = decided.situated.scan
    if scan is None or scan.allowed_by is None or decided.decision.outcome is not Outcome.APPLIED:
        return [], {}
    leader = Person.objects.filter(uuid=scan.allowed_by).first()
    return [WARNINGS["allowed"]], {"allowed_by": str(leader or "")}


def receipt_of(decided: Decided, source: Source, body: dict[str, object]) -> ReceiptRow:
    """The row of the scan's receipt."""
    situated, decision = decided.situated, decided.decision
    located = situated.located
    request, loop, card = located.read.request, located.loop, located.card
    return ReceiptRow(
        scan_id=request.id,
        fingerprint=request.fingerprint(),
        plant_id=loop.config.plant_id if loop else None,
        device_id=source.device_id,
        person_id=situated.person_id,
        station_id=situated.station.id if situated.station else None,
        loop_id=loop.config.id if loop else None,
        card_id=card.id if card else None,
        raw=escaped(request.code),
        intent=str(decision.intent) if decision.intent else escaped(request.intent or "")[:12],
        seq=request.seq,
        epoch=escaped(request.epoch)[:64] if request.epoch else "",
        occurred_at=decision.at or located.occurred_at,
        sent_at=request.sent_at,
        recorded_at=located.recorded_at,
        outcome=decision.outcome,
        code=decision.code,
        answer=body,
    )


def _name(person: object) -> str:
    """` (Mia)` for the person who moved a card last; nothing for a device."""
    if not isinstance(person, int):
        return ""
    name = Person.objects.filter(pk=person).values_list("name", flat=True).first()
    return f" ({name})" if name else ""
