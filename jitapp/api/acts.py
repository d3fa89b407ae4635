"""What suppliers, buyers, docks and planners do over HTTP: to a turn, a card or a loop.

Acts on turns and cards go through the scan path: one transaction, a receipt, the same answer to the same
Idempotency-Key. Changes of loops are the planner's and belong to ERP clients.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from django.http import Http404
from django.utils import timezone
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jitapp.accounts.models import new_uuid
from jitapp.api.endpoint import Endpoint
from jitapp.api.errors import Problem
from jitapp.erp.documents import NothingToRetry, retry
from jitapp.erp.queries import request_of
from jitapp.pull import actions
from jitapp.pull.reading import lists
from jitapp.pull.scan_request import Conflict, ScanRequest, Source

VERBS = (
    "acknowledge",
    "promise",
    "ship",
    "receive",
    "reject",
    "dock",
    "cancel",
    "start",
    "complete",
    "release",
    "retry",
)
T = TypeVar("T")
_NUMBER = re.compile(r"\d{1,14}(\.\d{1,6})?")


class TurnActBody(msgspec.Struct, forbid_unknown_fields=True):
    """What an act may say; all of it optional."""

    quantity: str | None = None
    reason: str | None = None
    promised_at: str | None = None
    occurred_at: str | None = None
    by: str | None = None


class DocumentBody(msgspec.Struct, forbid_unknown_fields=True):
    """The number of the ERP's document."""

    document: str


class FailureBody(msgspec.Struct, forbid_unknown_fields=True):
    """What failed for good, as a sentence for the buyer."""

    reason: str


class LoopChangeBody(msgspec.Struct, forbid_unknown_fields=True):
    """New values of a loop; with `effective_at` they are planned for that instant."""

    cards: str | None = None
    quantity: str | None = None
    reason: str = ""
    effective_at: str | None = None


class HoldBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why a loop is put on hold."""

    reason: str


class OrderBody(msgspec.Struct, forbid_unknown_fields=True):
    """An order at an EVENT loop."""

    quantity: str
    reason: str = ""


class ActAnswer(msgspec.Struct):
    """What an act on a loop did."""

    loop: str
    done: str
    cards: list[str] = []
    turn: str | None = None
    revision: int | None = None


def read(request: Request, shape: type[T]) -> T:
    """The body in its shape. Raises Problem 422 for a member that cannot be read."""
    try:
        return msgspec.convert(request.data or {}, shape)
    except msgspec.ValidationError as error:
        raise Problem(422, "field_unreadable", f"A member cannot be read: {error}.") from None


def quantity_of(text: str | None) -> Decimal | None:
    """A decimal string like 12 or 0.5, or None. Raises Problem."""
    if text is None or text == "":
        return None
    try:
        if not _NUMBER.fullmatch(text.strip()):
            raise InvalidOperation
        return Decimal(text.strip())
    except InvalidOperation:
        raise Problem(422, "field_unreadable", "`quantity` is no decimal number like 12 or 0.5.") from None


def instant_of(name: str, text: str | None) -> datetime | None:
    """An instant with its offset, or None. Raises Problem."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(
            422, "field_unreadable", f"`{name}` is no instant like 2026-11-21T09:00:00+01:00."
        ) from None
    if at.tzinfo is None:
        raise Problem(422, "field_unreadable", f"`{name}` has no offset. Write 2026-11-21T09:00:00+01:00.")
    return at.astimezone(UTC)


def key_of(request: Request, about: str) -> UUID:
    """The act's id: the client's Idempotency-Key (a UUID as it is, another text made into one), else a new one."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        return new_uuid()
    try:
        return UUID(key)
    except ValueError:
        return uuid5(NAMESPACE_URL, f"jitapp:{about}:{key[:200]}")


class AnyDevice(BasePermission):
    """A known device: who may do what to a turn is for the rules to say, and their answer is kept."""

    def has_permission(self, request: Request, _view: APIView) -> bool:
        """Whether the token is known."""
        return isinstance(request.auth, Source)


class ActOnTurn(Endpoint):
    """POST /turns/{id}/{verb}"""

    permission_classes = (AnyDevice,)

    def post(self, request: Request, turn: UUID, verb: str) -> Response:
        """Answers as a scan does; refused acts are answered with `outcome: refused`, not with an error."""
        if verb not in VERBS:
            raise Http404
        found = lists.turn(turn, plant_ids=self.plants(), now=timezone.now())
        if found is None:
            raise Http404
        body = read(request, TurnActBody)
        answer = actions.scan(
            ScanRequest(
                id=key_of(request, f"{turn}:{verb}"),
                code=found.card,
                intent=verb,
                quantity=quantity_of(body.quantity),
                reason=body.reason,
                by=body.by,
                promised_at=instant_of("promised_at", body.promised_at),
                occurred_at=instant_of("occurred_at", body.occurred_at),
            ),
            source=self.source(),
            now=timezone.now(),
        )
        if isinstance(answer, Conflict):
            raise Problem(409, answer.code, answer.message)
        headers = {"Idempotent-Replayed": "true"} if answer.replayed else None
        return Response(answer.body, headers=headers)


class TurnDocument(Endpoint):
    """GET and POST /turns/{id}/document"""

    def get(self, _request: Request, turn: UUID) -> Response:
        """How far the document is that the ERP is asked for; 404 where none was ever needed."""
        found = request_of(turn, plant_ids=self.plants())
        if found is None:
            raise Http404
        return Response(found)

    def post(self, request: Request, turn: UUID) -> Response:
        """The ERP gives its document's number; the signal goes out. The same number again changes nothing."""
        _erp_only(self)
        if lists.turn(turn, plant_ids=self.plants(), now=timezone.now()) is None:
            raise Http404
        body = read(request, DocumentBody)
        _or_refused(
            lambda: actions.give_document(
                turn=str(turn), document=body.document.strip(), now=timezone.now(), source=self.source()
            )
        )
        return Response(lists.turn(turn, plant_ids=self.plants(), now=timezone.now()))


