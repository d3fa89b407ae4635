"""The document that the ERP keeps for a turn: its number, how far it is, and what became of it."""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.utils import timezone
from rest_framework.request import Request

from jitapp.api.endpoint import Endpoint, addresses, operation, or_404
from jitapp.api.operations import ERP_ONLY
from jitapp.erp.documents import retry
from jitapp.erp.queries import RequestFacts, request_of
from jitapp.pull import actions
from jitapp.pull.reading import lists
from jitapp.pull.reading.lists import TurnFacts


class DocumentBody(msgspec.Struct, forbid_unknown_fields=True):
    """The number of the ERP's document."""

    document: str


class FailureBody(msgspec.Struct, forbid_unknown_fields=True):
    """What failed for good, as a sentence for the buyer."""

    reason: str


class OfTurn(Endpoint):
    """What an ERP client says about a turn."""

    group = "Acts"

    def turn(self, id: UUID) -> TurnFacts:
        """The turn as it stands now. Raises Http404."""
        return or_404(lists.turn(id, plant_ids=self.plants(), now=timezone.now()))

    def request_for(self, id: UUID) -> RequestFacts:
        """The document that the ERP is asked for. Raises Http404 where none was ever needed."""
        return or_404(request_of(id, plant_ids=self.plants()))


class TurnDocument(OfTurn):
    """GET and POST /turns/{id}/document"""

    path, url_name = "turns/<uuid:id>/document", "turn-document"

    @operation(
        "How far the document is that the ERP is asked for: attempts, the last problem, the next call",
        answer=RequestFacts,
        problems=(404,),
    )
    def get(self, _request: Request, id: UUID) -> RequestFacts:
        """404 where no document was ever needed."""
        return self.request_for(id)

    @operation(
        "The number of the ERP's document; the signal that waited for it goes out",
        answer=TurnFacts,
        body=DocumentBody,
        problems=(404, 409),
        who=ERP_ONLY,
    )
    def post(self, _request: Request, body: DocumentBody, id: UUID) -> TurnFacts:
        """The same number again changes nothing."""
        self.turn(id)
        actions.give_document(
            turn=str(id), document=body.document.strip(), now=timezone.now(), source=self.source()
        )
        return self.turn(id)


class RetryDocument(OfTurn):
    """POST /turns/{id}/retry-document"""

    path, url_name = "turns/<uuid:id>/retry-document", "turn-retry-document"

    @operation(
        "What the ERP refused was mended: it is asked for the document again",
        answer=RequestFacts,
        problems=(404, 409),
        who=ERP_ONLY,
    )
    def post(self, _request: Request, id: UUID) -> RequestFacts:
        """Asked again now, under the same key."""
        self.request_for(id)
        retry(id, now=timezone.now())
        return self.request_for(id)


class TurnFailed(OfTurn):
    """POST /turns/{id}/fail"""

    path, url_name = "turns/<uuid:id>/fail", "turn-fail"

    @operation(
        "The order is closed or cancelled in the ERP: the card stands in ERROR until the buyer has put it right",
        answer=TurnFacts,
        body=FailureBody,
        problems=(404, 409),
        who=ERP_ONLY,
    )
    def post(self, _request: Request, body: FailureBody, id: UUID) -> TurnFacts:
        """Nobody fills the card meanwhile."""
        self.turn(id)
        actions.fail_turn(id, reason=body.reason, now=timezone.now(), source=self.source())
        return self.turn(id)


ADDRESSES = addresses(TurnDocument, RetryDocument, TurnFailed)
