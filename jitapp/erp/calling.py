"""Calling the ERP: lease rows in one transaction, call outside of any, save the result in another.

A process that is killed at any point leaves a lease that ends; then the same call is made again, under the same key,
and the ERP returns the same document. An ERP that does not reply is left alone for growing pauses, then called once.
How it is called, and what its reply means, is its adapter's business (adapter.py).
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import import_module
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from jitapp.erp.adapter import Adapter, Call, DocumentTask, Kind, Reply, Verdict
from jitapp.erp.adapters import adapter_of
from jitapp.erp.models import DocumentRequest, ErpConnection, RequestState
from jitapp.erp.verdicts import HOST_CAP_S, ROW_CAP_S, one_line, pause
from jitapp.pull import actions

logger = logging.getLogger(__name__)

AT_ONCE = 8
LEASE_S = 60.0  # longer than a call and the saving of its result
# An ERP that needs longer is called by the relay's thread only, so that no worker waits for it.
QUICK_MS = 500
S = RequestState
_ENDED = {S.WAITING: S.DONE, S.WITHDRAWING: S.WITHDRAWN}

Ask = Callable[[Sequence[Call]], list[Reply]]


@dataclass(frozen=True, slots=True)
class Leased:
    """A row whose call this process makes; `calls` is the call's number among all calls of the row."""

    id: int
    turn: UUID
    state: str
    calls: int
    failures: int
    task: DocumentTask
    adapter: Adapter
    keys: tuple[bytes, ...]

    def call(self) -> Call:
        """The signed call, to be made now."""
        call = self.adapter.call(self.task)
        return replace(call, headers={**call.headers, **self.adapter.sign(call, self.keys, int(time.time()))})


def call_due(
    *, now: datetime, hurried: bool = False, until: float | None = None, ask: Ask | None = None
) -> int:
    """Makes the calls that are due, until none is (or the monotonic clock passes `until`); returns how many.

    `hurried`: only ERPs that are known to reply quickly, one round. `now` advances with the clock during the calls.
    `ask` makes the calls; by default over HTTP.
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
            replies = _replies(leased, ask)
            made += len(leased)
            _keep_all(plant_id, leased, replies, clock())
            if hurried:
                break
    return made


def _over_http(calls: Sequence[Call]) -> list[Reply]:
    # Loaded by the first call: the client is 13 MB in every process that could call, and most shops ask no ERP.
    replies: list[Reply] = import_module("jitapp.erp.client").call_all(calls)
    return replies


def _replies(leased: Sequence[Leased], ask: Ask) -> list[Reply | Exception]:
    """A reply for each, in their order. A row that its adapter cannot turn into a call does not affect the others."""
    calls: list[Call] = []
    failed: dict[int, Exception] = {}
    for each in leased:
        try:
            calls.append(each.call())
        except Exception as error:  # an adapter may be anybody's code
            failed[each.id] = error
    replies = iter(ask(calls) if calls else ())
    return [failed.get(each.id) or next(replies) for each in leased]


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
    return DocumentRequest.objects.filter(free, state__in=[S.WAITING, S.WITHDRAWING], due_at__lte=now)


def _lease(plant_id: int, now: datetime) -> list[Leased]:
    """Some due rows of a plant, taken for LEASE_S: none while its ERP is paused, one to test it after a pause."""
    with transaction.atomic():
        connection = (
            ErpConnection.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("plant")
            .filter(_awake(now), pk=plant_id, enabled=True)
            .first()
        )
        if connection is None:
            return []
        reach = connection.reach
        if reach.problem:
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
        if connection.failures:  # no other process tries at the same time
            connection.quiet_until = now + timedelta(seconds=LEASE_S)
            connection.save(update_fields=["quiet_until"])
    adapter = adapter_of(connection.adapter)
    return [
        Leased(
            row.pk,
            row.key,
            row.state,
            row.calls + 1,
            row.failures,
            DocumentTask(str(row.key), reach.url, row.body, row.state == S.WITHDRAWING, row.number),
            adapter,
            reach.keys,
        )
        for row in rows
    ]


# -- what the replies mean ---------------------------------------------------------------------------
def _keep_all(
    plant_id: int, leased: Sequence[Leased], replies: Sequence[Reply | Exception], now: datetime
) -> None:
    judged_replies: list[tuple[Verdict, int]] = []
    for each, reply in zip(leased, replies, strict=True):
        judged = _verdict(each, reply, now)
        if judged.kind is not Kind.DONE:
            logger.warning(
                "The ERP has not finished document %s: %s %s", each.turn, judged.problem, judged.detail
            )
        if isinstance(reply, Reply):
            judged_replies.append((judged, reply.took_ms))
        _keep(each, judged, now)
    if judged_replies:  # else nothing was learned about the ERP
        _keep_connection(
            plant_id, [judged for judged, _ in judged_replies], max(ms for _, ms in judged_replies), now
        )


def _verdict(leased: Leased, reply: Reply | Exception, now: datetime) -> Verdict:
    try:
        if isinstance(reply, Exception):
            raise reply
        return leased.adapter.verdict(leased.task, reply, now=now.timestamp())
    except Exception as error:  # an adapter may be anybody's code
        logger.exception("The ERP adapter failed on document %s.", leased.turn)
        return Verdict(Kind.AGAIN, problem="adapter_failed", detail=one_line(repr(error)))


def _keep(leased: Leased, verdict: Verdict, now: datetime) -> None:
    """Saves the turn first, then the row: after a kill in between the same reply comes again and changes nothing."""
    if leased.state == S.WAITING and verdict.kind is Kind.DONE:
        verdict = _give(leased, verdict, now)
    if leased.state == S.WAITING and verdict.kind is Kind.REFUSED:
        actions.refuse_document(leased.turn, reason=sentence(verdict.problem, verdict.detail), now=now)
    with transaction.atomic():
        row = DocumentRequest.objects.select_for_update().get(pk=leased.id)
        if row.calls != leased.calls:
            return  # the lease ended and another call was made: its result counts
        row.lease_until = None
        if row.state != leased.state:  # cancelled, or numbered by hand, during the call
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
            row.state = S.WITHDRAWING if cancelled else ended
            row.number = verdict.number or row.number
            row.failures, row.due_at = 0, now
            row.ended_at = None if cancelled else now
        row.save()


def _give(leased: Leased, verdict: Verdict, now: datetime) -> Verdict:
    """Gives the turn its number; returns another verdict where the turn cannot take it."""
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
    """One good reply ends the pause of the whole ERP; without any, the pause grows."""
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
    """The reason of a refusal as the buyer reads it: the ERP's own words, or the problem."""
    return f"ERP: {detail}" if detail else f"ERP: {problem.replace('_', ' ')}"
