"""The event feed."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from jitapp.api.endpoint import Endpoint, limit_of, next_url
from jitapp.api.errors import Problem
from jitapp.pull.reading.feed import BadCursor, read_feed


class Events(Endpoint):
    """The ledger from a cursor on; a reader that goes on from its last cursor misses nothing."""

    def get(self, request: Request) -> Response:
        """`cursor` is always given, also with an empty page; `next` while more events wait."""
        try:
            page = read_feed(
                plant_ids=self.plants(),
                cursor=request.query_params.get("cursor", ""),
                limit=limit_of(request),
            )
        except BadCursor:
            raise Problem(
                400, "cursor_unknown", "This cursor was not given out by the feed. Begin without one."
            ) from None
        following = next_url(request, page.cursor) if page.more else None
        return Response({"results": page.events, "next": following, "cursor": page.cursor})
