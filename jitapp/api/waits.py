"""What waits, why and for whom."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from rest_framework.request import Request

from jitapp.api.bodies import instant_of
from jitapp.api.endpoint import OPEN, PAGING, Endpoint, Rows, addresses, flag, operation, paged, parameter
from jitapp.api.errors import Problem
from jitapp.api.naming import asked
from jitapp.api.operations import Parameter, Schema
from jitapp.pull.reading import lists, waits
from jitapp.pull.reading.waits import WaitFacts, WaitSummary

USUAL_WINDOW = timedelta(days=1)
_INSTANT: Schema = {"type": "string", "format": "date-time"}


class Waits(Endpoint):
    """Intervals in which an open turn does not move."""

    path, url_name, group = "waits", "waits", "Pull"

    @operation(
        "Waits, each cut among the states of the station it waits for; an open one with the reason of now",
        answer=Rows[WaitFacts],
        parameters=(OPEN, *PAGING),
    )
    def get(self, request: Request) -> Rows[WaitFacts]:
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

    path, url_name, group = "waits/summary", "waits-summary", "Pull"

    @operation(
        "All waiting of a window in minutes by reason; the reasons add up to all of it",
        answer=WaitSummary,
        parameters=(
            Parameter("station", "code of the supply station"),
            Parameter("area", "code of an area"),
            Parameter("from", "beginning of the window; a day before `to` if not given", _INSTANT),
            Parameter(
                "to",
                f"end of the window; now if not given. At most {waits.LONGEST_WINDOW.days} days",
                _INSTANT,
            ),
        ),
    )
    def get(self, request: Request) -> WaitSummary:
        """`?station=&area=&from=&to=`; the last day if no window is given."""
        now = timezone.now()
        end = _instant(request, "to") or now
        begin = _instant(request, "from") or end - USUAL_WINDOW
        if not timedelta(0) < end - begin <= waits.LONGEST_WINDOW:
            days = waits.LONGEST_WINDOW.days
            raise Problem(400, "malformed", f"The window runs from `from` to `to`, at most {days} days.")
        return waits.summary(
            plant_ids=self.plants(),
            begin=begin,
            end=end,
            now=now,
            station=asked(request, "station", self.plants()) or None,
            area=asked(request, "area", self.plants()) or None,
        )


def _instant(request: Request, name: str) -> datetime | None:
    text = parameter(request, name)
    if text is None:
        return None
    try:
        return instant_of(name, text.replace(" ", "+"))
    except Problem as problem:
        raise Problem(400, "malformed", str(problem)) from None


ADDRESSES = addresses(Waits, WaitsSummary)
