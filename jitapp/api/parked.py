"""Scans that wait for a person, over HTTP: what they say, what the ledger knows, and settling them."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec
from django.utils import timezone
from django.utils.formats import date_format
from rest_framework.request import Request

from jitapp.api.bodies import key_of, quantity_of
from jitapp.api.endpoint import PAGING, Endpoint, Rows, addresses, operation, paged
from jitapp.api.errors import Problem, problem_of
from jitapp.api.naming import card_code
from jitapp.pull import actions
from jitapp.pull.actions import Settled
from jitapp.pull.reading.parked import ParkedScan, parked_page

LONGEST = 200


class SettleBody(msgspec.Struct, forbid_unknown_fields=True):
    """How a waiting scan is settled, and by whom: a badge or a user name of a leader, planner or administrator, and the
    `pin` that proves it.

    `accept` applies it now as `choice` says (one of the scan's `ways`, its own step if left out), `discard` needs a
    `reason`, `assign` gives an unknown code to the card `card`. A count takes `quantity`.
    """

    how: Literal["accept", "discard", "assign"]
    by: str
    pin: str = ""
    choice: str = ""
    quantity: str | None = None
    reason: str = ""
    card: str = ""


class ParkedScans(Endpoint):
    """What waits in the plants of the token."""

    path, url_name, group = "scans/parked", "scans-parked", "Tray"

    @operation(
        "Scans that wait for a person, and codes that nobody knew: both stories, and the ways to settle them",
        answer=Rows[ParkedScan],
        parameters=PAGING,
    )
    def get(self, request: Request) -> Rows[ParkedScan]:
        """Page by page; within a page oldest first."""
        now = timezone.now()
        return paged(
            request,
            lambda after, limit: parked_page(plant_ids=self.plants(), after=after, limit=limit, now=now),
        )


class SettleScan(Endpoint):
    """A person has looked at a waiting scan."""

    path, url_name, group = "scans/<uuid:id>/settle", "scan-settle", "Tray"

    @operation(
        "A leader, planner or administrator settles a waiting scan; its first answer stays",
        answer=Settled,
        body=SettleBody,
        problems=(403, 404, 409),
    )
    def post(self, request: Request, body: SettleBody, id: UUID) -> Settled:
        """The same Idempotency-Key again gets the first answer; another is told who was first."""
        if not body.by:
            raise problem_of("person_unknown", _NAMES)
        try:
            done = actions.settle_scan(
                scan_id=id,
                how=body.how,
                choice=body.choice,
                quantity=quantity_of(body.quantity),
                reason=body.reason[: LONGEST * 2],
                card=card_code(body.card)[:LONGEST],
                key=key_of(request, f"settle {id}"),
                now=timezone.now(),
                source=self.source_as(body.by, body.pin),
            )
        except actions.SettleRefused as refused:
            raise _refusal(refused) from None
        if done.how == actions.DECLINED:
            assert done.answer is not None
            raise Problem(
                409, "refused", f"{done.answer['message']} {done.answer['next']}", answer=done.answer
            )
        return done


# What the action refuses under a name of its own, in the API's words.
_NAMES = {
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
    return problem_of(refused.code, _NAMES)


ADDRESSES = addresses(ParkedScans, SettleScan)
