"""Calling for help over HTTP, answering and solving; and changing a station over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Literal, TypeVar
from uuid import UUID

import msgspec
from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from jitapp.api.acts import AnyDevice, key_of
from jitapp.api.endpoint import Endpoint, flag, paged
from jitapp.api.errors import CODES, Problem
from jitapp.plant.models import Station
from jitapp.pull import actions
from jitapp.pull.reading import calls
from jitapp.pull.reading.changeovers import changeovers_of
from jitapp.pull.scan_request import Source
from jitapp.pull.sources import person_of

LONGEST_CODE = 60
T = TypeVar("T")


class CallBody(msgspec.Struct, forbid_unknown_fields=True):
    """A call; without `station` from the device's own. `id` or an Idempotency-Key makes a repeat harmless."""

    kind: Literal["material", "quality", "machine", "help"]
    station: str | None = None
    stops_line: bool = False
    note: str = ""
    card: str = ""
    by: str = ""
    id: UUID | None = None


class TakeBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who has it: a badge or a user name."""

    by: str


class SolveBody(msgspec.Struct, forbid_unknown_fields=True):
    """What it was, and what keeps it from coming back."""

    reason: str
    countermeasure: str = ""
    countermeasure_due: date | None = None
    by: str = ""


class ChangeoverBody(msgspec.Struct, forbid_unknown_fields=True):
    """To which part family; `by` is a badge or a user name."""

    to_family: str
    from_family: str = ""
    by: str = ""


class ByBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who did it, if known."""

    by: str = ""


class Speaking(Endpoint):
    """A door for every known device: help is called from wherever somebody stands."""

    permission_classes = (AnyDevice,)

    def source_by(self, by: str) -> Source:
        """The device together with the person. Raises Problem for a name that nobody has."""
        if not by:
            return self.source()
        person = person_of(by)
        if person is None:
            raise problem("person_unknown")
        return replace(self.source(), person_id=person)

    def shown(self, call: UUID) -> Response:
        """The call as it stands now."""
        found = calls.one_call(call, plant_ids=self.plants(), now=timezone.now())
        if found is None:
            raise Http404
        return Response(found)


class Calls(Speaking):
    """The calls of the plant."""

    def get(self, request: Request) -> Response:
        """`?open=1&station=CODE`"""
        now = timezone.now()
        open_only, station = flag(request, "open"), request.query_params.get("station")
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

    def post(self, request: Request) -> Response:
        """Somebody calls."""
        body = read(request, CallBody)
        try:
            made = actions.call_for_help(
                station=body.station,
                kind=body.kind,
                stops_line=body.stops_line,
                note=body.note,
                card=body.card[:LONGEST_CODE],
                id=body.id or key_of(request, f"call {self.source().device_id}"),
                now=timezone.now(),
                source=self.source_by(body.by),
            )
        except actions.CallRefused as refused:
            raise problem(refused.code) from None
        return self.shown(made.uuid)


class OneCall(Speaking):
    """A call by its id."""

    def get(self, _request: Request, call: UUID) -> Response:
        """How far it is, and who must come."""
        return self.shown(call)


class TakeCall(Speaking):
    """Somebody has it."""

    def post(self, request: Request, call: UUID) -> Response:
        """The climbing stops, the owner's clock begins."""
        source = self.source_by(read(request, TakeBody).by)
        try:
            actions.take_call(call_id=call, person_id=source.person_id, now=timezone.now(), source=source)
        except actions.CallRefused as refused:
            raise problem(refused.code) from None
        return self.shown(call)


class SolveCall(Speaking):
    """The call is over."""

    def post(self, request: Request, call: UUID) -> Response:
        """A stopped line runs again."""
        body = read(request, SolveBody)
        try:
            actions.solve_call(
                call_id=call,
                reason=body.reason,
                countermeasure=body.countermeasure,
                countermeasure_due=body.countermeasure_due,
                now=timezone.now(),
                source=self.source_by(body.by),
            )
        except actions.CallRefused as refused:
            raise problem(refused.code) from None
        return self.shown(call)


class Changeovers(Speaking):
    """The changeovers of a station."""

    def get(self, _request: Request, station: str) -> Response:
        """The one under way; newest and median minutes per part family."""
        return self.times(station)

    def times(self, station: str) -> Response:
        """What is known of the station now."""
        found = Station.objects.filter(code=station, plant_id__in=self.plants()).first()
        if found is None:
            raise Http404
        return Response(changeovers_of(found.pk))


class BeginChangeover(Changeovers):
    """A changeover begins."""

    http_method_names = ["post", "options"]

    def post(self, request: Request, station: str) -> Response:
        """Again for the same family changes nothing."""
        body = read(request, ChangeoverBody)
        try:
            actions.begin_changeover(
                station=station,
                from_family=body.from_family,
                to_family=body.to_family,
                now=timezone.now(),
                source=self.source_by(body.by),
            )
        except actions.ChangeoverRefused as refused:
            raise problem(refused.code) from None
        return self.times(station)


class FinishChangeover(Changeovers):
    """A changeover ends."""

    http_method_names = ["post", "options"]

    def post(self, request: Request, station: str) -> Response:
        """Its minutes count from now on."""
        try:
            actions.finish_changeover(
                station=station, now=timezone.now(), source=self.source_by(read(request, ByBody).by)
            )
        except actions.ChangeoverRefused as refused:
            raise problem(refused.code) from None
        return self.times(station)


# What an action refuses under a name of its own, in the API's words.
_SAME = {
    "unknown_call": "not_found",
    "unknown_station": "unknown_reference",
    "unknown_card": "unknown_reference",
    "unknown_kind": "field_unreadable",
    "span_backwards": "field_unreadable",
    "family_missing": "field_unreadable",
}


def problem(code: str) -> Problem:
    """The refusal of an action as the API says it."""
    known = _SAME.get(code, code)
    status, sentence = CODES[known]
    return Problem(status, known, sentence)


def read(request: Request, shape: type[T]) -> T:
    """The body in its shape. Raises Problem for a member that cannot be read."""
    try:
        return msgspec.convert(request.data or {}, shape, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(422, "field_unreadable", f"A member cannot be read: {error}.") from None
