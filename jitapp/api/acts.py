"""What suppliers, buyers, docks and planners do over HTTP to a turn or to a loop.

Acts on turns go through the scan path: one transaction, a receipt, the same answer to the same Idempotency-Key.
Changes of loops are the planner's and belong to ERP clients.
"""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from jitapp.api.bodies import instant_of, key_of, quantity_of
from jitapp.api.endpoint import Endpoint, addresses, operation, or_404
from jitapp.api.errors import Problem
from jitapp.api.naming import card_code
from jitapp.api.operations import ERP_ONLY
from jitapp.api.scans import ScanAnswer
from jitapp.pull import actions
from jitapp.pull.reading import lists
from jitapp.pull.scan_request import Conflict, ScanRequest

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


class TurnActBody(msgspec.Struct, forbid_unknown_fields=True):
    """What an act may say; all of it optional."""

    quantity: str | None = None
    reason: str | None = None
    promised_at: str | None = None
    occurred_at: str | None = None
    by: str | None = None
    pin: str | None = None


class LoopChangeBody(msgspec.Struct, forbid_unknown_fields=True):
    """New values of a loop; with `effective_at` they are planned for that instant."""

    cards: str | None = None
    quantity: str | None = None
    reason: str = ""
    effective_at: str | None = None


class ReasonBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why a loop is put on hold, or taken out of use for good."""

    reason: str


class PrintedAnswer(msgspec.Struct):
    """How many labels were out of date until now."""

    loop: str
    printed: int


class BinBody(msgspec.Struct, forbid_unknown_fields=True):
    """The code of the card that a bin stands for."""

    card: str


class BinAnswer(msgspec.Struct):
    """A bin and the code of the card that it stands for."""

    bin: str
    card: str


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


TURN_CLOSED = "turn_closed"


class ActOnTurn(Endpoint):
    """POST /turns/{id}/{verb}"""

    path, url_name, group = "turns/<uuid:id>/<str:verb>", "turn-act", "Acts"
    words = {"verb": VERBS}

    @operation(
        "What a supplier, buyer, dock or station does to a turn; answered like a scan",
        answer=ScanAnswer,
        body=TurnActBody,
        problems=(404,),
        by_receipt=True,
    )
    def post(self, request: Request, body: TurnActBody, id: UUID, verb: str) -> Response:
        """Answers as a scan does; refused acts are answered with `outcome: refused`, not with an error. An act on a
        turn that is closed is one: the card has gone on to another turn."""
        turn = or_404(lists.turn(id, plant_ids=self.plants(), now=timezone.now()))
        answer = actions.scan(
            ScanRequest(
                id=key_of(request, f"{id}:{verb}"),
                code=turn.card,
                intent=verb,
                turn=id,
                quantity=quantity_of(body.quantity),
                reason=body.reason,
                by=body.by,
                pin=body.pin,
                promised_at=instant_of("promised_at", body.promised_at),
                occurred_at=instant_of("occurred_at", body.occurred_at),
            ),
            source=self.source(),
            now=timezone.now(),
        )
        if isinstance(answer, Conflict):
            raise Problem(409, answer.code, answer.message)
        if answer.body["code"] == TURN_CLOSED:
            raise Problem(409, TURN_CLOSED, f"{answer.body['message']} {answer.body['next']}")
        headers = {"Idempotent-Replayed": "true"} if answer.replayed else None
        return Response(answer.body, headers=headers)


class LoopAct(Endpoint):
    """What the planner does to a loop whose cards are on the floor."""

    group = "Acts"

    def loop(self, code: str) -> int:
        """The loop's id. Raises Http404."""
        return or_404(lists.loop_id(code, plant_ids=self.plants()))


class HoldLoop(LoopAct):
    """POST /loops/{code}/hold"""

    path, url_name = "loops/<str:code>/hold", "loop-hold"

    @operation(
        "Put a loop on hold: nothing more is asked for",
        answer=ActAnswer,
        body=ReasonBody,
        problems=(404, 409),
        who=ERP_ONLY,
    )
    def post(self, _request: Request, body: ReasonBody, code: str) -> ActAnswer:
        """A reason must be given."""
        loop = self.loop(code)
        actions.hold_loop(loop_id=loop, reason=body.reason, now=timezone.now(), source=self.source())
        return ActAnswer(code, "held")


class ResumeLoop(LoopAct):
    """POST /loops/{code}/resume"""

    path, url_name = "loops/<str:code>/resume", "loop-resume"

    @operation("Let a loop on hold go on", answer=ActAnswer, problems=(404, 409), who=ERP_ONLY)
    def post(self, _request: Request, code: str) -> ActAnswer:
        """What waited is asked for."""
        loop = self.loop(code)
        actions.resume_loop(loop_id=loop, now=timezone.now(), source=self.source())
        return ActAnswer(code, "resumed")


