"""Attempts to make what nobody has asked for, over HTTP."""

from __future__ import annotations

from rest_framework.request import Request

from jitapp.api.endpoint import PAGING, Endpoint, Rows, addresses, operation, paged
from jitapp.api.naming import asked
from jitapp.api.operations import Parameter
from jitapp.pull.reading.attempts import AttemptFacts, attempts
from jitapp.pull.reading.lists import Page


class Attempts(Endpoint):
    """What was refused because nobody had asked for it (rule C5)."""

    path, url_name, group = "attempts", "attempts", "Pull"

    @operation(
        "Attempts to make what nobody has asked for",
        answer=Rows[AttemptFacts],
        parameters=(*PAGING, Parameter("station", "only those at this station")),
    )
    def get(self, request: Request) -> Rows[AttemptFacts]:
        """Oldest first."""
        station = asked(request, "station", self.plants())
        return paged(
            request,
            lambda after, limit: Page(
                *attempts(plant_ids=self.plants(), station=station, after=after, limit=limit)
            ),
        )


ADDRESSES = addresses(Attempts)
