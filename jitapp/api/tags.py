"""Tags and the cards that carry them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from django.utils import timezone
from rest_framework.request import Request

from jitapp.api.endpoint import PAGING, Endpoint, Rows, addresses, operation, or_404, paged
from jitapp.api.errors import Problem
from jitapp.api.naming import card_code
from jitapp.api.operations import ERP_ONLY, Parameter
from jitapp.pull.reading.lists import Page
from jitapp.tags import reading
from jitapp.tags.binding import TagRefused, bind, named, unbind
from jitapp.tags.reading import TagFacts
from jitapp.tags.words import How

# What is refused: status, the API's code, and what to do.
_REFUSED = {
    "unknown_card": (422, "unknown_reference", "There is no such card in your plant."),
    "card_gone": (409, "refused", "The card takes part no more. Choose a card that takes part."),
    "reads_like_card": (422, "field_unreadable", "The tag's number reads like the code of a card."),
    "tag_unreadable": (422, "field_unreadable", "The tag is no memory in hex and no identity that is known."),
    "other_plant": (409, "taken", "The tag is on a card of another plant."),
    "tag_on_card": (409, "taken", "The tag is on another card. Send `move` to take it off there."),
    "code_taken": (409, "taken", "The tag's number is the code of something else."),
    "reason_missing": (422, "reason_missing", "Say why the tag is taken off its card."),
    "on_no_card": (409, "refused", "The tag is on no card."),
    "unknown_tag": (404, "not_found", "There is no such tag in your plant."),
}


class TagBody(msgspec.Struct, forbid_unknown_fields=True):
    """The card that carries the tag from now on. `move`: also where the tag is on another card."""

    card: str
    move: bool = False


class UnbindBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why the tag is on its card no more."""

    reason: str


class Tags(Endpoint):
    """The tags of the plant."""

    path, url_name, group = "tags", "api-tags", "Tags"

    @operation(
        "Tags that were seen or bound",
        answer=Rows[TagFacts],
        parameters=(Parameter("card", "code of a card"), *PAGING),
    )
    def get(self, request: Request) -> Rows[TagFacts]:
        """`?card=CODE`"""
        card = card_code(request.query_params.get("card", ""))

        def page(after: int, limit: int) -> Page:
            rows = reading.tags(plant_ids=self.plants(), card=card, after=after, limit=limit + 1)
            last = rows[limit - 1].id if len(rows) > limit else None
            return Page(rows[:limit], last)

        return paged(request, page)


class OneTag(Endpoint):
    """PUT /tags/{tag}"""

    path, url_name, group = "tags/<str:tag>", "api-tag", "Tags"

    @operation("One tag, by its memory in hex or its identity", answer=TagFacts, problems=(404, 422))
    def get(self, _request: Request, tag: str) -> TagFacts:
        """Of the token's plants."""
        with refusals():
            return or_404(reading.tag_named(named(tag)[0], self.plants()))

    @operation(
        "Put a tag on a card: from then on reads of the tag are of that card",
        answer=TagFacts,
        body=TagBody,
        problems=(409, 422),
        who=ERP_ONLY,
    )
    def put(self, _request: Request, body: TagBody, tag: str) -> TagFacts:
        """The same again changes nothing."""
        with refusals():
            bound = bind(
                tag=tag,
                card=body.card,
                how=How.API,
                plant_ids=self.plants(),
                now=timezone.now(),
                device_id=self.source().device_id,
                move=body.move,
            )
        return or_404(reading.tag_named(bound.identity, self.plants()))


class UnbindTag(Endpoint):
    """POST /tags/{tag}/unbind"""

    path, url_name, group = "tags/<str:tag>/unbind", "api-tag-unbind", "Tags"

    @operation(
        "Take a tag off its card", answer=TagFacts, body=UnbindBody, problems=(404, 409, 422), who=ERP_ONLY
    )
    def post(self, _request: Request, body: UnbindBody, tag: str) -> TagFacts:
        """From then on it is on none."""
        with refusals():
            row = unbind(tag=tag, reason=body.reason, plant_ids=self.plants(), now=timezone.now())
        return or_404(reading.tag_named(row.identity, self.plants()))


@contextmanager
def refusals() -> Iterator[None]:
    """Turns what binding refuses into a Problem."""
    try:
        yield
    except TagRefused as refused:
        status, code, detail = _REFUSED[refused.code]
        said = [f"{name}: {value}" for name, value in refused.facts.items()]
        raise Problem(status, code, " ".join([detail, *said])) from None


ADDRESSES = addresses(Tags, OneTag, UnbindTag)
