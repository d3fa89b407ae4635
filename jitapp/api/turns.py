"""What moves, to read: cards, turns and their chain, runouts, and a station's board."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request

from jitapp.api.endpoint import OPEN, PAGING, Endpoint, Rows, addresses, flag, operation, or_404, paged
from jitapp.api.errors import Problem
from jitapp.api.naming import asked
from jitapp.api.operations import Parameter
from jitapp.pull.reading import chain, lists
from jitapp.pull.reading.chain import Chain
from jitapp.pull.reading.lists import CardFacts, RunoutFacts, StationFacts, TurnFacts

LONGEST_CODE = 4_096
DIRECTIONS = ("up", "down", "both")


class OneCard(Endpoint):
    """The card behind a code."""

    path, url_name, group = "cards/<str:code>", "card", "Pull"

    @operation("The card behind a code", answer=CardFacts, problems=(404,))
    def get(self, _request: Request, code: str) -> CardFacts:
        """By its own code or by a tag that points to it or to its bin."""
        return or_404(lists.card(code[:LONGEST_CODE], plant_ids=self.plants(), now=timezone.now()))


class Cards(Endpoint):
    """All cards, or those of a loop."""

    path, url_name, group = "cards", "cards", "Pull"

    @operation("Cards", answer=Rows[CardFacts], parameters=(Parameter("loop", "code of a loop"), *PAGING))
    def get(self, request: Request) -> Rows[CardFacts]:
        """`?loop=CODE`"""
        now = timezone.now()
        loop = asked(request, "loop", self.plants())
        return paged(
            request,
            lambda after, limit: lists.cards(
                plant_ids=self.plants(), loop=loop, after=after, limit=limit, now=now
            ),
        )


class Turns(Endpoint):
    """All turns, or the open ones, or those of a supply station."""

    path, url_name, group = "turns", "turns", "Pull"

    @operation(
        "Turns",
        answer=Rows[TurnFacts],
        parameters=(OPEN, Parameter("station", "code of the supply station"), *PAGING),
    )
    def get(self, request: Request) -> Rows[TurnFacts]:
        """`?open=1&station=CODE`"""
        now = timezone.now()
        open_only, station = flag(request, "open"), asked(request, "station", self.plants())
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

    path, url_name, group = "turns/<uuid:id>", "turn", "Pull"

    @operation("One turn", answer=TurnFacts, problems=(404,))
    def get(self, _request: Request, id: UUID) -> TurnFacts:
        """The turn itself; its chain stands behind /chain."""
        return or_404(lists.turn(id, plant_ids=self.plants(), now=timezone.now()))


class TurnChain(Endpoint):
    """What a turn caused up to raw material, and what caused it down to the customer (fact A3)."""

    path, url_name, group = "turns/<uuid:id>/chain", "turn-chain", "Pull"

    @operation(
        "The pull chain: up to raw material, down to the customer",
        answer=Chain,
        parameters=(Parameter("direction", "both if not given", {"enum": list(DIRECTIONS)}),),
        problems=(404,),
    )
    def get(self, request: Request, id: UUID) -> Chain:
        """`?direction=up|down|both`"""
        direction = request.query_params.get("direction", "both")
        if direction not in DIRECTIONS:
            raise Problem(400, "malformed", "`direction` is up, down or both.")
        return or_404(chain.chain(id, plant_ids=self.plants(), now=timezone.now(), direction=direction))


class Runouts(Endpoint):
    """Loops that have, or had, no usable container."""

    path, url_name, group = "runouts", "runouts", "Pull"

    @operation("Runouts", answer=Rows[RunoutFacts], parameters=(OPEN, *PAGING))
    def get(self, request: Request) -> Rows[RunoutFacts]:
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

    path, url_name, group = "boards/<str:station>", "station-board", "Pull"

    @operation(
        "What a station must do next, and the cards it uses from", answer=StationFacts, problems=(404,)
    )
    def get(self, _request: Request, station: str) -> StationFacts:
        """The same facts as the page /b/supply/<station>."""
        return or_404(lists.station_board(station, plant_ids=self.plants(), now=timezone.now()))


ADDRESSES = addresses(Cards, OneCard, Turns, OneTurn, TurnChain, Runouts, StationBoard)
