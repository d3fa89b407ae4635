"""Calling the ERP: lease in one transaction, call outside of any, keep the result in another.

A kill at any point leaves a lease that ends; then the same call is made again, under the same key, and the ERP
answers with the same document. An ERP that does not answer is left alone for growing pauses, then asked once.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from jitapp.erp import address
from jitapp.erp.models import DocumentRequest, ErpConnection, RequestState
from jitapp.erp.verdicts import (
    HOST_CAP_S,
    ROW_CAP_S,
    Call,
    Kind,
    Reply,
    Verdict,
    judge,
    judge_recall,
    pause,
)
from jitapp.pull import actions

logger = logging.getLogger(__name__)

AT_ONCE = 8
LEASE_S = 60.0  # longer than a call and the keeping of its result
QUICK_MS = (
    500  # an ERP that needs longer is called by the relay's thread only, so that no worker waits for it
)
S = RequestState
_ENDED = {S.WAITING: S.DONE, S.RECALLING: S.RECALLED}

Ask = Callable[[Sequence[Call]], list[Reply]]


@dataclass(frozen=True, slots=True)
class Leased:
    """A row whose call is ours to make; `calls` is its number among all calls of the row."""

    id: int
    turn: UUID
    state: str
    calls: int
    failures: int
    call: Call


def call_due(
    *, now: datetime, hurried: bool = False, until: float | None = None, ask: Ask | None = None
) -> int:
    """Makes the calls that are due, until none is (or the monotonic clock passes `until`); answers how many.

    `hurried`: only ERPs that are known to answer quickly, one round. `now` goes on with the clock while calls last.
    """
    begun = time.monotonic()
    made = 0
    ask = ask or _over_http

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - begun)

    for plant_id in _callable(now, hurried):
        while until is None or time.monotonic() < until:
            leased = _lease(plant_id, clock())
            if not leased:
                break
            fresh = [each.turn for each in leased if each.state == S.WAITING and not each.failures]
            if fresh:
                actions.ask_for_documents(fresh, now=clock())
            replies = ask([each.call for each in leased])
            made += len(leased)
            _keep_all(plant_id, leased, replies, clock())
            if hurried:
                break
    return made


def _over_http(calls: Sequence[Call]) -> list[Reply]:
    # Loaded by the first call: the client is 13 MB in every process that could call, and most shops ask no ERP.
    replies: list[Reply] = import_module("jitapp.erp.client").call_all(calls)
    return replies


def _callable(now: datetime, hurried: bool) -> list[int]:
    """The plants whose ERP has something due and may be called now."""
    wanted = (
        ErpConnection.objects.filter(_awake(now), enabled=True, requests__in=_due(now))
        .order_by("pk")
        .distinct()
    )
    if hurried:
        wanted = wanted.filter(Q(took_ms__isnull=True) | Q(took_ms__lte=QUICK_MS), failures=0)
    return list(wanted.values_list("pk", flat=True))


def _awake(now: datetime) -> Q:
    return Q(quiet_until__isnull=True) | Q(quiet_until__lte=now)


def _due(now: datetime) -> QuerySet[DocumentRequest]:
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    return DocumentRequest.objects.filter(free, state__in=[S.WAITING, S.RECALLING], due_at__lte=now)


def _lease(plant_id: int, now: datetime) -> list[Leased]:
    """Some due rows of a plant, taken for LEASE_S; none while its ERP is quiet, one if it must show that it answers."""
    with transaction.atomic():
        connection = (
            ErpConnection.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("plant")
            .filter(_awake(now), pk=plant_id, enabled=True)
            .first()
        )
        if connection is None:
            return []
        url, keys, problem = address.reach(connection.url, connection.plant.code)
        if problem:
            return []
        most = 1 if connection.failures else AT_ONCE
        rows = list(
            _due(now)
            .filter(connection_id=plant_id)
            .select_for_update(skip_locked=True)
            .order_by("due_at", "pk")[:most]
        )
        if not rows:
            return []
        DocumentRequest.objects.filter(pk__in=[row.pk for row in rows]).update(
            calls=F("calls") + 1, lease_until=now + timedelta(seconds=LEASE_S)
        )
        if connection.failures:  # nobody else tries as long as this one does
            connection.quiet_until = now + timedelta(seconds=LEASE_S)
            connection.save(update_fields=["quiet_until"])
    return [
        Leased(row.pk, row.key, row.state, row.calls + 1, row.failures, _call(row, url, keys)) for row in rows
    ]


def _call(row: DocumentRequest, url: str, keys: tuple[bytes, ...]) -> Call:
    key = str(row.key)
    if row.state == S.RECALLING:
        return Call("DELETE", f"{url.rstrip('/')}/{key}", key, f"recall_{key}", b"", keys)
    body = json.dumps(row.body, separators=(",", ":"), sort_keys=True).encode()
    return Call("POST", url, key, f"document_{key}", body, keys)


# -- what the answers mean ---------------------------------------------------------------------------
def _keep_all(plant_id: int, leased: Sequence[Leased], replies: Sequence[Reply], now: datetime) -> None:
    verdicts: list[Verdict] = []
    for each, reply in zip(leased, replies, strict=True):
        judged = (judge_recall if each.state == S.RECALLING else judge)(reply, now=now.timestamp())
        if judged.kind is not Kind.DONE:
            logger.warning(
                "The ERP has not settled document %s: %s %s", each.turn, judged.problem, judged.detail
            )
        verdicts.append(judged)
        _keep(each, judged, now)
    _keep_connection(plant_id, verdicts, max(reply.took_ms for reply in replies), now)


def _keep(leased: Leased, verdict: Verdict, now: datetime) -> None:
    """First the turn, then the row: killed in between, the same answer comes once more and changes nothing."""
    if leased.state == S.WAITING and verdict.kind is Kind.DONE:
        verdict = _give(leased, verdict, now)
    if leased.state == S.WAITING and verdict.kind is Kind.REFUSED:
        actions.refuse_document(leased.turn, reason=sentence(verdict.problem, verdict.detail), now=now)
    with transaction.atomic():
        row = DocumentRequest.objects.select_for_update().get(pk=leased.id)
        if row.calls != leased.calls:
            return  # the lease ended and somebody called again: their result counts
        row.lease_until = None
        if row.state != leased.state:  # cancelled, or numbered by hand, while we asked
            row.number = row.number or verdict.number
            row.save(update_fields=["lease_until", "number"])
            return
        row.problem, row.detail = verdict.problem, verdict.detail
        if verdict.kind is Kind.AGAIN:
            row.failures += 1
            wait = pause(row.failures, ROW_CAP_S, random.random())  # noqa: S311  (jitter, no secret)
            row.due_at = now + timedelta(seconds=max(wait, verdict.wait_s or 0.0))
        else:
            cancelled = verdict.problem == "cancelled_meanwhile"
            ended = S.FAILED if verdict.kind is Kind.REFUSED else _ENDED[RequestState(leased.state)]
            row.state = S.RECALLING if cancelled else ended
            row.number = verdict.number or row.number
            row.failures, row.due_at = 0, now
            row.ended_at = None if cancelled else now
        row.save()


def _give(leased: Leased, verdict: Verdict, now: datetime) -> Verdict:
    """The number onto its turn; another verdict where the turn cannot have it."""
    try:
        actions.give_document(turn=str(leased.turn), document=verdict.number, now=now)
    except actions.TurnCancelled:
        return Verdict(Kind.DONE, number=verdict.number, problem="cancelled_meanwhile")
    except actions.Refused as refused:
        return Verdict(
            Kind.REFUSED, number=verdict.number, problem="number_refused", detail=str(refused)[:300]
        )
    return verdict


def _keep_connection(plant_id: int, verdicts: Sequence[Verdict], took_ms: int, now: datetime) -> None:
    """One good answer ends a pause; without any, the pause grows."""
    down = [verdict for verdict in verdicts if verdict.down]
    with transaction.atomic():
        connection = ErpConnection.objects.select_for_update().get(pk=plant_id)
        connection.took_ms = took_ms
        if len(down) < len(verdicts):
            connection.failures, connection.quiet_until, connection.failing_since = 0, None, None
        else:
            connection.failures += 1
            connection.failing_since = connection.failing_since or now
            wait = pause(connection.failures, HOST_CAP_S, random.random())  # noqa: S311  (jitter, no secret)
            asked = max((verdict.wait_s or 0.0 for verdict in down), default=0.0)
            connection.quiet_until = now + timedelta(seconds=max(wait, asked))
        connection.save(update_fields=["took_ms", "failures", "quiet_until", "failing_since"])


def sentence(problem: str, detail: str) -> str:
    """A refusal for the buyer: what the ERP said, by name."""
    return f"ERP: {detail}" if detail else f"ERP: {problem.replace('_', ' ')}"
