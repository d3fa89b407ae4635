"""Attempts to make what nobody has asked for, over HTTP."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from jitapp.api.endpoint import Endpoint, paged
from jitapp.pull.reading.attempts import attempts
from jitapp.pull.reading.lists import Page


class Attempts(Endpoint):
    """What was refused because nobody had asked for it (rule C5)."""

    def get(self, request: Request) -> Response:
        """`?station=CODE`"""
        station = request.query_params.get("station")
        return paged(
            request,
            lambda after, limit: Page(
                *attempts(plant_ids=self.plants(), station=station, after=after, limit=limit)
            ),
        )
