"""Which documents are asked for, and which are no longer needed: the rows follow the turns.

Called in the transaction that drains the outbox, level-triggered: only the present state of the turn counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from jitapp.erp.models import DocumentRequest, ErpConnection, RequestState
from jitapp.kanban.vocabulary import DocPolicy
from jitapp.outbox.publish import nudge_on_commit
from jitapp.plant.configs import latest
from jitapp.pull import actions
from jitapp.pull.reading.documents import Documented, documented, in_need

CALL_TASK = "jitapp.erp"
# The events after which a document may be wanted, or no longer be.
FOLLOWED = frozenset(
    {"turn.opened", "turn.released", "turn.documented", "turn.cancelled", "turn.failed", "turn.recovered"}
)
SWEPT = 500  # turns per round
S = RequestState


class NothingToRetry(ValueError):
    """The document of that turn was not refused; the text says what to do."""


def follow(messages: Sequence[tuple[int, Mapping[str, Any]]], *, now: datetime) -> int:
    """Keeps the rows of the turns that messages (loop id, payload) are about; returns how many were changed."""
    loops = latest().loops  # the drain has just read them
    turns = {
        UUID(str(event["turn"]))
        for loop_id, payload in messages
        if loop_id in loops and loops[loop_id].doc_policy is not DocPolicy.NONE
        for event in payload["events"]
        if event["type"] in FOLLOWED
    }
    return _keep(documented(turns, now=now), now) if turns else 0


def sweep(*, now: datetime) -> int:
    """Open turns that need a document and have no row get one; returns how many. Harmless when doubled."""
    made, after = 0, 0
    while found := in_need(now=now, after=after, limit=SWEPT):
        after = found[-1].turn_id
        with transaction.atomic():
            known = set(
                DocumentRequest.objects.filter(turn__in=[each.turn_id for each in found]).values_list("turn")
            )
            made += _keep([each for each in found if (each.turn_id,) not in known], now)
    return made


def retry(turn: UUID, *, now: datetime) -> None:
    """Asks the ERP again, under the same key, after a person has corrected what it refused. Raises NothingToRetry."""
    request = DocumentRequest.objects.filter(key=turn).first()
    if request is None or request.state not in (S.FAILED, S.WAITING, S.WITHDRAWING):
        raise NothingToRetry("No document of that turn waits. Look at the turn.")
    if request.state == S.FAILED:
        actions.mend_document(turn, now=now, why="the document is asked for again")
    with transaction.atomic():
        request = DocumentRequest.objects.select_for_update().get(pk=request.pk)
        if request.state == S.FAILED:
            facts = documented([turn], now=now)[0]
            request.state = S.WITHDRAWING if facts.cancelled else S.WAITING
            request.body = facts.order  # the master data may have been corrected since
            request.ended_at = None
        request.due_at, request.failures = now, 0
        request.save(update_fields=["state", "body", "ended_at", "due_at", "failures"])
        ErpConnection.objects.filter(pk=request.connection_id).update(quiet_until=None)
        nudge_on_commit(CALL_TASK)


def _keep(turns: Sequence[Documented], now: datetime) -> int:
    """In the order of the turns' ids, so that two processes lock rows in the same order."""
    requests = {
        request.turn_id: request
        for request in DocumentRequest.objects.select_for_update()
        .filter(turn__in=[turn.turn_id for turn in turns])
        .order_by("turn")
    }
    changed = 0
    for turn in sorted(turns, key=lambda each: each.turn_id):
        request = requests.get(turn.turn_id)
        if request is None:
            changed += turn.needs and not turn.failed and _make(turn, now)
        else:
            changed += _follow(request, turn, now)
    if changed:
        nudge_on_commit(CALL_TASK)
    return changed


def _make(turn: Documented, now: datetime) -> bool:
    ErpConnection.objects.get_or_create(plant_id=turn.plant_id)
    _, made = DocumentRequest.objects.get_or_create(
        turn_id=turn.turn_id,
        defaults={
            "key": turn.turn,
            "connection_id": turn.plant_id,
            "body": turn.order,
            "created_at": now,
            "due_at": now,
        },
    )
    return made


def _follow(request: DocumentRequest, turn: Documented, now: datetime) -> bool:
    """Brings a row to the state its turn requires; a call under way keeps its lease, and its result is judged later.
    True if the state changed."""
    before = request.state
    if turn.cancelled:
        if request.state in (S.WAITING, S.FAILED, S.DONE):
            request.state = S.WITHDRAWING if request.calls else S.WITHDRAWN
    elif turn.document and (request.state == S.WAITING or _numbered_by_hand(request, turn)):
        request.state, request.number = S.DONE, turn.document
        request.problem = request.detail = ""
    elif turn.failed and request.state == S.WAITING:
        request.state, request.problem, request.detail = S.FAILED, "refused", turn.failed[:300]
    elif turn.needs and not turn.failed and request.state == S.FAILED and turn.order["waits"]:
        request.state, request.body = S.WAITING, turn.order  # somebody has corrected the turn
        request.problem = request.detail = ""
    if request.state == before:
        return False
    request.due_at, request.failures = now, 0
    request.ended_at = None if request.state in (S.WAITING, S.WITHDRAWING) else now
    request.save()
    return True


def _numbered_by_hand(request: DocumentRequest, turn: Documented) -> bool:
    """Refused, then numbered by a person. Two different numbers stay FAILED: a person must decide."""
    return request.state == S.FAILED and request.number in ("", turn.document)
