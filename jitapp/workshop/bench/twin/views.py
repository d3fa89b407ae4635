"""The twin: the same work done the usual way, with a DRF serializer and the ORM; it exists to be compared with.

Careful ORM: few queries, `select_related`, `update_fields`, one transaction. The work is the floor's (deduplicate,
lock, advance, ledger event, turn, outbox row, stored answer); of the product's rules it knows only the order of steps.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jitapp.outbox.models import Message
from jitapp.plant.models import Station
from jitapp.pull.models import Card, Event, LoopState, Receipt, Turn

STEPS = {
    "empty": ("FULL", "EMPTY"),
    "start": ("EMPTY", "IN_PROCESS"),
    "complete": ("IN_PROCESS", "COMPLETED"),
    "load": ("COMPLETED", "IN_TRANSIT"),
    "receive": ("IN_TRANSIT", "FULL"),
}
STAMPS = {"start": "started_at", "complete": "completed_at", "load": "loaded_at", "receive": "closed_at"}


class ScanSerializer(serializers.Serializer[dict[str, Any]]):
    """The body of a scan."""

    id = serializers.UUIDField()
    code = serializers.CharField(max_length=4096)
    station = serializers.CharField(max_length=60)
    intent = serializers.ChoiceField(choices=list(STEPS))
    occurred_at = serializers.DateTimeField(required=False)
    quantity = serializers.DecimalField(max_digits=20, decimal_places=6, required=False)
    reason = serializers.CharField(max_length=200, required=False)


class ScanView(APIView):
    """POST one scan."""

    def post(self, request: Request) -> Response:
        """One transaction; a scan id seen before gets its stored answer."""
        serializer = ScanSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        scan = serializer.validated_data
        with transaction.atomic():
            seen = Receipt.objects.filter(scan_id=scan["id"]).first()
            if seen is not None:
                return Response(seen.answer)
            return Response(_apply(scan, request.user))


def _apply(scan: dict[str, Any], who: Any) -> dict[str, Any]:
    now = timezone.now()
    card = Card.objects.select_related("loop__part").get(code=scan["code"], loop__plant_id=who.plant_id)
    state = LoopState.objects.select_for_update().get(pk=card.loop_id)
    card.refresh_from_db(fields=["supply_status", "turn_number", "contents"])
    station = Station.objects.get(code=scan["station"], plant_id=who.plant_id)
    intent = scan["intent"]
    before, after = STEPS[intent]
    applied = card.supply_status == before
    turn: Turn | None = None
    if applied:
        turn = _turn(card, intent, now)
        card.supply_status = after
        card.contents = card.loop.quantity if after == "FULL" else card.contents if after != "EMPTY" else 0
        card.moved_at = now
        card.last_intent = intent
        card.last_scan = scan["id"]
        card.save(
            update_fields=["supply_status", "contents", "moved_at", "last_intent", "last_scan", "turn_number"]
        )
        state.seq += 1
        state.save(update_fields=["seq"])
        Event.objects.create(
            type="scan.applied",
            plant_id=card.loop.plant_id,
            loop_id=card.loop_id,
            loop_seq=state.seq,
            card=card,
            turn_number=turn.number,
            turn=turn.uuid,
            station=station,
            device=who.device,
            scan_id=scan["id"],
            from_status=before,
            to_status=after,
            occurred_at=now,
            recorded_at=now,
            data={"intent": intent},
        )
        Message.objects.create(
            topic="twin.changed", key=card.loop_id, payload={"turn": str(turn.uuid)}, done_at=now
        )
    answer = _answer(scan, card, turn, applied=applied)
    Receipt.objects.create(
        scan_id=scan["id"],
        fingerprint=bytes(32),
        plant_id=card.loop.plant_id,
        device=who.device,
        station=station,
        loop_id=card.loop_id,
        card=card,
        raw=scan["code"],
        intent=intent,
        occurred_at=now,
        recorded_at=now,
        outcome=answer["outcome"],
        code=intent,
        answer=answer,
    )
    return answer


def _turn(card: Card, intent: str, now: Any) -> Turn:
    if intent == "empty":
        card.turn_number += 1
        return Turn.objects.create(
            card=card,
            loop_id=card.loop_id,
            supply_id=card.loop.supply_id,
            number=card.turn_number,
            signal_state="RELEASED",
            asked=card.loop.quantity,
            opened_at=now,
            released_at=now,
            due_at=now + timedelta(minutes=card.loop.lead_time_minutes),
            owner="station",
            owner_since=now,
        )
    turn = Turn.objects.get(card=card, closed_at__isnull=True)
    setattr(turn, STAMPS[intent], now)
    turn.step = "" if intent == "receive" else STEPS[intent][1]
    if intent == "receive":
        turn.signal_state, turn.received = "CLOSED", turn.asked
    turn.save(update_fields=[STAMPS[intent], "step", "signal_state", "received"])
    return turn


def _answer(scan: dict[str, Any], card: Card, turn: Turn | None, *, applied: bool) -> dict[str, Any]:
    return {
        "id": str(scan["id"]),
        "outcome": "applied" if applied else "refused",
        "replayed": False,
        "code": scan["intent"],
        "message": f"{card.loop.part.number} card {card.number} is {card.supply_status}.",
        "next": "",
        "card": {
            "code": card.code,
            "loop": card.loop.code,
            "part": card.loop.part.number,
            "number": card.number,
            "card_status": card.card_status,
            "supply_status": card.supply_status,
        },
        "turn": turn
        and {
            "id": str(turn.uuid),
            "number": turn.number,
            "signal_state": turn.signal_state,
            "due_at": turn.due_at and turn.due_at.isoformat(),
        },
    }
