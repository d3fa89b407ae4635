"""What waits, why and for whom; and what stations stand still for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec
from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.request import Request
from rest_framework.response import Response

from jitapp.api.calls import Speaking, problem, read
from jitapp.api.endpoint import Endpoint, flag, paged
from jitapp.api.errors import Problem
from jitapp.plant.models import Station
from jitapp.pull import actions
from jitapp.pull.reading import lists, waits

USUAL_WINDOW = timedelta(days=1)


class StateBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the station stands still for: from now on, since `began_at`, or, told late, until `ended_at`."""

    kind: Literal["down", "no_operator", "planned_stop"]
    began_at: datetime | None = None
    ended_at: datetime | None = None
    note: str = ""
    by: str = ""


class StateEndBody(msgspec.Struct, forbid_unknown_fields=True):
    """When it was over, if not now; `by` is a badge or a user name."""

    ended_at: datetime | None = None
    by: str = ""


class Waits(Endpoint):
    """Intervals in which an open turn does not move."""

    def get(self, request: Request) -> Response:
        """`?open=1`; each wait with its segments."""
        now = timezone.now()
        open_only = flag(request, "open")
        return paged(
            request,
            lambda after, limit: lists.waits(
                plant_ids=self.plants(), open_only=open_only, after=after, limit=limit, now=now
            ),
        )


class WaitsSummary(Endpoint):
    """All waiting of a window, by reason."""

    def get(self, request: Request) -> Response:
        """`?station=&area=&from=&to=`; the last day if no window is given."""
        now = timezone.now()
        end = _instant(request, "to") or now
        begin = _instant(request, "from") or end - USUAL_WINDOW
        if not timedelta(0) < end - begin <= waits.LONGEST_WINDOW:
            days = waits.LONGEST_WINDOW.days
            raise Problem(400, "malformed", f"The window runs from `from` to `to`, at most {days} days.")
        return Response(
            waits.summary(
                plant_ids=self.plants(),
                begin=begin,
                end=end,
                now=now,
                station=request.query_params.get("station") or None,
                area=request.query_params.get("area") or None,
            )
        )


class StationStates(Speaking):
    """What a station stands still for."""

    def get(self, _request: Request, station: str) -> Response:
        """The states that go on now."""
        return self.states(station)

    def post(self, request: Request, station: str) -> Response:
        """It stands still from now on, or stood still for a time; begun again it changes nothing."""
        body = read(request, StateBody)
        now, source = timezone.now(), self.source_by(body.by)
        try:
            if body.ended_at is not None:
                actions.record_state(
                    station=station,
                    kind=body.kind,
                    began_at=_aware(body.began_at or now),
                    ended_at=_aware(body.ended_at),
                    note=body.note,
                    now=now,
                    source=source,
                )
            else:
                actions.begin_state(
                    station=station,
                    kind=body.kind,
                    began_at=None if body.began_at is None else _aware(body.began_at),
                    note=body.note,
                    now=now,
                    source=source,
                )
        except actions.StateRefused as refused:
            raise problem(refused.code) from None
        return self.states(station)

    def states(self, station: str) -> Response:
        """Those of now."""
        found = Station.objects.filter(code=station, plant_id__in=self.plants()).first()
        if found is None:
            raise Http404
        return Response(waits.standing(found))


class EndState(StationStates):
    """It works again."""

    http_method_names = ["post", "options"]

    def post(self, request: Request, station: str, kind: str = "") -> Response:
        """The span counts from now on."""
        body = read(request, StateEndBody)
        try:
            actions.end_state(
                station=station,
                kind=kind,
                ended_at=None if body.ended_at is None else _aware(body.ended_at),
                now=timezone.now(),
                source=self.source_by(body.by),
            )
        except actions.StateRefused as refused:
            raise problem(refused.code) from None
        return self.states(station)


def _instant(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Problem(400, "malformed", f"`{name}` is an instant with its offset, like 2026-11-21T09:00:00Z.")
    return found


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise Problem(422, "field_unreadable", "An instant needs its offset, like 2026-11-21T09:00:00Z.")
    return at
