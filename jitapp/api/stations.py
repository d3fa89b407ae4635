"""What a station stands still for, and changing it over to another part family."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from django.utils import timezone
from rest_framework.request import Request

from jitapp.api.bodies import plausible
from jitapp.api.calls import refusals
from jitapp.api.endpoint import Endpoint, addresses, operation, or_404
from jitapp.plant.models import Station
from jitapp.pull import actions
from jitapp.pull.reading import waits
from jitapp.pull.reading.changeovers import StationChangeovers, changeovers_of
from jitapp.pull.reading.waits import StationStanding


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


class ChangeoverBody(msgspec.Struct, forbid_unknown_fields=True):
    """To which part family; `by` is a badge or a user name."""

    to_family: str
    from_family: str = ""
    by: str = ""


class ByBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who did it, if known."""

    by: str = ""


class OfStation(Endpoint):
    """What the endpoints of a station share."""

    group = "Calls"

    def station(self, code: str) -> Station:
        """Raises Http404."""
        return or_404(Station.objects.filter(code=code, plant_id__in=self.plants()).first())

    def standing(self, code: str) -> StationStanding:
        """The states that go on now. Raises Http404."""
        return waits.standing(self.station(code))

    def changeovers(self, code: str) -> StationChangeovers:
        """What is known of its changeovers now. Raises Http404."""
        return changeovers_of(self.station(code).pk)


class StationStates(OfStation):
    """What a station stands still for."""

    path, url_name = "stations/<str:code>/states", "api-states"

    @operation("What the station stands still for now", answer=StationStanding, problems=(404,))
    def get(self, _request: Request, code: str) -> StationStanding:
        """The states that go on now."""
        return self.standing(code)

    @operation(
        "The station stands still: from now on, since `began_at`, or, told late, until `ended_at`",
        answer=StationStanding,
        body=StateBody,
        problems=(403, 409),
    )
    def post(self, _request: Request, body: StateBody, code: str) -> StationStanding:
        """Begun again it changes nothing."""
        now, source = timezone.now(), self.source_by(body.by)
        began_at, ended_at = plausible("began_at", body.began_at), plausible("ended_at", body.ended_at)
        with refusals():
            if ended_at is not None:
                actions.record_state(
                    station=code,
                    kind=body.kind,
                    began_at=began_at or now,
                    ended_at=ended_at,
                    note=body.note,
                    now=now,
                    source=source,
                )
            else:
                actions.begin_state(
                    station=code, kind=body.kind, began_at=began_at, note=body.note, now=now, source=source
                )
        return self.standing(code)


class EndState(OfStation):
    """It works again."""

    path, url_name = "stations/<str:code>/states/<str:kind>/end", "api-state-end"

    @operation(
        "The station works again; `kind` is down, no_operator or planned_stop",
        answer=StationStanding,
        body=StateEndBody,
        problems=(403, 409),
    )
    def post(self, _request: Request, body: StateEndBody, code: str, kind: str) -> StationStanding:
        """From now on, or since `ended_at`."""
        with refusals():
            actions.end_state(
                station=code,
                kind=kind,
                ended_at=plausible("ended_at", body.ended_at),
                now=timezone.now(),
                source=self.source_by(body.by),
            )
        return self.standing(code)


class Changeovers(OfStation):
    """The changeovers of a station."""

    path, url_name = "stations/<str:code>/changeovers", "api-changeovers"

    @operation(
        "The changeover under way; newest and median minutes per part family",
        answer=StationChangeovers,
        problems=(404,),
    )
    def get(self, _request: Request, code: str) -> StationChangeovers:
        """From the ledger."""
        return self.changeovers(code)


class BeginChangeover(OfStation):
    """A changeover begins."""

    path, url_name = "stations/<str:code>/changeover", "api-changeover"

    @operation(
        "Begin a changeover; again for the same family changes nothing",
        answer=StationChangeovers,
        body=ChangeoverBody,
        problems=(403, 409),
    )
    def post(self, _request: Request, body: ChangeoverBody, code: str) -> StationChangeovers:
        """Its minutes count from now on."""
        with refusals():
            actions.begin_changeover(
                station=code,
                from_family=body.from_family,
                to_family=body.to_family,
                now=timezone.now(),
                source=self.source_by(body.by),
            )
        return self.changeovers(code)


class FinishChangeover(OfStation):
    """A changeover ends."""

    path, url_name = "stations/<str:code>/changeover/finish", "api-changeover-end"

    @operation("Finish the changeover under way", answer=StationChangeovers, body=ByBody, problems=(403, 409))
    def post(self, _request: Request, body: ByBody, code: str) -> StationChangeovers:
        """Its minutes count until now."""
        with refusals():
            actions.finish_changeover(station=code, now=timezone.now(), source=self.source_by(body.by))
        return self.changeovers(code)


ADDRESSES = addresses(StationStates, EndState, Changeovers, BeginChangeover, FinishChangeover)
