"""Scans that wait for a person, over HTTP: what they say, what the ledger knows, and settling them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal
from uuid import UUID

import msgspec
from django.utils import timezone
from django.utils.formats import date_format
from rest_framework.request import Request
from rest_framework.response import Response

from jitapp.api.acts import AnyDevice, key_of, quantity_of, read
from jitapp.api.endpoint import Endpoint, paged
from jitapp.api.errors import CODES, Problem
from jitapp.pull import actions
from jitapp.pull.reading.parked import parked_page
from jitapp.pull.sources import person_of

LONGEST = 200


class SettleBody(msgspec.Struct, forbid_unknown_fields=True):
    """How a waiting scan is settled, and by whom: a badge or a user name of a leader, planner or administrator.

    `accept` applies it now as `choice` says (one of the scan's `ways`, its own step if left out), `discard` needs a
    `reason`, `assign` gives an unknown code to the card `card`. A count takes `quantity`.
    """

    how: Literal["accept", "discard", "assign"]
    by: str
    choice: str = ""
    quantity: str | None = None
    reason: str = ""
    card: str = ""


class ParkedScans(Endpoint):
    """What waits in the plants of the token."""

    permission_classes = (AnyDevice,)

    def get(self, request: Request) -> Response:
        """Page by page; within a page oldest first."""
        now = timezone.now()
        return paged(
            request,
            lambda after, limit: parked_page(plant_ids=self.plants(), after=after, limit=limit, now=now),
        )


class SettleScan(Endpoint):
    """A person has looked at a waiting scan."""

    permission_classes = (AnyDevice,)

    def post(self, request: Request, scan: UUID) -> Response:
        """The same Idempotency-Key again gets the first answer; another is told who was first."""
        body = read(request, SettleBody)
        person = person_of(body.by)
        if person is None:
            raise _problem("person_unknown")
        try:
            done = actions.settle_scan(
                scan_id=scan,
                how=body.how,
                choice=body.choice,
                quantity=quantity_of(body.quantity),
                reason=body.reason[: LONGEST * 2],
                card=body.card[:LONGEST],
                key=key_of(request, f"settle {scan}"),
                now=timezone.now(),
                source=replace(self.source(), person_id=person),
            )
        except actions.SettleRefused as refused:
            raise _refusal(refused) from None
        if done.how == actions.DECLINED:
            assert done.answer is not None
            raise Problem(
                409, "refused", f"{done.answer['message']} {done.answer['next']}", answer=done.answer
            )
        return Response(done)


# What the action refuses under a name of its own, in the API's words.
_SAME = {
    "unknown_scan": "not_found",
    "choice_unknown": "field_unreadable",
    "quantity_missing": "field_unreadable",
    "unknown_card": "unknown_reference",
    "code_taken": "taken",
}


def _refusal(refused: actions.SettleRefused) -> Problem:
    if refused.code == "already_settled" and refused.at is not None:
        said = (
            f"{refused.by} settled it on {date_format(refused.at, 'Y-m-d H:i')} UTC. Nothing is left to do."
        )
        return Problem(409, "already_settled", said, by=refused.by, settled_at=refused.at.isoformat())
    return _problem(refused.code)


def _problem(code: str) -> Problem:
    known = _SAME.get(code, code)
    status, sentence = CODES[known]
    return Problem(status, known, sentence)
