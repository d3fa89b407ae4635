"""The event feed."""

from __future__ import annotations

from datetime import datetime

import msgspec
from rest_framework.request import Request

from jitapp.api.endpoint import PAGE_SIZE, Endpoint, addresses, limit_of, next_url, operation
from jitapp.api.errors import Problem
from jitapp.api.operations import Parameter
from jitapp.pull.reading.feed import BadCursor, FeedEvent, SetBack, read_feed
from jitapp.pull.reading.standstill import watch


class EventPage(msgspec.Struct):
    """Events; `cursor` is where to go on, now or later, `next` an address while more of them wait. `epoch` names the
    history: it changes when the database is restored, and with it every cursor ends. `held_since` is null but while an
    open transaction in the database holds back what is newer."""

    results: list[FeedEvent]
    next: str | None
    cursor: str
    epoch: str
    held_since: datetime | None


class Events(Endpoint):
    """The ledger from a cursor on; a reader that goes on from its last cursor misses nothing."""

    path, url_name, group = "events", "events", "Events"

    @operation(
        "The ledger; go on from the last cursor and you miss nothing",
        answer=EventPage,
        problems=(400, 410),
        parameters=(
            Parameter("cursor", "the `cursor` of the page before; `now` begins with what comes"),
            PAGE_SIZE,
        ),
    )
    def get(self, request: Request) -> EventPage:
        """`cursor` is always given, also with an empty page."""
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
        except SetBack as back:
            raise _set_back(back) from None
        following = next_url(request, page.cursor) if page.more else None
        held_since = watch.latest().feed_since
        return EventPage(page.events, following, page.cursor, page.epoch, held_since)


def _set_back(back: SetBack) -> Problem:
    """410: what was restored, and where to go on."""
    era = back.era
    kept = era.kept_until.isoformat() if era.kept_until is not None else None
    way = "Go on from `cursor`" if back.cursor else "Begin again without a cursor"
    return Problem(
        410,
        "history_was_set_back",
        f"The database was restored at {era.began_at.isoformat(timespec='seconds')}. Events recorded after"
        f" {kept or 'its beginning'} that you have read before are no longer true. {way}.",
        epoch=era.epoch,
        began_at=era.began_at.isoformat(),
        kept_until=kept,
        cursor=back.cursor or None,
    )


ADDRESSES = addresses(Events)