class RetireLoop(LoopAct):
    """POST /loops/{code}/retire"""

    path, url_name = "loops/<str:code>/retire", "loop-retire"

    @operation(
        "Take a loop out of use for good: its cards are OBSOLETE",
        answer=ActAnswer,
        body=ReasonBody,
        problems=(404, 409),
        who=ERP_ONLY,
    )
    def post(self, _request: Request, body: ReasonBody, code: str) -> ActAnswer:
        """Signals that nobody has acted on are cancelled. A reason must be given, and nothing may be under way."""
        loop = self.loop(code)
        actions.retire_loop(loop_id=loop, reason=body.reason, now=timezone.now(), source=self.source())
        return ActAnswer(code, "retired")


class PrintedLoop(LoopAct):
    """POST /loops/{code}/printed"""

    path, url_name = "loops/<str:code>/printed", "loop-printed"

    @operation(
        "Say that a loop's labels that were out of date were printed again",
        answer=PrintedAnswer,
        problems=(404,),
        who=ERP_ONLY,
    )
    def post(self, _request: Request, code: str) -> PrintedAnswer:
        """Said again it changes nothing."""
        loop = self.loop(code)
        return PrintedAnswer(
            code, actions.mark_printed(loop_id=loop, now=timezone.now(), source=self.source())
        )


class BindBin(Endpoint):
    """PUT /bins/{code}"""

    path, url_name, group = "bins/<str:code>", "bin", "Acts"

    @operation(
        "Let the code of a bin stand for a card",
        answer=BinAnswer,
        body=BinBody,
        problems=(404, 409),
        who=ERP_ONLY,
    )
    def put(self, _request: Request, body: BinBody, code: str) -> BinAnswer:
        """From now on a scan of the bin is a scan of that card; a bin that the card had before stands for none."""
        card = or_404(lists.card_id(card_code(body.card), plant_ids=self.plants()))
        actions.bind_bin(code=code, card_id=card)
        return BinAnswer(code, card_code(body.card))


class ChangeLoop(LoopAct):
    """POST /loops/{code}/change"""

    path, url_name = "loops/<str:code>/change", "loop-change"

    @operation(
        "Change how many cards a loop has and how much each asks for, now or at `effective_at`",
        answer=ActAnswer,
        body=LoopChangeBody,
        problems=(404, 409),
        who=ERP_ONLY,
    )
    def post(self, _request: Request, body: LoopChangeBody, code: str) -> ActAnswer:
        """`cards` of the answer are the codes of new cards, to be printed."""
        loop = self.loop(code)
        cards = _whole("cards", body.cards)
        quantity = quantity_of(body.quantity)
        at = instant_of("effective_at", body.effective_at)
        if at is None:
            codes = actions.resize_loop(
                loop_id=loop,
                now=timezone.now(),
                cards=cards,
                quantity=quantity,
                reason=body.reason,
                source=self.source(),
            )
            return ActAnswer(code, "changed", cards=codes)
        asked = {
            "cards": cards,
            "quantity": None if quantity is None else str(quantity),
        }
        values = {name: value for name, value in asked.items() if value is not None}
        planned = actions.plan_revision(
            loop_id=loop, effective_at=at, values=values, reason=body.reason, now=timezone.now()
        )
        return ActAnswer(code, "planned", revision=planned.number)


class OrderAtLoop(LoopAct):
    """POST /loops/{code}/order"""

    path, url_name = "loops/<str:code>/order", "loop-order"

    @operation(
        "Order a quantity at an EVENT loop",
        answer=ActAnswer,
        body=OrderBody,
        problems=(404, 409),
        who=ERP_ONLY,
    )
    def post(self, request: Request, body: OrderBody, code: str) -> ActAnswer:
        """`turn` of the answer is the one that was opened. While the loop is on hold its signal is withheld."""
        loop = self.loop(code)
        quantity = quantity_of(body.quantity)
        if quantity is None:
            raise Problem(422, "field_unreadable", "`quantity` is missing.")
        turn = actions.order(
            loop_id=loop,
            quantity=quantity,
            now=timezone.now(),
            source=self.source(),
            reason=body.reason,
            key=key_of(request, f"{code}:order"),
        )
        return ActAnswer(code, "ordered", turn=str(turn))


def _whole(name: str, text: str | None) -> int | None:
    found = quantity_of(text, name)
    if found is not None and found != int(found):
        raise Problem(422, "field_unreadable", f"`{name}` is no whole number.")
    return None if found is None else int(found)


ADDRESSES = addresses(
    ActOnTurn, HoldLoop, ResumeLoop, RetireLoop, PrintedLoop, ChangeLoop, OrderAtLoop, BindBin
)