class RetryDocument(Endpoint):
    """POST /turns/{id}/retry-document"""

    def post(self, _request: Request, turn: UUID) -> Response:
        """What the ERP refused was mended: it is asked again now, under the same key."""
        _erp_only(self)
        if request_of(turn, plant_ids=self.plants()) is None:
            raise Http404
        try:
            retry(turn, now=timezone.now())
        except NothingToRetry as error:
            raise Problem(409, "refused", str(error)) from None
        return Response(request_of(turn, plant_ids=self.plants()))


class TurnFailed(Endpoint):
    """POST /turns/{id}/fail"""

    def post(self, request: Request, turn: UUID) -> Response:
        """The order is closed or cancelled in the ERP: the turn stands in ERROR until somebody has put it right."""
        _erp_only(self)
        if lists.turn(turn, plant_ids=self.plants(), now=timezone.now()) is None:
            raise Http404
        body = read(request, FailureBody)
        _or_refused(
            lambda: actions.fail_turn(turn, reason=body.reason, now=timezone.now(), source=self.source())
        )
        return Response(lists.turn(turn, plant_ids=self.plants(), now=timezone.now()))


class ActOnLoop(Endpoint):
    """POST /loops/{code}/hold|resume|change|order"""

    def post(self, request: Request, code: str, verb: str) -> Response:
        """The planner's acts on a loop whose cards are on the floor."""
        _erp_only(self)
        loop_id = lists.loop_id(code, plant_ids=self.plants())
        acts: Mapping[str, Callable[[Request, int], dict[str, Any]]] = {
            "hold": self._hold,
            "resume": self._resume,
            "change": self._change,
            "order": self._order,
        }
        if loop_id is None or verb not in acts:
            raise Http404
        done = _or_refused(lambda: acts[verb](request, loop_id))
        return Response(ActAnswer(loop=code, **done))

    def _hold(self, request: Request, loop_id: int) -> dict[str, Any]:
        actions.hold_loop(
            loop_id=loop_id, reason=read(request, HoldBody).reason, now=timezone.now(), source=self.source()
        )
        return {"done": "held"}

    def _resume(self, _request: Request, loop_id: int) -> dict[str, Any]:
        actions.resume_loop(loop_id=loop_id, now=timezone.now(), source=self.source())
        return {"done": "resumed"}

    def _change(self, request: Request, loop_id: int) -> dict[str, Any]:
        body = read(request, LoopChangeBody)
        cards = quantity_of(body.cards)
        if cards is not None and cards != int(cards):
            raise Problem(422, "field_unreadable", "`cards` is no whole number.")
        at = instant_of("effective_at", body.effective_at)
        quantity = quantity_of(body.quantity)
        if at is not None:
            values: dict[str, Any] = {} if cards is None else {"cards": int(cards)}
            if quantity is not None:
                values["quantity"] = str(quantity)
            planned = actions.plan_revision(
                loop_id=loop_id, effective_at=at, values=values, reason=body.reason
            )
            return {"done": "planned", "revision": planned.number}
        codes = actions.resize_loop(
            loop_id=loop_id,
            now=timezone.now(),
            cards=None if cards is None else int(cards),
            quantity=quantity,
            reason=body.reason,
            source=self.source(),
        )
        return {"done": "changed", "cards": codes}

    def _order(self, request: Request, loop_id: int) -> dict[str, Any]:
        body = read(request, OrderBody)
        quantity = quantity_of(body.quantity)
        if quantity is None:
            raise Problem(422, "field_unreadable", "`quantity` is missing.")
        turn = actions.order(
            loop_id=loop_id, quantity=quantity, now=timezone.now(), source=self.source(), reason=body.reason
        )
        return {"done": "ordered", "turn": str(turn)}


def _erp_only(endpoint: Endpoint) -> None:
    if not endpoint.source().placeless:
        raise Problem(403, "not_allowed", "This needs the token of an ERP client. Make one with `api_token`.")


def _or_refused(act: Callable[[], T]) -> T:
    try:
        return act()
    except actions.Refused as refused:
        raise Problem(409, "refused", str(refused)) from None
