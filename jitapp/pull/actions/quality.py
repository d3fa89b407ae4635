"""Quality at the source: a container is held until somebody decides what becomes of it.

Holding is a scan like any other, and the row of the hold is written in its transaction, whichever door it came by
(jitapp/pull/store/unit_of_work.py). What is added here is the decision.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args
from uuid import UUID, uuid5

from django.db import transaction
from msgspec.structs import replace

from jitapp.kanban.state import ZERO
from jitapp.kanban.vocabulary import Intent, Role, SupplyStatus
from jitapp.plant.models import Loop
from jitapp.pull.actions.scanning import scan
from jitapp.pull.models import QualityHold
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest, Source

Decision = Literal["use", "rework", "scrap"]
DECISIONS: tuple[Decision, ...] = get_args(Decision)
HERE = (SupplyStatus.FULL, SupplyStatus.IN_USE)
UNDER_WAY = (SupplyStatus.IN_PROCESS, SupplyStatus.COMPLETED, SupplyStatus.IN_TRANSIT)


def hold_card(*, id: UUID, code: str, reason: str, now: datetime, source: Source) -> Answer | Conflict:
    """Takes a card out of circulation; its signal is withheld, or flagged if it is under way."""
    return scan(ScanRequest(id=id, code=code, intent=Intent.HOLD, reason=reason), source=source, now=now)


def release_card(
    *, id: UUID, code: str, decision: Decision, reason: str, now: datetime, source: Source
) -> Answer | Conflict:
    """Ends a hold. `use`: the container is good. `rework` and `scrap`: its pieces are written off, openly, and the
    supply source is asked to fill it again; the reason says with what.

    All of it or nothing, in one transaction. The answer is that of the release.
    """
    why = f"{decision}: {reason.strip()}" if reason.strip() else decision
    asked = ScanRequest(id=id, code=code, intent=Intent.RELEASE, reason=why[:200])

    def once() -> Answer | Conflict:
        with transaction.atomic():
            answer = scan(asked, source=source, now=now)
            if isinstance(answer, Conflict) or answer.replayed or answer.body["outcome"] != "applied":
                return answer
            card = answer.body["card"]
            ended = QualityHold.objects.filter(card__code=card["code"], released_at__gte=now, decision="")
            if ended.update(decision=decision) and decision != "use":
                plant = Loop.objects.values_list("plant_id", flat=True).get(code=card["loop"])
                _write_off(
                    asked, SupplyStatus(card["supply_status"]), source.with_role(Role.LEADER, plant), now
                )
            return answer

    return retried(once)


def _write_off(released: ScanRequest, status: SupplyStatus, source: Source, now: datetime) -> None:
    """Nothing good is in the container any more, wherever it stands; who decides on quality may say so."""
    step = replace(released, id=uuid5(released.id, "write-off"))
    if status in HERE:
        step = replace(step, intent=Intent.COUNT, quantity=ZERO)
    elif status in UNDER_WAY:
        step = replace(step, intent=Intent.CORRECT, status=SupplyStatus.EMPTY)
    else:
        return
    answer = scan(step, source=source, now=now)
    if isinstance(answer, Conflict) or answer.body["outcome"] != "applied":
        raise WriteOffRefused(answer)


class WriteOffRefused(RuntimeError):
    """The pieces could not be written off: the hold stays as it was."""

    def __init__(self, answer: Answer | Conflict) -> None:
        said = answer.message if isinstance(answer, Conflict) else answer.body["message"]
        super().__init__(str(said))
