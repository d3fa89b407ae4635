"""Calling for help over HTTP, from wherever somebody stands; answering and solving."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Literal
from uuid import UUID

import msgspec
from django.utils import timezone
from rest_framework.request import Request

from jitapp.api.bodies import key_of
from jitapp.api.endpoint import OPEN, PAGING, Endpoint, Rows, addresses, flag, operation, or_404, paged
from jitapp.api.errors import problem_of
from jitapp.api.naming import as_kept, asked, card_code
from jitapp.api.operations import Parameter
from jitapp.plant.models import Station
from jitapp.pull import actions
from jitapp.pull.reading import calls
from jitapp.pull.reading.calls import CallFacts

LONGEST_CODE = 60
# What an action refuses under a name of its own, in the API's words.
_NAMES = {
    "unknown_call": "not_found",
    "unknown_station": "unknown_reference",
    "unknown_card": "unknown_reference",
    "unknown_kind": "field_unreadable",
    "span_backwards": "field_unreadable",
    "family_missing": "field_unreadable",
}


class CallBody(msgspec.Struct, forbid_unknown_fields=True):
    """A call; without `station` from the device's own. `by` says who called and gives no right. `id` or an
    Idempotency-Key makes a repeat harmless."""

    kind: Literal["material", "quality", "machine", "help"]
    station: str | None = None
    stops_line: bool = False
    note: str = ""
    card: str = ""
    by: str = ""
    id: UUID | None = None


class TakeBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who has it: a badge or a user name, and the PIN that proves it."""

    by: str
    pin: str = ""


class SolveBody(msgspec.Struct, forbid_unknown_fields=True):
    """What it was, and what keeps it from coming back. Whoever solves a call that nobody took has taken it: `by` needs
    the `pin`; without `by` the device alone is on record."""

    reason: str
    countermeasure: str = ""
    countermeasure_due: date | None = None
    by: str = ""
    pin: str = ""


class OfCalls(Endpoint):
    """What the endpoints of calls share."""

    group = "Calls"

    def call(self, id: UUID) -> CallFacts:
        """The call as it stands now. Raises Http404."""
        return or_404(calls.one_call(id, plant_ids=self.plants(), now=timezone.now()))


class Calls(OfCalls):
    """The calls of the plant."""

    path, url_name = "calls", "api-calls"

    @operation(
        "Calls for help",
        answer=Rows[CallFacts],
        parameters=(OPEN, Parameter("station", "code of a station"), *PAGING),
    )
    def get(self, request: Request) -> Rows[CallFacts]:
        """`?open=1&station=CODE`"""
        now = timezone.now()
        open_only, station = flag(request, "open"), asked(request, "station", self.plants())
        return paged(
            request,
            lambda after, limit: calls.calls(
                plant_ids=self.plants(),
                open_only=open_only,
                station=station,
                after=after,
                limit=limit,
                now=now,
            ),
        )

    @operation(
        "Call for help; while `stops_line`, nothing is started at the station",
        answer=CallFacts,
        body=CallBody,
        problems=(403, 409),
    )
    def post(self, request: Request, body: CallBody) -> CallFacts:
        """Somebody calls."""
        with refusals():
            made = actions.call_for_help(
                station=as_kept(Station, body.station, self.plants()) if body.station else None,
                kind=body.kind,
                stops_line=body.stops_line,
                note=body.note,
                card=card_code(body.card)[:LONGEST_CODE],
                id=body.id or key_of(request, f"call {self.source().device_id}"),
                now=timezone.now(),
                source=self.source_by(body.by),
            )
        return self.call(made.uuid)


class OneCall(OfCalls):
    """A call by its id."""

    path, url_name = "calls/<uuid:id>", "api-call"

    @operation("One call: how far it is, who must come", answer=CallFacts, problems=(404,))
    def get(self, _request: Request, id: UUID) -> CallFacts:
        """Of the token's plants."""
        return self.call(id)


class TakeCall(OfCalls):
    """Somebody has it."""

    path, url_name = "calls/<uuid:id>/take", "api-call-take"

    @operation(
        "Somebody has it: the climbing stops, the owner's clock begins",
        answer=CallFacts,
        body=TakeBody,
        problems=(403, 404, 409),
    )
    def post(self, _request: Request, body: TakeBody, id: UUID) -> CallFacts:
        """Again by the same person it changes nothing."""
        source = self.source_as(body.by, body.pin)
        with refusals():
            actions.take_call(call_id=id, person_id=source.person_id, now=timezone.now(), source=source)
        return self.call(id)


class SolveCall(OfCalls):
    """The call is over."""

    path, url_name = "calls/<uuid:id>/solve", "api-call-solve"

    @operation(
        "The call is over: its reason, and what keeps it from coming back",
        answer=CallFacts,
        body=SolveBody,
        problems=(403, 404, 422),
    )
    def post(self, _request: Request, body: SolveBody, id: UUID) -> CallFacts:
        """A stopped line runs again."""
        with refusals():
            actions.solve_call(
                call_id=id,
                reason=body.reason,
                countermeasure=body.countermeasure,
                countermeasure_due=body.countermeasure_due,
                now=timezone.now(),
                source=self.source_as(body.by, body.pin),
            )
        return self.call(id)


@contextmanager
def refusals() -> Iterator[None]:
    """Turns what an action about calls and stations refuses into a Problem."""
    try:
        yield
    except (actions.CallRefused, actions.ChangeoverRefused, actions.StateRefused) as refused:
        raise problem_of(refused.code, _NAMES) from None


ADDRESSES = addresses(Calls, OneCall, TakeCall, SolveCall)
