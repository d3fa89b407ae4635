"""What moves, to read: cards, turns and their chain, runouts, and a station's board."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from jitapp.api.endpoint import Endpoint, flag, paged
from jitapp.api.errors import Problem
from jitapp.pull.reading import chain, lists

LONGEST_CODE = 4_096


class OneCard(Endpoint):
    """The card behind a code."""

    def get(self, _request: Request, code: str) -> Response:
        """By its own code or by a tag that points to it or to its bin."""
        found = lists.card(code[:LONGEST_CODE], plant_ids=self.plants(), now=timezone.now())
        return _or_404(found)


class Cards(Endpoint):
    """All cards, or those of a loop."""

    def get(self, request: Request) -> Response:
        """`?loop=CODE`"""
        now = timezone.now()
        loop = request.query_params.get("loop")
        return paged(
            request,
            lambda after, limit: lists.cards(
                plant_ids=self.plants(), loop=loop, after=after, limit=limit, now=now
            ),
        )


class Turns(Endpoint):
    """All turns, or the open ones, or those of a supply station."""

    def get(self, request: Request) -> Response:
        """`?open=1&station=CODE`"""
        now = timezone.now()
        open_only, station = flag(request, "open"), request.query_params.get("station")
        return paged(
            request,
            lambda after, limit: lists.turns(
                plant_ids=self.plants(),
                open_only=open_only,
                station=station,
                after=after,
                limit=limit,
                now=now,
            ),
        )


class OneTurn(Endpoint):
    """A turn by its id."""

    def get(self, _request: Request, turn: UUID) -> Response:
        """The turn itself; its chain stands behind /chain."""
        return _or_404(lists.turn(turn, plant_ids=self.plants(), now=timezone.now()))


class TurnChain(Endpoint):
    """What a turn caused up to raw material, and what caused it down to the customer (fact A3)."""

    def get(self, request: Request, turn: UUID) -> Response:
        """`?direction=up|down|both`"""
        direction = request.query_params.get("direction", "both")
        if direction not in ("up", "down", "both"):
            raise Problem(400, "malformed", "`direction` is up, down or both.")
        return _or_404(chain.chain(turn, plant_ids=self.plants(), now=timezone.now(), direction=direction))


class Runouts(Endpoint):
    """Loops that have, or had, no usable container."""

    def get(self, request: Request) -> Response:
        """`?open=1`"""
        open_only = flag(request, "open")
        return paged(
            request,
            lambda after, limit: lists.runouts(
                plant_ids=self.plants(), open_only=open_only, after=after, limit=limit
            ),
        )


class StationBoard(Endpoint):
    """What a station must do next, and the cards it uses from."""

    def get(self, _request: Request, station: str) -> Response:
        """The same facts as the page /b/supply/<station>."""
        return _or_404(lists.station_board(station, plant_ids=self.plants(), now=timezone.now()))


def _or_404(found: object | None) -> Response:
    if found is None:
        raise Http404
    return Response(found)
